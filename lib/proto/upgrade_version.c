/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a version is worth an upgrade: docs/formats/upgrade-list.md section 4. */
#include <updraft/version.h>

#include "base/mem.h"
#include "proto/upgrade_private.h"

#define NUMBER_LEN_MAX 32u
#define NUMBER_PARTS 3u

/* Reads the digits up to the next dot or the end; returns false if they are none, or above 255. */
static bool read_part(const char **at, uint32_t *part)
{
    const char *start = *at;

    while (**at >= '0' && **at <= '9') {
        (*at)++;
    }
    return ota_text_read_decimal(start, (size_t)(*at - start), part) && *part <= 255;
}

int32_t ota_upgrade_version_number(const char *version)
{
    uint32_t number = 0;

    if ((version[0] != 'v' && version[0] != 'V') || strlen(version) > NUMBER_LEN_MAX) {
        return -1;
    }
    for (unsigned i = 0; i < NUMBER_PARTS; i++) {
        uint32_t part;

        version++; /* the v, or a dot */
        if (!read_part(&version, &part) || *version != (i < NUMBER_PARTS - 1 ? '.' : '\0')) {
            return -1;
        }
        number = number << 8 | part;
    }
    return (int32_t)number;
}

static enum ota_err compare_numbers(const char *incoming, const char *present)
{
    int32_t offered = ota_upgrade_version_number(incoming);
    int32_t there = present != NULL ? ota_upgrade_version_number(present) : -1;

    if (offered < 0) {
        return OTA_ERR_VERSION;
    }
    if (offered == there) {
        return OTA_ERR_SAME_VERSION;
    }
    return offered > there ? OTA_OK : OTA_ERR_OLDER_VERSION;
}

/* What has an order is later than what has none; two branches of one history are in no order. */
static enum ota_err compare_order(const char *incoming, const char *present)
{
    bool is_ordered = ota_version_is_ordered(incoming);

    if (present == NULL) {
        return is_ordered ? OTA_OK : OTA_ERR_VERSION;
    }
    switch (ota_version_compare(incoming, present)) {
    case OTA_VERSION_NEWER:
        return OTA_OK;
    case OTA_VERSION_SAME:
        return OTA_ERR_SAME_VERSION;
    case OTA_VERSION_OLDER:
        return OTA_ERR_OLDER_VERSION;
    default:
        return is_ordered && !ota_version_is_ordered(present) ? OTA_OK : OTA_ERR_VERSION;
    }
}

static void log_both(const struct ota_upgrade *upgrade, const char *incoming, const char *present)
{
    char line[OTA__UPGRADE_LINE_SIZE];
    struct ota_text text;

    ota_text_begin(&text, line, sizeof line);
    ota_text_put(&text, "present version ");
    ota_text_put(&text, present != NULL ? present : "none");
    ota_text_put(&text, ", incoming version ");
    ota_text_put(&text, incoming[0] != '\0' ? incoming : "none");
    ota_upgrade_log(upgrade, OTA_LOG_INFO, ota_text_end(&text));
}

enum ota_err ota__upgrade_compare(const struct ota_upgrade *upgrade, enum ota_upgrade_check check,
                                  const char *incoming, const char *present)
{
    log_both(upgrade, incoming, present);
    switch (check) {
    case OTA_UPGRADE_ALWAYS:
        return OTA_OK;
    case OTA_UPGRADE_NEWER:
        return compare_order(incoming, present);
    case OTA_UPGRADE_NEWER_NUMBER:
        return compare_numbers(incoming, present);
    default:
        return present != NULL && ota__same_text(incoming, present) ? OTA_ERR_SAME_VERSION : OTA_OK;
    }
}
