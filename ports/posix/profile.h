/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PORTS_POSIX_PROFILE_H
#define UPDRAFT_PORTS_POSIX_PROFILE_H

/*
 * Boards that have no partition table, by name: what their flash is like and what lies where. All
 * of them run from one place, and stage their updates (updraft/staging.h).
 *
 *     struct profile profile;
 *     if (profile_find("esp8266-4m2m", &profile)) device.staging = &profile.staging;
 */

#include <stdbool.h>
#include <stdint.h>

#include <updraft/staging.h>

#include "posix/nor.h"

#define PROFILE_NAME_MAX 31
#define PROFILE_PARTITIONS_MAX 4

struct profile {
    char name[PROFILE_NAME_MAX + 1];
    const char *title;                        /* one line for people */
    uint16_t chip;                            /* enum ota_chip_id */
    bool any_chip;                            /* `chip` is only the usual one */
    const struct ota_esp8266_layout *esp8266; /* NULL: it is none of these */

    uint32_t flash_size;                       /* bytes */
    uint32_t erase_sizes[NOR_ERASE_UNITS_MAX]; /* rising; 0 ends them */
    uint32_t write_size;
    bool program_once; /* see nor.h */

    struct ota_staging staging; /* staging.data points into this object: it does not move */
    struct ota_partition partitions[PROFILE_PARTITIONS_MAX];
};

/* Fills in the n-th profile, from 0. Returns false past the last. */
bool profile_at(unsigned n, struct profile *profile);

/* Fills in the profile of that name. Returns false if there is none. */
bool profile_find(const char *name, struct profile *profile);

#endif
