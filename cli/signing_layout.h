/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_CLI_SIGNING_LAYOUT_H
#define UPDRAFT_CLI_SIGNING_LAYOUT_H

/*
 * What a scheme signs of a file, and where it puts signatures (docs/formats/signatures.md).
 *
 *     struct signing_layout layout = {.scheme = SIGNING_V2, .file = &file};
 *     status = signing_layout_begin(&layout);
 *     sign signing_layout_digest(&layout, verifier) by each key, and
 *         status = signing_layout_add(&layout, &key, verifier, &signature);
 *     write layout.data, layout.data_len + layout.trailer_len bytes
 *     signing_layout_end(&layout);
 *
 * Functions that return int return 0, or 1 after a message.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/key_file.h"
#include "cli/signed_file.h"
#include "cli/signing.h"

struct signing_layout {
    enum signing_scheme scheme;
    const struct signed_file *file;
    bool append; /* V2: keep the blocks that are there */

    uint8_t *data; /* what is signed, with room for signatures behind it */
    size_t data_len;
    size_t trailer_len;
    uint8_t sha256[OTA_SHA256_SIZE];
    uint8_t sha384[OTA_SHA384_SIZE];
    size_t blocks; /* V2: how many there are, and whose */
    uint8_t signers[OTA_SECURE_BLOCKS_MAX][OTA_SHA256_SIZE];
};

/* Sets apart what is signed: Secure Boot v2 pads it; Secure Boot drops filler behind the image. */
int signing_layout_begin(struct signing_layout *layout);
void signing_layout_end(struct signing_layout *layout);

/* Returns the digest that this verifier's scheme is over. */
const uint8_t *signing_layout_digest(const struct signing_layout *layout,
                                     const struct ota_verifier *verifier);

/* Puts a signature behind the data, or, of Secure Boot v2, beside those that are there. */
int signing_layout_add(struct signing_layout *layout, const struct key_file *key,
                       const struct ota_verifier *verifier,
                       const struct signing_signature *signature);

#endif
