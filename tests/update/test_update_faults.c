/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every call of the flash and of the crypto backend during an update, failed once each: the first
 * cause is reported, and whatever it was, the running slot, the boot choice and the caller's object
 * are sound.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <bearssl.h>
#include <cmocka.h>

#include "fixture.h"

#define LEN 70000u

static struct fixture fixture;
static struct ota_update update;
static uint8_t buffer[SECTOR];
static uint8_t image[IMAGE_MAX];
static uint32_t len;

struct fault_case {
    enum fault_kind kind;
    struct ota_update_options options;
    unsigned errors;
};

static void count_errors(void *context, const struct ota_update *u, enum ota_update_event event,
                         uint32_t done, uint32_t total)
{
    struct fault_case *c = context;

    (void)u, (void)done, (void)total;
    c->errors += event == OTA_EVENT_ERROR;
}

static enum ota_err run(const struct ota_update_options *options)
{
    enum ota_err err = ota_update_begin(&update, options);

    for (uint32_t done = 0; err == OTA_OK && done < len; done += 5000) {
        err = ota_update_write(&update, image + done, len - done < 5000 ? len - done : 5000);
    }
    return err == OTA_OK ? ota_update_end(&update) : err;
}

/* Fault or not, no sector of the table, of the running slot or of what lies between is touched. */
static void check_soundness(enum ota_err err)
{
    assert_true(fixture_running_is_whole(&fixture));
    assert_true(fixture_is_named(&fixture, 0));
    if (err != OTA_OK) {
        assert_false(fixture_is_named(&fixture, 1));
    }
    assert_int_equal(faulty_crypto_running(), 0);
}

static void scenario(void *context)
{
    struct fault_case *c = context;
    enum ota_err err;
    bool struck;

    c->errors = 0;
    ram_flash_fill(fixture.chip, OTA_1, SLOT_SIZE, 77);
    fixture_set_entry(&fixture, 1, 2, OTA_STATE_NEW); /* begin withdraws this */
    err = run(&c->options);
    struck = faults_struck();
    if (!struck) {
        assert_int_equal(err, OTA_OK);
        assert_memory_equal(fixture.chip->memory + OTA_1, image, len);
        ota_update_abort(&update);
        return;
    }
    if (err == OTA_OK) { /* what it struck did not matter: the content is right all the same */
        assert_memory_equal(fixture.chip->memory + OTA_1, image, len);
        assert_int_equal(update.state, OTA_UPDATE_PROVEN);
    } else {
        assert_int_equal(err, faults_error(c->kind));
        assert_int_equal(update.state, OTA_UPDATE_FAILED);
        assert_int_equal(update.failure.err, err);
        assert_true(update.failure.offset <= SLOT_SIZE);
        assert_int_equal(c->errors, 1);
        assert_int_equal(ota_update_activate(&update), OTA_ERR_STATE);
    }
    if (update.partition.size == 0 || fixture_entry(&fixture, 1).sequence == 2) {
        fixture_set_entry(&fixture, 1, 0xFFFFFFFF,
                          0); /* it failed before the choice was withdrawn */
        assert_int_not_equal(err, OTA_OK);
    }
    check_soundness(err);
    ota_update_abort(&update);

    /* The next one succeeds. */
    assert_int_equal(run(&c->options), OTA_OK);
    assert_memory_equal(fixture.chip->memory + OTA_1, image, len);
    assert_int_equal(ota_update_activate(&update), OTA_OK);
}

static void run_case(enum fault_kind kind, uint32_t size, uint32_t buffer_size, bool md5,
                     unsigned least)
{
    struct fault_case c = {.kind = kind};
    br_md5_context context;

    c.options = (struct ota_update_options){.device = &fixture.device,
                                            .size = size,
                                            .buffer = buffer,
                                            .buffer_size = buffer_size,
                                            .on_event = count_errors,
                                            .context = &c};
    if (md5) {
        br_md5_init(&context);
        br_md5_update(&context, image, len);
        br_md5_out(&context, c.options.expected.bytes);
        c.options.expected.algorithm = OTA_HASH_MD5;
    }
    assert_true(faults_everywhere(kind, scenario, &c) >= least);
}

static int set_up(void **state)
{
    const struct image_facts facts = {.size = LEN, .seed = 5};

    (void)state;
    fixture_open(&fixture);
    memset(&update, 0, sizeof update);
    len = (uint32_t)image_make(image, sizeof image, &facts);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_close(&fixture);
    return 0;
}

static void test_reads(void **state)
{
    (void)state;
    run_case(FAULT_READ, len, SECTOR, true, 100);
    run_case(FAULT_READ, OTA_SIZE_UNKNOWN, 256, false, 100);
}

static void test_writes(void **state)
{
    (void)state;
    run_case(FAULT_WRITE, len, SECTOR, true, 270);
    run_case(FAULT_WRITE, OTA_SIZE_UNKNOWN, 256, false, 270);
}

static void test_erases(void **state)
{
    (void)state;
    run_case(FAULT_ERASE, len, SECTOR, true, 4);
    run_case(FAULT_ERASE, OTA_SIZE_UNKNOWN, 256, false, 18);
}

static void test_verifies(void **state)
{
    (void)state;
    run_case(FAULT_VERIFY, len, SECTOR, true, 270);
    run_case(FAULT_VERIFY, OTA_SIZE_UNKNOWN, 256, false, 270);
}

static void test_crypto(void **state)
{
    (void)state;
    run_case(FAULT_CRYPTO, len, SECTOR, true, 20);
    run_case(FAULT_CRYPTO, OTA_SIZE_UNKNOWN, 256, false, 10);
}

int main(void)
{
#define WITH_DEVICE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_DEVICE(test_reads),    WITH_DEVICE(test_writes), WITH_DEVICE(test_erases),
        WITH_DEVICE(test_verifies), WITH_DEVICE(test_crypto),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
