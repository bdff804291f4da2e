/* SPDX-License-Identifier: Apache-2.0 */
#include "support/seals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "cli/secure_block.h"

#define CRC_AT 1196u

enum ota_signature_scheme seals_scheme(const struct signer *signer)
{
    return secure_block_scheme(&signer->key);
}

size_t seals_put_v1(uint8_t *bytes, size_t len, const struct signer *signer)
{
    uint8_t digest[OTA_SHA384_SIZE];
    uint8_t signature[OTA_RSA_SIZE_MAX];

    signer_digest(OTA_SIGNATURE_ECDSA_P256, bytes, len, digest);
    assert_int_equal(signer_sign(signer, OTA_SIGNATURE_ECDSA_P256, digest, signature), 64);
    memset(bytes + len, 0, 4);
    memcpy(bytes + len + 4, signature, 64);
    return len + OTA_SECURE_V1_SIZE;
}

size_t seals_sector(size_t len)
{
    return ota__round_up((uint32_t)len, OTA_SECURE_SECTOR_SIZE);
}

static void put_block(uint8_t *bytes, size_t signed_len, unsigned place,
                      const struct signer *signer)
{
    enum ota_signature_scheme scheme = seals_scheme(signer);
    uint8_t digest[OTA_SHA384_SIZE];
    uint8_t signature[OTA_RSA_SIZE_MAX];

    signer_digest(scheme, bytes, signed_len, digest);
    (void)signer_sign(signer, scheme, digest, signature);
    assert_true(secure_block_write(bytes + signed_len + (size_t)place * OTA_SECURE_BLOCK_SIZE,
                                   &signer->key, digest, signature));
}

size_t seals_put_v2(uint8_t *bytes, size_t len, struct signer *const *signers, unsigned count)
{
    size_t sector = seals_sector(len);

    memset(bytes + len, 0xFF, sector - len + OTA_SECURE_SECTOR_SIZE);
    for (unsigned i = 0; i < count; i++) {
        put_block(bytes, sector, i, signers[i]);
    }
    return sector + OTA_SECURE_SECTOR_SIZE;
}

void seals_renew_crc(uint8_t *block)
{
    ota__put_le32(block + CRC_AT, ota_crc32(0, block, CRC_AT));
}

void seals_key_digest(const struct signer *signer, uint8_t digest[OTA_SHA256_SIZE])
{
    assert_true(secure_key_digest(&signer->key, digest));
}
