/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_CLI_SECURE_BLOCK_H
#define UPDRAFT_CLI_SECURE_BLOCK_H

/* Writes signature blocks of Secure Boot version 2 (docs/formats/signatures.md section 3). Reading
   them is the library's business (updraft/secure_boot.h). */

#include <stdbool.h>

#include <updraft/secure_boot.h>

/* Returns the scheme by which Secure Boot version 2 signs with this key: OTA_SIGNATURE_NONE if it
   has none (RSA of other than 3072 bits). */
enum ota_signature_scheme secure_block_scheme(const struct ota_public_key *key);

/* Writes a block: the key, the image's digest (SHA-384 for P-384, else SHA-256), and the signature,
   most significant byte first. Returns false if there is no scheme for the key. */
bool secure_block_write(uint8_t block[OTA_SECURE_BLOCK_SIZE], const struct ota_public_key *key,
                        const uint8_t *image_digest, const uint8_t *signature);

/* Writes what a chip's fuses hold of the key. Returns false if there is no scheme for it. */
bool secure_key_digest(const struct ota_public_key *key, uint8_t digest[OTA_SHA256_SIZE]);

#endif
