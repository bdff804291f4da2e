/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_CLI_PUSH_DEVICE_H
#define UPDRAFT_CLI_PUSH_DEVICE_H

/*
 * Devices that are pushed to, many at once, by one loop over all of them. How one is spoken to is
 * its dialect's business (push_espota.c, push_esphome.c); a dialect carries the bytes between a
 * machine of the library and the sockets of the platform, and never waits.
 *
 *     const struct push_watcher watcher = {.on_note = note, .on_turn = draw, .context = me};
 *     push_run(devices, count, &job, &platform, &watcher);
 *     for each: devices[i].phase, .err, .message
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <updraft/address.h>
#include <updraft/crypto.h>
#include <updraft/error.h>

#include "posix/platform.h"

#define PUSH_AT_ONCE 16u /* further devices wait for their turn */
#define PUSH_MESSAGE_SIZE 640u
#define PUSH_AGAIN_MS 8000u /* how long a device that restarts is tried again */

/* What is pushed, and how: the same for all devices. */
struct push_job {
    const uint8_t *image;
    uint32_t size;
    uint8_t md5[OTA_MD5_SIZE];
    bool is_data;         /* for the file system */
    const char *password; /* NULL: none */
    bool refuse_weak;     /* no proof of the password by MD5 */
    uint16_t host_port; /* where devices connect back: the first one there, each further one at the
                             next port; 0: any */
    uint32_t
        timeout_ms; /* for the first answer, and for the connection back; 0: the dialect's own */
};

enum push_phase {
    PUSH_QUEUED = 0,
    PUSH_RUNNING,
    PUSH_PAUSING, /* to be begun again in a moment */
    PUSH_ACCEPTED,
    PUSH_FAILED,
    PUSH_SKIPPED, /* never asked: message says why */
};

enum push_note {
    PUSH_NOTE_LOGIN,    /* it wanted a password and takes this one: device->login */
    PUSH_NOTE_WEAK,     /* it asks for the password by MD5 */
    PUSH_NOTE_MD5_HASH, /* it has taken the password as the MD5 that it keeps */
    PUSH_NOTE_AGAIN,    /* it seems to restart, and is tried again for PUSH_AGAIN_MS */
    PUSH_NOTE_STARTED,  /* it takes the image now */
    PUSH_NOTE_ALL_SENT, /* it has it, and checks it */
    PUSH_NOTE_ENDED,    /* accepted or failed */
};

struct push_device;
struct push_run; /* private to push_device.c and the dialects */

struct push_dialect {
    const char *name; /* "espota" */

    /* Opens what is needed. Returns false, having called push_fail, if that cannot be. */
    bool (*begin)(struct push_device *device, struct push_run *run, uint32_t now_ms);

    /* Does what can be done without waiting. Returns in how many milliseconds it wants to be called
       again at the latest. Calls push_accept or push_fail when it is over. */
    uint32_t (*poll)(struct push_device *device, struct push_run *run, uint32_t now_ms);

    /* Closes everything and frees device->state. */
    void (*end)(struct push_device *device);
};

extern const struct push_dialect push_espota;
extern const struct push_dialect push_esphome;

struct push_device {
    /* Who it is; the strings are the device's own. */
    char *name;                 /* "garden.local", as typed or found */
    char *board;                /* as it says; NULL if it does not */
    struct ota_address address; /* with the port */
    bool port_is_guess;  /* nobody named the port: it is the usual one for the image's chip */
    bool wants_password; /* it says so */
    bool takes_gzip;     /* likewise */
    const struct push_dialect *dialect;

    /* How it goes. */
    enum push_phase phase;
    bool is_sending;   /* between STARTED and ENDED */
    uint32_t sent;     /* bytes of the image that have left this computer */
    const char *login; /* "sha256", "md5"; NULL: it wanted none so far */
    bool lacks_password;
    enum ota_err err;
    char message[PUSH_MESSAGE_SIZE]; /* why it failed or was skipped: no name, no full stop */
    uint32_t begun_ms, ended_ms;     /* from the first byte of the image */

    void *state; /* the dialect's */

    /* Private. */
    bool was_paused;
    uint32_t first_pause_ms, pause_ms;
};

struct push_watcher {
    void (*on_note)(void *context, const struct push_device *device, enum push_note note);
    void (*on_turn)(void *context); /* before each wait: the time to draw */
    void *context;
    volatile const bool *stop; /* end when it becomes true */
};

/* Pushes to all devices that are QUEUED, and returns when none of them is any more, or when told to
   stop; those under way are then FAILED. */
void push_run(struct push_device *devices, size_t count, const struct push_job *job,
              struct posix_platform *platform, const struct push_watcher *watcher);

/* Free what a device holds. */
void push_device_free(struct push_device *device);

/* ---- For dialects ---------------------------------------------------------------------------- */

struct push_run {
    const struct push_job *job;
    struct ota_platform *platform;
    const struct posix_platform *posix; /* the same */
    const struct push_watcher *watcher;
    struct push_device *devices;
    size_t count;
};

void push_tell(const struct push_run *run, struct push_device *device, enum push_note note);

/* The image goes on its way: notes the time. */
void push_started(const struct push_run *run, struct push_device *device);
void push_accept(const struct push_run *run, struct push_device *device);

/* Puts off a device that seems to restart, to be begun anew in a second. Returns false if that was
   done for PUSH_AGAIN_MS already: then it has failed. */
bool push_again(const struct push_run *run, struct push_device *device);
void push_fail(const struct push_run *run, struct push_device *device, enum ota_err err,
               const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The run as the machines' context for reading the image and for random numbers. */
struct push_context {
    struct push_run *run;
    struct push_device *device;
};
enum ota_err push_read_image(void *context, uint32_t offset, void *data, size_t len);
enum ota_err push_random(void *context, void *data, size_t len);

/*
 * Carries bytes between a machine and its stream, as much as goes without waiting but not for ever,
 * so that other devices get their turn.
 */
struct push_pump {
    void *machine;
    size_t (*output)(void *machine, void *buffer, size_t capacity);
    void (*sent)(void *machine, size_t len);
    void (*input)(void *machine, const void *data, size_t len);
    void (*closed)(void *machine, enum ota_err why);
    bool (*is_over)(const void *machine);
};

/* How much of the `sent` bytes has arrived, as far as this computer's system knows. */
uint32_t push_arrived(struct ota_stream *stream, uint32_t sent);

/* Returns true if more could be done at once. */
bool push_pump(const struct push_pump *pump, struct ota_stream *stream);

#endif
