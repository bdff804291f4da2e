/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SERVER_CLIENT_H
#define TESTS_SERVER_CLIENT_H

/* Two HTTP clients for tests: libcurl for what a client of other people's does, and a bare socket
   for what no decent client would. Whatever fails outside the server ends the program. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An answer; bytes are the holder's until answer_free. */
struct answer {
    long status; /* 0: the connection broke before there was one */
    char *head;  /* all header lines */
    uint8_t *body;
    size_t len;
    bool broken; /* ended before its Content-Length */
};

void answer_free(struct answer *answer);

/* Returns a header's value, without blanks around it, in a buffer that the next call reuses; NULL
   if it is not there. */
const char *answer_header(const struct answer *answer, const char *name);

/* Makes one request. `headers` are whole lines, ended by NULL; NULL: none. */
struct answer client_get(uint16_t port, const char *path, const char *const *headers);
struct answer client_head(uint16_t port, const char *path);

/* Makes `count` requests at the same time, each on a connection of its own. */
void client_get_together(uint16_t port, const char *path, struct answer *answers, size_t count);

/* A bare connection. */
int client_connect(uint16_t port, int receive_buffer);
void client_send(int socket, const void *data, size_t len);

/* Reads exactly `len` bytes or up to the end; returns how many came. Gives up after 20 s of
   silence. */
size_t client_read(int socket, void *data, size_t len);

/* Waits until the other side closes; returns whether it did within `ms`. */
bool client_waits_for_end(int socket, int ms);

/* Sends these bytes on a new connection, reads up to the end and closes. */
struct answer client_exchange(uint16_t port, const void *data, size_t len);

#endif
