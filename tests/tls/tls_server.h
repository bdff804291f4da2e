/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_TLS_SERVER_H
#define TLS_TLS_SERVER_H

/*
 * The server's side of TLS, by Mbed TLS: wraps streams that were accepted, with a certificate made
 * for the purpose, and resumes sessions by tickets.
 *
 *     struct tls_server *server = tls_server_new("10.0.0.2");
 *     tls_options.ca_pem = tls_server_certificate(server);     of the client
 *     stream = tls_server_wrap(server, stream);                closes the inner one with itself
 *     tls_server_free(server);
 */

#include <updraft/platform.h>

struct tls_server;

/* Makes a key and a certificate for this host, signed by itself. */
struct tls_server *tls_server_new(const char *host);
void tls_server_free(struct tls_server *server);

/* Its certificate in PEM, and the SHA-256 of that as text. */
const char *tls_server_certificate(const struct tls_server *server);
void tls_server_fingerprint(const struct tls_server *server, char text[96]);

struct ota_stream *tls_server_wrap(struct tls_server *server, struct ota_stream *inner);

#endif
