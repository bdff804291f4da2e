/* SPDX-License-Identifier: Apache-2.0 */
/* `updraft image sign FILE`: a signature by keys at hand, or by one that stays elsewhere. */

#include "cli/commands.h"

#include <stdlib.h>
#include <string.h>

#include "cli/files.h"
#include "cli/key_file.h"
#include "cli/output.h"
#include "cli/signed_file.h"
#include "cli/signing.h"
#include "cli/signing_layout.h"
#include "server/hex.h"

#define SIGNERS_MAX OTA_SECURE_BLOCKS_MAX

/* One who signs: a private key, or a public one with the signature that it has made elsewhere. */
struct signer {
    struct key_file key;
    const struct ota_verifier *verifier;
    const char *signature_path; /* NULL: the key signs here */
    struct signing_signature signature;
};

struct request {
    const struct command_call *call;
    enum signing_scheme scheme;
    struct signer signers[SIGNERS_MAX];
    size_t count;
    bool only_digest;
    struct signed_file file;
    struct signing_layout layout;
};

/* Each step returns COMMAND_GOOD, or another status after a message. */

/* --- who signs ------------------------------------------------------------------------------ */

static int add_signer(struct request *request, const char *path, const char *signature_path)
{
    struct signer *signer = &request->signers[request->count];
    enum key_file_use use =
        signature_path != NULL || request->only_digest ? KEY_FILE_PUBLIC : KEY_FILE_PRIVATE;
    if (key_file_keep(path, command_value(request->call, "output")) != 0 ||
        key_file_read(&signer->key, request->call, path, use) != 0) {
        return COMMAND_FAILED;
    }
    request->count++;
    signer->signature_path = signature_path;
    signer->verifier = signing_verifier(request->scheme, &signer->key.public_key);
    if (signer->verifier == NULL) {
        return signing_fail_key(request->scheme, &signer->key);
    }
    return key_file_strong(&signer->key, command_flag(request->call, "weak"));
}

static bool is_secure_boot(enum signing_scheme scheme)
{
    return scheme == SIGNING_V1 || scheme == SIGNING_V2;
}

static int read_scheme(struct request *request)
{
    const struct command_call *call = request->call;
    const char *name = command_value(call, "scheme");
    if (name == NULL) {
        return command_usage(call, "--scheme is missing: " SIGNING_SCHEME_LIST);
    }
    request->scheme = signing_scheme_parse(name);
    if (request->scheme == SIGNING_SCHEMES) {
        return command_usage(call, "--scheme takes " SIGNING_SCHEME_LIST ", not \"%s\"", name);
    }
    /* Its signature must be directly behind the image, where the one before would be. */
    if (is_secure_boot(request->scheme) && command_flag(call, "again") &&
        !command_flag(call, "data")) {
        return command_usage(call,
                             "--again is not for an image and Secure Boot: take its signature "
                             "off with \"updraft image strip\"%s",
                             request->scheme == SIGNING_V2 ? ", or add to it with --append" : "");
    }
    return COMMAND_GOOD;
}

static int read_signers(struct request *request)
{
    const struct command_call *call = request->call;
    const char *const *keys;
    const char *const *publics;
    const char *const *signatures;
    size_t key_count = command_values(call, "key", &keys);
    size_t public_count = command_values(call, "public-key", &publics);
    size_t signature_count = command_values(call, "signature", &signatures);
    size_t count = key_count + public_count;
    size_t most = request->scheme == SIGNING_V2 ? SIGNERS_MAX : 1;
    request->only_digest = command_flag(call, "digest");
    if (request->only_digest ? signature_count > 0 || key_count > 0 || count > 1
                             : public_count != signature_count) {
        return command_usage(call, request->only_digest
                                       ? "--digest takes no --key and no --signature, and at most "
                                         "one --public-key"
                                       : "each --signature needs the --public-key of its signer");
    }
    if (!request->only_digest && count == 0) {
        return command_usage(call, "--key is missing, or --signature and --public-key");
    }
    if (count > most) {
        return command_usage(call, most == 1 ? "--key: this scheme has one signature"
                                             : "--key: there is room for three signatures");
    }
    int status = COMMAND_GOOD;
    for (size_t i = 0; status == COMMAND_GOOD && i < key_count; i++) {
        status = add_signer(request, keys[i], NULL);
    }
    for (size_t i = 0; status == COMMAND_GOOD && i < public_count; i++) {
        status = add_signer(request, publics[i], request->only_digest ? NULL : signatures[i]);
    }
    return status;
}

