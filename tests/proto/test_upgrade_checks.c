/* SPDX-License-Identifier: Apache-2.0 */
/* The defaults of an upgrade list: what is taken and what is not, and that a reason is never
   lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <updraft/slot.h>

#include "proto/upgrade_bench.h"
#include "support/images.h"
#include "support/tones.h"

static struct ota_upgrade_item *add_app(struct bench *bench)
{
    struct ota_upgrade_item *item = bench_add_app(bench, "mem:app");

    bench_add_source(bench, "app", bench->image, bench->image_len);
    item->restart = true;
    return item;
}

static struct ota_upgrade_item *add_tone(struct bench *bench)
{
    struct ota_upgrade_item *item = bench_add_data(bench, "mem:tone");

    bench_add_source(bench, "tone", bench->tone, bench->tone_len);
    item->restart = true;
    return item;
}

/* The one item comes to this, and unless it was upgraded nothing on the flash has changed and
   nothing restarts. */
static void assert_comes_to(struct bench *bench, enum ota_upgrade_outcome outcome, enum ota_err err,
                            int32_t reason)
{
    bench_remember_flash(bench);
    bench_start_and_run(bench);
    bench_assert_result(bench, 0, outcome, err, reason);
    assert_int_equal(bench->list.wants_restart, outcome == OTA_UPGRADE_DONE);
    if (outcome != OTA_UPGRADE_DONE) {
        bench_assert_flash_unchanged(bench);
    }
}

/* What the comparison of two versions comes to: newer, not to be compared, not newer. */
static void assert_compares(struct bench *bench, enum ota_err err)
{
    switch (err) {
    case OTA_OK:
        assert_comes_to(bench, OTA_UPGRADE_DONE, err, 0);
        break;
    case OTA_ERR_VERSION:
        assert_comes_to(bench, OTA_UPGRADE_FAILED, err, 0x90003);
        break;
    default:
        assert_comes_to(bench, OTA_UPGRADE_NOT_NEEDED, err, 0x90004);
        break;
    }
}

/* ---- Version numbers ------------------------------------------------------------------------- */

static void test_version_numbers(void **state)
{
    static const struct {
        const char *text;
        int32_t number;
    } cases[] = {
        {"v1.2.3", 0x010203},
        {"V1.2.3", 0x010203},
        {"v0.0.0", 0},
        {"v255.255.255", 0xFFFFFF},
        {"v001.002.003", 0x010203},
        {"v0000000001.00000000002.000000003", -1}, /* 33 characters */
        {"v000000001.00000000002.000000003", 0x010203},
        {"v256.0.0", -1},
        {"v1.2.256", -1},
        {"v4294967297.0.0", -1},
        {"1.2.3", -1},
        {"v1.0", -1},
        {"v1.2.3.4", -1},
        {"v1.2.3.", -1},
        {"v1..2.3", -1},
        {".v1.2.3", -1},
        {"v.1.2", -1},
        {"v1.2.-3", -1},
        {"v1.+2.3", -1},
        {"v1.2.3 ", -1},
        {"v 1.2.3", -1},
        {"v1.2.3-rc1", -1},
        {"v2.2-252-g62edbd26", -1},
        {"v", -1},
        {"", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(ota_upgrade_version_number(cases[i].text), cases[i].number);
    }
}

/* What each check makes of a pair. */
static void test_app_versions(void **state)
{
    static const struct {
        const char *running, *incoming;
        enum ota_err different, newer, newer_number;
    } cases[] = {
        {"1.0.0", "1.1.0", OTA_OK, OTA_OK, OTA_ERR_VERSION},
        {"1.1.0", "1.0.0", OTA_OK, OTA_ERR_OLDER_VERSION, OTA_ERR_VERSION},
        {"v1.0.0", "v1.0.0", OTA_ERR_SAME_VERSION, OTA_ERR_SAME_VERSION, OTA_ERR_SAME_VERSION},
        {"v1.0.0", "V1.0.0", OTA_OK, OTA_ERR_SAME_VERSION, OTA_ERR_SAME_VERSION},
        {"v1.0.9", "v1.0.10", OTA_OK, OTA_OK, OTA_OK},
        {"v1.0.10", "v1.0.9", OTA_OK, OTA_ERR_OLDER_VERSION, OTA_ERR_OLDER_VERSION},
        {"nightly", "v1.0.0", OTA_OK, OTA_OK, OTA_OK}, /* what cannot be read counts as older */
        {"v1.0.0", "nightly", OTA_OK, OTA_ERR_VERSION, OTA_ERR_VERSION},
        {"v1.0", "v1.1", OTA_OK, OTA_OK, OTA_ERR_VERSION},
        {"v2.2-252-g62edbd26", "v2.2-253-g00edbd26", OTA_OK, OTA_OK, OTA_ERR_VERSION},
        {"v2.2-252-g62edbd26", "v2.2-252-g00edbd26", OTA_OK, OTA_ERR_VERSION, OTA_ERR_VERSION},
    };
    struct bench *bench = *state;
    struct ota_upgrade_item *item = add_app(bench);
    static uint8_t fresh[RAM_DEVICE_SIZE];

    memcpy(fresh, bench->ram.memory, sizeof fresh);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const enum ota_err expected[] = {cases[i].different, cases[i].different, cases[i].newer,
                                         cases[i].newer_number, OTA_OK};
        for (int check = OTA_UPGRADE_BY_KIND; check <= OTA_UPGRADE_ALWAYS; check++) {
            enum ota_err err = expected[check];
            memcpy(bench->ram.memory, fresh, sizeof fresh);
            item->check = (enum ota_upgrade_check)check;
            (void)strcpy(bench->intake.running.version, cases[i].running);
            bench_make_image(bench, "test", cases[i].incoming);
            assert_compares(bench, err);
        }
    }
}

