/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers, each written once: docs/formats/staging.md section 3. */
#include "format/staging.h"

#include "base/blank.h"
#include "base/bytes.h"
#include "base/mem.h"

/* So many blank places behind one another, and no record follows. */
#define END_OF_LOG 8u

uint32_t ota__log_stride(const struct ota_flash *flash)
{
    return ota__max(OTA__LOG_RECORD, flash->write_size);
}

enum ota_err ota__log_read(struct ota__log *log, const struct ota_region *region, uint32_t start,
                           ota__log_fn *on_record, void *context)
{
    uint32_t stride = ota__log_stride(region->flash);
    uint32_t end = start;
    bool is_torn = false;

    log->region = *region;
    for (uint32_t at = start; at + stride <= region->size && at - end < END_OF_LOG * stride;
         at += stride) {
        uint8_t record[OTA__LOG_RECORD];
        enum ota_err err = ota_region_read(region, at, record, sizeof record);
        if (err != OTA_OK) {
            return err;
        }
        if (ota__is_blank(record, sizeof record)) {
            continue;
        }
        end = at + stride;
        is_torn = (ota__get_le16(record) ^ ota__get_le16(record + 2)) != 0xFFFF;
        if (!is_torn) {
            on_record(context, ota__get_le16(record));
        }
    }
    /* Behind a good record another may have been begun, of which nothing shows. Behind one that
       power spoiled nothing was. */
    log->next = is_torn ? end : end + stride;
    return OTA_OK;
}

uint32_t ota__log_room(const struct ota__log *log)
{
    uint32_t end = log->region.size;

    return log->next < end ? (end - log->next) / ota__log_stride(log->region.flash) : 0;
}

enum ota_err ota__log_append(struct ota__log *log, uint16_t value)
{
    uint8_t record[OTA_WRITE_SIZE_MAX];
    uint32_t stride = ota__log_stride(log->region.flash);
    uint32_t at = log->next;

    if (ota__log_room(log) == 0) {
        return OTA_ERR_TOO_LARGE;
    }
    memset(record, 0xFF, sizeof record);
    ota__put_le16(record, value);
    ota__put_le16(record + 2, (uint16_t)~value);
    log->next += stride;
    return ota_region_write_verified(&log->region, at, record, stride);
}
