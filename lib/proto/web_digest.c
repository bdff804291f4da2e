/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Digest login (RFC 7616 with MD5 and qop=auth): docs/formats/web-upload.md section 7.1.
 *
 * D1 A nonce that was not issued here since the start, or too long ago, lets nobody in: it carries
 *    its number and its time, and a tag over both that needs the key.
 * D2 A count of a nonce lets in once. Which have come is kept for the nonces that were answered
 *    rightly; the place of the oldest is taken by a new one, and from then on nothing so old is.
 * D3 So what was overheard lets nobody in, and what nobody answered costs no memory.
 */

#include "proto/web_private.h"

#include "base/bytes.h"
#include "base/mem.h"
#include "base/secret.h"
#include "proto/hash_spans.h"

/* What is in a nonce: its number, its time, and the beginning of the tag. */
#define TIME_AT 4u
#define TAG_AT 8u
#define TAG_SIZE (OTA_WEB_NONCE_SIZE - TAG_AT)
#define NONCE_DIGITS (2u * OTA_WEB_NONCE_SIZE)

#define COUNT_SIZE 4u
#define COUNT_DIGITS (2u * COUNT_SIZE)
#define COUNTS_KEPT 32u /* bits in ota_web_nonce.seen */

#define MD5_DIGITS (2u * OTA_MD5_SIZE)

static const struct ota_crypto *crypto_of(const struct ota_web *web)
{
    return web->options.device->crypto;
}

void ota__web_digest_init(struct ota_web *web)
{
    const struct ota_web_options *options = &web->options;
    struct ota_web_challenges *challenges = &web->challenges;

    challenges->are_made =
        ota__web_needs_login(web) && options->random != NULL &&
        options->random(options->context, challenges->key, sizeof challenges->key) == OTA_OK;
}

/* ---- What was asked for ---------------------------------------------------------------------- */

static const char *method_name(unsigned method)
{
    switch (method) {
    case OTA_HTTP_GET:
        return "GET";
    case OTA_HTTP_HEAD_ONLY:
        return "HEAD";
    case OTA_HTTP_POST:
        return "POST";
    case OTA_HTTP_PUT:
        return "PUT";
    case OTA_HTTP_OPTIONS:
        return "OPTIONS";
    default:
        return NULL;
    }
}

void ota__web_digest_note(struct ota_web_connection *connection, const char *target)
{
    const char *method = method_name(connection->method);

    connection->proof_kind = OTA__WEB_PROOF_NONE;
    if (!connection->web->challenges.are_made || method == NULL) {
        return;
    }
    const struct ota__span spans[] = {{method, strlen(method)}, {":", 1}, {target, strlen(target)}};
    if (ota__hash_spans(crypto_of(connection->web), OTA_HASH_MD5, spans,
                        sizeof spans / sizeof *spans, connection->proof) == OTA_OK) {
        connection->proof_kind = OTA__WEB_PROOF_TARGET;
    }
}

/* ---- The challenge --------------------------------------------------------------------------- */

/* Writes the tag of a nonce behind its number and time. */
static bool put_tag(const struct ota_web *web, uint8_t nonce[OTA_WEB_NONCE_SIZE])
{
    const struct ota__span spans[] = {{web->challenges.key, sizeof web->challenges.key},
                                      {nonce, TAG_AT}};
    uint8_t digest[OTA_SHA256_SIZE];

    if (ota__hash_spans(crypto_of(web), OTA_HASH_SHA256, spans, sizeof spans / sizeof *spans,
                        digest) != OTA_OK) {
        return false;
    }
    memcpy(nonce + TAG_AT, digest, TAG_SIZE);
    return true;
}

void ota__web_digest_challenge(struct ota_web_connection *connection)
{
    struct ota_web *web = connection->web;

    connection->proof_kind = OTA__WEB_PROOF_NONE;
    if (!web->challenges.are_made) {
        return;
    }
    ota__put_le32(connection->proof, ++web->challenges.serial);
    ota__put_le32(connection->proof + TIME_AT, connection->http.now_ms);
    if (put_tag(web, connection->proof)) {
        connection->proof_kind = OTA__WEB_PROOF_NONCE;
    }
}

void ota__web_digest_put_challenge(const struct ota_web_connection *connection,
                                   struct ota_text *text)
{
    if (connection->proof_kind != OTA__WEB_PROOF_NONCE) {
        return;
    }
    ota_text_put(text, "WWW-Authenticate: Digest realm=\"" OTA__WEB_REALM
                       "\", qop=\"auth\", algorithm=MD5, nonce=\"");
    ota_text_put_hex(text, connection->proof, OTA_WEB_NONCE_SIZE, 0, false);
    ota_text_put(text, connection->login == OTA__WEB_LOGIN_STALE ? "\", stale=true\r\n" : "\"\r\n");
}

