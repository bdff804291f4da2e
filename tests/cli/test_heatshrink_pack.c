/* SPDX-License-Identifier: Apache-2.0 */
/* The encoder of `updraft image compress --heatshrink`, against the device's decoder and against the
   tests' other encoder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <updraft/heatshrink.h>

#include "cli/heatshrink.h"
#include "decode/heatshrink_encoder.h"
#include "decode/store.h"
#include "support/images.h"

#define DATA_MAX 40000u

static struct store store;

static int set_up(void **state)
{
    (void)state;
    store_init(&store, 2 * DATA_MAX);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    store_free(&store);
    return 0;
}

/* Packs, unpacks and compares. Returns the packed length. */
static size_t there_and_back(const uint8_t *data, size_t len, unsigned window, unsigned lookahead)
{
    static const struct cuts whole = {SIZE_MAX, 1, 0};
    struct ota_heatshrink heatshrink;
    const struct ota_heatshrink_options options = {
        .next = &store.sink,
        .history = &store.history,
        .window_bits = (uint8_t)window,
        .lookahead_bits = (uint8_t)lookahead,
        .size = (uint32_t)len,
    };
    size_t packed_len;
    uint8_t *packed = heatshrink_pack(data, len, window, lookahead, &packed_len);

    store_clear(&store);
    assert_int_equal(ota_heatshrink_begin(&heatshrink, &options), OTA_OK);
    assert_int_equal(feed(&heatshrink.sink, packed, packed_len, &whole), OTA_OK);
    assert_int_equal(store.len, len);
    assert_memory_equal(store.bytes, data, len);
    free(packed);
    return packed_len;
}

/* Half of it repeats what was before, from far and near. */
static void make_data(uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        const size_t far = 1 + noise(5, i / 40) % (i / 40 % 5 == 0 ? 30000 : 700);
        data[i] = i % 40 < 25 && far <= i ? data[i - far] : (uint8_t)noise(6, i);
    }
}

static void test_every_pair_of_numbers(void **state)
{
    static uint8_t data[DATA_MAX];

    (void)state;
    make_data(data, sizeof data);
    for (unsigned window = OTA_HEATSHRINK_WINDOW_BITS_MIN; window <= OTA_HEATSHRINK_WINDOW_BITS_MAX;
         window++) {
        for (unsigned lookahead = OTA_HEATSHRINK_LOOKAHEAD_BITS_MIN; lookahead < window;
             lookahead++) {
            (void)there_and_back(data, sizeof data, window, lookahead);
        }
    }
}

static void test_small_and_simple(void **state)
{
    static uint8_t data[5000];

    (void)state;
    memset(data, 0xFF, sizeof data);
    for (size_t len = 1; len < 200; len++) {
        (void)there_and_back(data, len, 11, 4);
    }
    assert_true(there_and_back(data, sizeof data, 11, 4) < 700);
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)noise(9, i);
    }
    assert_true(there_and_back(data, sizeof data, 11, 4) <= sizeof data + sizeof data / 8 + 1);
}

/* It finds what one finds who looks everywhere. */
static void test_as_small_as_by_search(void **state)
{
    static struct shrunk shrunk;
    static uint8_t data[DATA_MAX / 2];

    (void)state;
    make_data(data, sizeof data);
    shrunk_begin(&shrunk, 11, 4);
    shrunk_data(&shrunk, data, sizeof data);
    const size_t len = there_and_back(data, sizeof data, 11, 4);
    assert_true(len <= shrunk_len(&shrunk) + shrunk_len(&shrunk) / 100);
    assert_true(len < sizeof data * 3 / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_pair_of_numbers),
        cmocka_unit_test(test_small_and_simple),
        cmocka_unit_test(test_as_small_as_by_search),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
