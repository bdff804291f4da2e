/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROTO_GUESS_PAUSE_H
#define PROTO_GUESS_PAUSE_H

/* How those who guess passwords are slowed down, the same by every way in: after a wrong one nobody
   is asked for half a second, after each further one for twice as long. */

#include <stdint.h>

#define OTA__GUESS_PAUSE_MS 500u
#define OTA__GUESSES_MAX 100u /* counted */

/* Returns the pause after so many wrong passwords, at most `most_ms`. */
uint32_t ota__guess_pause(unsigned wrongs, uint32_t most_ms);

/* … and how much of it is left, `passed_ms` after the last of them. */
uint32_t ota__guess_pause_left(unsigned wrongs, uint32_t most_ms, uint32_t passed_ms);

#endif
