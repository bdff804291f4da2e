/* SPDX-License-Identifier: Apache-2.0 */
#include "power/board.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "power/firmware.h"
#include "power/staged.h"
#include "support/gzip_file.h"
#include "support/images.h"

#define TABLE_OFFSET 0u
#define PIECE 512u       /* the bootloader's buffer */
#define SESSIONS_MAX 40  /* boots without a cut in which any goal must be reached */
#define WEAK_POWER_UPS 3 /* after so many, no bit is weak any more */

static void *allocate(size_t size)
{
    void *memory = calloc(1, size);

    if (memory == NULL) {
        fputs("updraft-power: there is no memory left\n", stderr);
        exit(1);
    }
    return memory;
}

void point_init(struct point *point, const struct board *board)
{
    memset(point, 0, sizeof *point);
    point->memory = allocate(board->layout.size);
}

void point_free(struct point *point)
{
    free(point->memory);
}

void board_save(const struct board *board, struct point *point)
{
    memcpy(point->memory, board->now.memory, board->layout.size);
    point->state = board->now.state;
    point->memo = board->now.memo;
}

void board_load(struct board *board, const struct point *point)
{
    memcpy(board->now.memory, point->memory, board->layout.size);
    board->now.state = point->state;
    board->now.memo = point->memo;
    board->failure[0] = '\0';
}

bool board_fail(struct board *board, const char *format, ...)
{
    if (board->failure[0] == '\0') {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(board->failure, sizeof board->failure, format, arguments);
        va_end(arguments);
    }
    return false;
}

void board_trace(struct board *board, const char *format, ...)
{
    if (board->trace != NULL) {
        va_list arguments;
        va_start(arguments, format);
        vfprintf(board->trace, format, arguments);
        va_end(arguments);
        fputc('\n', board->trace);
    }
}

/* The chip. */

static void on_power_lost(void *context)
{
    struct board *board = context;

    longjmp(board->power_lost, 1);
}

static const char *const slot_labels[LAYOUT_SLOTS_MAX] = {"ota_0", "ota_1", "ota_2"};

static const char *place_name(const struct board *board, uint32_t offset)
{
    const struct layout *layout = &board->layout;

    if (board->scenario->staged != STAGED_NOT && offset >= layout->ota[0]) {
        return offset < layout->storage ? "staging" : "storage";
    }
    if (offset < layout->otadata) {
        return "partition table";
    }
    if (offset < layout->factory) {
        return offset < layout->otadata + layout->otadata_unit ? "otadata 0" : "otadata 1";
    }
    if (offset < layout->ota[0]) {
        return "factory";
    }
    for (unsigned i = 0; i < LAYOUT_SLOTS_MAX; i++) {
        if (i < board->scenario->slots && offset < layout->ota[i] + layout->slot_size) {
            return slot_labels[i];
        }
    }
    return "storage";
}

static void on_operation(void *context, const struct nor_operation *operation)
{
    struct board *board = context;

    board->operations++;
    board_trace(board, "%6u  %-7s %6u bytes at 0x%06x  %s", board->operations,
                operation->kind == NOR_ERASE ? "erase" : "program", (unsigned)operation->len,
                (unsigned)operation->offset, place_name(board, operation->offset));
    if (board->on_operation != NULL) {
        board->on_operation(board->context, operation);
    }
}

static void chip_init(struct board *board)
{
    const struct geometry *geometry = board->geometry;
    struct nor_config config = {
        .size = board->layout.size,
        .write_size = geometry->write_size,
        .program_once = geometry->once,
        .power_lost = on_power_lost,
        .on_operation = on_operation,
        .context = board,
    };

    for (int i = 0; i < ERASE_UNITS; i++) {
        config.erase[i].size = geometry->erase[i];
    }
    board->now.memory = allocate(config.size);
    if (nor_init(&board->nor, &config, board->now.memory, NULL, &board->now.state) != OTA_OK) {
        fprintf(stderr, "updraft-power: %s is no geometry of a chip\n", geometry->name);
        exit(1);
    }
    nor_blank(&board->nor);
}

