/* SPDX-License-Identifier: Apache-2.0 */
/* The virtual board's ROM: lib/boot, and words for what it meets. */

#include <string.h>
#include <time.h>

#include "posix/rom.h"
#include "posix/rom_single.h"

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
    board_slot_name(narrator->board, slot, name);
    switch (event) {
    case OTA_BOOT_TABLE_BAD:
        console_line(console, OTA_LOG_ERROR, TAG, "partition table at 0x%x: %s (row at 0x%x)",
                     boot->device->table_offset, ota_err_text(failure.err), failure.offset);
        break;
    case OTA_BOOT_TAKEN_BACK:
        console_line(console, OTA_LOG_WARNING, TAG, "%s: did not confirm itself: taken back", name);
        break;
    case OTA_BOOT_SIGNATURE_BAD:
        console_line(console, OTA_LOG_WARNING, TAG, "%s: %s: taken all the same", name,
                     ota_err_text(failure.err));
        break;
    case OTA_BOOT_IMAGE_BAD:
    case OTA_BOOT_BELOW_FLOOR:
        console_line(console, OTA_LOG_WARNING, TAG, "%s: %s: %s (at 0x%x)", name,
                     ota_boot_event_text(event), ota_err_text(failure.err), failure.offset);
        break;
    case OTA_BOOT_REFUSED:
        console_line(console, OTA_LOG_WARNING, TAG, "%s: refused: all stays as it was", name);
        break;
    case OTA_BOOT_STOPPED:
        console_line(console, OTA_LOG_ERROR, TAG, "%s: %s: %s", name, ota_boot_event_text(event),
                     ota_err_text(failure.err));
        break;
    case OTA_BOOT_OTADATA_BAD:
    case OTA_BOOT_STATE_UNSAVED:
        console_line(console, OTA_LOG_WARNING, TAG, "%s: %s: %s",
                     boot->device->staging != NULL ? "staging" : "otadata",
                     ota_boot_event_text(event), ota_err_text(failure.err));
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
    if (result->on_trial) {
        cJSON_AddNumberToObject(facts, "trial_boot", result->trial_boot);
        cJSON_AddNumberToObject(facts, "trial_boots", result->trial_boots);
    }
    if (result->is_sealed) {
        cJSON_AddStringToObject(facts, "signature", ota_err_name(result->signature.err));
    }
    console_facts(console, "boot", facts);
}

/* "image valid", "on trial", "trial boot 2 of 3" */
static const char *standing(const struct rom_boot *result, char text[32])
{
    if (!result->on_trial) {
        return "image valid";
    }
    if (result->trial_boots <= 1) {
        return "on trial";
    }
    snprintf(text, 32, "trial boot %u of %u", result->trial_boot & 0xFFu,
             result->trial_boots & 0xFFu);
    return text;
}

static void tell_signature(struct console *console, const struct rom_boot *result, const char *slot)
{
    const struct ota_signature_report *signature = &result->signature;
    if (result->is_sealed && signature->err == OTA_OK) {
        console_line(console, OTA_LOG_INFO, TAG, "%s: signed: %s, %s, key %u", slot,
                     ota_signature_kind_name(signature->kind),
                     ota_signature_scheme_name(signature->scheme), signature->key);
    }
}

static void tell_choice(const struct board *board, struct console *console,
                        const struct rom_boot *result, double duration_ms)
{
    const struct ota_app_descriptor *descriptor = &result->descriptor;
    char slot[OTA_SLOT_NAME_SIZE];
    char text[32];
    board_slot_name(board, result->slot, slot);
    tell_signature(console, result, slot);
    console_line(console, OTA_LOG_INFO, TAG, "%s: %s%s%s, %s (%.1f KB hashed in %.1f ms)", slot,
                 descriptor->project[0] != '\0' ? descriptor->project : "image without a name",
                 descriptor->version[0] != '\0' ? " " : "", descriptor->version,
                 standing(result, text), result->image.length / 1024.0, duration_ms);
    tell_facts(console, result, slot);
}

/* ---- Booting --------------------------------------------------------------------------------- */

static enum ota_err decide(struct board *board, struct console *console, struct ota_boot *boot)
{
    uint8_t buffer[BUFFER_SIZE];
    if (board->settings.by_eboot) {
        return rom_boot_by_eboot(board, console, boot, buffer, sizeof buffer);
    }
    const enum ota_err err = board->device.staging != NULL
                                 ? rom_boot_staged(board, console, boot, buffer, sizeof buffer)
                                 : ota_boot_decide(boot, buffer, sizeof buffer);
    return err == OTA_OK && !ota_boot_is_proven(boot) ? OTA_ERR_NOTHING_BOOTABLE : err;
}

void rom_boot(struct board *board, struct console *console, struct rom_boot *result)
{
    struct narrator narrator = {.console = console, .board = board};
    struct ota_boot boot = {.device = &board->device,
                            .read = ota_image_read,
                            .trial_boots = board->settings.trial_boots,
                            .on_event = narrate,
                            .context = &narrator};
    memset(result, 0, sizeof *result);
    const double start = milliseconds();
    result->err = decide(board, console, &boot);
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
    result->trial_boot = boot.trial_boot;
    result->trial_boots = boot.trial_boots;
    result->signature = boot.signature;
    result->is_sealed = boot.signature.kind != OTA_SIGNED_NOT || boot.signature.err != OTA_OK;
    result->region = boot.region;
    result->image = boot.check.image;
    result->crc = ota_crc32(0, board->nor.memory + boot.region.offset, boot.check.image.length);
    ota_image_app_descriptor(&result->image, &result->descriptor);
    tell_choice(board, console, result, end - start);
}
