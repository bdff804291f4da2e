/* SPDX-License-Identifier: Apache-2.0 */
/* `updraft flash make|show|extract` (docs/formats/flash-layout.md). */

#include "cli/digest.h"
#include "cli/run_command.h"
#include "support/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <updraft/crypto.h>

static void expect_sha256(const char *path, const char *expected)
{
    size_t size;
    uint8_t *data = run_read_file(path, &size);
    uint8_t digest[OTA_SHA256_SIZE];
    char text[2 * OTA_SHA256_SIZE + 1];
    assert_true(digest_of(&ota_crypto_psa, OTA_HASH_SHA256, data, size, digest));
    for (size_t i = 0; i < sizeof digest; i++) {
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    }
    assert_string_equal(text, expected);
    free(data);
}

/* Copies the recorded bootloader and app into the test's folder. */
static void take_images(void)
{
    static const struct {
        const char *from, *to;
    } files[] = {{"esp/images/bootloader_esp32_v5_2.bin", "bootloader.bin"},
                 {"esp/delta/hw_base.bin", "hello.bin"}};
    for (size_t i = 0; i < 2; i++) {
        size_t size;
        uint8_t *data = run_read_file(run_vector(files[i].from), &size);
        run_write_file(files[i].to, data, size);
        free(data);
    }
}

static void recorded_merges(void **state)
{
    (void)state;
    take_images();
    run_expect(
        0, "flash make --chip esp32 -p two_ota -b bootloader.bin -a factory=hello.bin -o a.bin");
    expect_sha256("a.bin", "183efa866b3ce8f0d26d4ff21f6a13a185ba3b39abfeaa1e1c60250b65888d22");
    run_expect(0,
               "flash make --chip esp32 -p two_ota -b bootloader.bin -a factory=hello.bin -o b.bin "
               "--start 0x1000 --header-mode dio --header-freq 80m --header-size 4MB");
    expect_sha256("b.bin", "061c94e27aca19ffb872c12042c5ad3a93aca00208143069169e0eab3bee0a03");
    run_expect(
        0, "flash make --chip esp32 -p two_ota -b bootloader.bin --flash-size 4MB --pad -o c.bin");
    expect_sha256("c.bin", "fc5d11ff21a32357b44cc1b0c1ec1e3db15ef51006c03d5e137e3f941c59528e");
}

static void shown_and_extracted(void **state)
{
    (void)state;
    take_images();
    run_write_file("nvs.in", "\x01\x02", 2);
    run_expect(0, "flash make --chip esp32 -p two_ota -b bootloader.bin -a factory=hello.bin "
                  "-a ota_1=hello.bin --otadata ota_1 -d nvs=nvs.in -o chip.bin");
    const struct run_result *result = run_expect(0, "flash show chip.bin");
    run_expect_text(result->out, "of esp32\n");
    run_expect_text(result->out, "bootloader at 0x1000: bootloader of IDF v5.2-dev-254-g1950b15, "
                                 "26,768 bytes, good");
    run_expect_text(result->out, "1 of 4 sectors written");
    run_expect_text(result->out, "hello_world ");
    run_expect_text(result->out, "boots ota_1");

    cJSON *json = cJSON_Parse(run_expect(0, "flash show chip.bin --json")->out);
    assert_string_equal(cJSON_GetObjectItem(json, "chip")->valuestring, "esp32");
    assert_string_equal(cJSON_GetObjectItem(json, "boots")->valuestring, "ota_1");
    const cJSON *partitions = cJSON_GetObjectItem(json, "partitions");
    const cJSON *image = cJSON_GetObjectItem(cJSON_GetArrayItem(partitions, 3), "image");
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(image, "good")));
    assert_string_equal(cJSON_GetObjectItem(image, "project")->valuestring, "hello_world");
    image = cJSON_GetObjectItem(cJSON_GetArrayItem(partitions, 4), "image");
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(image, "blank")));
    cJSON_Delete(json);

    run_expect(0, "flash extract chip.bin --partition ota_1 --trim -o out.bin");
    size_t size;
    size_t out_size;
    uint8_t *in = run_read_file("hello.bin", &size);
    uint8_t *out = run_read_file("out.bin", &out_size);
    assert_int_equal(out_size, size);
    assert_memory_equal(out, in, size);
    free(out);
    run_expect(0, "flash extract chip.bin --all parts");
    out = run_read_file("parts/nvs.bin", &out_size);
    assert_int_equal(out_size, 0x4000);
    assert_memory_equal(out, "\x01\x02\xff", 3);
    free(out);
    free(in);

    /* A flipped byte in the app is seen. */
    out = run_read_file("chip.bin", &out_size);
    out[0x10000 + 5000] ^= 1;
    out[0x210000 + 5000] ^= 1;
    run_write_file("chip.bin", out, out_size);
    free(out);
    json = cJSON_Parse(run_expect(0, "flash show chip.bin --json")->out);
    image = cJSON_GetObjectItem(cJSON_GetArrayItem(cJSON_GetObjectItem(json, "partitions"), 3),
                                "image");
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(image, "good")));
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(json, "boots_good_image")));
    cJSON_Delete(json);
    run_expect_text(run_expect(0, "flash show chip.bin")->out,
                    "would boot ota_1, but its image is bad");
    run_expect(0, "otadata erase chip.bin");
    run_expect_text(run_expect(0, "flash show chip.bin")->out,
                    "would boot factory, but its image is bad");
}

