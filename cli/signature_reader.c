/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/signature_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "cli/output.h"

#define NOWHERE UINT64_MAX
#define LENGTH_OF_PICO 256u

/* --- while bytes pass ----------------------------------------------------------------------- */

/* The digests of what is hashed so far, and `more` of the bytes that are not. */
static void snapshot(struct signature_reader *reader, size_t more, uint8_t *sha256, uint8_t *sha384)
{
    const struct ota_crypto *crypto = &ota_crypto_openssl;
    struct {
        const struct ota_hash *running;
        uint8_t *digest;
    } hashes[] = {{&reader->sha256, sha256}, {&reader->sha384, sha384}};
    for (size_t i = 0; i < 2 && reader->good; i++) {
        struct ota_hash copy;
        reader->good = crypto->hash_clone(hashes[i].running, &copy) == OTA_OK;
        if (!reader->good) {
            break;
        }
        reader->good = crypto->hash_update(&copy, reader->tail, more) == OTA_OK;
        reader->good = crypto->hash_finish(&copy, hashes[i].digest) == OTA_OK && reader->good;
    }
}

/* Copies what of the window lies in these bytes, which are at `offset` of the file. */
static void fill(struct signature_window *window, uint64_t offset, const uint8_t *data, size_t len)
{
    if (window->offset == NOWHERE) {
        return;
    }
    uint64_t start = offset > window->offset ? offset : window->offset;
    uint64_t window_end = window->offset + sizeof(window->bytes);
    uint64_t end = offset + len < window_end ? offset + len : window_end;
    if (start < end) {
        memcpy(window->bytes + (start - window->offset), data + (start - offset),
               (size_t)(end - start));
    }
}

static void reach(struct signature_reader *reader, struct signature_window *window)
{
    if (window->offset == reader->hashed && !window->is_hashed) {
        snapshot(reader, 0, window->sha256, window->sha384);
        window->is_hashed = true;
    }
}

/* Hashes bytes that need not be kept, with a stop at each window. */
static void release(struct signature_reader *reader, const uint8_t *data, size_t len)
{
    struct signature_window *windows[] = {&reader->v1, &reader->v2};
    while (len > 0) {
        size_t n = len;
        for (size_t i = 0; i < 2; i++) {
            uint64_t offset = windows[i]->offset;
            reach(reader, windows[i]);
            if (offset != NOWHERE && offset > reader->hashed && offset - reader->hashed < n) {
                n = (size_t)(offset - reader->hashed);
            }
        }
        for (size_t i = 0; i < 2; i++) {
            fill(windows[i], reader->hashed, data, n);
        }
        reader->good = reader->good &&
                       ota_crypto_openssl.hash_update(&reader->sha256, data, n) == OTA_OK &&
                       ota_crypto_openssl.hash_update(&reader->sha384, data, n) == OTA_OK;
        reader->hashed += n;
        data += n;
        len -= n;
    }
}

void signature_reader_begin(struct signature_reader *reader)
{
    memset(reader, 0, sizeof(*reader));
    reader->v1.offset = NOWHERE;
    reader->v2.offset = NOWHERE;
    bool first = ota_crypto_openssl.hash_begin(&reader->sha256, OTA_HASH_SHA256) == OTA_OK;
    bool second = ota_crypto_openssl.hash_begin(&reader->sha384, OTA_HASH_SHA384) == OTA_OK;
    reader->good = first && second;
}

void signature_reader_image_ends(struct signature_reader *reader, uint64_t length,
                                 bool has_secure_boot)
{
    reader->image_len = length;
    if (has_secure_boot && reader->v1.offset == NOWHERE) {
        reader->v1.offset = length;
        reader->v2.offset =
            (length + OTA_SECURE_SECTOR_SIZE - 1) / OTA_SECURE_SECTOR_SIZE * OTA_SECURE_SECTOR_SIZE;
    }
}

