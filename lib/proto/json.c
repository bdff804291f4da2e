/* SPDX-License-Identifier: Apache-2.0 */
/* JSON in pieces. */

#include "proto/json.h"

#include "base/mem.h"

/* How many bytes at `at` are one character beyond ASCII in well-formed UTF-8; 0 if they are not. */
static size_t utf8_len(const uint8_t *at)
{
    size_t len;
    uint8_t low = 0x80, high = 0xBF; /* of the second byte */

    if (at[0] >= 0xC2 && at[0] <= 0xDF) {
        len = 2;
    } else if (at[0] >= 0xE0 && at[0] <= 0xEF) {
        len = 3;
        low = at[0] == 0xE0 ? 0xA0 : low;
        high = at[0] == 0xED ? 0x9F : high;
    } else if (at[0] >= 0xF0 && at[0] <= 0xF4) {
        len = 4;
        low = at[0] == 0xF0 ? 0x90 : low;
        high = at[0] == 0xF4 ? 0x8F : high;
    } else {
        return 0;
    }
    if (at[1] < low || at[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < len; i++) {
        if (at[i] < 0x80 || at[i] > 0xBF) {
            return 0;
        }
    }
    return len;
}

void ota__json_put_string(struct ota_text *text, const char *string)
{
    const uint8_t *at = (const uint8_t *)string;

    if (string == NULL) {
        ota_text_put(text, "null");
        return;
    }
    ota_text_put(text, "\"");
    while (*at != '\0') {
        size_t len = *at < 0x80 ? 1 : utf8_len(at);
        if (len == 0 || *at < ' ' || *at == 0x7F) {
            ota_text_put(text, "\\u00");
            ota_text_put_hex(text, at, 1, 0, false);
            len = 1;
        } else {
            if (*at == '"' || *at == '\\') {
                ota_text_put(text, "\\");
            }
            ota_text_put_bytes(text, at, len);
        }
        at += len;
    }
    ota_text_put(text, "\"");
}

void ota__json_put_bool(struct ota_text *text, bool value)
{
    ota_text_put(text, value ? "true" : "false");
}

void ota__json_put_name(struct ota_text *text, const char *name, bool first)
{
    ota_text_put(text, first ? "\"" : ",\"");
    ota_text_put(text, name);
    ota_text_put(text, "\":");
}

void ota__json_put_string_member(struct ota_text *text, const char *name, const char *string)
{
    ota__json_put_name(text, name, false);
    ota__json_put_string(text, string);
}

void ota__json_put_bool_member(struct ota_text *text, const char *name, bool value)
{
    ota__json_put_name(text, name, false);
    ota__json_put_bool(text, value);
}

void ota__json_put_number_member(struct ota_text *text, const char *name, uint32_t value)
{
    ota__json_put_name(text, name, false);
    ota_text_put_decimal(text, value);
}
