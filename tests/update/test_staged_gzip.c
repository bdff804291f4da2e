/* SPDX-License-Identifier: Apache-2.0 */
/* gzip that is staged as it comes: what is seen of it on the way. What the bootloader makes of it
   is in tests/boot/test_staged_copy.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <updraft/esp8266.h>
#include <updraft/esp8266_layout.h>
#include <updraft/staging_by_eboot.h>

#include "support/forge.h"
#include "support/gzip_file.h"
#include "support/staged_device.h"

static struct staged_device device;
static uint8_t file[FORGE_MAX + 1024];

static int set_up(void **state)
{
    (void)state;
    staged_device_open(&device, &(struct staged_facts){.inflates = true});
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    staged_device_close(&device);
    return 0;
}

static uint32_t pack(const void *bytes, uint32_t len)
{
    const size_t size = gzip_file_make(file, sizeof file, bytes, len);

    assert_true(size > 0);
    return (uint32_t)size;
}

/* Gates see what the image is, and nothing changes before. */
static enum ota_err may_write(void *context, const struct ota_update *update)
{
    char *version = context;
    struct ota_app_descriptor descriptor;

    assert_int_equal(ram_flash_changes(device.chip), 0);
    assert_true(ota_image_app_descriptor(&update->check.image, &descriptor));
    memcpy(version, descriptor.version, sizeof descriptor.version);
    return OTA_OK;
}

static void test_gates_see_the_image(void **state)
{
    const struct staged_image *image = &device.images[2];
    char version[33] = "";

    (void)state;
    device.options.may_write = may_write;
    device.options.context = version;
    const uint32_t len = pack(image->bytes, image->len);
    assert_int_equal(staged_device_send(&device, NULL, file, len), OTA_OK);
    assert_string_equal(version, "2.0.0");
    assert_int_equal(device.update.check.image.length, image->len); /* as it says of itself */
}

static enum ota_err refuse(void *context, const struct ota_update *update)
{
    uint64_t *changes = context;

    assert_true(ota_image_check_is_described(&update->check));
    *changes = ram_flash_changes(device.chip);
    return OTA_ERR_OLDER_VERSION;
}

static enum ota_err write_in_pieces(uint32_t len, uint32_t piece)
{
    enum ota_err err = ota_update_begin(&device.update, &device.options);

    for (uint32_t at = 0; err == OTA_OK && at < len; at += piece) {
        err = ota_update_write(&device.update, file + at, len - at < piece ? len - at : piece);
    }
    return err;
}

/* Sees that a gate refuses what is in the file before anything has changed. */
static void assert_asked_in_time(uint32_t len, uint32_t piece, uint32_t buffer_size)
{
    const uint64_t changes = ram_flash_changes(device.chip);
    uint64_t changes_when_asked = 0;

    device.options.size = OTA_SIZE_UNKNOWN;
    device.options.buffer_size = buffer_size;
    device.options.may_write = refuse;
    device.options.context = &changes_when_asked;
    assert_int_equal(write_in_pieces(len, piece), OTA_ERR_OLDER_VERSION);
    assert_int_equal(changes_when_asked, changes);
    assert_int_equal(ram_flash_changes(device.chip), changes);
}

/* Gives the file a name that says nothing. */
static uint32_t name(uint32_t len, uint32_t name_len)
{
    const uint32_t head = 10;

    memmove(file + head + name_len + 1, file + head, len - head);
    memset(file + head, 'x', name_len);
    file[head + name_len] = '\0';
    file[3] = 8;
    return len + name_len + 1;
}

/* They see it before the writer's buffer is full of what is still compressed; so what waits for the
   next boot is not withdrawn for what they refuse. */
static void test_gates_see_the_image_in_time(void **state)
{
    (void)state;
    assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
    assert_int_equal(staged_device_state(&device), OTA_STAGING_WAITING);
    uint32_t len = pack(device.images[2].bytes, device.images[2].len);
    for (uint32_t piece = 1; piece <= 2048; piece *= 2) {
        assert_asked_in_time(len, piece, 256);
        assert_asked_in_time(len, piece, STAGED_SECTOR);
    }
    len = name(len, 3000);
    assert_asked_in_time(len, 128, STAGED_SECTOR);
    assert_int_equal(staged_device_state(&device), OTA_STAGING_WAITING);
}

