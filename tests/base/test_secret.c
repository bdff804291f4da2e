/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets: a difference is found wherever it is, and what is wiped is gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/secret.h"

#define LENGTH 64u

static void test_same(void **state)
{
    uint8_t a[LENGTH];
    uint8_t b[LENGTH];

    (void)state;
    memset(a, 0x5A, sizeof a);
    memcpy(b, a, sizeof b);
    assert_true(ota__same_secret(a, b, LENGTH));
    assert_true(ota__same_secret(a, b, 0));
    for (size_t i = 0; i < LENGTH; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            b[i] ^= (uint8_t)(1u << bit);
            assert_false(ota__same_secret(a, b, LENGTH));
            assert_true(ota__same_secret(a, b, i));
            b[i] = a[i];
        }
    }
}

/* Two differences that would cancel each other out in a sum are two differences. */
static void test_opposite_differences(void **state)
{
    static const uint8_t a[] = {1, 2}, b[] = {2, 1};

    (void)state;
    assert_false(ota__same_secret(a, b, sizeof a));
    assert_false(ota__same_secret("\x01\x01", "\x00\x00", 2));
}

static void test_wipe(void **state)
{
    uint8_t bytes[LENGTH + 2];

    (void)state;
    memset(bytes, 0xEE, sizeof bytes);
    ota__wipe(bytes + 1, LENGTH);
    assert_int_equal(bytes[0], 0xEE);
    assert_int_equal(bytes[LENGTH + 1], 0xEE);
    for (size_t i = 1; i <= LENGTH; i++) {
        assert_int_equal(bytes[i], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same),
        cmocka_unit_test(test_opposite_differences),
        cmocka_unit_test(test_wipe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
