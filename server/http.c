/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The glue to libmicrohttpd: epoll in a pool of threads. Beside its own time-out for silence, a
 * watcher thread holds each connection to a deadline: a request must be whole in time, so that a
 * peer that sends a byte now and then does not stay for ever, and an answer must be taken at a
 * least speed. The watcher shuts the socket down; libmicrohttpd then ends the connection in its own
 * way.
 */

#include "server/http.h"

#include <netdb.h>
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
    pthread_t watcher;
    atomic_bool stopping;
    pthread_mutex_t log_lock;

    pthread_mutex_t lock; /* over what follows */
    pthread_cond_t news;  /* an answer ended, or the watcher is to stop */
    struct http_link *links;
    size_t answering;
    bool watcher_ends;
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
        pthread_mutex_unlock(&http->lock);
        return;
    }
    struct http_link *link = *link_slot;
    if (link == NULL) {
        return;
    }
    *link_slot = NULL;
    pthread_mutex_lock(&http->lock);
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

static void *watch_links(void *context)
{
    struct http *http = context;
    pthread_mutex_lock(&http->lock);
    while (!http->watcher_ends) {
        const int64_t now = now_ms();
        for (struct http_link *link = http->links; link != NULL; link = link->next) {
            if (link->deadline_ms <= now) {
                shutdown(link->socket, SHUT_RDWR);
                link->deadline_ms = INT64_MAX;
            }
        }
        const struct timespec next = time_of(now + 500);
        pthread_cond_timedwait(&http->news, &http->lock, &next);
    }
    pthread_mutex_unlock(&http->lock);
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

static void end_watcher(struct http *http)
{
    pthread_mutex_lock(&http->lock);
    http->watcher_ends = true;
    pthread_cond_broadcast(&http->news);
    pthread_mutex_unlock(&http->lock);
    pthread_join(http->watcher, NULL);
}

struct http *http_start(const struct http_options *options)
{
    struct http *http = http_new(options);
    if (http == NULL) {
        close(options->listener);
        return NULL;
    }
    if (pthread_create(&http->watcher, NULL, watch_links, http) != 0) {
        close(options->listener);
        http_free(http);
        return NULL;
    }
    http->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC, 0, NULL, NULL, on_access, http,
        MHD_OPTION_LISTEN_SOCKET, (MHD_socket)options->listener, MHD_OPTION_THREAD_POOL_SIZE,
        options->threads, MHD_OPTION_CONNECTION_LIMIT, options->connections_max,
        MHD_OPTION_CONNECTION_TIMEOUT, options->timeout_s, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)HEADERS_MAX, MHD_OPTION_NOTIFY_COMPLETED, on_completed, http,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, http, MHD_OPTION_END);
    if (http->daemon == NULL) {
        close(options->listener);
        end_watcher(http);
        http_free(http);
        return NULL;
    }
    return http;
}

void http_stop(struct http *http, unsigned grace_ms)
{
    atomic_store(&http->stopping, true);
    const MHD_socket listener = MHD_quiesce_daemon(http->daemon);
    if (listener != MHD_INVALID_SOCKET) {
        shutdown(listener, SHUT_RDWR); /* refuses callers at once; closed when no thread knows it */
    }
    const struct timespec end = time_of(now_ms() + grace_ms);
    pthread_mutex_lock(&http->lock);
    while (http->answering > 0 && pthread_cond_timedwait(&http->news, &http->lock, &end) == 0) {
    }
    pthread_mutex_unlock(&http->lock);
    MHD_stop_daemon(http->daemon);
    if (listener != MHD_INVALID_SOCKET) {
        close(listener);
    }
    end_watcher(http);
}
