/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_ARDUINO_SIGNATURE_H
#define UPDRAFT_ARDUINO_SIGNATURE_H

/*
 * Arduino's signed binary (docs/formats/signatures.md section 1): data, an RSA signature over it,
 * and the signature's length in 4 bytes. The data may be anything, a compressed image too: it is
 * signed as it travels.
 *
 * Only the end of the stream tells where the data ends. Whoever streams it therefore holds back the
 * last ota_arduino_tail_size bytes, hashes what leaves this tail and no more, and in the end:
 *
 *     err = ota_arduino_signature_find(&found, &key, tail, tail_len, total);
 *     hash the tail's first tail_len - found.trailer_len bytes, and finish the hash
 *     err = ota_arduino_signature_verify(&found, &key, &ota_verify_rsa_pkcs1_bearssl, digest);
 *     the image is the stream's first found.data_len bytes
 *
 * Which of the two forms is accepted, the present one or that of cores up to 2.5.2, is chosen by
 * the verifier: ota_verify_rsa_pkcs1_… or ota_verify_rsa_pkcs1_raw_….
 */

#include <stddef.h>
#include <stdint.h>

#include <updraft/error.h>
#include <updraft/signature.h>

#define OTA_ARDUINO_LENGTH_SIZE 4u
#define OTA_ARDUINO_TAIL_MAX (OTA_RSA_SIZE_MAX + OTA_ARDUINO_LENGTH_SIZE)

struct ota_arduino_signature {
    uint32_t data_len;    /* bytes from the start that are signed, and count */
    uint32_t trailer_len; /* bytes behind them */
    const uint8_t *bytes; /* the signature, in the tail */
    size_t len;           /* of the signature: the key's length */
};

/* Returns how many bytes to hold back for a signature by `key`. */
size_t ota_arduino_tail_size(const struct ota_public_key *key);

/*
 * Finds the signature by `key` in the last bytes of `total`. `tail` holds `tail_len` of them: at
 * least ota_arduino_tail_size, or all there are. The key decides how long the signature is; the
 * length in the file must agree or be 256, which the RP2040's tool writes behind any signature.
 * Returns OTA_OK; OTA_ERR_SIGNATURE_MISSING if nothing of the kind ends the data; OTA_ERR_KEY if
 * the key is no RSA key; OTA_ERR_ARGUMENT if the tail is too short to tell, or longer than `total`.
 */
enum ota_err ota_arduino_signature_find(struct ota_arduino_signature *found,
                                        const struct ota_public_key *key, const uint8_t *tail,
                                        size_t tail_len, uint32_t total);

/* Checks it over `digest`, the SHA-256 of the first `data_len` bytes. Returns as the verifier. */
enum ota_err ota_arduino_signature_verify(const struct ota_arduino_signature *found,
                                          const struct ota_public_key *key,
                                          const struct ota_verifier *verifier,
                                          const uint8_t digest[OTA_SHA256_SIZE]);

#endif
