/* SPDX-License-Identifier: Apache-2.0 */
/* The copy from the staging region: apps, data, and what is staged compressed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "format/staging.h"
#include "support/gzip_file.h"
#include "support/staged_device.h"

/* Of the space that app and staging share: where the notes and the command begin. */
#define SHARED_END (STAGED_FS - 3 * STAGED_SECTOR)
#define SHARED_MIDDLE (STAGED_APP + (SHARED_END - STAGED_APP) / 2)

static struct staged_device device;
static uint8_t data[STAGED_BIG_SIZE];
static uint8_t file[STAGED_BIG_SIZE + 1024];

static int set_up(void **state)
{
    (void)state;
    staged_device_open(&device, &(struct staged_facts){.rollback = true});
    for (uint32_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i < 3000 ? 0xFF : noise(7, i / 20));
    }
    return 0;
}

static int set_up_inflating(void **state)
{
    set_up(state);
    staged_device_close(&device);
    staged_device_open(&device, &(struct staged_facts){.inflates = true});
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    staged_device_close(&device);
    return 0;
}

static bool fs_holds(const void *bytes, uint32_t len)
{
    return memcmp(device.chip->memory + STAGED_FS, bytes, len) == 0;
}

/* ---- Apps ------------------------------------------------------------------------------------ */

static void test_an_app(void **state)
{
    (void)state;
    assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
    assert_int_equal(staged_device_state(&device), OTA_STAGING_WAITING);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 1);
    assert_int_equal(staged_device_state(&device), OTA_STAGING_DONE);
    assert_false(device.boot.on_trial); /* there is no way back */
    assert_false(ota_slot_is_on_trial(&device.device));
    assert_int_equal(ota_slot_confirm(&device.device), OTA_OK);
    assert_int_equal(ota_slot_can_roll_back(&device.device), OTA_ERR_NO_ROLLBACK);

    const uint64_t changes = ram_flash_changes(device.chip);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(ram_flash_changes(device.chip), changes);
}

/* What has already the right bytes is left alone, if the buffer holds two sectors. */
static void test_with_a_small_buffer(void **state)
{
    (void)state;
    device.boot_buffer_size = 256;
    for (int n = 1; n < 4; n++) {
        assert_int_equal(staged_device_send_app(&device, n), OTA_OK);
        assert_int_equal(staged_device_boot(&device), OTA_OK);
        assert_int_equal(staged_device_runs(&device), n);
    }
}

/* The image in its place goes bad: as long as it is staged still, it is copied again. */
static void test_a_bad_place_is_copied_again(void **state)
{
    (void)state;
    assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    device.chip->memory[STAGED_APP + 600] = 0;
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 1);

    device.chip->memory[STAGED_APP + 600] = 0;
    device.chip->memory[STAGED_STAGING + 600] = 0;
    assert_int_equal(staged_device_boot(&device), OTA_ERR_NOTHING_BOOTABLE);
}

/* A refused one is no help. */
static void test_a_bad_place_and_a_bad_update(void **state)
{
    (void)state;
    assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
    device.chip->memory[STAGED_STAGING + 600] ^= 1;
    device.chip->memory[STAGED_APP + 600] ^= 1;
    assert_int_equal(staged_device_boot(&device), OTA_ERR_NOTHING_BOOTABLE);
    assert_int_equal(staged_device_boot(&device), OTA_ERR_NOTHING_BOOTABLE);
}

/* After the first byte was erased there is no way but on. */
static void test_the_copy_fails_on_the_way(void **state)
{
    enum ota_err err;

    (void)state;
    assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
    faults_set(FAULT_ERASE, 2);
    assert_int_equal(staged_device_boot(&device), OTA_ERR_FLASH_ERASE);
    faults_clear();
    assert_int_equal(staged_device_state(&device), OTA_STAGING_UNDER_WAY);
    device.chip->memory[STAGED_STAGING + 600] ^= 1;
    assert_int_equal(staged_device_boot(&device), OTA_ERR_DIGEST);
    assert_true(staged_device_told(&device, OTA_BOOT_STOPPED, &err));
    device.chip->memory[STAGED_STAGING + 600] ^= 1;
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 1);
}

