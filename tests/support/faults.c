/* SPDX-License-Identifier: Apache-2.0 */
#include "support/faults.h"

#include <stddef.h>
#include <string.h>

#define VERIFY_SCRATCH 4096u

static struct {
    enum fault_kind kind;
    unsigned number; /* calls until it strikes; 0: it has, or there is none */
    bool struck;
} fault;

static int running_hashes;

void faults_set(enum fault_kind kind, unsigned number)
{
    fault.kind = kind;
    fault.number = number;
    fault.struck = false;
}

void faults_clear(void)
{
    faults_set(FAULT_NONE, 0);
}

bool faults_struck(void)
{
    return fault.struck;
}

static bool strikes(enum fault_kind kind)
{
    if (fault.kind != kind || fault.number == 0 || --fault.number > 0) {
        return false;
    }
    fault.struck = true;
    return true;
}

enum ota_err faults_error(enum fault_kind kind)
{
    switch (kind) {
    case FAULT_READ:
        return OTA_ERR_FLASH_READ;
    case FAULT_WRITE:
        return OTA_ERR_FLASH_WRITE;
    case FAULT_ERASE:
        return OTA_ERR_FLASH_ERASE;
    case FAULT_VERIFY:
    case FAULT_IDLE:
        return OTA_ERR_FLASH_VERIFY;
    case FAULT_CRYPTO:
        return OTA_ERR_CRYPTO;
    default:
        return OTA_OK;
    }
}

unsigned faults_everywhere(enum fault_kind kind, void (*scenario)(void *context), void *context)
{
    unsigned places = 0;

    for (;;) {
        faults_set(kind, places + 1);
        scenario(context);
        if (!fault.struck) {
            faults_clear();
            return places;
        }
        places++;
    }
}

/* The flash. */

static enum ota_err flash_read(struct ota_flash *flash, uint32_t offset, void *data, uint32_t len)
{
    struct ota_flash *under = ((struct faulty_flash *)flash)->under;

    if (strikes(FAULT_READ)) {
        memset(data, 0xA5, len); /* nothing that a caller may rely on */
        return OTA_ERR_FLASH_READ;
    }
    return under->read(under, offset, data, len);
}

static enum ota_err flash_write(struct ota_flash *flash, uint32_t offset, const void *data,
                                uint32_t len)
{
    struct ota_flash *under = ((struct faulty_flash *)flash)->under;
    uint8_t weak[VERIFY_SCRATCH];

    if (strikes(FAULT_WRITE)) {
        return OTA_ERR_FLASH_WRITE;
    }
    if (len <= sizeof weak && strikes(FAULT_VERIFY)) {
        memcpy(weak, data, len);
        weak[len / 2] ^= 1u;
        return under->write(under, offset, weak, len);
    }
    return under->write(under, offset, data, len);
}

static enum ota_err flash_erase(struct ota_flash *flash, uint32_t offset, uint32_t len)
{
    struct ota_flash *under = ((struct faulty_flash *)flash)->under;

    if (strikes(FAULT_IDLE)) {
        return OTA_OK;
    }
    return strikes(FAULT_ERASE) ? OTA_ERR_FLASH_ERASE : under->erase(under, offset, len);
}

void faulty_flash_init(struct faulty_flash *faulty, struct ota_flash *under)
{
    faulty->under = under;
    faulty->flash = *under;
    faulty->flash.read = flash_read;
    faulty->flash.write = flash_write;
    faulty->flash.erase = flash_erase;
}

/* The crypto backend. */

static enum ota_err hash_begin(struct ota_hash *hash, enum ota_hash_algorithm algorithm)
{
    if (strikes(FAULT_CRYPTO)) {
        return OTA_ERR_CRYPTO;
    }
    enum ota_err err = ota_crypto_bearssl_sha384.hash_begin(hash, algorithm);
    running_hashes += err == OTA_OK;
    return err;
}

static enum ota_err hash_update(struct ota_hash *hash, const void *data, size_t len)
{
    return strikes(FAULT_CRYPTO) ? OTA_ERR_CRYPTO
                                 : ota_crypto_bearssl_sha384.hash_update(hash, data, len);
}

static enum ota_err hash_clone(const struct ota_hash *hash, struct ota_hash *copy)
{
    if (strikes(FAULT_CRYPTO)) {
        return OTA_ERR_CRYPTO;
    }
    running_hashes++;
    return ota_crypto_bearssl_sha384.hash_clone(hash, copy);
}

static enum ota_err hash_finish(struct ota_hash *hash, uint8_t *digest)
{
    running_hashes--;
    return strikes(FAULT_CRYPTO) ? OTA_ERR_CRYPTO
                                 : ota_crypto_bearssl_sha384.hash_finish(hash, digest);
}

static void hash_abort(struct ota_hash *hash)
{
    running_hashes--;
    ota_crypto_bearssl_sha384.hash_abort(hash);
}

const struct ota_crypto faulty_crypto = {
    .hash_begin = hash_begin,
    .hash_update = hash_update,
    .hash_clone = hash_clone,
    .hash_finish = hash_finish,
    .hash_abort = hash_abort,
};

int faulty_crypto_running(void)
{
    return running_hashes;
}
