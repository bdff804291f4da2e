/* SPDX-License-Identifier: Apache-2.0 */
/* `updraft key new FILE`: a key to sign images with. */

#include "cli/commands.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>

#include "cli/files.h"
#include "cli/key_file.h"
#include "cli/output.h"

static const struct {
    const char *name;
    const char *curve; /* NULL: RSA */
    unsigned bits;
} kinds[] = {
    {"p256", "P-256", 256},  {"p384", "P-384", 384},  {"rsa2048", NULL, 2048},
    {"rsa3072", NULL, 3072}, {"rsa4096", NULL, 4096},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static EVP_PKEY *generate(size_t kind)
{
    return kinds[kind].curve != NULL ? EVP_EC_gen(kinds[kind].curve)
                                     : EVP_RSA_gen(kinds[kind].bits);
}

static int write_pem(const char *path, char *pem, bool is_secret)
{
    if (pem == NULL) {
        return fail("%s: the key could not be written as PEM", path);
    }
    size_t len = strlen(pem);
    int status = files_create(path, pem, len, is_secret);
    OPENSSL_cleanse(pem, len);
    free(pem);
    return status;
}

static int run(const struct command_call *call)
{
    const char *path = command_argument(call, 0);
    const char *public_path = command_value(call, "public");
    const char *wanted = command_value(call, "type");
    size_t kind = 0;
    while (wanted != NULL && kind < KINDS && strcmp(wanted, kinds[kind].name) != 0) {
        kind++;
    }
    if (kind == KINDS) {
        return command_usage(
            call, "--type takes p256, p384, rsa2048, rsa3072 or rsa4096, not \"%s\"", wanted);
    }
    if (!files_may_create(path) || (public_path != NULL && !files_may_create(public_path))) {
        return COMMAND_FAILED;
    }
    struct key_file key = {.is_private = true};
    EVP_PKEY *own = generate(kind);
    if (own == NULL) {
        return fail("%s: OpenSSL could not make a key", path);
    }
    if (key_file_adopt(&key, path, own) != 0) {
        return COMMAND_FAILED;
    }
    int status = write_pem(path, key_file_private_pem(&key), true);
    if (status == 0 && public_path != NULL) {
        status = write_pem(public_path, key_file_public_pem(&key), false);
    }
    key_file_close(&key);
    return status;
}

static const struct command_option options[] = {
    {"type", 't', "p256|p384|rsa2048|rsa3072|rsa4096", "kind of key (default p256)"},
    {"public", 0, "FILE", "write the public half too"},
    {0},
};

static const char *const examples[] = {
    "# for Arduino's signed binaries",
    "updraft key new signing.pem --type rsa2048 --public signing.pub.pem",
    "# for Secure Boot v2 on an ESP32-S3",
    "updraft key new secure_boot.pem --type rsa3072",
    NULL,
};

const struct command command_key_new = {
    .noun = "key",
    .verb = "new",
    .summary = "Make a key to sign images with",
    .synopsis = "FILE",
    .description =
        "Makes a private key and writes it as PEM (PKCS#8, without a password), to a file that "
        "only "
        "its owner may read. A file that is there already is never overwritten. - is standard "
        "output.\n"
        "\n"
        "Which key for which scheme: arduino and arduino-legacy take RSA of 2048 to 4096 bits, "
        "secure-boot-v1 takes p256, secure-boot-v2 takes rsa3072, p256 or p384, as the chip "
        "demands.\n"
        "\n"
        "Who has this file can make firmware that your boards take for yours; who loses it can "
        "make "
        "none any more. Keep it out of the sources, and a copy of it in a safe place.",
    .options = options,
    .examples = examples,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
