/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_WAY_H
#define AGENT_WAY_H

/* A way in that does what the test says when it has its turn, and remembers what the agent did. */

#include "agent/stage.h"

struct way {
    struct ota_service service; /* first: a cast gets the way back */
    struct ota_agent *agent;
    enum ota_err begin_err;
    uint32_t wait_ms;
    void (*turn)(struct way *way); /* at the next poll, once; NULL: nothing */
    bool has_advert;
    struct ota_advert advert;

    char calls[64]; /* a letter each: begin, end, Pause, go on */
    unsigned polls;
    uint32_t polled_ms;
    bool is_polled; /* now */
};

/* Makes a way of this name, and puts it behind those that the stage has. */
void way_make(struct way *way, struct stage *stage, const char *name);

/* Lets the agent poll once, in which the way does this. Returns what the agent wants to wait. */
uint32_t way_does(struct way *way, void (*turn)(struct way *way));

/* Turns: to begin an update of the stage's image and write half of it; to write the rest and
   activate it; to give it up. */
void way_begin_half(struct way *way);
void way_finish(struct way *way);
void way_give_up(struct way *way);

#endif
