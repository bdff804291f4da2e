/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INTAKE_DOOR_H
#define INTAKE_DOOR_H

/* The intake of the update room's device, with one gate that answers as the test says and remembers
   what it was asked. */

#include <updraft/intake.h>

#include "update/fixture.h"

#define DOOR_IMAGE_SIZE 70000u
#define DOOR_STAGES 3

struct door_gate {
    struct ota_gate gate; /* first: the object gets itself back by a cast */
    enum ota_err answers[DOOR_STAGES];
    const char *reason;
    uint32_t retry_ms;

    unsigned asked[DOOR_STAGES];
    struct ota_gate_question question; /* the last; its pointers led to the copies below */
    char label[OTA_PARTITION_LABEL_MAX + 1];
    struct ota_app_descriptor incoming, running;
    uint64_t changes; /* to the flash when it was asked */
};

struct door {
    struct fixture fixture;
    struct ota_intake intake;
    struct ota_intake_options options;
    struct door_gate gate;
    uint8_t buffer[SECTOR];
    uint8_t image[IMAGE_MAX];
    uint32_t len;
    uint32_t now, minute;
    bool time_is_known;
    char events[32]; /* a letter each: Started, Refused, Failed, Proven, Holding, Activated */
    unsigned progress;
};

extern struct door door;

/* For cmocka: an intake that is FREE, in front of a device whose ota_0 runs and whose image is
   2.0.0. */
int door_set_up(void **state);
int door_tear_down(void **state);

/* The arrival of the image. */
struct ota_arrival door_arrival(void);

/* Fails the test if other events than these came since the last call. */
void door_expect_events(const char *events);

/* Begins and writes `len` bytes; begins and goes on to READY. */
void door_begin(uint32_t len);
void door_prove(void);

#endif
