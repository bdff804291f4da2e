/* SPDX-License-Identifier: Apache-2.0 */

/* Conditions and ranges: every form against its answer. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "server/transfer.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SIZE 1000u

static const struct transfer_file file = {
    .etag = "\"abc\"", .modified = 784111777 /* Sun, 06 Nov 1994 08:49:37 GMT */, .size = SIZE};

static void check(const char *what, const struct transfer_request *request,
                  const struct transfer_file *of, struct transfer_plan expected)
{
    const struct transfer_plan plan = transfer_plan(request, of);
    const bool has_bytes = expected.status == 200 || expected.status == 206;
    if (plan.status != expected.status ||
        (has_bytes && (plan.first != expected.first || plan.length != expected.length))) {
        fail_msg("%s: %u %llu+%llu, not %u %llu+%llu", what, plan.status,
                 (unsigned long long)plan.first, (unsigned long long)plan.length, expected.status,
                 (unsigned long long)expected.first, (unsigned long long)expected.length);
    }
}

static const struct {
    const char *range;
    struct transfer_plan plan;
} ranges[] = {
    {"bytes=0-", {206, 0, SIZE}},
    {"bytes=0-0", {206, 0, 1}},
    {"bytes=0-999", {206, 0, SIZE}},
    {"bytes=0-1000", {206, 0, SIZE}},
    {"bytes=10-19", {206, 10, 10}},
    {"bytes= 10-19 ", {206, 10, 10}},
    {"bytes=999-", {206, 999, 1}},
    {"bytes=999-999", {206, 999, 1}},
    {"bytes=500-99999999999999999999999999", {206, 500, 500}},
    {"bytes=-1", {206, 999, 1}},
    {"bytes=-1000", {206, 0, SIZE}},
    {"bytes=-1001", {206, 0, SIZE}},
    {"bytes=-18446744073709551616", {206, 0, SIZE}},
    {"bytes=1000-", {416, 0, 0}},
    {"bytes=1000-1001", {416, 0, 0}},
    {"bytes=18446744073709551615-", {416, 0, 0}},
    {"bytes=99999999999999999999-", {416, 0, 0}},
    {"bytes=-0", {416, 0, 0}},
    /* No range that makes sense: as if there were none. */
    {"", {200, 0, SIZE}},
    {"bytes", {200, 0, SIZE}},
    {"bytes=", {200, 0, SIZE}},
    {"bytes=-", {200, 0, SIZE}},
    {"bytes=5", {200, 0, SIZE}},
    {"bytes=5-4", {200, 0, SIZE}},
    {"bytes=a-b", {200, 0, SIZE}},
    {"bytes=0-1x", {200, 0, SIZE}},
    {"bytes=0x0-1", {200, 0, SIZE}},
    {"bytes=+1-2", {200, 0, SIZE}},
    {"bytes=--1", {200, 0, SIZE}},
    {"bytes=0 -1", {200, 0, SIZE}},
    {"lines=0-1", {200, 0, SIZE}},
    /* Several: the whole file. */
    {"bytes=0-1,4-5", {200, 0, SIZE}},
    {"bytes=0-,0-,0-,0-", {200, 0, SIZE}},
};

static void test_ranges(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(ranges); i++) {
        struct transfer_request request = {.range = ranges[i].range};
        check(ranges[i].range, &request, &file, ranges[i].plan);
        request.is_head = true;
        check("HEAD", &request, &file, (struct transfer_plan){200, 0, SIZE});
    }
}

static void test_ranges_of_an_empty_file(void **state)
{
    (void)state;
    const struct transfer_file empty = {.etag = "\"0\""};
    check("none", &(struct transfer_request){0}, &empty, (struct transfer_plan){200, 0, 0});
    check("0-", &(struct transfer_request){.range = "bytes=0-"}, &empty,
          (struct transfer_plan){416, 0, 0});
    check("-5", &(struct transfer_request){.range = "bytes=-5"}, &empty,
          (struct transfer_plan){416, 0, 0});
}

#define DATE_BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define DATE_SAME "Sun, 06 Nov 1994 08:49:37 GMT"

static const struct {
    const char *what;
    struct transfer_request request;
    unsigned status;
} conditions[] = {
    {"none match: the tag", {.if_none_match = "\"abc\""}, 304},
    {"none match: weak", {.if_none_match = "W/\"abc\""}, 304},
    {"none match: in a list", {.if_none_match = "\"x\", W/\"y,\" ,\"abc\""}, 304},
    {"none match: any", {.if_none_match = "*"}, 304},
    {"none match: another", {.if_none_match = "\"abcd\", \"ab\""}, 200},
    {"none match: no quotes", {.if_none_match = "abc"}, 200},
    {"none match: open quote", {.if_none_match = "\"abc"}, 200},
    {"none match: within another", {.if_none_match = "\"x\"abc\""}, 200},
    {"none match beats the date", {.if_none_match = "\"x\"", .if_modified_since = DATE_SAME}, 200},
    {"none match beats the range", {.if_none_match = "\"abc\"", .range = "bytes=0-1"}, 304},
    {"match: the tag", {.if_match = "\"abc\""}, 200},
    {"match: weak never", {.if_match = "W/\"abc\""}, 412},
    {"match: another", {.if_match = "\"x\""}, 412},
    {"match: any", {.if_match = "*"}, 200},
    {"match beats the date", {.if_match = "\"abc\"", .if_unmodified_since = DATE_BEFORE}, 200},
    {"modified since: before", {.if_modified_since = DATE_BEFORE}, 200},
    {"modified since: same", {.if_modified_since = DATE_SAME}, 304},
    {"modified since: no date", {.if_modified_since = "yesterday"}, 200},
    {"modified since: a month of none",
     {.if_modified_since = "Sun, 06 Xov 1994 08:49:37 GMT"},
     200},
    {"modified since: letters for digits",
     {.if_modified_since = "Sun, 06 Nov 1994 0x:49:37 GMT"},
     200},
    {"modified since: another zone", {.if_modified_since = "Sun, 06 Nov 1994 08:49:37 EST"}, 200},
    {"modified since: obsolete", {.if_modified_since = "Sunday, 06-Nov-94 08:49:37 GMT"}, 200},
    {"unmodified since: before", {.if_unmodified_since = DATE_BEFORE}, 412},
    {"unmodified since: same", {.if_unmodified_since = DATE_SAME}, 200},
    {"if range: the tag", {.if_range = "\"abc\"", .range = "bytes=0-999"}, 206},
    {"if range: another", {.if_range = "\"x\"", .range = "bytes=0-999"}, 200},
    {"if range: weak", {.if_range = "W/\"abc\"", .range = "bytes=0-999"}, 200},
    {"if range: a date", {.if_range = DATE_SAME, .range = "bytes=0-999"}, 200},
    {"if range: past the end of another", {.if_range = "\"x\"", .range = "bytes=5000-"}, 200},
    {"if range alone", {.if_range = "\"abc\""}, 200},
};

static void test_conditions(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(conditions); i++) {
        check(conditions[i].what, &conditions[i].request, &file,
              (struct transfer_plan){conditions[i].status, 0, SIZE});
    }
}

static void test_date(void **state)
{
    (void)state;
    char text[TRANSFER_DATE_SIZE];
    assert_string_equal(transfer_date(784111777, text), DATE_SAME);
    assert_string_equal(transfer_date(0, text), "Thu, 01 Jan 1970 00:00:00 GMT");
    assert_string_equal(transfer_date(1709251199, text), "Thu, 29 Feb 2024 23:59:59 GMT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_ranges_of_an_empty_file),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
