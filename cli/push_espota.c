/* SPDX-License-Identifier: Apache-2.0 */
/* Pushing over the Arduino update protocol: a socket for datagrams, a port that the device connects
   back to, and the library's machine between them. */

#include "cli/push_device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <updraft/espota_host.h>

#include "cli/output.h"

struct espota_push {
    struct ota_espota_host host;
    struct ota_espota_host_options options;
    struct push_context context;
    struct ota_datagrams *datagrams;
    struct ota_listener *listener;
    struct ota_stream *stream;
    struct ota_address stranger; /* who connected and was not the device; port 0: nobody */
};

/* ---- Events ---------------------------------------------------------------------------------- */

static const char *login_name(enum ota_espota_host_login login)
{
    switch (login) {
    case OTA_ESPOTA_HOST_LOGIN_MD5:
        return "md5";
    case OTA_ESPOTA_HOST_LOGIN_PBKDF2:
    case OTA_ESPOTA_HOST_LOGIN_PBKDF2_MD5:
        return "sha256";
    default:
        return NULL;
    }
}

static void on_event(void *context, const struct ota_espota_host *host,
                     enum ota_espota_host_event event)
{
    const struct push_context *at = context;
    struct push_device *device = at->device;

    switch (event) {
    case OTA_ESPOTA_HOST_WEAK_AUTH:
        push_tell(at->run, device, PUSH_NOTE_WEAK);
        return;
    case OTA_ESPOTA_HOST_LET_IN:
        device->login = login_name(host->login);
        if (host->login == OTA_ESPOTA_HOST_LOGIN_PBKDF2_MD5) {
            push_tell(at->run, device, PUSH_NOTE_MD5_HASH);
        }
        if (device->login != NULL) {
            push_tell(at->run, device, PUSH_NOTE_LOGIN);
        }
        return;
    case OTA_ESPOTA_HOST_CONNECTED:
        push_started(at->run, device);
        return;
    case OTA_ESPOTA_HOST_ALL_SENT:
        push_tell(at->run, device, PUSH_NOTE_ALL_SENT);
        return;
    default:
        return;
    }
}

/* ---- Beginning and end ----------------------------------------------------------------------- */

static void end(struct push_device *device)
{
    struct espota_push *push = device->state;

    if (push == NULL) {
        return;
    }
    device->state = NULL;
    ota_espota_host_end(&push->host);
    if (push->stream != NULL) {
        push->stream->close(push->stream);
    }
    if (push->listener != NULL) {
        push->listener->close(push->listener);
    }
    if (push->datagrams != NULL) {
        push->datagrams->close(push->datagrams);
    }
    free(push);
}

/* The port that this device connects back to; 0: any. */
static uint16_t wanted_port(const struct push_device *device, const struct push_run *run)
{
    return run->job->host_port == 0 ? 0 : (uint16_t)(run->job->host_port + (device - run->devices));
}

static bool open_sockets(struct push_device *device, struct push_run *run)
{
    struct espota_push *push = device->state;
    const uint16_t port = wanted_port(device, run);
    enum ota_err err = run->platform->open_datagrams(run->platform, 0, &push->datagrams);

    if (err == OTA_OK) {
        err = run->platform->listen(run->platform, port, &push->listener);
    }
    if (err == OTA_ERR_PORT) {
        push_fail(run, device, err,
                  "port %u of this computer is in use: name another with --host-port", port);
    } else if (err != OTA_OK) {
        push_fail(run, device, err,
                  run->posix->local != NULL
                      ? "no sockets can be opened at the address that --bind names: is it this "
                        "computer's"
                      : "no sockets can be opened on this computer to invite the device with");
    }
    return err == OTA_OK;
}

static void fill_options(struct espota_push *push, const struct push_run *run)
{
    const struct push_job *job = run->job;

    push->options = (struct ota_espota_host_options){
        .crypto = &ota_crypto_psa,
        .size = job->size,
        .host_port = push->listener->port,
        .is_data = job->is_data,
        .password = job->password,
        .refuse_md5 = job->refuse_weak,
        .read = push_read_image,
        .random = push_random,
        .on_event = on_event,
        .context = &push->context,
        .connect_timeout_ms = job->timeout_ms,
        .tries = (job->timeout_ms + OTA_ESPOTA_HOST_TRY_MS - 1) / OTA_ESPOTA_HOST_TRY_MS,
    };
    memcpy(push->options.md5, job->md5, OTA_MD5_SIZE);
}

static bool begin(struct push_device *device, struct push_run *run, uint32_t now_ms)
{
    struct espota_push *push = output_allocate(sizeof *push);

    *push = (struct espota_push){.context = {run, device}};
    device->state = push;
    if (!open_sockets(device, run)) {
        return false;
    }
    fill_options(push, run);
    enum ota_err err = ota_espota_host_begin(&push->host, &push->options, now_ms);
    if (err != OTA_OK) {
        push_fail(run, device, err, "the protocol takes files of 1 to 2,147,483,647 bytes");
    }
    return err == OTA_OK;
}

