/* SPDX-License-Identifier: Apache-2.0 */
/* Compressed images and data: in every form and cut, which ones are taken, and where they stop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "decode/deflate_writer.h"
#include "wrapping.h"

#define LEN 70000u
#define SMALL 700u

static uint8_t before[CHIP_SIZE];

static int set_up(void **state)
{
    (void)state;
    wrapping_open(LEN);
    return 0;
}

static int set_up_small(void **state)
{
    (void)state;
    wrapping_open(SMALL);
    return 0;
}

static void remember(void)
{
    memcpy(before, fixture.chip->memory, sizeof before);
}

static void is_unchanged(void)
{
    assert_memory_equal(fixture.chip->memory, before, sizeof before);
}

static void fails_at(enum ota_err err, uint32_t offset)
{
    assert_int_equal(update.failure.err, err);
    assert_int_equal(update.failure.offset, offset);
    assert_false(fixture_is_named(&fixture, 1));
}

/* ---- What is taken --------------------------------------------------------------------------- */

/* Every form, with a page buffer and a sector's, a size that is known or not. Repeats that lie far
   behind are read again from the buffer and from the flash. */
static void test_forms(void **state)
{
    (void)state;
    for (unsigned form = PLAIN; form < FORMS; form++) {
        for (unsigned variant = 0; variant < 4; variant++) {
            sent_as((enum form)form);
            options.buffer_size = variant < 2 ? SECTOR : 256;
            options.size = variant % 2 == 0 ? sent_len : OTA_SIZE_UNKNOWN;
            ram_flash_fill(fixture.chip, OTA_1, SLOT_SIZE, variant);
            assert_int_equal(send_in_pieces(variant == 0 ? 1 : 0), OTA_OK);
            is_stored();
            assert_int_equal(update.is_compressed, form != PLAIN);
            assert_int_equal(update.signature.err, OTA_ERR_SIGNATURE_MISSING);
            assert_int_equal(ota_update_activate(&update), OTA_OK);
        }
    }
    sent_as(GZIP);
    assert_true(sent_len < len * 3 / 4);
}

static void test_every_split(void **state)
{
    (void)state;
    for (unsigned form = PLAIN; form < FORMS; form++) {
        sent_as((enum form)form);
        for (uint32_t first = 0; first <= sent_len; first++) {
            assert_int_equal(send_in_two(first), OTA_OK);
            is_stored();
        }
        assert_int_equal(send_in_pieces(1), OTA_OK);
        is_stored();
    }
}

/* Data is unpacked if it is gzip; heatshrink, which says nothing of itself, is data. */
static void test_data(void **state)
{
    (void)state;
    wrapping_make_data(60000);
    for (unsigned form = PLAIN; form <= GZIP; form++) {
        sent_as((enum form)form);
        assert_int_equal(send_in_pieces(0), OTA_OK);
        is_stored();
        assert_int_equal(update.is_compressed, form == GZIP);
    }
    sent_as(SHRUNK);
    memcpy(image, sent, sent_len);
    len = sent_len;
    assert_int_equal(send_in_pieces(0), OTA_OK);
    is_stored();
}

static void test_short_data(void **state)
{
    (void)state;
    for (uint32_t size = 1; size <= 3; size++) {
        wrapping_make_data(size);
        image[0] = 0x1F; /* begins as gzip, and is none */
        sent_as(PLAIN);
        for (unsigned known = 0; known < 2; known++) {
            options.size = known != 0 ? sent_len : OTA_SIZE_UNKNOWN;
            assert_int_equal(send_in_pieces(1), OTA_OK);
            is_stored();
        }
    }
    wrapping_make_data(0);
    options.size = OTA_SIZE_UNKNOWN;
    assert_int_equal(send_in_pieces(1), OTA_ERR_NO_DATA);
    options.size = 10;
    sent_len = 1;
    assert_int_equal(send_in_pieces(1), OTA_ERR_INCOMPLETE);
}

/* Nothing in it is nothing to store, and not a partition that is as it was. */
static void test_empty_inside(void **state)
{
    (void)state;
    remember();
    wrapping_make_data(0);
    sent_as(GZIP);
    assert_true(sent_len > 0);
    assert_int_equal(send_in_pieces(0), OTA_ERR_NO_DATA);
    is_unchanged();
}

