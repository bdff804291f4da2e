/* SPDX-License-Identifier: Apache-2.0 */
/* The loop over all devices that are pushed to. */

#include "cli/push_device.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "posix/stream.h"

#define PAUSE_MS 1000u
#define LONGEST_WAIT_MS 250u /* so that a signal is noticed, and a bar moves */
#define PIECE_SIZE 16384u
#define PIECES_A_TURN 16u

/* ---- What dialects say ----------------------------------------------------------------------- */

void push_tell(const struct push_run *run, struct push_device *device, enum push_note note)
{
    if (run->watcher->on_note != NULL) {
        run->watcher->on_note(run->watcher->context, device, note);
    }
}

static uint32_t now_of(const struct push_run *run)
{
    return run->platform->now_ms(run->platform);
}

void push_started(const struct push_run *run, struct push_device *device)
{
    device->begun_ms = now_of(run);
    device->is_sending = true;
    push_tell(run, device, PUSH_NOTE_STARTED);
}

static void end_device(const struct push_run *run, struct push_device *device,
                       enum push_phase phase)
{
    device->phase = phase;
    device->is_sending = false;
    device->ended_ms = now_of(run);
    push_tell(run, device, PUSH_NOTE_ENDED);
}

void push_accept(const struct push_run *run, struct push_device *device)
{
    end_device(run, device, PUSH_ACCEPTED);
}

bool push_again(const struct push_run *run, struct push_device *device)
{
    const uint32_t now = now_of(run);

    if (device->was_paused && now - device->first_pause_ms >= PUSH_AGAIN_MS) {
        return false;
    }
    if (!device->was_paused) {
        device->was_paused = true;
        device->first_pause_ms = now;
        push_tell(run, device, PUSH_NOTE_AGAIN);
    }
    device->phase = PUSH_PAUSING;
    device->pause_ms = now;
    return true;
}

void push_fail(const struct push_run *run, struct push_device *device, enum ota_err err,
               const char *format, ...)
{
    device->err = err;
    va_list list;
    va_start(list, format);
    vsnprintf(device->message, sizeof device->message, format, list);
    va_end(list);
    end_device(run, device, PUSH_FAILED);
}

enum ota_err push_read_image(void *context, uint32_t offset, void *data, size_t len)
{
    const struct push_context *at = context;
    const struct push_job *job = at->run->job;

    if (len > job->size || offset > job->size - len) {
        return OTA_ERR_SOURCE;
    }
    memcpy(data, job->image + offset, len);
    return OTA_OK;
}

enum ota_err push_random(void *context, void *data, size_t len)
{
    const struct push_context *at = context;
    struct ota_platform *platform = at->run->platform;

    return platform->random(platform, data, len);
}

/* ---- Bytes ----------------------------------------------------------------------------------- */

/* Takes what has come. Returns false if nothing more can come. */
static bool pump_in(const struct push_pump *pump, struct ota_stream *stream, size_t *len)
{
    uint8_t piece[2048];
    bool ended = false;
    enum ota_err err = stream->read(stream, piece, sizeof piece, len, &ended);

    if (*len > 0) {
        pump->input(pump->machine, piece, *len);
    }
    if (err != OTA_OK || (ended && *len == 0)) {
        pump->closed(pump->machine, err);
        return false;
    }
    return true;
}

/* When a write fails the device's last words may still be there to be read. */
static void drain(const struct push_pump *pump, struct ota_stream *stream, enum ota_err why)
{
    for (size_t len = 1; len > 0 && !pump->is_over(pump->machine);) {
        if (!pump_in(pump, stream, &len)) {
            return;
        }
    }
    pump->closed(pump->machine, why);
}

static bool pump_out(const struct push_pump *pump, struct ota_stream *stream, size_t *sent)
{
    uint8_t piece[PIECE_SIZE];
    size_t len = pump->output(pump->machine, piece, sizeof piece);

    *sent = 0;
    if (len == 0) {
        return true;
    }
    enum ota_err err = stream->write(stream, piece, len, sent);
    if (err != OTA_OK) {
        drain(pump, stream, err);
        return false;
    }
    pump->sent(pump->machine, *sent);
    return true;
}

