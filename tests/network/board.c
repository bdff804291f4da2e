/* SPDX-License-Identifier: Apache-2.0 */
/* The device of the network tests. */

#include "network/board.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/images.h"

#define FIRST_IMAGE_SIZE 4000u

static void *allocate(size_t size)
{
    void *memory = calloc(1, size);

    if (memory == NULL) {
        abort();
    }
    return memory;
}

/* ---- Images ---------------------------------------------------------------------------------- */

static void fill_digest(struct board_image *image, const struct ota_crypto *crypto)
{
    struct ota_hash hash;

    if (crypto->hash_begin(&hash, OTA_HASH_MD5) != OTA_OK ||
        crypto->hash_update(&hash, image->bytes, image->size) != OTA_OK ||
        crypto->hash_finish(&hash, image->md5) != OTA_OK) {
        abort();
    }
    for (unsigned i = 0; i < OTA_MD5_SIZE; i++) {
        snprintf(image->md5_text + 2 * i, 3, "%02x", image->md5[i]);
    }
}

void image_forge(struct board_image *image, const struct ota_crypto *crypto, uint32_t size,
                 const char *version)
{
    const struct image_facts facts = {
        .chip = OTA_CHIP_ESP32S3, .size = size, .version = version, .seed = (uint32_t)version[0]};

    image->bytes = allocate(size + 64);
    image->size = (uint32_t)image_make(image->bytes, size + 64, &facts);
    fill_digest(image, crypto);
}

bool image_load(struct board_image *image, const struct ota_crypto *crypto, const char *path)
{
    FILE *file = fopen(path, "rb");

    if (file == NULL) {
        return false;
    }
    fseek(file, 0, SEEK_END);
    image->size = (uint32_t)ftell(file);
    rewind(file);
    image->bytes = allocate(image->size);
    size_t len = fread(image->bytes, 1, image->size, file);
    fclose(file);
    fill_digest(image, crypto);
    return len == image->size;
}

void image_free(struct board_image *image)
{
    free(image->bytes);
    image->bytes = NULL;
}

/* ---- The flash ------------------------------------------------------------------------------- */

static enum ota_err chip_over(const struct board *board, struct nor *nor, uint8_t *memory,
                              struct nor_state *state)
{
    const struct nor_config config = {
        .size = board->flash_size, .erase = {{4096, 0}, {65536, 0}}, .write_size = 1};

    return nor_init(nor, &config, memory, NULL, state);
}

static void put_table(const struct board *board)
{
    const uint32_t slot = board->slot_size;
    const struct table_row rows[] = {
        {1, 0x00, BOARD_OTADATA, BOARD_OTADATA_SIZE, "otadata", 0},
        {0, 0x10, BOARD_SLOTS, slot, "ota_0", 0},
        {0, 0x11, BOARD_SLOTS + slot, slot, "ota_1", 0},
        {1, 0x82, BOARD_SLOTS + 2 * slot, 0x10000, "storage", 0},
    };

    table_make(board->memory + OTA_PARTITION_TABLE_OFFSET, rows, sizeof rows / sizeof *rows, true);
}

static uint8_t *slot_memory(const struct board *board, int slot)
{
    return board->memory + BOARD_SLOTS + (uint32_t)slot * board->slot_size;
}

static void describe_device(const struct board *board, struct ota_device *device,
                            struct ota_flash *flash)
{
    *device = (struct ota_device){
        .flash = flash,
        .crypto = board->crypto,
        .table_offset = OTA_PARTITION_TABLE_OFFSET,
        .form = OTA_IMAGE_ESP32,
        .chip = {.id = OTA_CHIP_ESP32S3},
        .rollback = true,
    };
}

static enum ota_err decide(struct ota_device *device)
{
    static uint8_t buffer[4096];
    struct ota_boot boot = {.device = device, .read = ota_image_read};

    return ota_boot_decide(&boot, buffer, sizeof buffer);
}

/* ---- The life of a board --------------------------------------------------------------------- */

static void note_running(struct board *board, const struct board_image *image)
{
    struct board_image *running = &board->running;

    if (image->bytes != running->bytes) {
        memcpy(running->bytes, image->bytes, image->size);
        running->size = image->size;
    }
}

struct board *board_new(const struct ota_crypto *crypto, uint32_t image_max)
{
    struct board *board = allocate(sizeof *board);
    struct board_image first;

