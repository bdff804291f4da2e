/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/signature_check.h"

#include <stdlib.h>
#include <string.h>

#include <updraft/arduino_signature.h>

#include "cli/output.h"
#include "server/hex.h"

/* --- the keys ------------------------------------------------------------------------------- */

int signature_keys_read(const struct command_call *call, struct signature_keys *keys)
{
    const char *const *paths;
    size_t count = command_values(call, "key", &paths);
    keys->count = 0;
    if (count > SIGNATURE_KEYS_MAX) {
        return command_usage(call, "--key: at most %u at a time", SIGNATURE_KEYS_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        struct key_file *key = &keys->keys[i];
        if (key_file_read(key, call, paths[i], KEY_FILE_TRUST) != 0) {
            return COMMAND_FAILED;
        }
        keys->count++;
        if (key_file_strong(key, command_flag(call, "weak")) != 0) {
            return COMMAND_FAILED;
        }
    }
    return COMMAND_GOOD;
}

void signature_keys_close(struct signature_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        key_file_close(&keys->keys[i]);
    }
    keys->count = 0;
}

size_t signature_keys_rsa_len(const struct signature_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        if (keys->keys[i].public_key.type == OTA_KEY_RSA) {
            return keys->keys[i].public_key.len;
        }
    }
    return 0;
}

/* --- checking ------------------------------------------------------------------------------- */

static void check_v2(const struct signature_found *found, const struct signature_keys *keys,
                     struct signature_verdict *verdict)
{
    for (unsigned i = 0; i < OTA_SECURE_BLOCKS_MAX; i++) {
        const struct signature_block *block = &found->blocks[i];
        for (size_t j = 0; block->is_decoded && j < keys->count; j++) {
            const struct key_file *key = &keys->keys[j];
            if (!key->has_digest ||
                memcmp(key->digest, block->block.key_digest, OTA_SHA256_SIZE) != 0) {
                continue;
            }
            verdict->err = block->err;
            if (block->err == OTA_OK) {
                verdict->key = key;
                verdict->block = i;
                return;
            }
        }
    }
}

static void check_v1(const struct signature_found *found, const struct signature_keys *keys,
                     struct signature_verdict *verdict)
{
    for (size_t i = 0; i < keys->count && verdict->key == NULL; i++) {
        const struct key_file *key = &keys->keys[i];
        if (key->public_key.type == OTA_KEY_P256) {
            verdict->err = ota_secure_boot_v1_verify(found->bytes, found->sha256, &key->public_key,
                                                     &ota_verify_p256_openssl);
            verdict->key = verdict->err == OTA_OK ? key : NULL;
        }
    }
}

static void check_arduino(const struct signature_found *found, const struct signature_keys *keys,
                          struct signature_verdict *verdict)
{
    for (size_t i = 0; i < keys->count && verdict->key == NULL; i++) {
        const struct key_file *key = &keys->keys[i];
        const struct ota_public_key *own = &key->public_key;
        if (own->type != OTA_KEY_RSA || own->len != found->len) {
            continue;
        }
        verdict->err =
            ota_verify_rsa_pkcs1_openssl.verify(own, found->sha256, found->bytes, found->len);
        verdict->is_legacy = verdict->err == OTA_ERR_SIGNATURE &&
                             ota_verify_rsa_pkcs1_raw_openssl.verify(
                                 own, found->sha256, found->bytes, found->len) == OTA_OK;
        if (verdict->is_legacy) {
            verdict->err = OTA_OK;
        }
        verdict->key = verdict->err == OTA_OK ? key : NULL;
    }
}

struct signature_verdict signature_check(const struct signature_found *found,
                                         const struct signature_keys *keys)
{
    struct signature_verdict verdict = {.err = OTA_ERR_SIGNATURE_KEY};
    switch (found->kind) {
    case SIGNATURE_V2:
        check_v2(found, keys, &verdict);
        break;
    case SIGNATURE_V1:
        check_v1(found, keys, &verdict);
        break;
    case SIGNATURE_ARDUINO:
        check_arduino(found, keys, &verdict);
        break;
    case SIGNATURE_NONE:
        verdict.err = OTA_ERR_SIGNATURE_MISSING;
        break;
    }
    return verdict;
}

/* --- saying it ------------------------------------------------------------------------------ */

const char *signature_block_state(const struct signature_block *block)
{
    return block->err == OTA_OK ? "ok" : block->err == OTA_ERR_KEY ? "not checked here" : "wrong";
}

