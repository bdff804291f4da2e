/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_CLI_PUSH_SHOW_H
#define UPDRAFT_CLI_PUSH_SHOW_H

/*
 * What a person sees of a push: on a terminal a bar for each device that receives, elsewhere a line
 * for each thing that happens; results on standard output, what is wrong on standard error.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "cli/push_device.h"

struct push_show {
    struct ota_platform *platform; /* its clock; the caller fills in these four */
    uint32_t total;                /* bytes of the image */
    const char *title;             /* of the image */
    bool json;                     /* results are printed as JSON, at the end */

    const struct push_device *devices;
    size_t count;
    size_t name_width; /* columns of the longest name, for the bars of many */
    bool bars;         /* standard error is a terminal */
    unsigned lines;    /* of bars that stand there now */
    uint32_t drawn_ms;
};

void push_show_begin(struct push_show *show, const struct push_device *devices, size_t count);

/* Say what has happened to one device, and draw the bars anew if it is time. For push_watcher. */
void push_show_note(struct push_show *show, const struct push_device *device, enum push_note note);
void push_show_draw(struct push_show *show);

/* Wipes the bars. */
void push_show_clear(struct push_show *show);

/* Says why a device failed, or is not asked at all. */
void push_show_failure(const struct push_device *device);

/* The summary of many devices: "3 accepted, 1 failed". Nothing for a single one. */
void push_show_summary(const struct push_show *show);

/* The whole result. The caller's. */
cJSON *push_show_json(const struct push_show *show, const char *file);

#endif