/* The first content. */

static uint32_t round_up(uint32_t value, uint32_t unit)
{
    return (value + unit - 1) / unit * unit;
}

static uint32_t image_size(const struct board *board, unsigned n)
{
    static const uint32_t eighths[BOARD_IMAGES_MAX] = {7, 8, 6, 8};
    uint32_t size = board->geometry->image_size;

    if (n > 0 && n == board->scenario->data && board->scenario->in_place) {
        return board->scenario->full ? round_up(size, board->geometry->erase[0]) * 4 : size * 4;
    }

    if (board->scenario->large && size < BOARD_LARGE_IMAGE) {
        size = BOARD_LARGE_IMAGE;
    }
    if (board->scenario->full) {
        const uint32_t block = geometry_block(board->geometry);
        return round_up(size, block) - n * board->geometry->erase[0] / 8;
    }
    return size * eighths[n] / 8;
}

static void hash_image(const struct board_image *image, enum ota_hash_algorithm algorithm,
                       uint8_t *digest)
{
    struct ota_hash hash;

    (void)ota_crypto_bearssl.hash_begin(&hash, algorithm);
    (void)ota_crypto_bearssl.hash_update(&hash, image->sent, image->sent_size);
    (void)ota_crypto_bearssl.hash_finish(&hash, digest);
}

/* So far apart are repeats in images that travel packed: a decoder must read the slot for them. */
#define PACKED_PERIOD 2500u

/* Images have a stretch that is common to all, and one that is all 0xFF, as in the images of real
   builds; data begins with such a stretch. */
static void make_image(struct board *board, unsigned n, uint64_t seed)
{
    const struct scenario *scenario = board->scenario;
    struct board_image *image = &board->images[n];
    uint32_t size = image_size(board, n);
    char version[] = {(char)('0' + n), '.', '0', '.', '0', '\0'};
    const struct image_facts facts = {
        .size = size,
        .version = version,
        .secure_version = n,
        .seed = noise(seed, n),
        .common_from = size * 2 / 8,
        .common_to = size * 3 / 8,
        .blank_from = size * 3 / 8,
        .blank_to = size * 6 / 8,
        .period = scenario->packed ? PACKED_PERIOD : 0,
    };

    image->bytes = allocate(size + 64);
    image->size = (uint32_t)image_make(image->bytes, size + 64, &facts);
    if (n > 0 && n == scenario->data) {
        for (uint32_t i = 0; i < image->size; i++) {
            image->bytes[i] = i < size / 2 ? 0xFF : (uint8_t)noise(facts.seed, i);
        }
    }

    image->sent = image->bytes;
    image->sent_size = image->size;
    if (scenario->staged == STAGED_GZIP || scenario->packed) {
        image->sent = allocate(size + 1024);
        image->sent_size =
            (uint32_t)gzip_file_make(image->sent, size + 1024, image->bytes, image->size);
    }

    /* One for all images of a story, so that a checkpoint of one could be taken for another's. */
    image->digest.algorithm = scenario->page_buffer ? OTA_HASH_MD5 : OTA_HASH_SHA256;
    hash_image(image, image->digest.algorithm, image->digest.bytes);
    hash_image(image, OTA_HASH_MD5, image->md5);
}