    board->crypto = crypto;
    board->slot_size = (image_max + 0x4000u + 0xFFFFu) / 0x10000u * 0x10000u;
    board->flash_size = BOARD_SLOTS + 2 * board->slot_size + 0x10000u;
    board->memory = allocate(board->flash_size);
    board->scratch = allocate(board->flash_size);
    board->initial = allocate(board->flash_size);
    board->otadata = allocate(BOARD_OTADATA_SIZE);
    board->running.bytes = allocate(board->slot_size);
    if (chip_over(board, &board->nor, board->memory, &board->state) != OTA_OK) {
        abort();
    }
    nor_blank(&board->nor);
    put_table(board);
    image_forge(&first, crypto, FIRST_IMAGE_SIZE, "0.1.0");
    memcpy(slot_memory(board, 0), first.bytes, first.size);
    for (uint32_t i = 0; i < board->slot_size; i++) {
        slot_memory(board, 1)[i] = (uint8_t)noise(7, i);
    }
    describe_device(board, &board->device, &board->nor.flash);
    if (decide(&board->device) != OTA_OK || board->device.running_slot != 0) {
        abort();
    }
    note_running(board, &first);
    image_free(&first);
    memcpy(board->initial, board->memory, board->flash_size);
    board->initial_state = board->state;
    board->options = (struct ota_agent_options){
        .device = &board->device,
        .confirm = OTA_CONFIRM_AT_ONCE,
        .interval_s = OTA_AGENT_SECONDS_MAX,
        .retry_rejected = true,
        .stay = true,
        .buffer = board->buffer,
        .buffer_size = sizeof board->buffer,
        .text = board->text,
        .text_size = sizeof board->text,
    };
    return board;
}

void board_free(struct board *board)
{
    board_end(board);
    free(board->memory);
    free(board->scratch);
    free(board->initial);
    free(board->otadata);
    free(board->running.bytes);
    free(board);
}

void board_reset(struct board *board)
{
    memcpy(board->memory, board->initial, board->flash_size);
    board->state = board->initial_state;
    board->device.running_slot = 0;
    board->running.size = FIRST_IMAGE_SIZE;
    memcpy(board->running.bytes, slot_memory(board, 0), FIRST_IMAGE_SIZE);
}

enum ota_err board_begin(struct board *board)
{
    enum ota_err err = ota_agent_begin(&board->agent, &board->options);

    board->is_begun = err == OTA_OK;
    memcpy(board->otadata, board->memory + BOARD_OTADATA, BOARD_OTADATA_SIZE);
    return err;
}

void board_end(struct board *board)
{
    if (board->is_begun && !board->agent.is_restarting) {
        ota_agent_end(&board->agent);
    }
    board->is_begun = false;
}

static bool slot_holds(const struct board *board, int slot, const struct board_image *image)
{
    return memcmp(slot_memory(board, slot), image->bytes, image->size) == 0;
}

const char *board_boot(struct board *board, const struct board_image *image)
{
    board_end(board);
    nor_power_up(&board->nor);
    describe_device(board, &board->device, &board->nor.flash);
    if (decide(&board->device) != OTA_OK) {
        return "nothing boots";
    }
    if (image != NULL) {
        note_running(board, image);
    }
    if (board->device.running_slot < 0 || board->device.running_slot > 1 ||
        !slot_holds(board, board->device.running_slot, &board->running)) {
        return "another image boots than should";
    }
    return board->state.violations != 0 ? board->state.note : NULL;
}

const char *board_check(const struct board *board)
{
    struct nor nor;
    struct nor_state state = {.cut_number = 0};
    struct ota_device device;

    if (board->state.violations != 0) {
        return board->state.note;
    }
    if (!slot_holds(board, board->device.running_slot, &board->running)) {
        return "the running image was changed";
    }
    memcpy(board->scratch, board->memory, board->flash_size);
    if (chip_over(board, &nor, board->scratch, &state) != OTA_OK) {
        abort();
    }
    describe_device(board, &device, &nor.flash);
    if (decide(&device) != OTA_OK || device.running_slot != board->device.running_slot) {
        return "after a reset the running image would not boot again";
    }
    return NULL;
}

bool board_is_ready(const struct board *board)
{
    const struct ota_agent *agent = &board->agent;

    return !agent->is_restarting && !agent->is_restart_due && ota_intake_is_free(&agent->intake) &&
           !agent->is_checking;
}
