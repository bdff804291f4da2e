/* SPDX-License-Identifier: Apache-2.0 */
/* Staged updates by eboot's command: docs/formats/eboot.md, docs/formats/flash-layout.md section
   7.2. */
#include <updraft/staging_by_eboot.h>

#include <updraft/eboot.h>
#include <updraft/esp8266.h>
#include <updraft/esp8266_layout.h>

#include "update/staging_private.h"

#include "base/bytes.h"
#include "base/mem.h"

#define WORDS (OTA_EBOOT_COMMAND_SIZE / 4u)

/* ---- The record, by words -------------------------------------------------------------------- */

static enum ota_err read_command(const struct ota_device *device, struct ota_eboot_command *command)
{
    uint8_t record[OTA_EBOOT_COMMAND_SIZE];

    for (uint32_t i = 0; i < WORDS; i++) {
        ota__put_le32(record + 4 * i, device->esp8266->eboot_command[i]);
    }
    return ota_eboot_decode(record, command);
}

static void write_record(const struct ota_device *device,
                         const uint8_t record[OTA_EBOOT_COMMAND_SIZE])
{
    for (uint32_t i = 0; i < WORDS; i++) {
        device->esp8266->eboot_command[i] = ota__get_le32(record + 4 * i);
    }
}

static void withdraw(const struct ota_device *device)
{
    device->esp8266->eboot_command[0] = 0;
    device->esp8266->eboot_command[WORDS - 1] = 0;
}

/* ---- The target ------------------------------------------------------------------------------ */

/* What is unpacked on the way may become any number of bytes, unless it is eboot that unpacks it.
   */
static uint32_t stored_size(const struct ota_device *device,
                            const struct ota_update_options *options)
{
    bool is_known = options != NULL && (options->unwrap == NULL || device->staging->inflates);

    return is_known ? options->size : OTA_SIZE_UNKNOWN;
}

static enum ota_err find_stage(const struct ota_device *device, uint32_t size, uint32_t *offset)
{
    uint32_t sketch_size;
    enum ota_err err = ota_esp8266_sketch_size(device->flash, &sketch_size);

    return err == OTA_OK ? ota_esp8266_stage(device->esp8266->layout, sketch_size, size, offset)
                         : err;
}

static enum ota_err find_app(const struct ota_device *device, uint32_t size,
                             struct ota__target *target)
{
    struct ota_partition *partition = &target->partition;

    memset(partition, 0, sizeof *partition);
    partition->type = OTA_PARTITION_APP;
    partition->subtype = OTA_SUBTYPE_APP_OTA_0;
    partition->offset = device->staging->app.offset;
    partition->size = device->staging->app.size;
    memcpy(partition->label, "app", sizeof "app");
    target->slot = OTA__SLOT_STAGED;
    return find_stage(device, size, &target->region.offset);
}

/* A file system of unknown size might not fit, so it goes where it belongs. */
static enum ota_err find_data(const struct ota_device *device, const char *label, uint32_t size,
                              bool in_place, struct ota__target *target)
{
    const struct ota_partition *data = ota__staging_partition(device->staging, label);

    if (data == NULL) {
        return OTA_ERR_NO_PARTITION;
    }
    if ((data->flags & OTA_PARTITION_FLAG_READ_ONLY) != 0) {
        return OTA_ERR_READ_ONLY;
    }
    target->partition = *data;
    target->slot = OTA_SLOT_NONE;
    target->region.offset = data->offset;
    if (in_place || size == OTA_SIZE_UNKNOWN) {
        return OTA_OK;
    }
    enum ota_err err = find_stage(device, size, &target->region.offset);
    return err == OTA_ERR_TOO_LARGE ? OTA_OK : err;
}

/* What waits for the restart must neither be lost nor be copied over what comes now. */
static bool is_forbidden(const struct ota_device *device, const struct ota__target *target)
{
    const bool is_in_place = target->partition.offset == target->region.offset;
    struct ota_eboot_command command;

    return read_command(device, &command) == OTA_OK && command.action == OTA_EBOOT_COPY &&
           (command.destination == target->partition.offset) == is_in_place;
}

