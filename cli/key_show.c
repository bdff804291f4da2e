/* SPDX-License-Identifier: Apache-2.0 */
/* `updraft key show FILE`: what a key is, and its public half in the forms that others want. */

#include "cli/commands.h"

#include <stdlib.h>
#include <string.h>

#include "cli/files.h"
#include "cli/key_file.h"
#include "cli/key_header.h"
#include "cli/output.h"
#include "cli/signing.h"
#include "server/hex.h"

/* --- what it is ----------------------------------------------------------------------------- */

static bool is_weak(const struct key_file *key)
{
    return ota_public_key_check(&key->public_key) != OTA_OK;
}

/* "arduino, arduino-legacy": the schemes that take the key. */
static char *schemes_of(const struct key_file *key)
{
    char *all = output_copy("");
    for (unsigned i = 0; i < SIGNING_SCHEMES; i++) {
        if (signing_verifier((enum signing_scheme)i, &key->public_key) != NULL) {
            char *longer = output_format("%s%s%s", all, all[0] != 0 ? ", " : "",
                                         signing_scheme_name((enum signing_scheme)i));
            free(all);
            all = longer;
        }
    }
    return all;
}

static void put(const char *label, const char *value)
{
    printf("  %s%-13s%s %s\n", output_begin(stdout, OUTPUT_DIM), label, output_end(stdout), value);
}

static void put_key(const struct key_file *key)
{
    char type[KEY_FILE_TYPE_SIZE];
    char hex[2 * OTA_SHA256_SIZE + 1];
    char safe[256];
    uint8_t fingerprint[OTA_SHA256_SIZE];
    printf("%s%s%s   %s, %s\n", output_begin(stdout, OUTPUT_BOLD),
           output_escape(key->name, safe, sizeof(safe)), output_end(stdout),
           key_file_type(&key->public_key, type), key->is_private ? "private" : "public");
    if (key->public_key.type == OTA_KEY_RSA) {
        snprintf(safe, sizeof(safe), "%lu", (unsigned long)key->public_key.exponent);
        put("exponent", safe);
    }
    if (key_file_fingerprint(key, fingerprint)) {
        put("fingerprint", hex_of(fingerprint, sizeof(fingerprint), hex));
    }
    if (key->has_digest) {
        put("fuse digest", hex_of(key->digest, sizeof(key->digest), hex));
    }
    char *schemes = schemes_of(key);
    put("signs", schemes[0] != 0 ? schemes : "nothing here");
    free(schemes);
    if (is_weak(key)) {
        printf("  %s%-13s%s boards refuse it unless their policy allows such keys\n",
               output_begin(stdout, OUTPUT_WARNING), "weak", output_end(stdout));
    }
}

static cJSON *key_json(const struct key_file *key)
{
    char text[2 * OTA_SHA256_SIZE + 1];
    uint8_t fingerprint[OTA_SHA256_SIZE];
    cJSON *json = cJSON_CreateObject();
    output_json_add_text(json, "file", key->name);
    cJSON_AddStringToObject(json, "type", key_file_type(&key->public_key, text));
    cJSON_AddBoolToObject(json, "private", key->is_private);
    cJSON_AddBoolToObject(json, "weak", is_weak(key));
    if (key->public_key.type == OTA_KEY_RSA) {
        cJSON_AddNumberToObject(json, "exponent", key->public_key.exponent);
    }
    if (key_file_fingerprint(key, fingerprint)) {
        cJSON_AddStringToObject(json, "fingerprint",
                                hex_of(fingerprint, sizeof(fingerprint), text));
    }
    if (key->has_digest) {
        cJSON_AddStringToObject(json, "fuse_digest",
                                hex_of(key->digest, sizeof(key->digest), text));
    }
    cJSON *schemes = cJSON_AddArrayToObject(json, "schemes");
    for (unsigned i = 0; i < SIGNING_SCHEMES; i++) {
        enum signing_scheme scheme = (enum signing_scheme)i;
        if (signing_verifier(scheme, &key->public_key) != NULL) {
            cJSON_AddItemToArray(schemes, cJSON_CreateString(signing_scheme_name(scheme)));
        }
    }
    return json;
}

/* --- its public half for others ------------------------------------------------------------- */

static int as_pem(const struct key_file *key, const char *path)
{
    char *pem = key_file_public_pem(key);
    if (pem == NULL) {
        return fail("%s: its public half cannot be had", key->name);
    }
    int status = files_write_atomically(path, pem, strlen(pem));
    free(pem);
    return status;
}

