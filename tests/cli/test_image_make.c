/* SPDX-License-Identifier: Apache-2.0 */
/* The image writer: real images come out byte for byte when made again from their parts, and every
   form passes the library's check. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <updraft/chip.h>
#include <updraft/crypto.h>
#include <updraft/image.h>

#include "base/bytes.h"
#include "cli/digest.h"
#include "cli/image_writer.h"

/* --- real images ---------------------------------------------------------------------------- */

struct file {
    uint8_t *data;
    size_t size;
};

/* Reads a recorded file; false if the folder of recorded files is absent. */
static bool read_vector(const char *name, struct file *file)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", UPDRAFT_VECTORS, name);
    FILE *stream = fopen(path, "rb");
    if (stream == NULL) {
        return false;
    }
    file->data = malloc(1 << 20);
    assert_non_null(file->data);
    file->size = fread(file->data, 1, 1 << 20, stream);
    fclose(stream);
    return true;
}

struct parts {
    struct image_segment list[16];
    uint8_t *memory[16];
    size_t count;
};

/* Takes the segments out of a part of an image, padding left out; pieces of one segment that lie
   apart in the file, but follow one another in memory, are joined. */
static void take_apart(const uint8_t *image, size_t header, bool join, struct parts *parts)
{
    size_t offset = header;
    *parts = (struct parts){0};
    for (unsigned i = 0; i < image[1]; i++) {
        uint32_t address = ota__get_le32(image + offset);
        size_t len = ota__get_le32(image + offset + 4);
        size_t at = 0;
        while (at < parts->count &&
               !(join && parts->list[at].address + parts->list[at].size == address)) {
            at++;
        }
        if (!join || address >= 0x10000000u) {
            struct image_segment *segment = &parts->list[at];
            parts->memory[at] = realloc(parts->memory[at], segment->size + len + 1);
            assert_non_null(parts->memory[at]);
            memcpy(parts->memory[at] + segment->size, image + offset + 8, len);
            segment->data = parts->memory[at];
            segment->address = segment->size == 0 ? address : segment->address;
            segment->size += len;
            parts->count += at == parts->count;
        }
        offset += 8 + len;
    }
}

static void free_parts(struct parts *parts)
{
    for (size_t i = 0; i < parts->count; i++) {
        free(parts->memory[i]);
    }
}

static struct image_spec spec_of(const uint8_t *header, const struct parts *parts)
{
    return (struct image_spec){
        .spi_mode = header[2],
        .spi_speed_size = header[3],
        .entry = ota__get_le32(header + 4),
        .segments = parts->list,
        .segment_count = parts->count,
    };
}

static void must_equal(const struct image_spec *spec, const struct file *file)
{
    struct image_built built;
    assert_true(image_build(spec, &ota_crypto_psa, &built));
    assert_int_equal(built.size, file->size);
    assert_memory_equal(built.data, file->data, file->size);
    image_built_free(&built);
}

/* Segments are given in the reverse of their order: where they go is the writer's business. */
static void esp32_family_again(void **state)
{
    (void)state;
    static const char *const names[] = {
        "arduino/psychichttp/code.bin",
        "esp/images/esp_idf_blink_esp32s2.bin",
        "esp/delta/hw_base.bin",
        "esp/images/helloworld-esp32.bin",
        "esp/images/helloworld-esp32c2.bin",
        "esp/images/helloworld-esp32c6.bin",
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct file file = {0};
        if (!read_vector(names[i], &file)) {
            skip();
            return;
        }
        struct parts parts;
        take_apart(file.data, 24, true, &parts);
        for (size_t j = 0; j < parts.count / 2; j++) {
            struct image_segment swap = parts.list[j];
            parts.list[j] = parts.list[parts.count - 1 - j];
            parts.list[parts.count - 1 - j] = swap;
        }
        struct image_spec spec = spec_of(file.data, &parts);
        spec.form = OTA_IMAGE_ESP32;
        spec.chip_id = ota__get_le16(file.data + 12);
        spec.min_revision = ota__get_le16(file.data + 15);
        spec.max_revision = ota__get_le16(file.data + 17);
        must_equal(&spec, &file);
        free_parts(&parts);
        free(file.data);
    }
}