static void test_app_without_running_descriptor(void **state)
{
    struct bench *bench = *state;
    struct ota_upgrade_item *item = add_app(bench);

    bench->intake.has_running = false;
    bench_make_image(bench, "another", "1.0.0");
    assert_comes_to(bench, OTA_UPGRADE_DONE, OTA_OK, 0);
    item->check = OTA_UPGRADE_NEWER_NUMBER;
    assert_comes_to(bench, OTA_UPGRADE_FAILED, OTA_ERR_VERSION, 0x90003);
}

static void test_app_project(void **state)
{
    struct bench *bench = *state;
    struct ota_upgrade_item *item = add_app(bench);

    bench_make_image(bench, "tes", "1.1.0");
    assert_comes_to(bench, OTA_UPGRADE_FAILED, OTA_ERR_PROJECT, 0x90006);
    item->any_project = true;
    assert_comes_to(bench, OTA_UPGRADE_DONE, OTA_OK, 0);
}

/* The very image that runs, by the hash of its program, is never needed: not even with ALWAYS, so
   that a list that runs at each boot comes to rest. */
static void test_app_that_runs_already(void **state)
{
    struct bench *bench = *state;
    struct ota_upgrade_item *item = add_app(bench);

    item->check = OTA_UPGRADE_ALWAYS;
    bench->image[32 + 144] = bench->image[32 + 145] = 0x5A; /* the checksum stays */
    memset(bench->intake.running.elf_sha256, 0, 32);
    bench->intake.running.elf_sha256[0] = bench->intake.running.elf_sha256[1] = 0x5A;
    assert_comes_to(bench, OTA_UPGRADE_NOT_NEEDED, OTA_ERR_SAME_VERSION, 0x90004);
}

