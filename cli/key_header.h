/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_CLI_KEY_HEADER_H
#define UPDRAFT_CLI_KEY_HEADER_H

/*
 * The public halves of keys as C, for the firmware that is to trust them:
 *
 *     #define UPDRAFT_SIGNING_KEYS 1           how many there are
 *     updraft_signing_keys[]                   struct ota_public_key
 *     #define UPDRAFT_SIGNING_DIGESTS 1        how many of them Secure Boot v2 can use
 *     updraft_signing_digests[]                what it knows those by
 *
 * Without a key the numbers are 0 and the names are there all the same, so that a program is the same
 * with and without.
 */

#include <stddef.h>

#include "cli/key_file.h"

/* Writes the header. Returns 0, or 1 after a message. */
int key_header_write(const struct key_file *keys, size_t count, const char *path);

#endif
