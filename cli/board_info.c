/* SPDX-License-Identifier: Apache-2.0 */
/* `updraft board info DIR`: what is on a virtual board, and what it has been through. */

#include "cli/commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <updraft/journal.h>
#include <updraft/otadata.h>
#include <updraft/slot.h>

#include "cli/board_map.h"
#include "cli/board_trust.h"
#include "cli/image_names.h"
#include "cli/output.h"
#include "posix/board.h"

#define NONE "–"

/* What is known of one slot. */
struct slot_facts {
    int slot;
    char name[OTA_SLOT_NAME_SIZE];
    struct ota_extent extent;
    bool empty;
    enum ota_err err; /* of the image in it */
    struct ota_app_descriptor descriptor;
    bool has_state;
    enum ota_image_state state;
    bool runs;
    uint64_t erased;      /* erases of its sectors, added up */
    uint32_t worn;        /* erases of the sector that has most */
    uint32_t resume_at;   /* an update that waits: bytes that have arrived */
    uint32_t resume_size; /* 0: there is none */
};

/* Adds up the wear of a stretch of flash. */
static void count_wear(const struct board *board, struct ota_extent extent, uint64_t *erased,
                       uint32_t *worn)
{
    const uint32_t sector = board->nor.flash.erase_size;
    *erased = 0;
    *worn = 0;
    for (uint32_t i = extent.offset / sector; i < (extent.offset + extent.size) / sector; i++) {
        *erased += board->nor.wear[i];
        *worn = board->nor.wear[i] > *worn ? board->nor.wear[i] : *worn;
    }
}

/* Looks for the journal of an interrupted update. */
static void look_for_journal(const struct ota_region *region, struct slot_facts *facts)
{
    struct ota_journal journal;
    if (ota_journal_open(&journal, region) == OTA_OK) {
        facts->resume_size = journal.size;
        facts->resume_at = journal.last.offset;
    }
}

static void look_at_slot(const struct board *board, int slot, struct slot_facts *facts)
{
    const struct ota_device *device = &board->device;
    struct ota_image_check check;
    struct ota_region region;
    uint8_t first[16];
    *facts = (struct slot_facts){.slot = slot};
    board_slot_name(board, slot, facts->name);
    facts->extent = ota_layout_slot(&device->layout, slot);
    facts->runs = board->state->running_slot == slot && board->state->boots > 0;
    facts->has_state = ota_slot_state(device, slot, &facts->state) == OTA_OK;
    count_wear(board, facts->extent, &facts->erased, &facts->worn);
    if (ota_layout_region(&device->layout, device->flash, slot, &region) != OTA_OK ||
        ota_region_read(&region, 0, first, sizeof first) != OTA_OK) {
        facts->err = OTA_ERR_FLASH_READ;
        return;
    }
    facts->empty = first[0] == 0xFF;
    for (size_t i = 1; i < sizeof first; i++) {
        facts->empty = facts->empty && first[i] == 0xFF;
    }
    look_for_journal(&region, facts);
    if (!facts->empty) {
        facts->err = ota_slot_verify(device, slot, &check);
        ota_image_app_descriptor(&check.image, &facts->descriptor);
    }
}

/* What is staged is a slot as long as there is an image that could be brought to its place. */
static bool is_slot(const struct board *board, const struct slot_facts *facts)
{
    return board->device.staging == NULL || facts->slot == 0 ||
           (facts->has_state && !facts->empty && facts->err == OTA_OK);
}

/* All slots of the board, in the order that people list them. */
static size_t look_at_slots(const struct board *board, struct slot_facts *facts)
{
    size_t count = 0;
    for (int slot = OTA_SLOT_TEST; slot < OTA_SLOTS_MAX; slot++) {
        if (ota_layout_slot(&board->device.layout, slot).size != 0) {
            look_at_slot(board, slot, &facts[count]);
            count += is_slot(board, &facts[count]) ? 1 : 0;
        }
    }
    return count;
}

/* The sequence number that counts, or 0. */
static uint32_t active_sequence(const struct board *board)
{
    const struct ota_extent extent = board->device.layout.otadata;
    struct ota_region region;
    struct ota_otadata otadata;
    if (ota_region_init(&region, board->device.flash, extent.offset, extent.size) != OTA_OK ||
        ota_otadata_read(&otadata, &region) != OTA_OK) {
        return 0;
    }
    const int active = ota_otadata_active(&otadata);
    return active >= 0 ? otadata.entry[active].sequence : 0;
}