static void test_app_that_was_rejected(void **state)
{
    struct bench *bench = *state;

    (void)add_app(bench);
    bench->ram.device.rollback = true;
    bench_start_and_run(bench);
    bench_assert_result(bench, 0, OTA_UPGRADE_DONE, OTA_OK, 0);
    bench->ram.device.running_slot = 0; /* it boots, and finds itself bad */
    assert_int_equal(ota_slot_reject(&bench->ram.device), OTA_OK);
    bench->ram.device.running_slot = OTA_SLOT_FACTORY;
    for (int boot = 0; boot < 5; boot++) {
        assert_comes_to(bench, OTA_UPGRADE_FAILED, OTA_ERR_REFUSED, -1);
        bench_assert_logged(bench, "did not prove itself here before");
    }
    bench_make_image(bench, "test", "1.1.1");
    assert_comes_to(bench, OTA_UPGRADE_DONE, OTA_OK, 0);
}

/* ---- Apps that are none ---------------------------------------------------------------------- */

static void test_app_not_an_image(void **state)
{
    struct bench *bench = *state;

    (void)add_app(bench);
    bench->image[0] = 0x7F;
    assert_comes_to(bench, OTA_UPGRADE_FAILED, OTA_ERR_IMAGE_MAGIC, 0x90005);
}

static void test_app_without_descriptor(void **state)
{
    struct bench *bench = *state;

    (void)add_app(bench);
    bench->image[32] ^= 1;
    assert_comes_to(bench, OTA_UPGRADE_FAILED, OTA_ERR_IMAGE_DESCRIPTOR, 0x9000D);
}

/* The original reports success for a file that is too short to hold a header. */
static void test_app_too_short(void **state)
{
    struct bench *bench = *state;

    (void)add_app(bench);
    for (size_t len = 0; len < 32 + OTA_DESCRIPTOR_KEPT; len++) {
        bench->sources[0].len = len;
        assert_comes_to(bench, OTA_UPGRADE_FAILED,
                        len == 0 ? OTA_ERR_NO_DATA : OTA_ERR_IMAGE_TRUNCATED,
                        len == 0 ? 0x9000B : 0x9000D);
    }
}

/* ---- Reasons that the original loses --------------------------------------------------------- */

/* A refused upgrade, followed by a clean close, is success in the original, and a restart. */
static void test_refused_is_not_success(void **state)
{
    struct bench *bench = *state;
    struct ota_upgrade_item *item = add_app(bench);

    item->check = OTA_UPGRADE_NEWER_NUMBER;
    assert_comes_to(bench, OTA_UPGRADE_FAILED, OTA_ERR_VERSION, 0x90003);
    bench_make_image(bench, "test", "v0.9.0");
    (void)strcpy(bench->intake.running.version, "v1.0.0");
    assert_comes_to(bench, OTA_UPGRADE_NOT_NEEDED, OTA_ERR_OLDER_VERSION, 0x90004);
}

/* The running image is on trial, so the update cannot begin: success and restart in the
   original. */
static void test_unconfirmed_is_not_success(void **state)
{
    struct bench *bench = *state;

    (void)add_app(bench);
    bench->ram.device.rollback = true;
    bench_start_and_run(bench);
    bench->ram.device.running_slot = 0;
    bench_make_image(bench, "test", "1.2.0");
    assert_comes_to(bench, OTA_UPGRADE_FAILED, OTA_ERR_UNCONFIRMED, -1);
}

/* A failed prepare keeps its reason, though there is nothing to finish. */
static void test_failed_prepare_keeps_its_reason(void **state)
{
    struct bench *bench = *state;
    struct ota_upgrade_item *item = add_tone(bench);

    item->label = "nowhere";
    assert_comes_to(bench, OTA_UPGRADE_FAILED, OTA_ERR_NO_PARTITION, 0x90008);
    item->label = "ota_0"; /* not data */
    assert_comes_to(bench, OTA_UPGRADE_FAILED, OTA_ERR_NO_PARTITION, 0x90008);
    item->label = "otadata";
    assert_comes_to(bench, OTA_UPGRADE_FAILED, OTA_ERR_ARGUMENT, 0x90001);
    item->label = "storage";
    item->uri = "/sdcard/tone.bin";
    assert_comes_to(bench, OTA_UPGRADE_FAILED, OTA_ERR_URL, 0x90002);
    item->uri = "mem:none";
    assert_comes_to(bench, OTA_UPGRADE_FAILED, OTA_ERR_SOURCE, 0x9000B);
    item->uri = "mem:tone";
    bench->sources[0].open_error = OTA_ERR_TLS_UNTRUSTED;
    assert_comes_to(bench, OTA_UPGRADE_FAILED, OTA_ERR_TLS_UNTRUSTED, 0x9000B);
}