/* ---- Turns ----------------------------------------------------------------------------------- */

static void take_datagrams(struct espota_push *push, const struct push_device *device)
{
    char data[256];
    size_t len = 1;

    for (unsigned i = 0; i < 64 && len > 0; i++) {
        struct ota_address from;
        if (push->datagrams->receive(push->datagrams, data, sizeof data, &len, &from) != OTA_OK) {
            return;
        }
        if (len > 0 && ota_address_same_host(&from, &device->address)) {
            ota_espota_host_answer(&push->host, data, len);
        }
    }
}

static void send_datagram(struct espota_push *push, const struct push_device *device)
{
    char data[160];
    const size_t len = ota_espota_host_datagram(&push->host, data, sizeof data);

    if (len > 0) {
        push->datagrams->send(push->datagrams, data, len, &device->address);
    }
}

static void take_connections(struct espota_push *push, const struct push_device *device)
{
    for (unsigned i = 0; i < 16; i++) {
        struct ota_stream *stream = NULL;
        struct ota_address from;
        if (push->listener->accept(push->listener, &stream, &from) != OTA_OK || stream == NULL) {
            return;
        }
        const bool is_device = ota_address_same_host(&from, &device->address);
        if (!is_device) {
            push->stranger = from;
        }
        if (is_device && ota_espota_host_connected(&push->host)) {
            push->stream = stream;
        } else {
            stream->close(stream);
        }
    }
}

static size_t pump_output(void *machine, void *buffer, size_t capacity)
{
    return ota_espota_host_output(machine, buffer, capacity);
}

static void pump_sent(void *machine, size_t len)
{
    ota_espota_host_sent(machine, len);
}

static void pump_input(void *machine, const void *data, size_t len)
{
    ota_espota_host_input(machine, data, len);
}

static void pump_closed(void *machine, enum ota_err why)
{
    ota_espota_host_closed(machine, why);
}

static bool pump_is_over(const void *machine)
{
    const struct ota_espota_host *host = machine;
    return host->state >= OTA_ESPOTA_HOST_DONE;
}

/* What is known here and not to the machine. */
static void add_advice(const struct espota_push *push, const struct push_device *device,
                       const struct push_run *run, char *text, size_t size)
{
    const enum ota_err err = push->host.failure.err;
    const size_t len = strlen(text);
    char address[OTA_ADDRESS_TEXT_SIZE];

    if (err == OTA_ERR_CONNECT_BACK && push->stranger.port != 0) {
        snprintf(text + len, size - len,
                 ". A connection came from %s, which is not the device, and was closed",
                 ota_address_host_text(&push->stranger, address));
    } else if (err == OTA_ERR_CONNECT_BACK && run->job->host_port == 0) {
        snprintf(text + len, size - len,
                 ". The port changes with every push; --host-port keeps it the same");
    } else if (err == OTA_ERR_TIMEOUT && !push->host.has_answered && device->port_is_guess) {
        snprintf(text + len, size - len,
                 " %u is the usual port for this image's chip; --port names another",
                 device->address.port);
    } else if (err == OTA_ERR_AUTH && push->options.password == NULL) {
        snprintf(text + len, size - len, ": see --password-file");
    }
}

static void finish(struct push_device *device, struct push_run *run)
{
    const struct espota_push *push = device->state;
    char text[PUSH_MESSAGE_SIZE];

    if (push->host.state == OTA_ESPOTA_HOST_DONE) {
        push_accept(run, device);
        return;
    }
    if (ota_espota_host_is_restarting(&push->host) && push_again(run, device)) {
        return;
    }
    device->lacks_password =
        push->host.failure.err == OTA_ERR_AUTH && push->options.password == NULL;
    ota_espota_host_message(&push->host, text, sizeof text);
    add_advice(push, device, run, text, sizeof text);
    push_fail(run, device, push->host.failure.err, "%s", text);
}

static uint32_t poll_device(struct push_device *device, struct push_run *run, uint32_t now_ms)
{
    struct espota_push *push = device->state;
    const struct push_pump pump = {&push->host, pump_output, pump_sent,
                                   pump_input,  pump_closed, pump_is_over};
    bool more = false;

    ota_espota_host_tick(&push->host, now_ms);
    take_datagrams(push, device);
    take_connections(push, device);
    send_datagram(push, device);
    if (push->stream != NULL && push->host.state < OTA_ESPOTA_HOST_DONE) {
        more = push_pump(&pump, push->stream);
        device->sent = push_arrived(push->stream, push->host.sent);
    }
    if (push->host.state >= OTA_ESPOTA_HOST_DONE) {
        finish(device, run);
        return 0;
    }
    return more ? 0 : ota_espota_host_wait_ms(&push->host);
}

const struct push_dialect push_espota = {
    .name = "espota", .begin = begin, .poll = poll_device, .end = end};
