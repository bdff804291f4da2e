/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PROTO_MULTIPART_PRIVATE_H
#define UPDRAFT_PROTO_MULTIPART_PRIVATE_H

/* Between multipart.c, which finds the delimiters, and multipart_head.c, which reads part
   headers. */

#include <updraft/multipart.h>

/* Makes ready for a part's headers. */
void ota__part_head_begin(struct ota_multipart *form);

/* Takes the next byte of them. Sets `*done` at the blank line. Returns OTA_OK or
   OTA_ERR_PROTOCOL. */
enum ota_err ota__part_head_input(struct ota_multipart *form, char byte, bool *done);

/* What they said. */
void ota__part_head_result(struct ota_multipart *form, struct ota_multipart_part *part);

#endif
