/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 by the table of RFC 3629 section 4, and the few Unicode properties that CSV reading
   needs. */

#include "server/utf8.h"

uint32_t utf8_decode(const char *text, size_t len, size_t *used)
{
    static const uint32_t smallest[UTF8_LONGEST + 1] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *byte = (const unsigned char *)text;

    *used = 1;
    if (byte[0] < 0x80) {
        return byte[0];
    }
    size_t need = byte[0] >= 0xF0 ? 4 : byte[0] >= 0xE0 ? 3 : 2;
    if (byte[0] < 0xC2 || byte[0] > 0xF4 || need > len) {
        return UTF8_INVALID;
    }
    uint32_t character = byte[0] & (0x7Fu >> need);
    for (size_t i = 1; i < need; i++) {
        if ((byte[i] & 0xC0) != 0x80) {
            return UTF8_INVALID;
        }
        character = character << 6 | (byte[i] & 0x3Fu);
    }
    if (character < smallest[need] || character > 0x10FFFF ||
        (character >= 0xD800 && character <= 0xDFFF)) {
        return UTF8_INVALID;
    }
    *used = need;
    return character;
}

size_t utf8_encode(uint32_t character, char text[UTF8_LONGEST])
{
    static const unsigned char mark[UTF8_LONGEST + 1] = {0, 0, 0xC0, 0xE0, 0xF0};
    size_t len = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;

    for (size_t i = len - 1; i > 0; i--) {
        text[i] = (char)(0x80 | (character & 0x3F));
        character >>= 6;
    }
    text[0] = (char)(mark[len] | character);
    return len;
}

bool utf8_is_valid(const char *text, size_t len, size_t *where)
{
    size_t at = 0;
    while (at < len) {
        size_t used;
        if (utf8_decode(text + at, len - at, &used) == UTF8_INVALID) {
            if (where) {
                *where = at;
            }
            return false;
        }
        at += used;
    }
    return true;
}

size_t utf8_printable(const char *text)
{
    size_t used;
    /* An end mark is no part of any character, so nothing is read beyond it. */
    uint32_t character = utf8_decode(text, UTF8_LONGEST, &used);
    bool control = character < 0x20 || (character >= 0x7F && character < 0xA0);
    return character == UTF8_INVALID || control ? 0 : used;
}

bool utf8_is_blank(uint32_t c)
{
    return c == ' ' || (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x1F) || c == 0x85 ||
           c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
           c == 0x202F || c == 0x205F || c == 0x3000;
}

bool utf8_ends_line(uint32_t c)
{
    return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 ||
           c == 0x2029;
}

void utf8_strip(const char **text, size_t *len)
{
    size_t used;
    while (*len > 0 && utf8_is_blank(utf8_decode(*text, *len, &used))) {
        *text += used;
        *len -= used;
    }
    while (*len > 0) {
        size_t last = *len - 1;
        while (last > 0 && *len - last < UTF8_LONGEST &&
               ((unsigned char)(*text)[last] & 0xC0) == 0x80) {
            last--;
        }
        uint32_t character = utf8_decode(*text + last, *len - last, &used);
        if (used != *len - last || !utf8_is_blank(character)) {
            return;
        }
        *len = last;
    }
}
