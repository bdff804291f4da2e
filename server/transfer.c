/* SPDX-License-Identifier: Apache-2.0 */

/* Conditions and ranges. */

#include "server/transfer.h"

#include <stdio.h>
#include <string.h>

enum range_kind {
    RANGE_NONE,
    RANGE_ONE,
    RANGE_UNSATISFIABLE
};

static enum range_kind parse_range(const char *text, uint64_t size, uint64_t *first,
                                   uint64_t *length);
static bool names_etag(const char *list, const char *etag, bool weakly);
static bool parse_date(const char *text, time_t *time);

/* RFC 9110 section 13.2.2, in its order. */
static unsigned precondition_status(const struct transfer_request *request,
                                    const struct transfer_file *file)
{
    time_t since = 0;
    if (request->if_match != NULL) {
        if (!names_etag(request->if_match, file->etag, false)) {
            return 412;
        }
    } else if (request->if_unmodified_since != NULL &&
               parse_date(request->if_unmodified_since, &since) && file->modified > since) {
        return 412;
    }
    if (request->if_none_match != NULL) {
        return names_etag(request->if_none_match, file->etag, true) ? 304 : 200;
    }
    if (request->if_modified_since != NULL && parse_date(request->if_modified_since, &since) &&
        file->modified <= since) {
        return 304;
    }
    return 200;
}

struct transfer_plan transfer_plan(const struct transfer_request *request,
                                   const struct transfer_file *file)
{
    struct transfer_plan plan = {.status = precondition_status(request, file),
                                 .length = file->size};
    if (plan.status != 200 || request->is_head || request->range == NULL) {
        return plan;
    }
    if (request->if_range != NULL && strcmp(request->if_range, file->etag) != 0) {
        return plan;
    }
    switch (parse_range(request->range, file->size, &plan.first, &plan.length)) {
    case RANGE_ONE:
        plan.status = 206;
        break;
    case RANGE_UNSATISFIABLE:
        plan = (struct transfer_plan){.status = 416};
        break;
    case RANGE_NONE:
        break;
    }
    return plan;
}

/* Reads a run of digits; what does not fit becomes UINT64_MAX, which is past every end. Returns
   whether there was a digit. */
static bool take_number(const char **text, uint64_t *number)
{
    const char *at = *text;
    uint64_t value = 0;
    for (; *at >= '0' && *at <= '9'; at++) {
        const uint64_t digit = (uint64_t)(*at - '0');
        value = value > (UINT64_MAX - digit) / 10 ? UINT64_MAX : value * 10 + digit;
    }
    const bool any = at != *text;
    *text = at;
    *number = value;
    return any;
}

static enum range_kind parse_range(const char *text, uint64_t size, uint64_t *first,
                                   uint64_t *length)
{
    static const char unit[] = "bytes=";
    if (strncmp(text, unit, sizeof unit - 1) != 0) {
        return RANGE_NONE;
    }
    text += sizeof unit - 1;
    text += strspn(text, " \t");

    uint64_t start = 0;
    uint64_t end = 0;
    const bool has_start = take_number(&text, &start);
    if (*text++ != '-') {
        return RANGE_NONE;
    }
    const bool has_end = take_number(&text, &end);
    text += strspn(text, " \t");
    if (*text != '\0' || (!has_start && !has_end) || (has_start && has_end && end < start)) {
        return RANGE_NONE;
    }
    if (!has_start) { /* the last `end` bytes */
        if (end == 0 || size == 0) {
            return RANGE_UNSATISFIABLE;
        }
        *length = end < size ? end : size;
        *first = size - *length;
        return RANGE_ONE;
    }
    if (start >= size) {
        return RANGE_UNSATISFIABLE;
    }
    *first = start;
    *length = (has_end && end < size ? end + 1 : size) - start;
    return RANGE_ONE;
}

/* Looks for the tag in a list such as: "a", W/"b", "c". */
static bool names_etag(const char *list, const char *etag, bool weakly)
{
    const size_t len = strlen(etag);
    if (strcmp(list, "*") == 0) {
        return true;
    }
    for (;;) {
        list += strspn(list, " \t,");
        const bool weak = strncmp(list, "W/", 2) == 0;
        list += weak ? 2 : 0;
        if (*list != '"') {
            return false;
        }
        const char *end = strchr(list + 1, '"');
        if (end == NULL) {
            return false;
        }
        end++;
        if ((weakly || !weak) && (size_t)(end - list) == len && memcmp(list, etag, len) == 0) {
            return true;
        }
        list = end;
    }
}

static const char day_names[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char month_names[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* Reads a number of exactly `digits` digits; -1 if there is something else. */
static int fixed_number(const char *text, int digits)
{
    int value = 0;
    for (int i = 0; i < digits; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return -1;
        }
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

/* Only the form that RFC 9110 section 5.6.7 has everyone send; another one is no date. */
static bool parse_date(const char *text, time_t *time)
{
    static const char form[] = "Sun, 06 Nov 1994 08:49:37 GMT";
    if (strlen(text) != sizeof form - 1 || strcmp(text + 25, form + 25) != 0) {
        return false;
    }
    struct tm parts = {
        .tm_mday = fixed_number(text + 5, 2),
        .tm_mon = -1,
        .tm_year = fixed_number(text + 12, 4),
        .tm_hour = fixed_number(text + 17, 2),
        .tm_min = fixed_number(text + 20, 2),
        .tm_sec = fixed_number(text + 23, 2),
    };
    for (int i = 0; i < 12; i++) {
        if (memcmp(text + 8, month_names[i], 3) == 0) {
            parts.tm_mon = i;
        }
    }
    if (parts.tm_mday < 0 || parts.tm_mon < 0 || parts.tm_year < 0 || parts.tm_hour < 0 ||
        parts.tm_min < 0 || parts.tm_sec < 0) {
        return false;
    }
    parts.tm_year -= 1900;
    *time = timegm(&parts);
    return true;
}

const char *transfer_date(time_t time, char text[TRANSFER_DATE_SIZE])
{
    struct tm parts;
    gmtime_r(&time, &parts);
    snprintf(text, TRANSFER_DATE_SIZE, "%s, %02u %s %04u %02u:%02u:%02u GMT",
             day_names[parts.tm_wday % 7], (unsigned)parts.tm_mday % 100,
             month_names[parts.tm_mon % 12], (unsigned)(parts.tm_year + 1900) % 10000,
             (unsigned)parts.tm_hour % 100, (unsigned)parts.tm_min % 100,
             (unsigned)parts.tm_sec % 100);
    return text;
}
