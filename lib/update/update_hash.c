/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The check, and the digests. The check's SHA-256 is over what is stored; a second hash, MD5, is
 * over what arrives, and there is one only if that is expected. Both are the same bytes unless a
 * wrapping is taken off them.
 */
#include "update/update_private.h"

#include "base/mem.h"

static void end_md5(struct ota_update *update)
{
    if (update->md5_begun) {
        update->md5_begun = false;
        update->options.device->crypto->hash_abort(&update->md5);
    }
}

void ota__update_release(struct ota_update *update)
{
    ota_image_check_abort(&update->check);
    end_md5(update);
    if (update->options.unwrap != NULL) {
        update->options.unwrap->methods->release(update);
    }
}

static enum ota_err begin_md5(struct ota_update *update)
{
    enum ota_err err = OTA_OK;

    if (update->options.expected.algorithm == OTA_HASH_MD5) {
        err = update->options.device->crypto->hash_begin(&update->md5, OTA_HASH_MD5);
        update->md5_begun = err == OTA_OK;
    }
    return err;
}

/* The check's SHA-256 is wanted of every app, for the digest at its end; of data only where it is
   expected, where a signature may be over it, or where nothing but an entity tag names a transfer
   that keeps a journal. */
static void choose_hashes(struct ota_update *update)
{
    enum ota_hash_algorithm expected = update->options.expected.algorithm;
    bool is_named = update->journal.identity.kind != OTA_IDENTITY_NONE;

    update->rules.unhashed = update->rules.form == OTA_IMAGE_DATA &&
                             update->options.device->trust == NULL &&
                             (expected == OTA_HASH_MD5 || (expected == OTA_HASH_NONE && !is_named));
}

enum ota_err ota__update_begin_check(struct ota_update *update)
{
    choose_hashes(update);
    enum ota_err err =
        ota_image_check_begin(&update->check, &update->rules, update->options.device->crypto);

    return err == OTA_OK ? begin_md5(update) : err;
}

enum ota_err ota__update_check(struct ota_update *update, const void *data, uint32_t len)
{
    enum ota_err err = ota_image_check_write(&update->check, data, len);

    if (err == OTA_OK && update->md5_begun && !update->is_compressed) {
        err = update->options.device->crypto->hash_update(&update->md5, data, len);
    }
    return err;
}

enum ota_err ota_update_expect(struct ota_update *update, const struct ota_digest *expected)
{
    if (update->state != OTA_UPDATE_RECEIVING || update->received != 0) {
        return OTA_ERR_STATE;
    }
    update->options.expected = *expected;
    end_md5(update);
    choose_hashes(update);
    enum ota_err err = begin_md5(update);
    return err == OTA_OK ? OTA_OK : ota__update_fail(update, err, 0);
}

/* ---- What they come to ----------------------------------------------------------------------- */

enum ota_err ota__update_digest_so_far(const struct ota_update *update,
                                       uint8_t digest[OTA_SHA256_SIZE])
{
    const struct ota_crypto *crypto = update->options.device->crypto;
    struct ota_hash copy;

    if (!update->md5_begun) {
        return ota_image_check_digest(&update->check, digest);
    }
    enum ota_err err = crypto->hash_clone(&update->md5, &copy);
    return err == OTA_OK ? crypto->hash_finish(&copy, digest) : err;
}

enum ota_err ota__update_match(struct ota_update *update, const uint8_t digest[OTA_SHA256_SIZE])
{
    const struct ota_digest *expected = &update->options.expected;

    memcpy(update->digest, digest,
           sizeof update->digest); /* the hash is over: this is in its place */
    return memcmp(digest, expected->bytes, ota_digest_size(expected->algorithm)) == 0
               ? OTA_OK
               : OTA_ERR_DIGEST;
}

enum ota_err ota__update_check_expected(struct ota_update *update)
{
    uint8_t digest[OTA_SHA256_SIZE] = {0};
    enum ota_err err = OTA_OK;

    if (update->options.expected.algorithm == OTA_HASH_NONE) {
        return OTA_OK;
    }
    if (update->md5_begun) {
        update->md5_begun = false;
        err = update->options.device->crypto->hash_finish(&update->md5, digest);
    } else {
        err = ota_image_check_digest(&update->check, digest);
    }
    return err == OTA_OK ? ota__update_match(update, digest) : err;
}
