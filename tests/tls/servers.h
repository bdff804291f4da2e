/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_SERVERS_H
#define TLS_SERVERS_H

/* Real servers for tests, `openssl s_server` and nginx, on ports of 127.0.0.1 that are free, in a
   scratch folder; and a relay between client and server that is as slow as a test wants. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "support/scratch.h"

struct server {
    pid_t pid;
    uint16_t port;
    int input; /* what is written here `openssl s_server` sends; -1: none */
};

/* Tells whether a program can be run. */
bool servers_have(const char *program);

/* Runs a command of the shell in the folder; it must succeed. Output goes nowhere. */
void servers_run(const struct scratch *scratch, const char *command);

uint16_t servers_free_port(void);

/* Start `openssl s_server` with these further arguments (ended by NULL); nginx with this
   configuration file of the folder; a relay to `port` that passes one byte in each direction every
   `byte_ms`. They accept connections when this returns. */
void server_openssl(struct server *server, const struct scratch *scratch,
                    const char *const *arguments);
void server_nginx(struct server *server, const struct scratch *scratch, const char *configuration,
                  uint16_t port);
void server_relay(struct server *server, uint16_t port, unsigned byte_ms);

void server_stop(struct server *server);

#endif
