/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/image_input.h"

#include <stdlib.h>
#include <string.h>

#include <updraft/gunzip.h>

#include "cli/output.h"

#define PIECE 65536u

int image_input_open(struct image_input *input, const char *path, size_t rsa_len)
{
    *input = (struct image_input){0};
    if (files_source_open(&input->file, path) != 0) {
        return 1;
    }
    input->piece = output_allocate(PIECE);
    signature_reader_begin(&input->signatures);
    input->signatures.rsa_len = rsa_len;
    return 0;
}

void image_input_close(struct image_input *input)
{
    gzip_unpack_end(&input->unpacker);
    signature_reader_end(&input->signatures);
    files_source_close(&input->file);
    free(input->piece);
    input->piece = NULL;
}

static void clear_progress(const struct image_input *input)
{
    if (input->progress != NULL) {
        progress_clear(input->progress);
    }
}

/* Fills the piece from the file: with two bytes at least, unless the file has fewer left. A pipe may
   give its first byte alone, and two tell whether it is gzip. */
static bool read_piece(struct image_input *input)
{
    struct ota_source *source = &input->file.source;
    const bool is_first = input->file.offset == 0;
    size_t len;
    input->piece_at = 0;
    input->piece_len = 0;
    do {
        if (source->read(source, input->piece + input->piece_len, PIECE - input->piece_len, &len) !=
            OTA_OK) {
            clear_progress(input);
            files_source_fail(&input->file);
            return false;
        }
        input->piece_len += len;
    } while (len > 0 && input->piece_len < 2);
    if (is_first && input->unpack && ota_is_gzip(input->piece, input->piece_len)) {
        input->is_packed = true;
        gzip_unpack_begin(&input->unpacker);
    }
    if (input->is_packed) {
        signature_reader_take(&input->signatures, input->piece, input->piece_len);
    }
    return true;
}

static bool fail_packed(const struct image_input *input)
{
    const char *name = files_name(input->file.path);
    const struct gzip_unpacker *unpacker = &input->unpacker;
    clear_progress(input);
    if (unpacker->given > GZIP_PLAIN_MAX) {
        return fail("%s: is compressed, and unpacks to more than %s, which no flash chip holds",
                    name, output_size(GZIP_PLAIN_MAX).text) == 0;
    }
    return fail("%s: is compressed, and damaged at byte %s: %s; fetch or compress it again", name,
                output_thousands(unpacker->taken).text,
                unpacker->state == GZIP_UNPACKING ? "it ends too early" : unpacker->problem) == 0;
}

/* The member has ended: what the file has beside it is counted, and may be a signature. */
static bool read_trailer(struct image_input *input)
{
    while (input->piece_len > 0) {
        if (!read_piece(input)) {
            return false;
        }
    }
    input->trailer = input->file.offset - input->unpacker.taken;
    signature_reader_image_ends(&input->signatures, input->unpacker.taken, false);
    return true;
}

static bool read_packed(struct image_input *input, void *data, size_t capacity, size_t *len)
{
    struct gzip_unpacker *unpacker = &input->unpacker;
    while (!gzip_unpack_next(unpacker, data, capacity, len)) {
        if (unpacker->state == GZIP_WHOLE) {
            return read_trailer(input);
        }
        if (unpacker->state != GZIP_UNPACKING) {
            return fail_packed(input);
        }
        if (!read_piece(input)) {
            return false;
        }
        if (input->piece_len == 0) {
            return fail_packed(input);
        }
        gzip_unpack(unpacker, input->piece, input->piece_len);
    }
    return unpacker->given <= GZIP_PLAIN_MAX || fail_packed(input);
}

bool image_input_read(struct image_input *input, void *data, size_t capacity, size_t *len)
{
    *len = 0;
    if (input->file.offset == 0) {
        if (!read_piece(input)) {
            return false;
        }
        if (input->is_packed) {
            gzip_unpack(&input->unpacker, input->piece, input->piece_len);
        }
    }
    if (input->is_packed) {
        return read_packed(input, data, capacity, len);
    }
    if (input->piece_at == input->piece_len && !read_piece(input)) {
        return false;
    }
    const size_t left = input->piece_len - input->piece_at;
    *len = left < capacity ? left : capacity;
    memcpy(data, input->piece + input->piece_at, *len);
    input->piece_at += *len;
    return true;
}

bool image_input_signature(struct image_input *input, struct signature_found *found)
{
    return signature_reader_find(&input->signatures, found);
}