static bool forbid_otadata; /* the flash's write fails there */
static enum ota_err (*real_write)(struct ota_flash *flash, uint32_t offset, const void *data,
                                  uint32_t len);

static enum ota_err write_or_not(struct ota_flash *flash, uint32_t offset, const void *data,
                                 uint32_t len)
{
    if (forbid_otadata && offset >= RAM_OTADATA && offset < RAM_OTADATA + 0x2000) {
        return OTA_ERR_FLASH_WRITE;
    }
    return real_write(flash, offset, data, len);
}

/* What boots could not be changed: in the original this only reaches the log. */
static void test_failed_activation_is_not_success(void **state)
{
    struct bench *bench = *state;
    int slot;

    (void)add_app(bench);
    real_write = bench->ram.flash.write;
    bench->ram.flash.write = write_or_not;
    forbid_otadata = true;
    bench_start_and_run(bench);
    forbid_otadata = false;
    bench_assert_result(bench, 0, OTA_UPGRADE_FAILED, OTA_ERR_FLASH_WRITE, 0x90009);
    assert_false(bench->list.wants_restart);
    assert_true(ota_intake_is_free(&bench->intake));
    assert_int_equal(ota_slot_boot(&bench->ram.device, &slot), OTA_OK);
    assert_int_equal(slot, OTA_SLOT_FACTORY);
}

/* An error while reading is what is reported, not that of closing after it. */
static void test_read_error_is_reported(void **state)
{
    static const enum ota_err errors[] = {OTA_ERR_CONNECTION_LOST, OTA_ERR_INCOMPLETE,
                                          OTA_ERR_HTTP_SYNTAX, OTA_ERR_TLS, OTA_ERR_SOURCE};
    struct bench *bench = *state;

    (void)add_app(bench);
    bench->sources[0].stated_size = (uint32_t)bench->image_len;
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        bench->sources[0].error = errors[i];
        for (size_t len = 1; len < bench->image_len; len += 997) {
            bench->sources[0].len = len;
            bench_start_and_run(bench);
            bench_assert_result(bench, 0, OTA_UPGRADE_FAILED, errors[i], 0x9000C);
            assert_int_equal(bench->list.results[0].offset, len);
            assert_false(bench->list.wants_restart);
        }
    }
}

/* ---- Truncated is never success -------------------------------------------------------------- */

static void test_truncated_app(void **state)
{
    struct bench *bench = *state;

    (void)add_app(bench);
    bench->sources[0].hides_size = true; /* only the image itself says where it ends */
    for (size_t len = 32 + OTA_DESCRIPTOR_KEPT; len < bench->image_len; len += 113) {
        bench->sources[0].len = len;
        bench_start_and_run(bench);
        bench_assert_result(bench, 0, OTA_UPGRADE_FAILED, OTA_ERR_IMAGE_TRUNCATED, 0x9000C);
        assert_false(bench->list.wants_restart);
    }
}

static void test_truncated_tone(void **state)
{
    struct bench *bench = *state;

    (void)add_tone(bench);
    bench->sources[0].hides_size = true;
    for (size_t len = OTA_TONE_HEAD_SIZE; len < bench->tone_len; len += 31) {
        bench->sources[0].len = len;
        bench_start_and_run(bench);
        bench_assert_result(bench, 0, OTA_UPGRADE_FAILED, OTA_ERR_IMAGE_TRUNCATED, 0x9000C);
        assert_false(bench->list.wants_restart);
    }
    bench->sources[0].len = bench->tone_len;
    bench_start_and_run(bench); /* it cannot be mistaken for what it was cut from */
    bench_assert_result(bench, 0, OTA_UPGRADE_DONE, OTA_OK, 0);
}

