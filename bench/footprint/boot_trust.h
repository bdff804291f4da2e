/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FOOTPRINT_BOOT_TRUST_H
#define FOOTPRINT_BOOT_TRUST_H

#include <updraft/trust.h>

/* Whom the bootloader trusts. What checks a signature is BOOT_VERIFIER: the quick one, or the one for
   processors without long products, where it is smaller and no slower. */
extern const struct ota_trust boot_trust;

#endif