static int as_raw(const struct key_file *key, const char *path)
{
    if (key->public_key.type != OTA_KEY_P256) {
        return fail("%s: the raw form is for keys on P-256 (Secure Boot v1)", key->name);
    }
    return files_write_atomically(path, key->bytes + 1, key->public_key.len - 1);
}

static int give(const struct command_call *call, const struct key_file *key, const char *form)
{
    static const struct {
        const char *name;
        int (*write)(const struct key_file *key, const char *path);
    } forms[] = {{"pem", as_pem}, {"raw", as_raw}};
    const char *path = command_value(call, "output");
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (strcmp(form, forms[i].name) == 0) {
            return forms[i].write(key, path != NULL ? path : "-");
        }
    }
    return command_usage(call, "--as takes pem, raw or c, not \"%s\"", form);
}

/* The one form that takes several keys, or none. */
static int as_c(const struct command_call *call)
{
    const char *path = command_value(call, "output");
    const size_t count = command_count(call);
    struct key_file *keys = output_allocate((count + 1) * sizeof(*keys));
    size_t read = 0;
    while (read < count &&
           key_file_read(&keys[read], call, command_argument(call, read), KEY_FILE_PUBLIC) == 0) {
        read++;
    }
    int status =
        read == count ? key_header_write(keys, count, path != NULL ? path : "-") : COMMAND_FAILED;
    while (read > 0) {
        key_file_close(&keys[--read]);
    }
    free(keys);
    return status;
}

static int keep_keys(const struct command_call *call)
{
    int status = COMMAND_GOOD;
    for (size_t i = 0; status == COMMAND_GOOD && i < command_count(call); i++) {
        status = key_file_keep(command_argument(call, i), command_value(call, "output"));
    }
    return status;
}

static int run(const struct command_call *call)
{
    const char *form = command_value(call, "as");
    if (form == NULL && command_flag(call, "output")) {
        return command_usage(call, "--output needs --as");
    }
    if (form != NULL && command_flag(call, "json")) {
        return command_usage(call, "--as writes the public half itself: leave out --json");
    }
    if (keep_keys(call) != COMMAND_GOOD) {
        return COMMAND_FAILED;
    }
    if (form != NULL && strcmp(form, "c") == 0) {
        return as_c(call);
    }
    if (command_count(call) != 1) {
        return command_usage(call, "FILE: one key, unless it is --as c");
    }
    struct key_file key;
    if (key_file_read(&key, call, command_argument(call, 0), KEY_FILE_PUBLIC) != 0) {
        return COMMAND_FAILED;
    }
    int status = COMMAND_GOOD;
    if (form != NULL) {
        status = give(call, &key, form);
    } else if (command_flag(call, "json")) {
        status = output_json(key_json(&key));
    } else {
        put_key(&key);
    }
    key_file_close(&key);
    return status;
}

static const struct command_option options[] = {
    {"as", 0, "pem|raw|c", "write the public half instead: PEM, 64 raw bytes, or C for a firmware"},
    {"output", 'o', "FILE", "where that goes (default: standard output)"},
    KEY_FILE_PASSWORD_OPTION,
    COMMAND_OPTION_JSON,
    {0},
};

static const char *const examples[] = {
    "updraft key show signing.pem",
    "updraft key show signing.pem --as pem -o signing.pub.pem",
    "# for the firmware that is to trust them",
    "updraft key show signing.pem next.pem --as c -o updraft_signing_keys.h",
    NULL,
};

const struct command command_key_show = {
    .noun = "key",
    .verb = "show",
    .summary = "Show what a key is",
    .synopsis = "FILE...",
    .description =
        "Reads a private or a public key (PEM, DER, or the 64 raw bytes of a Secure Boot v1 key) "
        "and prints its type, what it signs, and its digests: the fingerprint is the SHA-256 of "
        "the public half as DER, the fuse digest is what a chip's fuses hold of it for Secure Boot "
        "v2. It prints nothing of the private half. - is standard input; a URI such as "
        "pkcs11:token=...;object=... reaches what p11-kit knows of.\n"
        "\n"
        "--as c writes a header with the public halves of all the keys named, or of none: "
        "UPDRAFT_SIGNING_KEYS is how many there are, updraft_signing_keys are they, and "
        "updraft_signing_digests their fuse digests.",
    .options = options,
    .examples = examples,
    .arguments_min = 0,
    .arguments_max = COMMAND_ANY,
    .run = run,
};
