/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_CLI_HEATSHRINK_H
#define UPDRAFT_CLI_HEATSHRINK_H

/* Compression in the format of the heatshrink library (docs/formats/gzip.md section 5), for devices
   that unpack nothing else. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Returns the packed bytes, which the caller frees, and stores how many they are. The numbers of
   bits are possible ones (updraft/heatshrink.h); the same ones must be set in the device. */
uint8_t *heatshrink_pack(const uint8_t *data, size_t size, unsigned window_bits,
                         unsigned lookahead_bits, size_t *packed_size);

/* Tells whether a file that begins so is probably an app that was packed in this way. The format
   has no magic: it is told by the bits that an app's first byte becomes. */
bool heatshrink_is_packed(const uint8_t *data, size_t size);

#endif
