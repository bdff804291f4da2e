/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts that push: espota, ESPHome, and uploads over HTTP. */
#include <stdio.h>
#include <string.h>

#include "power/transfer.h"

static const struct ota_address host = {.ip = {[10] = 0xFF, 0xFF, 192, 168, 1, 2}, .port = 43211};

/* Lower-case digits of the image's MD5, terminated. */
static const char *md5_digits(const struct board_image *image, char digits[33])
{
    for (unsigned i = 0; i < OTA_MD5_SIZE; i++) {
        snprintf(digits + 2 * (size_t)i, 3, "%02x", image->md5[i]);
    }
    return digits;
}

/* The next piece of the image from `*at` on; 0: that was all, or the connection breaks. */
static uint32_t next_piece(struct transfer *transfer, uint32_t at)
{
    const uint32_t left = transfer_end(transfer) - at;

    transfer->is_broken = left == 0 && at < transfer_sent(transfer)->size;
    return left < TRANSFER_PIECE ? left : TRANSFER_PIECE;
}

/* ---- espota ---------------------------------------------------------------------------------- */

static struct ota_espota espota;

static void hear_espota(struct transfer *transfer)
{
    char piece[64];
    size_t len;

    while ((len = ota_espota_output(&espota, piece, sizeof piece)) > 0) {
        transfer_hear(transfer, piece, len);
        ota_espota_sent(&espota, len);
    }
    /* Only the last word has letters. */
    if (transfer_heard(transfer, "OK")) {
        transfer_told(transfer);
    }
}

/* Invites. Returns whether the device connects. */
static bool invite(struct transfer *transfer)
{
    const struct board_image *image = transfer_sent(transfer);
    struct ota_address to;
    char digits[33];
    char text[OTA_ESPOTA_REPLY_SIZE];

    int len = snprintf(text, sizeof text, "%d %u %u %s\n", transfer->image < 0 ? 100 : 0,
                       (unsigned)host.port, (unsigned)image->size, md5_digits(image, digits));
    ota_espota_datagram(&espota, &host, text, (size_t)len);
    size_t got = ota_espota_reply(&espota, &to, text, sizeof text);
    return got == 2 && memcmp(text, "OK", 2) == 0 && espota.state == OTA_ESPOTA_CONNECTING;
}

static void send_by_espota(struct transfer *transfer)
{
    const struct board_image *image = transfer_sent(transfer);
    uint32_t at = 0;
    uint32_t len;

    while ((len = next_piece(transfer, at)) > 0 && ota_espota_has_connection(&espota)) {
        ota_espota_input(&espota, image->bytes + at, len);
        hear_espota(transfer);
        at += len;
    }
}

enum ota_err transfer_by_espota(struct transfer *transfer)
{
    const struct ota_espota_options options = {.intake = &transfer->intake};

    if (ota_espota_begin(&espota, &options, 0) != OTA_OK || !invite(transfer)) {
        return transfer_failure(transfer);
    }
    ota_espota_connected(&espota);
    send_by_espota(transfer);
    if (transfer->is_broken) {
        ota_espota_closed(&espota, OTA_ERR_CONNECTION_LOST);
        return OTA_ERR_CONNECTION_LOST;
    }
    for (unsigned i = 0; i < TRANSFER_TURNS && ota_espota_has_connection(&espota); i++) {
        transfer->now_ms += ota_espota_wait_ms(&espota);
        ota_espota_tick(&espota, transfer->now_ms);
        hear_espota(transfer);
    }
    ota_espota_closed(&espota, OTA_OK);
    return transfer_heard(transfer, "OK") ? OTA_OK : transfer_failure(transfer);
}

/* ---- ESPHome --------------------------------------------------------------------------------- */

static struct ota_esphome esphome;

#define ESPHOME_ACCEPTED 0x45

static void hear_esphome(struct transfer *transfer)
{
    uint8_t piece[64];
    size_t len;

    while ((len = ota_esphome_output(&esphome, piece, sizeof piece)) > 0) {
        transfer_hear(transfer, piece, len);
        ota_esphome_sent(&esphome, len);
        if (piece[len - 1] == ESPHOME_ACCEPTED) {
            transfer_told(transfer);
        }
    }
}

static void tell_esphome(struct transfer *transfer, const void *data, size_t len)
{
    (void)ota_esphome_input(&esphome, data, len);
    hear_esphome(transfer);
}

static void greet_esphome(struct transfer *transfer)
{
    static const uint8_t magic[] = {0x6C, 0x26, 0xF7, 0x5C, 0x45};
    static const uint8_t features[] = {0};
    const struct board_image *image = transfer_sent(transfer);
    const uint8_t size[] = {(uint8_t)(image->size >> 24), (uint8_t)(image->size >> 16),
                            (uint8_t)(image->size >> 8), (uint8_t)image->size};
    char digits[33];

    tell_esphome(transfer, magic, sizeof magic);
    tell_esphome(transfer, features, sizeof features);
    tell_esphome(transfer, size, sizeof size);
    tell_esphome(transfer, md5_digits(image, digits), 32);
}

