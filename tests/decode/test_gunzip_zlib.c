/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Thousands of gzip files against zlib: what it accepts is accepted with the same bytes, what it
 * refuses is refused. UPDRAFT_GZIP_STREAMS=N tries N of each kind instead of 4000.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "decode/gzip_streams.h"
#include "decode/zlib_judge.h"

/* Room for what is doubled, and for another file behind. */
static uint8_t file[2 * GZIP_FILE_MAX + 1000], other[GZIP_FILE_MAX];

static size_t make_either(uint8_t *to, uint64_t seed)
{
    return seed % 2 == 0 ? gzip_by_zlib(to, seed) : gzip_by_hand(to, seed);
}

static size_t make_spoiled(uint8_t *to, uint64_t seed)
{
    size_t len = make_either(to, seed);
    size_t other_len = make_either(other, seed / 2);

    return gzip_spoil(to, len, other, other_len, seed);
}

static unsigned files_of_a_kind(void)
{
    const char *count = getenv("UPDRAFT_GZIP_STREAMS");

    return count != NULL ? (unsigned)strtoul(count, NULL, 10) : 4000;
}

static void judge_all(const char *kind, size_t (*make)(uint8_t *to, uint64_t seed), unsigned least)
{
    unsigned accepted = 0, cut_short = 0;
    const unsigned count = files_of_a_kind();

    for (unsigned seed = 0; seed < count; seed++) {
        const char *why = "";
        const size_t len = make(file, seed);
        accepted += judge_gzip(file, len, seed, &why) ? 1 : 0;
        cut_short += why[0] == 't';
    }
    print_message("gzip files %s: %u, as zlib has it: %u good, %u too short, %u bad\n", kind, count,
                  accepted, cut_short, count - accepted - cut_short);
    /* Enough of both kinds that the comparison says something. */
    assert_in_range(accepted, least * count / 100, count);
}

static void test_by_zlib(void **state)
{
    (void)state;
    judge_all("made by zlib", gzip_by_zlib, 100);
}

static void test_by_hand(void **state)
{
    (void)state;
    judge_all("made by hand", gzip_by_hand, 40);
}

static void test_spoiled(void **state)
{
    (void)state;
    judge_all("spoiled", make_spoiled, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_zlib),
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_spoiled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
