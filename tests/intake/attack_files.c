/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/attack_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/gzip_file.h"

struct signer *attack_signers[VICTIM_DEMANDS][WHO];
struct attack_file attack_file;

void attack_make_keys(void)
{
    struct signer **trailer = attack_signers[VICTIM_WANTS_TRAILER];
    struct signer **seal = attack_signers[VICTIM_WANTS_SEAL];

    trailer[MAKER] = signer_new_rsa(2048, 65537);
    trailer[STRANGER] = signer_new_rsa(2048, 65537);
    trailer[WEAK] = signer_new_rsa(2048, 3);
    trailer[TINY] = signer_new_rsa(1024, 65537);
    seal[MAKER] = signer_new_curve("P-256");
    seal[STRANGER] = signer_new_curve("P-256");
    seal[WEAK] = signer_new_rsa(3072, 3);
}

void attack_free_keys(void)
{
    for (unsigned demand = 0; demand < VICTIM_DEMANDS; demand++) {
        for (unsigned who = 0; who < WHO; who++) {
            signer_free(attack_signers[demand][who]);
        }
    }
}

void attack_begin(enum victim_demand demand)
{
    memset(&attack_file, 0, sizeof attack_file);
    attack_file.demand = demand;
}

static uint32_t make_image(const struct image_facts *facts)
{
    struct image_facts all = *facts;

    all.size = VICTIM_IMAGE_SIZE;
    all.seed = all.seed != 0 ? all.seed : 2;
    all.period = 700;
    all.version = all.version != NULL ? all.version : "2.0.0";
    all.project = all.project != NULL ? all.project : VICTIM_PROJECT;
    all.secure_version = all.secure_version != 0 ? all.secure_version : VICTIM_FLOOR;
    return (uint32_t)image_make(attack_file.bytes, sizeof attack_file.bytes, &all);
}

void attack_make_image(const struct image_facts *facts)
{
    attack_file.len = make_image(facts);
    assert_true(attack_file.len > 0);
}

void attack_replace_image(const struct image_facts *facts)
{
    assert_true(make_image(facts) <= attack_file.signed_len);
}

static void sign_trailer(const struct signer *signer)
{
    uint8_t digest[OTA_SHA384_SIZE];
    uint8_t signature[OTA_RSA_SIZE_MAX];

    signer_digest(OTA_SIGNATURE_RSA_PKCS1, attack_file.bytes, attack_file.len, digest);
    const size_t n = signer_sign(signer, OTA_SIGNATURE_RSA_PKCS1, digest, signature);
    attack_append(signature, (uint32_t)n);
    attack_append_le32((uint32_t)n);
}

void attack_sign(enum who who)
{
    struct signer *signer = attack_signers[attack_file.demand][who];

    attack_file.signed_len = attack_file.len;
    if (attack_file.demand == VICTIM_WANTS_TRAILER) {
        sign_trailer(signer);
    } else if (attack_file.demand == VICTIM_WANTS_SEAL) {
        attack_file.len = (uint32_t)seals_put_v2(attack_file.bytes, attack_file.len, &signer, 1);
    }
}

void attack_make_good(void)
{
    attack_make_image(&(struct image_facts){0});
    attack_sign(MAKER);
}

void attack_append(const void *bytes, uint32_t len)
{
    assert_true(len <= ATTACK_FILE_MAX - attack_file.len);
    memcpy(attack_file.bytes + attack_file.len, bytes, len);
    attack_file.len += len;
}

void attack_append_le32(uint32_t number)
{
    const uint8_t bytes[] = {(uint8_t)number, (uint8_t)(number >> 8), (uint8_t)(number >> 16),
                             (uint8_t)(number >> 24)};

    attack_append(bytes, sizeof bytes);
}

void attack_cut(uint32_t len)
{
    assert_true(len <= attack_file.len);
    attack_file.len = len;
}

void attack_compress_with_zeros(uint32_t zeros)
{
    uint8_t *unpacked = calloc(1, attack_file.len + zeros);

    assert_non_null(unpacked);
    memcpy(unpacked, attack_file.bytes, attack_file.len);
    attack_file.len = (uint32_t)gzip_file_make(attack_file.bytes, sizeof attack_file.bytes,
                                               unpacked, attack_file.len + zeros);
    free(unpacked);
    assert_true(attack_file.len > 0);
}

void attack_compress(void)
{
    attack_compress_with_zeros(0);
}

struct delivery attack_delivery(void)
{
    struct delivery delivery = attack_file.delivery;

    delivery.bytes = attack_file.bytes;
    delivery.len = attack_file.len;
    if (delivery.announced == 0) {
        delivery.announced = delivery.endless > 0 ? OTA_SIZE_UNKNOWN : delivery.len;
    }
    return delivery;
}