static void put_table(struct board *board)
{
    const struct layout *layout = &board->layout;
    struct table_row rows[LAYOUT_SLOTS_MAX + 3];
    size_t count = 0;

    rows[count++] = (struct table_row){OTA_PARTITION_DATA, OTA_SUBTYPE_DATA_OTA,
                                       layout->otadata,    2 * layout->otadata_unit,
                                       "otadata",          0};
    if (board->scenario->factory) {
        rows[count++] = (struct table_row){OTA_PARTITION_APP, OTA_SUBTYPE_APP_FACTORY,
                                           layout->factory,   layout->slot_size,
                                           "factory",         0};
    }
    for (unsigned i = 0; i < board->scenario->slots; i++) {
        rows[count++] = (struct table_row){OTA_PARTITION_APP, (uint8_t)(OTA_SUBTYPE_APP_OTA_0 + i),
                                           layout->ota[i],    layout->slot_size,
                                           slot_labels[i],    0};
    }
    rows[count++] = (struct table_row){OTA_PARTITION_DATA, OTA_SUBTYPE_DATA_SPIFFS,
                                       layout->storage,    layout->slot_size,
                                       "storage",          0};
    table_make(board->now.memory + TABLE_OFFSET, rows, count, true);
}

/* The first entry of otadata, for slot 0. */
static void put_entry(struct board *board)
{
    uint8_t *entry = board->now.memory + board->layout.otadata;
    static const uint8_t sequence_one[] = {1, 0, 0, 0};
    static const uint8_t crc_of_one[] = {0x9A, 0x98, 0x43, 0x47};

    memcpy(entry, sequence_one, sizeof sequence_one);
    if (board->scenario->rollback) {
        memset(entry + 24, 0, 4);
        entry[24] = OTA_STATE_VALID;
    }
    memcpy(entry + 28, crc_of_one, sizeof crc_of_one);
}

static void fill_with_noise(struct board *board, uint32_t offset, uint32_t size, uint64_t seed)
{
    for (uint32_t i = 0; i < size; i++) {
        board->now.memory[offset + i] = (uint8_t)noise(seed ^ offset, i);
    }
}

uint32_t board_slot_offset(const struct board *board, int slot)
{
    return slot == OTA_SLOT_FACTORY ? board->layout.factory : board->layout.ota[slot];
}

static uint32_t slot_size(const struct board *board, unsigned slot)
{
    return board->scenario->staged != STAGED_NOT ? board->layout.storage - board->layout.ota[slot]
                                                 : board->layout.slot_size;
}

static void put_images(struct board *board, uint64_t seed)
{
    const struct scenario *scenario = board->scenario;
    int slot =
        scenario->factory || scenario->staged != STAGED_NOT ? OTA_SLOT_FACTORY : scenario->second;

    if (scenario->used) {
        for (unsigned i = 0; i < scenario->slots; i++) {
            fill_with_noise(board, board->layout.ota[i], slot_size(board, i), seed);
        }
        fill_with_noise(board, board->layout.storage, board->layout.storage_size, seed);
    }
    for (unsigned i = 0; i < scenario->present; i++, slot++) {
        const struct board_image *image = &board->images[i];
        uint8_t *memory = board->now.memory + board_slot_offset(board, slot);
        memset(memory, 0xFF, board->layout.slot_size);
        memcpy(memory, image->bytes, image->size);
    }
}

static uint32_t fuses_version(struct ota_fuses *fuses)
{
    return ((struct board_fuses *)fuses)->memo->floor;
}

static enum ota_err fuses_raise(struct ota_fuses *fuses, uint32_t version)
{
    struct memo *memo = ((struct board_fuses *)fuses)->memo;

    if (version > memo->floor) {
        memo->floor = version;
    }
    return OTA_OK;
}