/* --- what is signed ------------------------------------------------------------------------- */

static bool is_of_scheme(enum signature_kind kind, enum signing_scheme scheme)
{
    return kind == SIGNATURE_V2   ? scheme == SIGNING_V2
           : kind == SIGNATURE_V1 ? scheme == SIGNING_V1
                                  : scheme == SIGNING_ARDUINO || scheme == SIGNING_ARDUINO_LEGACY;
}

/* What was signed before is signed once more only by a further block of Secure Boot v2. */
static int check_signed(struct request *request)
{
    const struct signature_found *found = request->file.found;
    const struct command_call *call = request->call;
    bool append = command_flag(call, "append");
    char text[SIGNATURE_TEXT_SIZE];
    if (append && request->scheme != SIGNING_V2) {
        return command_usage(call, "--append is for secure-boot-v2 only");
    }
    if (append && found->kind == SIGNATURE_V2) {
        return COMMAND_GOOD;
    }
    /* Other data has no structure by which a signature could be told for certain. */
    bool is_signed = found->kind != SIGNATURE_NONE &&
                     (request->file.image_len != 0 || is_of_scheme(found->kind, request->scheme));
    if (!is_signed || command_flag(call, "again")) {
        return COMMAND_GOOD;
    }
    return fail("%s: is signed already (%s); take that off with \"updraft image strip\"%s",
                request->file.name, signature_text(found, text),
                found->kind == SIGNATURE_V2 && request->scheme == SIGNING_V2
                    ? ", or add to it with --append"
                    : "");
}

static int read_input(struct request *request)
{
    const struct command_call *call = request->call;
    struct signed_file *file = &request->file;
    size_t rsa_len = request->count > 0 && request->signers[0].key.public_key.type == OTA_KEY_RSA
                         ? request->signers[0].key.public_key.len
                         : 0;
    bool is_data = command_flag(call, "data");
    if (signed_file_open(file, command_argument(call, 0), is_data, rsa_len) != 0) {
        return COMMAND_FAILED;
    }
    if (is_secure_boot(request->scheme) && !is_data && !file->has_secure_boot) {
        return file->is_gzip
                   ? fail("%s: is compressed, and Secure Boot's signature is a part of the image: "
                          "sign first, compress then",
                          file->name)
                   : fail("%s: Secure Boot is for images of the ESP32 family; use arduino",
                          file->name);
    }
    return check_signed(request);
}

/* --- the signatures ------------------------------------------------------------------------- */

static int lay_out(struct request *request)
{
    request->layout = (struct signing_layout){.scheme = request->scheme,
                                              .file = &request->file,
                                              .append = command_flag(request->call, "append")};
    return signing_layout_begin(&request->layout);
}

/* How one who signs elsewhere is to do so. */
static const char *way_to_sign(enum ota_signature_scheme scheme)
{
    switch (scheme) {
    case OTA_SIGNATURE_RSA_PSS:
        return "by RSA-PSS with SHA-256 and a salt of 32 bytes";
    case OTA_SIGNATURE_RSA_PKCS1:
        return "by RSA with the padding of PKCS #1 v1.5 that names SHA-256";
    case OTA_SIGNATURE_RSA_PKCS1_RAW:
        return "by RSA with the padding of PKCS #1 v1.5 that names no hash";
    default:
        return "by ECDSA";
    }
}

static int make_signature(const struct request *request, struct signer *signer)
{
    const uint8_t *digest = signing_layout_digest(&request->layout, signer->verifier);
    if (signer->signature_path == NULL) {
        return signing_sign(signer->verifier, &signer->key, digest, &signer->signature);
    }
    if (signing_read(signer->signature_path, &signer->key.public_key, &signer->signature) != 0) {
        return COMMAND_FAILED;
    }
    enum ota_err err = signer->verifier->verify(&signer->key.public_key, digest,
                                                signer->signature.bytes, signer->signature.len);
    return err == OTA_OK ? COMMAND_GOOD
                         : fail("%s: is no signature of %s by %s; sign what --digest prints, %s",
                                files_name(signer->signature_path), request->file.name,
                                signer->key.name, way_to_sign(signer->verifier->scheme));
}

