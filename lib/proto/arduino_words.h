/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PROTO_ARDUINO_WORDS_H
#define UPDRAFT_PROTO_ARDUINO_WORDS_H

/* Which errors the Arduino updater's own texts (error.h) name, and which they only come near to. */

#include <stdbool.h>

#include <updraft/error.h>

/* Tells whether Arduino's text for an error says what happened. Else a sentence of ours says it
   better. */
bool ota__arduino_says(enum ota_err err, bool is_esp32);

#endif
