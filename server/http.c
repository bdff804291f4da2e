/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The glue to libmicrohttpd: epoll in a pool of threads. A thread of ours, the door, lets
 * connections in and, beside libmicrohttpd's own time-out for silence, holds each to a deadline: a
 * request must be whole in time, so that a peer that sends a byte now and then does not stay for
 * ever, and an answer must be taken at a least speed. It shuts the socket down; libmicrohttpd then
 * ends the connection in its own way.
 *
 * The door is ours because libmicrohttpd 0.9.75 stops badly: MHD_quiesce_daemon races with its own
 * threads for the listening socket, and a malformed request that is refused while MHD_stop_daemon
 * runs follows a NULL pointer. So the door closes first, then every connection is ended, and
 * libmicrohttpd is stopped when it has none left.
 */

#include "server/http.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEADERS_MAX 16384u
#define BYTES_PER_SECOND_LEAST 256u
#define DEADLINES_EVERY_MS 500
#define NO_DESCRIPTOR_PAUSE_MS 50
#define ENDING_MS_MAX 5000 /* for libmicrohttpd to end connections that were shut down */

/* A TCP connection. */
struct http_link {
    struct http_link *previous;
    struct http_link *next;
    int socket;
    int64_t deadline_ms;
    struct catalog_image *image; /* being sent; NULL: none */
};

struct http {
    struct http_options options;
    struct MHD_Daemon *daemon;
    pthread_t door;
    atomic_bool stopping;
    pthread_mutex_t log_lock;

    pthread_mutex_t lock; /* over what follows */
    pthread_cond_t news;  /* an answer or a connection ended */
    struct http_link *links;
    size_t let_in; /* connections given to libmicrohttpd and not ended: the links, and those that
                      its threads have yet to look at */
    size_t answering;
    bool is_ending; /* every connection is to end */
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct timespec time_of(int64_t ms)
{
    return (struct timespec){(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
}

/* ------------------------------------------------------------------ connections */

static int64_t request_deadline(const struct http *http)
{
    return now_ms() + (int64_t)http->options.timeout_s * 1000;
}

static void on_connection(void *context, struct MHD_Connection *connection, void **link_slot,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http *http = context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        struct http_link *link = info == NULL ? NULL : calloc(1, sizeof *link);
        *link_slot = link;
        if (link == NULL) {
            return; /* the first request on it is turned away */
        }
        link->socket = info->connect_fd;
        link->deadline_ms = request_deadline(http);
        pthread_mutex_lock(&http->lock);
        link->next = http->links;
        if (link->next != NULL) {
            link->next->previous = link;
        }
        http->links = link;
        if (http->is_ending) {
            shutdown(link->socket, SHUT_RDWR);
        }
        pthread_mutex_unlock(&http->lock);
        return;
    }
    struct http_link *link = *link_slot;
    *link_slot = NULL;
    pthread_mutex_lock(&http->lock);
    http->let_in--;
    pthread_cond_broadcast(&http->news);
    if (link == NULL) {
        pthread_mutex_unlock(&http->lock);
        return;
    }
    if (link->previous != NULL) {
        link->previous->next = link->next;
    } else {
        http->links = link->next;
    }
    if (link->next != NULL) {
        link->next->previous = link->previous;
    }
    pthread_mutex_unlock(&http->lock);
    catalog_release_image(link->image);
    free(link);
}

/* Shuts down what is past its deadline. */
static void cut_the_late(struct http *http, int64_t now)
{
    pthread_mutex_lock(&http->lock);
    for (struct http_link *link = http->links; link != NULL; link = link->next) {
        if (link->deadline_ms <= now) {
            shutdown(link->socket, SHUT_RDWR);
            link->deadline_ms = INT64_MAX;
        }
    }
    pthread_mutex_unlock(&http->lock);
}

/* Gives one connection that waits to libmicrohttpd. */
static void let_in(struct http *http)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    const int socket = accept4(http->options.listener, (struct sockaddr *)&address, &size,
                               SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            poll(NULL, 0, NO_DESCRIPTOR_PAUSE_MS); /* it stays in the queue until there is room */
        }
        return;
    }
    pthread_mutex_lock(&http->lock);
    http->let_in++;
    pthread_mutex_unlock(&http->lock);
    if (MHD_add_connection(http->daemon, socket, (const struct sockaddr *)&address, size) !=
        MHD_YES) { /* too many; it closed the socket */
        pthread_mutex_lock(&http->lock);
        http->let_in--;
        pthread_mutex_unlock(&http->lock);
    }
}

