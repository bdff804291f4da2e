/* SPDX-License-Identifier: Apache-2.0 */
/* Upgrade lists whose sources are compressed: judged by the rules of all others, and nothing is
   changed before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "proto/upgrade_bench.h"
#include "support/gzip_file.h"

static uint8_t file[2 * BENCH_IMAGE_SIZE];

static int set_up(void **state)
{
    (void)bench_set_up(state);
    bench_take_gzip(*state);
    return 0;
}

/* Packs what the item's source gives now. */
static void pack(struct bench *bench, const void *data, size_t len)
{
    size_t packed = gzip_file_make(file, sizeof file, data, len);

    assert_true(packed > 0);
    if (bench->source_count == 0) {
        bench_add_source(bench, "file", file, packed);
    }
    bench->sources[0].len = packed;
}

static struct ota_upgrade_item *add_app(struct bench *bench)
{
    struct ota_upgrade_item *item = bench_add_app(bench, "mem:file");

    item->restart = true;
    return item;
}

static void comes_to(struct bench *bench, enum ota_upgrade_outcome outcome, enum ota_err err,
                     int32_t reason)
{
    bench_remember_flash(bench);
    bench_start_and_run(bench);
    bench_assert_result(bench, 0, outcome, err, reason);
    assert_true(ota_intake_is_free(&bench->intake));
    if (outcome != OTA_UPGRADE_DONE) {
        bench_assert_flash_unchanged(bench);
    }
}

static void test_app(void **state)
{
    struct bench *bench = *state;

    (void)add_app(bench);
    for (size_t piece = 0; piece < 2; piece++) {
        bench_make_image(bench, "test", piece == 0 ? "1.1.0" : "1.2.0");
        pack(bench, bench->image, bench->image_len);
        bench->sources[0].piece = piece;
        comes_to(bench, OTA_UPGRADE_DONE, OTA_OK, 0);
        assert_true(bench->list.wants_restart);
        assert_memory_equal(bench->ram.memory + bench->intake.update.partition.offset, bench->image,
                            bench->image_len);
    }
}

/* The rules are asked once, when the image has said what it is. */
static void test_app_is_judged(void **state)
{
    struct bench *bench = *state;
    struct ota_upgrade_item *item = add_app(bench);

    bench_make_image(bench, "test", "1.0.0");
    pack(bench, bench->image, bench->image_len);
    comes_to(bench, OTA_UPGRADE_NOT_NEEDED, OTA_ERR_SAME_VERSION, 0x90004);
    item->check = OTA_UPGRADE_NEWER;
    bench_make_image(bench, "test", "0.9.0");
    pack(bench, bench->image, bench->image_len);
    comes_to(bench, OTA_UPGRADE_NOT_NEEDED, OTA_ERR_OLDER_VERSION, 0x90004);
    bench_make_image(bench, "other", "1.1.0");
    pack(bench, bench->image, bench->image_len);
    comes_to(bench, OTA_UPGRADE_FAILED, OTA_ERR_PROJECT, 0x90006);
    bench->image[32] ^= 1; /* no descriptor */
    pack(bench, bench->image, bench->image_len);
    comes_to(bench, OTA_UPGRADE_FAILED, OTA_ERR_IMAGE_DESCRIPTOR, 0x9000D);
    item->any_project = true;
    bench->image[32] ^= 1;
    pack(bench, bench->image, bench->image_len);
    comes_to(bench, OTA_UPGRADE_DONE, OTA_OK, 0);
}

static void test_app_that_cannot_be_unpacked(void **state)
{
    struct bench *bench = *state;

    (void)add_app(bench);
    pack(bench, bench->image, bench->image_len);
    file[2] = 7;
    comes_to(bench, OTA_UPGRADE_FAILED, OTA_ERR_COMPRESSION, 0x90005);
    file[2] = 8;
    bench->intake.options.unwrap = NULL;
    comes_to(bench, OTA_UPGRADE_FAILED, OTA_ERR_COMPRESSED, 0x90005);
    assert_string_equal(bench->trace, "0:prepare 0:need 0:finish 0=failed end");
}

static void test_data(void **state)
{
    static uint8_t data[3000];
    struct bench *bench = *state;
    struct ota_upgrade_item *item = bench_add_data(bench, "mem:file");

    memset(data, 5, sizeof data);
    pack(bench, data, sizeof data);
    comes_to(bench, OTA_UPGRADE_DONE, OTA_OK, 0);
    bench_assert_storage(bench, data, sizeof data);

    /* Tones cannot be looked into, and are not replaced by mistake. */
    bench_install_tone(bench);
    bench_make_tone(bench, 1, "v1.0.2", "ESP_TONE_BIN");
    pack(bench, bench->tone, bench->tone_len);
    comes_to(bench, OTA_UPGRADE_FAILED, OTA_ERR_IMAGE_MAGIC, 0x90005);
    item->check = OTA_UPGRADE_ALWAYS;
    comes_to(bench, OTA_UPGRADE_DONE, OTA_OK, 0);
    bench_assert_storage(bench, bench->tone, bench->tone_len);
    item->tone_only = true;
    comes_to(bench, OTA_UPGRADE_FAILED, OTA_ERR_IMAGE_MAGIC, 0x90005);
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup(test, set_up)
    const struct CMUnitTest tests[] = {
        FRESH(test_app),
        FRESH(test_app_is_judged),
        FRESH(test_app_that_cannot_be_unpacked),
        FRESH(test_data),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
