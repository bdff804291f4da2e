/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/image_verdict.h"

#include <stdlib.h>

#include "cli/output.h"

/* --- saying it ------------------------------------------------------------------------------ */

static void say(const struct image_verdict *verdict, enum output_style style, const char *word,
                char *text)
{
    if (verdict->json == NULL) {
        char safe[512];
        printf("%s%-8s%s%s\n", output_begin(stdout, style), word, output_end(stdout),
               output_escape(text, safe, sizeof(safe)));
    } else if (style == OUTPUT_WARNING) {
        cJSON *warnings = cJSON_GetObjectItem(verdict->json, "warnings");
        cJSON_AddItemToArray(warnings, cJSON_CreateString(text));
    }
    free(text);
}

void image_say_good(const struct image_verdict *verdict, char *text)
{
    say(verdict, OUTPUT_GOOD, "ok", text);
}

void image_say_warning(const struct image_verdict *verdict, char *text)
{
    say(verdict, OUTPUT_WARNING, "warning", text);
}

/* --- the signature -------------------------------------------------------------------------- */

/* Whether one of the keys given has signed. */
static int check_signer(const struct image_verdict *verdict, const char *name,
                        const struct signature_found *found)
{
    struct signature_verdict signature = signature_check(found, verdict->keys);
    if (signature.err != OTA_OK) {
        return signature_fail(name, found, &signature, verdict->keys);
    }
    char *description = signature_describe(found, &signature);
    image_say_good(verdict, output_format("signature: %s", description));
    if (verdict->json != NULL) {
        output_json_add_text(verdict->json, "signed_by", signature.key->name);
    }
    free(description);
    if (signature.is_legacy) {
        image_say_warning(verdict,
                          output_copy("the signature has the form of ESP8266 cores up to 2.5.2; "
                                      "later ones refuse it"));
    }
    return COMMAND_GOOD;
}

/* What can be said without a key: whether Secure Boot's blocks fit the image and the keys
   in them. */
static int check_unknown_signer(const struct image_verdict *verdict, const char *name,
                                const struct signature_found *found)
{
    static const struct signature_keys none;
    struct signature_verdict signature = {.err = OTA_OK};
    bool fits = found->kind != SIGNATURE_V2;
    bool unknown = found->kind != SIGNATURE_V2;
    for (unsigned i = 0; i < OTA_SECURE_BLOCKS_MAX && found->kind == SIGNATURE_V2; i++) {
        fits = fits || found->blocks[i].err == OTA_OK;
        unknown = unknown || found->blocks[i].err == OTA_ERR_KEY;
    }
    if (!fits && !unknown) {
        signature.err = OTA_ERR_SIGNATURE;
        return signature_fail(name, found, &signature, &none);
    }
    char *description = signature_describe(found, &signature);
    if (found->kind == SIGNATURE_V2 && fits) {
        image_say_good(
            verdict, output_format("signature: %s; whether it is yours tells --key", description));
    } else {
        image_say_warning(verdict,
                          output_format("signed (%s), and that was not checked%s", description,
                                        fits ? ": give the public key with --key" : ""));
    }
    free(description);
    return COMMAND_GOOD;
}

int image_check_signature(const struct image_verdict *verdict, const char *name,
                          const struct signature_found *found)
{
    if (verdict->json != NULL) {
        char text[SIGNATURE_TEXT_SIZE];
        cJSON_AddStringToObject(verdict->json, "signature", signature_text(found, text));
        cJSON_AddItemToObject(verdict->json, "signatures", signature_json(found));
    }
    if (verdict->keys->count > 0) {
        return check_signer(verdict, name, found);
    }
    if (found->kind == SIGNATURE_NONE) {
        image_say_warning(verdict,
                          output_copy("not signed; a board that holds a key will refuse it"));
        return COMMAND_GOOD;
    }
    return check_unknown_signer(verdict, name, found);
}