/* What the bootloader keeps for itself at the beginning stays. */
static void test_kept_bytes(void **state)
{
    (void)state;
    staged_device_close(&device);
    staged_device_open(&device, &(struct staged_facts){.kept = STAGED_SECTOR});
    memcpy(device.chip->memory + STAGED_APP, device.images[1].bytes, STAGED_SECTOR);
    assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 1);
    assert_int_equal(device.chip->wear[STAGED_APP / STAGED_SECTOR], 0);
}

/* There is nothing to copy in what is kept altogether. */
static void test_less_than_what_is_kept(void **state)
{
    struct ota__staging_map map;
    struct ota__command command;

    (void)state;
    staged_device_close(&device);
    staged_device_open(&device, &(struct staged_facts){.kept = STAGED_SECTOR});
    assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
    assert_int_equal(ota__staging_command(&device.staging, device.device.flash, &map, &command),
                     OTA_OK);
    command.stored.size = STAGED_SECTOR;
    assert_int_equal(ota__command_write(&command), OTA_OK);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_state(&device), OTA_STAGING_REFUSED);
}

/* A chip on which the last program disturbs what was programmed before. */
struct disturbed {
    struct ota_flash flash; /* first: the object gets itself back by a cast */
    struct ota_flash *under;
    unsigned programs; /* until it happens */
};

static enum ota_err write_and_disturb(struct ota_flash *flash, uint32_t offset, const void *bytes,
                                      uint32_t len)
{
    struct disturbed *self = (struct disturbed *)flash;

    if (--self->programs == 0) {
        device.chip->memory[STAGED_APP + 700] ^= 1;
    }
    return self->under->write(self->under, offset, bytes, len);
}

static enum ota_err read_under(struct ota_flash *flash, uint32_t offset, void *bytes, uint32_t len)
{
    struct ota_flash *under = ((struct disturbed *)flash)->under;

    return under->read(under, offset, bytes, len);
}

static enum ota_err erase_under(struct ota_flash *flash, uint32_t offset, uint32_t len)
{
    struct ota_flash *under = ((struct disturbed *)flash)->under;

    return under->erase(under, offset, len);
}

static void test_what_was_written_changes(void **state)
{
    struct disturbed disturbed = {
        .flash = device.chip->nor.flash, .under = &device.chip->nor.flash, .programs = 20};

    (void)state;
    disturbed.flash.read = read_under;
    disturbed.flash.erase = erase_under;
    disturbed.flash.write = write_and_disturb;
    assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
    device.device.flash = &disturbed.flash;
    assert_int_equal(staged_device_boot(&device), OTA_ERR_FLASH_VERIFY);
    assert_true(staged_device_told(&device, OTA_BOOT_STOPPED, NULL));
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 1);
}

/* ---- Where app and staging share space ------------------------------------------------------- */

static void test_shared_space(void **state)
{
    struct ota_extent extent;
    enum ota_staging_plan plan;

    (void)state;
    staged_device_close(&device);
    staged_device_open(&device, &(struct staged_facts){.shared = true});
    /* At the end; in the middle, if the size is not known. */
    assert_int_equal(ota_staging_plan(&device.device, NULL, 5000, &plan, &extent), OTA_OK);
    assert_int_equal(plan, OTA_STAGING_COPY);
    assert_int_equal(extent.offset, SHARED_END - 0x2000);
    assert_int_equal(extent.size, 0x2000);
    assert_int_equal(ota_staging_plan(&device.device, NULL, OTA_SIZE_UNKNOWN, &plan, &extent),
                     OTA_OK);
    assert_int_equal(extent.offset, SHARED_MIDDLE);
    assert_int_equal(extent.size, SHARED_END - SHARED_MIDDLE);
    assert_int_equal(
        ota_staging_plan(&device.device, NULL, SHARED_END - SHARED_MIDDLE + 1, &plan, &extent),
        OTA_ERR_TOO_LARGE);
    assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 1);

    /* A command that would have it copied over itself. */
    struct ota__staging_map map;
    struct ota__command command;
    assert_int_equal(ota__staging_command(&device.staging, device.device.flash, &map, &command),
                     OTA_OK);
    command.stored.offset = STAGED_APP + 0x3000;
    command.stored.size = 0x4000;
    assert_int_equal(ota__command_write(&command), OTA_OK);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_state(&device), OTA_STAGING_REFUSED);
}

