/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PROTO_JSON_H
#define UPDRAFT_PROTO_JSON_H

/* Pieces of JSON (RFC 8259), composed into a text. */

#include <stdbool.h>

#include <updraft/text.h>

/* Add a string with its quotes, whatever its bytes are (those that are not UTF-8 as Latin-1), or
   null for NULL; and "true" or "false". */
void ota__json_put_string(struct ota_text *text, const char *string);
void ota__json_put_bool(struct ota_text *text, bool value);

/* Add a member's name and colon, after a comma unless it is the `first`. */
void ota__json_put_name(struct ota_text *text, const char *name, bool first);

/* Whole members. */
void ota__json_put_string_member(struct ota_text *text, const char *name, const char *string);
void ota__json_put_bool_member(struct ota_text *text, const char *name, bool value);
void ota__json_put_number_member(struct ota_text *text, const char *name, uint32_t value);

#endif
