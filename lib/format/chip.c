/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of each chip: docs/formats/image.md section 3 and 5. */
#include <updraft/chip.h>

#include <stddef.h>

#define KB 1024u
#define PAGE_64K .page_size = 64 * KB
#define PAGE_VARIES(min, max)                                                  \
    .page_size = 64 * KB, .page_size_varies = true, .page_size_min = (min)*KB, \
    .page_size_max = (max)*KB

static const struct ota_chip_facts chips[] = {
    {OTA_CHIP_ESP32, "esp32", 0x1000, 0x400D0000, 0x40400000, 0x3F400000, 0x3F800000, PAGE_64K},
    {OTA_CHIP_ESP32S2, "esp32-s2", 0x1000, 0x40080000, 0x40B80000, 0x3F000000, 0x3F3F0000,
     PAGE_64K},
    {OTA_CHIP_ESP32C3, "esp32-c3", 0, 0x42000000, 0x42800000, 0x3C000000, 0x3C800000, PAGE_64K},
    {OTA_CHIP_ESP32S3, "esp32-s3", 0, 0x42000000, 0x44000000, 0x3C000000, 0x3E000000, PAGE_64K,
     .large_flash = true},
    {OTA_CHIP_ESP32C2, "esp32-c2", 0, 0x42000000, 0x42400000, 0x3C000000, 0x3C400000,
     PAGE_VARIES(16, 64)},
    {OTA_CHIP_ESP32C6, "esp32-c6", 0, 0x42000000, 0x42800000, 0x42800000, 0x43000000,
     PAGE_VARIES(8, 64)},
    {OTA_CHIP_ESP32H2, "esp32-h2", 0, 0x42000000, 0x42800000, 0x42800000, 0x43000000,
     PAGE_VARIES(8, 64)},
    {OTA_CHIP_ESP32P4, "esp32-p4", 0x2000, 0x40000000, 0x4C000000, 0x40000000, 0x4C000000, PAGE_64K,
     .large_flash = true},
    {OTA_CHIP_ESP32C61, "esp32-c61", 0, 0x42000000, 0x42800000, 0x42800000, 0x43000000,
     PAGE_VARIES(8, 64), .large_flash = true},
    {OTA_CHIP_ESP32C5, "esp32-c5", 0x2000, 0x42000000, 0x44000000, 0x42000000, 0x44000000, PAGE_64K,
     .large_flash = true},
    {OTA_CHIP_ESP32H21, "esp32-h21", 0, 0x42000000, 0x42800000, 0x42800000, 0x43000000,
     PAGE_VARIES(8, 64)},
    {OTA_CHIP_ESP32H4, "esp32-h4", 0x2000, 0x42000000, 0x42800000, 0x42800000, 0x43000000,
     PAGE_VARIES(8, 64), .large_flash = true},
    {OTA_CHIP_ESP32E22, "esp32-e22", 0, 0x3C000000, 0x40000000, 0x3C000000, 0x40000000, PAGE_64K},
    {OTA_CHIP_ESP32S31, "esp32-s31", 0x2000, 0x40000000, 0x54000000, 0x40000000, 0x54000000,
     PAGE_VARIES(32, 256), .large_flash = true},
    {OTA_CHIP_ESP8266, "esp8266", 0, 0, 0, 0, 0, PAGE_64K},
    {OTA_CHIP_HOST, "host", 0, 0, 0, 0, 0, PAGE_64K},
};

const struct ota_chip_facts *ota_chip_facts_at(unsigned n)
{
    return n < sizeof chips / sizeof chips[0] ? &chips[n] : NULL;
}

const struct ota_chip_facts *ota_chip_facts(uint16_t id)
{
    unsigned n = 0;
    const struct ota_chip_facts *chip = &chips[0];

    while (chip != NULL && chip->id != id) {
        chip = ota_chip_facts_at(++n);
    }
    return chip;
}
