/* SPDX-License-Identifier: Apache-2.0 */
/* The upgrade list: order, results, the one restart, waiting, and steps of the caller's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <updraft/slot.h>
#include <updraft/staging.h>

#include "proto/upgrade_bench.h"
#include "support/tones.h"

#define APP "mem:app"
#define TONE "mem:tone"

/* Data first, so that the restart comes last: the usual list. */
static void add_usual(struct bench *bench)
{
    bench_add_source(bench, "tone", bench->tone, bench->tone_len);
    bench_add_source(bench, "app", bench->image, bench->image_len);
    bench_add_data(bench, TONE);
    bench_add_app(bench, APP)->restart = true;
}

static void assert_boots(const struct bench *bench, int expected)
{
    int slot;

    assert_int_equal(ota_slot_boot(&bench->ram.device, &slot), OTA_OK);
    assert_int_equal(slot, expected);
}

/* ---- Order and results ----------------------------------------------------------------------- */

static void test_usual_list(void **state)
{
    struct bench *bench = *state;

    add_usual(bench);
    bench_start_and_run(bench);
    assert_string_equal(bench->trace, "0:prepare 0:need 0:execute 0:finish 0=upgraded "
                                      "1:prepare 1:need 1:execute 1:finish 1=upgraded end");
    bench_assert_result(bench, 0, OTA_UPGRADE_DONE, OTA_OK, 0);
    bench_assert_result(bench, 1, OTA_UPGRADE_DONE, OTA_OK, 0);
    assert_true(bench->list.wants_restart);
    bench_assert_storage(bench, bench->tone, bench->tone_len);
    assert_boots(bench, 0);
    bench_assert_logged(bench, "list: storage <- mem:tone");
    bench_assert_logged(bench, "list: present version 1.0.0, incoming version 1.1.0");
    assert_int_equal(ota_upgrade_list_poll(&bench->list, bench->now), UINT32_MAX);
}

static void test_without_flag_no_restart(void **state)
{
    struct bench *bench = *state;

    add_usual(bench);
    bench->items[1].restart = false;
    bench_start_and_run(bench);
    assert_false(bench->list.wants_restart);
    assert_boots(bench, 0);
}

/* Once the list has run, running it again at every boot changes nothing and never restarts. */
static void test_no_boot_loop(void **state)
{
    struct bench *bench = *state;

    add_usual(bench);
    bench->items[0].restart = true;
    bench_start_and_run(bench);
    assert_true(bench->list.wants_restart);
    bench_boot(bench);
    assert_int_equal(bench->ram.device.running_slot, 0);
    bench_remember_flash(bench);
    for (int boot = 0; boot < 10; boot++) {
        bench_start_and_run(bench);
        bench_assert_result(bench, 0, OTA_UPGRADE_NOT_NEEDED, OTA_ERR_SAME_VERSION, 0x90004);
        bench_assert_result(bench, 1, OTA_UPGRADE_NOT_NEEDED, OTA_ERR_SAME_VERSION, 0x90004);
        assert_false(bench->list.wants_restart);
        bench_assert_flash_unchanged(bench);
        bench_boot(bench);
    }
}

/* Where nothing is compared, the bytes themselves are: the same data is no upgrade. */
static void test_same_data_is_no_upgrade(void **state)
{
    static const uint8_t data[5000] = {1, 2, 3};
    struct bench *bench = *state;

    bench_add_source(bench, "data", data, sizeof data);
    bench_add_data(bench, "mem:data")->restart = true;
    bench->items[0].check = OTA_UPGRADE_ALWAYS;
    bench_start_and_run(bench);
    bench_assert_result(bench, 0, OTA_UPGRADE_DONE, OTA_OK, 0);
    assert_true(bench->list.wants_restart);
    bench_start_and_run(bench);
    bench_assert_result(bench, 0, OTA_UPGRADE_NOT_NEEDED, OTA_ERR_SAME_VERSION, 0x90004);
    assert_false(bench->list.wants_restart);
    bench_assert_storage(bench, data, sizeof data);
}