static void test_nothing_is_a_write_too(void **state)
{
    (void)state;
    sent_as(GZIP);
    transfer_begin();
    assert_int_equal(ota_update_write(&update, NULL, 0), OTA_OK);
    assert_int_equal(ota_update_write(&update, sent, 1), OTA_OK);
    assert_int_equal(ota_update_write(&update, NULL, 0), OTA_OK);
    assert_int_equal(ota_update_write(&update, sent + 1, sent_len - 1), OTA_OK);
    assert_int_equal(ota_update_end(&update), OTA_OK);
    is_stored();
}

/* A program without decoders, and one that names no unwrapping at all. */
static void test_without_decoders(void **state)
{
    (void)state;
    remember();
    sent_as(GZIP);
    ota_unwrap_init(&unwrap, NULL);
    assert_int_equal(send_in_pieces(1), OTA_ERR_COMPRESSED);
    fails_at(OTA_ERR_COMPRESSED, 0);
    options.unwrap = NULL;
    assert_int_equal(send_in_pieces(1), OTA_ERR_COMPRESSED);
    fails_at(OTA_ERR_COMPRESSED, 0);
    is_unchanged();

    options.unwrap = &unwrap;
    options.label = "storage"; /* where it may be what is wanted */
    memcpy(image, sent, sent_len);
    len = sent_len;
    assert_int_equal(send_in_pieces(0), OTA_OK);
    is_stored();
}

/* What is told when an object of heatshrink was made with numbers that cannot be. */
static void test_wrong_bits(void **state)
{
    static struct ota_heatshrink_decoder wrong;
    static struct ota_decoder *const decoders[] = {&wrong.decoder, NULL};

    (void)state;
    ota_heatshrink_decoder_init(&wrong, 3, 9);
    ota_unwrap_init(&unwrap, decoders);
    sent_as(SHRUNK);
    assert_int_equal(send_in_pieces(0), OTA_ERR_ARGUMENT);
}

/* ---- Asking, telling, going on --------------------------------------------------------------- */

static struct {
    enum ota_err answer;
    unsigned count;
    uint64_t changes;
    struct ota_app_descriptor incoming;
} asked;

static enum ota_err may_write(void *context, const struct ota_update *asking)
{
    (void)context;
    asked.count++;
    asked.changes = ram_flash_changes(fixture.chip);
    assert_true(ota_image_app_descriptor(&asking->check.image, &asked.incoming));
    return asked.answer;
}

/* The gate is asked once, knows the image, and nothing was changed before; nor is after a no. */
static void test_asked_before_anything_changes(void **state)
{
    (void)state;
    options.may_write = may_write;
    for (unsigned form = PLAIN; form < FORMS; form++) {
        for (unsigned buffer = 256; buffer <= SECTOR; buffer *= 16) {
            sent_as((enum form)form);
            options.buffer_size = buffer;
            for (unsigned i = 0; i < 2; i++) {
                uint64_t changes = ram_flash_changes(fixture.chip);
                asked.answer = i == 0 ? OTA_ERR_REFUSED : OTA_OK;
                asked.count = 0;
                remember();
                assert_int_equal(send_in_pieces(1), asked.answer);
                assert_int_equal(asked.count, 1);
                assert_int_equal(asked.changes, changes);
                assert_string_equal(asked.incoming.version, "2.0.0");
                if (i == 0) {
                    is_unchanged();
                }
            }
            is_stored();
        }
    }
}

static uint32_t told_done, told_total;

static void on_event(void *context, const struct ota_update *u, enum ota_update_event event,
                     uint32_t done, uint32_t total)
{
    (void)context, (void)u;
    assert_true(event == OTA_EVENT_START || done >= told_done);
    told_done = done;
    told_total = total;
}

/* Progress is of what arrives. */
static void test_progress(void **state)
{
    (void)state;
    sent_as(GZIP);
    options.on_event = on_event;
    assert_int_equal(send_in_pieces(100), OTA_OK);
    assert_int_equal(told_done, sent_len);
    assert_int_equal(told_total, sent_len);
}

/* The digest is of what arrives, and is told. */
static void test_expected(void **state)
{
    static const enum ota_hash_algorithm algorithms[] = {OTA_HASH_MD5, OTA_HASH_SHA256};

    (void)state;
    for (unsigned form = PLAIN; form < FORMS; form++) {
        for (unsigned a = 0; a < 2; a++) {
            sent_as((enum form)form);
            sent_expect(algorithms[a]);
            assert_int_equal(send_in_pieces(0), OTA_OK);
            is_stored();
            assert_memory_equal(update.digest, options.expected.bytes,
                                ota_digest_size(algorithms[a]));
            options.expected.bytes[3] ^= 4;
            assert_int_equal(send_in_pieces(0), OTA_ERR_DIGEST);
            fails_at(OTA_ERR_DIGEST, sent_len);
        }
    }
}

