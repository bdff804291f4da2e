/* SPDX-License-Identifier: Apache-2.0 */
/* Pushing hosts: the library's own machines for the Arduino and the ESPHome protocol. */

#include "network/peer.h"

#include <stdio.h>
#include <string.h>

/* ---- Arduino --------------------------------------------------------------------------------- */

static size_t espota_output(void *machine, void *buffer, size_t capacity)
{
    return ota_espota_host_output(machine, buffer, capacity);
}

static void espota_sent(void *machine, size_t len)
{
    ota_espota_host_sent(machine, len);
}

static void espota_input(void *machine, const void *data, size_t len)
{
    (void)ota_espota_host_input(machine, data, len);
}

static void espota_closed(void *machine, enum ota_err why)
{
    (void)ota_espota_host_closed(machine, why);
}

static bool espota_is_over(const void *machine)
{
    return ((const struct ota_espota_host *)machine)->state >= OTA_ESPOTA_HOST_DONE;
}

static enum ota_err espota_begin(struct peer *peer, uint32_t now_ms)
{
    struct peer_espota_state *at = &peer->as.espota;
    enum ota_err err = peer->platform->open_datagrams(peer->platform, 0, &at->datagrams);

    if (err == OTA_OK) {
        err = peer->platform->listen(peer->platform, 0, &at->listener);
    }
    if (err != OTA_OK) {
        return err;
    }
    at->options = (struct ota_espota_host_options){
        .crypto = &ota_crypto_openssl,
        .size = peer->image->size,
        .host_port = at->listener->port,
        .password = peer->password,
        .read = peer_read_image,
        .random = peer_random,
        .context = peer,
    };
    memcpy(at->options.md5, peer->image->md5, OTA_MD5_SIZE);
    return ota_espota_host_begin(&at->host, &at->options, now_ms);
}

static void espota_datagrams(struct peer *peer)
{
    struct peer_espota_state *at = &peer->as.espota;
    struct ota_address from;
    char data[256];
    size_t len = 1;

    for (unsigned i = 0; i < 16 && len > 0; i++) {
        if (at->datagrams->receive(at->datagrams, data, sizeof data, &len, &from) != OTA_OK) {
            return;
        }
        if (len > 0 && ota_address_same_host(&from, &peer->address)) {
            (void)ota_espota_host_answer(&at->host, data, len);
        }
    }
}

static void espota_connections(struct peer *peer)
{
    struct peer_espota_state *at = &peer->as.espota;
    struct ota_stream *stream = NULL;
    struct ota_address from;

    while (at->listener->accept(at->listener, &stream, &from) == OTA_OK && stream != NULL) {
        if (ota_address_same_host(&from, &peer->address) && ota_espota_host_connected(&at->host)) {
            at->stream = stream;
        } else {
            stream->close(stream);
        }
    }
}

static uint32_t espota_poll(struct peer *peer, uint32_t now_ms)
{
    struct peer_espota_state *at = &peer->as.espota;
    const struct peer_pump pump = {&at->host,    espota_output, espota_sent,
                                   espota_input, espota_closed, espota_is_over};
    char data[160];

    (void)ota_espota_host_tick(&at->host, now_ms);
    espota_datagrams(peer);
    espota_connections(peer);
    size_t len = ota_espota_host_datagram(&at->host, data, sizeof data);
    if (len > 0) {
        (void)at->datagrams->send(at->datagrams, data, len, &peer->address);
    }
    if (at->stream != NULL && !espota_is_over(&at->host)) {
        peer_carry(&pump, at->stream);
    }
    if (espota_is_over(&at->host)) {
        peer->is_over = true;
        peer->is_accepted = at->host.state == OTA_ESPOTA_HOST_DONE;
        (void)ota_espota_host_message(&at->host, peer->said, sizeof peer->said);
        return UINT32_MAX;
    }
    return ota_espota_host_wait_ms(&at->host);
}

static void espota_end(struct peer *peer)
{
    struct peer_espota_state *at = &peer->as.espota;

    ota_espota_host_end(&at->host);
    if (at->stream != NULL) {
        at->stream->close(at->stream);
    }
    if (at->listener != NULL) {
        at->listener->close(at->listener);
    }
    if (at->datagrams != NULL) {
        at->datagrams->close(at->datagrams);
    }
}

const struct peer_kind peer_espota = {"espota", espota_begin, espota_poll, espota_end};

/* ---- ESPHome --------------------------------------------------------------------------------- */

static size_t esphome_output(void *machine, void *buffer, size_t capacity)
{
    return ota_esphome_host_output(machine, buffer, capacity);
}

static void esphome_sent(void *machine, size_t len)
{
    ota_esphome_host_sent(machine, len);
}

static void esphome_input(void *machine, const void *data, size_t len)
{
    (void)ota_esphome_host_input(machine, data, len);
}

static void esphome_closed(void *machine, enum ota_err why)
{
    (void)ota_esphome_host_closed(machine, why);
}

static bool esphome_is_over(const void *machine)
{
    return ((const struct ota_esphome_host *)machine)->state >= OTA_ESPHOME_HOST_DONE;
}

static enum ota_err esphome_begin(struct peer *peer, uint32_t now_ms)
{
    struct peer_esphome_state *at = &peer->as.esphome;

    at->options = (struct ota_esphome_host_options){
        .crypto = &ota_crypto_openssl,
        .size = peer->image->size,
        .password = peer->password,
        .read = peer_read_image,
        .random = peer_random,
        .context = peer,
    };
    memcpy(at->options.md5, peer->image->md5, OTA_MD5_SIZE);
    enum ota_err err = ota_esphome_host_begin(&at->host, &at->options, now_ms);
    if (err == OTA_OK) {
        err = peer->platform->connect_to(peer->platform, &peer->address, &at->stream);
    }
    return err;
}

static uint32_t esphome_poll(struct peer *peer, uint32_t now_ms)
{
    struct peer_esphome_state *at = &peer->as.esphome;
    const struct peer_pump pump = {&at->host,     esphome_output, esphome_sent,
                                   esphome_input, esphome_closed, esphome_is_over};

    (void)ota_esphome_host_tick(&at->host, now_ms);
    if (!esphome_is_over(&at->host)) {
        peer_carry(&pump, at->stream);
    }
    if (esphome_is_over(&at->host)) {
        peer->is_over = true;
        peer->is_accepted = at->host.state == OTA_ESPHOME_HOST_DONE;
        peer->was_busy = at->host.has_answer && at->host.answer == 0x81;
        (void)ota_esphome_host_message(&at->host, peer->said, sizeof peer->said);
        return UINT32_MAX;
    }
    return ota_esphome_host_wait_ms(&at->host);
}

static void esphome_end(struct peer *peer)
{
    struct peer_esphome_state *at = &peer->as.esphome;

    if (at->stream != NULL) {
        at->stream->close(at->stream);
    }
}

const struct peer_kind peer_esphome = {"esphome", esphome_begin, esphome_poll, esphome_end};
