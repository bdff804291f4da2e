/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wear-saving writer. Bytes are handled in chunks: whole sectors if the buffer holds one, pages
 * otherwise. Each time the stream reaches flash that is not prepared, one decision is made for the
 * next erase unit: leave it (it is the same already), trust it (it is blank), or erase it.
 */
#include <updraft/writer.h>

#include "base/blank.h"
#include "base/bytes.h"
#include "base/mem.h"

/* Pieces in which flash is programmed: the page of every serial NOR chip. */
#define PAGE 256u

static enum ota_err sink_write(struct ota_sink *sink, const void *data, size_t len)
{
    return ota_writer_write((struct ota_writer *)sink, data, len);
}

static enum ota_err sink_finish(struct ota_sink *sink)
{
    return ota_writer_finish((struct ota_writer *)sink);
}

static void sink_abort(struct ota_sink *sink)
{
    (void)sink; /* holds nothing but the caller's buffer */
}

static enum ota_err fail(struct ota_writer *writer, enum ota_err err, uint32_t offset)
{
    if (writer->failure.err == OTA_OK) {
        writer->failure.err = err;
        writer->failure.offset = offset;
    }
    return writer->failure.err;
}

/* A sector if the buffer holds one, else the largest power of two that fits the buffer and a page:
   it divides the sector, and the write size divides it. */
static uint32_t chunk_size(const struct ota_flash *flash, uint32_t buffer_size)
{
    uint32_t chunk = ota__max(PAGE, flash->write_size);

    if (buffer_size >= flash->erase_size) {
        return flash->erase_size;
    }
    while (chunk > buffer_size) {
        chunk /= 2;
    }
    return chunk;
}

enum ota_err ota_writer_begin(struct ota_writer *writer, const struct ota_region *region,
                              uint32_t start, uint32_t total, uint8_t *buffer, uint32_t buffer_size)
{
    const struct ota_flash *flash = region->flash;

    memset(writer, 0, sizeof *writer);
    if (buffer == NULL || buffer_size < flash->write_size) {
        return OTA_ERR_ARGUMENT;
    }
    if (((region->offset | region->size | start) & (flash->erase_size - 1)) != 0) {
        return OTA_ERR_ALIGNMENT;
    }
    writer->end_known = total != OTA_SIZE_UNKNOWN;
    writer->end = writer->end_known ? total : region->size;
    if (writer->end > region->size || start > writer->end) {
        return OTA_ERR_TOO_LARGE;
    }
    writer->sink.write = sink_write;
    writer->sink.finish = sink_finish;
    writer->sink.abort = sink_abort;
    writer->region = *region;
    writer->buffer = buffer;
    writer->chunk = chunk_size(flash, buffer_size);
    writer->position = start;
    writer->prepared = start;
    writer->changing = true;
    return OTA_OK;
}

/* A block if it begins at `offset` and ends before `end`, else a sector. */
static uint32_t largest_unit(const struct ota_writer *writer, uint32_t offset, uint32_t end)
{
    const struct ota_flash *flash = writer->region.flash;
    uint32_t block = flash->block_erase_size;

    if (block != 0 && ((writer->region.offset + offset) & (block - 1)) == 0 &&
        end - offset >= block) {
        return block;
    }
    return flash->erase_size;
}

/* The unit to erase at `prepared`: a block if what remains of the stream covers it whole and it is
   known to change, else a sector. "Known to change" is said of the sector before; the first counts
   as changed. */
static uint32_t erase_unit(const struct ota_writer *writer)
{
    uint32_t sector = writer->region.flash->erase_size;
    /* The last sector holds the mark of an update under way: it goes alone, when all else is
       done. */
    uint32_t end = ota__min(writer->end, writer->region.size - sector);

    if (!writer->end_known || !writer->changing || writer->prepared >= end) {
        return sector;
    }
    return largest_unit(writer, writer->prepared, end);
}

static enum ota_err erase(struct ota_writer *writer, uint32_t offset, uint32_t unit)
{
    if (unit == writer->region.flash->erase_size) {
        writer->stats.sector_erases++;
    } else {
        writer->stats.block_erases++;
    }
    return ota_region_erase(&writer->region, offset, unit);
}

/* Makes the flash at `prepared`, where the stream now is, ready for `data`; `*same` says that it
   holds the data already and the sector is to be left alone. */
static enum ota_err prepare(struct ota_writer *writer, const uint8_t *data, uint32_t len,
                            bool *same)
{
    uint32_t sector = writer->region.flash->erase_size;
    uint32_t unit = sector;
    bool blank = false;
    enum ota_err err = OTA_OK;

    *same = false;
    if (writer->chunk == sector) {
        err = ota_region_equals(&writer->region, writer->prepared, data, len, same);
    }
    if (*same) {
        writer->stats.sectors_same++;
    } else if (err == OTA_OK) {
        unit = erase_unit(writer);
        err = ota_region_is_blank(&writer->region, writer->prepared, unit, &blank);
    }
    if (blank) {
        writer->stats.sectors_blank += unit / sector;
    } else if (err == OTA_OK && !*same) {
        err = erase(writer, writer->prepared, unit);
    }
    writer->changing = !*same;
    writer->prepared += unit;
    return err;
}

