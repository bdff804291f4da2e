/* SPDX-License-Identifier: Apache-2.0 */
/* gzip on hosts: in pieces of any length, equal for equal bytes, and with damage told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/gzip.h"
#include "support/images.h"

#define DATA_LEN 60000u
#define PACKED_MAX (2 * DATA_LEN)
#define HEADER_LEN 10u

struct packed {
    uint8_t bytes[PACKED_MAX];
    size_t len, limit;
};

static uint8_t data[DATA_LEN];
static struct packed packed;

static bool keep(void *context, const void *bytes, size_t len)
{
    struct packed *to = context;

    if (to->len + len > to->limit) {
        return false;
    }
    memcpy(to->bytes + to->len, bytes, len);
    to->len += len;
    return true;
}

static bool pack(struct packed *to, size_t piece)
{
    struct gzip_packer packer;

    to->len = 0;
    assert_true(gzip_pack_begin(&packer, keep, to));
    bool good = true;
    for (size_t at = 0; good && at < DATA_LEN; at += piece) {
        good = gzip_pack(&packer, data + at, DATA_LEN - at < piece ? DATA_LEN - at : piece);
    }
    return gzip_pack_end(&packer) && good;
}

static int set_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < DATA_LEN; i++) {
        data[i] = i % 100 < 70 ? (uint8_t)(i / 100) : (uint8_t)noise(1, i);
    }
    packed.limit = PACKED_MAX;
    return pack(&packed, DATA_LEN) ? 0 : -1;
}

/* Unpacks from pieces and into pieces; what comes out must be the data's beginning. */
static struct gzip_unpacker unpack(const uint8_t *bytes, size_t len, size_t piece, size_t room)
{
    struct gzip_unpacker unpacker;
    static uint8_t out[DATA_LEN + 1];

    gzip_unpack_begin(&unpacker);
    for (size_t at = 0; at < len && unpacker.state == GZIP_UNPACKING; at += piece) {
        size_t got;
        gzip_unpack(&unpacker, bytes + at, len - at < piece ? len - at : piece);
        while (gzip_unpack_next(&unpacker, out, room, &got)) {
            assert_true(unpacker.given <= DATA_LEN);
            assert_memory_equal(out, data + unpacker.given - got, got);
        }
    }
    gzip_unpack_end(&unpacker);
    return unpacker;
}

static void test_any_pieces(void **state)
{
    static const size_t pieces[] = {1, 2, 7, 1000, PACKED_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        for (size_t j = 0; j < sizeof pieces / sizeof pieces[0]; j++) {
            const size_t room = pieces[j] < DATA_LEN ? pieces[j] : DATA_LEN;
            const struct gzip_unpacker unpacker = unpack(packed.bytes, packed.len, pieces[i], room);
            assert_int_equal(unpacker.state, GZIP_WHOLE);
            assert_int_equal(unpacker.given, DATA_LEN);
            assert_int_equal(unpacker.taken, packed.len);
            assert_null(unpacker.problem);
        }
    }
}

static void test_equal_files(void **state)
{
    static const uint8_t header[HEADER_LEN] = {0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 2, 255};
    static struct packed again = {.limit = PACKED_MAX};

    (void)state;
    assert_memory_equal(packed.bytes, header, sizeof header);
    assert_true(packed.len < DATA_LEN / 2);
    assert_true(pack(&again, 999));
    assert_int_equal(again.len, packed.len);
    assert_memory_equal(again.bytes, packed.bytes, packed.len);
}

static void test_no_room(void **state)
{
    static struct packed small;

    (void)state;
    for (small.limit = 0; small.limit < packed.len; small.limit += 997) {
        assert_false(pack(&small, 1000));
    }
}

static void test_damage(void **state)
{
    static uint8_t spoilt[PACKED_MAX];

    (void)state;
    memcpy(spoilt, packed.bytes, packed.len);
    for (size_t i = 1; i <= 8; i++) { /* sum and length */
        spoilt[packed.len - i] ^= 1;
        const struct gzip_unpacker unpacker = unpack(spoilt, packed.len, 4096, 4096);
        assert_int_equal(unpacker.state, GZIP_DAMAGED);
        assert_non_null(unpacker.problem);
        spoilt[packed.len - i] ^= 1;
    }
    for (size_t len = 0; len < packed.len; len += 101) {
        assert_int_equal(unpack(spoilt, len, 4096, 4096).state, GZIP_UNPACKING);
    }
}

static void test_what_follows(void **state)
{
    static uint8_t longer[PACKED_MAX];

    (void)state;
    memcpy(longer, packed.bytes, packed.len);
    memset(longer + packed.len, 0xAA, 260);
    const struct gzip_unpacker unpacker = unpack(longer, packed.len + 260, 4096, 4096);
    assert_int_equal(unpacker.state, GZIP_WHOLE);
    assert_int_equal(unpacker.taken, packed.len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_pieces),   cmocka_unit_test(test_equal_files),
        cmocka_unit_test(test_no_room),      cmocka_unit_test(test_damage),
        cmocka_unit_test(test_what_follows),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
