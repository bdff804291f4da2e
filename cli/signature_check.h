/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_CLI_SIGNATURE_CHECK_H
#define UPDRAFT_CLI_SIGNATURE_CHECK_H

/* Whether a signature that was found is by one of the keys that a person trusts. */

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#include "cli/command.h"
#include "cli/key_file.h"
#include "cli/signature_reader.h"

#define SIGNATURE_KEYS_MAX 16u

/* The keys that --key names. */
struct signature_keys {
    struct key_file keys[SIGNATURE_KEYS_MAX];
    size_t count;
};

/* Reads them; weak ones are refused unless --weak is given. Returns COMMAND_GOOD, or another status
   after a message. */
int signature_keys_read(const struct command_call *call, struct signature_keys *keys);
void signature_keys_close(struct signature_keys *keys);

/* Returns how many bytes the first RSA key among them has, 0 if there is none. */
size_t signature_keys_rsa_len(const struct signature_keys *keys);

struct signature_verdict {
    enum ota_err err;           /* OTA_OK: one of the keys has signed */
    const struct key_file *key; /* which; NULL if none */
    unsigned block;             /* V2: which block */
    bool is_legacy;             /* Arduino: in the form of cores up to 2.5.2 */
};

/* Checks the signature by the keys. Without a key that could have made it: OTA_ERR_SIGNATURE_KEY;
   without a signature: OTA_ERR_SIGNATURE_MISSING. */
struct signature_verdict signature_check(const struct signature_found *found,
                                         const struct signature_keys *keys);

/* Says what is wrong, in one sentence about the file `name`. Returns COMMAND_FAILED. */
int signature_fail(const char *name, const struct signature_found *found,
                   const struct signature_verdict *verdict, const struct signature_keys *keys);

/* "secure boot v2, ECDSA P-256, by the key digest f35c… (key.pem)". The caller frees it. */
char *signature_describe(const struct signature_found *found,
                         const struct signature_verdict *verdict);

/* The signature's parts, for JSON: an object for each block, or one. */
cJSON *signature_json(const struct signature_found *found);

/* What a block is worth by itself: "ok", "wrong", "not checked here". */
const char *signature_block_state(const struct signature_block *block);

#endif
