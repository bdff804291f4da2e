/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NETWORK_MEMORY_SCHEME_H
#define NETWORK_MEMORY_SCHEME_H

/* The scheme "memory": bytes that come as from a memory card, and fail as the plan says. */

#include <updraft/fetch.h>

#include "network/board.h"
#include "network/net.h"

struct memory_scheme {
    struct ota_scheme scheme; /* first */
    struct ota_fetch fetch;
    struct net *net; /* whose plan is followed; NULL: nothing fails */
    const struct board_image *image;
    bool is_open;
    uint32_t at;
};

void memory_scheme_init(struct memory_scheme *memory, struct net *net);

#endif
