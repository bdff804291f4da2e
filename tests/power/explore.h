/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POWER_EXPLORE_H
#define POWER_EXPLORE_H

/*
 * Where and how power is cut. A run is a story with some cuts in it; each cut is named by the
 * mutation at which it strikes, counted from when power came, the way of failing, and a variation
 * of its details: "12torn.3". A plan joins the cuts of a run by "+".
 */

#include "power/board.h"

#define CUTS_MAX 3

struct cut {
    unsigned number; /* of the mutation, from 1 */
    enum nor_cut how;
    unsigned variation;
};

struct plan {
    struct cut cut[CUTS_MAX];
    unsigned count;
};

#define PLAN_TEXT_SIZE 128

/* Writes a plan in words ("none" without cuts), and reads it; false if it is not one. */
const char *plan_text(const struct plan *plan, char text[PLAN_TEXT_SIZE]);
bool plan_parse(struct plan *plan, const char *text);

/* How many variations of each way are tried. Of a story that has more cuts than `most`, every n-th
   is tried, spread evenly; 0: all. But between two mutations that power is cut at there are never
   `gap` or more others; 0: any number. */
struct effort {
    unsigned torn, nearly, weak, weak_later;
    unsigned most;
    unsigned gap;
};

/* Called after each run, with the plan that struck; `met` says whether the demands were met.
   Returns whether to go on. */
typedef bool explore_report_fn(void *context, struct board *board, const struct plan *plan,
                               bool met);

struct explorer {
    struct board *board;
    uint64_t seed;
    explore_report_fn *report;
    void *context;
    unsigned stride, skipped; /* private */
};

/* Runs the story with the cuts of a plan, from its beginning. `*struck` is how many of them there
   were mutations for. Returns whether all demands were met. */
bool explore_plan(struct explorer *explorer, const struct plan *plan, unsigned *struck);

/* Runs the story once for each mutation and way of failing there; at `depth` 2, for each of these
   also for each mutation and way in the recovery (with one variation each). */
void explore_all(struct explorer *explorer, unsigned depth, struct effort effort);

/* Makes `runs` random plans of two or three cuts. */
void explore_random(struct explorer *explorer, unsigned runs, uint64_t seed);

#endif
