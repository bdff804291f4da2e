/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attack table, tried on every layout, whatever signature is demanded: each is refused with the
 * error that the table says, for a reason in words; what runs is untouched and is what boots; and a
 * good update then works.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "intake/attacks.h"

struct setting {
    enum victim_layout layout;
    enum victim_demand demand;
};

/* ---- What comes of it ------------------------------------------------------------------------ */

/* One that trusts another than the maker does not ask at boot: its own image is the maker's. */
static void open_victim(const struct setting *setting, enum who trusted)
{
    struct signer *const *signers = attack_signers[setting->demand];
    static const struct signer nobody;

    victim_open(&attack_victim, setting->layout, setting->demand,
                signers[trusted] != NULL ? signers[trusted] : &nobody, signers[MAKER]);
    attack_victim.trust.at_boot = attack_victim.trust.at_boot && trusted == MAKER;
    assert_string_equal(victim_boot(&attack_victim), "1.0.0");
}

/* Why, for whoever reads the log. */
static bool has_reason(enum ota_err err)
{
    return attack_victim.intake.failure.err == err &&
           strcmp(ota_intake_reason(&attack_victim.intake), ota_err_text(err)) == 0;
}

static bool was_told(void)
{
    const char *events = attack_victim.events;

    return strcmp(events, "R") == 0 || strcmp(events, "SR") == 0 || strcmp(events, "SF") == 0;
}

/* Returns NULL if all is as it should be, or what is not. */
static const char *judge(enum ota_err got, enum ota_err err)
{
    if (got != err) {
        return "another error";
    }
    if (!was_told()) {
        return "the log does not have it";
    }
    if (!has_reason(err)) {
        return "the reason is another";
    }
    if (!victim_is_unharmed(&attack_victim)) {
        return "what runs was changed";
    }
    if (strcmp(victim_boot(&attack_victim), "1.0.0") != 0 || !victim_is_unharmed(&attack_victim)) {
        return "it does not boot what ran";
    }
    return NULL;
}

/* The maker comes, with the key that the device trusts in the end. */
static const char *update(enum victim_demand demand)
{
    struct delivery delivery;

    attack_begin(demand);
    attack_make_good();
    delivery = attack_delivery();
    if (victim_receive(&attack_victim, &delivery) != OTA_OK ||
        strcmp(attack_victim.events, "SPA") != 0) {
        return "a good update is refused";
    }
    return strcmp(victim_boot(&attack_victim), "2.0.0") == 0 ? NULL : "a good update does not boot";
}

static const char *try_attack(const struct attack *attack, enum victim_demand demand,
                              enum ota_err *got)
{
    attack_begin(demand);
    attack->make();
    const struct delivery delivery = attack_delivery();
    *got = victim_receive(&attack_victim, &delivery);
    const char *wrong = judge(*got, attack->err[demand]);
    return wrong != NULL || attack->trusted != MAKER ? wrong : update(demand);
}

/* ---- The tests ------------------------------------------------------------------------------- */

static void test_table(void **state)
{
    const struct setting *setting = *state;
    unsigned failed = 0;

    for (size_t i = 0; i < attack_count; i++) {
        const struct attack *attack = &attacks[i];
        enum ota_err got;
        if (attack->err[setting->demand] == OTA_OK) {
            continue;
        }
        open_victim(setting, attack->trusted);
        const char *wrong = try_attack(attack, setting->demand, &got);
        if (wrong != NULL) {
            print_error("%s: %s (%s)\n", attack->name, wrong, ota_err_name(got));
            failed++;
        }
        ota_intake_abort(&attack_victim.intake);
        victim_close(&attack_victim);
    }
    assert_int_equal(failed, 0);
}

/* A transfer that was broken off, and that someone else goes on with. */
static void test_taken_over(void **state)
{
    static const enum ota_err errors[] = {OTA_ERR_IMAGE_CHECKSUM, OTA_ERR_SIGNATURE,
                                          OTA_ERR_IMAGE_CHECKSUM};
    const struct setting *setting = *state;
    struct ota_intake *intake = &attack_victim.intake;
    struct ota_arrival arrival = {.way = "test", .etag = "\"2.0.0\""};
    uint32_t offset;

    open_victim(setting, MAKER);
    attack_begin(setting->demand);
    attack_make_good();
    arrival.size = attack_file.len;
    assert_int_equal(ota_intake_begin(intake, &arrival), OTA_OK);
    assert_int_equal(ota_intake_write(intake, attack_file.bytes, VICTIM_IMAGE_SIZE - 1000), OTA_OK);
    ota_intake_suspend(intake);

    attack_replace_image(&(struct image_facts){.seed = 77});
    memset(attack_victim.events, 0, sizeof attack_victim.events);
    assert_int_equal(ota_intake_resume(intake, &arrival, &offset), OTA_OK);
    assert_true(offset > 0);
    enum ota_err err =
        ota_intake_write(intake, attack_file.bytes + offset, attack_file.len - offset);
    err = err == OTA_OK ? ota_intake_end(intake) : err;
    assert_null(judge(err, errors[setting->demand]));
    assert_null(update(setting->demand));
    victim_close(&attack_victim);
}

static int set_up(void **state)
{
    (void)state;
    attack_make_keys();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    attack_free_keys();
    return 0;
}

int main(void)
{
    static struct setting settings[] = {
        {VICTIM_HAS_SLOTS, VICTIM_TAKES_ANY},  {VICTIM_COPIES, VICTIM_TAKES_ANY},
        {VICTIM_SWAPS, VICTIM_TAKES_ANY},      {VICTIM_HAS_SLOTS, VICTIM_WANTS_TRAILER},
        {VICTIM_COPIES, VICTIM_WANTS_TRAILER}, {VICTIM_SWAPS, VICTIM_WANTS_TRAILER},
        {VICTIM_HAS_SLOTS, VICTIM_WANTS_SEAL}, {VICTIM_COPIES, VICTIM_WANTS_SEAL},
        {VICTIM_SWAPS, VICTIM_WANTS_SEAL},
    };
#define BOTH(name, at)                                                  \
    {name ", table", test_table, NULL, NULL, &settings[at]},            \
    {                                                                   \
        name ", taken over", test_taken_over, NULL, NULL, &settings[at] \
    }
    const struct CMUnitTest tests[] = {
        BOTH("slots", 0),          BOTH("copy", 1),          BOTH("swap", 2),
        BOTH("slots, trailer", 3), BOTH("copy, trailer", 4), BOTH("swap, trailer", 5),
        BOTH("slots, seal", 6),    BOTH("copy, seal", 7),    BOTH("swap, seal", 8),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
