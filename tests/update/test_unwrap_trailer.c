/* SPDX-License-Identifier: Apache-2.0 */
/* Signed images and data on a device that trusts keys: in every form and cut; and all that is to be
   refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "wrapping.h"

#define LEN 70000u
#define SMALL 700u
#define BITS 2048u
#define TRAILER (BITS / 8 + OTA_ARDUINO_LENGTH_SIZE)
#define PKCS1 OTA_SIGNATURE_RSA_PKCS1

static struct signer *maker, *stranger, *large;
static const struct ota_verifier *const verifier = &ota_verify_rsa_pkcs1_openssl;
static uint8_t before[CHIP_SIZE];

static int make_keys(void **state)
{
    (void)state;
    maker = signer_new_rsa(BITS, 65537);
    stranger = signer_new_rsa(BITS, 65537);
    large = signer_new_rsa(4096, 65537);
    return 0;
}

static int free_keys(void **state)
{
    (void)state;
    signer_free(maker);
    signer_free(stranger);
    signer_free(large);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    wrapping_open(LEN);
    trust_keys(&maker->key, 1, verifier);
    return 0;
}

static int set_up_small(void **state)
{
    (void)state;
    wrapping_open(SMALL);
    trust_keys(&maker->key, 1, verifier);
    return 0;
}

static void sent_signed(enum form form, const struct signer *signer)
{
    sent_as(form);
    sent_sign(signer, PKCS1);
}

static void refuses(enum ota_err err)
{
    assert_int_equal(send_in_pieces(0), err);
    assert_false(fixture_is_named(&fixture, 1));
}

/* Sent as it is and with a size that is not known, it is refused. */
static void refuses_any_size(enum ota_err err)
{
    refuses(err);
    options.size = OTA_SIZE_UNKNOWN;
    refuses(err);
}

static void takes(void)
{
    assert_int_equal(send_in_pieces(0), OTA_OK);
    assert_int_equal(update.signature.err, OTA_OK);
    is_stored();
}

/* ---- What is taken --------------------------------------------------------------------------- */

static void test_forms(void **state)
{
    (void)state;
    for (unsigned form = PLAIN; form < FORMS; form++) {
        for (unsigned known = 0; known < 2; known++) {
            sent_signed((enum form)form, maker);
            options.size = known != 0 ? sent_len : OTA_SIZE_UNKNOWN;
            ram_flash_fill(fixture.chip, OTA_1, SLOT_SIZE, form);
            takes();
            assert_int_equal(ota_update_activate(&update), OTA_OK);
            assert_true(fixture_is_named(&fixture, 1));
        }
    }
}

static void test_every_split(void **state)
{
    (void)state;
    for (unsigned form = PLAIN; form < FORMS; form++) {
        sent_signed((enum form)form, maker);
        for (uint32_t first = 0; first <= sent_len; first++) {
            assert_int_equal(send_in_two(first), OTA_OK);
            is_stored();
        }
        for (uint32_t size = 1; size < 300; size += 37) {
            assert_int_equal(send_in_pieces(size), OTA_OK);
            is_stored();
        }
    }
}

static void test_data(void **state)
{
    (void)state;
    for (unsigned form = PLAIN; form <= GZIP; form++) {
        static const enum ota_hash_algorithm algorithms[] = {OTA_HASH_NONE, OTA_HASH_MD5,
                                                             OTA_HASH_SHA256};
        for (unsigned a = 0; a < 3; a++) {
            wrapping_make_data(40000);
            sent_signed((enum form)form, maker);
            sent_expect(algorithms[a]);
            takes();
        }
    }
    wrapping_make_data(1); /* there is nothing less to sign */
    sent_signed(PLAIN, maker);
    sent_expect(OTA_HASH_NONE);
    takes();
}

/* Any of several keys, which are not equally long. */
static void test_several_keys(void **state)
{
    const struct ota_public_key keys[] = {stranger->key, large->key, maker->key};
    struct signer *const signers[] = {stranger, large, maker};

    (void)state;
    trust_keys(keys, 3, verifier);
    for (unsigned i = 0; i < 3; i++) {
        for (unsigned form = PLAIN; form < FORMS; form++) {
            sent_signed((enum form)form, signers[i]);
            takes();
        }
    }
    sent_signed(PLAIN, maker);
    trust_keys(keys, 2, verifier);
    refuses_any_size(OTA_ERR_SIGNATURE);
    sent_signed(PLAIN, large);
    trust_keys(keys, 1, verifier);
    refuses_any_size(OTA_ERR_SIGNATURE_MISSING); /* no signature of a length that is looked for */
}

