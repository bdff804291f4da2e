/* SPDX-License-Identifier: Apache-2.0 */
/* The tables themselves, as CSV: what a person would write, and can take as a start. */

#include "cli/builtin_tables.h"

#include <strings.h>

/* Offsets left empty are placed; see the section on automatic placement. */
#define NVS_24K "nvs,data,nvs,,24K\n"
#define PHY "phy_init,data,phy,,4K\n"
#define SINGLE_APP NVS_24K PHY "factory,app,factory,,1M\n"

#define ARDUINO_START "nvs,data,nvs,0x9000,0x5000\notadata,data,ota,0xe000,0x2000\n"

static const struct builtin_table tables[] = {
    {"singleapp", "Single factory app, no OTA", SINGLE_APP, 0x8000, 2, TABLE_ESP_IDF},
    {"singleapp_large", "Single factory app (large), no OTA",
     NVS_24K PHY "factory,app,factory,,1500K\n", 0x8000, 2, TABLE_ESP_IDF},
    {"singleapp_coredump", "Single factory app, no OTA, coredump",
     SINGLE_APP "coredump,data,coredump,,64K\n", 0x8000, 2, TABLE_ESP_IDF},
    {"singleapp_encr_nvs", "Single factory app, no OTA, encrypted NVS",
     SINGLE_APP "nvs_key,data,nvs_keys,,4K,encrypted\n", 0x8000, 2, TABLE_ESP_IDF},
    {"singleapp_tee", "Single factory app, no OTA, TEE",
     "tee,app,tee_0,,256K\n"
     "secure_storage,data,nvs,,64K\n"
     "factory,app,factory,,1536K\n"
     "nvs,data,nvs,,24K\n"
     "phy_init,data,phy,,4K\n",
     0x8000, 2, TABLE_ESP_IDF},
    {"two_ota", "Factory app, two OTA definitions",
     "nvs,data,nvs,,16K\n"
     "otadata,data,ota,,8K\n"
     "phy_init,data,phy,,4K\n"
     "factory,app,factory,,1M\n"
     "ota_0,app,ota_0,,1M\n"
     "ota_1,app,ota_1,,1M\n",
     0x8000, 4, TABLE_ESP_IDF},
    {"two_ota_large", "Two large size OTA partitions",
     NVS_24K "otadata,data,ota,,8K\n" PHY "ota_0,app,ota_0,,1700K\n"
             "ota_1,app,ota_1,,1700K\n",
     0x8000, 4, TABLE_ESP_IDF},
    {"two_ota_tee", "Two OTA definitions, TEE",
     "tee_0,app,tee_0,,256K\n"
     "tee_1,app,tee_1,,256K\n"
     "tee_otadata,data,tee_ota,,8K\n"
     "secure_storage,data,nvs,,56K\n"
     "ota_0,app,ota_0,,1536K\n"
     "ota_1,app,ota_1,,1536K\n"
     "otadata,data,ota,,8K\n" NVS_24K PHY,
     0x8000, 4, TABLE_ESP_IDF},

    {"default_4MB", "Arduino: default 4 MB with SPIFFS",
     ARDUINO_START "app0,app,ota_0,0x10000,0x140000\n"
                   "app1,app,ota_1,0x150000,0x140000\n"
                   "spiffs,data,spiffs,0x290000,0x160000\n"
                   "coredump,data,coredump,0x3F0000,0x10000\n",
     0x8000, 4, TABLE_ESP_IDF},
    {"default_4MB_old", "Arduino: default 4 MB with SPIFFS, before the core dump",
     ARDUINO_START "app0,app,ota_0,0x10000,0x140000\n"
                   "app1,app,ota_1,0x150000,0x140000\n"
                   "eeprom,data,0x99,0x290000,0x1000\n"
                   "spiffs,data,spiffs,0x291000,0x16F000\n",
     0x8000, 4, TABLE_ESP_IDF},
    {"default_8MB", "Arduino: default 8 MB with SPIFFS",
     ARDUINO_START "app0,app,ota_0,0x10000,0x330000\n"
                   "app1,app,ota_1,0x340000,0x330000\n"
                   "spiffs,data,spiffs,0x670000,0x180000\n"
                   "coredump,data,coredump,0x7F0000,0x10000\n",
     0x8000, 8, TABLE_ESP_IDF},
    {"default_16MB", "Arduino: default 16 MB with SPIFFS",
     ARDUINO_START "app0,app,ota_0,0x10000,0x640000\n"
                   "app1,app,ota_1,0x650000,0x640000\n"
                   "spiffs,data,spiffs,0xC90000,0x360000\n"
                   "coredump,data,coredump,0xFF0000,0x10000\n",
     0x8000, 16, TABLE_ESP_IDF},
    {"min_spiffs", "Arduino: minimal SPIFFS, large apps with OTA",
     ARDUINO_START "app0,app,ota_0,0x10000,0x1E0000\n"
                   "app1,app,ota_1,0x1F0000,0x1E0000\n"
                   "spiffs,data,spiffs,0x3D0000,0x20000\n"
                   "coredump,data,coredump,0x3F0000,0x10000\n",
     0x8000, 4, TABLE_ESP_IDF},
    {"minimal", "Arduino: minimal 2 MB, no OTA",
     ARDUINO_START "app0,app,ota_0,0x10000,0x140000\n"
                   "spiffs,data,spiffs,0x150000,0xA0000\n"
                   "coredump,data,coredump,0x1F0000,0x10000\n",
     0x8000, 2, TABLE_ESP_IDF},
    {"huge_app", "Arduino: huge app, no OTA",
     ARDUINO_START "app0,app,ota_0,0x10000,0x300000\n"
                   "spiffs,data,spiffs,0x310000,0xE0000\n"
                   "coredump,data,coredump,0x3F0000,0x10000\n",
     0x8000, 4, TABLE_ESP_IDF},
};

