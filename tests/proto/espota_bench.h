/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROTO_ESPOTA_BENCH_H
#define PROTO_ESPOTA_BENCH_H

/*
 * An espota device on a bench: a device made of RAM, an image for it, and a host that is the test.
 * What the device sends is collected as text, and its events as a line of words.
 *
 *     bench_begin(bench);
 *     bench_invite(bench);
 *     assert_string_equal(bench->reply, "OK");
 *     bench_connect(bench);
 *     bench_send(bench, bench->image, bench->image_len, 1460);
 *     bench_settle(bench);
 *     assert_string_equal(bench->told, "1460…OK");
 */

#include <stdio.h>

#include <updraft/espota.h>

#include "proto/ram_device.h"

#define BENCH_IMAGE_SIZE 20000u
#define BENCH_HOST_PORT 43211u

/* What a host draws; and what it is told whose answer is wrong. */
#define CNONCE_MD5 "45c43a74c645da3727e2b16f8136db8a"
#define CNONCE_SHA256 "c46e7638a39b7c4391d1f1607ffa895f0fb06c2c59765a39cd2ba2711d761ed8"
#define WRONG_REPLY "Authentication Failed"

struct espota_bench {
    struct ram_device ram;
    struct ota_intake intake;
    struct ota_intake_options intake_options;
    struct ota_espota espota;
    struct ota_espota_options options;
    uint8_t buffer[4096];
    uint32_t now;
    uint8_t image[BENCH_IMAGE_SIZE + 64];
    size_t image_len;
    uint8_t md5[OTA_MD5_SIZE];
    char md5_digits[33];

    struct ota_address host;       /* where datagrams come from */
    char reply[256];               /* the last reply, or "" */
    struct ota_address replied_to; /* and where it went */
    char told[65536];              /* what came over the connection, until the next one */
    size_t told_len;
    char events[1024]; /* "start progress end "; progress once for a row; "error4:DIGEST" */
    uint32_t progress; /* calls */

    uint8_t random[OTA_SHA256_SIZE]; /* what is given out; then changed, unless it is kept */
    bool keeps_random;
    enum ota_err random_err;
    size_t output_step; /* the connection takes so many bytes at a time; 0: all */
};

/* A set-up function for cmocka: *state becomes a bench; begin makes a device of bench->options. */
int espota_bench_fresh(void **state);
void bench_begin(struct espota_bench *bench);

/* Begins it with the password "secret", and returns it. */
struct espota_bench *bench_with_password(void **state);

/* Computes bench->md5 of another image. */
void bench_digest_image(struct espota_bench *bench);

/* An address of the network: 192.168.1.`last`, this port. */
struct ota_address bench_address(unsigned last, uint16_t port);

/* Gives the device a datagram from bench->host, and takes its reply. */
void bench_datagram(struct espota_bench *bench, const char *text);
void bench_datagram_bytes(struct espota_bench *bench, const void *data, size_t len);

/* Takes the reply that is due, if one is. */
void bench_take_reply(struct espota_bench *bench);

/* Invites with the facts of the image, or others. */
void bench_invite(struct espota_bench *bench);
void bench_invite_with(struct espota_bench *bench, unsigned command, size_t size,
                       const char *md5_digits);

/* Answers a nonce as a host does that knows this password: the MD5 form, from `digits` digits of
   it; the PBKDF2 form, from the password's SHA-256 or its MD5. Then lets the device compute. */
void bench_login_md5(struct espota_bench *bench, const char *password, size_t digits);
void bench_login_pbkdf2(struct espota_bench *bench, const char *password,
                        enum ota_hash_algorithm kept);

/* Writes such an answer. `nonce` has any number of digits, the cnonce 32 or 64. */
void bench_answer_md5(char *datagram, size_t size, const char *password, const char *nonce,
                      const char *cnonce);
void bench_answer_pbkdf2(char *datagram, size_t size, const char *password,
                         enum ota_hash_algorithm kept, const char *nonce, const char *cnonce);

/* Lets time pass; the device may say something at any moment of it. */
void bench_pass(struct espota_bench *bench, uint32_t ms);

/* Opens the connection that the device wants. */
void bench_connect(struct espota_bench *bench);

/* Feeds it bytes in pieces, taking what it tells after each. */
void bench_send(struct espota_bench *bench, const void *data, size_t len, size_t step);
void bench_take_output(struct espota_bench *bench);

/* Lets the device come to its last word, and the host close. */
void bench_settle(struct espota_bench *bench);

/* The whole of a push without a password. */
void bench_push(struct espota_bench *bench);

/* The slot holds the image, and it boots next; or it does not. */
bool bench_is_updated(struct espota_bench *bench);

#endif
