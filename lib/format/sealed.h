/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORMAT_SEALED_H
#define FORMAT_SEALED_H

/* What the seals share. */

#include <updraft/trust.h>

/* Whether there is a signature, and it was judged and is not good. */
static inline bool ota__is_bad_signature(enum ota_err err)
{
    return err == OTA_ERR_SIGNATURE || err == OTA_ERR_SIGNATURE_KEY || err == OTA_ERR_KEY;
}

/* Writes the digest (ota_digest_size) of the first `end` bytes that lie there. Returns OTA_OK, or
   the flash's or the library's error. */
enum ota_err ota__sealed_digest(const struct ota_sealed *sealed, enum ota_hash_algorithm algorithm,
                                uint32_t end, uint8_t *digest);

#endif