/* A source that ends before the length it announced. */
static void test_truncated_data(void **state)
{
    static const uint8_t data[3000] = {9};
    struct bench *bench = *state;

    bench_add_source(bench, "data", data, sizeof data)->stated_size = 3001;
    bench_add_data(bench, "mem:data")->restart = true;
    bench_start_and_run(bench);
    bench_assert_result(bench, 0, OTA_UPGRADE_FAILED, OTA_ERR_INCOMPLETE, 0x9000C);
    assert_false(bench->list.wants_restart);
}

/* Data whose end nothing tells is not taken at all. */
static void test_data_of_unknown_length(void **state)
{
    static const uint8_t data[3000] = {9};
    struct bench *bench = *state;
    struct ota_upgrade_item *item = bench_add_data(bench, "mem:data");

    bench_add_source(bench, "data", data, sizeof data)->hides_size = true;
    item->restart = true;
    assert_comes_to(bench, OTA_UPGRADE_FAILED, OTA_ERR_HTTP_NO_LENGTH, 0x9000B);
    item->size = 2999;
    bench_start_and_run(bench);
    bench_assert_result(bench, 0, OTA_UPGRADE_FAILED, OTA_ERR_TOO_LARGE, 0x90009);
    item->size = 3001;
    bench_start_and_run(bench);
    bench_assert_result(bench, 0, OTA_UPGRADE_FAILED, OTA_ERR_INCOMPLETE, 0x9000C);
    item->size = 3000;
    assert_comes_to(bench, OTA_UPGRADE_DONE, OTA_OK, 0);
}

/* A length that the list states and the source contradicts ends it before anything is written. */
static void test_lengths_that_differ(void **state)
{
    static const uint8_t data[3000] = {9};
    struct bench *bench = *state;
    struct ota_upgrade_item *item = bench_add_data(bench, "mem:data");

    bench_add_source(bench, "data", data, sizeof data);
    item->size = 3001;
    assert_comes_to(bench, OTA_UPGRADE_FAILED, OTA_ERR_INCOMPLETE, 0x9000C);
    item->size = 2999;
    assert_comes_to(bench, OTA_UPGRADE_FAILED, OTA_ERR_TOO_LARGE, 0x90009);
}

static void test_empty_source(void **state)
{
    struct bench *bench = *state;

    bench_add_source(bench, "data", "", 0)->hides_size = true;
    bench_add_data(bench, "mem:data");
    assert_comes_to(bench, OTA_UPGRADE_FAILED, OTA_ERR_NO_DATA, 0x9000B);
}

static void test_expected_digest(void **state)
{
    static const uint8_t data[] = "abc";
    static const uint8_t md5[] = {0x90, 0x01, 0x50, 0x98, 0x3C, 0xD2, 0x4F, 0xB0,
                                  0xD6, 0x96, 0x3F, 0x7D, 0x28, 0xE1, 0x7F, 0x72};
    struct bench *bench = *state;
    struct ota_upgrade_item *item = bench_add_data(bench, "mem:data");

    bench_add_source(bench, "data", data, 3)->hides_size = true;
    item->expected.algorithm = OTA_HASH_MD5;
    memcpy(item->expected.bytes, md5, sizeof md5);
    item->restart = true;
    assert_comes_to(bench, OTA_UPGRADE_DONE, OTA_OK, 0);
    item->expected.bytes[0] ^= 1;
    bench_start_and_run(bench);
    bench_assert_result(bench, 0, OTA_UPGRADE_FAILED, OTA_ERR_DIGEST, -1);
}

/* ---- Tone images ----------------------------------------------------------------------------- */

