/* SPDX-License-Identifier: Apache-2.0 */
/* The small helpers of the ground floor: bytes and offsets, and what counts as blank. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/blank.h"
#include "base/bytes.h"

static void test_little_endian(void **state)
{
    uint8_t bytes[6] = {0xEE, 0x78, 0x56, 0x34, 0x92, 0xEE};

    (void)state;
    assert_int_equal(ota__get_le16(bytes + 1), 0x5678);
    assert_int_equal(ota__get_le32(bytes + 1), 0x92345678);

    ota__put_le32(bytes + 1, 0xFEDCBA98);
    assert_memory_equal(bytes, "\xEE\x98\xBA\xDC\xFE\xEE", 6);
    ota__put_le16(bytes + 1, 0x8001);
    assert_memory_equal(bytes, "\xEE\x01\x80\xDC\xFE\xEE", 6);
}

static void test_rounding(void **state)
{
    (void)state;
    for (uint32_t unit = 1; unit <= 256; unit *= 2) {
        for (uint32_t value = 0; value < 1024; value++) {
            assert_int_equal(ota__round_down(value, unit), value / unit * unit);
            assert_int_equal(ota__round_up(value, unit), (value + unit - 1) / unit * unit);
        }
    }
    assert_int_equal(ota__round_down(0xFFFFFFFF, 4096), 0xFFFFF000);
}

static void test_extremes(void **state)
{
    (void)state;
    assert_int_equal(ota__min(1, 2), 1);
    assert_int_equal(ota__min(0xFFFFFFFF, 2), 2);
    assert_int_equal(ota__max(1, 2), 2);
    assert_int_equal(ota__max(0xFFFFFFFF, 2), 0xFFFFFFFF);
}

static void test_powers_of_two(void **state)
{
    unsigned count = 0;

    (void)state;
    assert_false(ota__is_power_of_two(0));
    for (uint32_t value = 1; value <= 65536; value++) {
        count += ota__is_power_of_two(value);
    }
    assert_int_equal(count, 17);
    assert_true(ota__is_power_of_two(0x80000000));
    assert_false(ota__is_power_of_two(0xFFFFFFFF));
}

/* Any single bit that is programmed makes bytes not blank, wherever it is. */
static void test_blank(void **state)
{
    uint8_t bytes[41];

    (void)state;
    memset(bytes, 0xFF, sizeof bytes);
    assert_true(ota__is_blank(bytes, 0));
    for (size_t len = 1; len <= sizeof bytes; len++) {
        assert_true(ota__is_blank(bytes, len));
        for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_int_equal(ota__is_blank(bytes, len), bit / 8 >= len);
            bytes[bit / 8] = 0xFF;
        }
    }
    memset(bytes, 0, sizeof bytes); /* equal bytes are not blank bytes */
    assert_false(ota__is_blank(bytes, sizeof bytes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_little_endian), cmocka_unit_test(test_rounding),
        cmocka_unit_test(test_extremes),      cmocka_unit_test(test_powers_of_two),
        cmocka_unit_test(test_blank),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