/* An app that is not needed does not stop a restart that data asks for; nor does it ask for one. */
static void test_unneeded_app_beside_data(void **state)
{
    struct bench *bench = *state;

    add_usual(bench);
    bench_make_image(bench, "test", "1.0.0");
    bench_start_and_run(bench);
    bench_assert_result(bench, 0, OTA_UPGRADE_DONE, OTA_OK, 0);
    bench_assert_result(bench, 1, OTA_UPGRADE_NOT_NEEDED, OTA_ERR_SAME_VERSION, 0x90004);
    assert_false(bench->list.wants_restart);
    bench->items[0].restart = true;
    bench_make_tone(bench, 1, "v1.0.2", TONE_PROJECT);
    bench_start_and_run(bench);
    assert_true(bench->list.wants_restart);
}

static void test_failure_forbids_restart(void **state)
{
    struct bench *bench = *state;

    add_usual(bench);
    bench->sources[0].error = OTA_ERR_CONNECTION_LOST;
    bench->sources[0].len /= 2;
    bench->sources[0].stated_size = (uint32_t)bench->tone_len;
    bench_start_and_run(bench);
    bench_assert_result(bench, 0, OTA_UPGRADE_FAILED, OTA_ERR_CONNECTION_LOST, 0x9000C);
    assert_int_equal(bench->list.results[0].offset, bench->tone_len / 2);
    bench_assert_result(bench, 1, OTA_UPGRADE_DONE, OTA_OK, 0); /* the list went on */
    assert_false(bench->list.wants_restart);
    bench_assert_logged(bench, "list: item 0 failed: ");
    bench_assert_logged(bench, "(STREAM_RD_FAIL)");
}

static void test_break_after_fail(void **state)
{
    struct bench *bench = *state;

    add_usual(bench);
    bench->items[0].break_after_fail = true;
    bench->sources[0].open_error = OTA_ERR_CONNECT;
    bench_start_and_run(bench);
    assert_string_equal(bench->trace, "0:prepare 0:finish 0=failed end");
    bench_assert_result(bench, 0, OTA_UPGRADE_FAILED, OTA_ERR_CONNECT, 0x9000B);
    bench_assert_result(bench, 1, OTA_UPGRADE_LEFT_OUT, OTA_OK, 0);
    assert_int_equal(bench->sources[1].opened, 0);
    assert_false(bench->list.wants_restart);
}

/* What is not needed has not failed: the list is not broken off. */
static void test_unneeded_does_not_break(void **state)
{
    struct bench *bench = *state;

    add_usual(bench);
    bench_install_tone(bench);
    bench->items[0].break_after_fail = true;
    bench_start_and_run(bench);
    bench_assert_result(bench, 0, OTA_UPGRADE_NOT_NEEDED, OTA_ERR_SAME_VERSION, 0x90004);
    bench_assert_result(bench, 1, OTA_UPGRADE_DONE, OTA_OK, 0);
    assert_true(bench->list.wants_restart);
}

static void test_most_items(void **state)
{
    struct bench *bench = *state;

    bench_add_source(bench, "tone", bench->tone, bench->tone_len);
    for (unsigned i = 0; i < OTA_UPGRADE_ITEMS_MAX; i++) {
        bench_add_data(bench, TONE);
    }
    bench_start_and_run(bench);
    bench_assert_result(bench, 0, OTA_UPGRADE_DONE, OTA_OK, 0);
    for (unsigned i = 1; i < OTA_UPGRADE_ITEMS_MAX; i++) {
        bench_assert_result(bench, i, OTA_UPGRADE_NOT_NEEDED, OTA_ERR_SAME_VERSION, 0x90004);
    }
}