static void test_tone_versions(void **state)
{
    static const struct {
        const char *present, *incoming;
        enum ota_upgrade_check check;
        enum ota_err err;
    } cases[] = {
        {"v1.0.0", "v1.0.1", OTA_UPGRADE_BY_KIND, OTA_OK},
        {"v1.0.1", "v1.0.1", OTA_UPGRADE_BY_KIND, OTA_ERR_SAME_VERSION},
        {"v1.0.2", "v1.0.1", OTA_UPGRADE_BY_KIND, OTA_ERR_OLDER_VERSION},
        {"v1.0.2", "v1.0.1", OTA_UPGRADE_DIFFERENT, OTA_OK},
        {"v1.0", "v1.1", OTA_UPGRADE_BY_KIND, OTA_OK}, /* v1.0 is the packing tool's default */
        {"v1.0", "v1.1", OTA_UPGRADE_NEWER_NUMBER, OTA_ERR_VERSION},
        {"v1.0", "v1.0.0", OTA_UPGRADE_NEWER_NUMBER, OTA_OK},
        {"v1.0.0", "latest", OTA_UPGRADE_BY_KIND, OTA_ERR_VERSION},
        {"v1.0.1", "v1.0.0", OTA_UPGRADE_ALWAYS, OTA_OK},
    };
    struct bench *bench = *state;
    struct ota_upgrade_item *item = add_tone(bench);

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum ota_err err = cases[i].err;
        item->check = cases[i].check;
        bench_make_tone(bench, 1, cases[i].present, TONE_PROJECT);
        bench_install_tone(bench);
        bench_make_tone(bench, 1, cases[i].incoming, TONE_PROJECT);
        assert_compares(bench, err);
    }
}

static void test_tone_over_what_is_none(void **state)
{
    struct bench *bench = *state;

    (void)add_tone(bench);
    memset(bench->ram.memory + RAM_STORAGE, 0x55, RAM_STORAGE_SIZE);
    assert_comes_to(bench, OTA_UPGRADE_DONE, OTA_OK, 0);
    bench_assert_storage(bench, bench->tone, bench->tone_len);
    bench->ram.memory[RAM_STORAGE + 300] ^=
        1; /* damaged: to be had again, though its version is there */
    assert_comes_to(bench, OTA_UPGRADE_DONE, OTA_OK, 0);
    bench_assert_storage(bench, bench->tone, bench->tone_len);
}

static void test_tone_formats(void **state)
{
    struct bench *bench = *state;

    (void)add_tone(bench);
    bench_install_tone(bench);
    bench_make_tone(bench, 0, "", "");
    bench->sources[0].len = bench->tone_len;
    assert_comes_to(bench, OTA_UPGRADE_DONE, OTA_OK, 0); /* format 0 says no version: always */
    bench_start_and_run(bench);                          /* but not the same bytes twice */
    bench_assert_result(bench, 0, OTA_UPGRADE_NOT_NEEDED, OTA_ERR_SAME_VERSION, 0x90004);
    bench_make_tone(bench, 1, "v0.0.1", TONE_PROJECT);
    bench->sources[0].len = bench->tone_len;
    assert_comes_to(bench, OTA_UPGRADE_DONE, OTA_OK, 0);
    bench->tone[4] = 2;
    assert_comes_to(bench, OTA_UPGRADE_FAILED, OTA_ERR_IMAGE_DESCRIPTOR, 0x9000D);
}

static void test_tone_marks(void **state)
{
    struct bench *bench = *state;
    struct ota_upgrade_item *item = add_tone(bench);

    bench->tone[8] ^= 1;
    assert_comes_to(bench, OTA_UPGRADE_FAILED, OTA_ERR_IMAGE_MAGIC, 0x90005);
    /* A part of the right name, or none at all, is another project: the original takes both. */
    bench_make_tone(bench, 1, "v1.0.1", "ESP_TONE");
    assert_comes_to(bench, OTA_UPGRADE_FAILED, OTA_ERR_PROJECT, 0x90006);
    bench_make_tone(bench, 1, "v1.0.1", "");
    assert_comes_to(bench, OTA_UPGRADE_FAILED, OTA_ERR_PROJECT, 0x90006);
    bench_make_tone(bench, 1, "v1.0.1", TONE_PROJECT);
    bench->tone[0] ^= 1;
    item->tone_only = true;
    assert_comes_to(bench, OTA_UPGRADE_FAILED, OTA_ERR_IMAGE_MAGIC, 0x90005);
}

