/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDATE_STAGING_PRIVATE_H
#define UPDATE_STAGING_PRIVATE_H

/* What the files of staging share, and how the update and the slots get there: by the way that the
   device's layout names, so that a device without one links none of it. */

#include <updraft/otadata.h>
#include <updraft/staging.h>
#include <updraft/update.h>

#include "format/staging.h"
#include "update/target.h"

struct ota_staging_way {
    /* ota__target_find. */
    enum ota_err (*find)(const struct ota_device *device, const char *label,
                         const struct ota_update_options *options, struct ota__target *target);

    /* Before an update's first change to its target. */
    enum ota_err (*open)(const struct ota_update *update, bool resumed);

    /* Makes what was proven what the next boot takes. */
    enum ota_err (*activate)(const struct ota_update *update);

    /* What otadata would say of such a device: entry 0 of the app's place, entry 1 of what is
       staged; and a change of it. */
    enum ota_err (*read)(const struct ota_device *device, struct ota_otadata *otadata);
    enum ota_err (*write)(const struct ota_device *device, int index,
                          const struct ota_otadata_entry *entry);

    /* ota_staging_plan. */
    enum ota_err (*plan)(const struct ota_device *device, const char *label, uint32_t size,
                         enum ota_staging_plan *plan, struct ota_extent *extent);

    /* Who copies does so from the first sector to the last, and reads nothing twice: what is staged
       may be overwritten behind it. */
    bool copies_upwards;

    /* Data that is written in place is noted in the staging region. Else its own mark tells. */
    bool keeps_notes;
};

/* ---- staging.c ------------------------------------------------------------------------------- */

/* The command and the map of a device. */
enum ota_err ota__staging_load(const struct ota_device *device, struct ota__staging_map *map,
                               struct ota__command *command);

/* The data partition of this label, or NULL. */
const struct ota_partition *ota__staging_partition(const struct ota_staging *staging,
                                                   const char *label);

/* ---- staging_target.c ------------------------------------------------------------------------ */

/* find, where the command lies in the flash. */
enum ota_err ota__staging_find(const struct ota_device *device, const char *label,
                               const struct ota_update_options *options,
                               struct ota__target *target);

/* Where staging begins: behind the running image, if the two share space. */
enum ota_err ota__staging_find_start(const struct ota_device *device, uint32_t *offset);

/* Whether the command has begun to put data in its place; it is all there when that is proven. */
static inline bool ota__staging_has_begun_data(const struct ota__command *command)
{
    return command->is_there && (command->flags & OTA__COMMAND_DATA) != 0 && command->is_begun;
}

/* Whether an update is written where it belongs at once. */
static inline bool ota__staging_is_in_place(const struct ota_update *update)
{
    return update->slot == OTA_SLOT_NONE && update->region.offset == update->partition.offset;
}

/* plan, likewise. */
enum ota_err ota__staging_plan(const struct ota_device *device, const char *label, uint32_t size,
                               enum ota_staging_plan *plan, struct ota_extent *extent);

/* ---- staging_slots.c ------------------------------------------------------------------------- */

enum ota_err ota__staging_read_slots(const struct ota_device *device, struct ota_otadata *otadata);
enum ota_err ota__staging_write_slot(const struct ota_device *device, int index,
                                     const struct ota_otadata_entry *entry);

/* ---- staging_notes.c ------------------------------------------------------------------------- */

/* Notes that a data partition is being written in place, or is whole again. */
enum ota_err ota__staging_note_data(const struct ota_device *device, uint32_t partition_offset,
                                    bool is_begun);

/* ---- staging_in_flash.c ---------------------------------------------------------------------- */

/* Writes a command for what is stored there: an app, or (`data` not NULL) the content of that
   partition. */
enum ota_err ota__staging_order(const struct ota_device *device, struct ota_extent stored,
                                const struct ota_partition *data, bool is_gzip);

#endif
