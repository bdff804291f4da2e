/* SPDX-License-Identifier: Apache-2.0 */
/* The binary partition table, read row by row from the flash: docs/formats/partition-table.md. */
#include <updraft/partition.h>

#include "base/bytes.h"
#include "base/mem.h"

#define MARK_PARTITION 0x50AAu
#define MARK_MD5 0xEBEBu
#define MARK_END 0xFFFFu

/* Offsets in a row, docs/formats/partition-table.md section 2. */
#define ROW_TYPE 2u
#define ROW_SUBTYPE 3u
#define ROW_OFFSET 4u
#define ROW_SIZE 8u
#define ROW_LABEL 12u
#define ROW_FLAGS 28u
#define ROW_MD5 16u

enum ota_err ota_partition_decode(const uint8_t row[OTA_PARTITION_ROW_SIZE],
                                  struct ota_partition *partition)
{
    if (ota__get_le16(row) != MARK_PARTITION) {
        return OTA_ERR_TABLE_ROW;
    }
    partition->type = row[ROW_TYPE];
    partition->subtype = row[ROW_SUBTYPE];
    partition->offset = ota__get_le32(row + ROW_OFFSET);
    partition->size = ota__get_le32(row + ROW_SIZE);
    partition->flags = ota__get_le32(row + ROW_FLAGS);
    memcpy(partition->label, row + ROW_LABEL, OTA_PARTITION_LABEL_MAX);
    partition->label[OTA_PARTITION_LABEL_MAX] = '\0';
    return OTA_OK;
}

void ota_partition_encode(const struct ota_partition *partition,
                          uint8_t row[OTA_PARTITION_ROW_SIZE])
{
    memset(row, 0, OTA_PARTITION_ROW_SIZE);
    ota__put_le16(row, MARK_PARTITION);
    row[ROW_TYPE] = partition->type;
    row[ROW_SUBTYPE] = partition->subtype;
    ota__put_le32(row + ROW_OFFSET, partition->offset);
    ota__put_le32(row + ROW_SIZE, partition->size);
    ota__put_le32(row + ROW_FLAGS, partition->flags);
    memcpy(row + ROW_LABEL, partition->label, strlen(partition->label));
}

static enum ota_err read_row(const struct ota_partition_table *table, uint32_t index,
                             uint8_t row[OTA_PARTITION_ROW_SIZE])
{
    return table->flash->read(table->flash, table->offset + index * OTA_PARTITION_ROW_SIZE, row,
                              OTA_PARTITION_ROW_SIZE);
}

enum ota_err ota_partition_get(const struct ota_partition_table *table, uint32_t index,
                               struct ota_partition *partition)
{
    uint8_t row[OTA_PARTITION_ROW_SIZE];
    enum ota_err err;

    if (index >= table->rows) {
        return OTA_ERR_NO_PARTITION;
    }
    if (table->fixed != NULL) {
        *partition = table->fixed[index];
        return OTA_OK;
    }
    err = read_row(table, index, row);
    return err != OTA_OK ? err : ota_partition_decode(row, partition);
}

static bool label_equals(const char *a, const char *b)
{
    size_t len = strlen(a);

    return len == strlen(b) && memcmp(a, b, len) == 0;
}

enum ota_err ota_partition_find(const struct ota_partition_table *table, uint8_t type,
                                uint8_t subtype, const char *label, struct ota_partition *partition)
{
    for (uint32_t i = 0; i < table->rows; i++) {
        enum ota_err err = ota_partition_get(table, i, partition);
        if (err != OTA_OK) {
            return err;
        }
        if ((type == OTA_PARTITION_ANY || type == partition->type) &&
            (subtype == OTA_SUBTYPE_ANY || subtype == partition->subtype) &&
            (label == NULL || label_equals(label, partition->label))) {
            return OTA_OK;
        }
    }
    return OTA_ERR_NO_PARTITION;
}

enum ota_err ota_partition_region(const struct ota_partition_table *table,
                                  const struct ota_partition *partition, struct ota_region *region)
{
    return ota_region_init(region, table->flash, partition->offset, partition->size);
}

uint32_t ota_partition_alignment(uint8_t type)
{
    return type == OTA_PARTITION_APP ? 0x10000u : 0x1000u;
}

/* Verification. */

/* Compares the MD5 of the rows so far with the one that a row states. */
static enum ota_err check_md5(const struct ota_partition_table *table,
                              const struct ota_crypto *crypto,
                              const uint8_t row[OTA_PARTITION_ROW_SIZE])
{
    struct ota_hash hash;
    uint8_t bytes[OTA_PARTITION_ROW_SIZE];
    uint8_t md5[OTA_MD5_SIZE];
    enum ota_err err = crypto->hash_begin(&hash, OTA_HASH_MD5);

    if (err != OTA_OK) {
        return err;
    }
    for (uint32_t i = 0; err == OTA_OK && i < table->rows; i++) {
        err = read_row(table, i, bytes);
        if (err == OTA_OK) {
            err = crypto->hash_update(&hash, bytes, sizeof bytes);
        }
    }
    if (err != OTA_OK) {
        crypto->hash_abort(&hash);
        return err;
    }
    err = crypto->hash_finish(&hash, md5);
    return err != OTA_OK                                   ? err
           : memcmp(md5, row + ROW_MD5, OTA_MD5_SIZE) == 0 ? OTA_OK
                                                           : OTA_ERR_TABLE_MD5;
}

