/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PROTO_BASE64_H
#define UPDRAFT_PROTO_BASE64_H

/* Base64 with padding and without line breaks (RFC 4648 section 4). */

#include <updraft/text.h>

/* Adds the encoding of `len` bytes to a text: 4 characters for every 3 bytes begun. */
void ota__base64_put(struct ota_text *text, const void *data, size_t len);

#endif
