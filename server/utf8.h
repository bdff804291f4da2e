/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_SERVER_UTF8_H
#define UPDRAFT_SERVER_UTF8_H

/* UTF-8, and which characters count as blank or end a line in the partition tools' CSV. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UTF8_INVALID UINT32_MAX
#define UTF8_LONGEST 4 /* bytes of one character */

/* Decodes the character at the start of `text` (`len` > 0 bytes) and stores its length in bytes in
   `*used`. Returns UTF8_INVALID with `*used` 1 for what is not UTF-8 (RFC 3629). */
uint32_t utf8_decode(const char *text, size_t len, size_t *used);

/* Encodes a character (at most 0x10FFFF). Returns the number of bytes. */
size_t utf8_encode(uint32_t character, char text[UTF8_LONGEST]);

/* Tells whether all of the text is UTF-8; stores where it first is not in `*where` unless NULL. */
bool utf8_is_valid(const char *text, size_t len, size_t *where);

/* Returns the length in bytes of the character at `text`, which ends with an end mark; 0 if that is
   there, a control character, or what is not UTF-8. */
size_t utf8_printable(const char *text);

/* Tells whether the character is white space, in the sense of Unicode's White_Space property and
   the four ASCII separators 0x1C to 0x1F. */
bool utf8_is_blank(uint32_t character);

/* Tells whether the character ends a line. A carriage return and a line feed after it end one. */
bool utf8_ends_line(uint32_t character);

/* Narrows a stretch of text to what is left without blanks at both ends. */
void utf8_strip(const char **text, size_t *len);

#endif
