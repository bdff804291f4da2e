/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PORTS_POSIX_EBOOT_H
#define UPDRAFT_PORTS_POSIX_EBOOT_H

/*
 * What eboot does on an ESP8266, weaknesses and all (docs/formats/eboot.md sections 3 to 5): it
 * copies what it is told to, proves nothing, and forgets its command when power fails.
 */

#include <updraft/eboot.h>
#include <updraft/flash.h>

/* What eboot prints behind "cp:". */
enum eboot_result {
    EBOOT_DONE = 0,
    EBOOT_ALIGNMENT = 1,
    EBOOT_ERASE = 2,
    EBOOT_READ = 3,
    EBOOT_WRITE = 4,
    EBOOT_GZIP_HEADER = 5,
    EBOOT_INFLATE = 6,
    EBOOT_NO_ACTION = 9, /* the command's action is none */
};

/* Carries out a command: a copy, inflated if it is gzip; OTA_EBOOT_LOAD is nothing to be done. */
enum eboot_result eboot_carry_out(struct ota_flash *flash, const struct ota_eboot_command *command);

#endif
