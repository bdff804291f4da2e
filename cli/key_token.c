/* SPDX-License-Identifier: Apache-2.0 */
/* From a URI to a session in which the key can sign; p11-kit knows the modules and the URI. */

#include "cli/key_token.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>

#include "cli/files.h"
#include "cli/key_object.h"
#include "cli/output.h"

#define PIN_MAX 256
#define SLOTS_MAX 64u
#define TERMS_MAX 16u /* attributes in the URI, and the class */

struct key_token {
    const char *uri;
    P11KitUri *parsed;
    CK_FUNCTION_LIST **modules; /* ends with NULL */
    CK_FUNCTION_LIST *own[2];   /* the one that the URI names, if it does */
    CK_FUNCTION_LIST *module;   /* the key's */
    CK_SLOT_ID slot;
    CK_TOKEN_INFO info;
    CK_SESSION_HANDLE session;
    bool has_session;
    CK_OBJECT_HANDLE key; /* the private one */
    char pin[PIN_MAX];
};

static int fail_call(const struct key_token *token, const char *what, CK_RV rv)
{
    return fail("%s: %s: %s", token->uri, what, p11_kit_strerror(rv));
}

bool key_token_is_uri(const char *name)
{
    return strncmp(name, "pkcs11:", strlen("pkcs11:")) == 0;
}

/* --- the modules ---------------------------------------------------------------------------- */

static int load_modules(struct key_token *token)
{
    const char *path = p11_kit_uri_get_module_path(token->parsed);
    if (path == NULL) {
        token->modules = p11_kit_modules_load_and_initialize(0);
        return token->modules != NULL ? 0 : fail("%s: %s", token->uri, p11_kit_message());
    }
    token->own[0] = p11_kit_module_load(path, P11_KIT_MODULE_CRITICAL);
    if (token->own[0] == NULL) {
        return fail("%s: the module %s cannot be loaded", token->uri, path);
    }
    CK_RV rv = p11_kit_module_initialize(token->own[0]);
    if (rv != CKR_OK) {
        p11_kit_module_release(token->own[0]);
        token->own[0] = NULL;
        return fail_call(token, "its module does not start", rv);
    }
    token->modules = token->own;
    return 0;
}

static void release_modules(struct key_token *token)
{
    if (token->own[0] != NULL) {
        p11_kit_module_finalize(token->own[0]);
        p11_kit_module_release(token->own[0]);
    } else if (token->modules != NULL) {
        p11_kit_modules_finalize_and_release(token->modules);
    }
}

/* --- the token ------------------------------------------------------------------------------ */

static bool find_slot_of(struct key_token *token, CK_FUNCTION_LIST *module)
{
    CK_SLOT_ID slots[SLOTS_MAX];
    CK_ULONG count = SLOTS_MAX;
    if (module->C_GetSlotList(CK_TRUE, slots, &count) != CKR_OK) {
        return false;
    }
    for (CK_ULONG i = 0; i < count; i++) {
        if (module->C_GetTokenInfo(slots[i], &token->info) == CKR_OK &&
            p11_kit_uri_match_token_info(token->parsed, &token->info) != 0) {
            token->module = module;
            token->slot = slots[i];
            return true;
        }
    }
    return false;
}

static int find_slot(struct key_token *token)
{
    for (CK_FUNCTION_LIST **module = token->modules; *module != NULL; module++) {
        if (find_slot_of(token, *module)) {
            return 0;
        }
    }
    return fail("%s: no such token is there; \"p11-kit list-tokens\" says which are", token->uri);
}

/* "pin-source=/run/pin", or "file:/run/pin": its first line. */
static int read_pin(struct key_token *token, const char *source)
{
    struct files_content content;
    const char *path = strncmp(source, "file:", 5) == 0 ? source + 5 : source;
    if (files_read(path, PIN_MAX - 1, &content) != 0) {
        return 1;
    }
    const uint8_t *end = memchr(content.data, '\n', content.size);
    const size_t len = end != NULL ? (size_t)(end - content.data) : content.size;
    memcpy(token->pin, content.data, len);
    token->pin[len] = '\0';
    OPENSSL_cleanse(content.data, content.size);
    files_release(&content);
    return 0;
}

static int get_pin(struct key_token *token)
{
    const char *value = p11_kit_uri_get_pin_value(token->parsed);
    const char *source = p11_kit_uri_get_pin_source(token->parsed);
    if (value != NULL) {
        snprintf(token->pin, sizeof(token->pin), "%s", value);
        return 0;
    }
    if (source != NULL) {
        return read_pin(token, source);
    }
    char *label = output_format("PIN of %.32s: ", (const char *)token->info.label);
    int status = EVP_read_pw_string(token->pin, sizeof(token->pin), label, 0);
    free(label);
    return status == 0
               ? 0
               : fail("%s: wants a PIN; give it with ?pin-source=FILE behind the URI", token->uri);
}

