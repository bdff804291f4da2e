/* SPDX-License-Identifier: Apache-2.0 */
/* docs/formats/eboot.md section 1. */
#include <updraft/eboot.h>

#include "base/bytes.h"
#include "base/crc32_mpeg2.h"
#include "base/mem.h"

#define MAGIC 0xEB001000u
#define MAGIC_MASK 0xFFFFF000u

#define AT_MAGIC 0u
#define AT_ACTION 4u
#define AT_SOURCE 8u
#define AT_DESTINATION 12u
#define AT_SIZE 16u
#define AT_CRC 124u

static uint32_t crc_of(const uint8_t *record)
{
    uint32_t crc = OTA__CRC32_MPEG2_START;

    for (uint32_t i = 0; i < AT_CRC; i++) {
        crc = ota__crc32_mpeg2(crc, record[i]);
    }
    return crc;
}

void ota_eboot_encode(const struct ota_eboot_command *command,
                      uint8_t record[OTA_EBOOT_COMMAND_SIZE])
{
    memset(record, 0, OTA_EBOOT_COMMAND_SIZE);
    ota__put_le32(record + AT_MAGIC, MAGIC);
    ota__put_le32(record + AT_ACTION, command->action);
    ota__put_le32(record + AT_SOURCE, command->source);
    ota__put_le32(record + AT_DESTINATION, command->destination);
    ota__put_le32(record + AT_SIZE, command->size);
    ota__put_le32(record + AT_CRC, crc_of(record));
}

enum ota_err ota_eboot_decode(const uint8_t record[OTA_EBOOT_COMMAND_SIZE],
                              struct ota_eboot_command *command)
{
    if ((ota__get_le32(record + AT_MAGIC) & MAGIC_MASK) != MAGIC ||
        ota__get_le32(record + AT_CRC) != crc_of(record)) {
        return OTA_ERR_NO_DATA;
    }
    command->action = ota__get_le32(record + AT_ACTION);
    command->source = ota__get_le32(record + AT_SOURCE);
    command->destination = ota__get_le32(record + AT_DESTINATION);
    command->size = ota__get_le32(record + AT_SIZE);
    return OTA_OK;
}

void ota_eboot_clear(uint8_t record[OTA_EBOOT_COMMAND_SIZE])
{
    ota__put_le32(record + AT_MAGIC, 0);
    ota__put_le32(record + AT_CRC, 0);
}