/* The digests of the keys that the blocks carry, with how they stand if they are not right. */
static char *digests_of(const struct signature_found *found)
{
    char *all = output_copy("");
    for (unsigned i = 0; i < OTA_SECURE_BLOCKS_MAX; i++) {
        if (!found->blocks[i].is_decoded) {
            continue;
        }
        char text[2 * OTA_SHA256_SIZE + 1];
        hex_of(found->blocks[i].block.key_digest, OTA_SHA256_SIZE, text);
        const char *state = signature_block_state(&found->blocks[i]);
        const bool is_good = found->blocks[i].err == OTA_OK;
        char *longer = output_format("%s%s%s%s%s%s", all, all[0] != 0 ? ", " : "", text,
                                     is_good ? "" : " (", is_good ? "" : state, is_good ? "" : ")");
        free(all);
        all = longer;
    }
    return all;
}

static const char *plural(const char *digests)
{
    return strchr(digests, ',') != NULL ? "s" : "";
}

static int fail_key(const char *name, const struct signature_found *found,
                    const struct signature_keys *keys)
{
    char text[SIGNATURE_TEXT_SIZE];
    const char *of = keys->count == 1 ? keys->keys[0].name : "any of the keys given";
    if (found->kind != SIGNATURE_V2) {
        return fail("%s: is signed (%s) in a way that %s cannot have done: it is a key of another "
                    "kind or length",
                    name, signature_text(found, text), of);
    }
    char *digests = digests_of(found);
    int status = digests[0] == 0
                     ? fail("%s: its signature block is damaged; sign the image again", name)
                     : fail("%s: is not signed by %s but by the key digest%s %s", name, of,
                            plural(digests), digests);
    free(digests);
    return status;
}

int signature_fail(const char *name, const struct signature_found *found,
                   const struct signature_verdict *verdict, const struct signature_keys *keys)
{
    char text[SIGNATURE_TEXT_SIZE];
    switch (verdict->err) {
    case OTA_ERR_SIGNATURE_MISSING:
        return fail("%s: is not signed; \"updraft image sign\" does that", name);
    case OTA_ERR_SIGNATURE_KEY:
        return fail_key(name, found, keys);
    case OTA_ERR_SIGNATURE:
        return fail("%s: the signature (%s) does not fit: the file was changed after it was "
                    "signed%s",
                    name, signature_text(found, text),
                    found->kind == SIGNATURE_V2 ? "" : ", or another key signed it");
    default:
        return fail("%s: the signature (%s) cannot be checked: %s", name,
                    signature_text(found, text), ota_err_text(verdict->err));
    }
}

char *signature_describe(const struct signature_found *found,
                         const struct signature_verdict *verdict)
{
    char text[SIGNATURE_TEXT_SIZE];
    const char *form = verdict->is_legacy ? ", in the form of cores up to 2.5.2" : "";
    char *by = found->kind == SIGNATURE_V2 ? digests_of(found) : NULL;
    char *description =
        verdict->key == NULL && by != NULL
            ? output_format("%s, by the key digest%s %s", signature_text(found, text), plural(by),
                            by)
        : verdict->key == NULL
            ? output_copy(signature_text(found, text))
            : output_format("%s%s, by %s", signature_text(found, text), form, verdict->key->name);
    free(by);
    return description;
}

static cJSON *block_json(const struct signature_block *block)
{
    cJSON *json = cJSON_CreateObject();
    char text[2 * OTA_SHA256_SIZE + 1];
    if (block->is_decoded) {
        cJSON_AddStringToObject(json, "algorithm", ota_signature_scheme_name(block->block.scheme));
        cJSON_AddStringToObject(json, "key_digest",
                                hex_of(block->block.key_digest, OTA_SHA256_SIZE, text));
    }
    cJSON_AddStringToObject(json, "state", signature_block_state(block));
    return json;
}

cJSON *signature_json(const struct signature_found *found)
{
    cJSON *list = cJSON_CreateArray();
    for (unsigned i = 0; i < OTA_SECURE_BLOCKS_MAX; i++) {
        if (found->kind == SIGNATURE_V2 && found->blocks[i].err != OTA_ERR_SIGNATURE_MISSING) {
            cJSON_AddItemToArray(list, block_json(&found->blocks[i]));
        }
    }
    return list;
}