/* A longer image is staged behind itself, as long as there is room. */
static void test_shared_space_behind_a_long_image(void **state)
{
    struct ota_extent extent;
    enum ota_staging_plan plan;

    (void)state;
    staged_device_close(&device);
    staged_device_open(&device, &(struct staged_facts){.shared = true});
    staged_device_make_image(&device, 0, 0x6000);
    memcpy(device.chip->memory + STAGED_APP, device.images[0].bytes, device.images[0].len);
    assert_int_equal(ota_staging_plan(&device.device, NULL, 0x8000, &plan, &extent),
                     OTA_ERR_TOO_LARGE);
    assert_int_equal(extent.offset, STAGED_APP + 0x6000);
    assert_int_equal(extent.size, 0x6000);
    assert_int_equal(ota_staging_plan(&device.device, "fs", 100, &plan, &extent), OTA_OK);
    assert_int_equal(extent.offset, STAGED_APP + 0x6000);
    device.chip->memory[STAGED_APP] = 0;
    assert_int_equal(ota_staging_plan(&device.device, NULL, 100, &plan, &extent),
                     OTA_ERR_IMAGE_MAGIC);
    device.options.size = 100;
    assert_int_equal(ota_update_begin(&device.update, &device.options), OTA_ERR_IMAGE_MAGIC);
}

/* ---- Data ------------------------------------------------------------------------------------ */

static void test_data(void **state)
{
    (void)state;
    assert_int_equal(staged_device_send(&device, "fs", data, STAGED_FS_SIZE), OTA_OK);
    assert_true(staged_device_status(&device).is_data);
    assert_false(fs_holds(data, STAGED_FS_SIZE));
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_true(fs_holds(data, STAGED_FS_SIZE));
    assert_int_equal(staged_device_runs(&device), 0);
    assert_int_equal(staged_device_state(&device), OTA_STAGING_DONE);
}

/* It keeps no app from running. */
static void test_data_that_cannot_be_put_in_its_place(void **state)
{
    (void)state;
    assert_int_equal(staged_device_send(&device, "fs", data, STAGED_FS_SIZE), OTA_OK);
    faults_set(FAULT_ERASE, 1);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_true(staged_device_told(&device, OTA_BOOT_STOPPED, NULL));
    assert_int_equal(staged_device_state(&device), OTA_STAGING_UNDER_WAY);
    faults_clear();
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_true(fs_holds(data, STAGED_FS_SIZE));
}

/* A data command does not restore an app. */
static void test_data_and_a_bad_app(void **state)
{
    (void)state;
    assert_int_equal(staged_device_send(&device, "fs", data, STAGED_FS_SIZE), OTA_OK);
    device.chip->memory[STAGED_APP] = 0;
    assert_int_equal(staged_device_boot(&device), OTA_ERR_NOTHING_BOOTABLE);
    assert_true(fs_holds(data, STAGED_FS_SIZE));
}

/* ---- Compressed ------------------------------------------------------------------------------ */