/* ---- The answer's fields --------------------------------------------------------------------- */

enum field {
    FIELD_NONCE,
    FIELD_COUNT,
    FIELD_CNONCE,
    FIELD_QOP,
    FIELD_RESPONSE,
    FIELD_ALGORITHM, /* may be missing */
    FIELDS,
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static const char *skip_blanks(const char *at)
{
    while (is_blank(*at)) {
        at++;
    }
    return at;
}

/* A field may come once. Of the others the response says whether they are right. */
static bool keep_field(struct ota__span fields[FIELDS], const struct ota__span *name,
                       const struct ota__span *value)
{
    static const char *const names[FIELDS] = {"nonce", "nc",       "cnonce",
                                              "qop",   "response", "algorithm"};

    for (unsigned i = 0; i < FIELDS; i++) {
        if (ota_text_same_bytes(name->data, name->len, names[i])) {
            bool is_first = fields[i].data == NULL;
            fields[i] = *value;
            return is_first;
        }
    }
    return true;
}

/* Reads `"text"` or `token`. Returns what follows, NULL if the second quote is missing. */
static const char *read_value(const char *at, struct ota__span *value)
{
    bool is_quoted = *at == '"';

    at += is_quoted ? 1 : 0;
    value->data = at;
    const char *start = at;
    while (*at != '\0' && (is_quoted ? *at != '"' : *at != ',' && !is_blank(*at))) {
        at += *at == '\\' && at[1] != '\0' ? 2 : 1;
    }
    value->len = (size_t)(at - start);
    if (!is_quoted) {
        return at;
    }
    return *at == '"' ? at + 1 : NULL;
}

/* Reads `name=value, …`. Returns false for what is none, or has a field twice. */
static bool read_fields(const char *at, struct ota__span fields[FIELDS])
{
    memset(fields, 0, FIELDS * sizeof *fields);
    for (;;) {
        while (is_blank(*at) || *at == ',') {
            at++;
        }
        if (*at == '\0') {
            return true;
        }
        const char *start = at;
        struct ota__span name = {start, 0}, value;
        while (*at != '\0' && *at != '=' && *at != ',' && !is_blank(*at)) {
            at++;
        }
        name.len = (size_t)(at - start);
        at = skip_blanks(at);
        if (*at != '=' || (at = read_value(skip_blanks(at + 1), &value)) == NULL ||
            !keep_field(fields, &name, &value)) {
            return false;
        }
    }
}

static bool is_same(const struct ota__span *field, const char *word)
{
    return ota_text_same_bytes(field->data, field->len, word);
}

/* Tells whether the fields are those of a login of the kind that is offered. */
static bool are_ours(const struct ota__span fields[FIELDS])
{
    for (unsigned i = 0; i < FIELD_ALGORITHM; i++) {
        if (fields[i].data == NULL) {
            return false;
        }
    }
    return is_same(&fields[FIELD_QOP], "auth") && fields[FIELD_NONCE].len == NONCE_DIGITS &&
           fields[FIELD_COUNT].len == COUNT_DIGITS && fields[FIELD_RESPONSE].len == MD5_DIGITS &&
           (fields[FIELD_ALGORITHM].data == NULL || is_same(&fields[FIELD_ALGORITHM], "MD5"));
}

static bool read_hex(const struct ota__span *field, uint8_t *bytes, size_t len)
{
    char digits[NONCE_DIGITS + 1];

    memcpy(digits, field->data, field->len);
    digits[field->len] = '\0';
    return ota_text_read_hex(digits, bytes, len);
}

/* ---- Judging --------------------------------------------------------------------------------- */

static void put_digits(char digits[MD5_DIGITS + 1], const uint8_t digest[OTA_MD5_SIZE])
{
    struct ota_text text;

    ota_text_begin(&text, digits, MD5_DIGITS + 1);
    ota_text_put_hex(&text, digest, OTA_MD5_SIZE, 0, false);
    (void)ota_text_end(&text);
}

/* The response that somebody gives who knows the password, for the target that was asked for. */
static bool compose_response(const struct ota_web_connection *connection,
                             const struct ota__span fields[FIELDS], char right[MD5_DIGITS + 1])
{
    const struct ota_web_options *options = &connection->web->options;
    const struct ota_crypto *crypto = options->device->crypto;
    const char *user = ota__web_user(options);
    const struct ota__span secret[] = {{user, strlen(user)},
                                       {":" OTA__WEB_REALM ":", sizeof OTA__WEB_REALM + 1},
                                       {options->password, strlen(options->password)}};
    uint8_t digest[OTA_MD5_SIZE];
    char first[MD5_DIGITS + 1], second[MD5_DIGITS + 1];
    const struct ota__span all[] = {
        {first, MD5_DIGITS}, {":", 1}, fields[FIELD_NONCE],  {":", 1},
        fields[FIELD_COUNT], {":", 1}, fields[FIELD_CNONCE], {":auth:", 6},
        {second, MD5_DIGITS}};

    bool done = ota__hash_spans(crypto, OTA_HASH_MD5, secret, sizeof secret / sizeof *secret,
                                digest) == OTA_OK;
    if (done) {
        put_digits(first, digest);
        put_digits(second, connection->proof);
        done =
            ota__hash_spans(crypto, OTA_HASH_MD5, all, sizeof all / sizeof *all, digest) == OTA_OK;
        put_digits(right, digest);
    }
    ota__wipe(first, sizeof first);
    ota__wipe(digest, sizeof digest);
    return done;
}

static bool is_right(const struct ota_web_connection *connection,
                     const struct ota__span fields[FIELDS])
{
    char right[MD5_DIGITS + 1];
    bool same = compose_response(connection, fields, right) &&
                ota__same_secret(right, fields[FIELD_RESPONSE].data, MD5_DIGITS);

    ota__wipe(right, sizeof right);
    return same;
}

/* D1 */
static bool is_fresh(const struct ota_web_connection *connection,
                     const uint8_t nonce[OTA_WEB_NONCE_SIZE])
{
    uint8_t own[OTA_WEB_NONCE_SIZE];

    memcpy(own, nonce, TAG_AT);
    return put_tag(connection->web, own) && ota__same_secret(own, nonce, sizeof own) &&
           connection->http.now_ms - ota__get_le32(nonce + TIME_AT) <= OTA_WEB_NONCE_MS;
}

/* Tells whether a count comes for the first time. They may overtake each other on several
   connections. */
static bool is_first_time(struct ota_web_nonce *nonce, uint32_t count)
{
    if (count > nonce->highest) {
        uint32_t step = count - nonce->highest;
        nonce->seen = (step < COUNTS_KEPT ? nonce->seen << step : 0) | 1u;
        nonce->highest = count;
        return true;
    }
    uint32_t back = nonce->highest - count;
    if (count == 0 || back >= COUNTS_KEPT || (nonce->seen >> back & 1u) != 0) {
        return false;
    }
    nonce->seen |= 1u << back;
    return true;
}

static bool is_older(uint32_t serial, uint32_t other)
{
    return (int32_t)(serial - other) < 0;
}

/* D2 The place of a nonce that was answered; NULL if it is too old to have one. */
static struct ota_web_nonce *place_of(struct ota_web_challenges *challenges, uint32_t serial)
{
    struct ota_web_nonce *place = challenges->nonces;