bool push_pump(const struct push_pump *pump, struct ota_stream *stream)
{
    for (unsigned i = 0; i < PIECES_A_TURN; i++) {
        size_t received = 0;
        size_t sent = 0;
        /* A device that turns the host away may answer before it was greeted. */
        if (!pump_out(pump, stream, &sent) || pump->is_over(pump->machine) ||
            !pump_in(pump, stream, &received) || pump->is_over(pump->machine)) {
            return false;
        }
        if (received == 0 && sent == 0) {
            return false;
        }
    }
    return true;
}

uint32_t push_arrived(struct ota_stream *stream, uint32_t sent)
{
    const size_t queued = stream_queued(stream);

    return queued < sent ? sent - (uint32_t)queued : 0;
}

/* ---- The loop -------------------------------------------------------------------------------- */

static void start_device(struct push_run *run, struct push_device *device)
{
    device->phase = PUSH_RUNNING;
    device->sent = 0;
    device->login = NULL;
    device->lacks_password = false;
    device->begun_ms = now_of(run);
    if (!device->dialect->begin(device, run, now_of(run))) {
        device->dialect->end(device);
    }
}

/* Gives a device its turn. Returns when it wants the next one. */
static uint32_t turn(struct push_run *run, struct push_device *device)
{
    uint32_t wait = device->dialect->poll(device, run, now_of(run));

    if (device->phase != PUSH_RUNNING) {
        device->dialect->end(device);
        return 0;
    }
    return wait;
}

static bool is_under_way(const struct push_device *device)
{
    return device->phase == PUSH_RUNNING || device->phase == PUSH_PAUSING;
}

static size_t count_running(const struct push_run *run)
{
    size_t running = 0;

    for (size_t i = 0; i < run->count; i++) {
        running += is_under_way(&run->devices[i]);
    }
    return running;
}

static uint32_t pause_left(const struct push_run *run, const struct push_device *device)
{
    const uint32_t passed = now_of(run) - device->pause_ms;

    return passed < PAUSE_MS ? PAUSE_MS - passed : 0;
}

static void start_queued(struct push_run *run)
{
    size_t running = count_running(run);

    for (size_t i = 0; i < run->count; i++) {
        struct push_device *device = &run->devices[i];
        if (device->phase == PUSH_PAUSING && pause_left(run, device) == 0) {
            start_device(run, device);
        } else if (device->phase == PUSH_QUEUED && running < PUSH_AT_ONCE) {
            start_device(run, device);
            running += is_under_way(device);
        }
    }
}

static void stop_all(struct push_run *run)
{
    for (size_t i = 0; i < run->count; i++) {
        struct push_device *device = &run->devices[i];
        if (is_under_way(device)) {
            push_fail(run, device, OTA_ERR_HELD, "stopped; what it runs is as it was");
            device->dialect->end(device);
        } else if (device->phase == PUSH_QUEUED) {
            push_fail(run, device, OTA_ERR_HELD, "stopped before its turn came");
        }
    }
}

void push_run(struct push_device *devices, size_t count, const struct push_job *job,
              struct posix_platform *platform, const struct push_watcher *watcher)
{
    struct push_run run = {.job = job,
                           .platform = &platform->platform,
                           .posix = platform,
                           .watcher = watcher,
                           .devices = devices,
                           .count = count};

    for (start_queued(&run); count_running(&run) > 0; start_queued(&run)) {
        uint32_t wait = LONGEST_WAIT_MS;
        if (watcher->stop != NULL && *watcher->stop) {
            break;
        }
        for (size_t i = 0; i < count; i++) {
            if (is_under_way(&devices[i])) {
                uint32_t wanted = devices[i].phase == PUSH_RUNNING ? turn(&run, &devices[i])
                                                                   : pause_left(&run, &devices[i]);
                wait = wanted < wait ? wanted : wait;
            }
        }
        if (watcher->on_turn != NULL) {
            watcher->on_turn(watcher->context);
        }
        if (wait > 0) {
            run.platform->wait(run.platform, wait);
        }
    }
    stop_all(&run);
}

void push_device_free(struct push_device *device)
{
    free(device->name);
    free(device->board);
    *device = (struct push_device){0};
}
