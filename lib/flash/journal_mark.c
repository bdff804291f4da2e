/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an update of a region was cut short, for those who only ask. */
#include "flash/journal_header.h"

#include "base/bytes.h"

enum ota_err ota_journal_is_begun(const struct ota_region *region, bool *begun)
{
    const uint32_t start = region->size - region->flash->erase_size;
    uint8_t header[OTA__JOURNAL_HEADER];
    enum ota_err err = OTA_OK;

    *begun = false;
    if (ota_journal_can_mark(region)) {
        err = ota_region_read(region, start, header, sizeof header);
        *begun = err == OTA_OK && ota__get_le32(header) == OTA__JOURNAL_MAGIC &&
                 header[OTA__JOURNAL_AT_VERSION] == OTA__JOURNAL_VERSION &&
                 ota_crc32(0, header, OTA__JOURNAL_AT_CRC) ==
                     ota__get_le32(header + OTA__JOURNAL_AT_CRC);
    }
    return err;
}
