/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROTO_PULL_BENCH_H
#define PROTO_PULL_BENCH_H

/*
 * A pull on a bench: a device made of RAM, an image for it, and a server that is the test's own
 * strings. A step that goes another way than its comment says fails the test.
 *
 *     bench_begin(bench);
 *     bench_answer(bench, bench_whole(bench, head), bench->image, bench->image_len);
 *     bench_close_connection(bench);
 *     bench_assert_updated(bench);
 */

#include <updraft/pull.h>

#include "proto/ram_device.h"

#define BENCH_IMAGE_SIZE 20000u

struct bench {
    struct ram_device ram;
    struct ota_update update;
    struct ota_pull pull;
    struct ota_pull_options options;
    struct ota_pull_facts facts;
    char text[1024];
    uint8_t buffer[4096];
    uint32_t now;
    uint8_t image[BENCH_IMAGE_SIZE + 64], other[BENCH_IMAGE_SIZE + 64];
    size_t image_len, other_len;
    char md5[33], other_md5[33], sha256[65], other_sha256[65];

    char request[2048]; /* the last one sent */
    char events[64];    /* a letter for each event of the pull */
    enum ota_err offer_answer;
    size_t step; /* answers are fed in pieces of this many bytes; 0: whole */
};

/* A set-up function for cmocka: *state becomes a bench with a device that has never been updated
   and an image of BENCH_IMAGE_SIZE for it. */
int bench_fresh(void **state);

/* Makes both images anew, of this size. */
void bench_make_image(struct bench *bench, uint32_t size);

/* Begins the pull; it wants a connection. */
void bench_begin(struct bench *bench);

/* Takes all that is to be sent into bench->request. */
void bench_take_request(struct bench *bench);

/* The present connection is open; feeds it bytes in pieces of `step` (0: in one) until it is
   not. */
bool bench_is_connected(const struct bench *bench);
void bench_feed(struct bench *bench, const void *data, size_t len, size_t step);

/* One connection: takes the request, answers with `head` and `len` bytes of body. */
void bench_answer(struct bench *bench, const char *head, const void *body, size_t len);

/* The server closes, if the connection is still open. */
void bench_close_connection(struct bench *bench);

/* Lets the present wait pass, and not a millisecond less. */
void bench_wait_out(struct bench *bench);

/* snprintf that must fit; returns `buffer`. */
const char *bench_format(char *buffer, size_t size, const char *pattern, ...)
    __attribute__((format(printf, 3, 4)));

/* Writes the head of a good answer with the image; returns it. */
const char *bench_whole(const struct bench *bench, char head[512]);

/* Writes the header lines that identify the image, or the other one: x-MD5 (m), x-SHA256 (s), both
   and an ETag (b), an ETag (e), a weak one (w), none. */
const char *bench_identity_lines(const struct bench *bench, char kind, bool other, char line[256]);

/* Begins a pull, receives `received` bytes of the image, loses the connection, and waits for the
   next try. */
void bench_interrupt(struct bench *bench, char kind, size_t received);

/* The start that the last request asks for; 0 without a Range. */
size_t bench_asked_range(const struct bench *bench);

/* Connects and takes the request, which must ask for a rest; returns its start. */
size_t bench_connect_for_rest(struct bench *bench);

/* Feeds the head of an answer with the image's rest from there, told by these identity lines. */
void bench_feed_rest_head(struct bench *bench, char kind, size_t start);

/* The pull is done: the image is proven and in its place; or it failed with this. */
void bench_assert_updated(const struct bench *bench);
void bench_assert_failed(const struct bench *bench, enum ota_err err);

#endif
