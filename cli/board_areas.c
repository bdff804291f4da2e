/* SPDX-License-Identifier: Apache-2.0 */
/* What there is on a board's flash: by its partition table, or by its profile and what is staged. */

#include "cli/board_areas.h"

#include <stdio.h>
#include <string.h>

#include <updraft/eboot.h>
#include <updraft/journal.h>
#include <updraft/slot.h>

#include "cli/output.h"

/* ---- Areas ----------------------------------------------------------------------------------- */

struct board_area *board_areas_add(struct board_map *map, enum board_area_kind kind,
                                   struct ota_extent extent, const char *name, const char *text)
{
    static struct board_area lost;
    struct board_area *area = map->count < BOARD_MAP_AREAS_MAX ? &map->areas[map->count] : &lost;
    *area = (struct board_area){.kind = kind, .extent = extent};
    snprintf(area->name, sizeof area->name, "%s", name);
    snprintf(area->text, sizeof area->text, "%s", text);
    if (extent.size != 0 && area != &lost) {
        map->count++;
    }
    return area;
}

static uint32_t whole_sectors(const struct board *board, uint32_t size)
{
    const uint32_t sector = board->device.flash->erase_size;
    return (size + sector - 1) / sector * sector;
}

static bool is_blank(const struct board *board, struct ota_extent extent)
{
    const uint8_t *bytes = board->nor.memory + extent.offset;
    for (uint32_t i = 0; i < extent.size; i++) {
        if (bytes[i] != 0xFF) {
            return false;
        }
    }
    return true;
}

/* ---- Apps ------------------------------------------------------------------------------------ */

/* What a slot holds: "garden 2.3.0, 18,896 bytes, runs". Returns the bytes of a whole image, or 0. */
static uint32_t describe_app(const struct board *board, int slot, char text[BOARD_MAP_TEXT_SIZE])
{
    const struct ota_extent extent = ota_layout_slot(&board->device.layout, slot);
    struct ota_app_descriptor descriptor = {.project = ""};
    struct ota_image_check check;
    char name[2 * sizeof descriptor.project + 1];
    char safe[4 * sizeof name];
    if (is_blank(board, extent)) {
        snprintf(text, BOARD_MAP_TEXT_SIZE, "blank");
        return 0;
    }
    const enum ota_err err = ota_slot_verify(&board->device, slot, &check);
    if (err != OTA_OK) {
        snprintf(text, BOARD_MAP_TEXT_SIZE, "no whole image: %s", ota_err_text(err));
        return 0;
    }
    ota_image_app_descriptor(&check.image, &descriptor);
    snprintf(name, sizeof name, "%s %s", descriptor.project, descriptor.version);
    const bool runs = board->state->boots > 0 && board->state->running_slot == slot;
    snprintf(text, BOARD_MAP_TEXT_SIZE, "%.60s, %s bytes%s",
             descriptor.project[0] != '\0' ? output_escape(name, safe, sizeof safe)
                                           : "an image without a name",
             output_thousands(check.image.length).text, runs ? ", runs" : "");
    return check.image.length;
}

/* ---- Data ------------------------------------------------------------------------------------ */

/* Whether an update was begun here and not ended. */
static bool is_incomplete(const struct board *board, const struct ota_partition *partition)
{
    bool incomplete = false;
    return ota_data_is_incomplete(&board->device, partition->label, &incomplete) == OTA_OK &&
           incomplete;
}

/* How many bytes can be staged of the app (label NULL) or of data; 0: none, or it is not known. */
static uint32_t find_room(const struct board *board, const char *label)
{
    enum ota_staging_plan plan;
    struct ota_extent extent;
    if (board->device.staging == NULL) {
        return 0;
    }
    const uint32_t size = label == NULL ? OTA_SIZE_UNKNOWN : 1;
    if (ota_staging_plan(&board->device, label, size, &plan, &extent) != OTA_OK ||
        plan == OTA_STAGING_IN_PLACE) {
        return 0;
    }
    return extent.size;
}

static void add_data(struct board_map *map, const struct board *board,
                     const struct ota_partition *partition)
{
    const struct ota_extent extent = {partition->offset, partition->size};
    const bool blank = is_blank(board, extent);
    struct board_area *area =
        board_areas_add(map, BOARD_AREA_DATA, extent, partition->label, blank ? "blank" : "data");
    if ((partition->flags & OTA_PARTITION_FLAG_READ_ONLY) != 0) {
        return;
    }
    area->has_plan = true;
    area->incomplete = is_incomplete(board, partition);
    const uint32_t room = find_room(board, partition->label);
    area->two_steps_max = room < partition->size ? room : partition->size;
    if (area->incomplete) {
        strcpy(area->text, "incomplete: an update of it was cut off");
    }
}

