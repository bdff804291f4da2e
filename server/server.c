/* SPDX-License-Identifier: Apache-2.0 */

/* A server's life: its socket, its catalogue, its routes. */

#include "server/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/download.h"
#include "server/http.h"
#include "server/packer.h"
#include "server/pages.h"
#include "server/pull.h"

#define CONNECTIONS_MAX 10000u
#define DESCRIPTORS_RESERVED 64u
#define TIMEOUT_S 30u

struct server {
    struct server_options options;
    struct catalog *catalog;
    _Atomic(struct packer *) packer; /* NULL until the catalogue is filled, or for good */
    _Atomic(struct http *) http;     /* likewise */
    uint16_t port;
    char url[96];
};

/* ------------------------------------------------------------------ routes */

static struct catalog *catalog_of(const struct http_request *request)
{
    const struct server *server = request->owner;
    return server->catalog;
}

static enum MHD_Result answer_index(struct http_request *request)
{
    if (pull_is_updater(request)) {
        return pull_answer(request, catalog_of(request), NULL);
    }
    return pages_index(request, catalog_of(request));
}

static enum MHD_Result answer_images(struct http_request *request)
{
    return pages_images(request, catalog_of(request));
}

static enum MHD_Result answer_file(struct http_request *request)
{
    struct catalog *catalog = catalog_of(request);
    struct catalog_snapshot *snapshot = catalog_take(catalog);
    struct catalog_image *image = catalog_find(snapshot, request->rest);
    const enum MHD_Result result =
        image == NULL ? http_send_text(request, MHD_HTTP_NOT_FOUND, "there is no such file")
                      : download_send(request, catalog, snapshot, image, NULL);
    catalog_release(snapshot);
    return result;
}

static enum MHD_Result answer_pull(struct http_request *request)
{
    return pull_answer(request, catalog_of(request), request->rest);
}

/* Sketches ask wherever their examples told them to: /esp/update/arduino.php, /update,
   /firmware.bin. */
static enum MHD_Result answer_elsewhere(struct http_request *request)
{
    if (pull_is_updater(request)) {
        return pull_answer(request, catalog_of(request), NULL);
    }
    return http_send_text(request, MHD_HTTP_NOT_FOUND,
                          "nothing is here; / has the list of what there is");
}

static const struct http_route routes[] = {
    {"/", false, answer_index},     {"/api/v1/images", false, answer_images},
    {"/files/", true, answer_file}, {"/pull", false, answer_pull},
    {"/pull/", true, answer_pull},  {"/update", false, answer_pull},
    {"", true, answer_elsewhere},   {0},
};

/* ------------------------------------------------------------------ addresses */

/* Makes a socket that listens. Returns it, or -1 after writing why. */
static int listen_at(const char *address, uint16_t port, char *why, size_t why_size)
{
    char port_text[8];
    snprintf(port_text, sizeof port_text, "%u", port);
    const struct addrinfo hints = {
        .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
        .ai_socktype = SOCK_STREAM,
    };
    struct addrinfo *found = NULL;
    if (getaddrinfo(address, port_text, &hints, &found) != 0) {
        snprintf(why, why_size, "%s is no address to listen at; give one in numbers, as 0.0.0.0",
                 address);
        return -1;
    }
    const int on = 1;
    const int listener =
        socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    const bool listens =
        listener >= 0 && setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(listener, found->ai_addr, found->ai_addrlen) == 0 && listen(listener, SOMAXCONN) == 0;
    if (!listens) {
        snprintf(why, why_size, "cannot listen at %s port %u: %s%s", address, port, strerror(errno),
                 errno == EADDRINUSE ? "; --port 0 takes a free one" : "");
        if (listener >= 0) {
            close(listener);
        }
    }
    freeaddrinfo(found);
    return listens ? listener : -1;
}

/* Finds an address of this machine by which others of its network reach it. */
static bool find_lan_address(int family, char *text, size_t size)
{
    struct ifaddrs *list = NULL;
    bool found = false;
    if (getifaddrs(&list) != 0) {
        return false;
    }
    for (const struct ifaddrs *at = list; at != NULL && !found; at = at->ifa_next) {
        if (at->ifa_addr != NULL && at->ifa_addr->sa_family == family &&
            (at->ifa_flags & IFF_UP) != 0 && (at->ifa_flags & IFF_LOOPBACK) == 0) {
            const socklen_t length = family == AF_INET6 ? (socklen_t)sizeof(struct sockaddr_in6)
                                                        : (socklen_t)sizeof(struct sockaddr_in);
            /* A link-local IPv6 address comes with its interface ("%eth0"), which no URL has. */
            found = getnameinfo(at->ifa_addr, length, text, (socklen_t)size, NULL, 0,
                                NI_NUMERICHOST) == 0 &&
                    strchr(text, '%') == NULL;
        }
    }
    freeifaddrs(list);
    return found;
}

/* A socket's address, of either family. */
union socket_address {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
};

