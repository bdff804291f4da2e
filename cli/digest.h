/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_CLI_DIGEST_H
#define UPDRAFT_CLI_DIGEST_H

/* The digest of bytes that are all in memory. */

#include <stdbool.h>

#include <updraft/crypto.h>

/* Writes the digest of `len` bytes (ota_digest_size). Returns false if the crypto backend fails. */
bool digest_of(const struct ota_crypto *crypto, enum ota_hash_algorithm algorithm, const void *data,
               size_t len, uint8_t *digest);

#endif