static void add_tabled_data(struct board_map *map, const struct board *board)
{
    struct ota_partition partition;
    for (uint32_t i = 0; ota_partition_get(&board->device.table, i, &partition) == OTA_OK; i++) {
        if (partition.type == OTA_PARTITION_DATA && partition.subtype == OTA_SUBTYPE_DATA_OTA) {
            board_areas_add(map, BOARD_AREA_OTADATA,
                            (struct ota_extent){partition.offset, partition.size}, partition.label,
                            "which slot boots");
        } else if (partition.type != OTA_PARTITION_APP) {
            add_data(map, board, &partition);
        }
    }
}

/* ---- Boards with a partition table ----------------------------------------------------------- */

static void add_slots(struct board_map *map, const struct board *board)
{
    for (int slot = OTA_SLOT_TEST; slot < OTA_SLOTS_MAX; slot++) {
        const struct ota_extent extent = ota_layout_slot(&board->device.layout, slot);
        char name[OTA_SLOT_NAME_SIZE];
        char text[BOARD_MAP_TEXT_SIZE];
        if (extent.size != 0) {
            describe_app(board, slot, text);
            board_areas_add(map, BOARD_AREA_APP, extent, ota_slot_name(slot, name), text);
        }
    }
}

static void collect_tabled(struct board_map *map, const struct board *board)
{
    const uint32_t table = board->settings.table_offset;
    board_areas_add(map, BOARD_AREA_BOOTLOADER, (struct ota_extent){0, table}, "bootloader",
                    "the virtual board's is in its ROM");
    board_areas_add(map, BOARD_AREA_TABLE, (struct ota_extent){table, OTA_PARTITION_TABLE_SECTOR},
                    "table", "partition table");
    add_slots(map, board);
    add_tabled_data(map, board);
}

/* ---- Boards with one slot -------------------------------------------------------------------- */

static const char *const state_texts[] = {
    [OTA_STAGING_IDLE] = "nothing is asked for",
    [OTA_STAGING_WAITING] = "waits for the restart",
    [OTA_STAGING_UNDER_WAY] = "is being brought to its place",
    [OTA_STAGING_ON_TRIAL] = "the new image is on trial",
    [OTA_STAGING_DONE] = "done",
    [OTA_STAGING_GOING_BACK] = "the old image is being brought back",
    [OTA_STAGING_REJECTED] = "the new image rejected itself",
    [OTA_STAGING_TAKEN_BACK] = "the new image did not confirm itself, and was taken back",
    [OTA_STAGING_REFUSED] = "what was staged did not verify: nothing was done",
};

/* Whether what is staged is the image that ran before. */
static bool is_fallback(const struct ota_staging_status *status)
{
    return status->is_swap &&
           (status->state == OTA_STAGING_ON_TRIAL || status->state == OTA_STAGING_DONE ||
            status->state == OTA_STAGING_REJECTED);
}

/* What the bytes are that were staged. */
static const char *staged_text(const struct ota_staging_status *status)
{
    switch (status->state) {
    case OTA_STAGING_DONE:
        return status->is_data ? "the same as in its place: data" : "the same as in its place";
    case OTA_STAGING_REFUSED:
        return "an update that did not verify";
    case OTA_STAGING_TAKEN_BACK:
    case OTA_STAGING_REJECTED:
        return "the image that was taken back";
    default:
        return status->is_data ? "an update of data" : "an update of the app";
    }
}

/* The image before this one lies where the region begins. */
static void add_fallback(struct board_map *map, const struct board *board)
{
    char text[BOARD_MAP_TEXT_SIZE];
    struct ota_extent extent = ota_layout_slot(&board->device.layout, 1);
    const uint32_t length = describe_app(board, 1, text);
    extent.size = whole_sectors(board, length);
    strncat(text, ", ran before", sizeof text - strlen(text) - 1);
    board_areas_add(map, BOARD_AREA_STAGED, extent, "staged", text);
}

static void add_stored(struct board_map *map, const struct board *board,
                       const struct ota_staging_status *status)
{
    char text[BOARD_MAP_TEXT_SIZE];
    struct ota_extent extent = status->stored;
    if (is_fallback(status)) {
        add_fallback(map, board);
        return;
    }
    snprintf(text, sizeof text, "%s, %s bytes%s", staged_text(status),
             output_thousands(extent.size).text, status->is_compressed ? " of gzip" : "");
    extent.size = whole_sectors(board, extent.size);
    board_areas_add(map, BOARD_AREA_STAGED, extent, "staged", text);
}

