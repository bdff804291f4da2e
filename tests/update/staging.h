/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDATE_STAGING_H
#define UPDATE_STAGING_H

/*
 * The device of the tests of staging, and bytes to put in its data partitions.
 *
 *     cmocka_unit_test_setup_teardown(test_it, staging_set_up_swap, staging_tear_down)
 */

#include "support/staged_device.h"

extern struct staged_device device;
extern uint8_t data[STAGED_BIG_SIZE + 1]; /* noise */

/* A device that copies or swaps, with images on trial or without. */
int staging_set_up_copy(void **state);
int staging_set_up_swap(void **state);
int staging_set_up_swap_without_trial(void **state);
int staging_tear_down(void **state);

/* Makes the device otherwise. */
void staging_open(const struct staged_facts *facts);

/* Begins an update and gives it up. Returns what ota_update_begin does. */
enum ota_err staging_begin(const char *label, uint32_t size);

/* Sends an image and boots it. */
void staging_update_to(int image);

/* Tells whether the data partition is known to be incomplete. */
bool staging_is_incomplete(const char *label);

#endif
