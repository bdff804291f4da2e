/* SPDX-License-Identifier: Apache-2.0 */
/* The log is kept under a lock, because requests end in the server's threads. */

#include "server/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PATIENT_S 60u /* so that a loaded machine is not mistaken for a slow peer */
#define IMPATIENT_S 2u

static void keep_request(void *context, const struct server_request *request)
{
    struct world *world = context;
    pthread_mutex_lock(&world->lock);
    world->last = *request;
    world->requests++;
    pthread_cond_broadcast(&world->logged);
    pthread_mutex_unlock(&world->lock);
}

static void count_packed(void *context, const struct catalog_image *image, const char *problem)
{
    struct world *world = context;
    (void)image;
    pthread_mutex_lock(&world->lock);
    world->packed += problem == NULL;
    world->unpackable += problem != NULL;
    pthread_cond_broadcast(&world->logged);
    pthread_mutex_unlock(&world->lock);
}

static struct timespec end_of_patience(void)
{
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += WORLD_WAIT_MS / 1000;
    return end;
}

struct server_request world_wait_logged(struct world *world, unsigned requests)
{
    const struct timespec end = end_of_patience();
    pthread_mutex_lock(&world->lock);
    while (world->requests < requests) {
        assert_int_equal(pthread_cond_timedwait(&world->logged, &world->lock, &end), 0);
    }
    const struct server_request last = world->last;
    pthread_mutex_unlock(&world->lock);
    return last;
}

void world_wait_packed(struct world *world, unsigned packed, unsigned unpackable)
{
    const struct timespec end = end_of_patience();
    pthread_mutex_lock(&world->lock);
    while (world->packed < packed || world->unpackable < unpackable) {
        assert_int_equal(pthread_cond_timedwait(&world->logged, &world->lock, &end), 0);
    }
    pthread_mutex_unlock(&world->lock);
}

static bool serve(struct world *world, unsigned timeout_s, bool plain_only)
{
    char why[256] = "";
    world->server = server_start(&(struct server_options){.folder = world->folder.path,
                                                          .address = "127.0.0.1",
                                                          .crypto = &ota_crypto_psa,
                                                          .timeout_s = timeout_s,
                                                          .settle_ms = 200,
                                                          .plain_only = plain_only,
                                                          .on_request = keep_request,
                                                          .on_packed = count_packed,
                                                          .context = world},
                                 why, sizeof why);
    if (world->server == NULL) {
        fprintf(stderr, "%s\n", why);
        return false;
    }
    world->port = server_port(world->server);
    return true;
}

static int start(void **state, unsigned timeout_s)
{
    struct world *world = calloc(1, sizeof *world);
    if (world == NULL) {
        return -1;
    }
    scratch_make(&world->folder);
    pthread_mutex_init(&world->lock, NULL);
    pthread_cond_init(&world->logged, NULL);
    *state = world;
    return serve(world, timeout_s, false) ? 0 : -1;
}

void world_restart(struct world *world, bool plain_only)
{
    world_stop(world);
    world->packed = 0;
    world->unpackable = 0;
    assert_true(serve(world, PATIENT_S, plain_only));
}

void world_stop(struct world *world)
{
    if (world->server != NULL) {
        server_stop(world->server, 0);
        world->server = NULL;
    }
}

int world_set_up(void **state)
{
    return start(state, PATIENT_S);
}

int world_set_up_impatient(void **state)
{
    return start(state, IMPATIENT_S);
}

int world_tear_down(void **state)
{
    struct world *world = *state;
    world_stop(world);
    scratch_remove(&world->folder);
    pthread_cond_destroy(&world->logged);
    pthread_mutex_destroy(&world->lock);
    free(world);
    return 0;
}

void world_wait_listed(struct world *world, const char *name, size_t size)
{
    struct catalog *catalog = server_catalog(world->server);
    for (;;) {
        struct catalog_snapshot *snapshot = catalog_take(catalog);
        const struct catalog_image *image = catalog_find(snapshot, name);
        const bool listed = image != NULL && image->size == size;
        const uint64_t generation = snapshot->generation;
        catalog_release(snapshot);
        if (listed) {
            return;
        }
        assert_true(catalog_wait(catalog, generation, WORLD_WAIT_MS));
    }
}

uint8_t *world_put_noise(struct world *world, const char *name, uint64_t seed, size_t len)
{
    uint8_t *bytes = scratch_noise(seed, len);
    bytes[0] = 'x'; /* no image's first byte */
    scratch_replace(&world->folder, name, bytes, len);
    world_wait_listed(world, name, len);
    return bytes;
}

void assert_body(const struct answer *answer, const uint8_t *bytes, size_t len)
{
    assert_false(answer->broken);
    assert_int_equal(answer->len, len);
    if (len != 0) {
        assert_memory_equal(answer->body, bytes, len);
    }
}

void assert_header(const struct answer *answer, const char *name, const char *expected)
{
    const char *value = answer_header(answer, name);
    if (value == NULL ? expected != NULL : expected == NULL || strcmp(value, expected) != 0) {
        fail_msg("%s: %s, not %s", name, value == NULL ? "(none)" : value,
                 expected == NULL ? "(none)" : expected);
    }
}

int world_begin_download(struct world *world, uint8_t *bytes, size_t some)
{
    static const char request[] = "GET /files/big HTTP/1.1\r\nHost: x\r\n\r\n";
    const int fd = client_connect(world->port, 16384);
    assert_true(fd >= 0);
    client_send(fd, request, sizeof request - 1);
    char head[2048] = "";
    size_t len = 0;
    while (strstr(head, "\r\n\r\n") == NULL) {
        assert_true(len + 1 < sizeof head);
        assert_int_equal(client_read(fd, head + len, 1), 1);
        head[++len] = '\0';
    }
    assert_int_equal(strncmp(head, "HTTP/1.1 200", 12), 0);
    assert_int_equal(client_read(fd, bytes, some), some);
    return fd;
}

struct answer world_ask(struct world *world, const char *request)
{
    return client_exchange(world->port, request, strlen(request));
}