static void test_expect_later(void **state)
{
    (void)state;
    for (unsigned form = PLAIN; form < FORMS; form++) {
        sent_as((enum form)form);
        sent_expect(OTA_HASH_MD5);
        const struct ota_digest expected = options.expected;
        options.expected.algorithm = OTA_HASH_NONE;
        transfer_begin();
        assert_int_equal(ota_update_expect(&update, &expected), OTA_OK);
        assert_int_equal(ota_update_write(&update, sent, 1), OTA_OK); /* still held back */
        assert_int_equal(ota_update_expect(&update, &expected), OTA_ERR_STATE);
        assert_int_equal(ota_update_write(&update, sent + 1, sent_len - 1), OTA_OK);
        assert_int_equal(ota_update_end(&update), OTA_OK);
        is_stored();
    }
}

static uint32_t resume(void)
{
    uint32_t offset = 12345;

    assert_int_equal(ota_update_resume(&update, &options, &offset), OTA_OK);
    assert_int_equal(update.received, offset);
    return offset;
}

static void go_on(void)
{
    assert_int_equal(ota_update_write(&update, sent + update.received, sent_len - update.received),
                     OTA_OK);
    assert_int_equal(ota_update_end(&update), OTA_OK);
    is_stored();
}

/* A plain one as ever. */
static void test_plain_is_resumed(void **state)
{
    (void)state;
    sent_expect(OTA_HASH_SHA256);
    for (uint32_t cut = 1; cut < sent_len; cut += 9973) {
        transfer_begin();
        assert_int_equal(ota_update_write(&update, sent, cut), OTA_OK);
        ota_update_suspend(&update);
        assert_int_equal(resume(), cut / SECTOR * SECTOR);
        go_on();
        transfer_begin();
        assert_int_equal(ota_update_write(&update, sent, cut), OTA_OK);
        lose_power();
        assert_int_equal(resume(), cut / 0x8000 * 0x8000);
        go_on();
    }
}

/* What is behind the place where a transfer goes on says nothing of its form. */
static void test_looks_compressed_in_the_middle(void **state)
{
    (void)state;
    wrapping_make_data(40000);
    for (uint32_t at = SECTOR; at < len; at += SECTOR) {
        image[at] = 0x1F;
        image[at + 1] = 0x8B;
    }
    sent_as(PLAIN);
    sent_expect(OTA_HASH_SHA256);
    transfer_begin();
    assert_int_equal(ota_update_write(&update, sent, 20000), OTA_OK);
    ota_update_suspend(&update);
    assert_int_equal(resume(), 4 * SECTOR);
    go_on();
    assert_false(update.is_compressed);
}

/* A compressed one begins again, also over what an interrupted one left. The mark in the last
   sector says that something did. */
static void test_compressed_begins_again(void **state)
{
    (void)state;
    for (unsigned form = GZIP; form < FORMS; form++) {
        sent_as((enum form)form);
        sent_expect(OTA_HASH_SHA256);
        for (uint32_t cut = 1; cut < sent_len; cut += 4999) {
            struct ota_region slot = ram_flash_region(fixture.chip, OTA_1, SLOT_SIZE);
            bool marked = true;
            for (unsigned i = 0; i < 2; i++) {
                transfer_begin();
                assert_int_equal(ota_update_write(&update, sent, cut), OTA_OK);
                const bool is_open = update.is_open;
                if (i == 0) {
                    ota_update_suspend(&update);
                } else {
                    lose_power();
                }
                assert_int_equal(ota_journal_is_marked(&slot, &marked), OTA_OK);
                assert_int_equal(marked, is_open);
                assert_int_equal(resume(), 0);
                assert_int_equal(update.stored, 0);
                go_on();
                assert_int_equal(ota_journal_is_marked(&slot, &marked), OTA_OK);
                assert_false(marked);
            }
        }
    }
}

/* The plain transfer's journal does not serve the compressed one, nor the other way. */
static void test_other_form_begins_again(void **state)
{
    (void)state;
    options.etag = "\"v2\"";
    transfer_begin();
    assert_int_equal(ota_update_write(&update, sent, 50000), OTA_OK);
    lose_power();
    sent_as(GZIP);
    assert_int_equal(resume(), 0);
    assert_int_equal(ota_update_write(&update, sent, 30000), OTA_OK);
    lose_power();
    sent_as(PLAIN);
    assert_int_equal(resume(), 0);
    go_on();
}

