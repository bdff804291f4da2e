/* SPDX-License-Identifier: Apache-2.0 */
/* Basic authorization of a client. */

#include "proto/http_basic.h"

#include "base/mem.h"
#include "proto/base64.h"
#include "proto/url.h"

enum ota_err ota__http_credentials(const char *given, const char *url, char *out, size_t size,
                                   size_t *len)
{
    struct ota__url parsed;

    *len = 0;
    if (given != NULL) {
        size_t given_len = strlen(given);
        if (given_len > size) {
            return OTA_ERR_ARGUMENT;
        }
        memcpy(out, given, given_len);
        *len = given_len;
        return OTA_OK;
    }
    if (ota__url_parse(&parsed, url) != OTA_OK || !parsed.has_credentials) {
        return OTA_OK;
    }
    return ota__url_credentials(&parsed, out, size, len);
}

void ota__http_put_basic(struct ota_text *text, const char *credentials, size_t len)
{
    ota_text_put(text, "Basic ");
    ota__base64_put(text, credentials, len);
}