static enum ota_err find(const struct ota_device *device, const char *label,
                         const struct ota_update_options *options, struct ota__target *target)
{
    uint32_t size = stored_size(device, options);
    bool in_place = options != NULL && options->in_place;
    struct ota_region *region = &target->region;
    enum ota_err err = label == NULL ? find_app(device, size, target)
                                     : find_data(device, label, size, in_place, target);

    if (err != OTA_OK) {
        return err;
    }
    region->flash = device->flash;
    region->size = target->partition.offset == region->offset
                       ? target->partition.size
                       : device->esp8266->layout->fs_begin - region->offset;
    target->limit = ota__min(region->size, target->partition.size);
    return is_forbidden(device, target) ? OTA_ERR_RESTARTING : OTA_OK;
}

/* The free space is what a sketch may have whose size is told. */
static enum ota_err plan_app(const struct ota_device *device, uint32_t size,
                             struct ota_extent *extent)
{
    uint32_t sketch_size;
    enum ota_err err = ota_esp8266_sketch_size(device->flash, &sketch_size);

    if (err != OTA_OK) {
        return err;
    }
    extent->size = ota_esp8266_free_space(device->esp8266->layout, sketch_size);
    return ota_esp8266_stage(device->esp8266->layout, sketch_size, size, &extent->offset);
}

static enum ota_err plan(const struct ota_device *device, const char *label, uint32_t size,
                         enum ota_staging_plan *way, struct ota_extent *extent)
{
    const struct ota_partition *data =
        label != NULL ? ota__staging_partition(device->staging, label) : NULL;
    enum ota_err err;

    if (label != NULL && data == NULL) {
        return OTA_ERR_NO_PARTITION;
    }
    *way = OTA_STAGING_COPY;
    err = plan_app(device, size, extent);
    if (data == NULL || (err != OTA_OK && err != OTA_ERR_TOO_LARGE)) {
        return err;
    }
    if (err == OTA_ERR_TOO_LARGE || size == OTA_SIZE_UNKNOWN) {
        *way = OTA_STAGING_IN_PLACE;
        extent->offset = data->offset;
        extent->size = data->size;
    }
    extent->size = ota__min(extent->size, data->size);
    return size != OTA_SIZE_UNKNOWN && size > data->size ? OTA_ERR_TOO_LARGE : OTA_OK;
}

/* What is staged is about to be overwritten. */
static enum ota_err open_target(const struct ota_update *update, bool resumed)
{
    (void)resumed;
    if (!ota__staging_is_in_place(update)) {
        withdraw(update->options.device);
    }
    return OTA_OK;
}

/* ---- Leaving the command --------------------------------------------------------------------- */

static enum ota_err activate(const struct ota_update *update)
{
    uint8_t record[OTA_EBOOT_COMMAND_SIZE];
    const struct ota_eboot_command command = {
        .action = OTA_EBOOT_COPY,
        .source = update->region.offset,
        .destination = update->partition.offset,
        .size = update->stored,
    };

    if (!ota__staging_is_in_place(update)) {
        ota_eboot_encode(&command, record);
        write_record(update->options.device, record);
    }
    return OTA_OK;
}

/* ---- The slots ------------------------------------------------------------------------------- */

static void put_entry(struct ota_otadata_entry *entry, uint32_t sequence, uint32_t state)
{
    entry->sequence = sequence;
    entry->state = state;
    entry->crc = ota_otadata_crc(sequence);
}

static enum ota_err read_slots(const struct ota_device *device, struct ota_otadata *otadata)
{
    struct ota_eboot_command command;

    memset(otadata, 0xFF, sizeof *otadata);
    put_entry(&otadata->entry[OTA__SLOT_APP], 1, OTA_STATE_VALID);
    if (read_command(device, &command) == OTA_OK && command.action == OTA_EBOOT_COPY &&
        command.destination == device->staging->app.offset) {
        put_entry(&otadata->entry[OTA__SLOT_STAGED], 2, OTA_STATE_UNDEFINED);
    }
    return OTA_OK;
}

/* What waits can be forgotten, and what runs chosen, which is the same. */
static enum ota_err write_slot(const struct ota_device *device, int index,
                               const struct ota_otadata_entry *entry)
{
    bool is_staged = index == OTA__SLOT_STAGED;
    bool is_erased = entry == NULL;

    if (is_staged == is_erased) {
        withdraw(device);
        return OTA_OK;
    }
    return is_staged ? OTA_ERR_STATE : OTA_OK;
}

const struct ota_staging_way ota_staging_by_eboot = {
    .find = find,
    .open = open_target,
    .activate = activate,
    .read = read_slots,
    .write = write_slot,
    .plan = plan,
    .copies_upwards = true,
};
