/* SPDX-License-Identifier: Apache-2.0 */

/* HTTP clients for tests. */

#include "server/client.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SILENCE_MS 20000

static void demand(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "client: %s: %s\n", what, strerror(errno));
        abort();
    }
}

void answer_free(struct answer *answer)
{
    free(answer->head);
    free(answer->body);
    *answer = (struct answer){0};
}

/* Keeps the memory a power of two, and a zero behind the bytes. */
static void append(void **bytes, size_t *len, const void *more, size_t count)
{
    size_t capacity = 256;
    while (capacity <= *len) {
        capacity *= 2;
    }
    const bool fits = *bytes != NULL && *len + count < capacity;
    while (capacity <= *len + count) {
        capacity *= 2;
    }
    uint8_t *grown = fits ? *bytes : realloc(*bytes, capacity);
    demand(grown != NULL, "no memory");
    memcpy(grown + *len, more, count);
    *len += count;
    grown[*len] = '\0';
    *bytes = grown;
}

const char *answer_header(const struct answer *answer, const char *name)
{
    static char value[1024];
    const size_t name_len = strlen(name);
    for (const char *line = answer->head; line != NULL && *line != '\0';) {
        if (strncasecmp(line, name, name_len) == 0 && line[name_len] == ':') {
            line += name_len + 1;
            line += strspn(line, " ");
            snprintf(value, sizeof value, "%.*s", (int)strcspn(line, "\r\n"), line);
            return value;
        }
        line = strchr(line, '\n');
        line = line == NULL ? NULL : line + 1;
    }
    return NULL;
}

/* ------------------------------------------------------------------ libcurl */

static size_t take_body(char *data, size_t size, size_t count, void *context)
{
    struct answer *answer = context;
    append((void **)&answer->body, &answer->len, data, size * count);
    return size * count;
}

static size_t take_head(char *data, size_t size, size_t count, void *context)
{
    struct answer *answer = context;
    size_t len = answer->head == NULL ? 0 : strlen(answer->head);
    append((void **)&answer->head, &len, data, size * count);
    return size * count;
}

static CURL *prepare(uint16_t port, const char *path, struct answer *answer)
{
    char url[2048];
    CURL *curl = curl_easy_init();
    demand(curl != NULL, "curl_easy_init");
    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", port, path);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 60L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_head);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, answer);
    return curl;
}

static struct answer perform(uint16_t port, const char *path, const char *const *headers, bool head)
{
    struct answer answer = {0};
    CURL *curl = prepare(port, path, &answer);
    struct curl_slist *list = NULL;
    for (; headers != NULL && *headers != NULL; headers++) {
        list = curl_slist_append(list, *headers);
    }
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(curl, CURLOPT_NOBODY, head ? 1L : 0L);
    const CURLcode code = curl_easy_perform(curl);
    answer.broken = code != CURLE_OK;
    if (answer.broken) {
        fprintf(stderr, "client: %s: %s\n", path, curl_easy_strerror(code));
    }
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
    curl_slist_free_all(list);
    curl_easy_cleanup(curl);
    return answer;
}

struct answer client_get(uint16_t port, const char *path, const char *const *headers)
{
    return perform(port, path, headers, false);
}

struct answer client_head(uint16_t port, const char *path)
{
    return perform(port, path, NULL, true);
}

void client_get_together(uint16_t port, const char *path, struct answer *answers, size_t count)
{
    CURLM *multi = curl_multi_init();
    CURL **handles = calloc(count, sizeof *handles);
    demand(multi != NULL && handles != NULL, "curl_multi_init");
    for (size_t i = 0; i < count; i++) {
        answers[i] = (struct answer){.broken = true};
        handles[i] = prepare(port, path, &answers[i]);
        curl_easy_setopt(handles[i], CURLOPT_PRIVATE, &answers[i]);
        curl_multi_add_handle(multi, handles[i]);
    }
    int running = 1;
    while (running > 0) {
        demand(curl_multi_perform(multi, &running) == CURLM_OK, "curl_multi_perform");
        curl_multi_poll(multi, NULL, 0, 1000, NULL);
    }
    int left = 0;
    const CURLMsg *message = NULL;
    while ((message = curl_multi_info_read(multi, &left)) != NULL) {
        struct answer *answer = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&answer);
        curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &answer->status);
        answer->broken = message->data.result != CURLE_OK;
        if (answer->broken) {
            fprintf(stderr, "client: %s\n", curl_easy_strerror(message->data.result));
        }
    }
    for (size_t i = 0; i < count; i++) {
        curl_multi_remove_handle(multi, handles[i]);
        curl_easy_cleanup(handles[i]);
    }
    curl_multi_cleanup(multi);
    free(handles);
}

/* ------------------------------------------------------------------ bare sockets */

int client_connect(uint16_t port, int receive_buffer)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    demand(fd >= 0, "socket");
    if (receive_buffer != 0) {
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

void client_send(int socket, const void *data, size_t len)
{
    const uint8_t *at = data;
    while (len > 0) {
        const ssize_t sent = send(socket, at, len, MSG_NOSIGNAL);
        if (sent < 0) {
            return; /* turned away: the answer says why */
        }
        at += sent;
        len -= (size_t)sent;
    }
}

size_t client_read(int socket, void *data, size_t len)
{
    size_t done = 0;
    while (done < len) {
        struct pollfd ready = {.fd = socket, .events = POLLIN};
        demand(poll(&ready, 1, SILENCE_MS) == 1, "the server is silent");
        const ssize_t got = recv(socket, (uint8_t *)data + done, len - done, 0);
        if (got <= 0) {
            break;
        }
        done += (size_t)got;
    }
    return done;
}

bool client_waits_for_end(int socket, int ms)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const int64_t end = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + ms;
    for (;;) {
        char bytes[4096];
        clock_gettime(CLOCK_MONOTONIC, &now);
        const int64_t left = end - ((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
        struct pollfd ready = {.fd = socket, .events = POLLIN};
        if (left <= 0 || poll(&ready, 1, (int)left) != 1) {
            return false;
        }
        if (recv(socket, bytes, sizeof bytes, 0) <= 0) {
            return true;
        }
    }
}

struct answer client_exchange(uint16_t port, const void *data, size_t len)
{
    struct answer answer = {0};
    const int fd = client_connect(port, 0);
    demand(fd >= 0, "connect");
    client_send(fd, data, len);
    uint8_t *all = NULL;
    size_t total = 0;
    char piece[65536];
    while (client_read(fd, piece, 1) == 1) {
        const ssize_t more = recv(fd, piece + 1, sizeof piece - 1, MSG_DONTWAIT);
        append((void **)&all, &total, piece, 1 + (more > 0 ? (size_t)more : 0));
    }
    close(fd);
    char *end = all == NULL ? NULL : strstr((char *)all, "\r\n\r\n");
    if (end != NULL && strncmp((char *)all, "HTTP/1.1 ", 9) == 0) {
        answer.status = strtol((char *)all + 9, NULL, 10);
        end[2] = '\0';
        answer.head = strdup((char *)all);
        const uint8_t *body = (uint8_t *)end + 4;
        append((void **)&answer.body, &answer.len, body, total - (size_t)(body - all));
        const char *length = answer_header(&answer, "Content-Length");
        answer.broken = length != NULL && strtoull(length, NULL, 10) != answer.len;
    }
    free(all);
    return answer;
}