static void test_what_init_refuses(void **state)
{
    struct bench *bench = *state;
    struct ota_upgrade_list *list = &bench->list;
    struct ota_upgrade_list_options options;

    add_usual(bench);
    options = bench->options;
    options.count = 0;
    assert_int_equal(ota_upgrade_list_init(list, &options), OTA_ERR_ARGUMENT);
    assert_int_equal(ota_upgrade_list_start(list), OTA_ERR_STATE);
    options.count = OTA_UPGRADE_ITEMS_MAX + 1;
    assert_int_equal(ota_upgrade_list_init(list, &options), OTA_ERR_ARGUMENT);
    options = bench->options;
    options.items = NULL;
    assert_int_equal(ota_upgrade_list_init(list, &options), OTA_ERR_ARGUMENT);
    options = bench->options;
    options.platform = NULL;
    assert_int_equal(ota_upgrade_list_init(list, &options), OTA_ERR_ARGUMENT);
    options = bench->options;
    options.intake = NULL;
    assert_int_equal(ota_upgrade_list_init(list, &options), OTA_ERR_ARGUMENT);
    bench->items[0].label = NULL;
    assert_int_equal(ota_upgrade_list_init(list, &bench->options), OTA_ERR_ARGUMENT);
    bench->items[0].label = "storage";
    bench->items[1].uri = NULL;
    assert_int_equal(ota_upgrade_list_init(list, &bench->options), OTA_ERR_ARGUMENT);
}

static void test_start_while_at_work(void **state)
{
    struct bench *bench = *state;

    add_usual(bench);
    bench->sources[0].piece = 16;
    bench_start(bench);
    (void)ota_upgrade_list_poll(&bench->list, bench->now);
    assert_int_equal(ota_upgrade_list_start(&bench->list), OTA_ERR_STATE);
    bench_run(bench);
    assert_true(bench->list.wants_restart);
}

static void test_stop(void **state)
{
    struct bench *bench = *state;

    add_usual(bench);
    bench->sources[0].piece = 16;
    bench_start(bench);
    (void)ota_upgrade_list_poll(&bench->list, bench->now);
    assert_non_null(bench->open);
    ota_upgrade_list_stop(&bench->list);
    assert_null(bench->open);
    assert_true(ota_intake_is_free(&bench->intake));
    bench_assert_result(bench, 0, OTA_UPGRADE_FAILED, OTA_ERR_ABORTED, -1);
    bench_assert_result(bench, 1, OTA_UPGRADE_LEFT_OUT, OTA_OK, 0);
    assert_false(bench->list.wants_restart);
    assert_non_null(strstr(bench->trace, "0=failed end"));
    ota_upgrade_list_stop(&bench->list); /* once is enough */
    assert_null(strstr(strstr(bench->trace, "end") + 1, "end"));
}

/* A certificate reaches the source for both kinds: the original forgets it for data. */
static void test_certificates(void **state)
{
    struct bench *bench = *state;

    add_usual(bench);
    bench->items[0].ca_pem = "data's";
    bench->items[1].ca_pem = "app's";
    bench_start_and_run(bench);
    assert_string_equal(bench->sources[0].ca_pem, "data's");
    assert_string_equal(bench->sources[1].ca_pem, "app's");
}

/* ---- However the bytes come ------------------------------------------------------------------ */

static void assert_same_outcome(struct bench *bench, const uint8_t *blank)
{
    memcpy(bench->ram.memory, blank, sizeof bench->ram.memory);
    bench_start_and_run(bench);
    bench_assert_result(bench, 0, OTA_UPGRADE_DONE, OTA_OK, 0);
    bench_assert_result(bench, 1, OTA_UPGRADE_DONE, OTA_OK, 0);
    bench_assert_storage(bench, bench->tone, bench->tone_len);
    assert_memory_equal(bench->ram.memory + RAM_OTA_0, bench->image, bench->image_len);
    assert_true(bench->list.wants_restart);
}

static void test_every_split(void **state)
{
    static uint8_t blank[RAM_DEVICE_SIZE];
    struct bench *bench = *state;

    add_usual(bench);
    memcpy(blank, bench->ram.memory, sizeof blank);
    for (size_t first = 1; first < 700; first++) { /* past every boundary that either format has */
        bench->sources[0].first = bench->sources[1].first = first;
        assert_same_outcome(bench, blank);
    }
    for (size_t piece = 1; piece < 40; piece++) {
        bench->sources[0].piece = bench->sources[1].piece = piece;
        assert_same_outcome(bench, blank);
    }
}