void signature_reader_take(struct signature_reader *reader, const void *data, size_t len)
{
    const uint8_t *bytes = data;
    size_t over =
        reader->tail_len + len > SIGNATURE_TAIL ? reader->tail_len + len - SIGNATURE_TAIL : 0;
    size_t from_tail = over < reader->tail_len ? over : reader->tail_len;
    release(reader, reader->tail, from_tail);
    memmove(reader->tail, reader->tail + from_tail, reader->tail_len - from_tail);
    reader->tail_len -= from_tail;
    release(reader, bytes, over - from_tail);
    bytes += over - from_tail;
    len -= over - from_tail;
    if (len > 0) {
        memcpy(reader->tail + reader->tail_len, bytes, len);
        reader->tail_len += len;
    }
}

void signature_reader_end(struct signature_reader *reader)
{
    ota_crypto_openssl.hash_abort(&reader->sha256);
    ota_crypto_openssl.hash_abort(&reader->sha384);
}

/* --- in the end ----------------------------------------------------------------------------- */

static uint64_t total_of(const struct signature_reader *reader)
{
    return reader->hashed + reader->tail_len;
}

/* Other data has no structure to tell its length: its signature is what ends it. */
static void place_windows(struct signature_reader *reader)
{
    uint64_t total = total_of(reader);
    if (reader->image_len == 0) {
        uint64_t sectors = total / OTA_SECURE_SECTOR_SIZE;
        reader->v2.offset = sectors >= 2 ? (sectors - 1) * OTA_SECURE_SECTOR_SIZE : NOWHERE;
        reader->v1.offset = total > OTA_SECURE_V1_SIZE ? total - OTA_SECURE_V1_SIZE : NOWHERE;
    }
    fill(&reader->v1, reader->hashed, reader->tail, reader->tail_len);
    fill(&reader->v2, reader->hashed, reader->tail, reader->tail_len);
}

/* Whether the file has `len` bytes from the window's start on. */
static bool has_window(const struct signature_reader *reader, const struct signature_window *window,
                       uint64_t len)
{
    uint64_t total = total_of(reader);
    return window->offset != NOWHERE && window->offset < total && total - window->offset >= len;
}

/* Notes what is signed: all bytes before `offset`. */
static void take_data(struct signature_reader *reader, const struct signature_window *window,
                      uint64_t offset, struct signature_found *found)
{
    found->data_len = offset;
    if (window != NULL && window->is_hashed) {
        memcpy(found->sha256, window->sha256, sizeof(found->sha256));
        memcpy(found->sha384, window->sha384, sizeof(found->sha384));
    } else {
        reader->good = reader->good && offset >= reader->hashed;
        snapshot(reader, (size_t)(offset - reader->hashed), found->sha256, found->sha384);
    }
}

static const struct ota_verifier *const verifiers[] = {
    &ota_verify_rsa_pss_openssl, &ota_verify_p256_openssl, &ota_verify_p384_openssl, NULL};

/* Decodes a block and checks it by the key that it carries. */
static void read_block(struct signature_block *block, const uint8_t *bytes,
                       const struct ota_secure_digests *digests)
{
    memcpy(block->original, bytes, OTA_SECURE_BLOCK_SIZE);
    memcpy(block->turned, bytes, OTA_SECURE_BLOCK_SIZE);
    block->err = ota_secure_block_decode(&block->block, block->turned, &ota_crypto_openssl);
    if (block->err == OTA_OK) {
        struct ota_secure_trust itself = {
            .digests = (const uint8_t(*)[OTA_SHA256_SIZE]) & block->block.key_digest,
            .digest_count = 1,
            .verifiers = verifiers,
        };
        block->is_decoded = true;
        block->err = ota_secure_block_verify(&block->block, &itself, digests);
    }
}

static bool find_v2(struct signature_reader *reader, struct signature_found *found)
{
    if (!has_window(reader, &reader->v2, OTA_SECURE_SECTOR_SIZE)) {
        return false;
    }
    take_data(reader, &reader->v2, reader->v2.offset, found);
    const struct ota_secure_digests digests = {found->sha256, found->sha384};
    for (size_t i = 0; i < OTA_SECURE_BLOCKS_MAX; i++) {
        read_block(&found->blocks[i], reader->v2.bytes + i * OTA_SECURE_BLOCK_SIZE, &digests);
        found->count += found->blocks[i].err != OTA_ERR_SIGNATURE_MISSING;
    }
    return found->count > 0;
}

