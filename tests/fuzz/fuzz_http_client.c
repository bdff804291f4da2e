/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as an HTTP answer. The first byte of the input says how it is cut and whether it
 * answers a HEAD; whatever the cut, the outcome is that of the whole in one piece.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <updraft/crypto.h>
#include <updraft/http_client.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    enum ota_http_state state;
    enum ota_err err;
    struct ota_http_response response;
    uint32_t received;
    uint32_t headers, body; /* checksums of what the callbacks were told */
};

static const char *const wanted[] = {"x-MD5", "Location", "Content-Range", NULL};

static enum ota_err on_header(void *context, unsigned index, const char *value)
{
    struct outcome *outcome = context;

    outcome->headers = ota_crc32(outcome->headers, &index, sizeof index);
    outcome->headers = ota_crc32(outcome->headers, value, strlen(value));
    return OTA_OK;
}

static enum ota_err on_head(void *context, const struct ota_http_response *response)
{
    ((struct outcome *)context)->response = *response;
    return OTA_OK;
}

static enum ota_err on_body(void *context, const void *data, size_t len)
{
    struct outcome *outcome = context;

    if (len == 0) {
        abort();
    }
    outcome->received += (uint32_t)len;
    outcome->body = ota_crc32(outcome->body, data, len);
    return OTA_OK;
}

static struct outcome run(const uint8_t *data, size_t size, size_t step, bool is_head)
{
    struct outcome outcome;
    char buffer[80];
    struct ota_http_client client;
    const struct ota_http_request request = {
        .method = is_head ? "HEAD" : "GET",
        .target = "/",
        .wanted = wanted,
        .on_header = on_header,
        .on_head = on_head,
        .on_body = on_body,
        .context = &outcome,
        .buffer = buffer,
        .buffer_size = sizeof buffer,
    };

    memset(&outcome, 0, sizeof outcome);
    if (ota_http_client_begin(&client, &request, 0) != OTA_OK) {
        abort();
    }
    for (size_t at = 0; at < size && outcome.err == OTA_OK; at += step) {
        outcome.err =
            ota_http_client_input(&client, data + at, step < size - at ? step : size - at);
    }
    if (outcome.err == OTA_OK) {
        outcome.err = ota_http_client_closed(&client);
    }
    outcome.state = client.state;
    if ((client.state == OTA_HTTP_FAILED) != (outcome.err != OTA_OK) ||
        client.failure.err != outcome.err || client.received != outcome.received ||
        (client.state != OTA_HTTP_FAILED && client.state != OTA_HTTP_DONE)) {
        abort();
    }
    return outcome;
}

/* Of a header that is both too long and malformed, the cut decides which is seen first. */
static enum ota_err without_order(enum ota_err err)
{
    return err == OTA_ERR_HTTP_HEADER ? OTA_ERR_HTTP_SYNTAX : err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) {
        return 0;
    }
    bool is_head = (data[0] & 0x80) != 0;
    size_t step = 1 + (data[0] & 0x7F);
    struct outcome whole = run(data + 1, size - 1, size, is_head);
    struct outcome cut = run(data + 1, size - 1, step, is_head);

    if (whole.state != cut.state || without_order(whole.err) != without_order(cut.err)) {
        abort();
    }
    /* How much was told before an error depends on where the error's bytes begin. */
    if (whole.err == OTA_OK && memcmp(&whole, &cut, sizeof whole) != 0) {
        abort();
    }
    return 0;
}
