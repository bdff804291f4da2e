/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_FIGURES_H
#define BENCH_FIGURES_H

/*
 * Measured figures: a flat list of names and numbers, printed as a table and written as JSON.
 * Ratios compare two things measured in one run, so that they mean the same on each machine.
 */

#include <stdbool.h>
#include <stddef.h>

struct figure {
    const char *name;
    double value;
    const char *unit;  /* "" for a ratio */
    const char *about; /* what was measured, in a few words */
    double limit;      /* 0: none */
    bool at_least;     /* the limit is the least, not the most */
    bool timed;        /* measured with a clock: a busy machine may miss the limit */
};

struct figures {
    struct figure list[96];
    size_t count;
};

/* Appends a figure; the strings must last. */
void figures_add(struct figures *figures, const struct figure *figure);

/* Prints the table; returns how many figures that no clock measured are beyond their limit. */
int figures_print(const struct figures *figures);

/* Writes `{"name": value, …}` to `path` by way of a temporary file. Returns false, having said why,
   if that fails. */
bool figures_write_json(const struct figures *figures, const char *path);

#endif
