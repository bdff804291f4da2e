/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_STAGE_H
#define AGENT_STAGE_H

/*
 * The agent on a scripted platform: a device made of RAM with 1.0.0 in its factory app, a clock
 * that only waiting moves, and streams that say what the script has them say, one scene a
 * connection. A connection that no scene is left for fails the test.
 */

#include <updraft/agent.h>

#include "proto/ram_device.h"

#define STAGE_IMAGE_SIZE 9000u
#define STAGE_SCENES_MAX 8

/* One connection as the server sees it. */
struct scene {
    enum ota_err connect;    /* what platform->connect returns */
    enum ota_err read_error; /* after `limit` bytes */
    const char *head;
    const uint8_t *body;
    size_t body_len;
    size_t limit; /* bytes of the answer that are sent before it ends; 0: all */
    bool silent;  /* never says anything */
    bool stays_open;
};

struct stage {
    struct ota_platform platform; /* first: a cast gets the stage back */
    struct ota_stream stream;
    struct ram_device ram;
    struct ota_agent agent;
    struct ota_agent_options options;
    uint8_t buffer[4096];
    char text[1024];
    uint8_t image[STAGE_IMAGE_SIZE + 64], running[1024];
    size_t image_len;

    uint32_t now, random;
    uint32_t random_calls;
    struct scene script[STAGE_SCENES_MAX];
    unsigned scenes, played;
    bool is_open;
    size_t answered; /* bytes of the present scene that were read */
    size_t piece;    /* bytes that a read or write moves at most; 0: as many as fit */
    char request[1024];
    size_t request_len;
    char log[4096];
    unsigned restarts;
    enum ota_restart_reason restart_reason;
    char events[64];
    bool update_refused, confirm_refused;
    bool update_hook_called;
    uint32_t update_hook_takes_ms;
    unsigned progress;
};

/* The answer that there is nothing newer. */
extern const char stage_current[];

/* A set-up function for cmocka: *state becomes a stage with an empty script. */
int stage_set_up(void **state);

/* Add a scene to the script: this head and no body; or an offer of 1.1.0 with the image. */
struct scene *stage_add_scene(struct stage *stage, const char *head);
struct scene *stage_add_offer(struct stage *stage);

/* Begins the agent with stage->options; log and events start empty. */
void stage_begin(struct stage *stage);

/* Polls and waits until `checks` checks have ended since begin, or a restart is due. */
void stage_run_checks(struct stage *stage, uint32_t checks);

/* Boots what the flash says, as the bootloader does. */
void stage_boot(struct stage *stage);

/* Updates to 1.1.0 and boots it on trial. */
void stage_update_and_boot(struct stage *stage);

/* The log has a line with this in it. */
void stage_assert_logged(const struct stage *stage, const char *text);

#endif
