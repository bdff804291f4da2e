/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SERVER_WORLD_H
#define TESTS_SERVER_WORLD_H

/* A server over loopback with a folder of its own: the set-up and tear-down of a cmocka test, and
   what tests do to the folder and ask of the server. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <cmocka.h>

#include "server/client.h"
#include "server/server.h"
#include "support/scratch.h"

#define WORLD_WAIT_MS 20000u
#define WORLD_BIG (24u << 20) /* bytes: more than all buffers between two sockets */

struct world {
    struct scratch folder;
    struct server *server; /* NULL: the test has stopped it */
    uint16_t port;
    pthread_mutex_t lock; /* over the log */
    pthread_cond_t logged;
    struct server_request last;
    unsigned requests;
    unsigned packed, unpackable; /* images of which the packer told that they are so */
};

/* Start the server, the second one with little patience for slow peers: *state becomes the
   world. */
int world_set_up(void **state);
int world_set_up_impatient(void **state);
int world_tear_down(void **state);

/* Start it again on the same folder, and stop it. */
void world_restart(struct world *world, bool plain_only);
void world_stop(struct world *world);

/* Waits until so many images were packed, or could not be. */
void world_wait_packed(struct world *world, unsigned packed, unsigned unpackable);

/* Waits until so many requests are in the log, and returns the last. */
struct server_request world_wait_logged(struct world *world, unsigned requests);

/* Waits until the catalogue lists the file with these bytes' size. */
void world_wait_listed(struct world *world, const char *name, size_t size);

/* Puts a file of noise into the folder; the bytes are the caller's to free. */
uint8_t *world_put_noise(struct world *world, const char *name, uint64_t seed, size_t len);

/* Asks for the file "big" on a bare connection and reads the answer's head and the first `some`
   bytes of the body. Returns the connection. */
int world_begin_download(struct world *world, uint8_t *bytes, size_t some);

/* Makes a request that is written out. */
struct answer world_ask(struct world *world, const char *request);

/* Demand that the answer is whole and has this body; that a header is this, or, with NULL,
   absent. */
void assert_body(const struct answer *answer, const uint8_t *bytes, size_t len);
void assert_header(const struct answer *answer, const char *name, const char *expected);

#endif
