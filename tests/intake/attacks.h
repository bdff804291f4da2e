/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INTAKE_ATTACKS_H
#define INTAKE_ATTACKS_H

/* The attack table: what is sent to a device by someone who means it ill, and the error with which it is
   refused, whatever signature is demanded. DESIGN.md, "Attacks", has it for reading. */

#include "intake/attack_files.h"

struct attack {
    const char *name;
    void (*make)(void);               /* fills attack_file */
    enum ota_err err[VICTIM_DEMANDS]; /* OTA_OK: no attack on such a device */
    enum who trusted;                 /* whom the device trusts; 0: MAKER */
};

extern const struct attack attacks[];
extern const size_t attack_count;

extern struct victim attack_victim;

#endif
