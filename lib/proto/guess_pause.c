/* SPDX-License-Identifier: Apache-2.0 */
/* The pause after wrong passwords. */

#include "proto/guess_pause.h"

#include "base/bytes.h"

uint32_t ota__guess_pause(unsigned wrongs, uint32_t most_ms)
{
    uint32_t pause = wrongs > 0 ? OTA__GUESS_PAUSE_MS : 0;

    for (unsigned i = 1; i < wrongs && pause < most_ms; i++) {
        pause *= 2;
    }
    return ota__min(pause, most_ms);
}

uint32_t ota__guess_pause_left(unsigned wrongs, uint32_t most_ms, uint32_t passed_ms)
{
    uint32_t pause = ota__guess_pause(wrongs, most_ms);

    return passed_ms < pause ? pause - passed_ms : 0;
}
