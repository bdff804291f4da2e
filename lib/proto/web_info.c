/* SPDX-License-Identifier: Apache-2.0 */
/* What there is: JSON for the page, docs/formats/web-upload.md section 6. */

#include "proto/web_private.h"

#include <updraft/slot.h>

#include "proto/json.h"

static bool is_file_system(const struct ota_partition *partition)
{
    return partition->type == OTA_PARTITION_DATA &&
           (partition->subtype == OTA_SUBTYPE_DATA_SPIFFS ||
            partition->subtype == OTA_SUBTYPE_DATA_FAT ||
            partition->subtype == OTA_SUBTYPE_DATA_LITTLEFS);
}

/* The same that the intake takes. */
enum ota_err ota__web_data_partition(const struct ota_web *web, struct ota_partition *partition)
{
    static const uint8_t subtypes[] = {OTA_SUBTYPE_DATA_SPIFFS, OTA_SUBTYPE_DATA_LITTLEFS,
                                       OTA_SUBTYPE_DATA_FAT};
    const struct ota_partition_table *table = &web->options.device->table;
    const char *label = web->options.intake->options.data_label;
    enum ota_err err = OTA_ERR_NO_PARTITION;

    if (label != NULL) {
        return ota_partition_find(table, OTA_PARTITION_DATA, OTA_SUBTYPE_ANY, label, partition);
    }
    for (size_t i = 0; i < sizeof subtypes && err == OTA_ERR_NO_PARTITION; i++) {
        err = ota_partition_find(table, OTA_PARTITION_DATA, subtypes[i], NULL, partition);
    }
    return err;
}

uint32_t ota__web_room(const struct ota_web *web, bool is_data)
{
    const struct ota_device *device = web->options.device;
    struct ota_partition partition;

    if (is_data) {
        return ota__web_data_partition(web, &partition) == OTA_OK ? partition.size
                                                                  : OTA_SIZE_UNKNOWN;
    }
    uint32_t size = ota_slot_room(device);
    return size != 0 ? size : OTA_SIZE_UNKNOWN;
}

static void write_slot(const struct ota_device *device, int slot, int boots, bool first,
                       struct ota_text *text)
{
    struct ota_app_descriptor descriptor;
    enum ota_image_state state;
    char name[OTA_SLOT_NAME_SIZE];
    bool described = ota_slot_describe(device, slot, &descriptor) == OTA_OK;
    bool has_state = slot >= 0 && ota_slot_state(device, slot, &state) == OTA_OK;

    ota_text_put(text, first ? "{" : ",{");
    ota__json_put_name(text, "label", true);
    ota__json_put_string(text, ota_slot_name(slot, name));
    ota__json_put_number_member(text, "size", ota_layout_slot(&device->layout, slot).size);
    ota__json_put_string_member(text, "project", described ? descriptor.project : NULL);
    ota__json_put_string_member(text, "version", described ? descriptor.version : NULL);
    ota__json_put_string_member(text, "state", has_state ? ota_image_state_name(state) : NULL);
    ota__json_put_bool_member(text, "runs", slot == device->running_slot);
    ota__json_put_bool_member(text, "next", slot == boots);
    ota_text_put(text, "}");
}

static void write_slots(const struct ota_device *device, struct ota_text *text)
{
    bool first = true;
    int boots = OTA_SLOT_NONE;

    if (ota_slot_boot(device, &boots) != OTA_OK) {
        boots = OTA_SLOT_NONE;
    }
    ota__json_put_name(text, "slots", false);
    ota_text_put(text, "[");
    for (int slot = OTA_SLOT_FACTORY; slot < OTA_SLOTS_MAX; slot++) {
        if (ota_layout_slot(&device->layout, slot).size != 0) {
            write_slot(device, slot, boots, first, text);
            first = false;
        }
    }
    ota_text_put(text, "]");
}

static void write_partition(const struct ota_partition *partition, bool first,
                            struct ota_text *text)
{
    ota_text_put(text, first ? "{" : ",{");
    ota__json_put_name(text, "label", true);
    ota__json_put_string(text, partition->label);
    ota__json_put_number_member(text, "size", partition->size);
    ota_text_put(text, "}");
}

