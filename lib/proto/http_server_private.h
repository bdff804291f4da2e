/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PROTO_HTTP_SERVER_PRIVATE_H
#define UPDRAFT_PROTO_HTTP_SERVER_PRIVATE_H

/* Between http_server.c, which answers and watches the clock, and http_server_parse.c, which
   reads. */

#include <updraft/http_server.h>

/* ---- http_server.c --------------------------------------------------------------------------- */

/* The connection is over. */
void ota__http_server_end(struct ota_http_server *server);

/* Gives the present request up: whatever comes has no meaning any more. Unless the handler answers,
   or has answered, it gets this status. */
void ota__http_server_give_up(struct ota_http_server *server, unsigned status, enum ota_err why);

/* ---- http_server_parse.c --------------------------------------------------------------------- */

void ota__http_server_parser_init(struct ota_http_server *server);

/* Takes bytes in the states HEAD and BODY; returns how many. */
size_t ota__http_server_parse(struct ota_http_server *server, const char *data, size_t len);

#endif
