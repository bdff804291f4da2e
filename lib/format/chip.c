/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of each chip: docs/formats/image.md section 3 and 5. */
#include <updraft/chip.h>

#include <stddef.h>

static const struct ota_chip_facts chips[] = {
    {"esp32", OTA_CHIP_ESP32, 0x1000, {0x400D, 0x4040}, {0x3F40, 0x3F80}, 0, 0, false},
    {"esp32-s2", OTA_CHIP_ESP32S2, 0x1000, {0x4008, 0x40B8}, {0x3F00, 0x3F3F}, 0, 0, false},
    {"esp32-c3", OTA_CHIP_ESP32C3, 0x0, {0x4200, 0x4280}, {0x3C00, 0x3C80}, 0, 0, false},
    {"esp32-s3", OTA_CHIP_ESP32S3, 0x0, {0x4200, 0x4400}, {0x3C00, 0x3E00}, 0, 0, true},
    {"esp32-c2", OTA_CHIP_ESP32C2, 0x0, {0x4200, 0x4240}, {0x3C00, 0x3C40}, 14, 16, false},
    {"esp32-c6", OTA_CHIP_ESP32C6, 0x0, {0x4200, 0x4280}, {0x4280, 0x4300}, 13, 16, false},
    {"esp32-h2", OTA_CHIP_ESP32H2, 0x0, {0x4200, 0x4280}, {0x4280, 0x4300}, 13, 16, false},
    {"esp32-p4", OTA_CHIP_ESP32P4, 0x2000, {0x4000, 0x4C00}, {0x4000, 0x4C00}, 0, 0, true},
    {"esp32-c61", OTA_CHIP_ESP32C61, 0x0, {0x4200, 0x4280}, {0x4280, 0x4300}, 13, 16, true},
    {"esp32-c5", OTA_CHIP_ESP32C5, 0x2000, {0x4200, 0x4400}, {0x4200, 0x4400}, 0, 0, true},
    {"esp32-h21", OTA_CHIP_ESP32H21, 0x0, {0x4200, 0x4280}, {0x4280, 0x4300}, 13, 16, false},
    {"esp32-h4", OTA_CHIP_ESP32H4, 0x2000, {0x4200, 0x4280}, {0x4280, 0x4300}, 13, 16, true},
    {"esp32-e22", OTA_CHIP_ESP32E22, 0x0, {0x3C00, 0x4000}, {0x3C00, 0x4000}, 0, 0, false},
    {"esp32-s31", OTA_CHIP_ESP32S31, 0x2000, {0x4000, 0x5400}, {0x4000, 0x5400}, 15, 18, true},
    {"esp8266", OTA_CHIP_ESP8266, 0x0, {0, 0}, {0, 0}, 0, 0, false},
    {"host", OTA_CHIP_HOST, 0x0, {0, 0}, {0, 0}, 0, 0, false},
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

bool ota_chip_window_holds(struct ota_chip_window window, uint32_t address)
{
    return address >> 16 >= window.first && address >> 16 < window.end;
}
