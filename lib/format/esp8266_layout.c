/* SPDX-License-Identifier: Apache-2.0 */
/* docs/formats/flash-layout.md section 7. */
#include <updraft/esp8266_layout.h>
#include <updraft/image.h>
#include <updraft/sink.h>

#include "base/bytes.h"
#include "base/mem.h"

#define KIB 1024u
#define MIB (1024u * KIB)

#define HEADER 8u
#define CHECKSUM_BLOCK 16u
#define IMAGE_MAGIC 0xE9u

/* What lies at the end of the flash in every layout, counted from there. */
#define EEPROM_AT 0x5000u
#define RF_CALIBRATION_AT 0x4000u
#define WIFI_AT 0x3000u

static const struct ota_esp8266_layout layouts[] = {
    {"512k", 512 * KIB, 0x07B000, 0x07B000, 0},     {"512k32", 512 * KIB, 0x073000, 0x07B000, 4096},
    {"1m", 1 * MIB, 0x0FB000, 0x0FB000, 0},         {"1m64", 1 * MIB, 0x0EB000, 0x0FB000, 4096},
    {"1m128", 1 * MIB, 0x0DB000, 0x0FB000, 4096},   {"1m256", 1 * MIB, 0x0BB000, 0x0FB000, 4096},
    {"1m512", 1 * MIB, 0x07B000, 0x0FB000, 8192},   {"2m256", 2 * MIB, 0x1C0000, 0x1FB000, 4096},
    {"2m1m", 2 * MIB, 0x100000, 0x1FA000, 8192},    {"4m", 4 * MIB, 0x3FB000, 0x3FB000, 0},
    {"4m1m", 4 * MIB, 0x300000, 0x3FA000, 8192},    {"4m2m", 4 * MIB, 0x200000, 0x3FA000, 8192},
    {"4m3m", 4 * MIB, 0x100000, 0x3FA000, 8192},    {"8m6m", 8 * MIB, 0x200000, 0x7FA000, 8192},
    {"16m14m", 16 * MIB, 0x200000, 0xFFA000, 8192},
};

static const char *const found_by_size[] = {"512k32", "1m64", "2m256", "4m2m", "8m6m", "16m14m"};

const struct ota_esp8266_layout *ota_esp8266_layout_at(unsigned n)
{
    return n < sizeof layouts / sizeof layouts[0] ? &layouts[n] : NULL;
}

const struct ota_esp8266_layout *ota_esp8266_layout_find(const char *name)
{
    unsigned n = 0;
    const struct ota_esp8266_layout *layout = &layouts[0];

    while (layout != NULL && !ota__same_text(layout->name, name)) {
        layout = ota_esp8266_layout_at(++n);
    }
    return layout;
}

const struct ota_esp8266_layout *ota_esp8266_layout_for(uint32_t flash_size)
{
    for (unsigned i = 0; i < sizeof found_by_size / sizeof found_by_size[0]; i++) {
        const struct ota_esp8266_layout *layout = ota_esp8266_layout_find(found_by_size[i]);
        if (layout->flash_size == flash_size) {
            return layout;
        }
    }
    return NULL;
}

struct ota_extent ota_esp8266_layout_area(const struct ota_esp8266_layout *layout,
                                          enum ota_esp8266_area area)
{
    const uint32_t end = layout->flash_size;
    const struct ota_extent areas[OTA_ESP8266_AREAS] = {
        [OTA_ESP8266_PROGRAM] = {0, layout->fs_begin},
        [OTA_ESP8266_FILE_SYSTEM] = {layout->fs_begin, layout->fs_end - layout->fs_begin},
        [OTA_ESP8266_EEPROM] = {end - EEPROM_AT, EEPROM_AT - RF_CALIBRATION_AT},
        [OTA_ESP8266_RF_CALIBRATION] = {end - RF_CALIBRATION_AT, RF_CALIBRATION_AT - WIFI_AT},
        [OTA_ESP8266_WIFI] = {end - WIFI_AT, WIFI_AT},
    };

    return areas[area];
}

/* Walks the segments; `*size` becomes the offset behind the last. */
static enum ota_err skip_segments(const struct ota_region *flash, uint32_t count, uint32_t *size)
{
    uint8_t header[HEADER];

    for (uint32_t i = 0; i < count; i++) {
        enum ota_err err = ota_region_read(flash, *size, header, sizeof header);
        if (err != OTA_OK) {
            return err == OTA_ERR_BOUNDS ? OTA_ERR_IMAGE_TRUNCATED : err;
        }
        uint32_t len = ota__get_le32(header + 4);
        if (len > flash->size - *size - HEADER) {
            return OTA_ERR_IMAGE_TRUNCATED;
        }
        *size += HEADER + len;
    }
    return OTA_OK;
}

enum ota_err ota_esp8266_sketch_size(struct ota_flash *flash, uint32_t *size)
{
    const struct ota_region whole = {.flash = flash, .offset = 0, .size = flash->size};
    uint8_t header[HEADER];
    enum ota_err err = ota_region_read(&whole, OTA_ESP8266_SKETCH_OFFSET, header, sizeof header);

    if (err != OTA_OK) {
        return err;
    }
    if (header[0] != IMAGE_MAGIC) {
        return OTA_ERR_IMAGE_MAGIC;
    }
    if (header[1] > OTA_IMAGE_SEGMENTS_MAX) {
        return OTA_ERR_IMAGE_SEGMENT_COUNT;
    }
    *size = OTA_ESP8266_SKETCH_OFFSET + HEADER;
    err = skip_segments(&whole, header[1], size);
    *size = ota__round_up(*size + 1, CHECKSUM_BLOCK);
    return err == OTA_OK && *size > flash->size ? OTA_ERR_IMAGE_TRUNCATED : err;
}

uint32_t ota_esp8266_free_space(const struct ota_esp8266_layout *layout, uint32_t sketch_size)
{
    return sketch_size < layout->fs_begin
               ? layout->fs_begin - ota__round_up(sketch_size, OTA_ESP8266_SECTOR)
               : 0;
}

enum ota_err ota_esp8266_stage(const struct ota_esp8266_layout *layout, uint32_t sketch_size,
                               uint32_t size, uint32_t *offset)
{
    uint32_t space = ota_esp8266_free_space(layout, sketch_size);

    if (size == OTA_SIZE_UNKNOWN) {
        size = space > OTA_ESP8266_SECTOR ? space - OTA_ESP8266_SECTOR : space + 1;
    }
    if (size > space) {
        return OTA_ERR_TOO_LARGE;
    }
    *offset = layout->fs_begin - ota__round_up(size, OTA_ESP8266_SECTOR);
    return OTA_OK;
}
