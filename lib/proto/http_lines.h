/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PROTO_HTTP_LINES_H
#define UPDRAFT_PROTO_HTTP_LINES_H

/*
 * The header lines of an HTTP message, put together from the pieces in which http-parser reports
 * them: one name and one wanted value at a time, all of it bounded.
 */

#include <stddef.h>

#include <updraft/error.h>
#include <updraft/http_lines.h>

/* A piece of a name; the line before must have been ended. Returns OTA_ERR_HTTP_HEADER when all
   lines together exceed `bytes_max`, OTA_ERR_HTTP_SYNTAX for what a name cannot hold. */
enum ota_err ota__http_lines_name(struct ota_http_lines *lines, const char *at, size_t len,
                                  uint32_t bytes_max);

/* A piece of a value, kept in `buffer` if `keep`. Returns OTA_ERR_HTTP_HEADER when the lines exceed
   `bytes_max`, or the value the buffer. */
enum ota_err ota__http_lines_value(struct ota_http_lines *lines, const char *at, size_t len,
                                   uint32_t bytes_max, char *buffer, size_t size, bool keep);

/* The index of the present name in a list ended by NULL (or NULL), or -1. */
int ota__http_lines_find(const struct ota_http_lines *lines, const char *const *wanted);
bool ota__http_lines_is(const struct ota_http_lines *lines, const char *name);

/* Ends the present line: terminates the value in `buffer`, if it was kept, without blanks at its
   end. */
void ota__http_lines_end(struct ota_http_lines *lines, char *buffer, bool kept);

#endif