/* --- the result ----------------------------------------------------------------------------- */

static cJSON *result_json(const struct request *request)
{
    cJSON *json = cJSON_CreateObject();
    char text[2 * OTA_SHA256_SIZE + 1];
    output_json_add_text(json, "file", request->file.name);
    cJSON_AddStringToObject(json, "scheme", signing_scheme_name(request->scheme));
    cJSON_AddNumberToObject(json, "signed_bytes", (double)request->layout.data_len);
    cJSON_AddStringToObject(json, "sha256", hex_of(request->layout.sha256, OTA_SHA256_SIZE, text));
    cJSON *signers = cJSON_AddArrayToObject(json, "signed_by");
    for (size_t i = 0; i < request->count; i++) {
        const struct key_file *key = &request->signers[i].key;
        cJSON *signer = cJSON_CreateObject();
        output_json_add_text(signer, "key", key->name);
        cJSON_AddStringToObject(signer, "type", key_file_type(&key->public_key, text));
        if (request->scheme == SIGNING_V2) {
            cJSON_AddStringToObject(signer, "key_digest",
                                    hex_of(key->digest, OTA_SHA256_SIZE, text));
        }
        cJSON_AddItemToArray(signers, signer);
    }
    return json;
}

/* Says what was done, unless the image itself has gone to standard output. */
static int report(const struct request *request, const char *output)
{
    if (strcmp(output, "-") == 0) {
        return COMMAND_GOOD;
    }
    if (command_flag(request->call, "json")) {
        return output_json(result_json(request));
    }
    char safe[256];
    for (size_t i = 0; i < request->count; i++) {
        const struct key_file *key = &request->signers[i].key;
        char type[KEY_FILE_TYPE_SIZE];
        char digest[2 * OTA_SHA256_SIZE + 1] = "";
        bool has_digest = request->scheme == SIGNING_V2;
        if (has_digest) {
            hex_of(key->digest, OTA_SHA256_SIZE, digest);
        }
        printf("signed  %s: %s, %s%s%s\n", output_escape(output, safe, sizeof(safe)),
               signing_scheme_name(request->scheme), key_file_type(&key->public_key, type),
               has_digest ? ", key digest " : "", digest);
    }
    return COMMAND_GOOD;
}

static int print_digest(const struct request *request, const char *algorithm, const char *digits)
{
    if (!command_flag(request->call, "json")) {
        printf("%s\n", digits);
        return COMMAND_GOOD;
    }
    cJSON *json = cJSON_CreateObject();
    output_json_add_text(json, "file", request->file.name);
    cJSON_AddStringToObject(json, "scheme", signing_scheme_name(request->scheme));
    cJSON_AddNumberToObject(json, "signed_bytes", (double)request->layout.data_len);
    cJSON_AddStringToObject(json, "algorithm", algorithm);
    cJSON_AddStringToObject(json, "digest", digits);
    return output_json(json);
}

static int give_digest(const struct request *request)
{
    const char *output = command_value(request->call, "output");
    bool is_384 = request->count > 0 && request->signers[0].verifier->hash == OTA_HASH_SHA384;
    const uint8_t *digest = is_384 ? request->layout.sha384 : request->layout.sha256;
    size_t len = is_384 ? OTA_SHA384_SIZE : OTA_SHA256_SIZE;
    char text[2 * OTA_SHA384_SIZE + 1];
    if (output != NULL) {
        return files_write_atomically(output, digest, len);
    }
    return print_digest(request, is_384 ? "sha384" : "sha256", hex_of(digest, len, text));
}

static int finish(struct request *request)
{
    const char *output = command_value(request->call, "output");
    if (request->only_digest) {
        return give_digest(request);
    }
    for (size_t i = 0; i < request->count; i++) {
        struct signer *signer = &request->signers[i];
        if (make_signature(request, signer) != COMMAND_GOOD ||
            signing_layout_add(&request->layout, &signer->key, signer->verifier,
                               &signer->signature) != 0) {
            return COMMAND_FAILED;
        }
    }
    const struct signing_layout *layout = &request->layout;
    if (files_write_atomically(output, layout->data, layout->data_len + layout->trailer_len) != 0) {
        return COMMAND_FAILED;
    }
    return report(request, output);
}

