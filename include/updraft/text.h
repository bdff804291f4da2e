/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_TEXT_H
#define UPDRAFT_TEXT_H

/*
 * Text without stdio: composed piece by piece into a bounded buffer, and the few readings of text
 * that protocols need.
 *
 *     char line[80];
 *     struct ota_text text;
 *     ota_text_begin(&text, line, sizeof line);
 *     ota_text_put(&text, "received ");
 *     ota_text_put_decimal(&text, bytes);
 *     log(ota_text_end(&text));
 *
 * What does not fit is cut off and counted, never written. A text can also be a window on a longer
 * one that is composed afresh each time, so that a long request needs no buffer of its length.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ota_text {
    char *buffer;    /* the caller's */
    size_t capacity; /* bytes of it that text may fill */
    size_t skip;     /* how much of the text lies before the window */
    size_t length;   /* of the whole text so far, what was skipped or cut off included */
};

/* Starts a text in `buffer`, keeping a byte of its `size` (> 0) for ota_text_end. */
void ota_text_begin(struct ota_text *text, char *buffer, size_t size);

/* Starts a window: of the text that is then put, the `size` bytes from `skip` on go to `buffer`.
   Such a text is not terminated. */
void ota_text_window(struct ota_text *text, void *buffer, size_t size, size_t skip);

/* How many bytes of the text are in the buffer. */
size_t ota_text_stored(const struct ota_text *text);

/* Terminates the text with a zero byte and returns it. Only after ota_text_begin. */
const char *ota_text_end(struct ota_text *text);

/* Tells whether something was cut off at the end. */
bool ota_text_is_cut(const struct ota_text *text);

/* Add a string; `len` bytes; a number in decimal; bytes in hexadecimal, two digits each with
   `separator` between two bytes (0: none), in upper or lower case. */
void ota_text_put(struct ota_text *text, const char *string);
void ota_text_put_bytes(struct ota_text *text, const void *data, size_t len);
void ota_text_put_decimal(struct ota_text *text, uint32_t value);
void ota_text_put_hex(struct ota_text *text, const uint8_t *bytes, size_t len, char separator,
                      bool upper_case);

/* Tell whether two strings are the same but for the case of ASCII letters; and whether the `len`
   characters at `a` are the string `b` in that sense. */
bool ota_text_same(const char *a, const char *b);
bool ota_text_same_bytes(const char *a, size_t len, const char *b);

/* Reads a decimal number that takes up all `len` characters: digits only, at most UINT32_MAX.
   Returns false otherwise. */
bool ota_text_read_decimal(const char *text, size_t len, uint32_t *value);

/* Reads exactly 2 * `len` hexadecimal digits of either case, and the end of the string after them.
   Returns false otherwise; `bytes` is then unspecified. */
bool ota_text_read_hex(const char *string, uint8_t *bytes, size_t len);

#endif
