/* SPDX-License-Identifier: Apache-2.0 */
/* Firmware for the runner's tests: a program in an image for the chip `host`, which does what the
   version in its image's descriptor says. */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <updraft/slot.h>

#include "posix/board.h"

static struct board board;
static struct ota_platform *platform;

static void say(const char *text)
{
    platform->log(platform, OTA_LOG_INFO, "test", text);
}

static void wait_for_ever(void)
{
    for (;;) {
        platform->wait(platform, 1000);
    }
}

/* Counts the boots that retained memory has seen. */
static unsigned count_boots(void)
{
    uint8_t *retained = platform->retained;
    char text[32];
    retained[0]++;
    snprintf(text, sizeof text, "boot %u since power on", retained[0]);
    say(text);
    return retained[0];
}

static int run_return(void)
{
    printf("hello\n\x1b[31mand a second line without an end");
    return EXIT_SUCCESS;
}

static int run_crash(void)
{
    fflush(stdout);
    signal(SIGABRT, SIG_DFL);
    raise(SIGABRT);
    return EXIT_SUCCESS;
}

static int run_fail(void)
{
    return 3;
}

/* Restarts until the third boot. */
static int run_restart(void)
{
    if (count_boots() < 3) {
        platform->restart(platform, OTA_RESTART_REQUESTED);
    }
    return EXIT_SUCCESS;
}

/* Boots ota_0 next, unless that was tried. */
static int run_switch(void)
{
    enum ota_image_state state;
    if (ota_slot_state(&board.device, 0, &state) == OTA_OK) {
        say(ota_image_state_name(state));
        return EXIT_SUCCESS;
    }
    if (ota_slot_set_boot(&board.device, 0) != OTA_OK) {
        return EXIT_FAILURE;
    }
    platform->restart(platform, OTA_RESTART_UPDATE);
    return EXIT_FAILURE;
}

static int run_confirm(void)
{
    if (ota_slot_confirm(&board.device) != OTA_OK) {
        return EXIT_FAILURE;
    }
    say("confirmed");
    board_set_idle(&board, true);
    wait_for_ever();
    return EXIT_FAILURE;
}

static int run_reject(void)
{
    if (ota_slot_reject(&board.device) != OTA_OK) {
        return EXIT_FAILURE;
    }
    platform->restart(platform, OTA_RESTART_REJECTED);
    return EXIT_FAILURE;
}

/* Fills a data partition: an erase and some programs. */
static int run_write(void)
{
    struct ota_partition partition;
    struct ota_region region;
    uint8_t data[1024];
    count_boots();
    memset(data, 0x55, sizeof data);
    if (ota_partition_find(&board.device.table, OTA_PARTITION_DATA, OTA_SUBTYPE_ANY, "storage",
                           &partition) != OTA_OK ||
        ota_partition_region(&board.device.table, &partition, &region) != OTA_OK ||
        ota_region_erase(&region, 0, 4096) != OTA_OK ||
        ota_region_write(&region, 0, data, sizeof data) != OTA_OK) {
        return EXIT_FAILURE;
    }
    say("written");
    return EXIT_SUCCESS;
}

static int run_hang(void)
{
    say("hanging");
    wait_for_ever();
    return EXIT_FAILURE;
}

/* As one who types Ctrl-C. */
static int run_stop(void)
{
    signal(SIGTERM, SIG_IGN); /* the firmware need not obey */
    say("stopping");
    kill(getppid(), SIGINT);
    wait_for_ever();
    return EXIT_FAILURE;
}

static int run_pull(void)
{
    say(board.pull_url != NULL ? board.pull_url : "no server");
    return EXIT_SUCCESS;
}

static const struct {
    const char *name;
    int (*run)(void);
} programs[] = {
    {"return", run_return}, {"crash", run_crash},     {"fail", run_fail},
    {"pull", run_pull},     {"restart", run_restart}, {"switch", run_switch},
    {"reject", run_reject}, {"confirm", run_confirm}, {"write", run_write},
    {"hang", run_hang},     {"stop", run_stop},
};

int main(void)
{
    struct ota_app_descriptor descriptor;
    if (!board_attach(&board) || ota_device_open(&board.device, NULL) != OTA_OK ||
        ota_slot_describe(&board.device, board.device.running_slot, &descriptor) != OTA_OK) {
        return EXIT_FAILURE;
    }
    platform = &board.platform.platform;
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        if (strcmp(programs[i].name, descriptor.version) == 0) {
            return programs[i].run();
        }
    }
    say("this image asks for a program that there is not");
    return EXIT_FAILURE;
}