/* ESP8266_RTOS_SDK: what the SDK's notes give are the apps and their places; nvs, otadata and phy
   are placed before them. */
static const struct builtin_table esp8266_tables[] = {
    {"esp8266_singleapp", "ESP8266: Single factory app, no OTA",
     NVS_24K PHY "factory,app,factory,0x10000,0xF0000\n", 0x8000, 1, TABLE_ESP8266},
    {"esp8266_two_ota", "ESP8266: Factory app, two OTA definitions",
     "nvs,data,nvs,,16K\n"
     "otadata,data,ota,,8K\n"
     "phy_init,data,phy,,4K\n"
     "ota_0,app,ota_0,0x10000,0xF0000\n"
     "ota_1,app,ota_1,0x110000,0xF0000\n",
     0x8000, 2, TABLE_ESP8266},
    {"esp8266_two_ota_1MB", "ESP8266: two OTA definitions in 1 MB",
     "nvs,data,nvs,,16K\n"
     "otadata,data,ota,,8K\n"
     "phy_init,data,phy,,4K\n"
     "ota_0,app,ota_0,0x10000,0x70000\n"
     "ota_1,app,ota_1,0x80000,0x70000\n",
     0x8000, 1, TABLE_ESP8266},
    {"esp8266_v2_to_v3_1MB", "ESP8266: two OTA definitions in 1 MB, migrated from version 2",
     "phy_init,data,phy,0x6000,0x1000\n"
     "ota_0,app,ota_0,0x7000,0x77000\n"
     "nvs,data,nvs,0x7f000,0x4000\n"
     "otadata,data,ota,0x83000,0x2000\n"
     "ota_1,app,ota_1,0x85000,0x77000\n",
     0x5000, 1, TABLE_ESP8266},
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

const struct builtin_table *builtin_table_at(size_t n)
{
    if (n < COUNT(tables)) {
        return &tables[n];
    }
    n -= COUNT(tables);
    return n < COUNT(esp8266_tables) ? &esp8266_tables[n] : NULL;
}

const struct builtin_table *builtin_table_find(const char *name)
{
    const struct builtin_table *table;
    for (size_t n = 0; (table = builtin_table_at(n)); n++) {
        if (strcasecmp(table->name, name) == 0 || strcasecmp(table->title, name) == 0) {
            return table;
        }
    }
    return NULL;
}
