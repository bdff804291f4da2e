/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BOOT_PROVE_H
#define BOOT_PROVE_H

/* The proof of one image: whole, for this chip, and signed where that is demanded. */

#include <updraft/boot.h>

/* Proves the image in a slot, and leaves its region, its facts, and the traces of the proof in
   `boot`. Tells of what is wrong, and keeps the first failure of all: if nothing boots, it is the
   cause. Returns false if there is no such slot or its image is not to run. */
bool ota__boot_prove(struct ota_boot *boot, int slot, uint8_t *buffer, uint32_t buffer_size);

#endif
