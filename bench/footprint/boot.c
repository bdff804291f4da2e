/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole bootloader, as small as the library makes one: two slots with confirm and roll back, on a
 * chip whose flash is mapped into memory. An image runs only if its SHA-256 fits and it is signed by
 * ECDSA on P-256; boot_v1.c and boot_v2.c are the two ways in which it may be. scripts/footprint
 * measures it, and tests/skip runs it.
 *
 * The flash driver is a stub: it writes as if the flash were memory. What a real one has, is all
 * here besides, down to the functions of the C library.
 */
#include <updraft/boot.h>

#include "base/mem.h"
#include "boot_trust.h"

#define FLASH_BASE 0x10000000u
#define FLASH_SIZE 0x200000u
#define ERASE_SIZE 4096u
#define WRITE_SIZE 4u
#define TABLE_OFFSET 0x8000u

static uint8_t *mapped(uint32_t offset)
{
    return (uint8_t *)(uintptr_t)(FLASH_BASE + offset);
}

static enum ota_err flash_read(struct ota_flash *flash, uint32_t offset, void *data, uint32_t len)
{
    (void)flash;
    memcpy(data, mapped(offset), len);
    return OTA_OK;
}

static enum ota_err flash_write(struct ota_flash *flash, uint32_t offset, const void *data,
                                uint32_t len)
{
    (void)flash;
    memcpy(mapped(offset), data, len);
    return OTA_OK;
}

static enum ota_err flash_erase(struct ota_flash *flash, uint32_t offset, uint32_t len)
{
    (void)flash;
    memset(mapped(offset), 0xFF, len);
    return OTA_OK;
}

static struct ota_flash flash = {
    .size = FLASH_SIZE,
    .erase_size = ERASE_SIZE,
    .write_size = WRITE_SIZE,
    .read = flash_read,
    .write = flash_write,
    .erase = flash_erase,
};

/* How it is decided what runs: BOOT_DECIDE is ota_boot_decide, between two slots, or boot_swap_decide. */
enum ota_err BOOT_DECIDE(struct ota_boot *boot, uint8_t *buffer, uint32_t buffer_size);

/* Not initialised, for what is would lie in flash, its zeros too. */
static struct ota_device device;
static struct ota_boot boot;
static _Alignas(4) uint8_t buffer[OTA_SECURE_BLOCK_SIZE];

/* The port's last step: leaves for the image. */
static void run(const struct ota_region *region)
{
    ((void (*)(void))(uintptr_t)mapped(region->offset + 1))(); /* in Thumb state */
}

_Noreturn void boot_start(void);
_Noreturn void boot_start(void)
{
    device.flash = &flash;
    device.crypto = &ota_crypto_bearssl_sha256;
    device.table_offset = TABLE_OFFSET;
    device.form = OTA_IMAGE_ESP32;
    device.chip.id = OTA_CHIP_HOST;
    device.rollback = true;
    device.trust = &boot_trust;
    boot.device = &device;
    boot.read = ota_image_read_plain;
    if (BOOT_DECIDE(&boot, buffer, sizeof buffer) == OTA_OK && ota_boot_is_sealed(&boot) &&
        boot.slot != OTA_SLOT_NONE && ota_boot_is_sealed(&boot)) {
        run(&boot.region);
    }
    for (;;) {
    }
}
