/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image is proven by what it says of itself and, where the device demands it, by its signature.
 * That the processor takes each step of the latter cannot be relied upon (boot.h), so the steps
 * leave traces:
 *
 *     nothing demanded:  UNASKED
 *     demanded:          FIRST + SECOND, one for each time that the seals were asked and agreed
 *
 * No two of these sums, nor zero, are near one another: they differ in 12 bits or more.
 */
#include "boot/prove.h"

#include "base/mem.h"
#include "boot/select.h"

#define UNASKED 0x6B1D94E3u
#define FIRST 0x2C95A36Au
#define SECOND 0x8E2B5917u

/* The seals that must be asked, or NULL. */
static const struct ota_seals *demanded(const struct ota_boot *boot)
{
    const struct ota_trust *trust = boot->device->trust;

    return trust != NULL && trust->at_boot ? trust->seals : NULL;
}

bool ota_boot_is_sealed(const struct ota_boot *boot)
{
    return boot->proof == FIRST + SECOND;
}

bool ota_boot_is_proven(const struct ota_boot *boot)
{
    return demanded(boot) != NULL ? ota_boot_is_sealed(boot) : boot->proof == UNASKED;
}

/* Asks twice. Each of them is a whole check, down to the arithmetic of the curve. */
static enum ota_err ask(struct ota_boot *boot, const struct ota_seals *seals,
                        const struct ota_sealed *sealed)
{
    const struct ota_trust *trust = boot->device->trust;
    enum ota_err err = seals->ask(trust, sealed, &boot->signature);

    if (err != OTA_OK) {
        return err;
    }
    boot->proof += FIRST;
    err = seals->ask(trust, sealed, &boot->signature);
    if (err != OTA_OK) {
        return err;
    }
    boot->proof += SECOND;
    return OTA_OK;
}

/* Asks about the image that the check has just read. */
static enum ota_err check_seals(struct ota_boot *boot, uint8_t *buffer, uint32_t buffer_size)
{
    const struct ota_seals *seals = demanded(boot);
    struct ota_sealed sealed = {.region = &boot->region,
                                .length = boot->check.image.length,
                                .hash = &boot->check.hash,
                                .crypto = boot->device->crypto,
                                .buffer_size = buffer_size};

    sealed.buffer = buffer;
    if (seals == NULL) {
        boot->proof = UNASKED;
        return OTA_OK;
    }
    return ask(boot, seals, &sealed);
}

/* Returns what is wrong with the image in boot->region. */
static struct ota_failure judge(struct ota_boot *boot, uint8_t *buffer, uint32_t buffer_size)
{
    const struct ota_device *device = boot->device;
    struct ota_failure failure;
    struct ota_image_rules rules;

    ota_device_image_rules(device, &boot->region, &rules);
    (void)boot->read(&boot->check, &rules, device->crypto, &boot->region, buffer, buffer_size);
    failure = boot->check.failure;
    if (failure.err == OTA_OK) {
        failure.err = check_seals(boot, buffer, buffer_size);
        failure.offset = boot->check.image.length;
    }
    ota_image_check_abort(&boot->check);
    boot->check.rules = NULL;
    return failure;
}

bool ota__boot_prove(struct ota_boot *boot, int slot, uint8_t *buffer, uint32_t buffer_size)
{
    const struct ota_device *device = boot->device;
    struct ota_failure failure;

    memset(&boot->signature, 0, sizeof boot->signature);
    boot->proof = 0;
    if (ota_layout_region(&device->layout, device->flash, slot, &boot->region) != OTA_OK ||
        boot->read == NULL) {
        return false;
    }
    failure = judge(boot, buffer, buffer_size);
    if (failure.err != OTA_OK) {
        ota__boot_report(boot, OTA_BOOT_IMAGE_BAD, slot, failure.err, failure.offset);
        if (boot->failure.err == OTA_OK) {
            boot->failure = failure;
        }
        return false;
    }
    if (boot->signature.err != OTA_OK) {
        ota__boot_report(boot, OTA_BOOT_SIGNATURE_BAD, slot, boot->signature.err, failure.offset);
    }
    return true;
}
