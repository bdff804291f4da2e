/* SPDX-License-Identifier: Apache-2.0 */
#include "network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <updraft/tls.h>

#include "cli/push_device.h"
#include "network_board.h"
#include "network_peer.h"
#include "rig.h"
#include "support/images.h"

/* What the board's services read at a time. The copy is made in such pieces too, at both ends, and so are
   upload and pull; `updraft push` hands over 16384 bytes at a time. */
#define SEGMENT 1460u
#define PULL_PIECE 1024u

/* The file is noise: with no page that is blank, all of it must be programmed. */
static uint8_t *make_file(void)
{
    uint8_t *file = malloc(NETWORK_FILE_SIZE);

    for (uint32_t i = 0; i < NETWORK_FILE_SIZE; i++) {
        file[i] = (uint8_t)noise(1572864, i);
    }
    return file;
}

/* What is measured, and with what. */
struct network {
    struct network_board board;
    struct network_server plain, secured;
    struct ota_tls tls;
    struct push_job job;
    uint8_t *file;
};

/* One run of a way; returns seconds. */
typedef double network_run_fn(struct network *network);

/* ---- The ways --------------------------------------------------------------------------------- */

static double run_push(struct network *network)
{
    static const struct push_watcher watcher = {0};
    struct posix_platform platform;
    struct push_device device = {.dialect = &push_espota, .phase = PUSH_QUEUED};
    double started;

    network_board_start(&network->board, NETWORK_PUSH, NULL, NULL);
    platform_init(&platform);
    device.address = (struct ota_address){.ip = {[10] = 0xFF, [11] = 0xFF, [12] = 127, [15] = 1},
                                          .port = network->board.port};
    started = rig_seconds();
    push_run(&device, 1, &network->job, &platform, &watcher);
    platform_close(&platform);
    if (device.phase != PUSH_ACCEPTED) {
        fprintf(stderr, "updraft-bench: the push failed: %s\n", device.message);
        exit(1);
    }
    return network_board_finish(&network->board, network->file) - started;
}

static double run_upload(struct network *network)
{
    double started;

    network_board_start(&network->board, NETWORK_UPLOAD, NULL, NULL);
    started = rig_seconds();
    network_upload(network->board.port, network->file, NETWORK_FILE_SIZE, SEGMENT);
    return network_board_finish(&network->board, network->file) - started;
}

static double pull(struct network *network, struct network_server *server)
{
    char url[64];
    bool secure = server == &network->secured;
    double ended;

    snprintf(url, sizeof url, "http%s://127.0.0.1:%u/", secure ? "s" : "", (unsigned)server->port);
    network_server_start(server);
    network_board_start(&network->board, NETWORK_PULL, url, secure ? &network->tls.secure : NULL);
    ended = network_board_finish(&network->board, network->file);
    network_server_wait(server);
    return ended - network->board.started;
}

static double run_pull(struct network *network)
{
    return pull(network, &network->plain);
}

static double run_pull_tls(struct network *network)
{
    ota_tls_forget_sessions(&network->tls);
    return pull(network, &network->secured);
}

/* ---- The figures ------------------------------------------------------------------------------ */

static const struct way {
    network_run_fn *run;
    size_t piece; /* of the copy that it is compared with */
    const char *name, *about;
    double limit;
} ways[] = {
    {run_push, SEGMENT, "push_over_tcp",
     "espota push of 1.5 MB over copying it, both in pieces of 1460 bytes", 0.25},
    {run_upload, SEGMENT, "upload_over_tcp", "HTTP upload over the same copy", 0.25},
    {run_pull, PULL_PIECE, "pull_over_tcp", "HTTP pull over a copy in pieces of 1024 bytes", 0.25},
    {run_pull_tls, PULL_PIECE, "pull_tls_over_tcp", "the same by https, handshake included", 0},
};

#define WAY_COUNT (sizeof ways / sizeof ways[0])

static void open_tls(struct network *network)
{
    static char fingerprint[2 * OTA_SHA256_SIZE + 1];

    network_server_fingerprint(&network->secured, fingerprint);
    enum ota_err err =
        ota_tls_begin(&network->tls, &(struct ota_tls_options){.fingerprint = fingerprint});
    if (err != OTA_OK) {
        rig_fail("preparing TLS", err);
    }
}

static void set_up(struct network *network)
{
    struct ota_hash md5;

    network->file = make_file();
    network_board_init(&network->board);
    network_server_init(&network->plain, false, network->file, NETWORK_FILE_SIZE, PULL_PIECE);
    network_server_init(&network->secured, true, network->file, NETWORK_FILE_SIZE, PULL_PIECE);
    open_tls(network);
    network->job = (struct push_job){
        .image = network->file, .size = NETWORK_FILE_SIZE, .is_data = true, .timeout_ms = 5000};
    (void)ota_crypto_openssl.hash_begin(&md5, OTA_HASH_MD5);
    (void)ota_crypto_openssl.hash_update(&md5, network->file, NETWORK_FILE_SIZE);
    (void)ota_crypto_openssl.hash_finish(&md5, network->job.md5);
}

static void tear_down(struct network *network)
{
    ota_tls_end(&network->tls);
    network_server_free(&network->secured);
    network_server_free(&network->plain);
    network_board_free(&network->board);
    free(network->file);
}

void network_measure(struct figures *figures, int runs)
{
    static struct network network;
    double copy[WAY_COUNT], best[WAY_COUNT];

    for (size_t way = 0; way < WAY_COUNT; way++) {
        copy[way] = best[way] = 1e9;
    }

    set_up(&network);
    for (int i = 0; i < runs; i++) {
        for (size_t way = 0; way < WAY_COUNT; way++) {
            double seconds = network_copy(network.file, NETWORK_FILE_SIZE, ways[way].piece);
            copy[way] = seconds < copy[way] ? seconds : copy[way];
            seconds = ways[way].run(&network);
            best[way] = seconds < best[way] ? seconds : best[way];
        }
    }
    tear_down(&network);
    for (size_t way = 0; way < WAY_COUNT; way++) {
        figures_add(figures, &(struct figure){ways[way].name, copy[way] / best[way], "",
                                              ways[way].about, ways[way].limit, true, true});
    }
}
