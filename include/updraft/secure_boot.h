/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_SECURE_BOOT_H
#define UPDRAFT_SECURE_BOOT_H

/*
 * The signatures of Secure Boot (docs/formats/signatures.md sections 2 and 3), as ESP-IDF's
 * bootloaders check them, on any chip. They are over the image's bytes as they are, so the digest
 * comes from a running hash; the signature is read from flash, or handed over, when the image has
 * passed.
 *
 * Version 2, where the keys themselves are in the file and the device knows only their digests:
 *
 *     static const uint8_t digests[][OTA_SHA256_SIZE] = {{0xcb, ...}};
 *     static const struct ota_verifier *const verifiers[] = {&ota_verify_p256_bearssl, NULL};
 *     const struct ota_secure_trust trust = {
 *         .digests = digests, .digest_count = 1, .verifiers = verifiers};
 *     uint8_t memory[OTA_SECURE_BLOCK_SIZE];
 *     struct ota_secure_block block;
 *
 *     uint32_t at = ota_secure_sector_offset(image_length);
 *     hash the first `at` bytes: the image, and 0xFF up to the sector
 *     err = ota_secure_boot_v2_verify(&trust, crypto, &region, at, &image_digests, memory, &block);
 */

#include <stdint.h>

#include <updraft/crypto.h>
#include <updraft/error.h>
#include <updraft/flash.h>
#include <updraft/signature.h>

/* ---- Version 1: one ECDSA signature on P-256 ------------------------------------------------- */

#define OTA_SECURE_V1_SIZE 68u     /* of the trailer, directly behind the image */
#define OTA_SECURE_V1_KEY_SIZE 64u /* of a raw key file: a point without its 0x04 */

/* Checks the trailer over `digest`, the SHA-256 of all bytes before it. Returns OTA_OK,
   OTA_ERR_SIGNATURE_MISSING if these bytes are no trailer, or the verifier's error. */
enum ota_err ota_secure_boot_v1_verify(const uint8_t trailer[OTA_SECURE_V1_SIZE],
                                       const uint8_t digest[OTA_SHA256_SIZE],
                                       const struct ota_public_key *key,
                                       const struct ota_verifier *verifier);

/* ---- Version 2: a sector with up to three blocks --------------------------------------------- */

#define OTA_SECURE_SECTOR_SIZE 4096u
#define OTA_SECURE_BLOCK_SIZE 1216u
#define OTA_SECURE_BLOCKS_MAX 3u
#define OTA_SECURE_RSA_BITS 3072u

/* A block. What it points at lies in the bytes it was decoded from. */
struct ota_secure_block {
    enum ota_signature_scheme scheme; /* RSA_PSS, ECDSA_P192, ECDSA_P256 or ECDSA_P384 */
    enum ota_hash_algorithm hash;     /* of the image */
    struct ota_public_key key;
    uint8_t key_digest[OTA_SHA256_SIZE]; /* what the fuses hold of the key */
    const uint8_t *image_digest;         /* as the block states it */
    const uint8_t *signature;            /* most significant byte first */
    size_t signature_len;
};

/* Decodes the block in `bytes`, which it changes: the numbers in it are turned, most significant
   byte first. Returns OTA_OK; OTA_ERR_SIGNATURE_MISSING if there is no block; OTA_ERR_SIGNATURE if
   there is a damaged one; OTA_ERR_KEY if it is of a version or on a curve that is not known;
   OTA_ERR_CRYPTO. */
enum ota_err ota_secure_block_decode(struct ota_secure_block *block,
                                     uint8_t bytes[OTA_SECURE_BLOCK_SIZE],
                                     const struct ota_crypto *crypto);

/* Whom a device trusts, and what it can check. */
struct ota_secure_trust {
    const uint8_t (*digests)[OTA_SHA256_SIZE]; /* of keys: from fuses, or from the running app */
    uint8_t digest_count;                      /* at most 8 */
    uint8_t digest_len;                        /* bytes that are compared; 0: all 32. C2 keeps 16 */
    uint8_t revoked;                           /* bit n: digests[n] counts no longer */
    uint8_t blocks; /* how many are looked at; 0: all three. ESP32 and C2: 1 */
    const struct ota_verifier *const *verifiers; /* ends with NULL */
};

/* Returns which of the digests is this key's, or -1 if none is, or it is revoked. */
int ota_secure_trust_find(const struct ota_secure_trust *trust,
                          const uint8_t key_digest[OTA_SHA256_SIZE]);

/* The image's digests, each of ota_digest_size bytes; NULL where one was not computed. */
struct ota_secure_digests {
    const uint8_t *sha256;
    const uint8_t *sha384; /* for keys on P-384 */
};

/* Checks a decoded block. Returns OTA_OK; OTA_ERR_SIGNATURE_KEY if its key is not trusted or
   revoked; OTA_ERR_KEY if there is no verifier for it or no digest of its kind; OTA_ERR_SIGNATURE
   if it is for other bytes; or the verifier's error. */
enum ota_err ota_secure_block_verify(const struct ota_secure_block *block,
                                     const struct ota_secure_trust *trust,
                                     const struct ota_secure_digests *digests);

/* Returns where the sector begins behind an image of this length, or behind one with its padding:
   that, rounded up to a whole sector. What lies between is 0xFF and signed too. */
uint32_t ota_secure_sector_offset(uint32_t length);

/*
 * Checks the sector at `offset` of a region: one block that is trusted and fits suffices, whatever
 * the others are. `memory` is the caller's; `block` is the block that counted and points into it.
 * Returns OTA_OK, the flash's error, or what was wrong with the first block that is one
 * (ota_secure_block_decode, ota_secure_block_verify); OTA_ERR_SIGNATURE_MISSING if none is, or the
 * region ends before the sector does.
 */
enum ota_err ota_secure_boot_v2_verify(const struct ota_secure_trust *trust,
                                       const struct ota_crypto *crypto,
                                       const struct ota_region *region, uint32_t offset,
                                       const struct ota_secure_digests *digests,
                                       uint8_t memory[OTA_SECURE_BLOCK_SIZE],
                                       struct ota_secure_block *block);

#endif