static void hash(const void *bytes, uint32_t len, uint8_t digest[OTA_SHA256_SIZE])
{
    struct ota_hash sha256;

    assert_int_equal(ota_crypto_bearssl.hash_begin(&sha256, OTA_HASH_SHA256), OTA_OK);
    assert_int_equal(ota_crypto_bearssl.hash_update(&sha256, bytes, len), OTA_OK);
    assert_int_equal(ota_crypto_bearssl.hash_finish(&sha256, digest), OTA_OK);
}

static uint32_t pack(const void *bytes, uint32_t len)
{
    const size_t size = gzip_file_make(file, sizeof file, bytes, len);

    assert_true(size > 0);
    device.options.size = (uint32_t)size;
    return (uint32_t)size;
}

static void test_a_compressed_app(void **state)
{
    (void)state;
    const uint32_t len = pack(device.images[1].bytes, device.images[1].len);
    assert_true(len < device.images[1].len);
    assert_int_equal(staged_device_send(&device, NULL, file, len), OTA_OK);
    assert_true(staged_device_status(&device).is_compressed);
    assert_memory_equal(device.chip->memory + STAGED_STAGING, file, len);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 1);

    device.chip->memory[STAGED_APP + 600] = 0;
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 1);
}

static void test_compressed_with_kept_bytes(void **state)
{
    (void)state;
    staged_device_close(&device);
    staged_device_open(&device, &(struct staged_facts){.inflates = true, .kept = STAGED_SECTOR});
    memcpy(device.chip->memory + STAGED_APP, device.images[1].bytes, STAGED_SECTOR);
    device.boot_buffer_size = 256;
    const uint32_t len = pack(device.images[1].bytes, device.images[1].len);
    assert_int_equal(staged_device_send(&device, NULL, file, len), OTA_OK);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 1);
    assert_int_equal(device.chip->wear[STAGED_APP / STAGED_SECTOR], 0);
}

static void test_compressed_data(void **state)
{
    (void)state;
    const uint32_t len = pack(data, STAGED_FS_SIZE);
    assert_int_equal(staged_device_send(&device, "fs", file, len), OTA_OK);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_true(fs_holds(data, STAGED_FS_SIZE));
}

/* A whole file system that fits the staging region only when it is compressed. */
static void test_large_compressed_data(void **state)
{
    (void)state;
    const uint32_t len = pack(data, STAGED_BIG_SIZE);
    assert_true(len < STAGED_STAGING_SIZE - 2 * STAGED_SECTOR);
    assert_int_equal(staged_device_send(&device, "big", file, len), OTA_OK);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_memory_equal(device.chip->memory + STAGED_BIG, data, STAGED_BIG_SIZE);
}

/* What nobody looked at when it came is looked at before anything is erased. */
static void assert_refused(enum ota_err expected)
{
    const uint32_t wear = device.chip->wear[STAGED_APP / STAGED_SECTOR];
    enum ota_err err;

    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_true(staged_device_told(&device, OTA_BOOT_IMAGE_BAD, &err));
    assert_int_equal(err, expected);
    assert_true(staged_device_told(&device, OTA_BOOT_REFUSED, NULL));
    assert_int_equal(staged_device_runs(&device), 0);
    assert_int_equal(device.chip->wear[STAGED_APP / STAGED_SECTOR], wear);
}

static void test_compressed_apps_that_are_refused(void **state)
{
    (void)state;
    device.images[1].bytes[8000] ^= 1; /* its checksum is wrong */
    uint32_t len = pack(device.images[1].bytes, device.images[1].len);
    assert_int_equal(staged_device_send(&device, NULL, file, len), OTA_OK);
    assert_refused(OTA_ERR_IMAGE_CHECKSUM);

    device.images[1].bytes[8000] ^= 1;
    len = pack(device.images[1].bytes, device.images[1].len - 1);
    assert_int_equal(staged_device_send(&device, NULL, file, len), OTA_OK);
    assert_refused(OTA_ERR_IMAGE_TRUNCATED);

    len = pack(device.images[1].bytes, device.images[1].len);
    file[len - 7] ^= 1; /* the sum of what comes out */
    assert_int_equal(staged_device_send(&device, NULL, file, len), OTA_OK);
    assert_refused(OTA_ERR_COMPRESSED_SUM);
}

