/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_PUBLIC_KEY_H
#define BASE_PUBLIC_KEY_H

/* What the verifiers ask of a key before they use it. One function each, so that a program without
   RSA has none of its rules. */

#include <updraft/signature.h>

/* Return OTA_OK or OTA_ERR_KEY. */
enum ota_err ota__rsa_key_check(const struct ota_public_key *key);
enum ota_err ota__point_check(const struct ota_public_key *key, enum ota_key_type type, size_t len);

/* Returns how many bits the modulus has. Its first byte is not 0. */
uint32_t ota__rsa_key_bits(const struct ota_public_key *key);

#endif
