/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of what arrives: the expected digest and the signature's trailer. What was not held back
 * has been hashed on its way, by the check if it is plain, else by the unwrapping; what was is in
 * the tail. So each digest is that hash, copied, and a part of the tail.
 */
#include "update/unwrap_private.h"

#include "base/bytes.h"

const struct ota_arduino_trust *ota__unwrap_trust(const struct ota_update *update)
{
    const struct ota_trust *trust = update->options.device->trust;

    return trust != NULL ? trust->arduino : NULL;
}

/* ---- Digests --------------------------------------------------------------------------------- */

/* The SHA-256 of all that arrived up to `len` bytes of the tail. */
static enum ota_err digest_to(const struct ota_update *update, size_t len,
                              uint8_t digest[OTA_SHA256_SIZE])
{
    const struct ota_crypto *crypto = update->options.device->crypto;
    const struct ota_unwrap *unwrap = update->options.unwrap;
    struct ota_hash copy;
    enum ota_err err =
        crypto->hash_clone(update->is_compressed ? &unwrap->hash : &update->check.hash, &copy);

    if (err != OTA_OK) {
        return err;
    }
    err = crypto->hash_update(&copy, unwrap->tail, len);
    if (err != OTA_OK) {
        crypto->hash_abort(&copy);
        return err;
    }
    return crypto->hash_finish(&copy, digest);
}

enum ota_err ota__unwrap_check_expected(struct ota_update *update)
{
    const struct ota_crypto *crypto = update->options.device->crypto;
    const struct ota_unwrap *unwrap = update->options.unwrap;
    uint8_t digest[OTA_SHA256_SIZE];
    enum ota_err err = OTA_OK;

    if (update->options.expected.algorithm == OTA_HASH_SHA256) {
        err = digest_to(update, unwrap->tail_len, digest);
        return err == OTA_OK ? ota__update_match(update, digest) : err;
    }
    if (update->md5_begun) {
        err = crypto->hash_update(&update->md5, unwrap->tail, unwrap->tail_len);
    }
    return err == OTA_OK ? ota__update_check_expected(update) : err;
}

/* ---- The signature --------------------------------------------------------------------------- */

/* Is this key's signature there, and good? */
static enum ota_err try_key(const struct ota_update *update, const struct ota_public_key *key,
                            uint32_t *trailer_len)
{
    const struct ota_unwrap *unwrap = update->options.unwrap;
    const struct ota_verifier *verifier = ota__unwrap_trust(update)->verifier;
    struct ota_arduino_signature found;
    uint8_t digest[OTA_SHA256_SIZE];
    enum ota_err err =
        ota_arduino_signature_find(&found, key, unwrap->tail, unwrap->tail_len, update->received);

    if (err != OTA_OK) {
        return err;
    }
    *trailer_len = found.trailer_len;
    err = digest_to(update, unwrap->tail_len - found.trailer_len, digest);
    return err == OTA_OK ? ota_arduino_signature_verify(&found, key, verifier, digest) : err;
}

enum ota_err ota__unwrap_judge_trailer(struct ota_update *update, uint32_t *trailer_len)
{
    const struct ota_arduino_trust *arduino = ota__unwrap_trust(update);
    const struct ota_trust *trust = update->options.device->trust;

    for (unsigned i = 0; arduino != NULL && i < arduino->key_count; i++) {
        enum ota_err err = try_key(update, &arduino->keys[i], trailer_len);
        if (err == OTA_OK) {
            update->signature = (struct ota_signature_report){
                .kind = OTA_SIGNED_ARDUINO, .scheme = arduino->verifier->scheme, .key = (uint8_t)i};
            return OTA_OK;
        }
        if (update->signature.err == OTA_ERR_SIGNATURE_MISSING) {
            update->signature.err = err;
        }
    }
    *trailer_len = 0;
    return arduino == NULL || trust->only_report || trust->seals != NULL ? OTA_OK
                                                                         : update->signature.err;
}
