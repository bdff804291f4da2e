/* SPDX-License-Identifier: Apache-2.0 */
/* The copy of docs/formats/eboot.md section 4. */

#include <stdlib.h>
#include <string.h>

#include <updraft/gunzip.h>

#include "base/bytes.h"
#include "posix/eboot.h"

#define SECTOR 4096u
#define WINDOW 32768u /* a power of two */

/* A copy under way. What is inflated goes into its sink, sector by sector. */
struct copy {
    struct ota_sink sink;       /* first */
    struct ota_history history; /* of what was inflated */
    struct ota_flash *flash;
    uint32_t source, destination; /* what comes next */
    uint32_t left;                /* bytes to put out */
    uint32_t filled;              /* bytes in `sector` */
    uint32_t produced;            /* bytes inflated, the last of them in `window` */
    enum eboot_result result;
    uint8_t sector[SECTOR];
    uint8_t window[WINDOW];
};

static bool read_flash(struct copy *copy, uint32_t offset, void *data, uint32_t len)
{
    struct ota_region flash = {.flash = copy->flash, .size = copy->flash->size};
    if (ota_region_read(&flash, offset, data, len) != OTA_OK) {
        copy->result = EBOOT_READ;
        return false;
    }
    return true;
}

/* Whether the boot loader's own sector holds the right bytes already. */
static bool is_same(struct copy *copy)
{
    uint8_t now[SECTOR];
    return copy->destination == 0 && read_flash(copy, 0, now, sizeof now) &&
           memcmp(now, copy->sector, sizeof now) == 0;
}

/* Puts a sector where it belongs. What no byte came for is erased. */
static bool put_sector(struct copy *copy)
{
    struct ota_region flash = {.flash = copy->flash, .size = copy->flash->size};
    memset(copy->sector + copy->filled, 0xFF, SECTOR - copy->filled);
    if (!is_same(copy)) {
        if (ota_region_erase(&flash, copy->destination, SECTOR) != OTA_OK) {
            copy->result = EBOOT_ERASE;
        } else if (ota_region_write(&flash, copy->destination, copy->sector, SECTOR) != OTA_OK) {
            copy->result = EBOOT_WRITE;
        }
    }
    copy->left -= copy->left < SECTOR ? copy->left : SECTOR;
    copy->destination += SECTOR;
    copy->filled = 0;
    return copy->result == EBOOT_DONE;
}

/* ---- As it is -------------------------------------------------------------------------------- */

static void copy_plain(struct copy *copy)
{
    bool good = true;
    while (copy->left > 0 && good) {
        good = read_flash(copy, copy->source, copy->sector, SECTOR);
        if (good) {
            copy->filled = SECTOR;
            copy->source += SECTOR;
            good = put_sector(copy);
        }
    }
}

/* ---- Inflated -------------------------------------------------------------------------------- */

static enum ota_err read_window(struct ota_history *history, uint32_t offset, void *data,
                                uint32_t len)
{
    const struct copy *copy =
        (const struct copy *)(const void *)((const char *)history - offsetof(struct copy, history));
    uint8_t *bytes = data;
    for (uint32_t i = 0; i < len; i++) {
        bytes[i] = copy->window[(offset + i) % WINDOW];
    }
    return OTA_OK;
}

/* Whether another byte is wanted, the sector before it being where it belongs. */
static bool make_room(struct copy *copy)
{
    return copy->filled < (copy->left < SECTOR ? copy->left : SECTOR) ||
           (put_sector(copy) && copy->left > 0);
}

static enum ota_err take_inflated(struct ota_sink *sink, const void *data, size_t len)
{
    struct copy *copy = (struct copy *)sink;
    const uint8_t *bytes = data;
    for (size_t i = 0; i < len; i++) {
        if (!make_room(copy)) {
            return OTA_ERR_ABORTED;
        }
        copy->sector[copy->filled++] = bytes[i];
        copy->window[copy->produced++ % WINDOW] = bytes[i];
    }
    return OTA_OK;
}

static enum ota_err end_inflated(struct ota_sink *sink)
{
    (void)sink;
    return OTA_OK;
}

static void forget_inflated(struct ota_sink *sink)
{
    (void)sink;
}

/* Feeds the inflater until it ends. */
static enum ota_err inflate(struct copy *copy, uint32_t size)
{
    struct ota_gunzip gunzip;
    const struct ota_gunzip_options options = {.next = &copy->sink, .history = &copy->history};
    uint8_t piece[SECTOR];
    enum ota_err err = OTA_OK;
    ota_gunzip_begin(&gunzip, &options);
    for (uint32_t at = 0; at < size && err == OTA_OK; at += SECTOR) {
        const uint32_t len = size - at < SECTOR ? size - at : SECTOR;
        err = read_flash(copy, copy->source + at, piece, len)
                  ? gunzip.sink.write(&gunzip.sink, piece, len)
                  : OTA_ERR_ABORTED;
    }
    gunzip.sink.abort(&gunzip.sink);
    return err;
}

/* The checksum and the length at the end are not compared. What is missing of the length is
   erased. */
static void copy_gzip(struct copy *copy, uint32_t size)
{
    const enum ota_err err = copy->left > 0 ? inflate(copy, size) : OTA_OK;
    if (copy->result != EBOOT_DONE || copy->left == 0) {
        return;
    }
    if (err == OTA_ERR_COMPRESSION || err == OTA_ERR_COMPRESSED_DATA) {
        copy->result = err == OTA_ERR_COMPRESSION ? EBOOT_GZIP_HEADER : EBOOT_INFLATE;
        return;
    }
    while (copy->left > 0 && put_sector(copy)) {
    }
}

/* The length that stands at the end of a gzip file; from 2 GB on it is negative to eboot. */
static void find_length(struct copy *copy, uint32_t size)
{
    uint8_t bytes[4];
    if (read_flash(copy, copy->source + size - (uint32_t)sizeof bytes, bytes, sizeof bytes)) {
        copy->left = ota__get_le32(bytes);
        copy->left = copy->left > INT32_MAX ? 0 : copy->left;
    }
}

enum eboot_result eboot_carry_out(struct ota_flash *flash, const struct ota_eboot_command *command)
{
    uint8_t first[2];
    if (command->action != OTA_EBOOT_COPY) {
        return command->action == OTA_EBOOT_LOAD ? EBOOT_DONE : EBOOT_NO_ACTION;
    }
    if (command->source % SECTOR != 0 || command->destination % SECTOR != 0) {
        return EBOOT_ALIGNMENT;
    }
    struct copy *copy = calloc(1, sizeof *copy);
    if (copy == NULL) {
        return EBOOT_READ;
    }
    copy->sink = (struct ota_sink){take_inflated, end_inflated, forget_inflated};
    copy->history.read = read_window;
    copy->flash = flash;
    copy->source = command->source;
    copy->destination = command->destination;
    copy->left = command->size;
    if (read_flash(copy, copy->source, first, sizeof first)) {
        if (ota_is_gzip(first, sizeof first)) {
            find_length(copy, command->size);
            copy_gzip(copy, command->size);
        } else {
            copy_plain(copy);
        }
    }
    const enum eboot_result result = copy->result;
    free(copy);
    return result;
}