/* ---- Waiting --------------------------------------------------------------------------------- */

static void test_busy(void **state)
{
    struct bench *bench = *state;
    const struct ota_arrival other = {.way = "other", .size = OTA_SIZE_UNKNOWN};

    add_usual(bench);
    assert_int_equal(ota_intake_begin(&bench->intake, &other), OTA_OK);
    bench_start(bench);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(ota_upgrade_list_poll(&bench->list, bench->now), 1000);
        assert_int_equal(bench->list.state, OTA_UPGRADE_HOLDING);
        assert_int_equal(bench->sources[0].opened, 0); /* a server is not kept waiting */
        assert_int_equal(bench->intake.state, OTA_INTAKE_TAKEN);
        bench->now += 1000;
    }
    ota_intake_abort(&bench->intake);
    bench_run(bench);
    bench_assert_result(bench, 1, OTA_UPGRADE_DONE, OTA_OK, 0);
    assert_true(bench->list.wants_restart);
}

/* Begins another way's update as soon as the item has failed. */
static void step_in(void *context, const struct ota_upgrade_list *list,
                    enum ota_upgrade_event event)
{
    const struct ota_arrival other = {.way = "other", .size = OTA_SIZE_UNKNOWN};
    struct bench *bench = context;

    if (event == OTA_UPGRADE_EVENT_STEP && list->upgrade.step == OTA_UPGRADE_FINISHED_CHECK) {
        assert_int_equal(ota_intake_begin(&bench->intake, &other), OTA_OK);
    }
}

/* An item that has failed lets go of the intake, and not of what has come into it since. */
static void test_failed_item_leaves_others_alone(void **state)
{
    struct bench *bench = *state;

    add_usual(bench);
    bench->options.items = &bench->items[1];
    bench->options.count = 1;
    bench->options.on_event = step_in;
    bench->image[5000] ^= 1; /* its digest will be wrong, and then too much comes */
    bench->items[1].check = OTA_UPGRADE_ALWAYS;
    bench->sources[1].len += 32;
    bench->sources[1].hides_size = true;
    bench_start_and_run(bench);
    assert_int_equal(bench->list.results[0].outcome, OTA_UPGRADE_FAILED);
    assert_int_equal(bench->intake.state, OTA_INTAKE_TAKEN);
    assert_string_equal(bench->intake.arrival.way, "other");
}

struct keeper {
    struct ota_gate gate;
    enum ota_gate_stage stage;
    enum ota_err answer;
    unsigned asked, times; /* it answers so often */
    uint32_t retry_ms;
};

static enum ota_err keep(struct ota_gate *gate, const struct ota_gate_question *question,
                         struct ota_gate_answer *answer)
{
    struct keeper *keeper = (struct keeper *)gate;

    assert_string_equal(question->way, "list");
    if (question->stage != keeper->stage || keeper->asked >= keeper->times) {
        return OTA_OK;
    }
    keeper->asked++;
    answer->reason = "the battery is low";
    answer->retry_ms = keeper->retry_ms;
    return keeper->answer;
}

static void test_held_before_it_begins(void **state)
{
    struct bench *bench = *state;
    struct keeper keeper = {{keep, NULL}, OTA_GATE_BEGIN, OTA_ERR_HELD, 0, 3, 5000};

    add_usual(bench);
    bench->intake.options.gates = &keeper.gate;
    bench_start_and_run(bench);
    assert_int_equal(keeper.asked, 3);
    assert_int_equal(bench->now, 15000);
    bench_assert_logged(bench, "list: the battery is low");
    assert_non_null(strstr(bench->trace, "0:finish 0:held 0:prepare"));
    bench_assert_result(bench, 0, OTA_UPGRADE_DONE, OTA_OK, 0);
    bench_assert_result(bench, 1, OTA_UPGRADE_DONE, OTA_OK, 0);
    assert_int_equal(bench->sources[0].opened, 4);
}