/* The image of a slot in words: "garden 2.3.0". */
static struct output_text image_text(const struct slot_facts *facts)
{
    struct output_text text;
    char words[2 * sizeof facts->descriptor.project];
    if (facts->empty) {
        strcpy(text.text, "empty");
        return text;
    }
    if (facts->err != OTA_OK) {
        strcpy(text.text, facts->resume_size != 0 ? "incomplete" : "damaged");
        return text;
    }
    if (facts->descriptor.project[0] == '\0') {
        strcpy(text.text, "without a name");
        return text;
    }
    snprintf(words, sizeof words, "%.20s %.18s", facts->descriptor.project,
             facts->descriptor.version);
    output_escape(words, text.text, sizeof text.text);
    return text;
}

static struct output_text state_text(const struct slot_facts *facts)
{
    struct output_text text;
    const char *state = facts->has_state ? ota_image_state_name(facts->state) : NULL;
    snprintf(text.text, sizeof text.text, "%s%s%s", state != NULL ? state : "",
             state != NULL && facts->runs ? ", " : "", facts->runs ? "runs" : "");
    if (text.text[0] == '\0') {
        strcpy(text.text, NONE);
    }
    return text;
}

static struct output_text count_text(uint64_t count)
{
    if (count == 0) {
        return (struct output_text){NONE};
    }
    return output_thousands(count);
}

static void print_title(const struct board *board)
{
    const struct board_state *state = board->state;
    char unknown[IMAGE_CHIP_NAME_SIZE];
    char slot[OTA_SLOT_NAME_SIZE];
    char name[4 * BOARD_NAME_MAX + 1];
    printf("%s%s%s: %s, %s flash, ", output_begin(stdout, OUTPUT_BOLD),
           output_escape(board->settings.name, name, sizeof name), output_end(stdout),
           image_chip_name(board->settings.chip.id, unknown),
           output_size(board->settings.flash_size).text);
    if (board->settings.profile[0] != '\0') {
        printf("%s%s, ", board->settings.profile, board->settings.by_eboot ? " by eboot" : "");
    }
    if (state->boots == 0) {
        printf("never switched on\n");
    } else if (state->running_slot == OTA_SLOT_NONE) {
        printf("running nothing, %" PRIu32 " boots since power on\n", state->boots_since_power_on);
    } else {
        printf("running %s, %" PRIu32 " boot%s since power on\n",
               board_slot_name(board, state->running_slot, slot), state->boots_since_power_on,
               state->boots_since_power_on == 1 ? "" : "s");
    }
}

static void print_slots(const struct board *board, const struct slot_facts *facts, size_t count,
                        uint32_t sequence)
{
    struct output_table table;
    output_table_begin(&table, "llllrr");
    output_table_row(&table, "SLOT", "OFFSET", "IMAGE", "STATE", "ERASED", "WORN MOST");
    for (size_t i = 0; i < count; i++) {
        output_table_row(&table, facts[i].name, output_hex(facts[i].extent.offset, 6).text,
                         image_text(&facts[i]).text, state_text(&facts[i]).text,
                         count_text(facts[i].erased).text, count_text(facts[i].worn).text);
    }
    const struct ota_extent otadata = board->device.layout.otadata;
    if (otadata.size != 0) {
        uint64_t erased;
        uint32_t worn;
        char words[24] = "empty";
        count_wear(board, otadata, &erased, &worn);
        if (sequence != 0) {
            snprintf(words, sizeof words, "seq %" PRIu32, sequence);
        }
        output_table_row(&table, "otadata", output_hex(otadata.offset, 6).text, words, NONE,
                         count_text(erased).text, count_text(worn).text);
    }
    output_table_print(&table, stdout, "  ");
}

static void print_problems(const struct board *board, const struct slot_facts *facts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (facts[i].resume_size != 0) {
            printf("  %-8s an update waits: %s of %s bytes have arrived\n", facts[i].name,
                   output_thousands(facts[i].resume_at).text,
                   output_thousands(facts[i].resume_size).text);
        } else if (!facts[i].empty && facts[i].err != OTA_OK) {
            printf("  %-8s damaged: %s\n", facts[i].name, ota_err_text(facts[i].err));
        }
    }
    if (board->state->nor.violations > 0) {
        printf("  flash    %" PRIu32 " accesses broke the chip's rules, the first: %s\n",
               board->state->nor.violations, board->state->nor.note);
    }
}

