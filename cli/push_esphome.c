/* SPDX-License-Identifier: Apache-2.0 */
/* Pushing over the native protocol of ESPHome: one connection to the device. */

#include "cli/push_device.h"

#include <stdlib.h>
#include <string.h>

#include <updraft/esphome.h>
#include <updraft/esphome_host.h>

#include "cli/output.h"

struct esphome_push {
    struct ota_esphome_host host;
    struct ota_esphome_host_options options;
    struct push_context context;
    struct ota_stream *stream;
};

static void on_event(void *context, const struct ota_esphome_host *host,
                     enum ota_esphome_host_event event)
{
    const struct push_context *at = context;
    struct push_device *device = at->device;

    switch (event) {
    case OTA_ESPHOME_HOST_WEAK_AUTH:
        push_tell(at->run, device, PUSH_NOTE_WEAK);
        return;
    case OTA_ESPHOME_HOST_LET_IN:
        if (host->auth != OTA_HASH_NONE) {
            device->login = host->auth == OTA_HASH_MD5 ? "md5" : "sha256";
            push_tell(at->run, device, PUSH_NOTE_LOGIN);
        }
        return;
    case OTA_ESPHOME_HOST_STARTED:
        push_started(at->run, device);
        return;
    case OTA_ESPHOME_HOST_ALL_SENT:
        push_tell(at->run, device, PUSH_NOTE_ALL_SENT);
        return;
    default:
        return;
    }
}

static void end(struct push_device *device)
{
    struct esphome_push *push = device->state;

    if (push == NULL) {
        return;
    }
    device->state = NULL;
    if (push->stream != NULL) {
        push->stream->close(push->stream);
    }
    free(push);
}

static bool begin(struct push_device *device, struct push_run *run, uint32_t now_ms)
{
    const struct push_job *job = run->job;
    struct esphome_push *push = output_allocate(sizeof *push);

    *push = (struct esphome_push){.context = {run, device}};
    device->state = push;
    push->options = (struct ota_esphome_host_options){
        .crypto = &ota_crypto_psa,
        .size = job->size,
        .password = job->password,
        .refuse_md5 = job->refuse_weak,
        .read = push_read_image,
        .random = push_random,
        .on_event = on_event,
        .context = &push->context,
        .connect_timeout_ms = job->timeout_ms,
    };
    memcpy(push->options.md5, job->md5, OTA_MD5_SIZE);
    enum ota_err err = ota_esphome_host_begin(&push->host, &push->options, now_ms);
    if (err == OTA_OK) {
        err = run->platform->connect_to(run->platform, &device->address, &push->stream);
    }
    if (err != OTA_OK) {
        push_fail(run, device, err, "no connection to the device can be begun");
    }
    return err == OTA_OK;
}

static size_t pump_output(void *machine, void *buffer, size_t capacity)
{
    return ota_esphome_host_output(machine, buffer, capacity);
}

static void pump_sent(void *machine, size_t len)
{
    ota_esphome_host_sent(machine, len);
}

static void pump_input(void *machine, const void *data, size_t len)
{
    ota_esphome_host_input(machine, data, len);
}

static void pump_closed(void *machine, enum ota_err why)
{
    ota_esphome_host_closed(machine, why);
}

static bool pump_is_over(const void *machine)
{
    const struct ota_esphome_host *host = machine;
    return host->state >= OTA_ESPHOME_HOST_DONE;
}

/* Nobody listens at the port, or the device says at the door, before it was asked for anything,
   that it cannot prepare: so is one that restarts. */
static bool seems_to_restart(const struct ota_esphome_host *host)
{
    const uint8_t byte = ota_esphome_error_byte(OTA_ESPHOME_BY_CHIP, OTA_ERR_RESTARTING);

    switch (host->failure.err) {
    case OTA_ERR_CONNECT:
    case OTA_ERR_CONNECTION_LOST:
        return host->step <= OTA_ESPHOME_STEP_FEATURES;
    case OTA_ERR_PEER:
        return host->step == OTA_ESPHOME_STEP_FEATURES && host->answer == byte;
    default:
        return false;
    }
}

static void finish(struct push_device *device, struct push_run *run, bool is_overdue)
{
    const struct esphome_push *push = device->state;
    char text[PUSH_MESSAGE_SIZE];

    if (push->host.state == OTA_ESPHOME_HOST_DONE) {
        push_accept(run, device);
        return;
    }
    if (!is_overdue && seems_to_restart(&push->host) && push_again(run, device)) {
        return;
    }
    device->lacks_password =
        push->host.failure.err == OTA_ERR_AUTH && push->options.password == NULL;
    ota_esphome_host_message(&push->host, text, sizeof text);
    push_fail(run, device, push->host.failure.err, "%s", text);
}

static uint32_t poll_device(struct push_device *device, struct push_run *run, uint32_t now_ms)
{
    struct esphome_push *push = device->state;
    const struct push_pump pump = {&push->host, pump_output, pump_sent,
                                   pump_input,  pump_closed, pump_is_over};

    const bool is_overdue = ota_esphome_host_tick(&push->host, now_ms) != OTA_OK;
    const bool more = push->host.state < OTA_ESPHOME_HOST_DONE && push_pump(&pump, push->stream);
    device->sent = push_arrived(push->stream, push->host.sent);
    if (push->host.state >= OTA_ESPHOME_HOST_DONE) {
        finish(device, run, is_overdue);
        return 0;
    }
    return more ? 0 : ota_esphome_host_wait_ms(&push->host);
}

const struct push_dialect push_esphome = {
    .name = "esphome", .begin = begin, .poll = poll_device, .end = end};
