/* SPDX-License-Identifier: Apache-2.0 */
/* Building firmware images: docs/formats/image.md. */

#include "cli/image_writer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <updraft/chip.h>

#include "base/bytes.h"
#include "cli/digest.h"
#include "cli/image_writer_private.h"

#define ESP8266_HEADER 8u
#define HOST_PROGRAM_ADDRESS 0x10000000u
#define ESP8266_MAPPED 0x40200000u
#define ARDUINO_SKETCH 0x1000u
#define ARDUINO_WORDS 0x1010u /* offset of the length and the CRC */
#define MAPPED_TAIL 0x24u     /* ESP32: least remainder of a mapped segment's end in its page */
#define IMAGE_SIZE_MAX 0xFFFFFFFEu

/* The image as it grows. Once something went wrong `built->problem` is set and nothing is added. */
struct output {
    struct image_built *built;
    size_t capacity;
    uint8_t sum;
    unsigned segments;
};

static bool problem(struct output *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool problem(struct output *out, const char *format, ...)
{
    if (out->built->problem[0] == 0) {
        va_list list;
        va_start(list, format);
        vsnprintf(out->built->problem, sizeof(out->built->problem), format, list);
        va_end(list);
    }
    return false;
}

static bool is_good(const struct output *out)
{
    return out->built->problem[0] == 0;
}

/* Adds bytes, `data` NULL for `len` bytes of `fill`. */
static bool add(struct output *out, const void *data, uint8_t fill, size_t len)
{
    struct image_built *built = out->built;
    if (!is_good(out)) {
        return false;
    }
    if (len > IMAGE_SIZE_MAX - built->size) {
        return problem(out, "the image would be larger than 4 GB");
    }
    if (built->size + len > out->capacity) {
        size_t capacity = 2 * (built->size + len) + 4096;
        uint8_t *grown = realloc(built->data, capacity);
        if (grown == NULL) {
            return problem(out, "out of memory");
        }
        built->data = grown;
        out->capacity = capacity;
    }
    if (len > 0 && data != NULL) {
        memcpy(built->data + built->size, data, len);
    } else {
        memset(built->data + built->size, fill, len);
    }
    built->size += len;
    return true;
}

static bool add_word(struct output *out, uint32_t word)
{
    uint8_t bytes[4];
    ota__put_le32(bytes, word);
    return add(out, bytes, 0, sizeof(bytes));
}

/* Adds a segment: header, `size` bytes of data (NULL: zeros) and `extra` zeros. */
static bool add_segment(struct output *out, uint32_t address, const void *data, size_t size,
                        size_t extra)
{
    if (out->segments == OTA_IMAGE_SEGMENTS_MAX) {
        return problem(out, "an image holds at most %u segments, padding included",
                       OTA_IMAGE_SEGMENTS_MAX);
    }
    extra += (4 - (size + extra) % 4) % 4;
    out->segments++;
    if (size + extra > IMAGE_SIZE_MAX) {
        return problem(out, "the image would be larger than 4 GB");
    }
    if (!add_word(out, address) || !add_word(out, (uint32_t)(size + extra)) ||
        !add(out, data, 0, size) || !add(out, NULL, 0, extra)) {
        return false;
    }
    const struct image_built *built = out->built;
    out->sum = image_xor(out->sum, built->data + built->size - size - extra, size);
    return true;
}

/* The common header; the count is filled in when it is known. */
static bool add_header(struct output *out, const struct image_spec *spec, uint8_t magic)
{
    uint8_t header[ESP8266_HEADER] = {magic, 0, spec->spi_mode, spec->spi_speed_size};
    ota__put_le32(header + 4, spec->entry);
    out->sum = IMAGE_CHECKSUM_SEED;
    out->segments = 0;
    return add(out, header, 0, sizeof(header));
}

static bool add_extended_header(struct output *out, const struct image_spec *spec)
{
    uint8_t header[IMAGE_ESP32_HEADER - ESP8266_HEADER] = {0xEE};
    ota__put_le16(header + 4, spec->chip_id);
    header[6] = (uint8_t)(spec->min_revision / 100 > 255 ? 255 : spec->min_revision / 100);
    ota__put_le16(header + 7, spec->min_revision);
    ota__put_le16(header + 9, spec->max_revision);
    header[15] = spec->without_digest ? 0 : 1;
    return add(out, header, 0, sizeof(header));
}

/* Ends the part that began at `start`: its count, the zeros and the checksum. */
static bool add_checksum(struct output *out, size_t start)
{
    size_t zeros = 15 - out->built->size % 16;
    if (!add(out, NULL, 0, zeros) || !add(out, &out->sum, 0, 1)) {
        return false;
    }
    out->built->data[start + 1] = (uint8_t)out->segments;
    return true;
}

static bool add_digest(struct output *out, const struct ota_crypto *crypto)
{
    uint8_t digest[OTA_SHA256_SIZE];
    if (!is_good(out)) {
        return false;
    }
    if (!digest_of(crypto, OTA_HASH_SHA256, out->built->data, out->built->size, digest)) {
        return problem(out, "the SHA-256 could not be computed");
    }
    return add(out, digest, 0, sizeof(digest));
}

/* --- the order of segments ------------------------------------------------------------------ */

/* A segment with what remains of it to be written. */
struct piece {
    uint32_t address;
    const uint8_t *data;
    size_t size;
    bool first; /* holds the descriptor: before all others of its kind */
};

struct pieces {
    struct piece list[OTA_IMAGE_SEGMENTS_MAX];
    size_t count;
};

static int compare_pieces(const void *a, const void *b)
{
    const struct piece *left = a;
    const struct piece *right = b;
    if (left->first != right->first) {
        return left->first ? -1 : 1;
    }
    return left->address < right->address ? -1 : left->address > right->address;
}

static bool is_mapped(const struct image_spec *spec, const struct ota_chip_facts *chip,
                      uint32_t address)
{
    if (spec->form != OTA_IMAGE_ESP32) {
        return address >= ESP8266_MAPPED;
    }
    return chip != NULL && (ota_chip_window_holds(chip->irom, address) ||
                            ota_chip_window_holds(chip->drom, address));
}

/* Parts the segments into mapped and others, each kind by address. */
static void sort_segments(const struct image_spec *spec, const struct piece *segments,
                          const struct ota_chip_facts *chip, struct pieces *mapped,
                          struct pieces *others)
{
    for (size_t i = 0; i < spec->segment_count; i++) {
        struct pieces *kind = is_mapped(spec, chip, segments[i].address) ? mapped : others;
        kind->list[kind->count] = segments[i];
        kind->list[kind->count].first = segments[i].size >= OTA_APP_DESCRIPTOR_SIZE &&
                                        ota__get_le32(segments[i].data) == OTA_APP_DESCRIPTOR_MAGIC;
        kind->count++;
    }
    qsort(mapped->list, mapped->count, sizeof(mapped->list[0]), compare_pieces);
    qsort(others->list, others->count, sizeof(others->list[0]), compare_pieces);
}

/* Tells whether something must come first so that the data of the next segment falls on the right
   place in its page, and how many bytes of data that has behind its own header. */
static bool needs_padding(size_t position, uint32_t address, uint32_t page, uint32_t *len)
{
    uint32_t have = (uint32_t)((position + IMAGE_SEGMENT_HEADER) % page);
    uint32_t gap = (address % page + page - have) % page;
    *len = gap >= IMAGE_SEGMENT_HEADER ? gap - IMAGE_SEGMENT_HEADER
                                       : gap + page - IMAGE_SEGMENT_HEADER;
    return gap != 0;
}

/* Adds padding: the next part of a segment that is copied to RAM, or zeros if there is none. */
static bool add_padding(struct output *out, struct pieces *others, size_t *next, uint32_t len)
{
    if (*next == others->count || len <= IMAGE_SEGMENT_HEADER) {
        return add_segment(out, 0, NULL, len, 0);
    }
    struct piece *piece = &others->list[*next];
    size_t part = piece->size < len ? piece->size : len;
    if (!add_segment(out, piece->address, piece->data, part, 0)) {
        return false;
    }
    piece->address += (uint32_t)part;
    piece->data += part;
    piece->size -= part;
    *next += piece->size == 0;
    return true;
}

/* The cache maps whole pages of the flash: two segments cannot be mapped into one. */
static bool demand_own_pages(struct output *out, const struct pieces *mapped, uint32_t page)
{
    for (size_t i = 0; i < mapped->count; i++) {
        for (size_t j = 0; j < i; j++) {
            const struct piece *low = &mapped->list[i];
            const struct piece *high = &mapped->list[j];
            if (low->address > high->address) {
                low = &mapped->list[j];
                high = &mapped->list[i];
            }
            uint64_t low_end = (uint64_t)low->address + low->size;
            if (low->size > 0 && (low_end - 1) / page >= high->address / page) {
                return problem(out,
                               "the segments at 0x%x and 0x%x are read through the flash cache and "
                               "must not share one of its pages of %u bytes",
                               (unsigned)low->address, (unsigned)high->address, (unsigned)page);
            }
        }
    }
    return true;
}

/* Adds the segments of the ESP32 form in their order, with padding (section 18). */
static bool add_placed(struct output *out, const struct image_spec *spec,
                       const struct piece *segments)
{
    const struct ota_chip_facts *chip = ota_chip_facts(spec->chip_id);
    struct pieces mapped = {.count = 0};
    struct pieces others = {.count = 0};
    sort_segments(spec, segments, chip, &mapped, &others);
    uint32_t page = spec->page_size;
    if (page == 0) {
        page = OTA_CHIP_PAGE_SIZE;
    }
    if (!demand_own_pages(out, &mapped, page)) {
        return false;
    }
    size_t next = 0;
    for (size_t i = 0; i < mapped.count; i++) {
        const struct piece *piece = &mapped.list[i];
        if (piece->address % 4 != 0) {
            return problem(out,
                           "0x%08x is no address for a segment that is read through the flash "
                           "cache: it must be a multiple of 4",
                           piece->address);
        }
        uint32_t padding;
        while (needs_padding(out->built->size, piece->address, page, &padding)) {
            if (!add_padding(out, &others, &next, padding)) {
                return false;
            }
        }
        size_t end = (out->built->size + IMAGE_SEGMENT_HEADER + piece->size) % page;
        bool extend = spec->chip_id == OTA_CHIP_ESP32 && end < MAPPED_TAIL;
        if (!add_segment(out, piece->address, piece->data, piece->size,
                         extend ? MAPPED_TAIL - end : 0)) {
            return false;
        }
    }
    for (; next < others.count; next++) {
        const struct piece *piece = &others.list[next];
        if (!add_segment(out, piece->address, piece->data, piece->size, 0)) {
            return false;
        }
    }
    return true;
}

static bool add_in_order(struct output *out, const struct image_spec *spec,
                         const struct piece *segments)
{
    for (size_t i = 0; i < spec->segment_count; i++) {
        if (!add_segment(out, segments[i].address, segments[i].data, segments[i].size, 0)) {
            return false;
        }
    }
    return true;
}

/* --- the forms ------------------------------------------------------------------------------ */

static bool build_esp32(struct output *out, const struct image_spec *spec,
                        const struct piece *segments, const struct ota_crypto *crypto)
{
    return add_header(out, spec, 0xE9) && add_extended_header(out, spec) &&
           (spec->keep_order ? add_in_order(out, spec, segments)
                             : add_placed(out, spec, segments)) &&
           add_checksum(out, 0) && (spec->without_digest || add_digest(out, crypto));
}

static bool build_v1(struct output *out, const struct image_spec *spec,
                     const struct piece *segments)
{
    size_t start = out->built->size;
    return add_header(out, spec, 0xE9) && add_in_order(out, spec, segments) &&
           add_checksum(out, start);
}

/* Mapped segments first, by address; nothing is padded (section 16). */
static bool build_rtos(struct output *out, const struct image_spec *spec,
                       const struct piece *segments, const struct ota_crypto *crypto)
{
    struct pieces mapped = {.count = 0};
    struct pieces others = {.count = 0};
    sort_segments(spec, segments, NULL, &mapped, &others);
    bool good = add_header(out, spec, 0xE9);
    for (size_t i = 0; good && i < mapped.count + others.count; i++) {
        const struct piece *piece =
            i < mapped.count ? &mapped.list[i] : &others.list[i - mapped.count];
        good = add_segment(out, piece->address, piece->data, piece->size, 0);
    }
    return good && add_checksum(out, 0) && add_digest(out, crypto);
}

/* The flash part, an image of version 1 behind it, and the odd CRC (section 14). */
static bool build_v2(struct output *out, const struct image_spec *spec,
                     const struct piece *segments)
{
    const struct piece *flash = NULL;
    struct piece others[OTA_IMAGE_SEGMENTS_MAX];
    struct image_spec inner = *spec;
    inner.segment_count = 0;
    for (size_t i = 0; i < spec->segment_count; i++) {
        if (flash == NULL && is_mapped(spec, NULL, segments[i].address)) {
            flash = &segments[i];
        } else {
            others[inner.segment_count++] = segments[i];
        }
    }
    if (flash == NULL) {
        return problem(out, "an ESP8266 version 2 image needs a segment at 0x%x or above",
                       ESP8266_MAPPED);
    }
    size_t padding = (16 - flash->size % 16) % 16;
    if (!add_header(out, spec, 0xEA) || !add_word(out, 0) ||
        !add_word(out, (uint32_t)(flash->size + padding)) ||
        !add(out, flash->data, 0, flash->size) || !add(out, NULL, 0, padding) ||
        !build_v1(out, &inner, others)) {
        return false;
    }
    out->built->data[1] = 4;
    uint32_t crc = ota_crc32(0, out->built->data, out->built->size);
    return add_word(out, crc & 0x80000000u ? ~crc : crc + 1);
}

/* CRC-32/MPEG-2: polynomial 0x04C11DB7, most significant bit first, start 0xFFFFFFFF, no final
   XOR. */
static uint32_t crc32_mpeg2(const uint8_t *data, size_t len)
{
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t i = 0; i < len; i++) {
        crc ^= (uint32_t)data[i] << 24;
        for (int bit = 0; bit < 8; bit++) {
            crc = crc & 0x80000000u ? crc << 1 ^ 0x04C11DB7u : crc << 1;
        }
    }
    return crc;
}