static void esp8266_version_1_again(void **state)
{
    (void)state;
    struct file file = {0};
    if (!read_vector("esp/images/helloworld-esp8266.bin", &file)) {
        skip();
        return;
    }
    struct parts parts;
    take_apart(file.data, 8, false, &parts);
    struct image_spec spec = spec_of(file.data, &parts);
    spec.form = OTA_IMAGE_ESP8266;
    must_equal(&spec, &file);
    free_parts(&parts);
    free(file.data);
}

static void esp8266_version_2_again(void **state)
{
    (void)state;
    struct file file = {0};
    if (!read_vector("esp/images/4096_user1.bin", &file)) {
        skip();
        return;
    }
    size_t flash_len = ota__get_le32(file.data + 12);
    uint8_t *inner = file.data + 16 + flash_len;
    struct parts parts;
    take_apart(inner, 8, false, &parts);
    struct image_spec spec = spec_of(inner, &parts);
    struct image_segment segments[17];
    memcpy(segments, parts.list, sizeof(parts.list));
    segments[parts.count] = (struct image_segment){0x40201010, file.data + 16, flash_len};
    spec.form = OTA_IMAGE_ESP8266;
    spec.variant = OTA_VARIANT_V2;
    spec.segments = segments;
    spec.segment_count++;
    must_equal(&spec, &file);
    free_parts(&parts);
    free(file.data);
}

static void arduino_file_again(void **state)
{
    (void)state;
    struct file file = {0};
    if (!read_vector("arduino/eboot/esp8266-synthetic.bin", &file)) {
        skip();
        return;
    }
    struct parts parts;
    take_apart(file.data + 0x1000, 8, false, &parts);
    struct image_spec spec = spec_of(file.data + 0x1000, &parts);
    size_t boot_size = 0x1000;
    while (file.data[boot_size - 1] == 0xAA) {
        boot_size--;
    }
    spec.form = OTA_IMAGE_ESP8266;
    spec.variant = OTA_VARIANT_ARDUINO;
    spec.boot_image = file.data;
    spec.boot_size = boot_size;
    must_equal(&spec, &file);
    free_parts(&parts);
    free(file.data);
}

/* --- made images ---------------------------------------------------------------------------- */

static struct ota_image must_verify(const struct image_built *built, uint16_t chip,
                                    enum ota_image_form form)
{
    struct ota_image_rules rules = {.form = form,
                                    .chip = {.id = chip, .ignore_revisions = true},
                                    .size_max = (uint32_t)built->size};
    struct ota_image_check check;
    assert_int_equal(ota_image_check_begin(&check, &rules, &ota_crypto_psa), OTA_OK);
    assert_int_equal(ota_image_check_write(&check, built->data, built->size), OTA_OK);
    assert_int_equal(ota_image_check_finish(&check), OTA_OK);
    assert_int_equal(check.image.length, built->size);
    return check.image;
}

static void noise(uint8_t *data, size_t len)
{
    uint32_t word = 1;
    for (size_t i = 0; i < len; i++) {
        word = word * 1664525u + 1013904223u;
        data[i] = (uint8_t)(word >> 24);
    }
}