/* The present form is not the legacy one. The RP2040's tool writes 256 behind any signature. */
static void test_flavours(void **state)
{
    (void)state;
    trust_keys(&maker->key, 1, &ota_verify_rsa_pkcs1_raw_openssl);
    sent_as(GZIP);
    sent_sign(maker, OTA_SIGNATURE_RSA_PKCS1_RAW);
    takes();
    trust_keys(&maker->key, 1, verifier);
    refuses(OTA_ERR_SIGNATURE);
    trust_keys(&large->key, 1, verifier);
    sent_signed(PLAIN, large);
    sent[sent_len - 3] = 1;
    takes();
}

/* The digest that is expected is of the whole file. */
static void test_expected(void **state)
{
    static const enum ota_hash_algorithm algorithms[] = {OTA_HASH_MD5, OTA_HASH_SHA256};

    (void)state;
    for (unsigned form = PLAIN; form < FORMS; form++) {
        for (unsigned a = 0; a < 2; a++) {
            sent_signed((enum form)form, maker);
            sent_expect(algorithms[a]);
            takes();
            assert_memory_equal(update.digest, options.expected.bytes,
                                ota_digest_size(algorithms[a]));
            sent[sent_len - 20] ^= 1; /* of the signature: it is told first what went wrong */
            refuses(OTA_ERR_DIGEST);
        }
    }
}

/* The trailer does not need room in the partition. */
static void test_full_partition(void **state)
{
    (void)state;
    wrapping_make_data(STORAGE_SIZE);
    for (unsigned form = PLAIN; form <= GZIP; form++) {
        for (unsigned known = 0; known < 2; known++) {
            sent_signed((enum form)form, maker);
            options.size = known != 0 ? sent_len : OTA_SIZE_UNKNOWN;
            takes();
        }
    }
    sent_as(PLAIN);
    sent_append("", 1);
    sent_sign(maker, PKCS1);
    refuses_any_size(OTA_ERR_TOO_LARGE);
    assert_true(update.failure.offset <= sent_len);
}

/* Plain and signed goes on where it was: what was held back is wanted again. */
static void test_resume(void **state)
{
    (void)state;
    for (unsigned a = 0; a < 2; a++) {
        sent_signed(PLAIN, maker);
        sent_expect(a == 0 ? OTA_HASH_SHA256 : OTA_HASH_MD5);
        for (uint32_t cut = 1000; cut < sent_len; cut += 6997) {
            for (unsigned i = 0; i < 2; i++) {
                const uint32_t stored = cut - OTA_ARDUINO_TAIL_MAX;
                uint32_t offset = 1;
                transfer_begin();
                assert_int_equal(ota_update_write(&update, sent, cut), OTA_OK);
                assert_int_equal(update.received, cut);
                if (i == 0) {
                    ota_update_suspend(&update);
                } else {
                    lose_power();
                }
                assert_int_equal(ota_update_resume(&update, &options, &offset), OTA_OK);
                const uint32_t unit = i == 0 ? SECTOR : 0x8000;
                assert_int_equal(offset, stored / unit * unit);
                assert_int_equal(ota_update_write(&update, sent + offset, sent_len - offset),
                                 OTA_OK);
                assert_int_equal(ota_update_end(&update), OTA_OK);
                assert_int_equal(update.signature.err, OTA_OK);
                is_stored();
            }
        }
    }
}

/* ---- What is refused ------------------------------------------------------------------------- */

static void test_unsigned(void **state)
{
    (void)state;
    for (unsigned form = PLAIN; form < FORMS; form++) {
        sent_as((enum form)form);
        refuses_any_size(OTA_ERR_SIGNATURE_MISSING);
        assert_int_equal(update.failure.offset, sent_len);
    }
    wrapping_make_data(40000);
    refuses_any_size(OTA_ERR_SIGNATURE_MISSING);
    wrapping_make_data(2);
    refuses_any_size(OTA_ERR_SIGNATURE_MISSING);
    trust_keys(NULL, 0, verifier);
    refuses(OTA_ERR_SIGNATURE_MISSING);
}