/* ---- What is refused ------------------------------------------------------------------------- */

static void test_damage(void **state)
{
    static const uint8_t garbage[5] = {1, 2, 3, 4, 5};

    (void)state;
    for (unsigned known = 0; known < 2; known++) {
        sent_as(GZIP);
        sent_append(garbage, sizeof garbage);
        options.size = known != 0 ? sent_len : OTA_SIZE_UNKNOWN;
        assert_int_equal(send_in_pieces(0), OTA_ERR_COMPRESSED_TRAILER);
        fails_at(OTA_ERR_COMPRESSED_TRAILER, sent_len - (uint32_t)sizeof garbage);
        options.allow_trailer = true;
        assert_int_equal(send_in_pieces(0), OTA_OK);
        is_stored();
        options.allow_trailer = false;

        sent_as(GZIP);
        sent_cut(sent_len - 1);
        options.size = known != 0 ? sent_len : OTA_SIZE_UNKNOWN;
        assert_int_equal(send_in_pieces(0), OTA_ERR_IMAGE_TRUNCATED);
        fails_at(OTA_ERR_IMAGE_TRUNCATED, sent_len);
    }
    for (uint32_t i = 1; i <= 8; i++) { /* the sum and the length */
        sent_as(GZIP);
        sent[sent_len - i] ^= 0x10;
        assert_int_equal(send_in_pieces(0), OTA_ERR_COMPRESSED_SUM);
    }
    sent_as(GZIP);
    sent[2] = 7;
    assert_int_equal(send_in_pieces(0), OTA_ERR_COMPRESSION);
    fails_at(OTA_ERR_COMPRESSION, 2);
}

/* An image that is wrong is, compressed or not, where it is wrong. */
static void test_wrong_image(void **state)
{
    (void)state;
    for (unsigned form = PLAIN; form < FORMS; form++) {
        image[12] = 9; /* another chip's */
        sent_as((enum form)form);
        remember();
        assert_int_equal(send_in_pieces(0), OTA_ERR_IMAGE_CHIP);
        fails_at(OTA_ERR_IMAGE_CHIP, 12);
        is_unchanged();
        image[12] = 0;
        image[len / 2] ^= 1;
        sent_as((enum form)form);
        assert_int_equal(send_in_pieces(0), OTA_ERR_IMAGE_CHECKSUM);
        image[len / 2] ^= 1;
    }
}

/* An image in gzip in gzip is no image. */
static void test_twice(void **state)
{
    (void)state;
    sent_as(GZIP);
    memcpy(image, sent, sent_len);
    len = sent_len;
    sent_as(GZIP);
    assert_int_equal(send_in_pieces(0), OTA_ERR_COMPRESSED);
}

/* More comes than was announced, or less. */
static void test_announced(void **state)
{
    (void)state;
    for (unsigned form = PLAIN; form < FORMS; form++) {
        sent_as((enum form)form);
        options.size--;
        assert_int_equal(send_in_pieces(0), OTA_ERR_TOO_LARGE);
        fails_at(OTA_ERR_TOO_LARGE, sent_len - 1);
        options.size += 2;
        assert_int_equal(send_in_pieces(0), OTA_ERR_INCOMPLETE);
        fails_at(OTA_ERR_INCOMPLETE, sent_len);
    }
}

/* A megabyte of nothing in a kilobyte: it stops where the slot does. */
static void test_bomb(void **state)
{
    static struct deflate bomb;
    static struct prefix_code literals, distances;
    static uint8_t file[DEFLATE_MAX];

    (void)state;
    prefix_code_fixed(&literals, &distances);
    memset(&bomb, 0, sizeof bomb);
    deflate_stored(&bomb, false, image, 400); /* it begins well */
    deflate_fixed(&bomb, true);
    for (unsigned i = 0; i < 4096; i++) {
        deflate_copy(&bomb, &literals, &distances, 1, 258);
    }
    deflate_symbol(&bomb, &literals, 256);
    sent_bytes(file, (uint32_t)gzip_wrap(file, &bomb, "", 0));
    assert_int_equal(send_in_pieces(0), OTA_ERR_IMAGE_CHECKSUM); /* an app says where it ends */

    options.label = "storage";
    for (unsigned known = 0; known < 2; known++) {
        options.size = known != 0 ? sent_len : OTA_SIZE_UNKNOWN;
        assert_int_equal(send_in_pieces(0), OTA_ERR_TOO_LARGE);
        assert_int_equal(update.failure.err, OTA_ERR_TOO_LARGE);
        assert_int_equal(update.stored, STORAGE_SIZE);
    }
}

