/* SPDX-License-Identifier: Apache-2.0 */
/* Bounded text: composing requests and log lines, reading the numbers of answers. */

#include <updraft/text.h>

#include "base/mem.h"

void ota_text_begin(struct ota_text *text, char *buffer, size_t size)
{
    ota_text_window(text, buffer, size - 1, 0);
}

void ota_text_window(struct ota_text *text, void *buffer, size_t size, size_t skip)
{
    text->buffer = buffer;
    text->capacity = size;
    text->skip = skip;
    text->length = 0;
}

size_t ota_text_stored(const struct ota_text *text)
{
    if (text->length <= text->skip) {
        return 0;
    }
    size_t past = text->length - text->skip;
    return past < text->capacity ? past : text->capacity;
}

const char *ota_text_end(struct ota_text *text)
{
    text->buffer[ota_text_stored(text)] = '\0';
    return text->buffer;
}

bool ota_text_is_cut(const struct ota_text *text)
{
    return text->length > text->skip && text->length - text->skip > text->capacity;
}

void ota_text_put(struct ota_text *text, const char *string)
{
    ota_text_put_bytes(text, string, strlen(string));
}

void ota_text_put_bytes(struct ota_text *text, const void *data, size_t len)
{
    const char *from = data;
    size_t start = text->length;

    text->length += len;
    if (start < text->skip) {
        size_t before = text->skip - start < len ? text->skip - start : len;
        from += before;
        len -= before;
        start += before;
    }
    size_t at = start - text->skip;
    if (len == 0 || at >= text->capacity) {
        return;
    }
    size_t room = text->capacity - at;
    memcpy(text->buffer + at, from, len < room ? len : room);
}

void ota_text_put_decimal(struct ota_text *text, uint32_t value)
{
    char digits[10];
    size_t first = sizeof digits;

    do {
        digits[--first] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    ota_text_put_bytes(text, digits + first, sizeof digits - first);
}

void ota_text_put_hex(struct ota_text *text, const uint8_t *bytes, size_t len, char separator,
                      bool upper_case)
{
    const char *digits = upper_case ? "0123456789ABCDEF" : "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        const char pair[2] = {digits[bytes[i] >> 4], digits[bytes[i] & 15]};
        if (i > 0 && separator != 0) {
            ota_text_put_bytes(text, &separator, 1);
        }
        ota_text_put_bytes(text, pair, sizeof pair);
    }
}

static char lower(char character)
{
    return character >= 'A' && character <= 'Z' ? (char)(character - 'A' + 'a') : character;
}

bool ota_text_same(const char *a, const char *b)
{
    return ota_text_same_bytes(a, strlen(a), b);
}

bool ota_text_same_bytes(const char *a, size_t len, const char *b)
{
    for (size_t i = 0; i < len; i++) {
        if (b[i] == '\0' || lower(a[i]) != lower(b[i])) {
            return false;
        }
    }
    return b[len] == '\0';
}

bool ota_text_read_decimal(const char *text, size_t len, uint32_t *value)
{
    uint32_t number = 0;

    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        uint32_t digit = (uint32_t)(text[i] - '0');
        if (number > (UINT32_MAX - digit) / 10) {
            return false;
        }
        number = number * 10 + digit;
    }
    *value = number;
    return len > 0;
}

static int hex_digit(char character)
{
    if (character >= '0' && character <= '9') {
        return character - '0';
    }
    character = lower(character);
    return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

bool ota_text_read_hex(const char *string, uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        int high = hex_digit(string[2 * i]);
        int low = high < 0 ? -1 : hex_digit(string[2 * i + 1]);
        if (low < 0) {
            return false;
        }
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return string[2 * len] == '\0';
}
