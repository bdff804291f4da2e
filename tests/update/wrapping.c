/* SPDX-License-Identifier: Apache-2.0 */
#include "wrapping.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <bearssl.h>
#include <cmocka.h>

#include "decode/heatshrink_encoder.h"
#include "support/gzip_file.h"

#define REPEATED_AFTER 30000u

struct ota_unwrap unwrap;
uint8_t sent[SENT_MAX];
uint32_t sent_len;
struct ota_trust trust;

static struct ota_gunzip_decoder gunzip;
static struct ota_heatshrink_decoder heatshrink;
static struct ota_arduino_trust arduino;

void wrapping_open(uint32_t size)
{
    static struct ota_decoder *const decoders[] = {&gunzip.decoder, &heatshrink.decoder, NULL};
    const struct image_facts facts = {.size = size,
                                      .seed = 5,
                                      .version = "2.0.0",
                                      .period =
                                          size < 2 * REPEATED_AFTER ? size / 2 : REPEATED_AFTER};

    transfer_open(0, NULL);
    transfer_make(&facts);
    ota_gunzip_decoder_init(&gunzip);
    ota_heatshrink_decoder_init(&heatshrink, WINDOW_BITS, LOOKAHEAD_BITS);
    ota_unwrap_init(&unwrap, decoders);
    options.unwrap = &unwrap;
    sent_as(PLAIN);
}

void wrapping_make_data(uint32_t size)
{
    assert_true(size <= STORAGE_SIZE);
    for (uint32_t i = 0; i < size; i++) {
        image[i] = (uint8_t)(noise(7, i % REPEATED_AFTER) % 23 + 'a');
    }
    len = size;
    options.label = "storage";
    sent_as(PLAIN);
}

/* ---- What is sent ---------------------------------------------------------------------------- */

static void shrink(void)
{
    static struct shrunk shrunk;

    shrunk_begin(&shrunk, WINDOW_BITS, LOOKAHEAD_BITS);
    shrunk_data(&shrunk, image, len);
    sent_len = (uint32_t)shrunk_len(&shrunk);
    memcpy(sent, shrunk.bytes, sent_len);
}

void sent_as(enum form form)
{
    if (form == GZIP) {
        sent_len = (uint32_t)gzip_file_make(sent, sizeof sent, image, len);
        assert_true(sent_len > 0);
    } else if (form == SHRUNK) {
        shrink();
    } else {
        memcpy(sent, image, len);
        sent_len = len;
    }
    options.size = sent_len;
}

void sent_bytes(const void *bytes, uint32_t size)
{
    sent_len = 0;
    sent_append(bytes, size);
}

void sent_append(const void *bytes, uint32_t size)
{
    assert_true(size <= sizeof sent - sent_len);
    memcpy(sent + sent_len, bytes, size);
    sent_len += size;
    options.size = sent_len;
}

void sent_cut(uint32_t size)
{
    assert_true(size <= sent_len);
    sent_len = size;
    options.size = sent_len;
}

void sent_sign(const struct signer *signer, enum ota_signature_scheme scheme)
{
    uint8_t trailer[OTA_ARDUINO_TAIL_MAX] = {0};
    uint8_t digest[OTA_SHA384_SIZE];

    signer_digest(scheme, sent, sent_len, digest);
    size_t n = signer_sign(signer, scheme, digest, trailer);
    trailer[n] = (uint8_t)n;
    trailer[n + 1] = (uint8_t)(n >> 8);
    sent_append(trailer, (uint32_t)n + OTA_ARDUINO_LENGTH_SIZE);
}

void sent_expect(enum ota_hash_algorithm algorithm)
{
    uint8_t *digest = options.expected.bytes;
    br_sha256_context sha;
    br_md5_context md5;

    options.expected.algorithm = algorithm;
    if (algorithm == OTA_HASH_SHA256) {
        br_sha256_init(&sha);
        br_sha256_update(&sha, sent, sent_len);
        br_sha256_out(&sha, digest);
    } else if (algorithm == OTA_HASH_MD5) {
        br_md5_init(&md5);
        br_md5_update(&md5, sent, sent_len);
        br_md5_out(&md5, digest);
    }
}

/* ---- Sending --------------------------------------------------------------------------------- */

static enum ota_err end(enum ota_err err)
{
    if (err == OTA_OK) {
        err = ota_update_end(&update);
    }
    assert_int_equal(update.state, err == OTA_OK ? OTA_UPDATE_PROVEN : OTA_UPDATE_FAILED);
    assert_int_equal(update.failure.err, err);
    assert_int_equal(faulty_crypto_running(), 0);
    return err;
}

enum ota_err send_in_pieces(uint32_t size)
{
    enum ota_err err = ota_update_begin(&update, &options);

    for (uint32_t done = 0; err == OTA_OK && done < sent_len;) {
        uint32_t n = size != 0 ? size : 1 + noise(sent_len, done) % 3000;
        n = n < sent_len - done ? n : sent_len - done;
        err = ota_update_write(&update, sent + done, n);
        done += n;
        assert_true(err != OTA_OK || update.received == done);
    }
    return end(err);
}

enum ota_err send_in_two(uint32_t first)
{
    enum ota_err err = ota_update_begin(&update, &options);

    if (err == OTA_OK) {
        err = ota_update_write(&update, sent, first);
    }
    if (err == OTA_OK) {
        err = ota_update_write(&update, sent + first, sent_len - first);
    }
    return end(err);
}

void is_stored(void)
{
    const uint8_t *target = fixture.chip->memory + update.partition.offset;

    assert_int_equal(update.state, OTA_UPDATE_PROVEN);
    assert_int_equal(update.stored, len);
    assert_int_equal(update.received, sent_len);
    assert_memory_equal(target, image, len);
}

void trust_keys(const struct ota_public_key *keys, uint8_t count,
                const struct ota_verifier *verifier)
{
    arduino = (struct ota_arduino_trust){keys, count, verifier};
    trust = (struct ota_trust){.arduino = &arduino};
    fixture.device.trust = &trust;
}

void lose_power(void)
{
    const struct ota_crypto *crypto = fixture.device.crypto;

    if (update.check.hash_begun) {
        crypto->hash_abort(&update.check.hash);
    }
    if (update.md5_begun) {
        crypto->hash_abort(&update.md5);
    }
    if (unwrap.hash_begun) {
        crypto->hash_abort(&unwrap.hash);
        unwrap.hash_begun = false;
    }
    memset(&update, 0, sizeof update);
}