static uint64_t total_erases(const struct nor_statistics *statistics)
{
    uint64_t erases = 0;
    for (int i = 0; i < NOR_ERASE_UNITS_MAX; i++) {
        erases += statistics->erases[i];
    }
    return erases;
}

static void print_life(struct board *board)
{
    const struct nor_statistics *statistics = &board->state->nor.statistics;
    const uint8_t *mac = board->settings.mac;
    printf("  boots    %" PRIu32 " in all, the last by %s\n", board->state->boots,
           board->state->boots > 0 ? board_reset_reason_text(board->state->reset_reason)
                                   : "nothing yet");
    if (board->state->hold[0] != '\0') {
        char reason[4 * BOARD_HOLD_SIZE + 1];
        printf("  held     %s\n", output_escape(board->state->hold, reason, sizeof reason));
    }
    printf("  flash    %s operations: %s programs, %s erases, %.3f s as a real chip does them\n",
           output_thousands(statistics->operations).text,
           output_thousands(statistics->programs).text,
           output_thousands(total_erases(statistics)).text, (double)statistics->time_ns / 1e9);
    printf(
        "  fuses    MAC %02x:%02x:%02x:%02x:%02x:%02x, chip revision %u.%u, secure version %" PRIu32
        "%s\n",
        mac[0], mac[1], mac[2], mac[3], mac[4], mac[5], board->settings.chip.revision / 100u,
        board->settings.chip.revision % 100u,
        board->fuses.fuses.secure_version(&board->fuses.fuses),
        board->settings.anti_rollback ? "" : " (not looked at)");
    board_trust_print(&board->settings);
}

static cJSON *slot_json(const struct slot_facts *facts)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "slot", facts->name);
    cJSON_AddNumberToObject(json, "offset", facts->extent.offset);
    cJSON_AddNumberToObject(json, "size", facts->extent.size);
    cJSON_AddBoolToObject(json, "empty", facts->empty);
    cJSON_AddBoolToObject(json, "valid", !facts->empty && facts->err == OTA_OK);
    if (!facts->empty && facts->err != OTA_OK) {
        cJSON_AddStringToObject(json, "problem", ota_err_name(facts->err));
    }
    output_json_add_text(json, "project", facts->descriptor.project);
    output_json_add_text(json, "version", facts->descriptor.version);
    if (facts->has_state) {
        cJSON_AddStringToObject(json, "state", ota_image_state_name(facts->state));
    } else {
        cJSON_AddNullToObject(json, "state");
    }
    cJSON_AddBoolToObject(json, "runs", facts->runs);
    cJSON_AddNumberToObject(json, "erased", (double)facts->erased);
    cJSON_AddNumberToObject(json, "worn_most", facts->worn);
    if (facts->resume_size != 0) {
        cJSON *resume = cJSON_AddObjectToObject(json, "resume");
        cJSON_AddNumberToObject(resume, "offset", facts->resume_at);
        cJSON_AddNumberToObject(resume, "size", facts->resume_size);
    }
    return json;
}

static void add_flash_json(cJSON *json, const struct nor_state *state)
{
    cJSON *flash = cJSON_AddObjectToObject(json, "flash");
    cJSON_AddNumberToObject(flash, "operations", (double)state->statistics.operations);
    cJSON_AddNumberToObject(flash, "programs", (double)state->statistics.programs);
    cJSON_AddNumberToObject(flash, "erases", (double)total_erases(&state->statistics));
    cJSON_AddNumberToObject(flash, "bytes_read", (double)state->statistics.bytes_read);
    cJSON_AddNumberToObject(flash, "bytes_programmed", (double)state->statistics.bytes_programmed);
    cJSON_AddNumberToObject(flash, "seconds", (double)state->statistics.time_ns / 1e9);
    cJSON_AddNumberToObject(flash, "violations", state->violations);
}

