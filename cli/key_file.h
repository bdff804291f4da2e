/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_CLI_KEY_FILE_H
#define UPDRAFT_CLI_KEY_FILE_H

/*
 * Keys as people have them: private or public, PEM or DER, the 64 raw bytes of Secure Boot's first
 * version, or a URI of a key that stays in a token ("pkcs11:token=...", key_token.h). Whoever only
 * checks may also be given the 32 bytes of a key's digest.
 *
 *     struct key_file key;
 *     if (key_file_read(&key, call, path, KEY_FILE_PRIVATE) != 0) return COMMAND_FAILED;
 *     verifier->verify(&key.public_key, ...);
 *     key_file_close(&key);
 */

#include <stdbool.h>
#include <stdint.h>

#include <openssl/evp.h>

#include <updraft/signature.h>

#include "cli/command.h"
#include "cli/key_token.h"

enum key_file_use {
    KEY_FILE_PRIVATE, /* it must be a private key */
    KEY_FILE_PUBLIC,  /* either kind */
    KEY_FILE_TRUST,   /* or a digest: a file of its bytes, or its digits in place of a path */
};

struct key_file {
    const char *name;                 /* to print */
    EVP_PKEY *own;                    /* NULL for a digest alone; a token's: its public half */
    struct key_token *token;          /* where it stays, or NULL */
    struct ota_public_key public_key; /* as the library takes it; of no type for a digest alone */
    uint8_t bytes[OTA_RSA_SIZE_MAX];  /* what it points at */
    bool is_private;
    bool has_digest; /* below: a key that Secure Boot version 2 can use has one */
    uint8_t digest[OTA_SHA256_SIZE];
};

/* The password of keys that are encrypted, for each command that reads any: the option, and the
   environment variable beside it. */
#define KEY_FILE_PASSWORD_OPTION                                                             \
    {                                                                                        \
        "key-password-file", 0, "FILE",                                                      \
            "the password of encrypted keys is in the first line of this file; without it, " \
            "in " KEY_FILE_PASSWORD_ENV                                                      \
    }
#define KEY_FILE_PASSWORD_ENV "UPDRAFT_KEY_PASSWORD"

/* Reads the key at `path` ("-": standard input). One that is encrypted is opened by the password
   that the call or the environment gives, or a person at the terminal. Returns 0, or 1 after a
   message; there is nothing to close then. The key may be weak: key_file_strong tells. */
int key_file_read(struct key_file *key, const struct command_call *call, const char *path,
                  enum key_file_use use);

/* Refuses an output that would overwrite the key at `path`: nobody could get that back. `output`
   may be NULL or "-". Returns 0, or 1 after a message. */
int key_file_keep(const char *path, const char *output);

/* Takes over a key that is in memory already. As key_file_read. */
int key_file_adopt(struct key_file *key, const char *name, EVP_PKEY *own);
void key_file_close(struct key_file *key);

/* Says what is wrong with a key that is too weak to use, and lifts the library's limits for it if
   it is `allowed` all the same. Returns 0, or 1 after a message. */
int key_file_strong(struct key_file *key, bool allowed);

/* "RSA-3072", "P-256". */
#define KEY_FILE_TYPE_SIZE 16u
const char *key_file_type(const struct ota_public_key *key, char text[KEY_FILE_TYPE_SIZE]);

/* Return the public half, and the private one without a password, as PEM of SubjectPublicKeyInfo
   and PKCS#8. The caller frees the text, and wipes it. NULL if the key cannot be had (it stays in a
   token). */
char *key_file_public_pem(const struct key_file *key);
char *key_file_private_pem(const struct key_file *key);

/* Writes the SHA-256 of the public half's DER, by which other tools name a key. Returns false if it
   cannot be had. */
bool key_file_fingerprint(const struct key_file *key, uint8_t digest[OTA_SHA256_SIZE]);

/* Writes the private number of a curve's key, most significant byte first, as long as a coordinate.
   Returns its length, 0 if the key does not give it away. */
size_t key_file_scalar(const struct key_file *key, uint8_t scalar[OTA_SHA384_SIZE]);

#endif