/* While the activation is held nothing is fetched and no result is there; afterwards all goes
   on. */
static void test_held_before_it_is_activated(void **state)
{
    struct bench *bench = *state;
    struct keeper keeper = {{keep, NULL}, OTA_GATE_ACTIVATE, OTA_ERR_HELD, 0, 10, 0};

    add_usual(bench);
    bench->intake.options.gates = &keeper.gate;
    bench_start_and_run(bench);
    assert_int_equal(keeper.asked, 10);
    bench_assert_result(bench, 0, OTA_UPGRADE_DONE, OTA_OK, 0);
    bench_assert_result(bench, 1, OTA_UPGRADE_DONE, OTA_OK, 0);
    assert_int_equal(bench->sources[0].opened, 1);
    assert_true(bench->list.wants_restart);
    assert_boots(bench, 0);
}

static void test_held_and_stopped(void **state)
{
    struct bench *bench = *state;
    struct keeper keeper = {{keep, NULL}, OTA_GATE_ACTIVATE, OTA_ERR_HELD, 0, 1000, 0};

    add_usual(bench);
    bench->options.items = &bench->items[1];
    bench->options.count = 1;
    bench->intake.options.gates = &keeper.gate;
    bench_start(bench);
    for (int i = 0; i < 50; i++) {
        bench->now += ota_upgrade_list_poll(&bench->list, bench->now);
    }
    assert_int_equal(bench->intake.state, OTA_INTAKE_HELD);
    ota_upgrade_list_stop(&bench->list);
    assert_true(ota_intake_is_free(&bench->intake));
    assert_boots(bench, OTA_SLOT_FACTORY);
}

static void test_refused_by_a_gate(void **state)
{
    static const enum ota_gate_stage stages[] = {OTA_GATE_BEGIN, OTA_GATE_DESCRIBED,
                                                 OTA_GATE_ACTIVATE};
    struct bench *bench = *state;

    add_usual(bench);
    bench->options.items = &bench->items[1];
    bench->options.count = 1;
    for (size_t i = 0; i < 3; i++) {
        struct keeper keeper = {{keep, NULL}, stages[i], OTA_ERR_REFUSED, 0, 1, 0};
        bench->intake.options.gates = &keeper.gate;
        bench_remember_flash(bench);
        bench_start_and_run(bench);
        assert_int_equal(keeper.asked, 1);
        bench_assert_result(bench, 0, OTA_UPGRADE_FAILED, OTA_ERR_REFUSED, -1);
        assert_false(bench->list.wants_restart);
        assert_boots(bench, OTA_SLOT_FACTORY);
        if (stages[i] != OTA_GATE_ACTIVATE) {
            bench_assert_flash_unchanged(bench);
        }
    }
}

static void test_source_that_stalls(void **state)
{
    static const size_t lens[] = {0, 1, 100, 2000};
    struct bench *bench = *state;

    add_usual(bench);
    bench->sources[1].stalls = true;
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        bench->sources[1].len = lens[i];
        bench->sources[1].stated_size = (uint32_t)bench->image_len;
        bench->now = 0;
        bench_start_and_run(bench);
        bench_assert_result(bench, 1, OTA_UPGRADE_FAILED, OTA_ERR_TIMEOUT,
                            lens[i] == 0 ? 0x9000B : 0x9000C);
        assert_in_range(bench->now, OTA_UPGRADE_STALL_MS, OTA_UPGRADE_STALL_MS + 2000);
        assert_false(bench->list.wants_restart);
    }
    bench->options.stall_ms = 3000;
    bench->now = 0;
    bench_start_and_run(bench);
    assert_in_range(bench->now, 3000, 5000);
}

/* ---- Steps of the caller's ------------------------------------------------------------------- */

