/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What arrives at a device that unpacks and demands signatures: any bytes, or any content that is
 * wrapped here and then spoiled a little. However it is cut, it comes to the same end; what is
 * taken is what zlib makes of it, without the trailer; and nobody gets in without the signature of
 * a key.
 */
#include <string.h>

#include <bearssl.h>
#include <zlib.h>

#include <updraft/gunzip.h>
#include <updraft/heatshrink.h>
#include <updraft/otadata.h>
#include <updraft/trust.h>
#include <updraft/update.h>

#include "fuzz/device.h"
#include "fuzz/input.h"
#include "support/gzip_file.h"

#define ARRIVES_MAX (4 * FUZZ_SLOT)
#define KEY_SIZE 20u
#define TRAILER (KEY_SIZE + OTA_ARDUINO_LENGTH_SIZE)
#define WITH_GZIP_HEADER (MAX_WBITS + 16)

/* What is asked of the device, and what is done before. */
enum {
    IS_DATA = 1,
    SIZE_KNOWN = 2,
    SMALL_BUFFER = 4,
    DEMANDS = 8,
    REPORTS = 16,
    IS_PACKED_HERE = 32,
    IS_SIGNED_HERE = 64,
    IS_SPOILED_HERE = 128,
};

static struct fuzz_device fuzz;
static struct ota_update update;
static struct ota_unwrap unwrap;
static struct ota_gunzip_decoder gunzip;
static struct ota_heatshrink_decoder heatshrink;
static struct ota_decoder *const decoders[] = {&gunzip.decoder, &heatshrink.decoder, NULL};
static uint8_t buffer[FUZZ_SECTOR], running[FUZZ_SLOT];
static uint8_t arrives[ARRIVES_MAX + TRAILER];
static size_t arrives_len;

/* ---- Signatures that a fuzzer can hit -------------------------------------------------------- */

static void digest_of(const uint8_t *data, size_t len, uint8_t digest[OTA_SHA256_SIZE])
{
    br_sha256_context sha;

    br_sha256_init(&sha);
    br_sha256_update(&sha, data, len);
    br_sha256_out(&sha, digest);
}

static enum ota_err verify(const struct ota_public_key *key, const uint8_t *digest,
                           const uint8_t *signature, size_t len)
{
    REQUIRE(len == key->len);
    return (signature[0] ^ digest[0]) % 8 == 0 ? OTA_OK : OTA_ERR_SIGNATURE;
}

static const uint8_t modulus[KEY_SIZE] = {0x80};
static const struct ota_public_key key = {
    .type = OTA_KEY_RSA, .bytes = modulus, .len = sizeof modulus};
static const struct ota_verifier verifier = {OTA_SIGNATURE_RSA_PKCS1, OTA_HASH_SHA256, verify};
static const struct ota_arduino_trust arduino = {&key, 1, &verifier};

static void sign(void)
{
    uint8_t *trailer = arrives + arrives_len;
    uint8_t digest[OTA_SHA256_SIZE];

    digest_of(arrives, arrives_len, digest);
    memset(trailer, 0, TRAILER);
    trailer[0] = digest[0];
    trailer[KEY_SIZE] = KEY_SIZE;
    arrives_len += TRAILER;
}

static bool is_signed(void)
{
    uint8_t digest[OTA_SHA256_SIZE];

    if (arrives_len <= TRAILER) {
        return false;
    }
    const size_t len = arrives_len - TRAILER;
    const uint8_t *trailer = arrives + len;
    digest_of(arrives, len, digest);
    return (trailer[0] ^ digest[0]) % 8 == 0 && (trailer[KEY_SIZE] == KEY_SIZE || /* or 256 */
                                                 trailer[KEY_SIZE + 1] == 1);
}

/* ---- What arrives ---------------------------------------------------------------------------- */

static void prepare(struct input *input, unsigned what)
{
    const size_t cap = sizeof arrives - TRAILER;

    arrives_len = input->left < FUZZ_SLOT ? input->left : FUZZ_SLOT;
    if ((what & IS_PACKED_HERE) != 0) {
        arrives_len = gzip_file_make(arrives, cap, input->data, arrives_len);
        REQUIRE(arrives_len > 0);
    } else {
        memcpy(arrives, input->data, arrives_len);
    }
    if ((what & IS_SIGNED_HERE) != 0) {
        sign();
    }
    if ((what & IS_SPOILED_HERE) != 0 && arrives_len > 0) {
        arrives[input_word(input) % arrives_len] ^= (uint8_t)(1 + input_byte(input) % 255);
    }
}

static struct {
    uint64_t operations; /* of the flash when the update began */
    unsigned count;
} asked;

static enum ota_err may_write(void *context, const struct ota_update *asking)
{
    (void)context, (void)asking;
    asked.count++;
    REQUIRE(update.options.buffer_size < 256 ||
            fuzz.state.statistics.operations == asked.operations);
    return OTA_OK;
}

struct result {
    enum ota_err err;
    struct ota_failure failure;
    uint32_t stored;
    bool is_compressed;
    bool is_signed;
    uint8_t target[FUZZ_SLOT];
};