static void set_url(struct server *server, int listener)
{
    union socket_address bound = {.six = {0}};
    socklen_t size = sizeof bound;
    getsockname(listener, &bound.any, &size);
    const bool is_six = bound.any.sa_family == AF_INET6;
    const bool everywhere = is_six ? IN6_IS_ADDR_UNSPECIFIED(&bound.six.sin6_addr)
                                   : bound.four.sin_addr.s_addr == htonl(INADDR_ANY);
    char host[64];
    server->port = ntohs(is_six ? bound.six.sin6_port : bound.four.sin_port);
    if (!everywhere) {
        getnameinfo(&bound.any, size, host, sizeof host, NULL, 0, NI_NUMERICHOST);
    } else if (!find_lan_address(bound.any.sa_family, host, sizeof host)) {
        snprintf(host, sizeof host, "%s", is_six ? "::1" : "127.0.0.1");
    }
    snprintf(server->url, sizeof server->url, is_six ? "http://[%s]:%u" : "http://%s:%u", host,
             server->port);
}

/* ------------------------------------------------------------------ life */

static void on_change(void *context, enum catalog_change change, const struct catalog_image *image)
{
    struct server *server = context;
    struct http *http = atomic_load(&server->http);
    if (change == CATALOG_OVERWRITTEN && http != NULL) {
        http_cut(http, image);
    }
    if (server->options.on_change != NULL) {
        server->options.on_change(server->options.context, change, image);
    }
}

static void on_skipped(void *context, const char *name, const char *reason)
{
    struct server *server = context;
    if (server->options.on_skipped != NULL) {
        server->options.on_skipped(server->options.context, name, reason);
    }
}

static void on_publish(void *context)
{
    struct server *server = context;
    struct packer *packer = atomic_load(&server->packer);
    if (packer != NULL) {
        packer_wake(packer);
    }
}

/* Each connection may hold a socket and a file. */
static unsigned connections_possible(unsigned wanted)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) {
        return 256;
    }
    files.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files) != 0) {
        getrlimit(RLIMIT_NOFILE, &files);
    }
    const rlim_t possible = files.rlim_cur > 2 * DESCRIPTORS_RESERVED
                                ? (files.rlim_cur - DESCRIPTORS_RESERVED) / 2
                                : 32;
    return possible < wanted ? (unsigned)possible : wanted;
}

static unsigned threads_wanted(void)
{
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    if (processors < 2) {
        return 2; /* the least that libmicrohttpd calls a pool */
    }
    return processors > 16 ? 16 : (unsigned)processors;
}

static void fill_defaults(struct server_options *options)
{
    if (options->address == NULL) {
        options->address = "0.0.0.0";
    }
    if (options->threads < 2) {
        options->threads = threads_wanted();
    }
    if (options->timeout_s == 0) {
        options->timeout_s = TIMEOUT_S;
    }
    options->connections_max = connections_possible(
        options->connections_max == 0 ? CONNECTIONS_MAX : options->connections_max);
    if (options->connections_max < options->threads) {
        options->connections_max = options->threads;
    }
}

static void start_packer(struct server *server)
{
    const struct packer_options options = {
        .catalog = server->catalog,
        .crypto = server->options.crypto,
        .on_packed = server->options.on_packed,
        .context = server->options.context,
    };
    if (server->options.plain_only) {
        return;
    }
    atomic_store(&server->packer, packer_start(&options));
    on_publish(server); /* a list may have come while nobody could be woken */
}

struct server *server_start(const struct server_options *options, char *why, size_t why_size)
{
    struct server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        snprintf(why, why_size, "no memory for a server");
        return NULL;
    }
    server->options = *options;
    fill_defaults(&server->options);

    const int listener = listen_at(server->options.address, options->port, why, why_size);
    if (listener < 0) {
        free(server);
        return NULL;
    }
    set_url(server, listener);
    const struct catalog_options catalog_options = {
        .folder = options->folder,
        .crypto = options->crypto,
        .settle_ms = options->settle_ms,
        .on_change = on_change,
        .on_skipped = on_skipped,
        .on_publish = on_publish,
        .context = server,
    };
    server->catalog = catalog_start(&catalog_options, why, why_size);
    if (server->catalog == NULL) {
        close(listener);
        free(server);
        return NULL;
    }
    const struct http_options http_options = {
        .listener = listener,
        .threads = server->options.threads,
        .connections_max = server->options.connections_max,
        .timeout_s = server->options.timeout_s,
        .routes = routes,
        .owner = server,
        .on_request = options->on_request,
        .context = options->context,
    };
    atomic_store(&server->http, http_start(&http_options));
    if (atomic_load(&server->http) == NULL) {
        snprintf(why, why_size, "libmicrohttpd could not start: no threads or no memory");
        catalog_stop(server->catalog);
        free(server);
        return NULL;
    }
    start_packer(server);
    return server;
}

void server_stop(struct server *server, unsigned grace_ms)
{
    /* Answers and the packer use the catalogue, and the catalogue's thread cuts connections and wakes
       the packer: each ends before what it uses is freed. */
    struct http *http = atomic_load(&server->http);
    struct packer *packer = atomic_load(&server->packer);
    http_stop(http, grace_ms);
    if (packer != NULL) {
        packer_stop(packer);
    }
    catalog_stop(server->catalog);
    packer_free(packer);
    http_free(http);
    free(server);
}

uint16_t server_port(const struct server *server)
{
    return server->port;
}

const char *server_url(const struct server *server)
{
    return server->url;
}

struct catalog *server_catalog(struct server *server)
{
    return server->catalog;
}
