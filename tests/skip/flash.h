/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKIP_FLASH_H
#define SKIP_FLASH_H

/*
 * What the bootloader finds in its flash: a table, otadata, and two slots, of which the second is
 * chosen and its image is bad.
 *
 *     flash_begin();
 *     flash_put_key(machine, form);
 *     flash_put_bad(machine->flash, form, FLASH_CHANGED, true);
 *     flash_end();
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "skip/machine.h"

#define FLASH_SLOT_SIZE 0x10000u
#define FLASH_SLOT(n) (0x10000u + FLASH_SLOT_SIZE * (n))

/* Which form of Secure Boot. */
enum flash_form {
    FLASH_V1,
    FLASH_V2
};

/* What is wrong with the image that is chosen. */
enum flash_bad {
    FLASH_UNSIGNED,
    FLASH_STRANGER, /* signed by another key */
    FLASH_CHANGED,  /* with the signature of another image */
    FLASH_BADS
};

/* Makes the keys, the trusted and the other; forgets them. */
void flash_begin(void);
void flash_end(void);

/* Puts the trusted key into the bootloader. */
void flash_put_key(struct machine *machine, enum flash_form form);

/* `other_is_good`: the first slot's image is; else that slot is blank. */
void flash_put_bad(uint8_t *flash, enum flash_form form, enum flash_bad bad, bool other_is_good);

/* A good image of `size` bytes, of the first form, in one slot with more room. Returns its
   length. */
size_t flash_put_large(uint8_t *flash, uint32_t size);

#endif
