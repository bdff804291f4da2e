/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_BED_H
#define AGENT_BED_H

/*
 * An agent with one way in, on real sockets: a device made of RAM, an image and other files in a
 * folder, and programs that run beside the agent and talk to it.
 *
 *     static struct bed bed;
 *
 *     set-up: bed_make(&bed); bed_make_image(&bed, "image", OTA_CHIP_ESP32S3);
 *             settings.port = bed_find_port(&bed);
 *             ota_x_service_init(&tested, &settings); bed_begin(&bed, &tested.service, NULL);
 *     test:   assert_int_equal(bed_run(&bed, "tool 127.0.0.1 image"), 0);
 *             bed_assert_in_place(&bed);
 *     end:    bed_remove(&bed);
 */

#include <posix/platform.h>
#include <sys/types.h>

#include <updraft/agent.h>

#include "proto/ram_device.h"
#include "support/scratch.h"

#define BED_IMAGE_SIZE 40000u

struct bed {
    struct posix_platform platform; /* first: a cast gets the bed back */
    struct ram_device ram;
    struct ota_agent agent;
    uint8_t buffer[4096];
    uint8_t image[BED_IMAGE_SIZE + 64];
    size_t image_len;
    struct scratch folder; /* programs run in it */
    char log[65536];       /* of the agent that was begun last: "1 http: text\n", 1 a warning */
    char said[16384];      /* by the program that was run last */
    uint32_t wait_ms;      /* what the agent wanted in its last turn */
};

/* Make it, with no agent yet; end the agent, see that it leaves no socket watched, and remove
   all. */
void bed_make(struct bed *bed);
void bed_remove(struct bed *bed);

/* Makes an image of 1.1.0 for this chip in bed->image and in a file. */
void bed_make_image(struct bed *bed, const char *name, uint16_t chip);

/* Returns a port that nobody listens at. */
uint16_t bed_find_port(struct bed *bed);

/* Begins an agent with this service, and `data_label` as its options have it; the log starts empty.
   The agent before is to be ended first, before its service is made anew. */
void bed_begin(struct bed *bed, struct ota_service *service, const char *data_label);

/* Gives the agent a turn. The wait comes before it, so that what it did is looked at at once. */
void bed_work(struct bed *bed);

/* Starts a shell command in the folder. What it writes can be read from `output`, the caller's to
   close. */
pid_t bed_start(struct bed *bed, const char *command, int *output);

/* Runs a shell command beside the agent until it ends. Returns its exit status; what it has written
   is in bed->said. */
int bed_run(struct bed *bed, const char *command);

/* The image is in the first slot, and that is the one to boot. */
void bed_assert_in_place(struct bed *bed);

/* Returns how many descriptors this process has open. */
unsigned bed_count_descriptors(void);

/* Whether the peers, which are written in Python, can run here. */
bool bed_has_python(void);

#endif
