/* SPDX-License-Identifier: Apache-2.0 */
/* The seals of what was stored, asked on the flash when all of it is there. */
#include <updraft/trust.h>

#include "update/update_private.h"

/* Of the arrived bytes nothing may follow the seal. What lies behind them is from earlier. */
static enum ota_err check_end(const struct ota_update *update,
                              const struct ota_signature_report *report)
{
    bool is_longer = report->err == OTA_OK && update->stored > report->end;

    return is_longer && !update->options.allow_trailer ? OTA_ERR_TOO_LARGE : OTA_OK;
}

/* What nobody who is trusted has signed does not stay where it might be found bootable. */
static void spoil(const struct ota_update *update)
{
    (void)ota_region_erase(&update->region, 0, update->region.flash->erase_size);
}

enum ota_err ota__update_ask_seals(struct ota_update *update)
{
    const struct ota_update_options *options = &update->options;
    const struct ota_trust *trust = options->device->trust;
    const struct ota_region arrived = {update->region.flash, update->region.offset, update->stored};
    const struct ota_sealed sealed = {.region = &arrived,
                                      .length = update->check.image.length,
                                      .is_data = update->rules.form == OTA_IMAGE_DATA,
                                      .crypto = options->device->crypto,
                                      .buffer = options->buffer,
                                      .buffer_size = options->buffer_size};
    struct ota_signature_report report;
    enum ota_err err = trust->seals->ask(trust, &sealed, &report);

    if (err == OTA_OK) {
        err = check_end(update, &report);
    }
    /* A bad trailer is told rather than a seal that is not there. */
    if (report.err != OTA_ERR_SIGNATURE_MISSING || trust->at_boot) {
        update->signature = report;
    }
    if (err == OTA_OK) {
        return OTA_OK;
    }
    spoil(update);
    return err == report.err ? update->signature.err : err;
}
