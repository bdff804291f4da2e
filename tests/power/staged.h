/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POWER_STAGED_H
#define POWER_STAGED_H

/*
 * Devices with one place to run from: how one is laid out on each chip, and what is demanded of
 * them besides.
 *
 *     table | app | staging ... command | storage
 */

#include "power/board.h"

/* Lays such a device out for apps of up to `app_max` bytes and a data partition for `data_max`, and
   makes its staging description. */
void staged_init(struct board *board, uint32_t app_max, uint32_t data_max);

/* Boots as such a device does. */
enum ota_err staged_boot(struct board *board, uint8_t *buffer, uint32_t buffer_size);

/* What takes the compression off, or leaves it on, for an update that begins. */
struct ota_unwrap *staged_unwrap(struct board *board);

/* Demands, after each boot, that the data partition is what it was or what it is to be; or, where
   it is written in place, that the device knows that it is neither. */
bool staged_check_data(struct board *board);

#endif
