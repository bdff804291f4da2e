/* SPDX-License-Identifier: Apache-2.0 */
/* Partition tables: the input is the table. What is accepted must keep all the rules, and be the
   same however often it is read. */
#include <string.h>

#include <updraft/layout.h>

#include "fuzz/input.h"

#define CHIP_SIZE (4u << 20)

struct table_flash {
    struct ota_flash flash; /* first: it gets itself back by a cast */
    const uint8_t *bytes;
    uint32_t len;
};

static enum ota_err table_read(struct ota_flash *flash, uint32_t offset, void *data, uint32_t len)
{
    struct table_flash *table = (struct table_flash *)flash;

    REQUIRE(offset >= OTA_PARTITION_TABLE_OFFSET);
    offset -= OTA_PARTITION_TABLE_OFFSET;
    REQUIRE(offset <= OTA_PARTITION_TABLE_SIZE && len <= OTA_PARTITION_TABLE_SIZE - offset);
    memset(data, 0xFF, len);
    if (offset < table->len) {
        memcpy(data, table->bytes + offset, len < table->len - offset ? len : table->len - offset);
    }
    return OTA_OK;
}

static bool overlap(const struct ota_partition *a, const struct ota_partition *b)
{
    return a->offset < b->offset + b->size && b->offset < a->offset + a->size;
}

static void check_accepted(const struct ota_partition_table *table)
{
    struct ota_partition partition[OTA_PARTITION_ROWS_MAX];
    struct ota_layout layout;
    unsigned slots = 0;

    REQUIRE(table->rows >= 1 && table->rows <= OTA_PARTITION_ROWS_MAX);
    for (uint32_t i = 0; i < table->rows; i++) {
        struct ota_partition *p = &partition[i];
        struct ota_region region;
        struct ota_partition found;
        REQUIRE(ota_partition_get(table, i, p) == OTA_OK);
        REQUIRE(ota_partition_region(table, p, &region) == OTA_OK);
        REQUIRE(p->offset % 4096 == 0 && p->size <= CHIP_SIZE - p->offset);
        REQUIRE(strlen(p->label) <= OTA_PARTITION_LABEL_MAX);
        for (uint32_t j = 0; j < i; j++) {
            REQUIRE(!overlap(p, &partition[j]));
            REQUIRE(strcmp(p->label, partition[j].label) != 0);
            REQUIRE(p->type != OTA_PARTITION_APP || partition[j].type != OTA_PARTITION_APP ||
                    p->subtype != partition[j].subtype);
        }
        REQUIRE(ota_partition_find(table, OTA_PARTITION_ANY, OTA_SUBTYPE_ANY, p->label, &found) ==
                OTA_OK);
        REQUIRE(found.offset == p->offset);
        slots += p->type == OTA_PARTITION_APP && p->subtype >= OTA_SUBTYPE_APP_OTA_0 &&
                 p->subtype <= OTA_SUBTYPE_APP_OTA_15;
    }
    REQUIRE(ota_layout_read(&layout, table) == OTA_OK);
    REQUIRE(layout.ota_rows == slots && layout.ota_run <= slots);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct table_flash flash = {
        .flash = {.size = CHIP_SIZE, .erase_size = 4096, .write_size = 1, .read = table_read},
        .bytes = data,
        .len = size < OTA_PARTITION_TABLE_SIZE ? (uint32_t)size : OTA_PARTITION_TABLE_SIZE};
    struct ota_partition_table table;
    struct ota_failure failure = {OTA_OK, 0};
    enum ota_err err = ota_partition_table_open(&table, &flash.flash, OTA_PARTITION_TABLE_OFFSET,
                                                &ota_crypto_bearssl, &failure);

    REQUIRE(failure.err == err);
    REQUIRE(failure.offset <= OTA_PARTITION_TABLE_SIZE);
    if (err == OTA_OK) {
        check_accepted(&table);
    } else {
        REQUIRE(err >= OTA_ERR_TABLE_ROW && err <= OTA_ERR_TABLE_DUPLICATE);
    }
    return 0;
}
