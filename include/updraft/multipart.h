/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_MULTIPART_H
#define UPDRAFT_MULTIPART_H

/*
 * multipart/form-data (RFC 7578, RFC 2046 section 5.1) taken apart while it streams past, in less
 * than 400 bytes whatever the length of file and lines: docs/formats/web-upload.md section 3.
 *
 *     char boundary[OTA_BOUNDARY_SIZE];
 *     err = ota_multipart_boundary(content_type, boundary);
 *     if (err == OTA_OK) ota_multipart_begin(&form, boundary, &events, me);
 *     while (more && err == OTA_OK) err = ota_multipart_input(&form, data, len);
 *     if (err == OTA_OK) err = ota_multipart_finish(&form);
 *
 *                 delimiter                 blank line
 *     PREAMBLE ---------------> PART_HEAD --------------> DATA --delimiter--> PART_HEAD …
 *                                                           |
 *                                                           +--closing delimiter--> EPILOGUE
 *
 * | client sends                                     | callbacks                    |
 * | ------------------------------------------------ | ---------------------------- |
 * | anything (the preamble)                          |                              |
 * | `--boundary` CR LF                               |                              |
 * | part headers in any order and case, blank line   | on_part                      |
 * | data                                             | on_data, any number of times |
 * | CR LF `--boundary` CR LF, the next part          | on_part_end                  |
 * | CR LF `--boundary--`, perhaps CR LF, an epilogue | on_part_end                  |
 *
 * A part whose delimiter has not come whole is never ended: what was cut off is never taken for a
 * file. Data that looks like the beginning of a delimiter is data.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <updraft/error.h>

#define OTA_BOUNDARY_MAX 70u
#define OTA_BOUNDARY_SIZE (OTA_BOUNDARY_MAX + 1)
#define OTA_MULTIPART_NAME_MAX 31u        /* longer part names are cut off */
#define OTA_MULTIPART_FILE_MAX 95u        /* of longer file names the end is kept */
#define OTA_MULTIPART_PARTS_MAX 32u       /* more are malformed */
#define OTA_MULTIPART_PART_HEAD_MAX 4096u /* bytes of a part's headers; more are malformed */

/* What a part's headers say. Strings are the object's, until the part ends. */
struct ota_multipart_part {
    const char *name;      /* "" if it has none */
    const char *file_name; /* as sent; filename* decoded; "" if there is none */
    bool is_file;          /* it has a file name, or a type that is not text */
    uint32_t start;        /* bytes of the body before its data, modulo 2³² */
};

/* A callback that returns an error ends the parsing with it. */
struct ota_multipart_events {
    enum ota_err (*on_part)(void *context, const struct ota_multipart_part *part);
    enum ota_err (*on_data)(void *context, const void *data, size_t len); /* len > 0 */
    enum ota_err (*on_part_end)(void *context);
};

enum ota_multipart_state {
    OTA_MULTIPART_IDLE = 0,
    OTA_MULTIPART_PREAMBLE,
    OTA_MULTIPART_DELIMITER, /* behind a delimiter, in its line */
    OTA_MULTIPART_PART_HEAD,
    OTA_MULTIPART_DATA,
    OTA_MULTIPART_EPILOGUE, /* the closing delimiter has come: all is there */
    OTA_MULTIPART_FAILED,
};

struct ota_multipart {
    /* To be read by anyone. */
    enum ota_multipart_state state;
    enum ota_err err; /* FAILED: the first cause */

    /* Private. */
    const struct ota_multipart_events *events;
    void *context;
    char delimiter[4 + OTA_BOUNDARY_MAX]; /* CR LF dash dash boundary */
    uint8_t delimiter_len;
    uint8_t matched; /* how much of the delimiter the last bytes are */
    uint8_t tail;    /* what has come behind it */
    uint8_t parts;
    bool in_part, is_padded;
    uint32_t taken; /* bytes before those that are looked at now */

    uint16_t head_bytes;
    uint8_t line;   /* what the present header line is: see the source */
    uint8_t at;     /* where in it the next byte is */
    uint8_t folded; /* where, if the next line goes on with it */
    uint8_t target; /* which string a parameter's value goes to */
    uint8_t seen;   /* parameters and headers, one bit each */
    uint8_t quotes; /* of filename*: apostrophes passed */
    uint8_t escape; /* of filename*: what has come of an escape */
    uint8_t word_len, name_len, file_len;
    bool has_file_name, has_type, type_is_text;
    char word[28]; /* a header's name, a parameter's, or a value to compare, in lower case */
    char name[OTA_MULTIPART_NAME_MAX + 1];
    char file_name[OTA_MULTIPART_FILE_MAX + 1];
};

/* Finds the boundary in the value of a Content-Type header: its type begins with "multipart/", the
   parameter may be quoted and stand among others. Returns OTA_ERR_PROTOCOL if there is none, or it
   is empty or longer than 70. Tells whether the value is of such a type at all. */
enum ota_err ota_multipart_boundary(const char *content_type, char boundary[OTA_BOUNDARY_SIZE]);
bool ota_multipart_is(const char *content_type);

/* Starts on a body. `boundary` (1 to 70 characters) is copied. */
void ota_multipart_begin(struct ota_multipart *form, const char *boundary,
                         const struct ota_multipart_events *events, void *context);

/* Takes the next bytes. Returns OTA_OK, OTA_ERR_PROTOCOL for part headers that are none, an
   encoding of the data other than as it is, too many parts; or a callback's error; after a failure
   the first cause. */
enum ota_err ota_multipart_input(struct ota_multipart *form, const void *data, size_t len);

/* No more comes. Returns OTA_OK if the closing delimiter has, OTA_ERR_INCOMPLETE if not, or the
   first cause of a failure. */
enum ota_err ota_multipart_finish(struct ota_multipart *form);

#endif
