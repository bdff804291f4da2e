/* SPDX-License-Identifier: Apache-2.0 */
/* The binary table: rows of 32 bytes, an MD5 row over those before it, a row of 0xFF. */

#include "cli/table_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/digest.h"
#include "server/hex.h"
#include "server/utf8.h"

#define MD5_AT 16u /* in the MD5 row */

static const uint8_t row_mark[2] = {0xAA, 0x50};
static const uint8_t md5_mark[2] = {0xEB, 0xEB};

bool table_is_binary(const void *data, size_t len)
{
    return len >= sizeof row_mark && memcmp(data, row_mark, sizeof row_mark) == 0;
}

/* Writing. */

static bool fits(const struct table_row *row, const char *field, int64_t value, int64_t most,
                 struct table_problem *problem)
{
    char hex[24];
    if (value >= 0 && value <= most) {
        return true;
    }
    return table_problem(problem, row->line,
                         "Partition %s invalid: %s %s is outside 0x0 to 0x%" PRIx64, row->name,
                         field, table_hex(value, hex), (uint64_t)most);
}

static bool encode_row(const struct table_row *row, const struct table_options *options,
                       uint8_t *bytes, struct table_problem *problem)
{
    if (!fits(row, "Type", row->type, UINT8_MAX, problem) ||
        !fits(row, "Subtype", row->subtype, UINT8_MAX, problem) ||
        !fits(row, "Offset", row->offset, UINT32_MAX, problem) ||
        !fits(row, "Size", row->size, UINT32_MAX, problem)) {
        return false;
    }
    struct ota_partition partition = {.type = (uint8_t)row->type,
                                      .subtype = (uint8_t)row->subtype,
                                      .offset = (uint32_t)row->offset,
                                      .size = (uint32_t)row->size,
                                      .flags = row->flags};
    size_t len = strlen(row->name);
    if (len > OTA_PARTITION_LABEL_MAX) {
        len = OTA_PARTITION_LABEL_MAX;
        table_warn(options, row->line, "the name '%s' is cut to its first %u bytes", row->name,
                   OTA_PARTITION_LABEL_MAX);
    }
    memcpy(partition.label, row->name, len);
    ota_partition_encode(&partition, bytes);
    return true;
}

bool table_encode(const struct table *table, const struct table_options *options,
                  const struct ota_crypto *crypto, uint8_t bytes[OTA_PARTITION_TABLE_SIZE],
                  struct table_problem *problem)
{
    size_t used = table->count * OTA_PARTITION_ROW_SIZE;
    size_t len = used + (options->md5 ? OTA_PARTITION_ROW_SIZE : 0);

    for (size_t i = 0; i < table->count; i++) {
        uint8_t row[OTA_PARTITION_ROW_SIZE];
        if (!encode_row(&table->rows[i], options, row, problem)) {
            return false;
        }
        if (len < OTA_PARTITION_TABLE_SIZE) {
            memcpy(bytes + i * sizeof row, row, sizeof row);
        }
    }
    if (len >= OTA_PARTITION_TABLE_SIZE) {
        return table_problem(problem, 0,
                             "Binary partition table length (%zu) longer than max: at most %u "
                             "partitions fit, %u with the MD5 row",
                             len, OTA_PARTITION_ROWS_MAX, OTA_PARTITION_ROWS_MAX - 1);
    }
    memset(bytes + used, 0xFF, OTA_PARTITION_TABLE_SIZE - used);
    if (options->md5) {
        memcpy(bytes + used, md5_mark, sizeof md5_mark);
        if (!digest_of(crypto, OTA_HASH_MD5, bytes, used, bytes + used + MD5_AT)) {
            return table_problem(problem, 0, "the crypto library cannot compute MD5");
        }
    }
    return true;
}

/* Reading. */

static bool is_end(const uint8_t *row)
{
    for (size_t i = 0; i < OTA_PARTITION_ROW_SIZE; i++) {
        if (row[i] != 0xFF) {
            return false;
        }
    }
    return true;
}

static bool md5_mismatch(const uint8_t computed[OTA_MD5_SIZE], const uint8_t stored[OTA_MD5_SIZE],
                         struct table_problem *problem)
{
    char computed_text[2 * OTA_MD5_SIZE + 1];
    char stored_text[2 * OTA_MD5_SIZE + 1];
    hex_of(computed, OTA_MD5_SIZE, computed_text);
    hex_of(stored, OTA_MD5_SIZE, stored_text);
    table_problem(problem, 0, "MD5 checksums don't match! (computed: 0x%s, parsed: 0x%s)",
                  computed_text, stored_text);
    return table_hint(problem, "the table is damaged; --no-md5 reads it all the same");
}

