/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_SEALS_H
#define SUPPORT_SEALS_H

/*
 * Seals for tests: signs bytes in memory as Secure Boot does (docs/formats/signatures.md sections 2
 * and 3), with keys of signer.h.
 *
 *     len = seals_put_v2(image, len, signer, 1);     (signed once; `image` has room for 8 KiB more)
 */

#include <updraft/secure_boot.h>

#include "support/signer.h"

/* The scheme of version 2 for this key. */
enum ota_signature_scheme seals_scheme(const struct signer *signer);

/* Appends version 1's trailer. Returns the length with it. */
size_t seals_put_v1(uint8_t *bytes, size_t len, const struct signer *signer);

/* Pads to a whole sector, and appends the sector with up to three blocks. Returns the length with
   it. */
size_t seals_put_v2(uint8_t *bytes, size_t len, struct signer *const *signers, unsigned count);

/* Where the sector of an image of this length is. */
size_t seals_sector(size_t len);

/* Makes the checksum of the block at `block` right again. */
void seals_renew_crc(uint8_t *block);

/* Writes what a chip's fuses hold of the key. */
void seals_key_digest(const struct signer *signer, uint8_t digest[OTA_SHA256_SIZE]);

#endif
