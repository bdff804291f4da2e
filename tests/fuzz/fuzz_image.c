/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images of every form. The first four bytes choose the rules, the rest is the image: whole, byte
 * by byte, in odd pieces, and from flash, the check must come to the same end.
 */
#include <string.h>

#include <updraft/image.h>

#include "fuzz/input.h"

struct outcome {
    enum ota_err err;
    uint32_t offset;
    struct ota_image image;
};

static void run(const struct ota_image_rules *rules, const uint8_t *bytes, size_t len, size_t piece,
                struct outcome *outcome)
{
    struct ota_image_check check;
    enum ota_err err = ota_image_check_begin(&check, rules, &ota_crypto_bearssl);

    for (size_t done = 0; err == OTA_OK && done < len;) {
        size_t n = piece < len - done ? piece : len - done;
        uint32_t wanted = ota_image_check_wanted(&check);
        uint8_t digest[OTA_SHA256_SIZE];
        err = ota_image_check_write(&check, bytes + done, n);
        REQUIRE(wanted <= rules->size_max);
        REQUIRE(err != OTA_OK || ota_image_check_digest(&check, digest) == OTA_OK);
        done += n;
    }
    REQUIRE(check.failure.err == err);
    outcome->err = ota_image_check_finish(&check);
    REQUIRE(outcome->err == check.failure.err);
    REQUIRE(err == OTA_OK || outcome->err == err);
    outcome->offset = check.failure.offset;
    outcome->image = check.image;
    REQUIRE(outcome->err == OTA_OK || outcome->offset <= len);
    REQUIRE(outcome->err != OTA_OK || outcome->image.length <= len);
}

/* The image in flash, and nothing behind it. */
struct flat_flash {
    struct ota_flash flash; /* first: it gets itself back by a cast */
    const uint8_t *bytes;
    uint32_t len;
    uint32_t highest; /* read so far */
};

static enum ota_err flat_read(struct ota_flash *flash, uint32_t offset, void *data, uint32_t len)
{
    struct flat_flash *flat = (struct flat_flash *)flash;

    REQUIRE(offset <= flash->size && len <= flash->size - offset);
    memset(data, 0xFF, len);
    if (offset < flat->len) {
        memcpy(data, flat->bytes + offset, len < flat->len - offset ? len : flat->len - offset);
    }
    flat->highest = offset + len > flat->highest ? offset + len : flat->highest;
    return OTA_OK;
}

static void check_flash(const struct ota_image_rules *rules, const uint8_t *bytes, size_t len,
                        const struct outcome *whole)
{
    struct flat_flash flat = {.flash = {.size = rules->size_max, .read = flat_read},
                              .bytes = bytes,
                              .len = (uint32_t)len};
    const struct ota_region region = {&flat.flash, 0, rules->size_max};
    struct ota_image_check check;
    uint8_t buffer[67];
    enum ota_err err =
        ota_image_verify(&check, rules, &ota_crypto_bearssl, &region, buffer, sizeof buffer);

    if (whole->err == OTA_OK && whole->image.form != OTA_IMAGE_DATA) {
        REQUIRE(err == OTA_OK);
        REQUIRE(check.image.length == whole->image.length);
        REQUIRE(check.image.variant == whole->image.variant);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    uint8_t choice = input_byte(&input);
    uint8_t flags = input_byte(&input);
    const struct ota_image_rules rules = {
        .form = (enum ota_image_form)(choice % 5),
        .role = (choice & 0x80) != 0 ? OTA_ROLE_BOOTLOADER : OTA_ROLE_APP,
        .chip = {.id = (flags & 1) != 0 ? OTA_CHIP_ANY : OTA_CHIP_ESP32,
                 .revision = 100,
                 .ignore_max_revision = (flags & 2) != 0,
                 .ignore_revisions = (flags & 4) != 0},
        .size_max = (flags & 8) != 0 ? 0x10000u : input_word(&input),
        .flash_offset = (flags & 16) != 0 ? 0x10000u : 0x1000u,
        .secure_version_floor = (flags & 32) != 0,
        .require_descriptor = (flags & 64) != 0,
        .allow_trailer = (flags & 128) != 0,
    };
    static const size_t pieces[] = {1, 3, 16, 61};
    struct outcome whole;
    struct outcome other;

    run(&rules, input.data, input.left, SIZE_MAX, &whole);
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        run(&rules, input.data, input.left, pieces[i], &other);
        REQUIRE(other.err == whole.err && other.offset == whole.offset);
        REQUIRE(other.image.length == whole.image.length);
        REQUIRE(other.image.checksum == whole.image.checksum);
        REQUIRE(other.image.variant == whole.image.variant);
    }
    check_flash(&rules, input.data, input.left, &whole);
    return 0;
}