enum ota_err transfer_by_esphome(struct transfer *transfer)
{
    const struct ota_esphome_options options = {.intake = &transfer->intake};
    const struct board_image *image = transfer_sent(transfer);
    uint32_t at = 0;
    uint32_t len;

    if (ota_esphome_begin(&esphome, &options, 0) != OTA_OK) {
        return OTA_ERR_ARGUMENT;
    }
    greet_esphome(transfer);
    while ((len = next_piece(transfer, at)) > 0 && esphome.state == OTA_ESPHOME_RECEIVING) {
        tell_esphome(transfer, image->bytes + at, len);
        at += len;
    }
    (void)ota_esphome_closed(&esphome, transfer->is_broken ? OTA_ERR_CONNECTION_LOST : OTA_OK);
    return esphome.is_accepted ? OTA_OK : esphome.failure.err;
}

/* ---- Uploads --------------------------------------------------------------------------------- */

static struct ota_web web;
static struct ota_web_connection connection;

#define BOUNDARY "----------0123456789abcdef"

static void on_restart(void *context, enum ota_restart_reason reason)
{
    (void)reason;
    transfer_told(context);
}

static void hear_web(struct transfer *transfer)
{
    char piece[256];
    size_t len;

    while ((len = ota_http_server_output(&connection.http, piece, sizeof piece)) > 0) {
        transfer_hear(transfer, piece, len);
        ota_http_server_sent(&connection.http, len);
    }
    if (transfer_heard(transfer, "Update Success!") ||
        transfer_heard(transfer, "Firmware update complete")) {
        transfer_told(transfer);
    }
}

static void tell_web(struct transfer *transfer, const void *data, size_t len)
{
    const uint8_t *bytes = data;

    for (unsigned i = 0; i < TRANSFER_TURNS && len > 0; i++) {
        size_t taken = ota_http_server_input(&connection.http, bytes, len);
        bytes += taken;
        len -= taken;
        hear_web(transfer);
    }
}

static enum ota_err upload(struct transfer *transfer, const char *head, const char *tail)
{
    const struct ota_web_options options = {.intake = &transfer->intake,
                                            .device = &transfer->board->device,
                                            .on_restart = on_restart,
                                            .context = transfer};
    const struct board_image *image = transfer_sent(transfer);
    uint32_t at = 0;
    uint32_t len;

    if (ota_web_init(&web, &options) != OTA_OK) {
        return OTA_ERR_ARGUMENT;
    }
    ota_web_open(&connection, &web, &host, 0);
    tell_web(transfer, head, strlen(head));
    while ((len = next_piece(transfer, at)) > 0) {
        tell_web(transfer, image->bytes + at, len);
        at += len;
    }
    if (!transfer->is_broken) {
        tell_web(transfer, tail, strlen(tail));
    }
    ota_http_server_closed(&connection.http,
                           transfer->is_broken ? OTA_ERR_CONNECTION_LOST : OTA_OK);
    hear_web(transfer);
    return transfer_heard(transfer, "Update Success!") ||
                   transfer_heard(transfer, "Firmware update complete")
               ? OTA_OK
               : transfer_failure(transfer);
}

enum ota_err transfer_by_form(struct transfer *transfer)
{
    static const char tail[] = "\r\n--" BOUNDARY "--\r\n";
    const struct board_image *image = transfer_sent(transfer);
    char part[256];
    char head[1024];

    snprintf(part, sizeof part,
             "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"%s\"; "
             "filename=\"image.bin\"\r\nContent-Type: application/octet-stream\r\n\r\n",
             transfer->image < 0 ? "filesystem" : "firmware");
    snprintf(head, sizeof head,
             "POST /update HTTP/1.1\r\nHost: board\r\nContent-Length: %zu\r\n"
             "Content-Type: multipart/form-data; boundary=" BOUNDARY "\r\n\r\n%s",
             strlen(part) + image->size + sizeof tail - 1, part);
    return upload(transfer, head, tail);
}

enum ota_err transfer_by_raw(struct transfer *transfer)
{
    const struct board_image *image = transfer_sent(transfer);
    char digits[33];
    char head[512];

    snprintf(head, sizeof head,
             "POST /update%s HTTP/1.1\r\nHost: board\r\nContent-Length: %u\r\nx-MD5: %s\r\n"
             "Content-Type: application/octet-stream\r\n\r\n",
             transfer->image < 0 ? "?mode=fs" : "", (unsigned)image->size,
             md5_digits(image, digits));
    return upload(transfer, head, "");
}