/* Sends all of it, in pieces of up to `piece` bytes, to a device that is made anew. */
static void run(unsigned what, unsigned how, uint32_t piece, struct result *result)
{
    const struct ota_trust trust = {.arduino = &arduino, .only_report = (what & REPORTS) != 0};
    struct ota_update_options options = {
        .device = &fuzz.device,
        .label = (what & IS_DATA) != 0 ? "storage" : NULL,
        .size = (what & SIZE_KNOWN) != 0 ? (uint32_t)arrives_len : OTA_SIZE_UNKNOWN,
        .unwrap = &unwrap,
        .buffer = buffer,
        .buffer_size = (what & SMALL_BUFFER) != 0 ? 64 : sizeof buffer,
        .may_write = may_write,
    };

    fuzz_device_make(&fuzz);
    fuzz_device_put_image(&fuzz, FUZZ_OTA_0, 1, 0);
    fuzz_device_put_entry(&fuzz, 0, 1, OTA_STATE_VALID);
    memcpy(running, fuzz.memory + FUZZ_OTA_0, FUZZ_SLOT);
    fuzz.device.trust = (what & DEMANDS) != 0 ? &trust : NULL;
    ota_gunzip_decoder_init(&gunzip);
    ota_heatshrink_decoder_init(&heatshrink, 8, 4);
    ota_unwrap_init(&unwrap, decoders);
    if (how % 4 == 1) {
        options.expected.algorithm = OTA_HASH_SHA256;
        digest_of(arrives, arrives_len, options.expected.bytes);
        options.expected.bytes[0] ^= how >= 128;
    }
    memset(&update, 0, sizeof update);
    asked.operations = fuzz.state.statistics.operations;
    asked.count = 0;
    enum ota_err err = arrives_len > 0 ? ota_update_begin(&update, &options) : OTA_ERR_NO_DATA;
    for (size_t at = 0; err == OTA_OK && at < arrives_len; at += piece) {
        const size_t left = arrives_len - at;
        err = ota_update_write(&update, arrives + at, left < piece ? left : piece);
    }
    err = err == OTA_OK ? ota_update_end(&update) : err;
    REQUIRE(fuzz.state.violations == 0);
    REQUIRE(memcmp(running, fuzz.memory + FUZZ_OTA_0, FUZZ_SLOT) == 0);
    REQUIRE(!(how % 4 == 1 && how >= 128) || err != OTA_OK);
    *result = (struct result){
        err, update.failure, update.stored, update.is_compressed, update.signature.err == OTA_OK,
        {0}};
    memcpy(result->target, fuzz.memory + ((what & IS_DATA) != 0 ? FUZZ_STORAGE : FUZZ_OTA_1),
           (what & IS_DATA) != 0 ? FUZZ_STORAGE_SIZE : FUZZ_SLOT);
    ota_update_abort(&update);
}

/* ---- What must be ---------------------------------------------------------------------------- */

static void check_unpacked(const struct result *result, size_t len)
{
    static uint8_t out[FUZZ_SLOT + 1];
    z_stream stream = {
        .next_in = arrives, .avail_in = (uInt)len, .next_out = out, .avail_out = sizeof out};

    REQUIRE(inflateInit2(&stream, WITH_GZIP_HEADER) == Z_OK);
    REQUIRE(inflate(&stream, Z_FINISH) == Z_STREAM_END);
    REQUIRE(stream.total_out == result->stored);
    inflateEnd(&stream);
    REQUIRE(memcmp(out, result->target, result->stored) == 0);
}

static void check(unsigned what, const struct result *result)
{
    const bool demands = (what & DEMANDS) != 0;
    const size_t len = arrives_len - (demands && result->is_signed ? TRAILER : 0);

    REQUIRE(asked.count <= 1);
    if (result->err != OTA_OK) {
        REQUIRE(result->failure.err == result->err || arrives_len == 0);
        return;
    }
    REQUIRE(asked.count == 1);
    REQUIRE(!result->is_signed || (demands && is_signed()));
    REQUIRE(!demands || (what & REPORTS) != 0 || result->is_signed);
    if (!result->is_compressed) {
        REQUIRE(result->stored == len);
        REQUIRE(memcmp(arrives, result->target, len) == 0);
    } else if (ota_is_gzip(arrives, arrives_len)) {
        check_unpacked(result, len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct result whole, cut;
    struct input input = {data, size};
    const unsigned what = input_byte(&input);
    const unsigned how = input_byte(&input);

    prepare(&input, what);
    run(what, how, ARRIVES_MAX, &whole);
    check(what, &whole);
    run(what, how, 1 + how % 61, &cut);
    REQUIRE(cut.err == whole.err && cut.failure.offset == whole.failure.offset);
    if (cut.err == OTA_OK) {
        REQUIRE(cut.stored == whole.stored && cut.is_compressed == whole.is_compressed);
        REQUIRE(cut.is_signed == whole.is_signed);
        REQUIRE(memcmp(cut.target, whole.target, sizeof cut.target) == 0);
    }
    return 0;
}
