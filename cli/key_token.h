/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_CLI_KEY_TOKEN_H
#define UPDRAFT_CLI_KEY_TOKEN_H

/*
 * Keys that stay in a PKCS #11 token (an HSM, a smart card), named by a URI of RFC 7512:
 *
 *     pkcs11:token=maker;object=signing?pin-source=/run/pin
 *
 * Tokens are those of the modules that p11-kit knows of, or of the one that module-path names. The
 * PIN is the URI's pin-value, the first line of its pin-source, or asked for at the terminal.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#include <updraft/signature.h>

struct key_token;

/* Tells whether a key's name is such a URI. */
bool key_token_is_uri(const char *name);

/* Finds the key, logs in if it is to sign, and makes OpenSSL's key of its public half, which is then
   the caller's. `uri` is kept. Returns NULL after a message. */
struct key_token *key_token_open(const char *uri, bool wants_private, EVP_PKEY **public_half);

/* Signs a digest by the scheme. Writes RSA's bytes, or r and s, as struct ota_verifier has them, and
   their number. Returns 0, or 1 after a message. */
int key_token_sign(struct key_token *token, enum ota_signature_scheme scheme, const uint8_t *digest,
                   uint8_t signature[OTA_RSA_SIZE_MAX], size_t *len);

/* Logs out. Harmless on NULL. */
void key_token_close(struct key_token *token);

#endif