static void describe_command(const struct ota_staging_status *status,
                             char text[BOARD_MAP_TEXT_SIZE])
{
    const int len = snprintf(text, BOARD_MAP_TEXT_SIZE, "%s", state_texts[status->state]);
    if (status->state == OTA_STAGING_UNDER_WAY || status->state == OTA_STAGING_GOING_BACK) {
        snprintf(text + len, BOARD_MAP_TEXT_SIZE - (size_t)len, " (%u of %u steps)",
                 status->steps_done, status->steps);
    }
}

/* An update that is coming in, or was cut off, has a journal in the last sector. */
static bool describe_arrival(const struct board *board, char text[BOARD_MAP_TEXT_SIZE])
{
    const struct ota_extent *staging = &board->device.staging->staging;
    const struct ota_region region = {board->device.flash, staging->offset, staging->size};
    struct ota_journal journal;
    bool begun = false;
    if (ota_journal_open(&journal, &region) == OTA_OK) {
        snprintf(text, BOARD_MAP_TEXT_SIZE, "an update is coming: %s of %s bytes",
                 output_thousands(journal.last.offset).text, output_thousands(journal.size).text);
        return true;
    }
    if (ota_journal_is_begun(&region, &begun) == OTA_OK && begun) {
        snprintf(text, BOARD_MAP_TEXT_SIZE, "an update is coming, or was cut off");
    }
    return begun;
}

static void add_free(struct board_map *map, const struct board *board)
{
    const uint32_t most = find_room(board, NULL);
    char text[BOARD_MAP_TEXT_SIZE] = "for updates";
    if (most != 0) {
        snprintf(text, sizeof text, "for updates of up to %s bytes", output_thousands(most).text);
    }
    board_areas_add(map, BOARD_AREA_FREE, board->device.staging->staging, "free", text);
}

/* The flash's own command, and what it speaks of. What comes first is kept where areas overlap. */
static void add_staged(struct board_map *map, const struct board *board)
{
    struct ota_staging_status status;
    char text[BOARD_MAP_TEXT_SIZE];
    if (ota_staging_read(&board->device, &status) != OTA_OK) {
        return;
    }
    if (status.notes.size != 0) {
        board_areas_add(map, BOARD_AREA_NOTES, status.notes, "notes", "which data is incomplete");
    }
    if (status.state == OTA_STAGING_IDLE && describe_arrival(board, text)) {
        board_areas_add(map, BOARD_AREA_COMMAND, status.command, "journal", text);
        return;
    }
    describe_command(&status, text);
    board_areas_add(map, BOARD_AREA_COMMAND, status.command, "command", text);
    if (status.is_swap) {
        board_areas_add(map, BOARD_AREA_SPARE, status.spare, "spare", "for the swap");
    }
    if (status.state != OTA_STAGING_IDLE) {
        add_stored(map, board, &status);
    }
}

/* The same for eboot, whose command is not in the flash. */
static void add_staged_for_eboot(struct board_map *map, const struct board *board)
{
    struct ota_eboot_command command;
    char text[BOARD_MAP_TEXT_SIZE];
    if (ota_eboot_decode(board_eboot_command(board), &command) == OTA_OK &&
        command.action == OTA_EBOOT_COPY) {
        snprintf(text, sizeof text, "an update of %s, %s bytes: waits for the restart",
                 command.destination == 0 ? "the app" : "data",
                 output_thousands(command.size).text);
        board_areas_add(map, BOARD_AREA_STAGED,
                        (struct ota_extent){command.source, whole_sectors(board, command.size)},
                        "staged", text);
    }
}

/* The app first: where its place and the staging space overlap, it takes what its image needs. */
static void add_single_app(struct board_map *map, const struct board *board)
{
    const struct ota_staging *staging = board->device.staging;
    char text[BOARD_MAP_TEXT_SIZE];
    struct ota_extent extent = staging->app;
    const uint32_t length = describe_app(board, 0, text);
    if (staging->staging.offset < staging->app.offset + staging->app.size && length != 0) {
        extent.size = whole_sectors(board, length);
    }
    board_areas_add(map, BOARD_AREA_APP, extent, "app", text);
}

static void collect_single(struct board_map *map, const struct board *board)
{
    if (board->settings.by_eboot) {
        add_staged_for_eboot(map, board);
    } else {
        add_staged(map, board);
    }
    add_single_app(map, board);
    add_tabled_data(map, board);
    add_free(map, board);
}

void board_areas_collect(struct board_map *map, const struct board *board)
{
    map->count = 0;
    if (board->device.staging != NULL) {
        collect_single(map, board);
    } else {
        collect_tabled(map, board);
    }
}
