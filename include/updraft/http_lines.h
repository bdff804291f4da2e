/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_HTTP_LINES_H
#define UPDRAFT_HTTP_LINES_H

/* What http_client.h and http_server.h have in common: the grammar's parser and the header lines of
   a message as they stream past. Private to the two. */

#include <stdbool.h>
#include <stdint.h>

/* http-parser's object. */
#define OTA_HTTP_PARSER_SIZE 48u
struct ota_http_parser_place {
    union {
        uint64_t align;
        void *align_pointer;
        unsigned char bytes[OTA_HTTP_PARSER_SIZE];
    } as;
};

struct ota_http_lines {
    uint32_t bytes; /* of all names and values so far */
    uint16_t value_len;
    uint8_t name_len;
    uint8_t coding_len; /* how much of "chunked" Transfer-Encoding has said */
    bool in_value, coding_is_foreign;
    char name[32]; /* of the present line, cut to this */
};

#endif