static int print_json(struct board *board, const struct slot_facts *facts, size_t count,
                      uint32_t sequence, const struct board_map *map)
{
    const struct board_state *state = board->state;
    const uint8_t *mac = board->settings.mac;
    char unknown[IMAGE_CHIP_NAME_SIZE];
    char text[24];
    cJSON *json = cJSON_CreateObject();
    output_json_add_text(json, "name", board->settings.name);
    cJSON_AddStringToObject(json, "chip", image_chip_name(board->settings.chip.id, unknown));
    snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
             mac[4], mac[5]);
    cJSON_AddStringToObject(json, "mac", text);
    cJSON_AddNumberToObject(json, "secure_version",
                            board->fuses.fuses.secure_version(&board->fuses.fuses));
    cJSON_AddNumberToObject(json, "flash_size", board->settings.flash_size);
    cJSON_AddItemToObject(json, "trust", board_trust_json(&board->settings));
    cJSON_AddNumberToObject(json, "boots", state->boots);
    cJSON_AddNumberToObject(json, "boots_since_power_on", state->boots_since_power_on);
    cJSON_AddStringToObject(json, "reset_reason", board_reset_reason_text(state->reset_reason));
    if (state->hold[0] != '\0') {
        output_json_add_text(json, "hold", state->hold);
    } else {
        cJSON_AddNullToObject(json, "hold");
    }
    cJSON_AddNumberToObject(json, "otadata_sequence", sequence);
    if (board->settings.profile[0] != '\0') {
        cJSON_AddStringToObject(json, "profile", board->settings.profile);
        cJSON_AddStringToObject(json, "boot", board->settings.by_eboot ? "eboot" : "updraft");
    }
    cJSON *slots = cJSON_AddArrayToObject(json, "slots");
    for (size_t i = 0; i < count; i++) {
        cJSON_AddItemToArray(slots, slot_json(&facts[i]));
    }
    cJSON_AddItemToObject(json, "map", board_map_json(map));
    add_flash_json(json, &state->nor);
    return output_json(json);
}

static int show(const struct command_call *call, struct board *board)
{
    static struct board_map map;
    struct slot_facts facts[OTA_SLOTS_MAX + 3];
    struct ota_failure failure = {.err = OTA_OK};
    const struct nor_state before = board->state->nor;
    const enum ota_err err = board_open_device(board, &failure);
    if (err != OTA_OK && board->device.staging != NULL) {
        return fail("%s: the board's layout cannot be read: %s", board->settings.name,
                    ota_err_text(err));
    }
    if (err != OTA_OK) {
        return fail("%s: the partition table at 0x%x is not valid: %s (row at 0x%x)",
                    board->settings.name, board->settings.table_offset, ota_err_text(failure.err),
                    failure.offset);
    }
    const size_t count = look_at_slots(board, facts);
    const uint32_t sequence = active_sequence(board);
    board_map_read(&map, board);
    board->state->nor = before; /* looking is not the board's reading */
    if (command_flag(call, "json")) {
        return print_json(board, facts, count, sequence, &map);
    }
    print_title(board);
    print_slots(board, facts, count, sequence);
    print_problems(board, facts, count);
    board_map_print(&map);
    print_life(board);
    return COMMAND_GOOD;
}

static int run(const struct command_call *call)
{
    static struct board board;
    const int status = board_open(&board, command_argument(call, 0), BOARD_LOOK)
                           ? show(call, &board)
                           : fail("%s", board.error);
    board_close(&board);
    return status;
}

static const struct command_option options[] = {
    COMMAND_OPTION_JSON,
    {0},
};

static const char *const examples[] = {"updraft board info porch", "# for a script",
                                       "updraft board info porch --json", NULL};

const struct command command_board_info = {
    .noun = "board",
    .verb = "info",
    .summary = "Show what is on a virtual board",
    .synopsis = "DIR",
    .description =
        "Shows what is in each slot and what otadata says of it, why the board was last reset, an "
        "update that waits to be resumed, and what the flash chip has done. ERASED counts the "
        "erases of all sectors of a slot, WORN MOST those of the sector that has most. A board "
        "that "
        "was told to hold its updates is held, and says why.\n"
        "\n"
        "Below is the memory map: every byte of the flash, and what holds it. UPDATED says how an "
        "update of data would be made: in two steps, so that the old content stands until the new "
        "one is whole, or in place. On a board with one slot the map shows an update that is "
        "coming "
        "in, that waits for the restart, or that is on its way to its place.\n"
        "\n"
        "The board may be running meanwhile.",
    .options = options,
    .examples = examples,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