/* Bytes behind the image are the update's business, compressed or not. */
static void test_a_trailer(void **state)
{
    static uint8_t bytes[STAGED_IMAGE_MAX + 100];
    const struct staged_image *image = &device.images[1];
    const uint32_t len = image->len + 100;

    (void)state;
    memcpy(bytes, image->bytes, image->len);
    memset(bytes + image->len, 0xA5, 100);
    for (int is_packed = 0; is_packed < 2; is_packed++) {
        device.options.allow_trailer = true;
        const uint32_t size = is_packed != 0 ? pack(bytes, len) : len;
        assert_int_equal(staged_device_send(&device, NULL, is_packed != 0 ? file : bytes, size),
                         OTA_OK);
        assert_int_equal(staged_device_boot(&device), OTA_OK);
        assert_int_equal(staged_device_runs(&device), 1);
        assert_memory_equal(device.chip->memory + STAGED_APP, bytes, len);
        assert_int_equal(staged_device_send_app(&device, 2), OTA_OK);
        assert_int_equal(staged_device_boot(&device), OTA_OK);
        assert_int_equal(staged_device_runs(&device), 2);
    }
}

/* The length at the end is a lie: it is the check that stops a bomb. */
static void test_a_bomb(void **state)
{
    static uint8_t zeros[0x100000];

    (void)state;
    const uint32_t len = pack(zeros, sizeof zeros);
    memcpy(file + len - 4, "\x00\x10\x00\x00", 4);
    assert_int_equal(staged_device_send(&device, "fs", file, len), OTA_OK);
    assert_refused(OTA_ERR_TOO_LARGE);
}

/* What comes out would reach to where it is staged. */
static void test_compressed_in_shared_space(void **state)
{
    (void)state;
    staged_device_close(&device);
    staged_device_open(&device, &(struct staged_facts){.shared = true, .inflates = true});
    staged_device_make_image(&device, 1, 0x3000);
    uint32_t len = pack(device.images[1].bytes, device.images[1].len);
    assert_int_equal(staged_device_send(&device, NULL, file, len), OTA_OK);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 1);

    /* The update sees it by the image's header. */
    staged_device_make_image(&device, 2, 0x3800);
    len = pack(device.images[2].bytes, device.images[2].len);
    device.staging.app.size = 0x3000;
    assert_int_equal(staged_device_send(&device, NULL, file, len), OTA_ERR_TOO_LARGE);

    device.staging.app.size = STAGED_FS - STAGED_APP;

    /* And the bootloader by what comes out. */
    struct ota__staging_map map;
    struct ota__command command;
    assert_int_equal(ota__staging_command(&device.staging, device.device.flash, &map, &command),
                     OTA_OK);
    memcpy(device.chip->memory + STAGED_APP + 0x3000, file, len);
    hash(file, len, command.digest);
    command.action = OTA__COMMAND_COPY;
    command.flags = OTA__COMMAND_GZIP;
    command.stored = (struct ota_extent){STAGED_APP + 0x3000, len};
    assert_int_equal(ota__command_write(&command), OTA_OK);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_state(&device), OTA_STAGING_REFUSED);
    assert_int_equal(staged_device_runs(&device), 1);
}

