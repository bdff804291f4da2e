/* SPDX-License-Identifier: Apache-2.0 */

/* Order of versions: every pair of a sorted list, and what has no order. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <updraft/version.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Oldest first; those of one row are the same. */
static const char *const sorted[][4] = {
    {"0"},
    {"0.0.1"},
    {"0.9.10"},
    {"0.10.0", "0.10", "v0.10.0"},
    {"1.0.0-alpha"},
    {"1.0.0-alpha.1"},
    {"1.0.0-alpha.beta"},
    {"1.0.0-beta"},
    {"1.0.0-beta.2", "v1.0-beta.2"},
    {"1.0.0-beta.11"},
    {"1.0.0-rc.1"},
    {"1.0.0-rc.1-3-gabc1234"},
    {"1.0.0-rc.1-12-gabc1234"},
    {"1.0.0", "V1", "1.0.0.0", "1.0.0+build.7"},
    {"1.0.0-dirty"},
    {"1.0.0-1-g1a2b3c4", "v1.0-1-g1a2b3c4", "1.0.0-1-g1A2B3C4D5E"},
    {"1.0.0-1-g1a2b3c4-dirty"},
    {"1.0.0-9-g1a2b3c4"},
    {"1.0.0-10-g0000000"},
    {"1.0.1-0"},
    {"1.0.1-1"},
    {"1.0.1-a"},
    {"1.0.1"},
    {"1.2"},
    {"1.10"},
    {"2"},
    {"2.0.0.1"},
    {"20260304"},
    {"99999999999999999999999999"},
    {"100000000000000000000000000", "0100000000000000000000000000"},
};

static void check(const char *candidate, const char *present, enum ota_version_order expected)
{
    const enum ota_version_order order = ota_version_compare(candidate, present);
    if (order != expected) {
        fail_msg("%s against %s: %d, not %d", candidate, present, (int)order, (int)expected);
    }
}

static void test_every_pair(void **state)
{
    (void)state;
    for (size_t a = 0; a < COUNT(sorted); a++) {
        for (size_t b = 0; b < COUNT(sorted); b++) {
            const enum ota_version_order expected = a == b  ? OTA_VERSION_SAME
                                                    : a > b ? OTA_VERSION_NEWER
                                                            : OTA_VERSION_OLDER;
            for (size_t i = 0; i < 4 && sorted[a][i] != NULL; i++) {
                for (size_t j = 0; j < 4 && sorted[b][j] != NULL; j++) {
                    check(sorted[a][i], sorted[b][j], expected);
                }
            }
        }
    }
}

static void test_without_order(void **state)
{
    (void)state;
    static const char *const strange[] = {
        "",
        "blue",
        "DOOR-7-g14f53a19",
        "esp-idf: v4.4.7 38eeba213a",
        "1.",
        ".1",
        "1..2",
        "1.0-",
        "1.0-a..b",
        "1.0-a.",
        "1.0+",
        "1.0 beta",
        "1.0.0rc1",
        "v",
        "vv1",
        "1.0-\xc3\xa4",
        "1.0+a+b",
        "-1",
        "1.0--dirty-",
        "1,0",
    };
    for (size_t i = 0; i < COUNT(strange); i++) {
        if (i != 18) { /* "-dirty-" is a legal identifier */
            assert_false(ota_version_is_ordered(strange[i]));
        }
        check(strange[i], strange[i], OTA_VERSION_SAME);
        check(strange[i], "1.0.77", i == 18 ? OTA_VERSION_OLDER : OTA_VERSION_DIFFERENT);
        check("7.7.77", strange[i], i == 18 ? OTA_VERSION_NEWER : OTA_VERSION_DIFFERENT);
    }
    check("1.0-5-gabcdef0", "1.0-5-g1234567", OTA_VERSION_DIFFERENT);
    check("1", "blue", OTA_VERSION_DIFFERENT);
}

static void test_shape(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(sorted); i++) {
        assert_true(ota_version_is_ordered(sorted[i][0]));
    }
    /* Not git's tail: too short a hash, no count, no hex; so pre-releases. */
    check("1.0-2-gab", "1.0", OTA_VERSION_OLDER);
    check("1.0-x-gabc1234", "1.0", OTA_VERSION_OLDER);
    check("1.0-2-gxyz1234", "1.0", OTA_VERSION_OLDER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_pair),
        cmocka_unit_test(test_without_order),
        cmocka_unit_test(test_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