/* Nor is an image withdrawn for one that is none. */
static void test_no_such_image_in_pieces(void **state)
{
    (void)state;
    device.images[1].bytes[12] = 9; /* for another chip */
    device.options.buffer_size = 256;
    const uint32_t len = pack(device.images[1].bytes, device.images[1].len);
    assert_int_equal(write_in_pieces(len, 1), OTA_ERR_IMAGE_CHIP);
    assert_int_equal(ram_flash_changes(device.chip), 0);
}

static void test_no_such_image(void **state)
{
    (void)state;
    device.images[1].bytes[12] = 9; /* for another chip */
    uint32_t len = pack(device.images[1].bytes, device.images[1].len);
    assert_int_equal(staged_device_send(&device, NULL, file, len), OTA_ERR_IMAGE_CHIP);
    len = pack("no image", 8);
    assert_int_equal(staged_device_send(&device, NULL, file, len), OTA_ERR_IMAGE_MAGIC);
    assert_int_equal(ram_flash_changes(device.chip), 0);
    len = pack(device.images[2].bytes, 100);
    assert_int_equal(staged_device_send(&device, NULL, file, len), OTA_ERR_IMAGE_TRUNCATED);
    memcpy(file + 2, "\x09", 1);
    assert_int_equal(staged_device_send(&device, NULL, file, len), OTA_ERR_COMPRESSION);
}

static void test_sizes(void **state)
{
    (void)state;
    uint32_t len = pack("", 0);
    assert_int_equal(staged_device_send(&device, "fs", file, len), OTA_ERR_COMPRESSED_SUM);
    static const uint8_t zeros[STAGED_FS_SIZE + 1];
    len = pack(zeros, sizeof zeros);
    assert_int_equal(staged_device_send(&device, "fs", file, len), OTA_ERR_TOO_LARGE);
    len = pack(zeros, sizeof zeros - 1);
    assert_int_equal(staged_device_send(&device, "fs", file, len), OTA_OK);
}

/* With a window all of it is checked on the way. */
static void test_a_window(void **state)
{
    static uint8_t window[OTA_WINDOW_GZIP];

    (void)state;
    device.images[1].bytes[8000] ^= 1;
    uint32_t len = pack(device.images[1].bytes, device.images[1].len);
    assert_int_equal(staged_device_send(&device, NULL, file, len), OTA_OK);
    ota_staged_gzip_init(&device.gzip, window, sizeof window);
    assert_int_equal(staged_device_send(&device, NULL, file, len), OTA_ERR_IMAGE_CHECKSUM);
    device.images[1].bytes[8000] ^= 1;
    len = pack(device.images[1].bytes, device.images[1].len);
    file[len - 7] ^= 1;
    assert_int_equal(staged_device_send(&device, NULL, file, len), OTA_ERR_COMPRESSED_SUM);
    file[len - 7] ^= 1;
    assert_int_equal(staged_device_send(&device, NULL, file, len), OTA_OK);
    assert_int_equal(staged_device_send(&device, NULL, file, len - 1), OTA_ERR_IMAGE_TRUNCATED);
    len = pack(device.images[2].bytes, device.images[2].len);
    assert_int_equal(staged_device_send(&device, "fs", file, len), OTA_ERR_TOO_LARGE);
}

/* What a trust asks for besides seals is none of its business. */
static void test_a_trust_without_seals(void **state)
{
    const struct ota_trust trust = {.at_boot = true, .only_report = true};

    (void)state;
    device.device.trust = &trust;
    const uint32_t len = pack(device.images[1].bytes, device.images[1].len);
    assert_int_equal(staged_device_send(&device, NULL, file, len), OTA_OK);
    device.device.trust = NULL;
}

/* A large data partition is written in place, and inflated for that. */
static void test_in_place(void **state)
{
    static uint8_t data[STAGED_BIG_SIZE];

    (void)state;
    for (uint32_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)noise(3, i / 7);
    }
    const uint32_t len = pack(data, sizeof data);
    assert_int_equal(staged_device_send(&device, "big", file, len), OTA_OK);
    assert_false(device.update.keeps_packed);
    assert_memory_equal(device.chip->memory + STAGED_BIG, data, sizeof data);
}