/* The bootloader's image, filler, the sketch's image, and the two words inside it (section 15). */
static bool build_arduino(struct output *out, const struct image_spec *spec,
                          const struct piece *segments)
{
    if (spec->boot_image == NULL || spec->boot_size + 8 > ARDUINO_SKETCH) {
        return problem(out, "the bootloader's image must have 1 to %u bytes", ARDUINO_SKETCH - 8);
    }
    if (spec->segment_count == 0 || segments[0].size < 8) {
        return problem(out,
                       "the sketch's first segment must have room for 8 bytes of size and CRC");
    }
    if (!add(out, spec->boot_image, 0, spec->boot_size) ||
        !add(out, NULL, 0xAA, ARDUINO_SKETCH - spec->boot_size)) {
        return false;
    }
    /* The checksum is made while the two words are zero, and stays so. */
    if (!add_header(out, spec, 0xE9) ||
        !add_segment(out, segments[0].address, segments[0].data, segments[0].size, 0)) {
        return false;
    }
    uint8_t *words = out->built->data + ARDUINO_WORDS;
    out->sum = image_xor(out->sum, words, 8);
    memset(words, 0, 8);
    struct image_spec rest = *spec;
    rest.segment_count--;
    if (!add_in_order(out, &rest, segments + 1) || !add_checksum(out, ARDUINO_SKETCH)) {
        return false;
    }
    struct image_built *built = out->built;
    uint32_t crc = crc32_mpeg2(built->data, built->size);
    ota__put_le32(built->data + ARDUINO_WORDS, (uint32_t)built->size);
    ota__put_le32(built->data + ARDUINO_WORDS + 4, crc);
    return true;
}

