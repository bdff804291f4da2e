/* SPDX-License-Identifier: Apache-2.0 */
/* The stand-in for firmware that this machine cannot execute. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <updraft/agent.h>

#include "posix/standin.h"
#include "posix/ways_kit.h"

#define TAG "standin"
#define LINE_SIZE 256
#define BUFFER_SIZE 4096
#define TEXT_SIZE 2048

static struct ways_kit kit;

static void say(struct board *board, enum ota_log_level level, const char *text)
{
    struct ota_platform *platform = &board->platform.platform;
    platform->log(platform, level, TAG, text);
}

/* Reports what the image says of itself. */
static void introduce(struct board *board, const struct ota_app_descriptor *descriptor)
{
    const struct ota_chip_facts *facts = ota_chip_facts(board->settings.chip.id);
    const char *chip = facts != NULL ? facts->name : "this chip";
    char text[LINE_SIZE];
    if (descriptor->project[0] == '\0') {
        snprintf(text, sizeof text, "in place of an image for %s without a descriptor", chip);
    } else {
        int len = snprintf(text, sizeof text, "in place of %s %s for %s", descriptor->project,
                           descriptor->version, chip);
        if (descriptor->date[0] != '\0') {
            len += snprintf(text + len, sizeof text - (size_t)len, ", built %s %s",
                            descriptor->date, descriptor->time);
        }
        if (descriptor->idf_version[0] != '\0') {
            snprintf(text + len, sizeof text - (size_t)len, ", with %s", descriptor->idf_version);
        }
    }
    say(board, OTA_LOG_INFO, text);
}

static void on_event(void *context, const struct ota_agent *agent, enum ota_agent_event event)
{
    (void)context;
    ways_kit_follow_check(&kit, agent, event);
}

int standin_run(struct board *board, const struct rom_boot *boot)
{
    static struct ota_agent agent;
    static uint8_t buffer[BUFFER_SIZE];
    static char text[TEXT_SIZE];
    struct ota_agent_options options = {
        .platform = &board->platform.platform,
        .device = &board->device,
        .on_event = on_event,
        .on_update = board_show_progress,
        .context = board,
        .buffer = buffer,
        .buffer_size = sizeof buffer,
        .text = text,
        .text_size = sizeof text,
    };
    memcpy(options.sta_mac, board->settings.mac, sizeof options.sta_mac);
    memcpy(options.ap_mac, board->settings.mac, sizeof options.ap_mac);
    options.ap_mac[0] ^= 0x02;
    introduce(board, &boot->descriptor);
    if (!ways_kit_open(&kit, board, &options)) {
        return EXIT_FAILURE;
    }
    const enum ota_err err = ota_agent_begin(&agent, &options);
    if (err != OTA_OK) {
        snprintf(text, sizeof text, "%s: %s", board->pull_url != NULL ? board->pull_url : "agent",
                 ota_err_text(err));
        say(board, OTA_LOG_ERROR, text);
        return EXIT_FAILURE;
    }
    ways_kit_announce(&kit);
    if (!ways_kit_has_work(&kit)) {
        ota_agent_end(&agent);
        return EXIT_SUCCESS;
    }
    board_set_idle(board, ways_kit_is_idle(&kit));
    ota_agent_run(&agent);
    return EXIT_FAILURE; /* a restart was due, and did not come */
}
