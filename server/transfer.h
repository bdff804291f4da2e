/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_SERVER_TRANSFER_H
#define UPDRAFT_SERVER_TRANSFER_H

/*
 * Which bytes of a file a request gets: its conditions and its range, as a pure function
 * (RFC 9110 sections 13 and 14).
 *
 * One range is answered with 206; several, or a range that makes no sense, with the whole file,
 * which section 14.2 allows. A date in If-Range never holds: two versions of a file can share a
 * second.
 */

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* Header values of the request, NULL where there is none. */
struct transfer_request {
    bool is_head; /* ranges are for GET alone */
    const char *if_match;
    const char *if_none_match;
    const char *if_modified_since;
    const char *if_unmodified_since;
    const char *if_range;
    const char *range;
};

struct transfer_file {
    const char *etag; /* strong, with its quotes */
    time_t modified;
    uint64_t size;
};

struct transfer_plan {
    unsigned status; /* 200, 206, 304, 412, 416 */
    uint64_t first;  /* byte; with 200 and 206 */
    uint64_t length;
};

struct transfer_plan transfer_plan(const struct transfer_request *request,
                                   const struct transfer_file *file);

/* Writes a date as HTTP has it, "Sun, 06 Nov 1994 08:49:37 GMT", and returns `text`. */
#define TRANSFER_DATE_SIZE 32u
const char *transfer_date(time_t time, char text[TRANSFER_DATE_SIZE]);

#endif
