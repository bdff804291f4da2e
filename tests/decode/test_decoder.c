/* SPDX-License-Identifier: Apache-2.0 */
/* Which decoder a stream is for, by its first bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <updraft/gunzip.h>
#include <updraft/heatshrink.h>

static struct ota_gunzip_decoder gunzip;
static struct ota_heatshrink_decoder heatshrink;
static struct ota_decoder *const both[] = {&gunzip.decoder, &heatshrink.decoder, NULL};
static struct ota_decoder *const none[] = {NULL};

static int set_up(void **state)
{
    (void)state;
    ota_gunzip_decoder_init(&gunzip);
    ota_heatshrink_decoder_init(&heatshrink, 11, 4);
    return 0;
}

/* Every pair of bytes, of an app and of data. */
static void test_every_head(void **state)
{
    (void)state;
    for (unsigned value = 0; value < 0x10000; value++) {
        const uint8_t head[] = {(uint8_t)(value >> 8), (uint8_t)value};
        const bool is_gzip = value == 0x1F8B;
        /* A 1, then 0xE9 or 0xEA. */
        const bool is_shrunk = value >> 7 == 0x1E9 || value >> 7 == 0x1EA;
        for (unsigned is_app = 0; is_app < 2; is_app++) {
            const struct ota_decoder *expected = is_gzip                    ? both[0]
                                                 : is_shrunk && is_app != 0 ? both[1]
                                                                            : NULL;
            assert_ptr_equal(ota_decoder_find(both, head, sizeof head, is_app != 0), expected);
            assert_null(ota_decoder_find(both, head, 1, is_app != 0));
            assert_null(ota_decoder_find(none, head, sizeof head, is_app != 0));
            assert_null(ota_decoder_find(NULL, head, sizeof head, is_app != 0));
        }
        assert_int_equal(ota_is_gzip(head, sizeof head), is_gzip);
    }
    assert_false(ota_is_gzip("\x1F", 1));
}

static void test_who_takes_gzip(void **state)
{
    (void)state;
    assert_true(ota_decoders_take_gzip(both));
    assert_false(ota_decoders_take_gzip(both + 1));
    assert_false(ota_decoders_take_gzip(none));
    assert_false(ota_decoders_take_gzip(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_head),
        cmocka_unit_test(test_who_takes_gzip),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
