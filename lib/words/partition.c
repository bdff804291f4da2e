/* SPDX-License-Identifier: Apache-2.0 */
/* The keywords of partition types and subtypes, in the order in which the CSV tools list them:
   docs/formats/partition-table.md section 2. */
#include <updraft/partition.h>

static const struct ota_keyword types[] = {
    {"bootloader", OTA_PARTITION_BOOTLOADER},
    {"partition_table", OTA_PARTITION_TABLE},
    {"app", OTA_PARTITION_APP},
    {"data", OTA_PARTITION_DATA},
    {NULL, 0},
};

static const struct ota_keyword app_subtypes[] = {
    {"factory", OTA_SUBTYPE_APP_FACTORY},
    {"test", OTA_SUBTYPE_APP_TEST},
    {"ota_0", OTA_SUBTYPE_APP_OTA_0},
    {"ota_1", OTA_SUBTYPE_APP_OTA_0 + 1},
    {"ota_2", OTA_SUBTYPE_APP_OTA_0 + 2},
    {"ota_3", OTA_SUBTYPE_APP_OTA_0 + 3},
    {"ota_4", OTA_SUBTYPE_APP_OTA_0 + 4},
    {"ota_5", OTA_SUBTYPE_APP_OTA_0 + 5},
    {"ota_6", OTA_SUBTYPE_APP_OTA_0 + 6},
    {"ota_7", OTA_SUBTYPE_APP_OTA_0 + 7},
    {"ota_8", OTA_SUBTYPE_APP_OTA_0 + 8},
    {"ota_9", OTA_SUBTYPE_APP_OTA_0 + 9},
    {"ota_10", OTA_SUBTYPE_APP_OTA_0 + 10},
    {"ota_11", OTA_SUBTYPE_APP_OTA_0 + 11},
    {"ota_12", OTA_SUBTYPE_APP_OTA_0 + 12},
    {"ota_13", OTA_SUBTYPE_APP_OTA_0 + 13},
    {"ota_14", OTA_SUBTYPE_APP_OTA_0 + 14},
    {"ota_15", OTA_SUBTYPE_APP_OTA_15},
    {"tee_0", OTA_SUBTYPE_APP_TEE_0},
    {"tee_1", OTA_SUBTYPE_APP_TEE_1},
    {NULL, 0},
};

static const struct ota_keyword data_subtypes[] = {
    {"ota", OTA_SUBTYPE_DATA_OTA},
    {"phy", OTA_SUBTYPE_DATA_PHY},
    {"nvs", OTA_SUBTYPE_DATA_NVS},
    {"coredump", OTA_SUBTYPE_DATA_COREDUMP},
    {"nvs_keys", OTA_SUBTYPE_DATA_NVS_KEYS},
    {"efuse", OTA_SUBTYPE_DATA_EFUSE},
    {"undefined", OTA_SUBTYPE_DATA_UNDEFINED},
    {"esphttpd", OTA_SUBTYPE_DATA_ESPHTTPD},
    {"fat", OTA_SUBTYPE_DATA_FAT},
    {"spiffs", OTA_SUBTYPE_DATA_SPIFFS},
    {"littlefs", OTA_SUBTYPE_DATA_LITTLEFS},
    {"tee_ota", OTA_SUBTYPE_DATA_TEE_OTA},
    {NULL, 0},
};

static const struct ota_keyword bootloader_subtypes[] = {
    {"primary", OTA_SUBTYPE_BOOTLOADER_PRIMARY},
    {"ota", OTA_SUBTYPE_BOOTLOADER_OTA},
    {"recovery", OTA_SUBTYPE_BOOTLOADER_RECOVERY},
    {NULL, 0},
};

static const struct ota_keyword table_subtypes[] = {
    {"primary", OTA_SUBTYPE_TABLE_PRIMARY},
    {"ota", OTA_SUBTYPE_TABLE_OTA},
    {NULL, 0},
};

static const char *name_of(const struct ota_keyword *keyword, uint8_t value)
{
    while (keyword != NULL && keyword->name != NULL && keyword->value != value) {
        keyword++;
    }
    return keyword == NULL ? NULL : keyword->name;
}

const struct ota_keyword *ota_partition_types(void)
{
    return types;
}

const struct ota_keyword *ota_partition_subtypes(uint8_t type)
{
    switch (type) {
    case OTA_PARTITION_APP:
        return app_subtypes;
    case OTA_PARTITION_DATA:
        return data_subtypes;
    case OTA_PARTITION_BOOTLOADER:
        return bootloader_subtypes;
    case OTA_PARTITION_TABLE:
        return table_subtypes;
    default:
        return NULL;
    }
}

const char *ota_partition_type_name(uint8_t type)
{
    return name_of(types, type);
}

const char *ota_partition_subtype_name(uint8_t type, uint8_t subtype)
{
    return name_of(ota_partition_subtypes(type), subtype);
}
