/* SPDX-License-Identifier: Apache-2.0 */
/* Header lines in pieces. */

#include "proto/http_lines.h"

#include <updraft/text.h>

#include "base/mem.h"

static bool overflows(struct ota_http_lines *lines, size_t len, uint32_t bytes_max)
{
    if (len > bytes_max - lines->bytes) {
        return true;
    }
    lines->bytes += (uint32_t)len;
    return false;
}

enum ota_err ota__http_lines_name(struct ota_http_lines *lines, const char *at, size_t len,
                                  uint32_t bytes_max)
{
    if (overflows(lines, len, bytes_max)) {
        return OTA_ERR_HTTP_HEADER;
    }
    /* A name that fills its place is cut, and longer than any that may be wanted. */
    for (size_t i = 0; i < len; i++) {
        if (at[i] <= ' ' || at[i] > '~') {
            return OTA_ERR_HTTP_SYNTAX; /* the parser may be built to pass over it */
        }
        if (lines->name_len < sizeof lines->name) {
            lines->name[lines->name_len++] = at[i];
        }
    }
    return OTA_OK;
}

/* Follows the value of Transfer-Encoding: "chunked", once, is the only coding whose end a receiver
   can find and whose content is the body itself. */
static void follow_coding(struct ota_http_lines *lines, const char *at, size_t len)
{
    static const char chunked[] = "chunked";

    if (!ota__http_lines_is(lines, "Transfer-Encoding")) {
        return;
    }
    for (size_t i = 0; i < len; i++) {
        if (at[i] == ' ' || at[i] == '\t') {
            continue;
        }
        const char expected[2] = {chunked[lines->coding_len], '\0'};
        if (expected[0] == '\0' || !ota_text_same_bytes(&at[i], 1, expected)) {
            lines->coding_is_foreign = true;
            return;
        }
        lines->coding_len++;
    }
}

enum ota_err ota__http_lines_value(struct ota_http_lines *lines, const char *at, size_t len,
                                   uint32_t bytes_max, char *buffer, size_t size, bool keep)
{
    if (!lines->in_value) {
        lines->in_value = true;
        lines->value_len = 0;
    }
    if (overflows(lines, len, bytes_max)) {
        return OTA_ERR_HTTP_HEADER;
    }
    follow_coding(lines, at, len);
    if (!keep) {
        return OTA_OK;
    }
    if (len >= size - lines->value_len) {
        return OTA_ERR_HTTP_HEADER;
    }
    memcpy(buffer + lines->value_len, at, len);
    lines->value_len = (uint16_t)(lines->value_len + len);
    return OTA_OK;
}

int ota__http_lines_find(const struct ota_http_lines *lines, const char *const *wanted)
{
    for (int i = 0; wanted != NULL && wanted[i] != NULL; i++) {
        if (ota__http_lines_is(lines, wanted[i])) {
            return i;
        }
    }
    return -1;
}

bool ota__http_lines_is(const struct ota_http_lines *lines, const char *name)
{
    return ota_text_same_bytes(lines->name, lines->name_len, name);
}

void ota__http_lines_end(struct ota_http_lines *lines, char *buffer, bool kept)
{
    lines->in_value = false;
    lines->name_len = 0;
    if (!kept) {
        return;
    }
    size_t len = lines->value_len;
    while (len > 0 && (buffer[len - 1] == ' ' || buffer[len - 1] == '\t')) {
        len--;
    }
    buffer[len] = '\0';
}