    for (unsigned i = 0; i < OTA_WEB_NONCES; i++) {
        struct ota_web_nonce *nonce = &challenges->nonces[i];
        if (nonce->serial == serial) {
            return nonce;
        }
        place = is_older(nonce->serial, place->serial) ? nonce : place;
    }
    if (!is_older(place->serial, serial)) {
        return NULL;
    }
    *place = (struct ota_web_nonce){.serial = serial};
    return place;
}

uint8_t ota__web_digest_judge(struct ota_web_connection *connection, const char *given)
{
    struct ota_web_challenges *challenges = &connection->web->challenges;
    struct ota__span fields[FIELDS];
    uint8_t nonce[OTA_WEB_NONCE_SIZE], count[COUNT_SIZE];

    if (connection->proof_kind != OTA__WEB_PROOF_TARGET || !read_fields(given, fields) ||
        !are_ours(fields) || !is_right(connection, fields)) {
        return OTA__WEB_LOGIN_WRONG;
    }
    if (!read_hex(&fields[FIELD_NONCE], nonce, sizeof nonce) ||
        !read_hex(&fields[FIELD_COUNT], count, sizeof count) || !is_fresh(connection, nonce)) {
        return OTA__WEB_LOGIN_STALE;
    }
    struct ota_web_nonce *place = place_of(challenges, ota__get_le32(nonce));
    uint32_t number =
        (uint32_t)count[0] << 24 | (uint32_t)count[1] << 16 | (uint32_t)count[2] << 8 | count[3];
    return place != NULL && is_first_time(place, number) ? OTA__WEB_LOGIN_RIGHT
                                                         : OTA__WEB_LOGIN_STALE;
}
