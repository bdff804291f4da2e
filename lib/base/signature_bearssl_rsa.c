/* SPDX-License-Identifier: Apache-2.0 */
#include "base/signature_bearssl.h"

#include "base/public_key.h"

enum ota_err ota__bearssl_rsa_key(struct ota__bearssl_rsa_key *own,
                                  const struct ota_public_key *key)
{
    enum ota_err err = ota__rsa_key_check(key);

    for (unsigned i = 0; i < sizeof own->exponent; i++) {
        own->exponent[i] = (uint8_t)(key->exponent >> (24 - 8 * i));
    }
    own->key.n = ota__bearssl_bytes(key->bytes);
    own->key.nlen = key->len;
    own->key.e = own->exponent;
    own->key.elen = sizeof own->exponent;
    return err;
}