/* Writes two bytes as the original prints them: b'\xaaP'. */
static void quote_mark(const uint8_t mark[2], char text[16])
{
    uint8_t quote = memchr(mark, '\'', 2) && !memchr(mark, '"', 2) ? '"' : '\'';
    char *end = text + sprintf(text, "b%c", quote);
    for (size_t i = 0; i < 2; i++) {
        uint8_t byte = mark[i];
        const char *short_form = byte == '\t'   ? "\\t"
                                 : byte == '\n' ? "\\n"
                                 : byte == '\r' ? "\\r"
                                 : byte == '\\' ? "\\\\"
                                                : NULL;
        if (short_form) {
            end += sprintf(end, "%s", short_form);
        } else if (byte == quote) {
            end += sprintf(end, "\\%c", byte);
        } else {
            end += sprintf(end, byte >= ' ' && byte < 0x7F ? "%c" : "\\x%02x", byte);
        }
    }
    sprintf(end, "%c", quote);
}

static bool decode_row(const uint8_t *bytes, size_t index, const struct table_options *options,
                       struct table *table, struct table_problem *problem)
{
    struct ota_partition partition;

    if (ota_partition_decode(bytes, &partition) != OTA_OK) {
        char mark[16];
        quote_mark(bytes, mark);
        return table_problem(problem, 0,
                             "Invalid magic bytes (%s) for partition definition %zu at 0x%zx", mark,
                             index + 1, index * OTA_PARTITION_ROW_SIZE);
    }
    size_t len = strlen(partition.label);
    if (!utf8_is_valid(partition.label, len, NULL)) {
        return table_problem(problem, 0,
                             "the name of partition definition %zu at 0x%zx is not UTF-8 text",
                             index + 1, index * OTA_PARTITION_ROW_SIZE + 12);
    }
    uint32_t known = OTA_PARTITION_FLAG_ENCRYPTED | OTA_PARTITION_FLAG_READ_ONLY;
    if (partition.flags & ~known) {
        table_warn(options, 0, "partition '%s' has unknown flags 0x%" PRIx32, partition.label,
                   partition.flags & ~known);
    }
    struct table_row row = {.type = partition.type,
                            .subtype = partition.subtype,
                            .offset = partition.offset,
                            .size = partition.size,
                            .flags = partition.flags,
                            .has_offset = true};
    return table_append(table, &row, partition.label, len, problem);
}

/* Reads a row that is not the end. The hash covers the rows before an MD5 row, and no MD5 row. */
static bool read_row(const uint8_t *row, size_t index, const struct table_options *options,
                     const struct ota_crypto *crypto, struct ota_hash *hash, struct table *table,
                     struct table_problem *problem)
{
    if (memcmp(row, md5_mark, sizeof md5_mark) != 0) {
        return crypto->hash_update(hash, row, OTA_PARTITION_ROW_SIZE) == OTA_OK
                   ? decode_row(row, index, options, table, problem)
                   : table_problem(problem, 0, "the crypto library cannot compute MD5");
    }
    if (!options->md5) {
        return true;
    }
    struct ota_hash copy;
    uint8_t digest[OTA_MD5_SIZE];
    if (crypto->hash_clone(hash, &copy) != OTA_OK || crypto->hash_finish(&copy, digest) != OTA_OK) {
        return table_problem(problem, 0, "the crypto library cannot compute MD5");
    }
    return memcmp(digest, row + MD5_AT, sizeof digest) == 0 ||
           md5_mismatch(digest, row + MD5_AT, problem);
}

bool table_decode(const void *data, size_t len, const struct table_options *options,
                  const struct ota_crypto *crypto, struct table *table,
                  struct table_problem *problem)
{
    const uint8_t *bytes = data;
    struct ota_hash hash;

    if (crypto->hash_begin(&hash, OTA_HASH_MD5) != OTA_OK) {
        return table_problem(problem, 0, "the crypto library cannot compute MD5");
    }
    bool good = true;
    bool ended = false;
    for (size_t at = 0; good && !ended && at < len; at += OTA_PARTITION_ROW_SIZE) {
        if (len - at < OTA_PARTITION_ROW_SIZE) {
            good =
                table_problem(problem, 0, "Partition table length must be a multiple of 32 bytes");
        } else if (is_end(bytes + at)) {
            ended = true;
        } else {
            good = read_row(bytes + at, at / OTA_PARTITION_ROW_SIZE, options, crypto, &hash, table,
                            problem);
        }
    }
    crypto->hash_abort(&hash);
    if (good && !ended) {
        table_problem(problem, 0, "Partition table is missing an end-of-table marker");
        return table_hint(problem, "the file is cut short, or is no table");
    }
    return good;
}
