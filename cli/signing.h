/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_CLI_SIGNING_H
#define UPDRAFT_CLI_SIGNING_H

/* The four ways in which images are signed, and the making of a signature. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <updraft/signature.h>

#include "cli/key_file.h"

enum signing_scheme {
    SIGNING_ARDUINO = 0,
    SIGNING_ARDUINO_LEGACY,
    SIGNING_V1,
    SIGNING_V2,
    SIGNING_SCHEMES /* how many */
};

#define SIGNING_SCHEME_LIST "arduino|arduino-legacy|secure-boot-v1|secure-boot-v2"

/* Reads "secure-boot-v2". Returns SIGNING_SCHEMES for what is none. */
enum signing_scheme signing_scheme_parse(const char *name);
const char *signing_scheme_name(enum signing_scheme scheme);

/* Returns what checks the scheme's signatures by this key (on OpenSSL); NULL if the scheme has no
   use for such a key. */
const struct ota_verifier *signing_verifier(enum signing_scheme scheme,
                                            const struct ota_public_key *key);

/* Says which keys the scheme takes, about one that it does not. Returns 1. */
int signing_fail_key(enum signing_scheme scheme, const struct key_file *key);

/* A signature, most significant byte first: RSA's number, or r and s. */
struct signing_signature {
    uint8_t bytes[OTA_RSA_SIZE_MAX];
    size_t len;
};

/* Signs the digest by a private key. A curve's signature is the same each time (RFC 6979), unless
   the key is in a token that does not give it away. Returns 0, or 1 after a message. */
int signing_sign(const struct ota_verifier *verifier, const struct key_file *key,
                 const uint8_t *digest, struct signing_signature *signature);

/* Reads a signature that was made elsewhere: RSA's bytes; ECDSA's as ASN.1 or as r and s. Returns
   0, or 1 after a message. */
int signing_read(const char *path, const struct ota_public_key *key,
                 struct signing_signature *signature);

#endif