static void test_tone_head_cut_short(void **state)
{
    struct bench *bench = *state;

    (void)add_tone(bench);
    for (size_t len = 2; len < OTA_TONE_HEAD_SIZE; len++) {
        bench->sources[0].len = len;
        assert_comes_to(bench, OTA_UPGRADE_FAILED, OTA_ERR_IMAGE_TRUNCATED, 0x9000D);
    }
}

/* What is wrong farther on is found while it is written, and never called success. */
static void test_tone_damaged_on_the_way(void **state)
{
    struct bench *bench = *state;

    (void)add_tone(bench);
    for (size_t at = OTA_TONE_HEAD_SIZE; at < bench->tone_len; at += 53) {
        bench->tone[at] ^= 0x10;
        bench_start_and_run(bench);
        assert_int_equal(bench->list.results[0].outcome, OTA_UPGRADE_FAILED);
        assert_false(bench->list.wants_restart);
        assert_true(ota_intake_is_free(&bench->intake));
        bench->tone[at] ^= 0x10;
    }
}

/* Tones are not replaced by something else by mistake. */
static void test_other_data_over_tones(void **state)
{
    static const uint8_t data[100] = {1};
    struct bench *bench = *state;
    struct ota_upgrade_item *item = bench_add_data(bench, "mem:data");

    bench_add_source(bench, "data", data, sizeof data);
    item->restart = true;
    bench_install_tone(bench);
    assert_comes_to(bench, OTA_UPGRADE_FAILED, OTA_ERR_IMAGE_MAGIC, 0x90005);
    item->check = OTA_UPGRADE_ALWAYS;
    assert_comes_to(bench, OTA_UPGRADE_DONE, OTA_OK, 0);
}

/* The partition is too small for what comes: said before anything is erased. */
static void test_data_too_large(void **state)
{
    static const uint8_t data[RAM_STORAGE_SIZE + 1] = {1};
    struct bench *bench = *state;

    bench_add_source(bench, "data", data, sizeof data);
    bench_add_data(bench, "mem:data");
    assert_comes_to(bench, OTA_UPGRADE_FAILED, OTA_ERR_TOO_LARGE, 0x90009);
    bench->sources[0].len--;
    bench_start_and_run(bench);
    bench_assert_result(bench, 0, OTA_UPGRADE_DONE, OTA_OK, 0);
    bench_assert_storage(bench, data, RAM_STORAGE_SIZE);
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup(test, bench_set_up)
    const struct CMUnitTest tests[] = {
        FRESH(test_version_numbers),
        FRESH(test_app_versions),
        FRESH(test_app_without_running_descriptor),
        FRESH(test_app_project),
        FRESH(test_app_that_runs_already),
        FRESH(test_app_that_was_rejected),
        FRESH(test_app_not_an_image),
        FRESH(test_app_without_descriptor),
        FRESH(test_app_too_short),
        FRESH(test_refused_is_not_success),
        FRESH(test_unconfirmed_is_not_success),
        FRESH(test_failed_prepare_keeps_its_reason),
        FRESH(test_failed_activation_is_not_success),
        FRESH(test_read_error_is_reported),
        FRESH(test_truncated_app),
        FRESH(test_truncated_tone),
        FRESH(test_truncated_data),
        FRESH(test_data_of_unknown_length),
        FRESH(test_lengths_that_differ),
        FRESH(test_empty_source),
        FRESH(test_expected_digest),
        FRESH(test_tone_versions),
        FRESH(test_tone_over_what_is_none),
        FRESH(test_tone_formats),
        FRESH(test_tone_marks),
        FRESH(test_tone_head_cut_short),
        FRESH(test_tone_damaged_on_the_way),
        FRESH(test_other_data_over_tones),
        FRESH(test_data_too_large),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