struct board *board_new(const struct scenario *scenario, const struct geometry *geometry,
                        uint64_t seed)
{
    struct board *board = allocate(sizeof *board);
    uint32_t largest = 0;
    uint32_t data = 0;

    board->scenario = scenario;
    board->geometry = geometry;
    for (unsigned i = 0; i < scenario->images; i++) {
        make_image(board, i, seed);
        const bool apart = scenario->staged != STAGED_NOT && i > 0 && i == scenario->data;
        uint32_t *most = apart ? &data : &largest;
        *most = board->images[i].size > *most ? board->images[i].size : *most;
    }
    if (scenario->staged != STAGED_NOT) {
        staged_init(board, largest, data);
    } else { /* its data partition is as large as a slot */
        board->layout = layout_make(geometry, scenario->slots, data > largest ? data : largest,
                                    scenario->full ? 0 : 1);
    }
    board->fuses.fuses.secure_version = fuses_version;
    board->fuses.fuses.raise_secure_version = fuses_raise;
    board->fuses.memo = &board->now.memo;
    board->buffer_size = scenario->page_buffer ? 256 : geometry->erase[0];
    board->buffer = allocate(board->buffer_size);

    chip_init(board);
    if (scenario->staged == STAGED_NOT) {
        put_table(board);
    }
    if (scenario->staged == STAGED_NOT && !scenario->factory && !scenario->no_entry) {
        put_entry(board);
    }
    put_images(board, seed);
    board->now.memo.allowed = 1;
    board->now.memo.confirmed = scenario->rollback ? 1 : UINT32_MAX;
    point_init(&board->initial, board);
    board_save(board, &board->initial);
    return board;
}

void board_free(struct board *board)
{
    for (unsigned i = 0; i < BOARD_IMAGES_MAX; i++) {
        if (board->images[i].sent != board->images[i].bytes) {
            free(board->images[i].sent);
        }
        free(board->images[i].bytes);
    }
    point_free(&board->initial);
    free(board->now.memory);
    free(board->buffer);
    free(board);
}

/* Booting, and what is demanded of it. */

static void on_boot_event(void *context, const struct ota_boot *boot, enum ota_boot_event event,
                          int slot, struct ota_failure failure)
{
    char name[OTA_SLOT_NAME_SIZE];

    (void)boot;
    board_trace(context, "        boot    %s: %s%s%s", ota_slot_name(slot, name),
                ota_boot_event_text(event), failure.err != OTA_OK ? ", " : "",
                failure.err != OTA_OK ? ota_err_name(failure.err) : "");
}

static void set_up_device(struct board *board)
{
    board->device = (struct ota_device){
        .flash = &board->nor.flash,
        .crypto = &ota_crypto_bearssl,
        .fuses = board->scenario->fuses ? &board->fuses.fuses : NULL,
        .table_offset = TABLE_OFFSET,
        .form = OTA_IMAGE_ESP32,
        .chip = {.id = OTA_CHIP_ESP32},
        .rollback = board->scenario->rollback,
        .staging = board->scenario->staged != STAGED_NOT ? &board->staging : NULL,
        .running_slot = OTA_SLOT_NONE,
    };
    board->boot = (struct ota_boot){
        .read = ota_image_read,
        .device = &board->device,
        .trial_boots = (uint8_t)board->scenario->trials,
        .on_event = board->trace != NULL ? on_boot_event : NULL,
        .context = board,
    };
    board->update = (struct ota_update){.state = OTA_UPDATE_IDLE};
}

/* Which image lies, whole, where the bootloader points; -1: none. */
static int image_at(const struct board *board, uint32_t offset)
{
    for (unsigned i = 0; i < board->scenario->images; i++) {
        const struct board_image *image = &board->images[i];
        if (memcmp(board->now.memory + offset, image->bytes, image->size) == 0) {
            return (int)i;
        }
    }
    return -1;
}

/* "0 or 2" for 0x5. */
static const char *names_of(uint32_t images, char text[BOARD_FAILURE_SIZE / 2])
{
    size_t len = 0;

    text[0] = '\0';
    for (int i = 0; i < BOARD_IMAGES_MAX; i++) {
        if ((images >> i & 1) != 0) {
            len += (size_t)snprintf(text + len, BOARD_FAILURE_SIZE / 2 - len, "%s%d",
                                    len > 0 ? " or " : "", i);
        }
    }
    return text;
}

