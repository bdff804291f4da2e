/* SPDX-License-Identifier: Apache-2.0 */
/* The gate that compares the incoming image with the running one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <updraft/gate.h>

static struct ota_gate_answer answer;

static struct ota_app_descriptor descriptor(const char *version, const char *project)
{
    struct ota_app_descriptor made;

    memset(&made, 0, sizeof made);
    strncpy(made.version, version, sizeof made.version - 1);
    strncpy(made.project, project, sizeof made.project - 1);
    return made;
}

static enum ota_err ask(struct ota_gate_version *gate, const char *incoming, const char *running)
{
    struct ota_app_descriptor in = descriptor(incoming, "lamp"), run = descriptor(running, "lamp");
    const struct ota_gate_question question = {
        .stage = OTA_GATE_DESCRIBED, .incoming = &in, .running = &run};

    return ota_gate_ask(&gate->gate, &question, &answer);
}

static struct ota_gate_version strict(void)
{
    return (struct ota_gate_version){.gate = {ota_gate_version_ask, NULL},
                                     .refuse_same = true,
                                     .refuse_older = true,
                                     .refuse_other_project = true};
}

static void test_versions(void **state)
{
    static const struct {
        const char *incoming, *running;
        enum ota_err err;
    } cases[] = {
        {"1.0.1", "1.0.0", OTA_OK},
        {"1.0.0", "1.0.0", OTA_ERR_SAME_VERSION},
        {"1.0.0", "1.0.1", OTA_ERR_OLDER_VERSION},
        {"1.10.0", "1.9.0", OTA_OK}, /* by number, not by letter */
        {"1.9.0", "1.10.0", OTA_ERR_OLDER_VERSION},
        {"v2.0", "1.9.9", OTA_OK},
        {"v2.0", "2.0.0", OTA_ERR_SAME_VERSION}, /* the v and missing numbers do not count */
        {"2.0.0-rc.1", "2.0.0", OTA_ERR_OLDER_VERSION},
        {"2.0.0", "2.0.0-rc.1", OTA_OK},
        {"2.0.0-rc.10", "2.0.0-rc.9", OTA_OK},
        {"1.0.0+build.7", "1.0.0+build.6", OTA_ERR_SAME_VERSION},
        {"nightly", "nightly", OTA_ERR_SAME_VERSION}, /* no order, but the same */
        {"nightly", "1.0.0", OTA_OK},                 /* neither is older */
        {"1.0.0", "nightly", OTA_OK},
        {"", "", OTA_ERR_SAME_VERSION},
    };
    struct ota_gate_version gate = strict();

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(ask(&gate, cases[i].incoming, cases[i].running), cases[i].err);
    }
    gate.refuse_same = false;
    gate.refuse_older = false;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(ask(&gate, cases[i].incoming, cases[i].running), OTA_OK);
    }
}

/* Each demand on its own. */
static void test_demands_are_single(void **state)
{
    struct ota_gate_version gate = strict();

    (void)state;
    gate.refuse_older = false;
    assert_int_equal(ask(&gate, "1.0", "2.0"), OTA_OK);
    assert_int_equal(ask(&gate, "1.0", "1.0"), OTA_ERR_SAME_VERSION);
    gate = strict();
    gate.refuse_same = false;
    assert_int_equal(ask(&gate, "1.0", "2.0"), OTA_ERR_OLDER_VERSION);
    assert_int_equal(ask(&gate, "1.0", "1.0"), OTA_OK);
}

static void test_projects(void **state)
{
    struct ota_gate_version gate = strict();
    struct ota_app_descriptor in = descriptor("2.0", "lamp"), run = descriptor("1.0", "heater");
    struct ota_gate_question question = {
        .stage = OTA_GATE_DESCRIBED, .incoming = &in, .running = &run};

    (void)state;
    assert_int_equal(ota_gate_ask(&gate.gate, &question, &answer), OTA_ERR_PROJECT);
    gate.project = "lamp"; /* named, whatever runs */
    assert_int_equal(ota_gate_ask(&gate.gate, &question, &answer), OTA_OK);
    gate.project = "lam";
    assert_int_equal(ota_gate_ask(&gate.gate, &question, &answer), OTA_ERR_PROJECT);
    question.running = NULL;
    assert_int_equal(ota_gate_ask(&gate.gate, &question, &answer), OTA_ERR_PROJECT);
    gate.project = NULL; /* nothing to compare with */
    assert_int_equal(ota_gate_ask(&gate.gate, &question, &answer), OTA_OK);
    question.running = &run;
    gate.refuse_other_project = false;
    assert_int_equal(ota_gate_ask(&gate.gate, &question, &answer), OTA_OK);
}

static void test_without_a_descriptor(void **state)
{
    struct ota_gate_version gate = strict();
    struct ota_app_descriptor run = descriptor("1.0", "lamp");
    struct ota_gate_question question = {.stage = OTA_GATE_DESCRIBED, .running = &run};

    (void)state;
    assert_int_equal(ota_gate_ask(&gate.gate, &question, &answer), OTA_OK);
    gate.demand_descriptor = true;
    assert_int_equal(ota_gate_ask(&gate.gate, &question, &answer), OTA_ERR_IMAGE_DESCRIPTOR);
    question.is_data = true; /* which has none */
    assert_int_equal(ota_gate_ask(&gate.gate, &question, &answer), OTA_OK);
    question.is_data = false;
    question.stage = OTA_GATE_BEGIN; /* nothing is known yet */
    assert_int_equal(ota_gate_ask(&gate.gate, &question, &answer), OTA_OK);
    question.stage = OTA_GATE_ACTIVATE; /* it has been judged */
    assert_int_equal(ota_gate_ask(&gate.gate, &question, &answer), OTA_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_demands_are_single),
        cmocka_unit_test(test_projects),
        cmocka_unit_test(test_without_a_descriptor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