static enum ota_err pend_thrice(struct ota_upgrade *upgrade, bool *pending)
{
    *pending = upgrade->state++ % 4 != 3;
    return OTA_OK;
}

static enum ota_err finish_late(struct ota_upgrade *upgrade, enum ota_err err, bool *pending)
{
    *pending = upgrade->state++ < 3;
    return err;
}

static enum ota_err say_all_is_well(struct ota_upgrade *upgrade, enum ota_err err, bool *pending)
{
    (void)ota_upgrade_app_steps.finished_check(upgrade, err, pending);
    return OTA_OK;
}

static enum ota_err find_fault(struct ota_upgrade *upgrade, enum ota_err err, bool *pending)
{
    enum ota_err own = ota_upgrade_data_steps.finished_check(upgrade, err, pending);

    return own != OTA_OK ? own : OTA_ERR_DIGEST;
}

static void test_own_steps_may_take_their_time(void **state)
{
    static const struct ota_upgrade_steps steps = {pend_thrice, pend_thrice, pend_thrice,
                                                   finish_late};
    struct bench *bench = *state;

    bench_add_app(bench, "none:needed")->steps = &steps;
    bench_start_and_run(bench);
    assert_string_equal(bench->trace, "0:prepare 0:need 0:execute 0:finish 0=upgraded end");
    bench_assert_result(bench, 0, OTA_UPGRADE_DONE, OTA_OK, 0);
}

/* The first cause stays, whatever finished_check says. */
static void test_own_finish_cannot_hide_an_error(void **state)
{
    static const struct ota_upgrade_steps steps = {.finished_check = say_all_is_well};
    struct bench *bench = *state;

    add_usual(bench);
    bench->items[1].steps = &steps;
    bench->image[bench->image_len - 1] ^= 1;
    bench->image[0] = 0;
    bench_start_and_run(bench);
    bench_assert_result(bench, 1, OTA_UPGRADE_FAILED, OTA_ERR_IMAGE_MAGIC, 0x90005);
    assert_false(bench->list.wants_restart);
}

static void test_own_finish_can_find_a_fault(void **state)
{
    static const struct ota_upgrade_steps steps = {.finished_check = find_fault};
    struct bench *bench = *state;

    add_usual(bench);
    bench->items[0].steps = &steps;
    bench_start_and_run(bench);
    bench_assert_result(bench, 0, OTA_UPGRADE_FAILED, OTA_ERR_DIGEST, -1);
    bench_assert_result(bench, 1, OTA_UPGRADE_DONE, OTA_OK, 0);
    assert_false(bench->list.wants_restart);
}

/* What need_upgrade looks at is written all the same, however much it was. */
static enum ota_err look_far(struct ota_upgrade *upgrade, bool *pending)
{
    return ota_upgrade_peek(upgrade, *(const size_t *)upgrade->item->context, pending);
}

static void test_peeked_bytes_are_not_lost(void **state)
{
    static const struct ota_upgrade_steps steps = {.need_upgrade = look_far};
    struct bench *bench = *state;
    size_t far;

    add_usual(bench);
    bench->options.count = 1;
    bench->items[0].steps = &steps;
    bench->items[0].context = &far;
    bench->sources[0].piece = 7;
    for (far = 0; far <= OTA_UPGRADE_HEAD_SIZE; far++) {
        memset(bench->ram.memory + RAM_STORAGE, 0, RAM_STORAGE_SIZE);
        bench_start_and_run(bench);
        bench_assert_result(bench, 0, OTA_UPGRADE_DONE, OTA_OK, 0);
        bench_assert_storage(bench, bench->tone, bench->tone_len);
    }
    bench_start_and_run(bench); /* farther than there is room for */
    bench_assert_result(bench, 0, OTA_UPGRADE_FAILED, OTA_ERR_ARGUMENT, 0x90001);
}

/* ---- Words ----------------------------------------------------------------------------------- */

