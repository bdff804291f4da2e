/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container of gzip, RFC 1952, section 2.3: the steps below, one after the other. A field that
 * the flags do not announce is passed by.
 */
#include <updraft/gunzip.h>

#include "base/mem.h"
#include "decode/crc32_words.h"

#define FIXED_SIZE 10u
#define FLAGS_AT 3u
#define FLAGS_UNKNOWN 0xE0u

enum step {
    FIXED, /* magic, method, flags; a time, a level and a system, which tell a device nothing */
    EXTRA_SIZE,
    EXTRA,
    NAME,
    COMMENT,
    HEAD_SUM,
    DATA,
    SUM,
    LENGTH,
    TRAILER,
    FINISHED,
};

static const uint8_t magic_and_method[] = {0x1F, 0x8B, 8};

/* ---- The header and the end, byte by byte ---------------------------------------------------- */

/* Is there such a field? */
static bool is_there(const struct ota_gunzip *gunzip, unsigned step)
{
    static const uint8_t flags[FINISHED + 1] = {
        [EXTRA_SIZE] = 4, [EXTRA] = 4, [NAME] = 8, [COMMENT] = 16, [HEAD_SUM] = 2,
    };

    return (flags[step] & ~(unsigned)gunzip->flags) == 0 && (step != EXTRA || gunzip->left > 0);
}

static void enter_next(struct ota_gunzip *gunzip)
{
    do {
        gunzip->step++;
    } while (!is_there(gunzip, gunzip->step));
    gunzip->count = 0;
    gunzip->value = 0;
}

static enum ota_err take_fixed(struct ota_gunzip *gunzip, uint8_t byte)
{
    const unsigned at = gunzip->count++;

    if (at < sizeof magic_and_method && byte != magic_and_method[at]) {
        return OTA_ERR_COMPRESSION;
    }
    if (at == FLAGS_AT) {
        gunzip->flags = byte;
    }
    if (gunzip->count == FIXED_SIZE) {
        enter_next(gunzip);
    }
    return (gunzip->flags & FLAGS_UNKNOWN) != 0 ? OTA_ERR_COMPRESSION : OTA_OK;
}

/* Adds a byte to a number; true when it has all of its bytes. */
static bool take_number(struct ota_gunzip *gunzip, uint8_t byte, unsigned size)
{
    gunzip->value |= (uint32_t)byte << 8 * gunzip->count;
    return ++gunzip->count == size;
}

/* A number that must be the one that was counted here. */
static enum ota_err take_proof(struct ota_gunzip *gunzip, uint8_t byte, unsigned size,
                               uint32_t wanted)
{
    if (!take_number(gunzip, byte, size)) {
        return OTA_OK;
    }
    if (gunzip->value != wanted) {
        return OTA_ERR_COMPRESSED_SUM;
    }
    enter_next(gunzip);
    return OTA_OK;
}

static enum ota_err take_byte(struct ota_gunzip *gunzip, uint8_t byte)
{
    if (gunzip->step < HEAD_SUM) {
        gunzip->head_crc = gunzip->output.crc32(gunzip->head_crc, &byte, 1);
    }
    switch (gunzip->step) {
    case FIXED:
        return take_fixed(gunzip, byte);
    case EXTRA_SIZE:
        if (take_number(gunzip, byte, 2)) {
            gunzip->left = (uint16_t)gunzip->value;
            enter_next(gunzip);
        }
        return OTA_OK;
    case EXTRA:
        if (--gunzip->left == 0) {
            enter_next(gunzip);
        }
        return OTA_OK;
    case NAME:
    case COMMENT:
        if (byte == '\0') {
            enter_next(gunzip);
        }
        return OTA_OK;
    case HEAD_SUM:
        return take_proof(gunzip, byte, 2, gunzip->head_crc & 0xFFFF);
    case SUM:
        return take_proof(gunzip, byte, 4, gunzip->output.crc);
    default: /* LENGTH */
        return take_proof(gunzip, byte, 4, gunzip->inflate.recent.produced);
    }
}