static bool build_form(struct output *out, const struct image_spec *spec,
                       const struct piece *segments, const struct ota_crypto *crypto)
{
    if (spec->form == OTA_IMAGE_ESP32) {
        return build_esp32(out, spec, segments, crypto);
    }
    if (spec->form == OTA_IMAGE_ESP8266_RTOS) {
        return build_rtos(out, spec, segments, crypto);
    }
    if (spec->form != OTA_IMAGE_ESP8266) {
        return problem(out, "an image of this form has no structure to build");
    }
    if (spec->descriptor != NULL) {
        return problem(out, "this form of ESP8266 image has no app descriptor");
    }
    if (spec->variant == OTA_VARIANT_V2) {
        return build_v2(out, spec, segments);
    }
    return spec->variant == OTA_VARIANT_ARDUINO ? build_arduino(out, spec, segments)
                                                : build_v1(out, spec, segments);
}

/* --- the whole ------------------------------------------------------------------------------ */

/* Which segment will be written first: where the descriptor goes. */
static size_t first_written(const struct image_spec *spec)
{
    const struct ota_chip_facts *chip = ota_chip_facts(spec->chip_id);
    size_t first = 0;
    for (size_t i = 1; i < spec->segment_count && !spec->keep_order; i++) {
        uint32_t address = spec->segments[i].address;
        uint32_t best = spec->segments[first].address;
        bool mapped = is_mapped(spec, chip, address);
        bool best_mapped = is_mapped(spec, chip, best);
        if (mapped != best_mapped ? mapped : address < best) {
            first = i;
        }
    }
    return first;
}

