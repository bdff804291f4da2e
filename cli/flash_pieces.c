/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces in order of address, and what lies between them. */

#include "cli/flash_pieces.h"

#include <inttypes.h>
#include <string.h>

#include "cli/output.h"

static uint64_t piece_end(const struct flash_piece *piece)
{
    return (uint64_t)piece->offset + piece->content.size;
}

int flash_pieces_add(struct flash_pieces *pieces, const char *label, const char *path,
                     uint32_t offset, struct files_content content)
{
    struct flash_piece added = {.offset = offset, .content = content, .label = label, .path = path};
    size_t at = 0;

    while (at < pieces->count && pieces->piece[at].offset <= offset) {
        at++;
    }
    const struct flash_piece *before = at > 0 ? &pieces->piece[at - 1] : NULL;
    const struct flash_piece *after = at < pieces->count ? &pieces->piece[at] : NULL;
    const struct flash_piece *other = before != NULL && piece_end(before) > offset         ? before
                                      : after != NULL && piece_end(&added) > after->offset ? after
                                                                                           : NULL;
    if (other != NULL || pieces->count == FLASH_PIECES_MAX) {
        uint64_t end = piece_end(&added);
        files_release(&added.content);
        if (other == NULL) {
            return fail("more than %u files for one chip", FLASH_PIECES_MAX);
        }
        return fail("%s at 0x%" PRIx32 "-0x%" PRIx64 " overlaps %s at 0x%" PRIx32 "-0x%" PRIx64
                    ": each place takes one file",
                    label, offset, end - 1, other->label, other->offset, piece_end(other) - 1);
    }
    memmove(&pieces->piece[at + 1], &pieces->piece[at],
            (pieces->count - at) * sizeof pieces->piece[0]);
    pieces->piece[at] = added;
    pieces->count++;
    return 0;
}

int flash_pieces_add_file(struct flash_pieces *pieces, const char *label, const char *path,
                          uint32_t offset, uint64_t room)
{
    struct files_content content;
    if (files_map(path, UINT32_MAX, &content) != 0) {
        return 1;
    }
    if (content.size > room) {
        size_t size = content.size;
        files_release(&content);
        return fail("%s: %s bytes do not fit %s, which has %s", files_name(path),
                    output_thousands(size).text, label, output_thousands(room).text);
    }
    return flash_pieces_add(pieces, label, path, offset, content);
}

static void write_filler(FILE *stream, uint64_t len)
{
    uint8_t filler[4096];
    memset(filler, 0xFF, sizeof filler);
    while (len > 0 && !ferror(stream)) {
        size_t part = len < sizeof filler ? (size_t)len : sizeof filler;
        fwrite(filler, 1, part, stream);
        len -= part;
    }
}

static int check_limits(const struct flash_pieces *pieces, uint64_t start, uint64_t end)
{
    for (size_t i = 0; i < pieces->count; i++) {
        const struct flash_piece *piece = &pieces->piece[i];
        if (piece->offset < start) {
            return fail("%s at 0x%" PRIx32 " lies below 0x%" PRIx64
                        ", where the file is to begin (--start)",
                        piece->label, piece->offset, start);
        }
        if (end > 0 && piece_end(piece) > end) {
            return fail("%s reaches to 0x%" PRIx64 ", beyond the chip's %s", piece->label,
                        piece_end(piece), output_size(end).text);
        }
    }
    return 0;
}

int flash_pieces_write(struct flash_pieces *pieces, uint64_t start, uint64_t end, const char *path,
                       uint64_t *length)
{
    struct files_writer writer;
    uint64_t at = start;

    if (check_limits(pieces, start, end) != 0 || files_writer_open(&writer, path) != 0) {
        return 1;
    }
    for (size_t i = 0; i < pieces->count; i++) {
        const struct flash_piece *piece = &pieces->piece[i];
        write_filler(writer.stream, piece->offset - at);
        fwrite(piece->content.data, 1, piece->content.size, writer.stream);
        at = piece_end(piece);
    }
    if (end > at) {
        write_filler(writer.stream, end - at);
        at = end;
    }
    *length = at - start;
    return files_writer_commit(&writer);
}

void flash_pieces_release(struct flash_pieces *pieces)
{
    for (size_t i = 0; i < pieces->count; i++) {
        files_release(&pieces->piece[i].content);
    }
    pieces->count = 0;
}