static void refused(void **state)
{
    (void)state;
    take_images();
    run_write_file("small.bin", "data", 4);
    static uint8_t large[0x4001];
    run_write_file("large.bin", large, sizeof large);

    run_expect_failure("flash make --chip esp32-s3 -p two_ota -a factory=hello.bin -o x.bin",
                       "hello.bin: is an image for esp32, not for esp32-s3");
    run_expect_failure("flash make --chip esp32 -p two_ota -a factory=small.bin -o x.bin",
                       "small.bin: no good app for esp32");
    run_expect_failure(
        "flash make --chip esp32 -p two_ota -a factory=hello.bin -d factory=small.bin "
        "-o x.bin",
        "factory at 0x10000-0x10003 overlaps factory at 0x10000-0x2d66f");
    run_expect_failure("flash make --chip esp32 -p two_ota -d nvs=large.bin -o x.bin",
                       "large.bin: 16,385 bytes do not fit nvs, which has 16,384");
    run_expect_failure("flash make --chip esp32 -p two_ota -a fctory=hello.bin -o x.bin",
                       "did you mean 'factory'?");
    run_expect_failure("flash make --chip esp32 -p two_ota -d nothing=small.bin -o x.bin",
                       "has no partition 'nothing'");
    run_expect_failure("flash make --chip esp32 -p two_ota --otadata factory -o x.bin",
                       "has no OTA slot 'factory'");
    run_expect_failure("flash make --chip esp32 -p singleapp --otadata ota_0 -o x.bin",
                       "has no otadata partition");
    run_expect_failure("flash make --chip esp32 -p two_ota --start 0x9000 -o x.bin",
                       "partition table at 0x8000 lies below 0x9000");
    run_expect_failure("flash make --chip esp32 -p two_ota -b hello.bin -o x.bin", "overflow");
    run_expect_failure(
        "flash make --chip esp32 -p two_ota -b bootloader.bin --header-freq 81m -o x.bin",
        "no flash speed '81m'");
    run_expect(0,
               "flash make --chip esp32-s3 -p two_ota -a factory=hello.bin -o forced.bin --force");
    assert_int_equal(access("x.bin", F_OK), -1);

    run_expect(2, "flash make --chip esp32 -p two_ota");
    run_expect(2, "flash make --chip esp64 -p two_ota -o x.bin");
    run_expect(2, "flash make --chip esp32 -p two_ota --pad -o x.bin");
    run_expect(2, "flash make --chip esp32 -p two_ota -a factory -o x.bin");
    run_expect(2, "flash make --chip esp32 -p two_ota --header-size 4MB -o x.bin");
    run_expect_failure("flash show small.bin", "there is no partition table at 0x8000");
    run_expect_failure("flash extract forced.bin --partition nothing -o y.bin", "has no partition");
    run_expect(2, "flash extract forced.bin");
    run_expect(2, "flash extract forced.bin --partition nvs");
    run_expect(2, "flash extract forced.bin --partition nvs -o - --json");
    run_expect(2, "flash make --chip esp32 -p two_ota -o - --json");
}

/* Labels are someone else's: they name no file outside the folder. */
static void labels_are_no_paths(void **state)
{
    (void)state;
    static const char csv[] =
        "../../up,data,fat,,4K\n.hidden,data,fat,,4K\na/b,data,fat,,4K\na_b,data,fat,,4K\n";
    run_write_file("odd.csv", csv, strlen(csv));
    run_expect(0, "flash make --chip esp32-s3 -p odd.csv -o odd.bin");
    run_expect(0, "flash extract odd.bin --all odd");
    assert_int_equal(access("odd/row0_.._.._up.bin", F_OK), 0);
    assert_int_equal(access("odd/row1_.hidden.bin", F_OK), 0);
    assert_int_equal(access("odd/row2_a_b.bin", F_OK), 0);
    assert_int_equal(access("odd/a_b.bin", F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_merges),
        cmocka_unit_test(shown_and_extracted),
        cmocka_unit_test(refused),
        cmocka_unit_test(labels_are_no_paths),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