/* On a device with slots it is a decoder like any other: its target is asked for no staging. */
static void test_a_device_with_slots(void **state)
{
    struct table_row rows[] = {
        {OTA_PARTITION_DATA, OTA_SUBTYPE_DATA_OTA, 0xD000, 0x2000, "otadata", 0},
        {OTA_PARTITION_APP, OTA_SUBTYPE_APP_OTA_0, 0x10000, 0x10000, "ota_0", 0},
        {OTA_PARTITION_APP, OTA_SUBTYPE_APP_OTA_0 + 1, 0x20000, 0x10000, "ota_1", 0},
    };

    (void)state;
    table_make(device.chip->memory + 0x8000, rows, 3, true);
    device.device.staging = NULL;
    device.device.table_offset = 0x8000;
    assert_int_equal(ota_device_open(&device.device, NULL), OTA_OK);
    device.device.running_slot = 0;
    const uint32_t len = pack(device.images[1].bytes, device.images[1].len);
    assert_int_equal(staged_device_send(&device, NULL, file, len), OTA_OK);
    assert_memory_equal(device.chip->memory + 0x20000, device.images[1].bytes,
                        device.images[1].len);
    device.device.staging = &device.staging;
}

/* ---- eboot ----------------------------------------------------------------------------------- */

/* eboot inflates upwards, to below where it reads: as far as it does not get ahead of itself. */
static void test_eboot_overtakes_itself(void **state)
{
    static struct forge sketch;
    static uint8_t window[OTA_WINDOW_GZIP];
    static uint32_t words[32];
    struct ota_esp8266 esp8266;
    const struct ota_staging staging = {.app = {0, 0x40000 - 0x8000},
                                        .staging = {0x1000, 0x40000 - 0x9000},
                                        .inflates = true,
                                        .way = &ota_staging_by_eboot};
    struct ota_esp8266_layout layout = {.flash_size = 0x40000, .fs_begin = 0x38000};

    (void)state;
    forge_esp8266_v1(&sketch);
    memset(sketch.bytes + sketch.len, 0xAA, 0x1000 - sketch.len);
    sketch.len = 0x1000;
    forge_header(&sketch, 1);
    forge_segment(&sketch, 0x40100000, 500);
    forge_checksum(&sketch);
    memcpy(device.chip->memory, sketch.bytes, sketch.len);

    sketch.len = 0x1000;
    forge_header(&sketch, 2);
    forge_segment(&sketch, 0x40201010, 500);
    forge_segment(&sketch, 0x40100000, 40000);
    uint8_t *large = sketch.bytes + sketch.len - 40000;
    uint8_t sum = 0;
    for (int i = 0; i < 40000; i++) { /* gzip makes nothing of it */
        sum ^= large[i];
        large[i] = 0;
    }
    large[0] = sum;
    forge_checksum(&sketch);
    sketch.bytes[3] = 0x10; /* 256 KB */

    assert_int_equal(ota_esp8266_init(&esp8266, &device.chip->faulty.flash), OTA_OK);
    esp8266.layout = &layout;
    esp8266.eboot_command = words;
    device.device.form = OTA_IMAGE_ESP8266;
    device.device.chip.id = OTA_CHIP_ESP8266;
    device.device.esp8266 = &esp8266;
    device.device.staging = &staging;
    ota_staged_gzip_init(&device.gzip, window, sizeof window);
    const uint32_t len = pack(sketch.bytes, sketch.len);
    assert_int_equal(staged_device_send(&device, NULL, file, len), OTA_ERR_TOO_LARGE);
    device.options.size = len; /* staged high up */
    assert_int_equal(staged_device_send(&device, NULL, file, len), OTA_OK);
    device.device.staging = &device.staging;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_gates_see_the_image, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_gates_see_the_image_in_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_such_image_in_pieces, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_such_image, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sizes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_window, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_trust_without_seals, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_in_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_device_with_slots, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_eboot_overtakes_itself, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