/* The one that uploads go to, then the others. */
static void write_data(const struct ota_web *web, struct ota_text *text)
{
    const struct ota_partition_table *table = &web->options.device->table;
    struct ota_partition target, partition;
    bool has_target = ota__web_data_partition(web, &target) == OTA_OK;

    ota__json_put_name(text, "data", false);
    ota_text_put(text, "[");
    if (has_target) {
        write_partition(&target, true, text);
    }
    for (uint32_t i = 0; has_target && i < table->rows; i++) {
        if (ota_partition_get(table, i, &partition) == OTA_OK && is_file_system(&partition) &&
            partition.offset != target.offset) {
            write_partition(&partition, false, text);
        }
    }
    ota_text_put(text, "]");
}

static void write_busy(const struct ota_web_connection *connection, struct ota_text *text)
{
    const struct ota_intake *intake = connection->web->options.intake;

    ota__json_put_name(text, "busy", false);
    if (intake->state == OTA_INTAKE_FREE) {
        ota_text_put(text, "null");
        return;
    }
    ota_text_put(text, "{");
    ota__json_put_name(text, "way", true);
    ota__json_put_string(text, intake->arrival.way);
    ota__json_put_number_member(text, "received", connection->received);
    if (intake->arrival.size == OTA_SIZE_UNKNOWN) {
        ota__json_put_string_member(text, "size", NULL);
    } else {
        ota__json_put_number_member(text, "size", intake->arrival.size);
    }
    ota_text_put(text, "}");
}

static void put_hex(struct ota_text *text, uint32_t value)
{
    const uint8_t bytes[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                              (uint8_t)value};

    ota_text_put_hex(text, bytes, sizeof bytes, 0, false);
}

/* "Jun  1 2025 12:00:00", or nothing. */
static void write_built(const struct ota_app_descriptor *running, struct ota_text *text)
{
    char built[sizeof running->date + sizeof running->time + 1];
    struct ota_text joined;

    ota_text_begin(&joined, built, sizeof built);
    ota_text_put(&joined, running->date);
    ota_text_put(&joined, running->date[0] != '\0' && running->time[0] != '\0' ? " " : "");
    ota_text_put(&joined, running->time);
    ota__json_put_string_member(text, "built", ota_text_end(&joined));
}

void ota__web_write_info(const struct ota_web_connection *connection, struct ota_text *text)
{
    const struct ota_web *web = connection->web;
    const struct ota_device *device = web->options.device;
    const struct ota_app_descriptor *running = &web->options.intake->running;
    const struct ota_unwrap *unwrap = web->options.intake->options.unwrap;
    const struct ota_chip_facts *chip = ota_chip_facts(device->chip.id);
    char name[OTA_SLOT_NAME_SIZE];

    ota_text_put(text, "{");
    ota__json_put_name(text, "name", true);
    ota__json_put_string(text, web->options.name != NULL ? web->options.name : "");
    ota__json_put_string_member(text, "chip", chip != NULL ? chip->name : "");
    ota__json_put_string_member(text, "project", running->project);
    ota__json_put_string_member(text, "version", running->version);
    ota__json_put_string_member(text, "idf", running->idf_version);
    write_built(running, text);
    ota__json_put_string_member(text, "running", ota_slot_name(device->running_slot, name));
    ota__json_put_bool_member(text, "on_trial", ota_slot_is_on_trial(device));
    ota__json_put_bool_member(text, "can_roll_back", ota_slot_can_roll_back(device) == OTA_OK);
    ota__json_put_bool_member(text, "gzip",
                              unwrap != NULL && ota_decoders_take_gzip(unwrap->decoders));
    ota__json_put_string_member(text, "restart",
                                web->options.restart == OTA_WEB_RESTART_BY_HAND ? "user" : "auto");
    ota__json_put_name(text, "boot", false);
    ota_text_put(text, "\"");
    put_hex(text, web->options.boot);
    ota_text_put(text, "\"");
    ota__json_put_number_member(text, "uptime_ms", connection->uptime_ms);
    write_busy(connection, text);
    write_slots(device, text);
    write_data(web, text);
    ota_text_put(text, "}\n");
}