/* How long the signature of an Arduino trailer is, or 0. The RP2040's tool states 256 for any. */
static size_t arduino_len(const struct signature_reader *reader)
{
    static const size_t lengths[] = {512, 384, 256, 128};
    uint64_t total = total_of(reader);
    uint32_t stated =
        reader->tail_len >= 4 ? ota__get_le32(reader->tail + reader->tail_len - 4) : 0;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        size_t len = lengths[i];
        uint64_t behind = total - reader->image_len;
        bool is_known = reader->image_len != 0 ? behind == len + 4 : reader->rsa_len == len;
        if (behind >= len + 4 && total > len + 4 &&
            (stated == len || (stated == LENGTH_OF_PICO && is_known))) {
            return len;
        }
    }
    return 0;
}

static bool find_arduino(struct signature_reader *reader, struct signature_found *found)
{
    size_t len = arduino_len(reader);
    if (len == 0) {
        return false;
    }
    take_data(reader, NULL, total_of(reader) - len - 4, found);
    memcpy(found->bytes, reader->tail + reader->tail_len - len - 4, len);
    found->len = len;
    return true;
}

static bool is_uniform(const uint8_t *data, size_t len)
{
    return memcmp(data, data + 1, len - 1) == 0;
}

/* It has no mark but a version of zero; filler looks like that too. */
static bool find_v1(struct signature_reader *reader, struct signature_found *found)
{
    const uint8_t *bytes = reader->v1.bytes;
    if (!has_window(reader, &reader->v1, OTA_SECURE_V1_SIZE) || ota__get_le32(bytes) != 0 ||
        is_uniform(bytes + 4, OTA_SECURE_V1_SIZE - 4)) {
        return false;
    }
    take_data(reader, &reader->v1, reader->v1.offset, found);
    memcpy(found->bytes, bytes, OTA_SECURE_V1_SIZE);
    found->len = OTA_SECURE_V1_SIZE;
    return true;
}

bool signature_reader_find(struct signature_reader *reader, struct signature_found *found)
{
    memset(found, 0, sizeof(*found));
    place_windows(reader);
    found->kind = find_v2(reader, found)        ? SIGNATURE_V2
                  : find_arduino(reader, found) ? SIGNATURE_ARDUINO
                  : find_v1(reader, found)      ? SIGNATURE_V1
                                                : SIGNATURE_NONE;
    return reader->good;
}

bool signature_find(const struct signature_subject *subject, struct signature_found *found)
{
    struct signature_reader *reader = output_allocate(sizeof(*reader));
    signature_reader_begin(reader);
    reader->rsa_len = subject->rsa_len;
    if (subject->image_len != 0) {
        signature_reader_image_ends(reader, subject->image_len, subject->has_secure_boot);
    }
    signature_reader_take(reader, subject->data, subject->size);
    bool good = signature_reader_find(reader, found);
    signature_reader_end(reader);
    free(reader);
    return good;
}

/* --- in words ------------------------------------------------------------------------------- */

/* What the blocks have in common. */
static const char *blocks_name(const struct signature_found *found)
{
    const char *name = NULL;
    for (size_t i = 0; i < OTA_SECURE_BLOCKS_MAX; i++) {
        const struct signature_block *block = &found->blocks[i];
        if (!block->is_decoded) {
            continue;
        }
        const char *own = ota_signature_scheme_name(block->block.scheme);
        if (name != NULL && strcmp(name, own) != 0) {
            return "several kinds";
        }
        name = own;
    }
    return name != NULL ? name : "damaged";
}

const char *signature_text(const struct signature_found *found, char text[SIGNATURE_TEXT_SIZE])
{
    switch (found->kind) {
    case SIGNATURE_V1:
        return "secure boot v1, ECDSA P-256";
    case SIGNATURE_V2:
        snprintf(text, SIGNATURE_TEXT_SIZE, "secure boot v2, %s, %u block%s", blocks_name(found),
                 found->count, found->count == 1 ? "" : "s");
        return text;
    case SIGNATURE_ARDUINO:
        snprintf(text, SIGNATURE_TEXT_SIZE, "Arduino, %zu bytes", found->len);
        return text;
    case SIGNATURE_NONE:
        break;
    }
    return "none";
}