static void *keep_door(void *context)
{
    struct http *http = context;
    int64_t cut_ms = 0;
    while (!atomic_load(&http->stopping)) {
        struct pollfd door = {.fd = http->options.listener, .events = POLLIN};
        if (poll(&door, 1, DEADLINES_EVERY_MS) == 1) {
            let_in(http);
        }
        const int64_t now = now_ms();
        if (now >= cut_ms) {
            cut_the_late(http, now);
            cut_ms = now + DEADLINES_EVERY_MS;
        }
    }
    return NULL;
}

void http_cut(struct http *http, const struct catalog_image *image)
{
    pthread_mutex_lock(&http->lock);
    for (struct http_link *link = http->links; link != NULL; link = link->next) {
        if (link->image == image) {
            shutdown(link->socket, SHUT_RDWR);
        }
    }
    pthread_mutex_unlock(&http->lock);
}

void http_sends_image(struct http_request *request, struct catalog_image *image)
{
    pthread_mutex_lock(&request->http->lock);
    request->link->image = catalog_hold_image(image);
    pthread_mutex_unlock(&request->http->lock);
}

/* ------------------------------------------------------------------ requests */

static void set_peer(struct http_request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (info == NULL || info->client_addr == NULL) {
        return;
    }
    const socklen_t size = info->client_addr->sa_family == AF_INET6
                               ? (socklen_t)sizeof(struct sockaddr_in6)
                               : (socklen_t)sizeof(struct sockaddr_in);
    getnameinfo(info->client_addr, size, request->record.peer, sizeof request->record.peer, NULL, 0,
                NI_NUMERICHOST);
}

static struct http_request *request_begin(struct http *http, struct MHD_Connection *connection,
                                          const char *path, const char *method)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct http_request *request =
        info == NULL || info->socket_context == NULL ? NULL : calloc(1, sizeof *request);
    if (request == NULL) {
        return NULL;
    }
    request->owner = http->options.owner;
    request->http = http;
    request->connection = connection;
    request->link = info->socket_context;
    request->path = path;
    request->rest = "";
    request->is_head = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
    request->start_ms = now_ms();
    snprintf(request->record.method, sizeof request->record.method, "%s", method);
    snprintf(request->record.path, sizeof request->record.path, "%s", path);
    set_peer(request);

    pthread_mutex_lock(&http->lock);
    http->answering++;
    pthread_mutex_unlock(&http->lock);
    return request;
}

static enum MHD_Result dispatch(struct http_request *request)
{
    for (const struct http_route *route = request->http->options.routes; route->path != NULL;
         route++) {
        const size_t len = strlen(route->path);
        if (route->is_prefix ? strncmp(request->path, route->path, len) == 0
                             : strcmp(request->path, route->path) == 0) {
            request->rest = request->path + len;
            return route->answer(request);
        }
    }
    return http_send_text(request, MHD_HTTP_NOT_FOUND, "nothing is here");
}

static enum MHD_Result on_access(void *context, struct MHD_Connection *connection, const char *path,
                                 const char *method, const char *version, const char *body,
                                 size_t *body_size, void **request_slot)
{
    struct http *http = context;
    (void)version;
    (void)body;
    struct http_request *request = *request_slot;
    if (request == NULL) {
        request = request_begin(http, connection, path, method);
        *request_slot = request;
        if (request == NULL) {
            return MHD_NO;
        }
        if (!request->is_head && strcmp(method, MHD_HTTP_METHOD_GET) != 0) {
            return http_send_text(request, MHD_HTTP_METHOD_NOT_ALLOWED,
                                  "only GET and HEAD are known here");
        }
        return MHD_YES;
    }
    if (*body_size != 0) {
        *body_size = 0; /* a GET may have a body, which means nothing */
        return MHD_YES;
    }
    return dispatch(request);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **request_slot,
                         enum MHD_RequestTerminationCode code)
{
    struct http *http = context;
    (void)connection;
    struct http_request *request = *request_slot;
    *request_slot = NULL;
    if (request == NULL) {
        return;
    }
    pthread_mutex_lock(&http->lock);
    struct catalog_image *image = request->link->image;
    request->link->image = NULL;
    request->link->deadline_ms = request_deadline(http);
    pthread_mutex_unlock(&http->lock);
    catalog_release_image(image);

    if (http->options.on_request != NULL) {
        request->record.complete = code == MHD_REQUEST_TERMINATED_COMPLETED_OK;
        request->record.duration_ms = (unsigned)(now_ms() - request->start_ms);
        pthread_mutex_lock(&http->log_lock);
        http->options.on_request(http->options.context, &request->record);
        pthread_mutex_unlock(&http->log_lock);
    }
    free(request);

