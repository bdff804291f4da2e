/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_SERVER_DOWNLOAD_H
#define UPDRAFT_SERVER_DOWNLOAD_H

/*
 * Answers that carry a file: conditions and ranges honoured, a strong ETag from the SHA-256,
 * digests and version in headers, the length always stated, the bytes sent from the file by the
 * kernel.
 */

#include "server/catalog.h"
#include "server/http.h"

/* Answers with the image or the part of it that is asked for: 200, 206, 304, 412, 416; 503 if the
   file has just been replaced, so that asking again gets the new one. */
enum MHD_Result download_send(struct http_request *request, struct catalog *catalog,
                              const struct catalog_snapshot *snapshot, struct catalog_image *image);

/* Answers 200 with the headers of the image and without its bytes: the answer to "which
   version?". */
enum MHD_Result download_send_facts(struct http_request *request,
                                    const struct catalog_image *image);

/* Writes the image's ETag, with its quotes, and returns `etag`. It has 192 of the SHA-256's bits,
   so that with its quotes it fits the 64 bytes that a device keeps of it. */
#define DOWNLOAD_ETAG_SIZE 51u
const char *download_etag(const struct catalog_image *image, char etag[DOWNLOAD_ETAG_SIZE]);

/* Writes bytes as lower-case hex digits and returns `text`, which holds 2 * len + 1. */
const char *download_hex(const uint8_t *bytes, size_t len, char *text);

#endif
