/* SPDX-License-Identifier: Apache-2.0 */
/* The device's conversation up to the image: each step waits for a known number of bytes, does what
   they say, and goes on to the next one (docs/formats/esphome.md section 3). */
#include <updraft/text.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/secret.h"
#include "proto/esphome_device.h"
#include "proto/guess_pause.h"

_Static_assert(OTA_ESPHOME_LINE_SIZE >= ESPHOME_SHA256_DIGITS, "a line is a nonce at most");
_Static_assert(OTA_ESPHOME_REPLY_SIZE >= 2 + 2 + 1 + ESPHOME_SHA256_DIGITS + 3,
               "version, features, nonce and three acknowledgements");

enum step {
    STEP_MAGIC,
    STEP_FEATURES,
    STEP_CNONCE,
    STEP_RESPONSE,
    STEP_TYPE,
    STEP_SIZE,
    STEP_CHECKSUM,
};

static void put(struct ota_esphome *esphome, uint8_t byte)
{
    esphome->reply[esphome->reply_len++] = byte;
}

static void expect(struct ota_esphome *esphome, enum step step, size_t bytes)
{
    esphome->step = (uint8_t)step;
    esphome->awaited = (uint8_t)bytes;
    esphome->line_len = 0;
}

void ota__esphome_await_magic(struct ota_esphome *esphome)
{
    expect(esphome, STEP_MAGIC, ESPHOME_MAGIC_SIZE);
}

static enum ota_err take_magic(struct ota_esphome *esphome)
{
    esphome->state = OTA_ESPHOME_TALKING;
    put(esphome, ESPHOME_OK);
    put(esphome, esphome->options->version != 0 ? esphome->options->version : 2);
    expect(esphome, STEP_FEATURES, 1);
    ota__esphome_tell(esphome, OTA_ESPHOME_GREETED);
    return OTA_OK;
}

static enum ota_err let_in(struct ota_esphome *esphome)
{
    ota__esphome_forget(esphome);
    put(esphome, ESPHOME_AUTH_OK);
    if ((esphome->features & ESPHOME_CLIENT_EXTENDED) != 0) {
        expect(esphome, STEP_TYPE, 1);
    } else {
        expect(esphome, STEP_SIZE, 4);
    }
    ota__esphome_tell(esphome, OTA_ESPHOME_LET_IN);
    return OTA_OK;
}

/* ---- The password ---------------------------------------------------------------------------- */

static bool is_strong(const struct ota_esphome *esphome)
{
    return (esphome->features & ESPHOME_CLIENT_SHA256) != 0;
}

/* Asks for the password in the strongest way that the host offers. */
static enum ota_err send_nonce(struct ota_esphome *esphome)
{
    const struct ota_esphome_options *options = esphome->options;
    size_t size = is_strong(esphome) ? OTA_SHA256_SIZE : OTA_MD5_SIZE;

    enum ota_err err = options->random(options->context, esphome->nonce, size);
    if (err != OTA_OK) {
        return ota__esphome_fail(esphome, err);
    }
    esphome->auth = is_strong(esphome) ? OTA_HASH_SHA256 : OTA_HASH_MD5;
    put(esphome, is_strong(esphome) ? ESPHOME_ASK_SHA256 : ESPHOME_ASK_MD5);
    ota__esphome_hex(esphome->reply + esphome->reply_len, esphome->nonce, size);
    esphome->reply_len = (uint8_t)(esphome->reply_len + 2 * size);
    expect(esphome, STEP_CNONCE, 2 * size);
    if (!is_strong(esphome)) {
        ota__esphome_tell(esphome, OTA_ESPHOME_WEAK_AUTH);
    }
    return OTA_OK;
}

static enum ota_err ask(struct ota_esphome *esphome)
{
    if (!is_strong(esphome) && esphome->options->refuse_md5) {
        return ota__esphome_fail(esphome, OTA_ERR_AUTH);
    }
    esphome->is_pausing = ota__esphome_pause_left(esphome) > 0;
    return esphome->is_pausing ? OTA_OK : send_nonce(esphome);
}

uint32_t ota__esphome_pause_left(const struct ota_esphome *esphome)
{
    const struct ota_esphome_guesses *guesses = esphome->options->guesses;

    return guesses == NULL ? 0
                           : ota__guess_pause_left(guesses->wrongs, OTA_ESPHOME_PAUSE_MAX_MS,
                                                   esphome->now_ms - guesses->wrong_ms);
}

void ota__esphome_pause_over(struct ota_esphome *esphome)
{
    esphome->is_pausing = false;
    (void)send_nonce(esphome);
}

/* Remembers, for all connections, how an answer was. */
static void count_guess(const struct ota_esphome *esphome, bool is_right)
{
    struct ota_esphome_guesses *guesses = esphome->options->guesses;

    if (guesses != NULL) {
        guesses->wrongs = is_right ? 0 : (uint8_t)ota__min(guesses->wrongs + 1u, OTA__GUESSES_MAX);
        guesses->wrong_ms = esphome->now_ms;
    }
}

/* ---- The steps ------------------------------------------------------------------------------- */

static enum ota_err take_features(struct ota_esphome *esphome)
{
    const char *password = esphome->options->password;

