/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROTO_DIGITS_H
#define PROTO_DIGITS_H

/* Digests as protocols write them: hexadecimal digits in lower case. */

#include <updraft/crypto.h>

/* Writes two digits for each byte, and the end of the string. */
void digits_put(char *digits, const uint8_t *bytes, size_t size);

/* Writes the digits of the digest of `len` bytes. */
void digits_of(enum ota_hash_algorithm algorithm, const void *data, size_t len, char *digits);

#endif
