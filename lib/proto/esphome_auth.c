/* SPDX-License-Identifier: Apache-2.0 */
/* The proof of the password, the same on both sides. docs/formats/esphome.md section 4. */
#include "base/mem.h"
#include "base/secret.h"
#include "proto/esphome_private.h"
#include "proto/hash_spans.h"

const uint8_t ota__esphome_magic[ESPHOME_MAGIC_SIZE] = {0x6C, 0x26, 0xF7, 0x5C, 0x45};

void ota__esphome_hex(uint8_t *digits, const uint8_t *bytes, size_t len)
{
    static const char figures[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        digits[2 * i] = (uint8_t)figures[bytes[i] >> 4];
        digits[2 * i + 1] = (uint8_t)figures[bytes[i] & 0x0F];
    }
}

enum ota_err ota__esphome_response(const struct ota_crypto *crypto,
                                   enum ota_hash_algorithm algorithm, const char *password,
                                   const uint8_t *nonce, const uint8_t *cnonce, uint8_t *response)
{
    size_t digits = 2 * ota_digest_size(algorithm);
    const struct ota__span spans[] = {
        {password, strlen(password)}, {nonce, digits}, {cnonce, digits}};
    uint8_t digest[OTA_SHA256_SIZE];
    enum ota_err err =
        ota__hash_spans(crypto, algorithm, spans, sizeof spans / sizeof *spans, digest);

    if (err == OTA_OK) {
        ota__esphome_hex(response, digest, digits / 2);
    }
    ota__wipe(digest, sizeof digest);
    return err;
}