enum ota_err ota_writer_heal(struct ota_writer *writer, uint32_t from, uint32_t to)
{
    enum ota_err err = OTA_OK;

    while (err == OTA_OK && from < to) {
        uint32_t unit = largest_unit(writer, from, to);
        bool blank = false;
        err = ota_region_is_blank(&writer->region, from, unit, &blank);
        if (err == OTA_OK && !blank && unit != writer->region.flash->erase_size) {
            unit = writer->region.flash->erase_size;
            err = ota_region_is_blank(&writer->region, from, unit, &blank);
        }
        if (err == OTA_OK && blank) {
            err = erase(writer, from, unit);
        }
        from += unit;
    }
    return err;
}

enum ota_err ota_writer_erase_ahead(struct ota_writer *writer)
{
    uint32_t sector = writer->region.flash->erase_size;
    uint32_t end = ota__min(ota__round_up(writer->end, sector), writer->region.size - sector);
    enum ota_err err = OTA_OK;

    for (uint32_t offset = writer->prepared; err == OTA_OK && offset < end;) {
        uint32_t unit = largest_unit(writer, offset, end);
        bool blank = false;
        err = ota_region_is_blank(&writer->region, offset, unit, &blank);
        if (err == OTA_OK && !blank) {
            err = erase(writer, offset, unit);
        }
        offset += unit;
    }
    return err;
}

/* Programs one page, or, if it is to stay blank, looks whether it is: an erase may have failed and
   not said so. */
static enum ota_err program_page(struct ota_writer *writer, uint32_t offset, const uint8_t *data,
                                 uint32_t len)
{
    bool blank = false;
    enum ota_err err;

    if (!ota__is_blank(data, len)) {
        writer->stats.pages++;
        return ota_region_write_verified(&writer->region, offset, data, len);
    }
    writer->stats.pages_blank++;
    err = ota_region_is_blank(&writer->region, offset, len, &blank);
    return err == OTA_OK && !blank ? OTA_ERR_FLASH_VERIFY : err;
}

/* Programs one chunk, page by page. `len` is a multiple of the write size. */
static enum ota_err program(struct ota_writer *writer, const uint8_t *data, uint32_t len)
{
    uint32_t page = ota__max(PAGE, writer->region.flash->write_size);

    for (uint32_t done = 0; done < len;) {
        uint32_t n = ota__min(page, len - done);
        enum ota_err err = program_page(writer, writer->position + done, data + done, n);
        if (err != OTA_OK) {
            return fail(writer, err, writer->position + done);
        }
        done += n;
    }
    return OTA_OK;
}

static enum ota_err handle_chunk(struct ota_writer *writer, const uint8_t *data, uint32_t len)
{
    bool same = false;
    enum ota_err err = OTA_OK;

    if (writer->position == writer->prepared) {
        err = prepare(writer, data, len, &same);
        if (err != OTA_OK) {
            return fail(writer, err, writer->position);
        }
    }
    if (!same) {
        err = program(writer, data, len);
    }
    if (err == OTA_OK) {
        writer->position += len;
    }
    return err;
}

static uint32_t limit(const struct ota_writer *writer)
{
    return writer->end - writer->position - writer->buffered;
}

enum ota_err ota_writer_write(struct ota_writer *writer, const void *data, size_t len)
{
    const uint8_t *bytes = data;
    bool too_many = len > limit(writer);
    uint32_t left = too_many ? limit(writer) : (uint32_t)len;

    while (writer->failure.err == OTA_OK && left > 0) {
        uint32_t n = ota__min(left, writer->chunk - writer->buffered);
        const uint8_t *chunk = bytes;
        if (n < writer->chunk) {
            memcpy(writer->buffer + writer->buffered, bytes, n);
            chunk = writer->buffer;
        }
        writer->buffered += n;
        bytes += n;
        left -= n;
        if (writer->buffered == writer->chunk) {
            writer->buffered = 0;
            (void)handle_chunk(writer, chunk, writer->chunk);
        }
    }
    if (too_many) {
        return fail(writer, OTA_ERR_TOO_LARGE, writer->end);
    }
    return writer->failure.err;
}

enum ota_err ota_writer_finish(struct ota_writer *writer)
{
    uint32_t len = ota__round_up(writer->buffered, writer->region.flash->write_size);

    if (writer->failure.err == OTA_OK && len > 0) {
        memset(writer->buffer + writer->buffered, 0xFF, len - writer->buffered);
        writer->buffered = 0;
        (void)handle_chunk(writer, writer->buffer, len);
    }
    writer->end = writer->position; /* a byte that came now would be one too many */
    return writer->failure.err;
}

uint32_t ota_writer_flushed(const struct ota_writer *writer)
{
    return writer->position;
}
