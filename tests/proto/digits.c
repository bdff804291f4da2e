/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/digits.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/digest.h"

void digits_put(char *digits, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        (void)snprintf(digits + 2 * i, 3, "%02x", bytes[i]);
    }
}

void digits_of(enum ota_hash_algorithm algorithm, const void *data, size_t len, char *digits)
{
    uint8_t digest[OTA_SHA256_SIZE];

    if (!digest_of(&ota_crypto_psa, algorithm, data, len, digest)) {
        abort();
    }
    digits_put(digits, digest, ota_digest_size(algorithm));
}
