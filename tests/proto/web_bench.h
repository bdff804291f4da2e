/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROTO_WEB_BENCH_H
#define PROTO_WEB_BENCH_H

/*
 * A web server on a bench: a device made of RAM behind an intake, three connections to it, and an
 * image that may be uploaded. Requests go in at any cut, answers come out as text.
 */

#include <updraft/gunzip.h>
#include <updraft/unwrap.h>
#include <updraft/web_update.h>

#include "proto/ram_device.h"

#define WEB_CONNECTIONS 3
#define WEB_IMAGE_MAX 0x10000u

struct web_bench {
    struct ram_device ram;
    struct ota_intake_options intake_options;
    struct ota_intake intake;
    struct ota_gunzip_decoder gunzip;
    struct ota_decoder *decoders[2];
    struct ota_unwrap unwrap;
    struct ota_web_options options;
    struct ota_web web;
    struct ota_web_connection connection[WEB_CONNECTIONS];
    uint8_t buffer[4096];
    uint32_t now;
    int draws; /* of random bytes, so far */
    bool draws_fail;

    uint8_t image[WEB_IMAGE_MAX + 64];
    size_t image_len;
    char md5[33], sha256[65];        /* of the image */
    uint8_t before[RAM_DEVICE_SIZE]; /* the flash when it was last noted */

    char request[WEB_IMAGE_MAX + 4096];
    size_t request_len;
    size_t first, step; /* how requests are cut: at `first`, then every `step` bytes; 0: not */

    char out[WEB_CONNECTIONS][8192]; /* what each connection has said since it was opened */
    size_t out_len[WEB_CONNECTIONS];
    unsigned restarts;
    enum ota_restart_reason reason;
    char events[32]; /* a letter each: login, foreign, restart, rollback, upload refused */
};

/* Makes a bench with an image of `size` bytes (0: the smallest) for its chip. */
void web_bench_make(struct web_bench *bench, uint32_t size);

/* Begins intake and web with the present options, and opens all connections. */
void web_bench_begin(struct web_bench *bench);

/* Begins again with this login. */
void web_bench_set_password(struct web_bench *bench, const char *user, const char *password);

/* Gives the device a decoder of gzip, and begins. */
void web_bench_take_gzip(struct web_bench *bench);

/* Opens a connection afresh, from a peer of its own number. */
void web_bench_open(struct web_bench *bench, unsigned connection);

/* Composes a request: a head, each line with its CR LF, and a body. */
void web_bench_compose(struct web_bench *bench, const char *head, const void *body, size_t len);

/* Composes a POST of a form with one file: lines are further header lines of the request, each with
   CR LF. file_name NULL: a text part. */
void web_bench_compose_form(struct web_bench *bench, const char *target, const char *lines,
                            const char *name, const char *file_name, const void *data, size_t len);

/* Composes a POST of a raw body. */
void web_bench_compose_raw(struct web_bench *bench, const char *target, const char *lines,
                           const void *data, size_t len);

/* Feeds what was composed, cut as bench->first and step say, to a connection, and takes what it
   says. */
void web_bench_send(struct web_bench *bench, unsigned connection);

/* Feeds these bytes, uncut. */
void web_bench_feed(struct web_bench *bench, unsigned connection, const void *data, size_t len);

/* Takes what the connection has to say. */
void web_bench_take(struct web_bench *bench, unsigned connection);

/* Lets time pass for all connections. */
void web_bench_wait(struct web_bench *bench, uint32_t ms);

/* Sends what was composed on a new connection 0. Returns the status of the last answer. */
unsigned web_bench_ask(struct web_bench *bench);
unsigned web_bench_get(struct web_bench *bench, const char *target, const char *lines);

/* Asks with a raw upload of the image and these header lines, Host among them. */
unsigned web_bench_upload(struct web_bench *bench, const char *lines);

/* The status, and the body, of the last answer on a connection; 0, "" if there is none. */
unsigned web_bench_status(const struct web_bench *bench, unsigned connection);
const char *web_bench_body(const struct web_bench *bench, unsigned connection);

/* The last answer has this header line. */
bool web_bench_has_line(const struct web_bench *bench, unsigned connection, const char *line);

/* Notes the flash, and tells whether it is the same as when it was noted. */
void web_bench_note_flash(struct web_bench *bench);
bool web_bench_same_flash(const struct web_bench *bench);

/* The image is in ota_0 and boots next; it lies in the data partition; neither, and all is free. */
void web_bench_assert_updated(const struct web_bench *bench);
void web_bench_assert_data(const struct web_bench *bench);
void web_bench_assert_nothing(struct web_bench *bench);

/* Nothing, and a refusal before the body. */
void web_bench_assert_refused(struct web_bench *bench, unsigned status);

#endif
