/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_WRITER_H
#define UPDRAFT_WRITER_H

/*
 * The wear-saving writer: a sink that puts a stream into a region of flash, erasing as it goes.
 *
 * It erases in the largest unit that what remains covers whole, does not erase what is blank, does
 * not touch sectors that already hold the right bytes (if its buffer holds a sector: else it cannot
 * know in time), does not program what stays 0xFF, and reads back what it programmed. The same
 * bytes give the same flash content however they are cut into writes.
 *
 * It believes that blank flash was erased whole. After an update that power cut short that is not
 * so: ota_writer_heal makes it so. DESIGN.md, "Blank is not always erased".
 */

#include <stdbool.h>
#include <stdint.h>

#include <updraft/error.h>
#include <updraft/flash.h>
#include <updraft/sink.h>

/* What a writer has done, in operations and sectors. */
struct ota_writer_stats {
    uint32_t block_erases;  /* erases of block_erase_size */
    uint32_t sector_erases; /* erases of erase_size */
    uint32_t sectors_blank; /* sectors found blank and not erased */
    uint32_t sectors_same;  /* sectors that held the right bytes: neither erased nor written */
    uint32_t pages;         /* pieces programmed, up to 256 bytes (or write_size) each */
    uint32_t pages_blank;   /* pieces that were all 0xFF and not programmed */
};

struct ota_writer {
    struct ota_sink sink;
    struct ota_writer_stats stats;
    struct ota_failure failure; /* offset in the region */

    /* Private. */
    struct ota_region region;
    uint8_t *buffer;
    uint32_t chunk;    /* bytes handled at once: the sector, or a page */
    uint32_t buffered; /* bytes in the buffer */
    uint32_t position; /* region offset of the first byte not yet handled */
    uint32_t end;      /* where the stream will end, as far as known */
    uint32_t prepared; /* region offset up to which the flash is ready to be programmed */
    bool end_known;
    bool changing; /* the sector before was not the same: whole blocks are worth erasing */
};

/*
 * Starts writing at `start` (a multiple of the erase size) of `region`; what lies before stays.
 * `total` is the offset at which the stream will end, or OTA_SIZE_UNKNOWN: then the region's end is
 * the limit and only sectors are erased. `buffer` is the caller's until the writer is done, and
 * `buffer_size` at least the flash's write size; with at least the erase size, unchanged sectors
 * are recognised. Returns OTA_OK, OTA_ERR_ARGUMENT, OTA_ERR_ALIGNMENT, or OTA_ERR_TOO_LARGE if
 * total is beyond the region.
 */
enum ota_err ota_writer_begin(struct ota_writer *writer, const struct ota_region *region,
                              uint32_t start, uint32_t total, uint8_t *buffer,
                              uint32_t buffer_size);

/* Takes bytes. Returns OTA_OK, OTA_ERR_TOO_LARGE at the first byte past the end, or the flash's
   error; then always that error. */
enum ota_err ota_writer_write(struct ota_writer *writer, const void *data, size_t len);

/* Writes what is buffered, padded with 0xFF to the write size. The end need not be reached. */
enum ota_err ota_writer_finish(struct ota_writer *writer);

/* Erases again every unit between `from` and `to` (sector boundaries) that reads blank, since an
   erase that power cut short can read blank as well. May be called after begin, as long as nothing
   has been erased or programmed. Returns OTA_OK or the flash's error. */
enum ota_err ota_writer_heal(struct ota_writer *writer, uint32_t from, uint32_t to);

/* Erases now whatever the stream will need erased and that is not blank, so that no write has to
   wait for it: up to where the stream ends, as far as known, but for the region's last sector. May
   be called after begin and before the first write. Unchanged sectors are then written anew, too.
   Returns OTA_OK or the flash's error. */
enum ota_err ota_writer_erase_ahead(struct ota_writer *writer);

/* The region offset up to which all bytes are on the flash. */
uint32_t ota_writer_flushed(const struct ota_writer *writer);

#endif
