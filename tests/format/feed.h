/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORMAT_FEED_H
#define FORMAT_FEED_H

/* Bytes through the image check, in pieces of any size. */

#include <updraft/image.h>

#include "support/faults.h"
#include "support/forge.h"

/* Rules that take any ESP32-family app of up to 64 KB. */
struct ota_image_rules feed_rules(enum ota_image_form form);

/* Checks `len` bytes in pieces of `piece` bytes (0: pieces of pseudo-random length, by `seed`),
   with the faulty crypto backend. Returns what finish returns. */
enum ota_err feed(struct ota_image_check *check, const struct ota_image_rules *rules,
                  const uint8_t *bytes, uint32_t len, uint32_t piece, uint32_t seed);

/* Checks a forged image whole and byte by byte: both must end the same, with this error there. */
void feed_ends(const struct ota_image_rules *rules, const struct forge *forge, enum ota_err err,
               uint32_t offset);

#endif
