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
   file has just been replaced, so that asking again gets the new one. With `packed`, the image's
   packed form is what is sent, and what all headers are about, unless it is gone; NULL: its file. */
enum MHD_Result download_send(struct http_request *request, struct catalog *catalog,
                              const struct catalog_snapshot *snapshot, struct catalog_image *image,
                              const struct packed_image *packed);

/* Answers 200 with the headers of the image and without its bytes: the answer to "which
   version?". */
enum MHD_Result download_send_facts(struct http_request *request,
                                    const struct catalog_image *image);

#endif
