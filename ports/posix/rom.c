/* SPDX-License-Identifier: Apache-2.0 */
/* The virtual board's ROM: lib/boot, and words for what it meets. */

#include <string.h>
#include <time.h>

#include "posix/rom.h"

#define TAG "boot"
#define BUFFER_SIZE 4096u

struct narrator {
    struct console *console;
    const struct board *board;
};

static double milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Events that the line about the chosen image does not tell already. */
static void narrate(void *context, const struct ota_boot *boot, enum ota_boot_event event, int slot,
                    struct ota_failure failure)
{
    const struct narrator *narrator = context;
    struct console *console = narrator->console;
    char name[OTA_SLOT_NAME_SIZE];
    if (narrator->board->state->nor.off) {
        return;
    }
    ota_slot_name(slot, name);
    switch (event) {
    case OTA_BOOT_TABLE_BAD:
        console_line(console, OTA_LOG_ERROR, TAG, "partition table at 0x%x: %s (row at 0x%x)",
                     boot->device->table_offset, ota_err_text(failure.err), failure.offset);
        break;
    case OTA_BOOT_TAKEN_BACK:
        console_line(console, OTA_LOG_WARNING, TAG, "%s: did not confirm itself: taken back", name);
        break;
    case OTA_BOOT_IMAGE_BAD:
    case OTA_BOOT_BELOW_FLOOR:
        console_line(console, OTA_LOG_WARNING, TAG, "%s: %s: %s (at 0x%x)", name,
                     ota_boot_event_text(event), ota_err_text(failure.err), failure.offset);
        break;
    case OTA_BOOT_OTADATA_BAD:
    case OTA_BOOT_STATE_UNSAVED:
        console_line(console, OTA_LOG_WARNING, TAG, "otadata: %s: %s", ota_boot_event_text(event),
                     ota_err_text(failure.err));
        break;
    case OTA_BOOT_ENTRY_WRITTEN:
        console_line(console, OTA_LOG_INFO, TAG, "otadata was empty: %s written there", name);
        break;
    default:
        break;
    }
}

static void tell_facts(struct console *console, const struct rom_boot *result, const char *slot)
{
    cJSON *facts = cJSON_CreateObject();
    cJSON_AddStringToObject(facts, "slot", slot);
    cJSON_AddStringToObject(facts, "project", result->descriptor.project);
    cJSON_AddStringToObject(facts, "version", result->descriptor.version);
    cJSON_AddNumberToObject(facts, "size", result->image.length);
    cJSON_AddBoolToObject(facts, "on_trial", result->on_trial);
    console_facts(console, "boot", facts);
}

static void tell_choice(struct console *console, const struct rom_boot *result, double duration_ms)
{
    const struct ota_app_descriptor *descriptor = &result->descriptor;
    char slot[OTA_SLOT_NAME_SIZE];
    ota_slot_name(result->slot, slot);
    console_line(console, OTA_LOG_INFO, TAG, "%s: %s%s%s, %s (%.1f KB hashed in %.1f ms)", slot,
                 descriptor->project[0] != '\0' ? descriptor->project : "image without a name",
                 descriptor->version[0] != '\0' ? " " : "", descriptor->version,
                 result->on_trial ? "on trial" : "image valid", result->image.length / 1024.0,
                 duration_ms);
    tell_facts(console, result, slot);
}

void rom_boot(struct board *board, struct console *console, struct rom_boot *result)
{
    uint8_t buffer[BUFFER_SIZE];
    struct narrator narrator = {.console = console, .board = board};
    struct ota_boot boot = {.device = &board->device, .on_event = narrate, .context = &narrator};
    memset(result, 0, sizeof *result);
    const double start = milliseconds();
    result->err = ota_boot_decide(&boot, buffer, sizeof buffer);
    const double end = milliseconds();
    if (board->state->nor.off) {
        return;
    }
    if (result->err != OTA_OK) {
        console_line(console, OTA_LOG_ERROR, TAG, "%s: the board stops", ota_err_text(result->err));
        return;
    }
    result->slot = boot.slot;
    result->on_trial = boot.on_trial;
    result->region = boot.region;
    result->image = boot.check.image;
    ota_image_app_descriptor(&result->image, &result->descriptor);
    tell_choice(console, result, end - start);
}
