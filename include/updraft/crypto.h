/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_CRYPTO_H
#define UPDRAFT_CRYPTO_H

/*
 * The crypto seam: what the library needs of cryptography, as one table of functions, so that a
 * product uses the library it already ships. Three backends come with Updraft, each a library of
 * its own: `ota_crypto_psa` (Mbed TLS through the PSA Crypto API), `ota_crypto_bearssl` (no heap,
 * small) and `ota_crypto_openssl` (hosts: fast where the processor has instructions for it).
 * Signatures are checked through signature.h.
 *
 *     struct ota_hash hash;
 *     uint8_t digest[OTA_SHA256_SIZE];
 *     crypto->hash_begin(&hash, OTA_HASH_SHA256);
 *     crypto->hash_update(&hash, data, len);
 *     crypto->hash_finish(&hash, digest);
 */

#include <stddef.h>
#include <stdint.h>

#include <updraft/error.h>

#define OTA_SHA256_SIZE 32u
#define OTA_SHA384_SIZE 48u
#define OTA_MD5_SIZE 16u

enum ota_hash_algorithm {
    OTA_HASH_NONE = 0,
    OTA_HASH_SHA256,
    OTA_HASH_MD5,
    OTA_HASH_SHA384, /* for signatures on P-384 only */
};

/* A running hash, in the caller's memory. What is inside is the backend's business. */
#define OTA_HASH_CONTEXT_SIZE 240u
struct ota_hash {
    union {
        uint64_t align;
        void *align_pointer;
        unsigned char bytes[OTA_HASH_CONTEXT_SIZE];
    } context;
};

struct ota_crypto {
    /* Starts a hash. It may hold a resource of the backend until finished or aborted. An algorithm
       that the backend leaves out is OTA_ERR_CRYPTO. */
    enum ota_err (*hash_begin)(struct ota_hash *hash, enum ota_hash_algorithm algorithm);

    /* Adds bytes. */
    enum ota_err (*hash_update)(struct ota_hash *hash, const void *data, size_t len);

    /* Makes `copy` (not begun) a second running hash that has seen the same bytes. */
    enum ota_err (*hash_clone)(const struct ota_hash *hash, struct ota_hash *copy);

    /* Writes the digest (ota_digest_size) and ends the hash, also when it returns an error. */
    enum ota_err (*hash_finish)(struct ota_hash *hash, uint8_t *digest);

    /* Ends a begun hash without a digest. */
    void (*hash_abort)(struct ota_hash *hash);
};
/* All of the above return OTA_OK or OTA_ERR_CRYPTO. */

extern const struct ota_crypto ota_crypto_psa;
extern const struct ota_crypto ota_crypto_bearssl;
extern const struct ota_crypto ota_crypto_openssl;

/* BearSSL again, with fewer hashes and with more: SHA-256 alone, for a bootloader; and SHA-384
   beside the two of `ota_crypto_bearssl`. The other backends have all three. */
extern const struct ota_crypto ota_crypto_bearssl_sha256;
extern const struct ota_crypto ota_crypto_bearssl_sha384;

/* An expected digest: OTA_HASH_NONE, or MD5's 16 or SHA-256's 32 bytes; no other algorithm. */
struct ota_digest {
    enum ota_hash_algorithm algorithm;
    uint8_t bytes[OTA_SHA256_SIZE];
};

/* Returns the digest's length in bytes: 32, 16, 48, or 0 for OTA_HASH_NONE. */
size_t ota_digest_size(enum ota_hash_algorithm algorithm);

/* The CRC-32 of zlib and Ethernet (reflected, polynomial 0xEDB88320, initial value and final XOR
   0xFFFFFFFF), continued from `crc`; start with 0. As in zlib, crc32(crc32(0, a), b) is that of a
   then b. */
uint32_t ota_crc32(uint32_t crc, const void *data, size_t len);

#endif
