/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32: known answers, and that it can be taken in pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <updraft/crypto.h>

static void test_known_answers(void **state)
{
    uint8_t zeros[32] = {0};

    (void)state;
    assert_int_equal(ota_crc32(0, "123456789", 9),
                     0xCBF43926); /* the check value of the catalogue */
    assert_int_equal(ota_crc32(0, "a", 1), 0xE8B7BE43);
    assert_int_equal(ota_crc32(0, "The quick brown fox jumps over the lazy dog", 43), 0x414FA339);
    assert_int_equal(ota_crc32(0, zeros, sizeof zeros), 0x190A55AD);
}

static void test_nothing_changes_nothing(void **state)
{
    (void)state;
    assert_int_equal(ota_crc32(0, "", 0), 0);
    assert_int_equal(ota_crc32(0xCBF43926, "", 0), 0xCBF43926);
}

/* The register of otadata's CRC starts at zero: docs/formats/otadata.md section 2. */
static void test_other_start(void **state)
{
    static const uint8_t one[4] = {1, 0, 0, 0};

    (void)state;
    assert_int_equal(ota_crc32(0xFFFFFFFF, one, sizeof one), 0x4743989A);
}

static void test_pieces(void **state)
{
    uint8_t data[257];

    (void)state;
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * 37 + 11);
    }
    uint32_t whole = ota_crc32(0, data, sizeof data);
    for (size_t cut = 0; cut <= sizeof data; cut++) {
        uint32_t first = ota_crc32(0, data, cut);
        assert_int_equal(ota_crc32(first, data + cut, sizeof data - cut), whole);
    }
}

/* Any one bit that flips shows: what a CRC is for. */
static void test_every_bit_counts(void **state)
{
    uint8_t data[64] = {0};
    uint32_t before = ota_crc32(0, data, sizeof data);

    (void)state;
    for (size_t bit = 0; bit < 8 * sizeof data; bit++) {
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(ota_crc32(0, data, sizeof data), before);
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),    cmocka_unit_test(test_nothing_changes_nothing),
        cmocka_unit_test(test_other_start),      cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_every_bit_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
