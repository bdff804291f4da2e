/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_AGENT_TURN_H
#define UPDRAFT_AGENT_TURN_H

/* What a turn of the agent's loop takes from one stream, whatever way in the stream belongs to. */

#include <updraft/agent.h>

/* At most so many pieces, so that the others, and the program, have their turn. */
#define OTA__PIECES_PER_TURN 16u

/* A stream that could take or give nothing, or a socket that could not be opened, is looked at
   again after this time at the latest; the platform's wait ends earlier when it stirs. */
#define OTA__LOOK_MS 1000u

/* The time by which peers are judged. A turn that took longer than OTA__LOOK_MS, because flash was
   erased or a name looked up, is not counted: nobody could be heard meanwhile, and who waits for an
   answer of ours was silent with reason. */
static inline uint32_t ota__peer_time(const struct ota_agent *agent, uint32_t now_ms)
{
    return now_ms - agent->held_up_ms;
}

#endif