static void test_by_another(void **state)
{
    (void)state;
    for (unsigned form = PLAIN; form < FORMS; form++) {
        sent_signed((enum form)form, stranger);
        refuses_any_size(OTA_ERR_SIGNATURE);
    }
    /* The signature of another image. */
    sent_signed(PLAIN, maker);
    static uint8_t trailer[TRAILER];
    memcpy(trailer, sent + sent_len - TRAILER, TRAILER);
    const struct image_facts other = {.size = LEN, .seed = 6};
    transfer_make(&other);
    sent_as(PLAIN);
    sent_append(trailer, TRAILER);
    refuses_any_size(OTA_ERR_SIGNATURE);
}

/* Every bit: of the image, compressed or not, of the signature and of its length. */
static void test_every_bit(void **state)
{
    (void)state;
    for (unsigned form = PLAIN; form < FORMS; form++) {
        sent_signed((enum form)form, maker);
        for (uint32_t bit = 0; bit < 8 * sent_len; bit++) {
            sent[bit / 8] ^= (uint8_t)(1u << bit % 8);
            const enum ota_err err = send_in_pieces(4096);
            assert_int_not_equal(err, OTA_OK);
            assert_true(bit / 8 < sent_len - TRAILER || err == OTA_ERR_SIGNATURE ||
                        err == OTA_ERR_SIGNATURE_MISSING);
            assert_false(fixture_is_named(&fixture, 1));
            sent[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        takes();
    }
}

static void test_every_length(void **state)
{
    (void)state;
    for (unsigned form = PLAIN; form < FORMS; form++) {
        sent_signed((enum form)form, maker);
        const uint32_t whole = sent_len;
        while (sent_len > 1) {
            sent_cut(sent_len - 1);
            assert_int_not_equal(send_in_pieces(4096), OTA_OK);
            options.size = OTA_SIZE_UNKNOWN;
            assert_int_not_equal(send_in_pieces(4096), OTA_OK);
            options.size = whole;
            assert_int_not_equal(send_in_pieces(4096), OTA_OK);
        }
    }
}

/* Lengths that lie, of a trailer that is not there, too long for the file, or nearly the largest
   number there is. */
static void test_lengths_that_lie(void **state)
{
    static const uint32_t lengths[] = {0,    1,          255,         257,        260,    512,
                                       0x40, 0x10000100, 0xFFFFFFFCu, UINT32_MAX, 0x10000};

    (void)state;
    for (unsigned i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        sent_signed(PLAIN, maker);
        for (unsigned byte = 0; byte < 4; byte++) {
            sent[sent_len - 4 + byte] = (uint8_t)(lengths[i] >> 8 * byte);
        }
        refuses_any_size(OTA_ERR_SIGNATURE_MISSING);
    }
    sent_cut(0); /* a trailer and nothing before it */
    sent_sign(maker, PKCS1);
    refuses_any_size(OTA_ERR_SIGNATURE_MISSING);
}

static void test_garbage_behind(void **state)
{
    (void)state;
    for (unsigned form = PLAIN; form < FORMS; form++) {
        sent_signed((enum form)form, maker);
        sent_append("garbage", 7);
        refuses_any_size(OTA_ERR_SIGNATURE_MISSING);
        sent_as((enum form)form); /* signed is more than the image */
        sent_append("garbage", 7);
        sent_sign(maker, PKCS1);
        assert_int_not_equal(send_in_pieces(0), OTA_OK);
        sent_signed((enum form)form, maker); /* twice: the first signature is garbage then */
        sent_sign(maker, PKCS1);
        assert_int_not_equal(send_in_pieces(0), OTA_OK);
    }
}

/* Keys that are none, or too weak, or no key for a trailer. */
static void test_keys(void **state)
{
    struct signer *curve = signer_new_curve("P-256");
    struct signer *weak = signer_new_rsa(1024, 3);
    struct ota_public_key key = weak->key;

    (void)state;
    sent_signed(PLAIN, maker);
    trust_keys(&curve->key, 1, verifier);
    refuses(OTA_ERR_KEY);
    key.len = OTA_RSA_SIZE_MAX + 1;
    trust_keys(&key, 1, verifier);
    refuses(OTA_ERR_KEY);

    key = weak->key;
    for (unsigned form = PLAIN; form <= GZIP; form++) {
        sent_signed((enum form)form, weak);
        refuses(OTA_ERR_KEY);
        key.bits_min = 1024;
        refuses(OTA_ERR_KEY);
        key.weak_exponent = true;
        takes();
        key = weak->key;
    }
    signer_free(curve);
    signer_free(weak);
}

/* A device that demands trailers, and a program that does not look for them. */
static void test_nobody_looks(void **state)
{
    static const struct ota_seal *const none[] = {NULL};
    static const struct ota_seals no_seals = {ota_seals_ask, none};

    (void)state;
    options.unwrap = NULL;
    memcpy(before, fixture.chip->memory, sizeof before);
    assert_int_equal(ota_update_begin(&update, &options), OTA_ERR_ARGUMENT);
    trust.seals = &no_seals;
    assert_int_equal(ota_update_begin(&update, &options), OTA_ERR_ARGUMENT);
    assert_memory_equal(fixture.chip->memory, before, sizeof before);
    trust.seals = NULL;
    trust.only_report = true;
    assert_int_equal(send_in_pieces(0), OTA_OK);
    assert_int_equal(update.signature.err, OTA_ERR_SIGNATURE_MISSING);
    is_stored();
}

/* A trust that names nobody trusts nobody. */
static void test_nobody_is_trusted(void **state)
{
    (void)state;
    trust.arduino = NULL;
    for (unsigned form = PLAIN; form <= GZIP; form++) {
        sent_as((enum form)form);
        refuses(OTA_ERR_SIGNATURE_MISSING);
    }
    options.unwrap = NULL;
    sent_as(PLAIN);
    refuses(OTA_ERR_SIGNATURE_MISSING);
}

/* ---- Only reported --------------------------------------------------------------------------- */

/* Whatever a signature is, the image is taken, and it is told what was wrong. What follows an image
   is passed over then: a trailer of anybody's. */
static void test_only_reported(void **state)
{
    struct signer *const signers[] = {maker, stranger, large};
    static const enum ota_err told[] = {OTA_OK, OTA_ERR_SIGNATURE, OTA_ERR_SIGNATURE_MISSING};

    (void)state;
    trust.only_report = true;
    for (unsigned form = PLAIN; form <= GZIP; form++) {
        for (unsigned i = 0; i < 3; i++) {
            sent_signed((enum form)form, signers[i]);
            assert_int_equal(send_in_pieces(0), OTA_OK);
            assert_int_equal(update.signature.err, told[i]);
            assert_memory_equal(fixture.chip->memory + OTA_1, image, len);
            /* Nothing is taken away but a signature that is good. */
            assert_true(form != PLAIN || update.stored == (i == 0 ? len : sent_len));
        }
        sent_as((enum form)form);
        assert_int_equal(send_in_pieces(0), OTA_OK);
        assert_int_equal(update.signature.err, OTA_ERR_SIGNATURE_MISSING);
        is_stored();
        image[len / 2] ^= 1; /* what is wrong besides is refused as ever */
        sent_signed((enum form)form, maker);
        refuses(OTA_ERR_IMAGE_CHECKSUM);
        image[len / 2] ^= 1;
    }
    sent_as(SHRUNK);
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
        WITH_SMALL(test_data),
        WITH_DEVICE(test_several_keys),
        WITH_DEVICE(test_flavours),
        WITH_DEVICE(test_expected),
        WITH_SMALL(test_full_partition),
        WITH_DEVICE(test_resume),
        WITH_DEVICE(test_unsigned),
        WITH_DEVICE(test_by_another),
        WITH_SMALL(test_every_bit),
        WITH_SMALL(test_every_length),
        WITH_DEVICE(test_lengths_that_lie),
        WITH_DEVICE(test_garbage_behind),
        WITH_DEVICE(test_keys),
        WITH_DEVICE(test_nobody_looks),
        WITH_DEVICE(test_nobody_is_trusted),
        WITH_DEVICE(test_only_reported),
    };

    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