    pthread_mutex_lock(&http->lock);
    http->answering--;
    pthread_cond_broadcast(&http->news);
    pthread_mutex_unlock(&http->lock);
}

const char *http_header(const struct http_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

const char *http_argument(const struct http_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

/* ------------------------------------------------------------------ answers */

enum MHD_Result http_send(struct http_request *request, unsigned status,
                          struct MHD_Response *response)
{
    if (response == NULL) {
        return MHD_NO;
    }
    struct http *http = request->http;
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    }
    if (atomic_load(&http->stopping)) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    }
    request->record.status = status;
    const uint64_t length = request->record.length;
    pthread_mutex_lock(&http->lock);
    request->link->deadline_ms =
        request_deadline(http) + (int64_t)(length / BYTES_PER_SECOND_LEAST * 1000);
    pthread_mutex_unlock(&http->lock);
    const enum MHD_Result result = MHD_queue_response(request->connection, status, response);
    MHD_destroy_response(response);
    return result;
}

enum MHD_Result http_send_text(struct http_request *request, unsigned status, const char *format,
                               ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text - 1, format, arguments);
    va_end(arguments);
    const size_t len = strlen(text);
    text[len] = '\n';

    struct MHD_Response *response =
        MHD_create_response_from_buffer(len + 1, text, MHD_RESPMEM_MUST_COPY);
    if (response != NULL) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                "text/plain; charset=utf-8");
        MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
        if (status == MHD_HTTP_SERVICE_UNAVAILABLE) {
            MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "1");
        }
    }
    request->record.length = len + 1;
    return http_send(request, status, response);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the type is libmicrohttpd's. */
static ssize_t no_bytes(void *context, uint64_t position, char *buffer, size_t capacity)
{
    (void)context;
    (void)position;
    (void)buffer;
    (void)capacity;
    return MHD_CONTENT_READER_END_OF_STREAM;
}

struct MHD_Response *http_not_modified(void)
{
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 16, no_bytes, NULL, NULL);
    if (response != NULL) {
        MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
    }
    return response;
}

/* ------------------------------------------------------------------ life */

void http_free(struct http *http)
{
    pthread_cond_destroy(&http->news);
    pthread_mutex_destroy(&http->lock);
    pthread_mutex_destroy(&http->log_lock);
    free(http);
}

static struct http *http_new(const struct http_options *options)
{
    struct http *http = calloc(1, sizeof *http);
    if (http == NULL) {
        return NULL;
    }
    http->options = *options;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&http->news, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&http->lock, NULL);
    pthread_mutex_init(&http->log_lock, NULL);
    return http;
}

struct http *http_start(const struct http_options *options)
{
    struct http *http = http_new(options);
    if (http == NULL) {
        close(options->listener);
        return NULL;
    }
    http->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL,
        on_access, http, MHD_OPTION_THREAD_POOL_SIZE, options->threads, MHD_OPTION_CONNECTION_LIMIT,
        options->connections_max, MHD_OPTION_CONNECTION_TIMEOUT, options->timeout_s,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADERS_MAX, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, http, MHD_OPTION_NOTIFY_CONNECTION, on_connection, http, MHD_OPTION_END);
    if (http->daemon == NULL || pthread_create(&http->door, NULL, keep_door, http) != 0) {
        if (http->daemon != NULL) {
            MHD_stop_daemon(http->daemon);
        }
        close(options->listener);
        http_free(http);
        return NULL;
    }
    return http;
}

/* The listening socket refuses callers from here on. */
static void close_door(struct http *http)
{
    atomic_store(&http->stopping, true);
    shutdown(http->options.listener, SHUT_RDWR);
    pthread_join(http->door, NULL);
    close(http->options.listener);
}

/* Waits until `count` is 0, at most `ms`. The lock is held. */
static void wait_for_none(struct http *http, const size_t *count, unsigned ms)
{
    const struct timespec end = time_of(now_ms() + ms);
    while (*count > 0 && pthread_cond_timedwait(&http->news, &http->lock, &end) == 0) {
    }
}

void http_stop(struct http *http, unsigned grace_ms)
{
    close_door(http);
    pthread_mutex_lock(&http->lock);
    wait_for_none(http, &http->answering, grace_ms);
    http->is_ending = true;
    for (const struct http_link *link = http->links; link != NULL; link = link->next) {
        shutdown(link->socket, SHUT_RDWR);
    }
    wait_for_none(http, &http->let_in, ENDING_MS_MAX);
    pthread_mutex_unlock(&http->lock);
    MHD_stop_daemon(http->daemon);
}