    esphome->features = esphome->line[0];
    if (esphome->options->intake->is_closed) { /* said before any login */
        return ota__esphome_fail(esphome, OTA_ERR_RESTARTING);
    }
    if ((esphome->features & ESPHOME_CLIENT_EXTENDED) != 0) {
        put(esphome, ESPHOME_FEATURES_FOLLOW);
        put(esphome, 0);
    } else {
        put(esphome, ESPHOME_HEADER_OK);
    }
    return password != NULL && password[0] != '\0' ? ask(esphome) : let_in(esphome);
}

/* Computes what the host should answer to nonce and cnonce, and keeps its digest in place of the
   nonce, which is thereby used up. */
static enum ota_err take_cnonce(struct ota_esphome *esphome)
{
    const struct ota_esphome_options *options = esphome->options;
    size_t size = ota_digest_size(esphome->auth);
    uint8_t digits[ESPHOME_SHA256_DIGITS + 1];

    ota__esphome_hex(digits, esphome->nonce, size);
    enum ota_err err = ota__esphome_response(options->intake->options.device->crypto, esphome->auth,
                                             options->password, digits, esphome->line, digits);
    if (err == OTA_OK) {
        digits[2 * size] = '\0';
        (void)ota_text_read_hex((const char *)digits, esphome->nonce, size);
    }
    ota__wipe(digits, sizeof digits);
    if (err != OTA_OK) {
        return ota__esphome_fail(esphome, err);
    }
    expect(esphome, STEP_RESPONSE, 2 * size);
    return OTA_OK;
}

static enum ota_err take_response(struct ota_esphome *esphome)
{
    size_t size = ota_digest_size(esphome->auth);
    uint8_t digits[ESPHOME_SHA256_DIGITS];

    ota__esphome_hex(digits, esphome->nonce, size);
    bool is_right = ota__same_secret(digits, esphome->line, 2 * size);
    ota__wipe(digits, sizeof digits);
    count_guess(esphome, is_right);
    return is_right ? let_in(esphome) : ota__esphome_fail(esphome, OTA_ERR_AUTH);
}

static enum ota_err take_type(struct ota_esphome *esphome)
{
    if (esphome->line[0] != ESPHOME_TYPE_APP) {
        return ota__esphome_fail_with(esphome, OTA_ERR_PROTOCOL, ESPHOME_ERROR_TYPE);
    }
    expect(esphome, STEP_SIZE, 4);
    return OTA_OK;
}

static enum ota_err take_size(struct ota_esphome *esphome)
{
    const uint8_t *line = esphome->line;

    esphome->size =
        (uint32_t)line[0] << 24 | (uint32_t)line[1] << 16 | (uint32_t)line[2] << 8 | line[3];
    if (esphome->size == OTA_SIZE_UNKNOWN) {
        return ota__esphome_fail(esphome, OTA_ERR_TOO_LARGE);
    }
    const struct ota_arrival arrival = {.way = "esphome", .size = esphome->size};
    enum ota_err err = ota_intake_begin(esphome->options->intake, &arrival);
    if (err != OTA_OK) {
        return ota__esphome_fail(esphome, err);
    }
    esphome->has_begun = true;
    esphome->active_ms = esphome->now_ms;
    put(esphome, ESPHOME_PREPARE_OK);
    expect(esphome, STEP_CHECKSUM, ESPHOME_MD5_DIGITS);
    return OTA_OK;
}

static enum ota_err take_checksum(struct ota_esphome *esphome)
{
    struct ota_digest expected = {.algorithm = OTA_HASH_MD5};
    char digits[ESPHOME_MD5_DIGITS + 1] = {0};

    memcpy(digits, esphome->line, ESPHOME_MD5_DIGITS);
    if (!ota_text_read_hex(digits, expected.bytes, OTA_MD5_SIZE)) {
        return ota__esphome_fail_with(esphome, OTA_ERR_PROTOCOL, ESPHOME_ERROR_MD5);
    }
    enum ota_err err = ota_intake_expect(esphome->options->intake, &expected);
    if (err != OTA_OK) {
        return ota__esphome_intake_failed(esphome, err);
    }
    esphome->state = OTA_ESPHOME_RECEIVING;
    esphome->active_ms = esphome->now_ms;
    put(esphome, ESPHOME_CHECKSUM_OK);
    ota__esphome_tell(esphome, OTA_ESPHOME_STARTED);
    return OTA_OK;
}

static enum ota_err take_line(struct ota_esphome *esphome)
{
    switch ((enum step)esphome->step) {
    case STEP_MAGIC:
        return take_magic(esphome);
    case STEP_FEATURES:
        return take_features(esphome);
    case STEP_CNONCE:
        return take_cnonce(esphome);
    case STEP_RESPONSE:
        return take_response(esphome);
    case STEP_TYPE:
        return take_type(esphome);
    case STEP_SIZE:
        return take_size(esphome);
    default:
        return take_checksum(esphome);
    }
}

void ota__esphome_talk(struct ota_esphome *esphome, uint8_t byte)
{
    if (esphome->step == STEP_MAGIC && byte != ota__esphome_magic[esphome->line_len]) {
        (void)ota__esphome_fail_with(esphome, OTA_ERR_PROTOCOL, ESPHOME_ERROR_MAGIC);
        return;
    }
    if (esphome->is_pausing) { /* an answer before the nonce */
        (void)ota__esphome_fail(esphome, OTA_ERR_AUTH);
        return;
    }
    esphome->line[esphome->line_len++] = byte;
    if (esphome->line_len == esphome->awaited) {
        (void)take_line(esphome);
    }
}