static void host_image(void **state)
{
    (void)state;
    uint8_t program[1001];
    noise(program, sizeof(program));
    memcpy(program, "\x7f\x45LF", 4);
    struct ota_app_descriptor descriptor = {.secure_version = 3,
                                            .version = "1.2.3",
                                            .project = "a-name-that-fills-all-32-bytes-!",
                                            .idf_version = "none"};
    struct image_built built;
    assert_true(image_build_host(&descriptor, program, sizeof(program), &ota_crypto_psa, &built));
    struct ota_image image = must_verify(&built, OTA_CHIP_HOST, OTA_IMAGE_ESP32);
    assert_int_equal(image.chip_id, OTA_CHIP_HOST);
    assert_int_equal(image.segment_count, 2);
    assert_int_equal(image.max_revision, 65535);
    assert_true(image.has_digest);

    struct ota_app_descriptor decoded;
    assert_true(ota_image_app_descriptor(&image, &decoded));
    assert_string_equal(decoded.version, "1.2.3");
    assert_string_equal(decoded.project, "a-name-that-fills-all-32-bytes-!");
    assert_int_equal(decoded.secure_version, 3);
    assert_string_equal(decoded.date, "");
    uint8_t digest[OTA_SHA256_SIZE];
    assert_true(digest_of(&ota_crypto_psa, OTA_HASH_SHA256, program, sizeof(program), digest));
    assert_memory_equal(decoded.elf_sha256, digest, sizeof(digest));

    /* docs/formats/image.md section 12 */
    static const uint8_t first[] = {0, 0, 0, 0, 0, 1, 0, 0};
    static const uint8_t second[] = {0, 0, 0, 0x10, 0xEC, 0x03, 0, 0};
    assert_memory_equal(built.data + 0x18, first, 8);
    assert_memory_equal(built.data + 0x120, second, 8);
    assert_memory_equal(built.data + 0x128, program, sizeof(program));

    struct image_built again;
    assert_true(image_build_host(&descriptor, program, sizeof(program), &ota_crypto_psa, &again));
    assert_int_equal(again.size, built.size);
    assert_memory_equal(again.data, built.data, built.size);
    image_built_free(&again);
    image_built_free(&built);
}

/* Apps for every chip of the family, with mapped segments whose addresses are as linkers choose
   them. */
static void every_chip(void **state)
{
    (void)state;
    static uint8_t bytes[200000];
    noise(bytes, sizeof(bytes));
    const struct ota_chip_facts *chip;
    for (unsigned n = 0; (chip = ota_chip_facts_at(n)) != NULL; n++) {
        if (chip->drom.first == chip->drom.end) {
            continue;
        }
        struct ota_app_descriptor descriptor = {.version = "1", .project = "p"};
        uint32_t data = (uint32_t)chip->drom.first << 16;
        uint32_t code = (uint32_t)chip->irom.first << 16;
        /* Where windows for code and data are one, the code lies in a later page. */
        code += code == data ? 0x40000u : 0u;
        const struct image_segment segments[] = {
            {code + 0x20, bytes + 5, 70000},
            {data + 0x20, bytes + 9, 30001},
            {0x3FFB0000u + n, bytes, 5000},
            {0x50000000u, bytes + 77, 0},
        };
        /* On some chips these two addresses are no RAM but flash. */
        bool ram = !ota_chip_window_holds(chip->irom, segments[2].address) &&
                   !ota_chip_window_holds(chip->irom, segments[3].address);
        struct image_spec spec = {.form = OTA_IMAGE_ESP32,
                                  .chip_id = chip->id,
                                  .entry = code + 0x20,
                                  .segments = segments,
                                  .segment_count = ram ? 4 : 2,
                                  .descriptor = &descriptor};
        struct image_built built;
        assert_true(image_build(&spec, &ota_crypto_psa, &built));
        struct ota_image image = must_verify(&built, chip->id, OTA_IMAGE_DETECT);
        struct ota_app_descriptor decoded;
        assert_true(ota_image_app_descriptor(&image, &decoded));
        assert_string_equal(decoded.version, "1");
        image_built_free(&built);
    }
}

