/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROTO_PUSHER_H
#define PROTO_PUSHER_H

/*
 * A push over the Arduino update protocol whose device is the test: what the host wants to send is
 * looked at, and what the device says is said, line by line.
 *
 *     pusher_begin(&pusher, "secret");
 *     assert_string_equal(pusher_datagram(&pusher), "0 43211 …\n");
 *     pusher_answer(&pusher, "OK");
 *     pusher_connect(&pusher);
 *     pusher_send(&pusher, UINT32_MAX);
 *     pusher_input(&pusher, "3001OK");
 *     assert_string_equal(pusher.log, "invited, let in, connected, all sent, succeeded");
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <updraft/espota_host.h>

#define PUSHER_IMAGE_SIZE 3001u
#define PUSHER_PORT 43211u

struct pusher {
    struct ota_espota_host host;
    struct ota_espota_host_options options;
    uint8_t image[PUSHER_IMAGE_SIZE];
    uint8_t random[32];      /* what the host is given for random numbers */
    enum ota_err read_error; /* what reading the image gives from read_limit on */
    uint32_t read_limit;
    enum ota_err random_error;
    uint32_t now;
    char log[256];       /* the events, but for progress */
    uint32_t progressed; /* host->sent at the last event of progress */
    char text[512];
};

/* Begins a push of an image of noise; the options may be changed before with pusher_prepare. */
void pusher_prepare(struct pusher *pusher, const char *password);
void pusher_begin(struct pusher *pusher, const char *password);

/* The datagram that the host sends now; "" if none. */
const char *pusher_datagram(struct pusher *pusher);

/* Takes the datagram, which must be the invitation. */
void pusher_expect_invitation(struct pusher *pusher);

enum ota_err pusher_answer(struct pusher *pusher, const char *text);
void pusher_connect(struct pusher *pusher);

/* Sends at most `limit` bytes of the image, compared with what they should be. */
void pusher_send(struct pusher *pusher, uint32_t limit);
enum ota_err pusher_input(struct pusher *pusher, const char *text);

/* Lets time pass. */
enum ota_err pusher_wait(struct pusher *pusher, uint32_t ms);

/* Ticks until the proof is computed, and returns its datagram. */
const char *pusher_proof(struct pusher *pusher);

/* From the start until the device has connected, without a password. */
void pusher_begin_connected(struct pusher *pusher);

/* Demands that the push has failed with this, and that the message holds these words. */
void pusher_expect_failure(struct pusher *pusher, enum ota_err err, const char *words);

#endif
