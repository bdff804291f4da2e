/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_CLI_IMAGE_WRITER_PRIVATE_H
#define UPDRAFT_CLI_IMAGE_WRITER_PRIVATE_H

/* What the files of the image writer share. */

#include <stddef.h>
#include <stdint.h>

#define IMAGE_CHECKSUM_SEED 0xEFu
#define IMAGE_SEGMENT_HEADER 8u
#define IMAGE_ESP32_HEADER 24u

/* `sum` XOR each of the bytes. */
uint8_t image_xor(uint8_t sum, const uint8_t *data, size_t len);

#endif
