/* SPDX-License-Identifier: Apache-2.0 */
#include "support/staged_device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define CHIP_SIZE 0x40000u
#define SHARED_OFFSET 0x3000u /* of staging, in the app's place */

static uint32_t fuses_version(struct ota_fuses *fuses)
{
    return ((struct staged_fuses *)fuses)->version;
}

static enum ota_err fuses_raise(struct ota_fuses *fuses, uint32_t version)
{
    struct staged_fuses *self = (struct staged_fuses *)fuses;

    self->version = version > self->version ? version : self->version;
    return OTA_OK;
}

static enum ota_err find_well_signed(const struct ota_trust *trust, const struct ota_sealed *sealed,
                                     struct ota_signature_report *report)
{
    (void)trust;
    (void)sealed;
    report->err = OTA_OK;
    return OTA_OK;
}

static const struct ota_seal *const no_seal[] = {NULL};
const struct ota_seals staged_seals = {.ask = find_well_signed, .list = no_seal};

static void on_event(void *context, const struct ota_boot *boot, enum ota_boot_event event,
                     int slot, struct ota_failure failure)
{
    struct staged_device *device = context;

    (void)boot;
    assert_true(device->event_count < STAGED_EVENTS);
    device->events[device->event_count++] = (struct staged_event){event, slot, failure.err};
}

void staged_device_make_image(struct staged_device *device, int n, uint32_t len)
{
    char version[12];

    snprintf(version, sizeof version, "%d.0.0", n);
    const struct image_facts facts = {.version = version,
                                      .secure_version = (uint32_t)n,
                                      .seed = (uint32_t)n + 1,
                                      .size = len,
                                      .blank_from = len / 2,
                                      .blank_to = len * 3 / 4,
                                      .period = 3000};
    device->images[n].len =
        (uint32_t)image_make(device->images[n].bytes, sizeof device->images[n].bytes, &facts);
    assert_true(device->images[n].len > 0);
}

static void lay_out(struct staged_device *device, const struct staged_facts *facts)
{
    device->data[0] = (struct ota_partition){.type = OTA_PARTITION_DATA,
                                             .subtype = OTA_SUBTYPE_DATA_SPIFFS,
                                             .offset = STAGED_FS,
                                             .size = STAGED_FS_SIZE,
                                             .label = "fs"};
    device->data[1] = device->data[0];
    device->data[1].offset = STAGED_BIG;
    device->data[1].size = STAGED_BIG_SIZE;
    memcpy(device->data[1].label, "big", sizeof "big");
    device->staging = (struct ota_staging){
        .app = {STAGED_APP, STAGED_APP_SIZE},
        .staging = {STAGED_STAGING, STAGED_STAGING_SIZE},
        .kept = facts->kept,
        .swap = facts->swap,
        .inflates = facts->inflates,
        .data = device->data,
        .data_count = 2,
        .way = &ota_staging_in_flash,
    };
    if (facts->shared) {
        device->staging.staging.offset = STAGED_APP + SHARED_OFFSET;
        device->staging.staging.size = STAGED_FS - device->staging.staging.offset;
        device->staging.app.size = STAGED_FS - STAGED_APP;
    }
}

void staged_device_restart(struct staged_device *device)
{
    (void)ota_staging_open(&device->device);
    ota_image_check_abort(&device->update.check);
    memset(&device->update, 0, sizeof device->update);
    device->options = (struct ota_update_options){.device = &device->device,
                                                  .size = OTA_SIZE_UNKNOWN,
                                                  .buffer = device->buffer,
                                                  .buffer_size = sizeof device->buffer};
    if (device->staging.inflates) {
        device->decoders[0] = &device->gzip.decoder;
        ota_staged_gzip_init(&device->gzip, NULL, 0);
        ota_unwrap_init(&device->unwrap, device->decoders);
        device->options.unwrap = &device->unwrap;
    }
}

void staged_device_open(struct staged_device *device, const struct staged_facts *facts)
{
    faults_clear();
    memset(device, 0, sizeof *device);
    device->chip = ram_flash_new(CHIP_SIZE, facts->sector != 0 ? facts->sector : STAGED_SECTOR, 0,
                                 facts->write_size != 0 ? facts->write_size : 1);
    for (int n = 0; n < STAGED_IMAGES; n++) {
        staged_device_make_image(device, n, 9000 + 3000 * (uint32_t)(n % 3));
    }
    memcpy(device->chip->memory + STAGED_APP, device->images[0].bytes, device->images[0].len);
    lay_out(device, facts);
    device->fuses.fuses.secure_version = fuses_version;
    device->fuses.fuses.raise_secure_version = fuses_raise;
    device->device = (struct ota_device){.flash = &device->chip->faulty.flash,
                                         .crypto = &faulty_crypto,
                                         .fuses = facts->fuses ? &device->fuses.fuses : NULL,
                                         .form = OTA_IMAGE_ESP32,
                                         .rollback = facts->rollback,
                                         .staging = &device->staging};
    device->boot_buffer_size = sizeof device->buffer;
    staged_device_restart(device);
}

void staged_device_close(struct staged_device *device)
{
    faults_clear();
    ota_update_abort(&device->update);
    assert_int_equal(faulty_crypto_running(), 0);
    ram_flash_free(device->chip);
}

enum ota_err staged_device_send(struct staged_device *device, const char *label, const void *bytes,
                                uint32_t len)
{
    enum ota_err err;

    device->options.label = label;
    err = ota_update_begin(&device->update, &device->options);
    if (err == OTA_OK) {
        err = ota_update_write(&device->update, bytes, len);
    }
    if (err == OTA_OK) {
        err = ota_update_end(&device->update);
    }
    return err == OTA_OK ? ota_update_activate(&device->update) : err;
}

enum ota_err staged_device_send_app(struct staged_device *device, int image)
{
    const struct staged_image *what = &device->images[image];

    return staged_device_send(device, NULL, what->bytes, what->len);
}

enum ota_err staged_device_boot(struct staged_device *device)
{
    const struct ota_staged_move *const moves[] = {&ota_staged_swap, &ota_staged_copy,
                                                   &device->inflate.move, NULL};
    const uint8_t trial_boots = device->boot.trial_boots;
    enum ota_err err;

    device->event_count = 0;
    device->boot = (struct ota_boot){.device = &device->device,
                                     .read = ota_image_read,
                                     .trial_boots = trial_boots,
                                     .on_event = on_event,
                                     .context = device};
    ota_staged_inflate_init(&device->inflate, device->window, sizeof device->window);
    err = ota_staged_boot(&device->boot, moves, device->buffer, device->boot_buffer_size);
    if (err == OTA_OK) {
        staged_device_restart(device);
    }
    return err;
}

int staged_device_runs(const struct staged_device *device)
{
    const uint8_t *app = device->chip->memory + STAGED_APP;

    for (int n = 0; n < STAGED_IMAGES; n++) {
        if (memcmp(app, device->images[n].bytes, device->images[n].len) == 0) {
            return n;
        }
    }
    return -1;
}

bool staged_device_told(const struct staged_device *device, enum ota_boot_event event,
                        enum ota_err *err)
{
    for (unsigned i = 0; i < device->event_count; i++) {
        if (device->events[i].event == event) {
            if (err != NULL) {
                *err = device->events[i].err;
            }
            return true;
        }
    }
    return false;
}

struct ota_staging_status staged_device_status(const struct staged_device *device)
{
    struct ota_staging_status status;

    assert_int_equal(ota_staging_read(&device->device, &status), OTA_OK);
    return status;
}

enum ota_staging_state staged_device_state(const struct staged_device *device)
{
    return staged_device_status(device).state;
}