/* Logs in as its user, or, of a key that asks for it at each signature, once more. */
static int log_in(struct key_token *token, CK_USER_TYPE user)
{
    CK_UTF8CHAR *pin = (CK_UTF8CHAR *)token->pin;
    CK_ULONG len = strlen(token->pin);
    if ((token->info.flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0) {
        pin = NULL; /* typed in at the token */
        len = 0;
    }
    CK_RV rv = token->module->C_Login(token->session, user, pin, len);
    return rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN
               ? 0
               : fail_call(token, "the token does not let us in", rv);
}

static int open_session(struct key_token *token, bool wants_private)
{
    CK_RV rv =
        token->module->C_OpenSession(token->slot, CKF_SERIAL_SESSION, NULL, NULL, &token->session);
    if (rv != CKR_OK) {
        return fail_call(token, "no session", rv);
    }
    token->has_session = true;
    if (!wants_private || (token->info.flags & CKF_LOGIN_REQUIRED) == 0) {
        return 0;
    }
    bool by_itself = (token->info.flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0;
    return (by_itself ? 0 : get_pin(token)) != 0 ? 1 : log_in(token, CKU_USER);
}

/* --- the key -------------------------------------------------------------------------------- */

/* Finds the object of this class that the URI describes. Returns false if there is none. */
static bool find_object(const struct key_token *token, CK_OBJECT_CLASS class,
                        CK_OBJECT_HANDLE *object)
{
    CK_ATTRIBUTE terms[TERMS_MAX];
    CK_ULONG named = 0;
    CK_ULONG count = 0;
    CK_ULONG found = 0;
    const CK_ATTRIBUTE *given = p11_kit_uri_get_attributes(token->parsed, &named);
    terms[count++] = (CK_ATTRIBUTE){CKA_CLASS, &class, sizeof(class)};
    for (CK_ULONG i = 0; i < named && count < TERMS_MAX; i++) {
        if (given[i].type != CKA_CLASS) { /* type=private means its public half, too */
            terms[count++] = given[i];
        }
    }
    CK_FUNCTION_LIST *module = token->module;
    if (module->C_FindObjectsInit(token->session, terms, count) != CKR_OK) {
        return false;
    }
    bool good = module->C_FindObjects(token->session, object, 1, &found) == CKR_OK && found == 1;
    (void)module->C_FindObjectsFinal(token->session);
    return good;
}

static int find_key(struct key_token *token, bool wants_private, EVP_PKEY **public_half)
{
    CK_OBJECT_HANDLE object;
    if (wants_private && !find_object(token, CKO_PRIVATE_KEY, &token->key)) {
        return fail("%s: the token has no such private key", token->uri);
    }
    bool is_there = find_object(token, CKO_PUBLIC_KEY, &object);
    if (!is_there && wants_private) {
        object = token->key; /* of RSA it tells the public half as well */
        is_there = true;
    }
    *public_half = is_there ? key_object_public(token->module, token->session, object) : NULL;
    return *public_half != NULL
               ? 0
               : fail("%s: the token has no public key of that name that images are signed with "
                      "(RSA, P-256, P-384)",
                      token->uri);
}

static int open_all(struct key_token *token, bool wants_private, EVP_PKEY **public_half)
{
    int parsed =
        p11_kit_uri_parse(token->uri, P11_KIT_URI_FOR_OBJECT_ON_TOKEN_AND_MODULE, token->parsed);
    if (parsed != P11_KIT_URI_OK) {
        return fail("%s: %s", token->uri, p11_kit_uri_message(parsed));
    }
    return load_modules(token) != 0 || find_slot(token) != 0 ||
           open_session(token, wants_private) != 0 ||
           find_key(token, wants_private, public_half) != 0;
}

struct key_token *key_token_open(const char *uri, bool wants_private, EVP_PKEY **public_half)
{
    struct key_token *token = output_allocate(sizeof(*token));
    memset(token, 0, sizeof(*token));
    token->uri = uri;
    token->parsed = p11_kit_uri_new();
    if (token->parsed == NULL || open_all(token, wants_private, public_half) != 0) {
        key_token_close(token);
        return NULL;
    }
    return token;
}

void key_token_close(struct key_token *token)
{
    if (token == NULL) {
        return;
    }
    if (token->has_session) {
        (void)token->module->C_CloseSession(token->session);
    }
    release_modules(token);
    p11_kit_uri_free(token->parsed);
    OPENSSL_cleanse(token->pin, sizeof(token->pin));
    free(token);
}

int key_token_sign(struct key_token *token, enum ota_signature_scheme scheme, const uint8_t *digest,
                   uint8_t signature[OTA_RSA_SIZE_MAX], size_t *len)
{
    struct key_object_work work;
    CK_FUNCTION_LIST *module = token->module;
    CK_ULONG made = OTA_RSA_SIZE_MAX;
    key_object_work(scheme, digest, &work);
    CK_RV rv = module->C_SignInit(token->session, &work.mechanism, token->key);
    if (rv == CKR_OK && key_object_asks_again(module, token->session, token->key) &&
        log_in(token, CKU_CONTEXT_SPECIFIC) != 0) {
        return 1;
    }
    if (rv == CKR_OK) {
        rv = module->C_Sign(token->session, work.data, work.len, signature, &made);
    }
    *len = made;
    return rv == CKR_OK ? 0 : fail_call(token, "the token does not sign", rv);
}
