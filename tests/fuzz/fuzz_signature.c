/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures: any bytes as the end of a signed file and as a signature sector. Nothing
   outside is read, what is found lies inside, and nothing is believed: no key here has
   ever signed anything. */
#include <string.h>

#include <updraft/arduino_signature.h>
#include <updraft/secure_boot.h>

#include "base/bytes.h"
#include "fuzz/input.h"

/* The mathematics is not what is fuzzed: a verifier that looks at its input and says no. */
static enum ota_err look(const struct ota_public_key *key, const uint8_t *digest,
                         const uint8_t *signature, size_t len)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < key->len; i++) {
        sum ^= key->bytes[i];
    }
    for (size_t i = 0; i < len; i++) {
        sum ^= signature[i];
    }
    return digest[0] == sum ? OTA_ERR_SIGNATURE : OTA_ERR_KEY;
}

static const struct ota_verifier looks[] = {
    {OTA_SIGNATURE_RSA_PSS, OTA_HASH_SHA256, look},
    {OTA_SIGNATURE_ECDSA_P192, OTA_HASH_SHA256, look},
    {OTA_SIGNATURE_ECDSA_P256, OTA_HASH_SHA256, look},
    {OTA_SIGNATURE_ECDSA_P384, OTA_HASH_SHA384, look},
};

static void try_arduino(struct input *input)
{
    static const uint8_t modulus[OTA_RSA_SIZE_MAX] = {0x80};
    const struct ota_public_key key = {
        .type = OTA_KEY_RSA, .bytes = modulus, .len = 1u + input_word(input) % sizeof modulus};
    uint32_t total = (uint32_t)input_word(input) << 16 | input_word(input);
    struct ota_arduino_signature found;
    enum ota_err err = ota_arduino_signature_find(&found, &key, input->data, input->left, total);

    if (err == OTA_OK) {
        REQUIRE(found.data_len > 0 && found.data_len + found.trailer_len == total);
        REQUIRE(found.bytes >= input->data);
        REQUIRE(found.bytes + found.len + 4 == input->data + input->left);
        REQUIRE(ota_arduino_signature_verify(&found, &key, &looks[0], modulus) != OTA_OK);
    }
}

struct memory_flash {
    struct ota_flash flash;
    const uint8_t *bytes;
};

static enum ota_err read_memory(struct ota_flash *flash, uint32_t offset, void *data, uint32_t len)
{
    const struct memory_flash *memory = (const struct memory_flash *)flash;

    REQUIRE(offset <= flash->size && len <= flash->size - offset);
    memcpy(data, memory->bytes + offset, len);
    return OTA_OK;
}

static void try_block(const uint8_t *bytes, uint8_t digests[1][OTA_SHA256_SIZE])
{
    struct ota_secure_block block;
    uint8_t memory[OTA_SECURE_BLOCK_SIZE];
    const uint8_t *end = memory + sizeof memory;

    memcpy(memory, bytes, sizeof memory);
    if (ota_secure_block_decode(&block, memory, &ota_crypto_bearssl_sha384) != OTA_OK) {
        return;
    }
    REQUIRE(block.key.bytes > memory && block.key.bytes + block.key.len <= block.signature);
    REQUIRE(block.signature + block.signature_len <= end);
    REQUIRE(block.image_digest + ota_digest_size(block.hash) <= block.key.bytes);
    memcpy(digests[0], block.key_digest, OTA_SHA256_SIZE);
}

/* The sector, with checksums that are right, which chance does not find. */
static void try_sector(struct input *input)
{
    static const struct ota_verifier *const verifiers[] = {&looks[0], &looks[1], &looks[2],
                                                           &looks[3], NULL};
    static uint8_t sector[OTA_SECURE_SECTOR_SIZE];
    uint8_t reseal = input_byte(input);
    uint32_t offset = input_word(input);
    uint8_t digests[1][OTA_SHA256_SIZE] = {{0}};
    uint8_t image_digest[OTA_SHA384_SIZE] = {0};
    uint8_t memory[OTA_SECURE_BLOCK_SIZE];
    struct ota_secure_block block;

    memset(sector, 0xFF, sizeof sector);
    memcpy(sector, input->data, input->left < sizeof sector ? input->left : sizeof sector);
    for (unsigned i = 0; i < OTA_SECURE_BLOCKS_MAX; i++) {
        uint8_t *bytes = sector + i * OTA_SECURE_BLOCK_SIZE;
        if ((reseal >> i & 1) != 0) {
            memset(bytes + 1200, 0, 16);
            ota__put_le32(bytes + 1196, ota_crc32(0, bytes, 1196));
        }
        try_block(bytes, digests);
    }
    memcpy(image_digest, sector + 4, sizeof image_digest);
    struct memory_flash flash = {.flash = {.size = sizeof sector, .read = read_memory},
                                 .bytes = sector};
    const struct ota_region region = {&flash.flash, 0, sizeof sector};
    const struct ota_secure_trust trust = {.digests = (const uint8_t(*)[OTA_SHA256_SIZE])digests,
                                           .digest_count = 1,
                                           .digest_len = (reseal >> 3 & 1) != 0 ? 16 : 0,
                                           .revoked = reseal >> 4 & 1,
                                           .blocks = reseal >> 5 & 3,
                                           .verifiers = verifiers};
    const struct ota_secure_digests of_image = {image_digest, image_digest};
    REQUIRE(ota_secure_boot_v2_verify(&trust, &ota_crypto_bearssl_sha384, &region, 0, &of_image,
                                      memory, &block) != OTA_OK);
    REQUIRE(ota_secure_boot_v2_verify(&trust, &ota_crypto_bearssl_sha384, &region, 1 + offset,
                                      &of_image, memory, &block) == OTA_ERR_SIGNATURE_MISSING);
    REQUIRE(ota_secure_boot_v1_verify(sector, image_digest, &(struct ota_public_key){0},
                                      &looks[2]) != OTA_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};

    if ((input_byte(&input) & 1) == 0) {
        try_arduino(&input);
    } else {
        try_sector(&input);
    }
    return 0;
}