/* Blocks without content may come only as long as a file could be. */
static void test_endless_nothing(void **state)
{
    static const uint8_t head[GZIP_HEADER_SIZE] = {0x1F, 0x8B, 8};
    static const uint8_t empty[5] = {0, 0, 0, 0xFF, 0xFF};
    enum ota_err err;
    uint32_t came = sizeof head;

    (void)state;
    options.size = OTA_SIZE_UNKNOWN;
    transfer_begin();
    err = ota_update_write(&update, head, sizeof head);
    while (err == OTA_OK && came < 10 * SLOT_SIZE) {
        err = ota_update_write(&update, empty, sizeof empty);
        came += (uint32_t)sizeof empty;
    }
    assert_int_equal(err, OTA_ERR_TOO_LARGE);
    fails_at(OTA_ERR_TOO_LARGE, SLOT_SIZE + SLOT_SIZE / 8);
}

/* What cannot fit is refused before it is sent, or with its first bytes. */
static void test_sizes(void **state)
{
    (void)state;
    remember();
    options.size = SLOT_SIZE + SLOT_SIZE / 8 + 1;
    assert_int_equal(ota_update_begin(&update, &options), OTA_ERR_TOO_LARGE);
    options.size--;
    transfer_begin();
    assert_int_equal(ota_update_write(&update, sent, 1), OTA_OK);
    assert_int_equal(ota_update_write(&update, sent + 1, 1), OTA_ERR_TOO_LARGE);
    fails_at(OTA_ERR_TOO_LARGE, SLOT_SIZE);
    is_unchanged();
    options.size = SLOT_SIZE + 1;
    transfer_begin();
    assert_int_equal(ota_update_write(&update, sent, 2), OTA_ERR_TOO_LARGE);
    fails_at(OTA_ERR_TOO_LARGE, SLOT_SIZE);

    ota_unwrap_init(&unwrap, NULL);
    assert_int_equal(ota_update_begin(&update, &options), OTA_ERR_TOO_LARGE);
    is_unchanged();
}

/* A file that is larger than the partition, because nothing in it could be compressed, is taken if
   its content fits. */
static void test_larger_than_its_content(void **state)
{
    static struct deflate stored;
    static uint8_t file[2 * STORAGE_SIZE];

    (void)state;
    wrapping_make_data(STORAGE_SIZE);
    memset(&stored, 0, sizeof stored);
    for (uint32_t done = 0; done < len; done += 1024) {
        deflate_stored(&stored, done + 1024 == len, image + done, 1024);
    }
    sent_bytes(file, (uint32_t)gzip_wrap(file, &stored, image, len));
    assert_true(sent_len > STORAGE_SIZE);
    assert_int_equal(send_in_pieces(0), OTA_OK);
    is_stored();
}

int main(void)
{
#define WITH_DEVICE(test) cmocka_unit_test_setup_teardown(test, set_up, transfer_close)
#define WITH_SMALL(test) cmocka_unit_test_setup_teardown(test, set_up_small, transfer_close)
    const struct CMUnitTest tests[] = {
        WITH_DEVICE(test_forms),
        WITH_SMALL(test_every_split),
        WITH_DEVICE(test_data),
        WITH_SMALL(test_short_data),
        WITH_SMALL(test_empty_inside),
        WITH_SMALL(test_nothing_is_a_write_too),
        WITH_SMALL(test_without_decoders),
        WITH_SMALL(test_wrong_bits),
        WITH_DEVICE(test_asked_before_anything_changes),
        WITH_DEVICE(test_progress),
        WITH_DEVICE(test_expected),
        WITH_SMALL(test_expect_later),
        WITH_DEVICE(test_plain_is_resumed),
        WITH_DEVICE(test_looks_compressed_in_the_middle),
        WITH_DEVICE(test_compressed_begins_again),
        WITH_DEVICE(test_other_form_begins_again),
        WITH_DEVICE(test_damage),
        WITH_DEVICE(test_wrong_image),
        WITH_DEVICE(test_twice),
        WITH_DEVICE(test_announced),
        WITH_SMALL(test_bomb),
        WITH_SMALL(test_endless_nothing),
        WITH_SMALL(test_sizes),
        WITH_SMALL(test_larger_than_its_content),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
