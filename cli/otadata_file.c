/* SPDX-License-Identifier: Apache-2.0 */
/* otadata in files: found, decoded, printed. */

#include "cli/otadata_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/output.h"
#include "cli/table_file.h"
#include "cli/table_load.h"

#define SLOTS_UNLESS_SAID 2u
#define TABLE_OFFSET_MAX 0xFFF000u /* lower than 16 MB, which every bootloader can read */

/* Finding it. */

/* Reads the layout of a table from elsewhere: the table is laid where it belongs on a chip of its
   own, and read as it would be there. */
static int read_layout_of(const char *name, bool offset_given, uint32_t offset,
                          struct ota_layout *layout)
{
    struct loaded_table loaded;
    struct table_problem problem;
    struct chip_image chip = {0};
    struct ota_partition_table table;

    table_load_defaults(&loaded);
    loaded.offset_given = offset_given;
    loaded.options.offset = offset;
    int status = table_load_named(name, &loaded);
    if (status == COMMAND_GOOD) {
        offset = loaded.options.offset;
        struct files_content content = {.size = offset + OTA_PARTITION_TABLE_SECTOR};
        content.data = output_allocate(content.size);
        memset(content.data, 0xFF, content.size);
        chip_image_adopt(&chip, name, content);
        if (!table_encode(&loaded.table, &loaded.options, &ota_crypto_psa, content.data + offset,
                          &problem)) {
            status = table_load_fail(loaded.name, &problem);
        } else {
            status = chip_image_open_table(&chip, offset, &table);
        }
    }
    if (status == COMMAND_GOOD && ota_layout_read(layout, &table) != OTA_OK) {
        status = fail("%s: cannot be read", name);
    }
    chip_image_close(&chip);
    table_unload(&loaded);
    return status;
}

/* Finds the otadata partition, and how many slots there are, by the table in the image or
   another. */
static int find_by_table(const struct command_call *call, const char *partitions, uint32_t offset,
                         struct otadata_file *file)
{
    struct ota_partition_table table;
    if (partitions != NULL) {
        int status =
            read_layout_of(partitions, command_flag(call, "offset"), offset, &file->layout);
        if (status != COMMAND_GOOD) {
            return status;
        }
    } else {
        if (chip_image_open_table(&file->chip, offset, &table) != 0) {
            return COMMAND_FAILED;
        }
        if (ota_layout_read(&file->layout, &table) != OTA_OK) {
            return fail("%s: cannot be read", file->chip.path);
        }
    }
    file->has_layout = true;
    if (file->whole_chip) {
        const struct ota_extent *otadata = &file->layout.otadata;
        if (otadata->size < OTA_OTADATA_SIZE) {
            return fail("%s: %s; its factory app always boots", files_name(file->chip.path),
                        otadata->size == 0 ? "the partition table has no otadata partition"
                                           : "the otadata partition is smaller than 0x2000 bytes");
        }
        if (file->chip.flash.size < otadata->offset + otadata->size) {
            file->chip.flash.size = otadata->offset + otadata->size;
        }
        file->region = (struct ota_region){
            .flash = &file->chip.flash, .offset = otadata->offset, .size = otadata->size};
    }
    return COMMAND_GOOD;
}

static int open_content(const char *path, bool make_missing, struct otadata_file *file)
{
    if (make_missing && strcmp(path, "-") != 0 && access(path, F_OK) != 0 && errno == ENOENT) {
        struct files_content blank = {.size = OTA_OTADATA_SIZE};
        blank.data = output_allocate(blank.size);
        memset(blank.data, 0xFF, blank.size);
        chip_image_adopt(&file->chip, path, blank);
        return COMMAND_GOOD;
    }
    return chip_image_open(&file->chip, path, 0) == 0 ? COMMAND_GOOD : COMMAND_FAILED;
}

int otadata_file_open(const struct command_call *call, const char *path, bool make_missing,
                      struct otadata_file *file)
{
    uint64_t slots = 0;
    uint64_t offset = OTA_PARTITION_TABLE_OFFSET;
    const char *partitions = command_value(call, "partitions");