static int run(const struct command_call *call)
{
    static int (*const steps[])(struct request * request) = {
        read_scheme, read_signers, read_input, lay_out, finish,
    };
    if (command_value(call, "output") == NULL && !command_flag(call, "digest")) {
        return command_usage(call, "--output is missing; - is standard output");
    }
    struct request *request = output_allocate(sizeof(*request));
    memset(request, 0, sizeof(*request));
    request->call = call;
    int status = COMMAND_GOOD;
    for (size_t i = 0; status == COMMAND_GOOD && i < sizeof(steps) / sizeof(steps[0]); i++) {
        status = steps[i](request);
    }
    for (size_t i = 0; i < request->count; i++) {
        key_file_close(&request->signers[i].key);
    }
    signed_file_close(&request->file);
    signing_layout_end(&request->layout);
    free(request);
    return status;
}

static const struct command_option options[] = {
    {"scheme", 's', SIGNING_SCHEME_LIST, "how it is signed"},
    {"key", 'k', "FILE", "private key; up to three for secure-boot-v2"},
    KEY_FILE_PASSWORD_OPTION,
    {"output", 'o', "FILE", "where the signed image goes; - is standard output"},
    {"append", 0, NULL, "secure-boot-v2: add to the signatures that are there"},
    {"digest", 0, NULL,
     "sign nothing: print the digest that is to be signed, or write its bytes to FILE"},
    {"signature", 0, "FILE", "take a signature that was made elsewhere; may be repeated"},
    {"public-key", 0, "FILE", "who has made it; may be repeated, in the same order"},
    {"data", 0, NULL, "it is no firmware image but other data"},
    {"weak", 0, NULL, "allow RSA keys from 1024 bits on, and exponents from 3 on"},
    {"again", 0, NULL,
     "arduino schemes, or --data: sign what looks signed already, signature and all"},
    COMMAND_OPTION_JSON,
    {0},
};

static const char *const examples[] = {
    "updraft image sign sketch.bin --scheme arduino --key signing.pem -o sketch.signed.bin",
    "updraft image sign app.bin -s secure-boot-v2 -k first.pem -k second.pem -o app.signed.bin",
    "# with an ECDSA key (P-256, P-384) that stays where it is",
    "updraft image sign app.bin -s secure-boot-v2 --public-key pub.pem --digest -o digest.bin",
    "openssl pkeyutl -sign -inkey elsewhere.pem -in digest.bin -out signature.bin",
    "updraft image sign app.bin -s secure-boot-v2 --public-key pub.pem \\",
    "    --signature signature.bin -o app.signed.bin",
    "# the second line for an RSA key and secure-boot-v2",
    "openssl pkeyutl -sign -inkey elsewhere.pem -in digest.bin -out signature.bin \\",
    "    -pkeyopt rsa_padding_mode:pss -pkeyopt rsa_pss_saltlen:32 -pkeyopt digest:sha256",
    "# the second line for an RSA key and arduino",
    "openssl pkeyutl -sign -inkey elsewhere.pem -in digest.bin -out signature.bin \\",
    "    -pkeyopt digest:sha256",
    NULL,
};

const struct command command_image_sign = {
    .noun = "image",
    .verb = "sign",
    .summary = "Sign an image",
    .synopsis = "FILE",
    .description =
        "Signs a firmware image so that a board which holds the key takes it, and takes no other.\n"
        "\n"
        "arduino is the signed binary of the Arduino cores: an RSA signature and its length behind "
        "the file. It is also for compressed images, which are signed after they are compressed. "
        "arduino-legacy is the form of ESP8266 cores up to 2.5.2. secure-boot-v1 and "
        "secure-boot-v2 are those of the ESP32 family; v2 pads the image with 0xFF to a whole "
        "sector and puts up to three signatures behind it. \"updraft key new\" says which keys "
        "each "
        "takes.\n"
        "\n"
        "The key may stay in another place: --digest gives what is to be signed there (with P-384 "
        "SHA-384, which --public-key tells, else SHA-256), and --signature takes the result back. "
        "RSA signatures are PKCS #1 v1.5 for arduino, PSS with a salt of 32 bytes for "
        "secure-boot-v2; ECDSA ones are ASN.1 or r and s. A key in a token can be named by a URI "
        "such as pkcs11:token=maker;object=signing?pin-source=FILE.\n"
        "\n"
        "A signature that does not verify is never written. - is standard input or output.",
    .options = options,
    .examples = examples,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