/* A window that is smaller than what the compressor used. */
static void test_a_small_window(void **state)
{
    (void)state;
    const uint32_t len = pack(device.images[2].bytes, device.images[2].len);
    assert_int_equal(staged_device_send(&device, NULL, file, len), OTA_OK);

    const struct ota_staged_move *const moves[] = {&device.inflate.move, NULL};
    ota_staged_inflate_init(&device.inflate, device.window, 1024);
    device.boot = (struct ota_boot){.device = &device.device, .read = ota_image_read};
    assert_int_equal(ota_staged_boot(&device.boot, moves, device.buffer, sizeof device.buffer),
                     OTA_OK);
    assert_int_equal(staged_device_runs(&device), 0);
    assert_int_equal(staged_device_state(&device), OTA_STAGING_REFUSED);

    /* And it is for nothing else. */
    device.options.unwrap = NULL;
    device.options.size = OTA_SIZE_UNKNOWN;
    assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
    assert_int_equal(ota_staged_boot(&device.boot, moves, device.buffer, sizeof device.buffer),
                     OTA_OK);
    assert_int_equal(staged_device_state(&device), OTA_STAGING_REFUSED);
}

/* Seals cannot be asked about what is compressed: not by the bootloader, nor by the update, which
   asks for them whether the bootloader does or not. */
static void test_seals_and_compression(void **state)
{
    struct ota_trust trust = {.seals = &staged_seals, .at_boot = true};

    (void)state;
    uint32_t len = pack(device.images[1].bytes, device.images[1].len);
    assert_int_equal(staged_device_send(&device, NULL, file, len), OTA_OK);
    device.device.trust = &trust;
    assert_refused(OTA_ERR_COMPRESSED);
    const uint64_t changes = ram_flash_changes(device.chip);
    for (int at_boot = 0; at_boot < 2; at_boot++) {
        trust.at_boot = at_boot != 0;
        len = pack(device.images[1].bytes, device.images[1].len);
        assert_int_equal(staged_device_send(&device, NULL, file, len), OTA_ERR_COMPRESSED);
        len = pack(data, STAGED_FS_SIZE);
        assert_int_equal(staged_device_send(&device, "fs", file, len), OTA_ERR_COMPRESSED);
    }
    assert_int_equal(ram_flash_changes(device.chip), changes);

    /* A bootloader that asks for none takes what was staged before the update did. */
    device.device.trust = NULL;
    len = pack(device.images[1].bytes, device.images[1].len);
    assert_int_equal(staged_device_send(&device, NULL, file, len), OTA_OK);
    device.device.trust = &trust;
    trust.at_boot = false;
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 1);

    device.device.trust = NULL;
    len = pack(device.images[2].bytes, device.images[2].len);
    assert_int_equal(staged_device_send(&device, NULL, file, len), OTA_OK);
    device.device.trust = &trust;
    trust.seals = NULL;
    trust.at_boot = true;
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 2);

    device.device.trust = NULL;
    len = pack(data, STAGED_FS_SIZE);
    assert_int_equal(staged_device_send(&device, "fs", file, len), OTA_OK);
    device.device.trust = &trust;
    trust.seals = &staged_seals;
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_true(fs_holds(data, STAGED_FS_SIZE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_an_app, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_with_a_small_buffer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_bad_place_is_copied_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_bad_place_and_a_bad_update, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_copy_fails_on_the_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_kept_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_less_than_what_is_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_was_written_changes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_shared_space, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_shared_space_behind_a_long_image, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_data, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_data_that_cannot_be_put_in_its_place, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_data_and_a_bad_app, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_compressed_app, set_up_inflating, tear_down),
        cmocka_unit_test_setup_teardown(test_compressed_with_kept_bytes, set_up_inflating,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_compressed_data, set_up_inflating, tear_down),
        cmocka_unit_test_setup_teardown(test_large_compressed_data, set_up_inflating, tear_down),
        cmocka_unit_test_setup_teardown(test_compressed_apps_that_are_refused, set_up_inflating,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_trailer, set_up_inflating, tear_down),
        cmocka_unit_test_setup_teardown(test_a_bomb, set_up_inflating, tear_down),
        cmocka_unit_test_setup_teardown(test_compressed_in_shared_space, set_up_inflating,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_small_window, set_up_inflating, tear_down),
        cmocka_unit_test_setup_teardown(test_seals_and_compression, set_up_inflating, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