static void test_reasons(void **state)
{
    static const char *const names[] = {
        "NULL_POINTER",          "URL_PARSE_FAIL",     "ERROR_VERSION",    "NO_HIGHER_VERSION",
        "ERROR_MAGIC_WORD",      "ERROR_PROJECT_NAME", "FILE_NOT_FOUND",   "PARTITION_NOT_FOUND",
        "PARTITION_WT_FAIL",     "PARTITION_RD_FAIL",  "STREAM_INIT_FAIL", "STREAM_RD_FAIL",
        "GET_NEW_APP_DESC_FAIL",
    };

    (void)state;
    for (int32_t i = 0; i < 13; i++) {
        assert_string_equal(ota_upgrade_reason_name(0x90001 + i), names[i]);
    }
    assert_string_equal(ota_upgrade_reason_name(0), "SUCCESS");
    assert_string_equal(ota_upgrade_reason_name(-1), "UNKNOWN");
    assert_string_equal(ota_upgrade_reason_name(0x9000E), "UNKNOWN");
    assert_string_equal(ota_upgrade_reason_name(0x90000), "UNKNOWN");
    for (int err = 0; err < OTA_ERR_COUNT; err++) {
        for (int step = 0; step <= OTA_UPGRADE_FINISHED_CHECK; step++) {
            int32_t reason = ota_upgrade_reason((enum ota_err)err, (enum ota_upgrade_step)step);
            assert_true((reason == 0) == (err == OTA_OK));
            assert_true(reason <= 0 || (reason > 0x90000 && reason < 0x9000E));
        }
    }
    assert_int_equal(ota_upgrade_reason(OTA_ERR_SOURCE, OTA_UPGRADE_PREPARE), 0x9000B);
    assert_int_equal(ota_upgrade_reason(OTA_ERR_SOURCE, OTA_UPGRADE_EXECUTE), 0x9000C);
    assert_int_equal(ota_upgrade_reason(OTA_ERR_TLS_NAME, OTA_UPGRADE_PREPARE), 0x9000B);
    assert_int_equal(ota_upgrade_reason(OTA_ERR_FLASH_READ, OTA_UPGRADE_NEED_UPGRADE), 0x9000A);
    assert_int_equal(ota_upgrade_reason(OTA_ERR_HTTP_NOT_FOUND, OTA_UPGRADE_PREPARE), 0x90007);
}

/* ---- A device with one place to run from ----------------------------------------------------- */

static enum ota_staging_state staged_state(const struct bench *bench)
{
    struct ota_staging_status status;

    assert_int_equal(ota_staging_read(&bench->ram.device, &status), OTA_OK);
    return status.state;
}

/* One thing can be staged: the app is, wherever it stands in the list, and the data goes in place. */
static void test_one_slot(void **state)
{
    struct bench *bench = *state;

    for (int i = 0; i < 2; i++) {
        bench->options.count = bench->source_count = 0;
        bench_stage(bench);
        memset(bench->ram.memory + RAM_STORAGE, 0xFF, RAM_STORAGE_SIZE);
        add_usual(bench);
        if (i == 1) {
            const struct ota_upgrade_item first = bench->items[0];
            bench->items[0] = bench->items[1];
            bench->items[1] = first;
        }
        bench_start_and_run(bench);
        bench_assert_result(bench, 0, OTA_UPGRADE_DONE, OTA_OK, 0);
        bench_assert_result(bench, 1, OTA_UPGRADE_DONE, OTA_OK, 0);
        assert_true(bench->list.wants_restart);
        bench_assert_storage(bench, bench->tone, bench->tone_len);
        assert_int_equal(staged_state(bench), OTA_STAGING_WAITING);
    }
    bench_boot_staged(bench);
    assert_memory_equal(bench->ram.memory + RAM_FACTORY, bench->image, bench->image_len);
    bench_start_and_run(bench);
    bench_assert_result(bench, 0, OTA_UPGRADE_NOT_NEEDED, OTA_ERR_SAME_VERSION, 0x90004);
    bench_assert_result(bench, 1, OTA_UPGRADE_NOT_NEEDED, OTA_ERR_SAME_VERSION, 0x90004);
    assert_false(bench->list.wants_restart);
}