bool board_boot(struct board *board)
{
    struct memo *memo = &board->now.memo;
    uint8_t piece[PIECE];
    char may[BOARD_FAILURE_SIZE / 2];
    uint32_t allowed = memo->allowed | (memo->torn_entry ? 1u << memo->candidate : 0);
    const bool needs_trial = !memo->torn_entry;

    /* If power fails while an image is put on trial, it may count as tried. */
    if ((memo->allowed & ~memo->confirmed) != 0) {
        memo->allowed |= 1u << memo->stable;
    }
    set_up_device(board);
    enum ota_err err = board->scenario->staged != STAGED_NOT
                           ? staged_boot(board, piece, sizeof piece)
                           : ota_boot_decide(&board->boot, piece, sizeof piece);
    if (err != OTA_OK) {
        return board_fail(board, "nothing boots: %s", ota_err_name(err));
    }

    int image = image_at(board, board->boot.region.offset);
    board_trace(board, "        runs    slot %d, image %d%s; image %s may", board->boot.slot, image,
                board->boot.on_trial ? " on trial" : "", names_of(allowed, may));
    if (image < 0) {
        return board_fail(board, "slot %d boots, which holds no image of ours", board->boot.slot);
    }
    if ((allowed >> image & 1) == 0) {
        return board_fail(board, "image %d boots, but only %s may", image, names_of(allowed, may));
    }
    if (!board->boot.on_trial && (memo->confirmed >> image & 1) == 0 && needs_trial) {
        return board_fail(board, "image %d boots unconfirmed, and not on trial", image);
    }
    if (board->scenario->staged != STAGED_NOT && !staged_check_data(board)) {
        return false;
    }
    board->running = image;
    if (!board->boot.on_trial) {
        memo->stable = image;
    }
    /* On trial it may run this once. */
    memo->allowed = 1u << memo->stable;
    if (board->boot.on_trial && board->boot.trial_boot < board->scenario->trials) {
        memo->allowed |= 1u << image; /* or more often */
    }
    memo->torn_entry = false;
    return true;
}

/* Weak bits show at the latest when the power was off a few times; then the goal must still run. */
static bool settle(struct board *board)
{
    board_trace(board, "        settle  weak bits show");
    for (int i = 0; i < WEAK_POWER_UPS; i++) {
        nor_power_up(&board->nor);
    }
    if (!board_boot(board)) {
        return false;
    }
    if (board->running != board->scenario->goal || board->boot.on_trial) {
        return board_fail(board, "image %d runs in the end, not %d", board->running,
                          board->scenario->goal);
    }
    const int data = (int)board->scenario->data;
    if (data != 0 && !firmware_storage_holds(board, data)) {
        return board_fail(board, "the data partition does not hold what it should in the end");
    }
    return true;
}

bool board_run(struct board *board)
{
    enum outcome outcome = OUTCOME_RESTART;

    for (int i = 0; i < SESSIONS_MAX && outcome == OUTCOME_RESTART; i++) {
        if (!board_boot(board)) {
            return false;
        }
        outcome = board->scenario->firmware(board);
        if (board->now.state.violations != 0) {
            return board_fail(board, "the chip's rules are broken: %s", board->now.state.note);
        }
        if (board->failure[0] != '\0') {
            return false;
        }
    }
    if (outcome == OUTCOME_RESTART) {
        return board_fail(board, "after %d restarts the goal is not reached", SESSIONS_MAX);
    }
    return settle(board);
}

/* What the cut means for what may be demanded from now on. */
static void note_damage(struct board *board)
{
    const struct nor_damage *damage = &board->now.state.damage;
    struct memo *memo = &board->now.memo;
    const uint32_t offset = damage->operation.offset;

    if (damage->operation.kind == NOR_ERASE &&
        (damage->how == NOR_CUT_WEAK || damage->how == NOR_CUT_WEAK_LATER)) {
        memo->weak = true;
    }
    if (board->scenario->staged == STAGED_NOT && damage->how == NOR_CUT_TORN &&
        offset >= board->layout.otadata && offset < board->layout.factory) {
        memo->torn_entry = true;
    }
}

bool board_recover(struct board *board)
{
    note_damage(board);
    nor_power_up(&board->nor);
    board->operations = 0;
    board_trace(board, "power comes back");
    return board_run(board);
}
