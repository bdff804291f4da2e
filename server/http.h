/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_SERVER_HTTP_H
#define UPDRAFT_SERVER_HTTP_H

/*
 * HTTP for the rooms of the server: libmicrohttpd with its limits set, requests dispatched by a
 * table of routes, answers sent through one door, connections watched.
 *
 * Limits: connections in all, 16 KiB of headers a connection, a time for a request to be whole, a
 * time of silence, and a least average speed for taking an answer.
 */

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/catalog.h"
#include "server/server.h"

struct http;
struct http_link;

/* A request while it is answered. */
struct http_request {
    void *owner; /* of the routes: the server */
    struct http *http;
    struct MHD_Connection *connection;
    struct http_link *link; /* the TCP connection it came by */
    const char *path;       /* decoded */
    const char *rest;       /* what of the path is behind the route's prefix; "" if nothing */
    bool is_head;
    int64_t start_ms;
    struct server_request record; /* for the log, filled in as things become known */
};

/* A route answers what equals its path or, if the path ends in '/', begins with it; the first that
   fits counts. The list ends with path NULL. Only GET and HEAD arrive. */
struct http_route {
    const char *path;
    bool is_prefix;
    enum MHD_Result (*answer)(struct http_request *request);
};

struct http_options {
    int listener; /* a socket that listens; taken over, also when the start fails */
    unsigned threads;
    unsigned connections_max;
    unsigned timeout_s;
    const struct http_route *routes;
    void *owner;
    void (*on_request)(void *context, const struct server_request *request);
    void *context;
};

/* Starts to answer. Returns NULL if libmicrohttpd or a thread could not be had. */
struct http *http_start(const struct http_options *options);

/* Takes no more connections, waits up to `grace_ms` for answers under way, and ends all threads. */
void http_stop(struct http *http, unsigned grace_ms);

/* Frees what was stopped. */
void http_free(struct http *http);

/* Cuts the connections that are being sent this image: their bytes would be a mixture of two. Any
   thread, until http_free. */
void http_cut(struct http *http, const struct catalog_image *image);

/* Returns a request header, whatever its case, or NULL. */
const char *http_header(const struct http_request *request, const char *name);

/* Returns an argument of the URL (?name=value), or NULL. */
const char *http_argument(const struct http_request *request, const char *name);

/* Answers with `status` and the response, which is taken over; NULL closes the connection. */
enum MHD_Result http_send(struct http_request *request, unsigned status,
                          struct MHD_Response *response);

/* Answers with one line of text. */
enum MHD_Result http_send_text(struct http_request *request, unsigned status, const char *format,
                               ...) __attribute__((format(printf, 3, 4)));

/* Returns a response for status 304, NULL without memory. RFC 9110 section 8.6 forbids the
   "Content-Length: 0" that libmicrohttpd gives an empty body; one of unknown length gets none, and
   ends with the connection. */
struct MHD_Response *http_not_modified(void);

/* Says that the answer to come sends this image, so that http_cut finds it. Holds the image. */
void http_sends_image(struct http_request *request, struct catalog_image *image);

#endif
