/* SPDX-License-Identifier: Apache-2.0 */
/* Tone images: any bytes, in pieces of any size, judge the same; and the same in a partition. */
#include <string.h>

#include <updraft/crypto.h>
#include <updraft/tone.h>

#include "base/bytes.h"
#include "fuzz/input.h"

#define REGION_MAX 65536u

struct memory_flash {
    struct ota_flash flash;
    const uint8_t *bytes;
    uint32_t size;
};

static enum ota_err read_memory(struct ota_flash *flash, uint32_t offset, void *data, uint32_t len)
{
    const struct memory_flash *memory = (const struct memory_flash *)flash;

    REQUIRE(offset <= memory->size && len <= memory->size - offset);
    memcpy(data, memory->bytes + offset, len);
    return OTA_OK;
}

static enum ota_err feed(struct ota_tone_check *check, const uint8_t *data, size_t len,
                         size_t piece)
{
    ota_tone_check_begin(check);
    for (size_t at = 0; at < len; at += piece) {
        size_t n = len - at < piece ? len - at : piece;
        if (ota_tone_check_write(check, data + at, n) != OTA_OK) {
            break;
        }
    }
    return ota_tone_check_finish(check);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ota_tone_check whole;
    struct ota_tone_check pieces;
    struct ota_tone_check lying;
    struct ota_tone_head head;

    if (size < 2 || size > REGION_MAX) {
        return 0;
    }
    size_t piece = 1u + data[0];
    /* A right CRC is hardly ever found by chance. */
    static uint8_t copy[REGION_MAX];
    const bool reseal = (data[1] & 1) != 0;
    data += 2;
    size -= 2;
    memcpy(copy, data, size);
    if (reseal && size >= 6) {
        ota__put_le32(copy + size - 6, ota_crc32(0, copy, size - 6));
        ota__put_le16(copy + size - 2, 0xDFAC);
    }
    enum ota_err err = feed(&whole, copy, size, size > 0 ? size : 1);
    REQUIRE(feed(&pieces, copy, size, piece) == err);
    REQUIRE(pieces.failure.offset == whole.failure.offset && pieces.size == whole.size);
    if (err == OTA_OK) {
        REQUIRE(whole.size == size);
        REQUIRE(ota_tone_head_decode(&head, copy, size) == OTA_OK);
        REQUIRE(head.files == whole.head.files && head.format == whole.head.format);
        REQUIRE(strcmp(head.version, whole.head.version) == 0);
    }
    struct memory_flash memory = {.flash = {.size = (uint32_t)size, .read = read_memory},
                                  .bytes = copy,
                                  .size = (uint32_t)size};
    const struct ota_region region = {&memory.flash, 0, (uint32_t)size};
    enum ota_err in_flash = ota_tone_verify(&lying, &region);
    REQUIRE(in_flash == err || err == OTA_ERR_TOO_LARGE); /* there, something may follow */
    for (unsigned i = 0; in_flash == OTA_OK && i < lying.head.files; i++) {
        struct ota_tone_file file;
        REQUIRE(ota_tone_file(&lying.head, &region, i, &file) == OTA_OK);
        REQUIRE(file.address <= lying.size && file.length <= lying.size - file.address);
    }
    return 0;
}