/* ---- The sink -------------------------------------------------------------------------------- */

/* Takes as many bytes, of one at least, as the present step wants. */
static enum ota_err take(struct ota_gunzip *gunzip, const uint8_t *data, size_t len, size_t *taken)
{
    enum ota_err err;

    switch (gunzip->step) {
    case DATA:
        err = ota_inflate_write(&gunzip->inflate, data, len, taken);
        if (gunzip->inflate.is_ended) {
            enter_next(gunzip);
        }
        return err;
    case TRAILER:
        *taken = gunzip->allow_trailer ? len : 0;
        gunzip->trailer += (uint32_t)*taken;
        return gunzip->allow_trailer ? OTA_OK : OTA_ERR_COMPRESSED_TRAILER;
    default:
        err = take_byte(gunzip, *data);
        *taken = err == OTA_OK ? 1 : 0;
        return err;
    }
}

/* Keeps the first cause. Where it struck is the first byte that was not used; some are taken
   ahead. */
static enum ota_err note(struct ota_gunzip *gunzip, enum ota_err err)
{
    if (err != OTA_OK) {
        gunzip->failure.err = err;
        gunzip->failure.offset = gunzip->taken - gunzip->inflate.ahead_count / 8;
    }
    return err;
}

static enum ota_err gunzip_write(struct ota_sink *sink, const void *data, size_t len)
{
    struct ota_gunzip *gunzip = (struct ota_gunzip *)sink;
    const uint8_t *bytes = data;

    while (gunzip->failure.err == OTA_OK && len > 0) {
        const uint32_t room = gunzip->max_size - gunzip->taken;
        size_t taken = 0;
        if (gunzip->step == FINISHED) {
            return OTA_ERR_STATE;
        }
        if (room == 0) {
            return note(gunzip, OTA_ERR_TOO_LARGE);
        }
        const enum ota_err err = take(gunzip, bytes, len < room ? len : room, &taken);
        gunzip->taken += (uint32_t)taken;
        bytes += taken;
        len -= taken;
        (void)note(gunzip, err);
    }
    return gunzip->failure.err;
}

static enum ota_err gunzip_finish(struct ota_sink *sink)
{
    struct ota_gunzip *gunzip = (struct ota_gunzip *)sink;

    if (gunzip->failure.err != OTA_OK || gunzip->step == FINISHED) {
        return gunzip->failure.err != OTA_OK ? gunzip->failure.err : OTA_ERR_STATE;
    }
    if (gunzip->step != TRAILER) {
        return note(gunzip, OTA_ERR_INCOMPLETE);
    }
    gunzip->step = FINISHED;
    return note(gunzip, gunzip->output.next->finish(gunzip->output.next));
}

static void gunzip_abort(struct ota_sink *sink)
{
    struct ota_gunzip *gunzip = (struct ota_gunzip *)sink;

    gunzip->step = FINISHED;
    gunzip->output.next->abort(gunzip->output.next);
}

/* What is decoded is summed on its way. */
static enum ota_err output_write(struct ota_sink *sink, const void *data, size_t len)
{
    struct ota_gunzip_output *output = (struct ota_gunzip_output *)sink;

    output->crc = output->crc32(output->crc, data, len);
    return output->next->write(output->next, data, len);
}

void ota_gunzip_begin(struct ota_gunzip *gunzip, const struct ota_gunzip_options *options)
{
    memset(gunzip, 0, sizeof *gunzip);
    gunzip->sink = (struct ota_sink){gunzip_write, gunzip_finish, gunzip_abort};
    gunzip->output.sink.write = output_write;
    gunzip->output.next = options->next;
    gunzip->output.crc32 = options->crc32 != NULL ? options->crc32 : ota__crc32_words;
    gunzip->max_size = options->max_size != 0 ? options->max_size : UINT32_MAX;
    gunzip->allow_trailer = options->allow_trailer;
    ota_inflate_begin(&gunzip->inflate, &gunzip->output.sink, options->history);
}