/* Data alone is staged. After the restart it is there, and not brought there again and again; but
   it is once more if the partition was changed since. */
static void test_one_slot_and_data_alone(void **state)
{
    static const uint8_t bytes[6000] = {1, 2, 3};
    struct bench *bench = *state;

    bench_stage(bench);
    bench_add_source(bench, "files", bytes, sizeof bytes);
    bench_add_data(bench, "mem:files")->restart = true;
    bench_start_and_run(bench);
    bench_assert_result(bench, 0, OTA_UPGRADE_DONE, OTA_OK, 0);
    assert_true(bench->list.wants_restart);
    assert_int_equal(bench->ram.memory[RAM_STORAGE], 0xFF);
    bench_boot_staged(bench);
    bench_assert_storage(bench, bytes, sizeof bytes);

    bench_start_and_run(bench);
    bench_assert_result(bench, 0, OTA_UPGRADE_NOT_NEEDED, OTA_ERR_SAME_VERSION, 0x90004);
    assert_false(bench->list.wants_restart);
    assert_int_not_equal(staged_state(bench), OTA_STAGING_WAITING);

    bench->ram.memory[RAM_STORAGE + 5999] = 7;
    bench_start_and_run(bench);
    bench_assert_result(bench, 0, OTA_UPGRADE_DONE, OTA_OK, 0);
    assert_int_equal(staged_state(bench), OTA_STAGING_WAITING);
}

/* Nobody asks for the restart that something waits for: an item in its way is not tried for ever. */
static void test_one_slot_that_is_taken(void **state)
{
    static const uint8_t bytes[6000] = {1, 2, 3};
    struct bench *bench = *state;

    bench_stage(bench);
    bench_add_source(bench, "files", bytes, sizeof bytes);
    bench_add_source(bench, "app", bench->image, bench->image_len);
    bench_add_data(bench, "mem:files");
    bench_start_and_run(bench);
    assert_false(bench->list.wants_restart);
    bench->options.count = 0;
    bench_add_app(bench, APP)->restart = true;
    bench_start_and_run(bench);
    bench_assert_result(bench, 0, OTA_UPGRADE_FAILED, OTA_ERR_RESTARTING, -1);
    assert_false(bench->list.wants_restart);
    assert_int_equal(staged_state(bench), OTA_STAGING_WAITING);
    bench_boot_staged(bench);
    bench_start_and_run(bench);
    bench_assert_result(bench, 0, OTA_UPGRADE_DONE, OTA_OK, 0);
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup(test, bench_set_up)
    const struct CMUnitTest tests[] = {
        FRESH(test_usual_list),
        FRESH(test_without_flag_no_restart),
        FRESH(test_no_boot_loop),
        FRESH(test_same_data_is_no_upgrade),
        FRESH(test_unneeded_app_beside_data),
        FRESH(test_failure_forbids_restart),
        FRESH(test_break_after_fail),
        FRESH(test_unneeded_does_not_break),
        FRESH(test_most_items),
        FRESH(test_what_init_refuses),
        FRESH(test_start_while_at_work),
        FRESH(test_stop),
        FRESH(test_certificates),
        FRESH(test_every_split),
        FRESH(test_busy),
        FRESH(test_failed_item_leaves_others_alone),
        FRESH(test_held_before_it_begins),
        FRESH(test_held_before_it_is_activated),
        FRESH(test_held_and_stopped),
        FRESH(test_refused_by_a_gate),
        FRESH(test_source_that_stalls),
        FRESH(test_own_steps_may_take_their_time),
        FRESH(test_own_finish_cannot_hide_an_error),
        FRESH(test_own_finish_can_find_a_fault),
        FRESH(test_peeked_bytes_are_not_lost),
        FRESH(test_reasons),
        FRESH(test_one_slot),
        FRESH(test_one_slot_and_data_alone),
        FRESH(test_one_slot_that_is_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
