/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boots: any table, any otadata, any damage to the images, the power cut while states are written.
 * The decision ends; what it chooses verifies; nothing but otadata is changed; and the choice is
 * the same when the same flash is booted again without trial boots.
 */
#include <string.h>

#include <updraft/boot.h>

#include "fuzz/device.h"
#include "fuzz/input.h"

struct fuzz_fuses {
    struct ota_fuses fuses; /* first: it gets itself back by a cast */
    uint32_t version;
};

static uint32_t fuses_version(struct ota_fuses *fuses)
{
    return ((struct fuzz_fuses *)fuses)->version;
}

static enum ota_err fuses_raise(struct ota_fuses *fuses, uint32_t version)
{
    struct fuzz_fuses *self = (struct fuzz_fuses *)fuses;

    self->version = version > self->version ? version : self->version;
    return OTA_OK;
}

static struct fuzz_device fuzz;
static uint8_t before[FUZZ_CHIP];

static void prepare(struct input *input, uint8_t flags)
{
    fuzz_device_make(&fuzz);
    fuzz.device.rollback = (flags & 1) != 0;
    fuzz_device_put_image(&fuzz, FUZZ_OTA_0, 1, input_byte(input) % 4);
    fuzz_device_put_image(&fuzz, FUZZ_OTA_1, 2, input_byte(input) % 4);
    if ((flags & 2) != 0) {
        fuzz_device_put_image(&fuzz, FUZZ_FACTORY, 3, 2);
    }
    for (int i = 0; i < 2; i++) {
        uint32_t sequence = input_word(input);
        uint8_t state = input_byte(input);
        if (sequence != 0xFFFF) {
            fuzz_device_put_entry(&fuzz, i, sequence >= 0xFFF0 ? 0xFFFF0000u | sequence : sequence,
                                  state == 0xFF ? UINT32_MAX : state);
        }
    }
    /* Damage anywhere: each three bytes are a place and what is changed there. */
    for (unsigned n = flags >> 4; n > 0 && input->left > 0; n--) {
        uint32_t place = input_word(input) % FUZZ_CHIP;
        fuzz.memory[place] ^= input_byte(input);
    }
}

static void check_choice(const struct ota_boot *boot, enum ota_err err)
{
    struct ota_image_check check;
    struct ota_image_rules rules;
    uint8_t buffer[512];

    if (err != OTA_OK) {
        REQUIRE(boot->slot == OTA_SLOT_NONE && boot->failure.err != OTA_OK);
        return;
    }
    ota_device_image_rules(boot->device, &boot->region, &rules);
    rules.secure_version_floor = 0; /* it may have risen by now */
    REQUIRE(ota_image_verify(&check, &rules, &ota_crypto_bearssl, &boot->region, buffer,
                             sizeof buffer) == OTA_OK);
    REQUIRE(check.image.length == boot->check.image.length);
    REQUIRE(boot->device->running_slot == boot->slot);
}

/* Tells whether only otadata, as the table that was booted names it, has changed. */
static bool only_otadata_changed(void)
{
    struct ota_extent otadata = fuzz.device.layout.otadata;

    for (uint32_t i = 0; i < FUZZ_CHIP; i++) {
        bool inside = i >= otadata.offset && i < otadata.offset + otadata.size;
        if (fuzz.memory[i] != before[i] && !inside) {
            return false;
        }
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    struct fuzz_fuses fuses = {{fuses_version, fuses_raise}, 0};
    struct ota_boot boot = {.device = &fuzz.device, .read = ota_image_read};
    uint8_t flags = input_byte(&input);
    uint8_t cut = input_byte(&input);
    uint8_t buffer[256];

    prepare(&input, flags);
    boot.test_app = cut == 0xFF;
    if ((flags & 4) != 0) {
        fuses.version = cut % 5;
        fuzz.device.fuses = &fuses.fuses;
    }
    uint32_t floor = fuses.version;
    memcpy(before, fuzz.memory, FUZZ_CHIP);
    if ((flags & 8) != 0) {
        nor_cut_at(&fuzz.nor, 1 + cut % 8, (enum nor_cut)(1 + cut / 8 % (NOR_CUT_COUNT - 1)), cut);
    }
    enum ota_err err = ota_boot_decide(&boot, buffer, sizeof buffer);
    REQUIRE(only_otadata_changed());
    REQUIRE(fuses.version >= floor);
    if (fuzz.state.off) {
        nor_power_up(&fuzz.nor);
        err = ota_boot_decide(&boot, buffer, sizeof buffer);
    }
    nor_cut_at(&fuzz.nor, 0, NOR_CUT_NONE, 0);
    check_choice(&boot, err);
    REQUIRE(fuzz.state.violations == 0);
    if (!fuzz.device.rollback && err == OTA_OK && fuzz.device.fuses == NULL) {
        int slot = boot.slot;
        REQUIRE(ota_boot_decide(&boot, buffer, sizeof buffer) == OTA_OK);
        REQUIRE(boot.slot == slot);
    }
    return 0;
}
