/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PORTS_POSIX_ROM_SINGLE_H
#define UPDRAFT_PORTS_POSIX_ROM_SINGLE_H

/* The part of the virtual board's ROM for boards that run from one place. */

#include <updraft/boot.h>

#include "posix/board.h"
#include "posix/console.h"

/* Boots by the board's own bootloader: carries out the command in the flash, proves what is in the
   app's place. Tells the console what became of the command. Returns as ota_staged_boot. */
enum ota_err rom_boot_staged(struct board *board, struct console *console, struct ota_boot *boot,
                             uint8_t *buffer, uint32_t size);

/* Boots as eboot does: carries out the command in retained memory. It would run whatever is in the
   app's place then; this board cannot run what is no image, and returns
   OTA_ERR_NOTHING_BOOTABLE. */
enum ota_err rom_boot_by_eboot(struct board *board, struct console *console, struct ota_boot *boot,
                               uint8_t *buffer, uint32_t size);

#endif
