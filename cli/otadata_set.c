/* SPDX-License-Identifier: Apache-2.0 */
/* `updraft otadata set`: make a slot the one that boots. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/otadata_file.h"
#include "cli/output.h"

/* Reads "1" or "ota_1". */
static bool parse_slot(const char *text, int *slot)
{
    char *end;
    if (strncmp(text, "ota_", 4) == 0) {
        text += 4;
    }
    long number = strtol(text, &end, 10);
    *slot = (int)number;
    return *text >= '0' && *text <= '9' && *end == '\0' && number < OTA_SLOTS_MAX;
}

static bool parse_state(const char *text, uint32_t *state)
{
    static const uint32_t states[] = {OTA_STATE_NEW,     OTA_STATE_PENDING_VERIFY,
                                      OTA_STATE_VALID,   OTA_STATE_INVALID,
                                      OTA_STATE_ABORTED, OTA_STATE_UNDEFINED};
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        if (strcmp(text, ota_image_state_name(states[i])) == 0) {
            *state = states[i];
            return true;
        }
    }
    return false;
}

static int set(const struct command_call *call, struct otadata_file *file, int slot, uint32_t state)
{
    const char *path = file->chip.path;
    struct ota_otadata otadata;
    struct ota_otadata_entry entry;
    int index;
    unsigned slots = file->has_layout ? file->layout.ota_run : file->slots;

    if ((unsigned)slot >= slots) {
        return fail("%s: there is no ota_%d: %s %u slot%s%s", path, slot,
                    file->has_layout ? "the partition table has" : "without a table there are",
                    slots, slots == 1 ? "" : "s",
                    file->has_layout ? "" : ", unless --slots says how many");
    }
    if (file->chip.content.size < (size_t)file->region.offset + file->region.size) {
        return fail("%s: ends before otadata at 0x%" PRIx32
                    " does; make it with `updraft flash make --otadata ota_%d`",
                    path, file->region.offset, slot);
    }
    enum ota_err err = ota_otadata_read(&otadata, &file->region);
    if (err == OTA_OK) {
        err = ota_otadata_select(&otadata, slot, slots, false, &index, &entry);
    }
    if (err == OTA_ERR_STATE) {
        return fail("%s: the sequence numbers are used up; begin anew with `updraft otadata erase`",
                    path);
    }
    entry.state = state;
    if (err == OTA_OK) {
        err = ota_otadata_write(&file->region, index, &entry);
    }
    if (err != OTA_OK) {
        return fail("%s: %s", path, ota_err_text(err));
    }
    if (chip_image_save(&file->chip) != 0) {
        return COMMAND_FAILED;
    }
    if (command_flag(call, "json")) {
        otadata.entry[index] = entry;
        cJSON *json = otadata_file_json(&otadata, slots);
        output_json_add_text(json, "file", path);
        cJSON_AddNumberToObject(json, "entry", index);
        return output_json(json);
    }
    printf("%s: entry %d: sequence %" PRIu32 ", state %s: boots ota_%d of %u slot%s\n", path, index,
           entry.sequence, ota_image_state_name(state), slot, slots, slots == 1 ? "" : "s");
    return COMMAND_GOOD;
}

static int run(const struct command_call *call)
{
    const char *path = command_argument(call, 0);
    const char *slot_text = command_value(call, "slot");
    const char *state_text = command_value(call, "state");
    uint32_t state = OTA_STATE_UNDEFINED;
    int slot;

    if (slot_text == NULL || !parse_slot(slot_text, &slot)) {
        return command_usage(call, "say which slot shall boot: --slot 0 to 15, or ota_0 to ota_15");
    }
    if (state_text != NULL && !parse_state(state_text, &state)) {
        return command_usage(call,
                             "--state takes new, pending-verify, valid, invalid, aborted or "
                             "undefined, not '%s'",
                             state_text);
    }
    if (strcmp(path, "-") == 0) {
        return command_usage(call, "otadata is changed in place: name its file instead of -");
    }
    struct otadata_file file;
    int status = otadata_file_open(call, path, true, &file);
    if (status == COMMAND_GOOD) {
        status = set(call, &file, slot, state);
    }
    otadata_file_close(&file);
    return status;
}

static const struct command_option options[] = {
    {"slot", 0, "SLOT", "the slot that shall boot, like 1 or ota_1"},
    {"state", 0, "STATE",
     "new, pending-verify, valid, invalid, aborted or undefined (default undefined)"},
    OTADATA_FILE_OPTIONS,
    COMMAND_OPTION_JSON,
    {0},
};

static const char *const examples[] = {
    "updraft otadata set otadata.bin --slot ota_1",
    "# in a whole chip's image, on trial: the bootloader takes it back unless it is confirmed",
    "updraft otadata set chip.bin --slot 1 --state new",
    NULL,
};

const struct command command_otadata_set = {
    .noun = "otadata",
    .verb = "set",
    .summary = "Choose the slot that boots",
    .synopsis = "FILE",
    .description =
        "Writes otadata as esp_ota_set_boot_partition does: the entry that does not count gets the "
        "next sequence number that stands for the slot; if the slot is chosen already, only its "
        "state is written anew. A file that does not exist is made, as an otadata partition. The "
        "file changes whole or not at all.\n"
        "\n"
        "FILE is an otadata partition of 8,192 bytes, or a whole chip's image, where the partition "
        "table says where otadata is and how many slots there are. The image in the slot is not "
        "looked at: `updraft flash show` does that.",
    .options = options,
    .examples = examples,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
