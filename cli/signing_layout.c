/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/signing_layout.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "cli/digest.h"
#include "cli/output.h"
#include "cli/secure_block.h"

/* --- what is signed ------------------------------------------------------------------------- */

/* Tells whether only filler follows the image. */
static bool ends_in_filler(const struct signed_file *file)
{
    const uint8_t *data = file->content.data;
    size_t image_len = (size_t)file->image_len;
    uint8_t filler = data[image_len];
    for (size_t i = image_len; i < file->content.size; i++) {
        if (data[i] != filler) {
            return false;
        }
    }
    return filler == 0xFF || filler == 0;
}

/* Secure Boot looks for its signature directly behind the image, or behind `limit` bytes with their
   padding; filler there is left out. Stores how many bytes of the file are signed. */
static int useful_len(const struct signed_file *file, size_t limit, size_t *len)
{
    size_t size = file->content.size;
    if (file->image_len != 0 && file->image_len < size && !ends_in_filler(file)) {
        return fail(
            "%s: %s bytes that are no part of it follow the image, where the signature must "
            "be; cut them off",
            file->name, output_thousands(size - file->image_len).text);
    }
    *len = file->image_len != 0 && size > limit ? limit : size;
    return 0;
}

static int measure(const struct signing_layout *layout, size_t *len)
{
    const struct signed_file *file = layout->file;
    switch (layout->scheme) {
    case SIGNING_V1:
        return useful_len(file, (size_t)file->image_len, len);
    case SIGNING_V2:
        if (layout->append && file->found->kind == SIGNATURE_V2) {
            *len = (size_t)file->found->data_len;
            return 0;
        }
        return useful_len(file, ota_secure_sector_offset((uint32_t)file->image_len), len);
    default:
        *len = file->content.size;
        return 0;
    }
}

/* Keeps the blocks that fit, in their order. */
static void keep_blocks(struct signing_layout *layout)
{
    const struct signature_found *found = layout->file->found;
    for (size_t i = 0; i < OTA_SECURE_BLOCKS_MAX && found->kind == SIGNATURE_V2; i++) {
        const struct signature_block *block = &found->blocks[i];
        if (block->is_decoded && block->err != OTA_ERR_SIGNATURE) {
            memcpy(layout->data + layout->data_len + layout->blocks * OTA_SECURE_BLOCK_SIZE,
                   block->original, OTA_SECURE_BLOCK_SIZE);
            memcpy(layout->signers[layout->blocks++], block->block.key_digest, OTA_SHA256_SIZE);
        }
    }
}

int signing_layout_begin(struct signing_layout *layout)
{
    size_t len = 0;
    int status = measure(layout, &len);
    if (status != 0) {
        return status;
    }
    layout->data_len = layout->scheme == SIGNING_V2 ? ota_secure_sector_offset((uint32_t)len) : len;
    layout->data = output_allocate(layout->data_len + OTA_SECURE_SECTOR_SIZE);
    memset(layout->data, 0xFF, layout->data_len + OTA_SECURE_SECTOR_SIZE);
    memcpy(layout->data, layout->file->content.data, len);
    if (layout->append) {
        keep_blocks(layout);
    }
    bool good = digest_of(&ota_crypto_openssl, OTA_HASH_SHA256, layout->data, layout->data_len,
                          layout->sha256) &&
                digest_of(&ota_crypto_openssl, OTA_HASH_SHA384, layout->data, layout->data_len,
                          layout->sha384);
    return good ? 0 : fail("%s: %s", layout->file->name, ota_err_text(OTA_ERR_CRYPTO));
}

void signing_layout_end(struct signing_layout *layout)
{
    free(layout->data);
    layout->data = NULL;
}

const uint8_t *signing_layout_digest(const struct signing_layout *layout,
                                     const struct ota_verifier *verifier)
{
    return verifier->hash == OTA_HASH_SHA384 ? layout->sha384 : layout->sha256;
}

/* --- where signatures go -------------------------------------------------------------------- */

static int add_block(struct signing_layout *layout, const struct key_file *key,
                     const struct ota_verifier *verifier, const struct signing_signature *signature)
{
    if (layout->blocks == OTA_SECURE_BLOCKS_MAX) {
        return fail("%s: has %zu signatures already, and there is room for three",
                    layout->file->name, layout->blocks);
    }
    for (size_t i = 0; i < layout->blocks; i++) {
        if (memcmp(layout->signers[i], key->digest, OTA_SHA256_SIZE) == 0) {
            return fail("%s: is signed by %s already", layout->file->name, key->name);
        }
    }
    uint8_t *block = layout->data + layout->data_len + layout->blocks * OTA_SECURE_BLOCK_SIZE;
    if (!secure_block_write(block, &key->public_key, signing_layout_digest(layout, verifier),
                            signature->bytes)) {
        return fail("%s: %s", key->name, ota_err_text(OTA_ERR_KEY));
    }
    memcpy(layout->signers[layout->blocks++], key->digest, OTA_SHA256_SIZE);
    layout->trailer_len = OTA_SECURE_SECTOR_SIZE;
    return 0;
}

int signing_layout_add(struct signing_layout *layout, const struct key_file *key,
                       const struct ota_verifier *verifier,
                       const struct signing_signature *signature)
{
    uint8_t *end = layout->data + layout->data_len;
    switch (layout->scheme) {
    case SIGNING_V2:
        return add_block(layout, key, verifier, signature);
    case SIGNING_V1:
        ota__put_le32(end, 0);
        memcpy(end + 4, signature->bytes, signature->len);
        break;
    default:
        memcpy(end, signature->bytes, signature->len);
        ota__put_le32(end + signature->len, (uint32_t)signature->len);
        break;
    }
    layout->trailer_len = signature->len + 4;
    return 0;
}