static bool put_descriptor(struct output *out, const struct image_spec *spec, struct piece *piece,
                           uint8_t **described)
{
    *described = malloc(OTA_APP_DESCRIPTOR_SIZE + piece->size);
    if (*described == NULL) {
        return problem(out, "out of memory");
    }
    image_descriptor_encode(spec->descriptor, *described);
    if (piece->size > 0) {
        memcpy(*described + OTA_APP_DESCRIPTOR_SIZE, piece->data, piece->size);
    }
    piece->data = *described;
    piece->size += OTA_APP_DESCRIPTOR_SIZE;
    return true;
}

bool image_build(const struct image_spec *spec, const struct ota_crypto *crypto,
                 struct image_built *built)
{
    *built = (struct image_built){0};
    struct output out = {.built = built};
    if (spec->segment_count > OTA_IMAGE_SEGMENTS_MAX) {
        return problem(&out, "an image holds at most %u segments", OTA_IMAGE_SEGMENTS_MAX);
    }
    struct piece segments[OTA_IMAGE_SEGMENTS_MAX] = {{0}};
    for (size_t i = 0; i < spec->segment_count; i++) {
        const struct image_segment *segment = &spec->segments[i];
        segments[i] = (struct piece){segment->address, segment->data, segment->size, false};
    }
    uint8_t *described = NULL;
    bool good = true;
    if (spec->descriptor != NULL && spec->segment_count == 0) {
        good = problem(&out, "a descriptor needs a segment to lie in");
    } else if (spec->descriptor != NULL) {
        good = put_descriptor(&out, spec, &segments[first_written(spec)], &described);
    }
    good = good && build_form(&out, spec, segments, crypto) && is_good(&out);
    free(described);
    if (!good) {
        free(built->data);
        built->data = NULL;
        built->size = 0;
    }
    return good;
}

bool image_build_host(const struct ota_app_descriptor *descriptor, const void *elf, size_t elf_size,
                      const struct ota_crypto *crypto, struct image_built *built)
{
    struct ota_app_descriptor own = *descriptor;
    if (!digest_of(crypto, OTA_HASH_SHA256, elf, elf_size, own.elf_sha256)) {
        *built =
            (struct image_built){.problem = "the SHA-256 of the program could not be computed"};
        return false;
    }
    const struct image_segment segments[] = {
        {.address = 0, .data = NULL, .size = 0},
        {.address = HOST_PROGRAM_ADDRESS, .data = elf, .size = elf_size},
    };
    struct image_spec spec = {
        .form = OTA_IMAGE_ESP32,
        .chip_id = OTA_CHIP_HOST,
        .max_revision = 65535,
        .entry = HOST_PROGRAM_ADDRESS,
        .segments = segments,
        .segment_count = 2,
        .keep_order = true,
        .descriptor = &own,
    };
    return image_build(&spec, crypto, built);
}

void image_built_free(struct image_built *built)
{
    free(built->data);
    *built = (struct image_built){0};
}
