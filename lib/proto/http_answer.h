/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PROTO_HTTP_ANSWER_H
#define UPDRAFT_PROTO_HTTP_ANSWER_H

/* What a client of files reads out of an HTTP answer: what its status means, and which bytes
   came. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <updraft/error.h>

/* A Content-Range: bytes `first` to `last` of `total`. */
struct ota__content_range {
    uint32_t first, last, total;
};

/* Reads "bytes 1000-4999/5000". Returns false for one that says less, is not in order or does not
   lie within its total; `range` is then all zero, which fits nothing. */
bool ota__http_read_content_range(const char *value, struct ota__content_range *range);

/* Tells whether a status sends the client elsewhere: 301, 302, 303, 307, 308. */
bool ota__http_is_redirect(uint16_t status);

/* The error that a status stands for where a file was wanted; OTA_OK for 200, 206 and 304. */
enum ota_err ota__http_status_error(uint16_t status);

/* Tells whether an entity tag that was kept can be sent in a header line. */
bool ota__http_is_etag(const uint8_t *bytes, size_t len);

#endif
