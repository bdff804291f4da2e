/* SPDX-License-Identifier: Apache-2.0 */
/* `updraft key digest FILE`: what is burned into a chip's fuses. */

#include "cli/commands.h"

#include <string.h>

#include <openssl/crypto.h>

#include "cli/digest.h"
#include "cli/files.h"
#include "cli/key_file.h"
#include "cli/output.h"
#include "cli/signing.h"
#include "server/hex.h"

/* Secure Boot v1's bootloader is bound to a chip by a symmetric key, for which the hash of the
   signing key's private number is taken. */
static int digest_v1(const struct key_file *key, uint8_t digest[OTA_SHA256_SIZE])
{
    uint8_t scalar[OTA_SHA384_SIZE];
    size_t len = key->public_key.type == OTA_KEY_P256 ? key_file_scalar(key, scalar) : 0;
    if (len == 0) {
        return fail("%s: Secure Boot v1 takes the digest of a private key on P-256", key->name);
    }
    bool good = digest_of(&ota_crypto_openssl, OTA_HASH_SHA256, scalar, len, digest);
    OPENSSL_cleanse(scalar, sizeof(scalar));
    return good ? 0 : fail("%s: %s", key->name, ota_err_text(OTA_ERR_CRYPTO));
}

static int digest_v2(const struct key_file *key, uint8_t digest[OTA_SHA256_SIZE])
{
    if (!key->has_digest) {
        return signing_fail_key(SIGNING_V2, key);
    }
    memcpy(digest, key->digest, OTA_SHA256_SIZE);
    return 0;
}

static int print_json(const struct key_file *key, const char *digits, bool is_secret)
{
    char type[KEY_FILE_TYPE_SIZE];
    cJSON *json = cJSON_CreateObject();
    output_json_add_text(json, "file", key->name);
    cJSON_AddStringToObject(json, "type", key_file_type(&key->public_key, type));
    cJSON_AddStringToObject(json, "scheme",
                            signing_scheme_name(is_secret ? SIGNING_V1 : SIGNING_V2));
    cJSON_AddBoolToObject(json, "secret", is_secret);
    cJSON_AddStringToObject(json, "digest", digits);
    return output_json(json);
}

static int give(const struct command_call *call, const struct key_file *key,
                const uint8_t digest[OTA_SHA256_SIZE], bool is_secret)
{
    const char *path = command_value(call, "output");
    char text[2 * OTA_SHA256_SIZE + 1];
    int status = COMMAND_GOOD;
    if (path != NULL) {
        return is_secret ? files_create(path, digest, OTA_SHA256_SIZE, true)
                         : files_write_atomically(path, digest, OTA_SHA256_SIZE);
    }
    hex_of(digest, OTA_SHA256_SIZE, text);
    if (command_flag(call, "json")) {
        status = print_json(key, text, is_secret);
    } else {
        printf("%s\n", text);
    }
    OPENSSL_cleanse(text, sizeof(text));
    return status;
}

static int run(const struct command_call *call)
{
    const char *name = command_value(call, "scheme");
    enum signing_scheme scheme = name != NULL ? signing_scheme_parse(name) : SIGNING_V2;
    if (scheme != SIGNING_V1 && scheme != SIGNING_V2) {
        return command_usage(call, "--scheme takes secure-boot-v1 or secure-boot-v2, not \"%s\"",
                             name);
    }
    bool is_secret = scheme == SIGNING_V1;
    struct key_file key;
    uint8_t digest[OTA_SHA256_SIZE];
    const char *path = command_argument(call, 0);
    if (key_file_keep(path, command_value(call, "output")) != 0 ||
        key_file_read(&key, call, path, is_secret ? KEY_FILE_PRIVATE : KEY_FILE_PUBLIC) != 0) {
        return COMMAND_FAILED;
    }
    int status = is_secret ? digest_v1(&key, digest) : digest_v2(&key, digest);
    if (status == 0) {
        status = give(call, &key, digest, is_secret);
    }
    key_file_close(&key);
    OPENSSL_cleanse(digest, sizeof(digest));
    return status;
}

static const struct command_option options[] = {
    {"scheme", 's', "secure-boot-v1|secure-boot-v2", "for which fuses (default secure-boot-v2)"},
    {"output", 'o', "FILE", "write the 32 bytes instead of printing them"},
    KEY_FILE_PASSWORD_OPTION,
    COMMAND_OPTION_JSON,
    {0},
};

static const char *const examples[] = {
    "updraft key digest secure_boot.pem",
    "updraft key digest secure_boot.pem -o digest.bin",
    "updraft image verify app.bin --key digest.bin",
    NULL,
};

const struct command command_key_digest = {
    .noun = "key",
    .verb = "digest",
    .summary = "Print what is burned into a chip's fuses",
    .synopsis = "FILE",
    .description =
        "Prints the digest of a key, in hexadecimal digits, or writes its 32 bytes to a file.\n"
        "\n"
        "For Secure Boot v2 it is the SHA-256 of the public key as it stands in a signature block; "
        "the private or the public key will do. The ESP32-C2 keeps its first 16 bytes.\n"
        "\n"
        "For Secure Boot v1 it is the SHA-256 of the private number, which an ESP32 uses as a "
        "symmetric key: a secret. Its file is made for the owner alone and never overwritten.",
    .options = options,
    .examples = examples,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
