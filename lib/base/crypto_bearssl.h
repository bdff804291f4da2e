/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CRYPTO_BEARSSL_H
#define BASE_CRYPTO_BEARSSL_H

/*
 * What the tables on BearSSL share: any of its hashes through the pointers that its contexts begin
 * with. A table differs from another by the hashes that its `hash_begin` names, so that only those
 * are linked.
 */

#include <bearssl_hash.h>

#include <updraft/crypto.h>

/* Begins a hash of this class; NULL is OTA_ERR_CRYPTO. */
enum ota_err ota__bearssl_begin(struct ota_hash *hash, const br_hash_class *hash_class);

enum ota_err ota__bearssl_update(struct ota_hash *hash, const void *data, size_t len);
enum ota_err ota__bearssl_clone(const struct ota_hash *hash, struct ota_hash *copy);
enum ota_err ota__bearssl_finish(struct ota_hash *hash, uint8_t *digest);
void ota__bearssl_abort(struct ota_hash *hash);

#endif
