/* SPDX-License-Identifier: Apache-2.0 */
/* The test's end of a push over the Arduino update protocol. */

#include "proto/pusher.h"

#include <stdio.h>
#include <string.h>

#include "cli/digest.h"
#include "support/images.h"

static enum ota_err read_image(void *context, uint32_t offset, void *data, size_t len)
{
    const struct pusher *pusher = context;

    assert_true(len <= PUSHER_IMAGE_SIZE && offset <= PUSHER_IMAGE_SIZE - len);
    if (offset >= pusher->read_limit) {
        return pusher->read_error;
    }
    memcpy(data, pusher->image + offset, len);
    return OTA_OK;
}

static enum ota_err give_random(void *context, void *data, size_t len)
{
    const struct pusher *pusher = context;

    assert_true(len <= sizeof pusher->random);
    memcpy(data, pusher->random, len);
    return pusher->random_error;
}

static void on_event(void *context, const struct ota_espota_host *host,
                     enum ota_espota_host_event event)
{
    static const char *const names[OTA_ESPOTA_HOST_EVENT_COUNT] = {
        [OTA_ESPOTA_HOST_INVITED] = "invited",   [OTA_ESPOTA_HOST_CHALLENGED] = "challenged",
        [OTA_ESPOTA_HOST_WEAK_AUTH] = "weak",    [OTA_ESPOTA_HOST_MD5_HASH] = "md5 hash",
        [OTA_ESPOTA_HOST_LET_IN] = "let in",     [OTA_ESPOTA_HOST_CONNECTED] = "connected",
        [OTA_ESPOTA_HOST_ALL_SENT] = "all sent", [OTA_ESPOTA_HOST_SUCCEEDED] = "succeeded",
    };
    struct pusher *pusher = context;
    size_t len = strlen(pusher->log);

    if (event == OTA_ESPOTA_HOST_PROGRESS) {
        assert_true(host->sent > pusher->progressed);
        pusher->progressed = host->sent;
        return;
    }
    snprintf(pusher->log + len, sizeof pusher->log - len, "%s%s", len > 0 ? ", " : "",
             names[event]);
}

void pusher_prepare(struct pusher *pusher, const char *password)
{
    memset(pusher, 0, sizeof *pusher);
    for (uint32_t i = 0; i < PUSHER_IMAGE_SIZE; i++) {
        pusher->image[i] = (uint8_t)noise(2026, i);
    }
    for (size_t i = 0; i < sizeof pusher->random; i++) {
        pusher->random[i] = (uint8_t)i;
    }
    pusher->read_limit = UINT32_MAX;
    pusher->options = (struct ota_espota_host_options){
        .crypto = &ota_crypto_psa,
        .size = PUSHER_IMAGE_SIZE,
        .host_port = PUSHER_PORT,
        .password = password,
        .read = read_image,
        .random = give_random,
        .on_event = on_event,
        .context = pusher,
    };
    assert_true(digest_of(&ota_crypto_psa, OTA_HASH_MD5, pusher->image, PUSHER_IMAGE_SIZE,
                          pusher->options.md5));
}

void pusher_begin(struct pusher *pusher, const char *password)
{
    pusher_prepare(pusher, password);
    assert_int_equal(ota_espota_host_begin(&pusher->host, &pusher->options, pusher->now), OTA_OK);
}

const char *pusher_datagram(struct pusher *pusher)
{
    size_t len = ota_espota_host_datagram(&pusher->host, pusher->text, sizeof pusher->text - 1);

    pusher->text[len] = '\0';
    return pusher->text;
}

void pusher_expect_invitation(struct pusher *pusher)
{
    char expected[128];
    size_t len =
        (size_t)snprintf(expected, sizeof expected, "%d %u %u ", pusher->options.is_data ? 100 : 0,
                         pusher->options.host_port, pusher->options.size);

    for (size_t i = 0; i < OTA_MD5_SIZE; i++) {
        len +=
            (size_t)snprintf(expected + len, sizeof expected - len, "%02x", pusher->options.md5[i]);
    }
    snprintf(expected + len, sizeof expected - len, "\n");
    assert_string_equal(pusher_datagram(pusher), expected);
    assert_string_equal(pusher_datagram(pusher), "");
}

enum ota_err pusher_answer(struct pusher *pusher, const char *text)
{
    return ota_espota_host_answer(&pusher->host, text, strlen(text));
}

void pusher_connect(struct pusher *pusher)
{
    assert_true(ota_espota_host_connected(&pusher->host));
    assert_int_equal(pusher->host.state, OTA_ESPOTA_HOST_SENDING);
}

void pusher_send(struct pusher *pusher, uint32_t limit)
{
    while (limit > 0) {
        uint8_t piece[700];
        size_t room = limit < sizeof piece ? limit : sizeof piece;
        size_t len = ota_espota_host_output(&pusher->host, piece, room);
        if (len == 0) {
            return;
        }
        assert_memory_equal(piece, pusher->image + pusher->host.sent, len);
        ota_espota_host_sent(&pusher->host, len);
        limit -= (uint32_t)len;
    }
}

enum ota_err pusher_input(struct pusher *pusher, const char *text)
{
    return ota_espota_host_input(&pusher->host, text, strlen(text));
}

enum ota_err pusher_wait(struct pusher *pusher, uint32_t ms)
{
    pusher->now += ms;
    return ota_espota_host_tick(&pusher->host, pusher->now);
}

const char *pusher_proof(struct pusher *pusher)
{
    while (pusher->host.state == OTA_ESPOTA_HOST_COMPUTING) {
        assert_string_equal(pusher_datagram(pusher), "");
        assert_int_equal(ota_espota_host_wait_ms(&pusher->host), 0);
        pusher_wait(pusher, 1);
    }
    assert_int_equal(pusher->host.state, OTA_ESPOTA_HOST_PROVING);
    return pusher_datagram(pusher);
}

void pusher_begin_connected(struct pusher *pusher)
{
    pusher_begin(pusher, NULL);
    pusher_expect_invitation(pusher);
    assert_int_equal(pusher_answer(pusher, "OK"), OTA_OK);
    pusher_connect(pusher);
}

void pusher_expect_failure(struct pusher *pusher, enum ota_err err, const char *words)
{
    assert_int_equal(pusher->host.state, OTA_ESPOTA_HOST_FAILED);
    assert_int_equal(pusher->host.failure.err, err);
    const char *message = ota_espota_host_message(&pusher->host, pusher->text, sizeof pusher->text);
    if (strstr(message, words) == NULL) {
        fail_msg("\"%s\" does not hold \"%s\"", message, words);
    }
    /* Nothing more is wanted, and whatever comes changes nothing. */
    assert_false(ota_espota_host_connected(&pusher->host));
    char none[8];
    assert_int_equal(ota_espota_host_datagram(&pusher->host, none, sizeof none), 0);
    assert_int_equal(ota_espota_host_output(&pusher->host, none, sizeof none), 0);
    assert_int_equal(ota_espota_host_wait_ms(&pusher->host), UINT32_MAX);
    assert_int_equal(ota_espota_host_answer(&pusher->host, "OK", 2), err);
    assert_int_equal(ota_espota_host_input(&pusher->host, "OK", 2), err);
    assert_int_equal(ota_espota_host_closed(&pusher->host, OTA_OK), err);
    assert_int_equal(pusher_wait(pusher, 100000), err);
}
