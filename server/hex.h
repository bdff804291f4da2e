/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_SERVER_HEX_H
#define UPDRAFT_SERVER_HEX_H

#include <stddef.h>
#include <stdint.h>

/* Writes bytes as lower-case hex digits and returns `text`, which holds 2 * len + 1. */
const char *hex_of(const uint8_t *bytes, size_t len, char *text);

#endif