static bool is_end(const uint8_t *row)
{
    return ota__get_le16(row) == MARK_END && row[ROW_TYPE] == 0xFF && row[ROW_SUBTYPE] == 0xFF;
}

static enum ota_err check_partition(const struct ota_partition_table *table,
                                    const struct ota_partition *partition)
{
    struct ota_region region;
    uint32_t table_end = table->offset + OTA_PARTITION_TABLE_SECTOR;
    bool is_table =
        partition->type == OTA_PARTITION_TABLE && partition->subtype == OTA_SUBTYPE_TABLE_PRIMARY;

    if (ota_partition_region(table, partition, &region) != OTA_OK) {
        return OTA_ERR_TABLE_BOUNDS;
    }
    if ((partition->offset & (table->flash->erase_size - 1)) != 0) {
        return OTA_ERR_TABLE_ALIGNMENT;
    }
    if (!is_table && partition->offset < table_end &&
        partition->offset + partition->size > table->offset) {
        return OTA_ERR_TABLE_OVERLAP;
    }
    return OTA_OK;
}

/* Reads the rows up to the end mark: their marks, their MD5, and each row for itself. */
static enum ota_err check_rows(struct ota_partition_table *table, const struct ota_crypto *crypto,
                               uint32_t *index)
{
    for (*index = 0; *index <= OTA_PARTITION_ROWS_MAX; ++*index) {
        uint8_t row[OTA_PARTITION_ROW_SIZE];
        struct ota_partition partition;
        enum ota_err err = read_row(table, *index, row);

        if (err != OTA_OK) {
            return err;
        }
        if (is_end(row)) {
            return table->rows == 0 ? OTA_ERR_TABLE_EMPTY : OTA_OK;
        }
        if (table->has_md5) { /* nothing but the end may follow the MD5 row */
            return ota__get_le16(row) == MARK_MD5 ? OTA_ERR_TABLE_MD5 : OTA_ERR_TABLE_ROW;
        }
        if (ota__get_le16(row) == MARK_MD5) {
            table->has_md5 = true;
            err = check_md5(table, crypto, row);
        } else {
            table->rows++;
            err = ota_partition_decode(row, &partition);
            if (err == OTA_OK) {
                err = check_partition(table, &partition);
            }
        }
        if (err != OTA_OK) {
            return err;
        }
    }
    return OTA_ERR_TABLE_NO_END;
}

static enum ota_err compare(const struct ota_partition *a, const struct ota_partition *b)
{
    bool same_role = a->type == b->type && a->subtype == b->subtype &&
                     (a->type == OTA_PARTITION_APP ||
                      (a->type == OTA_PARTITION_DATA && a->subtype == OTA_SUBTYPE_DATA_OTA));

    if (a->offset < b->offset + b->size && b->offset < a->offset + a->size) {
        return OTA_ERR_TABLE_OVERLAP;
    }
    return same_role || label_equals(a->label, b->label) ? OTA_ERR_TABLE_DUPLICATE : OTA_OK;
}

/* Compares each row with those before it. */
static enum ota_err check_pairs(const struct ota_partition_table *table, uint32_t *index)
{
    for (*index = 1; *index < table->rows; ++*index) {
        struct ota_partition later;
        enum ota_err err = ota_partition_get(table, *index, &later);

        for (uint32_t i = 0; err == OTA_OK && i < *index; i++) {
            struct ota_partition earlier;
            err = ota_partition_get(table, i, &earlier);
            if (err == OTA_OK) {
                err = compare(&earlier, &later);
            }
        }
        if (err != OTA_OK) {
            return err;
        }
    }
    return OTA_OK;
}

enum ota_err ota_partition_table_open(struct ota_partition_table *table, struct ota_flash *flash,
                                      uint32_t offset, const struct ota_crypto *crypto,
                                      struct ota_failure *failure)
{
    struct ota_region region;
    uint32_t index = 0;
    enum ota_err err = ota_region_init(&region, flash, offset, OTA_PARTITION_TABLE_SIZE);

    memset(table, 0, sizeof *table);
    table->flash = flash;
    table->offset = offset;
    if (err == OTA_OK) {
        err = check_rows(table, crypto, &index);
    }
    if (err == OTA_OK) {
        err = check_pairs(table, &index);
    }
    if (err != OTA_OK && failure != NULL) {
        failure->err = err;
        failure->offset = index * OTA_PARTITION_ROW_SIZE;
    }
    return err;
}
