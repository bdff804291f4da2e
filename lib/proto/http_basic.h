/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PROTO_HTTP_BASIC_H
#define UPDRAFT_PROTO_HTTP_BASIC_H

/* Basic authorization of a client (RFC 7617): "user:password", given or out of a URL. */

#include <stddef.h>

#include <updraft/error.h>
#include <updraft/text.h>

/* Copies the credentials: `given`, or if that is NULL the decoded ones of `url`; length 0 if there
   are none. Returns OTA_ERR_ARGUMENT or OTA_ERR_URL if they do not fit into `size` bytes, or those
   of the URL are malformed. */
enum ota_err ota__http_credentials(const char *given, const char *url, char *out, size_t size,
                                   size_t *len);

/* Adds the value of the Authorization header. */
void ota__http_put_basic(struct ota_text *text, const char *credentials, size_t len);

#endif
