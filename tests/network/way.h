/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NETWORK_WAY_H
#define NETWORK_WAY_H

/* The ways into the board that are tried, and what each has promised. */

#include "network/peer.h"

enum way_kind {
    WAY_PUSH,
    WAY_PULL,
    WAY_URL,
    WAY_LIST,
    WAY_LIST_FILE
};

struct way {
    const char *name;
    enum way_kind kind;
    const struct peer_kind *push;
    const char *password;
    bool is_tls;
    uint32_t range;  /* bytes that are asked for at once; 0: all */
    uint32_t sparse; /* it is slow: one in so many cuts is tried; 0: all */

    /* The time-outs are those that the headers state; a second of grace for looking now and then,
       and what the last words may take. */
    uint32_t ready_ms;    /* after a broken connection the board takes the next one by then */
    uint32_t silence_ms;  /* in the middle of the image the board bears so much, */
    uint32_t greeting_ms; /* and at the beginning */

    bool resumes;      /* the same try goes on where it was broken, */
    bool next_resumes; /* or the next one does */
};

extern const struct way ways[];
extern const size_t way_count;

/* Returns the way of this name, or NULL. */
const struct way *way_named(const char *name);

#endif
