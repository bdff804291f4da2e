/* SPDX-License-Identifier: Apache-2.0 */
/* Statuses and ranges of an HTTP answer. */

#include "proto/http_answer.h"

#include <updraft/text.h>

#include "base/mem.h"

/* The number at the start of `*text`, up to `stop`, which is passed over. */
static bool number_until(const char **text, char stop, uint32_t *value)
{
    size_t len = 0;

    while ((*text)[len] != stop) {
        if ((*text)[len++] == '\0') {
            return false;
        }
    }
    bool good = ota_text_read_decimal(*text, len, value);
    *text += len + 1;
    return good;
}

bool ota__http_read_content_range(const char *value, struct ota__content_range *range)
{
    static const char unit[] = "bytes ";
    const size_t len = sizeof unit - 1;
    struct ota__content_range read;

    memset(range, 0, sizeof *range);
    if (strlen(value) <= len || !ota_text_same_bytes(value, len, unit)) {
        return false;
    }
    value += len;
    if (!number_until(&value, '-', &read.first) || !number_until(&value, '/', &read.last) ||
        !ota_text_read_decimal(value, strlen(value), &read.total) || read.first > read.last ||
        read.last >= read.total) {
        return false;
    }
    *range = read;
    return true;
}

bool ota__http_is_redirect(uint16_t status)
{
    return (status >= 301 && status <= 303) || status == 307 || status == 308;
}

enum ota_err ota__http_status_error(uint16_t status)
{
    switch (status) {
    case 200:
    case 206:
    case 304:
        return OTA_OK;
    case 401:
        return OTA_ERR_HTTP_CREDENTIALS;
    case 403:
        return OTA_ERR_HTTP_FORBIDDEN;
    case 404:
        return OTA_ERR_HTTP_NOT_FOUND;
    case 416:
        return OTA_ERR_HTTP_RANGE;
    default:
        return ota__http_is_redirect(status) ? OTA_ERR_HTTP_REDIRECT : OTA_ERR_HTTP_STATUS;
    }
}

bool ota__http_is_etag(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] <= ' ' || bytes[i] > '~') {
            return false;
        }
    }
    return true;
}
