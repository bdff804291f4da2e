/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POWER_SCENARIO_H
#define POWER_SCENARIO_H

#include "power/board.h"

/* The stories in which power is cut. */
extern const struct scenario scenarios[];
extern const size_t scenario_count;

/* Returns the scenario of this name, or NULL. */
const struct scenario *scenario_named(const char *name);

#endif