static void esp8266_rtos(void **state)
{
    (void)state;
    static uint8_t bytes[40000];
    noise(bytes, sizeof(bytes));
    struct ota_app_descriptor descriptor = {.version = "9", .project = "rtos"};
    const struct image_segment segments[] = {
        {0x40100000, bytes, 1000},
        {0x40210010, bytes + 1, 20000},
    };
    struct image_spec spec = {.form = OTA_IMAGE_ESP8266_RTOS,
                              .entry = 0x40100000,
                              .segments = segments,
                              .segment_count = 2,
                              .descriptor = &descriptor};
    struct image_built built;
    assert_true(image_build(&spec, &ota_crypto_psa, &built));
    struct ota_image image = must_verify(&built, OTA_CHIP_ESP8266, OTA_IMAGE_DETECT);
    assert_int_equal(image.form, OTA_IMAGE_ESP8266_RTOS);
    struct ota_app_descriptor decoded;
    assert_true(ota_image_app_descriptor(&image, &decoded));
    assert_string_equal(decoded.project, "rtos");
    image_built_free(&built);
}

static void reseal_after_a_change(void **state)
{
    (void)state;
    uint8_t program[64] = "\x7f\x45LF";
    struct ota_app_descriptor descriptor = {.version = "1", .project = "p"};
    struct image_built built;
    assert_true(image_build_host(&descriptor, program, sizeof(program), &ota_crypto_psa, &built));
    built.data[0x30] = '2';
    assert_true(image_reseal(built.data, built.size, &ota_crypto_psa));
    struct ota_image image = must_verify(&built, OTA_CHIP_HOST, OTA_IMAGE_ESP32);
    struct ota_app_descriptor decoded;
    assert_true(ota_image_app_descriptor(&image, &decoded));
    assert_string_equal(decoded.version, "2");
    for (size_t size = 0; size < built.size; size++) {
        assert_false(image_reseal(built.data, size, &ota_crypto_psa));
    }
    image_built_free(&built);
}

static void refusals(void **state)
{
    (void)state;
    static const uint8_t bytes[64] = {0};
    struct image_segment segments[17];
    for (size_t i = 0; i < 17; i++) {
        segments[i] = (struct image_segment){0x3FFB0000u + 64 * (uint32_t)i, bytes, 64};
    }
    struct image_spec spec = {.form = OTA_IMAGE_ESP32, .segments = segments, .segment_count = 17};
    struct image_built built;
    assert_false(image_build(&spec, &ota_crypto_psa, &built));
    assert_string_equal(built.problem, "an image holds at most 16 segments");
    assert_null(built.data);

    spec.segment_count = 16;
    assert_true(image_build(&spec, &ota_crypto_psa, &built));
    image_built_free(&built);

    segments[0].address = 0x3F400020;
    segments[1].address = 0x3F400100;
    assert_false(image_build(&spec, &ota_crypto_psa, &built));
    assert_string_equal(built.problem, "the segments at 0x3f400020 and 0x3f400100 are read through "
                                       "the flash cache and must not share one of its pages of "
                                       "65536 bytes");

    segments[1].address = 0x400D0022;
    spec.segment_count = 2;
    assert_false(image_build(&spec, &ota_crypto_psa, &built));
    assert_non_null(strstr(built.problem, "multiple of 4"));

    spec = (struct image_spec){.form = OTA_IMAGE_ESP8266,
                               .variant = OTA_VARIANT_V2,
                               .segments = segments + 2,
                               .segment_count = 2};
    assert_false(image_build(&spec, &ota_crypto_psa, &built));
    assert_non_null(strstr(built.problem, "version 2"));
    spec.variant = OTA_VARIANT_ARDUINO;
    assert_false(image_build(&spec, &ota_crypto_psa, &built));
    assert_non_null(strstr(built.problem, "bootloader"));
    struct ota_app_descriptor descriptor = {.version = "1"};
    spec.variant = OTA_VARIANT_V1;
    spec.descriptor = &descriptor;
    assert_false(image_build(&spec, &ota_crypto_psa, &built));
    assert_non_null(strstr(built.problem, "no app descriptor"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(esp32_family_again),
        cmocka_unit_test(esp8266_version_1_again),
        cmocka_unit_test(esp8266_version_2_again),
        cmocka_unit_test(arduino_file_again),
        cmocka_unit_test(host_image),
        cmocka_unit_test(every_chip),
        cmocka_unit_test(esp8266_rtos),
        cmocka_unit_test(reseal_after_a_change),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
