/* SPDX-License-Identifier: Apache-2.0 */
#include "skip/arithmetic.h"

#include <bearssl.h>

#define DIGEST_MAX 64u
#define POINT_MAX 133u
#define SIGNATURE_MAX 256u
#define FACTOR_MAX 66u

static uint32_t get(uc_engine *engine, int number)
{
    uint32_t value = 0;
    (void)uc_reg_read(engine, number, &value);
    return value;
}

static bool fetch(uc_engine *engine, uint32_t address, void *to, uint32_t len, uint32_t max)
{
    return len <= max && uc_mem_read(engine, address, to, len) == UC_ERR_OK;
}

/* br_ecdsa_i31_vrfy_raw(curves, digest, its length, key, signature, its length) */
static bool verify(uc_engine *engine, uint32_t curves, uint32_t *result)
{
    uint8_t digest[DIGEST_MAX];
    uint8_t point[POINT_MAX];
    uint8_t signature[SIGNATURE_MAX];
    uint32_t own_key[3]; /* curve, point, its length */
    uint32_t on_stack[2];
    const uint32_t digest_len = get(engine, UC_ARM_REG_R2);
    if (get(engine, UC_ARM_REG_R0) != curves ||
        !fetch(engine, get(engine, UC_ARM_REG_R1), digest, digest_len, sizeof digest) ||
        !fetch(engine, get(engine, UC_ARM_REG_R3), own_key, sizeof own_key, sizeof own_key) ||
        !fetch(engine, own_key[1], point, own_key[2], sizeof point) ||
        own_key[0] != BR_EC_secp256r1 ||
        !fetch(engine, get(engine, UC_ARM_REG_SP), on_stack, sizeof on_stack, sizeof on_stack) ||
        !fetch(engine, on_stack[0], signature, on_stack[1], sizeof signature)) {
        return false;
    }
    const br_ec_public_key key = {.curve = (int)own_key[0], .q = point, .qlen = own_key[2]};
    *result =
        br_ecdsa_i31_vrfy_raw(&br_ec_p256_m31, digest, digest_len, &key, signature, on_stack[1]);
    return true;
}

/* mul(point, its length, factor, its length, curve): the product takes the point's place. */
static bool multiply(uc_engine *engine, uint32_t curves, uint32_t *result)
{
    uint8_t point[POINT_MAX];
    uint8_t factor[FACTOR_MAX];
    uint32_t curve;
    const uint32_t place = get(engine, UC_ARM_REG_R0);
    const uint32_t point_len = get(engine, UC_ARM_REG_R1);
    const uint32_t factor_len = get(engine, UC_ARM_REG_R3);
    (void)curves;
    if (!fetch(engine, place, point, point_len, sizeof point) ||
        !fetch(engine, get(engine, UC_ARM_REG_R2), factor, factor_len, sizeof factor) ||
        !fetch(engine, get(engine, UC_ARM_REG_SP), &curve, sizeof curve, sizeof curve) ||
        curve != BR_EC_secp256r1) {
        return false;
    }
    *result = br_ec_p256_m31.mul(point, point_len, factor, factor_len, (int)curve);
    return uc_mem_write(engine, place, point, point_len) == UC_ERR_OK;
}

const struct arithmetic_function arithmetic_functions[] = {
    {"br_ecdsa_i31_vrfy_raw", verify}, {"api_mul", multiply}, {0}};