    *file = (struct otadata_file){0};
    if (!command_number(call, "slots", 1, OTA_SLOTS_MAX, &slots) ||
        !command_number(call, "offset", 0, TABLE_OFFSET_MAX, &offset)) {
        return COMMAND_USAGE;
    }
    int status = open_content(path, make_missing, file);
    if (status != COMMAND_GOOD) {
        return status;
    }
    size_t size = file->chip.content.size;
    file->whole_chip = command_flag(call, "flash") || size > offset;
    if (!file->whole_chip && size != OTA_OTADATA_SIZE) {
        return fail(
            "%s: %s bytes are neither an otadata partition (8,192 bytes) nor a chip's image "
            "with a partition table at 0x%" PRIx64,
            files_name(path), output_thousands(size).text, offset);
    }
    file->region = (struct ota_region){.flash = &file->chip.flash, .size = OTA_OTADATA_SIZE};
    if (file->whole_chip || partitions != NULL) {
        status = find_by_table(call, partitions, (uint32_t)offset, file);
    }
    file->slots = slots > 0                                       ? (unsigned)slots
                  : file->has_layout && file->layout.ota_rows > 0 ? file->layout.ota_rows
                                                                  : SLOTS_UNLESS_SAID;
    return status;
}

void otadata_file_close(struct otadata_file *file)
{
    chip_image_close(&file->chip);
}

/* Printing it. */

const char *otadata_file_boots(const struct ota_otadata *otadata, const struct ota_layout *layout,
                               unsigned slots, char name[OTA_SLOT_NAME_SIZE])
{
    int active = ota_otadata_active(otadata);
    if (active >= 0) {
        return ota_slot_name(ota_otadata_slot(&otadata->entry[active], slots), name);
    }
    return ota_slot_name(layout == NULL || layout->factory.size > 0 ? OTA_SLOT_FACTORY : 0, name);
}

static const char *crc_text(const struct ota_otadata_entry *entry, char text[32])
{
    bool good = entry->crc == ota_otadata_crc(entry->sequence);
    snprintf(text, 32, "0x%08" PRIx32 " %s", entry->crc, good ? "ok" : "bad");
    return text;
}

void otadata_file_print(const struct ota_otadata *otadata, unsigned slots, const char *indent)
{
    int active = ota_otadata_active(otadata);
    struct output_table table;
    output_table_begin(&table, "rrlll");
    output_table_row(&table, "ENTRY", "SEQUENCE", "CRC", "STATE", "SLOT");
    for (int i = 0; i < OTA_OTADATA_ENTRIES; i++) {
        const struct ota_otadata_entry *entry = &otadata->entry[i];
        char number[12];
        char sequence[16];
        char crc[32];
        char name[OTA_SLOT_NAME_SIZE];
        char slot[40];
        snprintf(number, sizeof number, "%d", i);
        if (entry->sequence == UINT32_MAX) {
            output_table_row(&table, number, "none", "", "", "");
            continue;
        }
        snprintf(sequence, sizeof sequence, "%" PRIu32, entry->sequence);
        snprintf(slot, sizeof slot, "%s%s", ota_slot_name(ota_otadata_slot(entry, slots), name),
                 i == active                         ? ", this entry counts"
                 : ota_otadata_entry_is_valid(entry) ? ""
                                                     : ", not valid");
        output_table_row(&table, number, sequence, crc_text(entry, crc),
                         ota_image_state_name(entry->state), slot);
    }
    output_table_print(&table, stdout, indent);
}

cJSON *otadata_file_json(const struct ota_otadata *otadata, unsigned slots)
{
    int active = ota_otadata_active(otadata);
    cJSON *json = cJSON_CreateObject();
    cJSON *entries = cJSON_AddArrayToObject(json, "entries");

    cJSON_AddNumberToObject(json, "slots", slots);
    if (active >= 0) {
        cJSON_AddNumberToObject(json, "active", active);
        cJSON_AddNumberToObject(json, "slot", ota_otadata_slot(&otadata->entry[active], slots));
    } else {
        cJSON_AddNullToObject(json, "active");
        cJSON_AddNullToObject(json, "slot");
    }
    for (int i = 0; i < OTA_OTADATA_ENTRIES; i++) {
        const struct ota_otadata_entry *entry = &otadata->entry[i];
        bool written = entry->sequence != UINT32_MAX;
        cJSON *item = cJSON_CreateObject();
        cJSON_AddNumberToObject(item, "sequence", entry->sequence);
        cJSON_AddBoolToObject(item, "written", ota_otadata_entry_is_written(entry));
        cJSON_AddBoolToObject(item, "valid", ota_otadata_entry_is_valid(entry));
        cJSON_AddNumberToObject(item, "crc", entry->crc);
        cJSON_AddBoolToObject(item, "crc_ok", entry->crc == ota_otadata_crc(entry->sequence));
        cJSON_AddNumberToObject(item, "state", entry->state);
        cJSON_AddStringToObject(item, "state_name", ota_image_state_name(entry->state));
        if (written) {
            cJSON_AddNumberToObject(item, "slot", ota_otadata_slot(entry, slots));
        } else {
            cJSON_AddNullToObject(item, "slot");
        }
        cJSON_AddItemToArray(entries, item);
    }
    return json;
}
