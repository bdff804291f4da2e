/* SPDX-License-Identifier: Apache-2.0 */
/* docs/formats/flash-layout.md section 7.3. */
#include <updraft/esp8266.h>
#include <updraft/writer.h>

#include "base/crc32_mpeg2.h"
#include "base/mem.h"

#define MODE_OFFSET 2u
#define MODE_MAX 3u

/* A code that is no size fits every flash. */
static bool is_for(const struct ota_esp8266 *esp8266, const struct ota_image *image)
{
    static const uint8_t log2_of[] = {19, 18, 20, 21, 22, 21, 22, 0, 23, 24};
    unsigned code = image->spi_speed_size >> 4;

    return code >= sizeof log2_of || 1u << log2_of[code] <= esp8266->flash_size;
}

/* A CRC is linear: a bit that differs changes it by a pattern which depends only on how many bytes
   follow, and the pattern of the next higher bit is that one a step on. */
static void find_patterns(uint32_t patterns[8], uint32_t bytes_behind)
{
    patterns[0] = ota__crc32_mpeg2(0, 1);
    for (uint32_t i = 0; i < bytes_behind; i++) {
        patterns[0] = ota__crc32_mpeg2(patterns[0], 0);
    }
    for (unsigned bit = 1; bit < 8; bit++) {
        uint32_t carry = patterns[bit - 1] >> 31;
        patterns[bit] = patterns[bit - 1] << 1 ^ (carry != 0 ? OTA__CRC32_MPEG2_POLYNOMIAL : 0);
    }
}

static bool is_by_mode(uint32_t difference, uint32_t len)
{
    uint32_t patterns[8];

    find_patterns(patterns, len - MODE_OFFSET - 1);
    for (unsigned change = 1; change < 256; change++) {
        uint32_t sum = 0;
        for (unsigned bit = 0; bit < 8; bit++) {
            sum ^= (change >> bit & 1) != 0 ? patterns[bit] : 0;
        }
        if (sum == difference) {
            return true;
        }
    }
    return false;
}

static enum ota_err store(const struct ota_esp8266 *esp8266, struct ota_writer *writer,
                          uint32_t offset, const uint8_t *data, uint32_t len)
{
    enum ota_err err = OTA_OK;

    if (esp8266->mode <= MODE_MAX && offset <= MODE_OFFSET && len > MODE_OFFSET - offset) {
        uint32_t before = MODE_OFFSET - offset;
        err = ota_writer_write(writer, data, before);
        if (err == OTA_OK) {
            err = ota_writer_write(writer, &esp8266->mode, 1);
        }
        data += before + 1;
        len -= before + 1;
    }
    return err == OTA_OK ? ota_writer_write(writer, data, len) : err;
}

enum ota_err ota_esp8266_init(struct ota_esp8266 *esp8266, struct ota_flash *flash)
{
    memset(esp8266, 0, sizeof *esp8266);
    esp8266->flash_size = flash->size;
    esp8266->is_for = is_for;
    esp8266->is_by_mode = is_by_mode;
    esp8266->store = store;
    return flash->read(flash, MODE_OFFSET, &esp8266->mode, 1);
}
