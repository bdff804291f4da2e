/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PORTS_POSIX_CONSOLE_H
#define UPDRAFT_PORTS_POSIX_CONSOLE_H

/*
 * The serial monitor of a virtual board: lines with the board's name, the time since power came on
 * and the tag of who speaks; or the same as one JSON object a line.
 *
 *     porch  |     0.003 boot    factory: blinky 1.0.0, image valid (48.1 KB hashed in 0.3 ms)
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <cjson/cJSON.h>
#include <updraft/platform.h>

struct console {
    FILE *out;
    const char *name; /* of the board */
    bool quiet;       /* print nothing */
    bool json;
    int64_t power_on_ms; /* by platform_clock_ms */
    bool live;           /* `out` is a terminal: what is under way shows as a bar that grows */
    char bar[16];        /* tag of the bar that the cursor stands behind; "" if there is none */
};

/* Prints a line that the board or its firmware says. Control characters in it are escaped. */
void console_line(struct console *console, enum ota_log_level level, const char *tag,
                  const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Prints what happens to the board, as a line without prefix. As JSON, prints `facts` with `event`
   and the text beside them. Deletes `facts`, which may be NULL. */
void console_event(struct console *console, const char *event, cJSON *facts, const char *format,
                   ...) __attribute__((format(printf, 4, 5)));

/* Shows how far something has come, where that can be shown: as a bar on a terminal, or as JSON. */
void console_progress(struct console *console, const char *tag, const char *name, uint32_t done,
                      uint32_t total);

/* Prints one JSON object only: an event that a line tells already. Deletes `facts`. */
void console_facts(struct console *console, const char *event, cJSON *facts);

#endif
