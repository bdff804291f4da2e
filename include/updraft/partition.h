/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PARTITION_H
#define UPDRAFT_PARTITION_H

/*
 * ESP-IDF partition tables in their binary form (docs/formats/partition-table.md), read in place
 * from the flash row by row: no copy of the table is kept.
 *
 *     struct ota_partition_table table;
 *     struct ota_failure failure;
 *     if (ota_partition_table_open(&table, flash, OTA_PARTITION_TABLE_OFFSET, crypto, &failure)) …
 *     struct ota_partition storage;
 *     if (ota_partition_find(&table, OTA_PARTITION_DATA, OTA_SUBTYPE_ANY, "storage", &storage)) …
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <updraft/crypto.h>
#include <updraft/error.h>
#include <updraft/flash.h>

#define OTA_PARTITION_TABLE_OFFSET 0x8000u /* where it lies unless configured otherwise */
#define OTA_PARTITION_TABLE_SIZE 0xC00u    /* bytes of rows */
#define OTA_PARTITION_TABLE_SECTOR 0x1000u /* bytes of flash set aside for it */
#define OTA_PARTITION_ROW_SIZE 32u
#define OTA_PARTITION_ROWS_MAX 95u
#define OTA_PARTITION_LABEL_MAX 16u

enum ota_partition_type {
    OTA_PARTITION_APP = 0x00,
    OTA_PARTITION_DATA = 0x01,
    OTA_PARTITION_BOOTLOADER = 0x02,
    OTA_PARTITION_TABLE = 0x03,
    OTA_PARTITION_ANY = 0xFF, /* in look-ups */
};

enum ota_partition_subtype {
    OTA_SUBTYPE_APP_FACTORY = 0x00,
    OTA_SUBTYPE_APP_OTA_0 = 0x10, /* to 0x1F for ota_15 */
    OTA_SUBTYPE_APP_OTA_15 = 0x1F,
    OTA_SUBTYPE_APP_TEST = 0x20,
    OTA_SUBTYPE_APP_TEE_0 = 0x30,
    OTA_SUBTYPE_APP_TEE_1 = 0x31,

    OTA_SUBTYPE_DATA_OTA = 0x00,
    OTA_SUBTYPE_DATA_PHY = 0x01,
    OTA_SUBTYPE_DATA_NVS = 0x02,
    OTA_SUBTYPE_DATA_COREDUMP = 0x03,
    OTA_SUBTYPE_DATA_NVS_KEYS = 0x04,
    OTA_SUBTYPE_DATA_EFUSE = 0x05,
    OTA_SUBTYPE_DATA_UNDEFINED = 0x06,
    OTA_SUBTYPE_DATA_ESPHTTPD = 0x80,
    OTA_SUBTYPE_DATA_FAT = 0x81,
    OTA_SUBTYPE_DATA_SPIFFS = 0x82,
    OTA_SUBTYPE_DATA_LITTLEFS = 0x83,
    OTA_SUBTYPE_DATA_TEE_OTA = 0x90,

    OTA_SUBTYPE_BOOTLOADER_PRIMARY = 0x00,
    OTA_SUBTYPE_BOOTLOADER_OTA = 0x01,
    OTA_SUBTYPE_BOOTLOADER_RECOVERY = 0x02,

    OTA_SUBTYPE_TABLE_PRIMARY = 0x00,
    OTA_SUBTYPE_TABLE_OTA = 0x01,

    OTA_SUBTYPE_ANY = 0xFF, /* in look-ups */
};

#define OTA_PARTITION_FLAG_ENCRYPTED 0x1u
#define OTA_PARTITION_FLAG_READ_ONLY 0x2u

struct ota_partition {
    uint8_t type;    /* enum ota_partition_type, or a custom type 0x40 to 0xFE */
    uint8_t subtype; /* enum ota_partition_subtype by type */
    uint32_t offset; /* on the flash, bytes */
    uint32_t size;   /* bytes */
    uint32_t flags;  /* OTA_PARTITION_FLAG_… */
    char label[OTA_PARTITION_LABEL_MAX + 1]; /* always terminated here */
};

struct ota_partition_table {
    struct ota_flash *flash;
    uint32_t offset; /* of the table on the flash */
    uint32_t rows;   /* partitions in it; the MD5 row not counted */
    bool has_md5;
    const struct ota_partition *fixed; /* NULL: they are read from the flash; else they are here,
                                          on a device whose flash holds no table */
};

/* Decodes the 32 bytes of a partition row. Returns OTA_ERR_TABLE_ROW if its mark is another. */
enum ota_err ota_partition_decode(const uint8_t row[OTA_PARTITION_ROW_SIZE],
                                  struct ota_partition *partition);

/* Encodes a partition as a row. Labels longer than 16 bytes cannot occur in the struct. */
void ota_partition_encode(const struct ota_partition *partition,
                          uint8_t row[OTA_PARTITION_ROW_SIZE]);

/*
 * Reads and verifies the table at `offset` of `flash`: marks, the MD5 row if there is one, the end,
 * at most 95 rows, each partition inside the chip (docs/formats/partition-table.md section 3: as
 * the original bootloader demands), and what that one does not look at: no overlaps, no two
 * partitions of one label, of one app slot or of otadata, offsets aligned to the erase size.
 *
 * `crypto` checks the MD5 row. `table` keeps a pointer to the flash. On failure returns an
 * OTA_ERR_TABLE_…, OTA_ERR_BOUNDS (the table is not inside the flash), OTA_ERR_CRYPTO or
 * OTA_ERR_FLASH_READ and, where `failure` is not NULL, stores the same with the
 * offset of the row from the table's start.
 */
enum ota_err ota_partition_table_open(struct ota_partition_table *table, struct ota_flash *flash,
                                      uint32_t offset, const struct ota_crypto *crypto,
                                      struct ota_failure *failure);

/* Reads row `index` (0 to rows - 1). Returns OTA_ERR_NO_PARTITION beyond, or the read's error. */
enum ota_err ota_partition_get(const struct ota_partition_table *table, uint32_t index,
                               struct ota_partition *partition);

/* Finds the first partition of this type, subtype and label; OTA_PARTITION_ANY, OTA_SUBTYPE_ANY and
   NULL match all. Returns OTA_ERR_NO_PARTITION if there is none, or the read's error. */
enum ota_err ota_partition_find(const struct ota_partition_table *table, uint8_t type,
                                uint8_t subtype, const char *label,
                                struct ota_partition *partition);

/* Makes a region of a partition. Returns OTA_ERR_BOUNDS as ota_region_init. */
enum ota_err ota_partition_region(const struct ota_partition_table *table,
                                  const struct ota_partition *partition, struct ota_region *region);

/* The keyword of a type ("app") or of a subtype of that type ("ota_0"), or NULL where the formats
   have no name for it. */
const char *ota_partition_type_name(uint8_t type);
const char *ota_partition_subtype_name(uint8_t type, uint8_t subtype);

/* One named number; tables of them end with a NULL name and stand in the formats' order. */
struct ota_keyword {
    const char *name;
    uint8_t value;
};

/* All types by name, and all subtypes of a type by name (NULL for a type without names), for tools
   that parse or list them. */
const struct ota_keyword *ota_partition_types(void);
const struct ota_keyword *ota_partition_subtypes(uint8_t type);

/* The boundary that a partition of this type must begin on, bytes: 0x10000 for apps, else
   0x1000. */
uint32_t ota_partition_alignment(uint8_t type);

#endif
