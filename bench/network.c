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

/* The pieces in which the file is copied, at both ends: as the original push tools send it; as any
   program would, and `updraft push`, the form's sender and the server here do; and as large as
   still makes a difference. */
enum copy {
    COPY_ORIGINAL,
    COPY,
    COPY_64K,
    COPY_COUNT,
};

static const size_t pieces[COPY_COUNT] = {1460, 16384, 65536};

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
    uint8_t *to; /* where copies go */
};

/* One run of a way; returns seconds. */
typedef double network_run_fn(struct network *network);

static void hash_file(struct network *network)
{
    struct ota_hash md5;

    (void)ota_crypto_openssl.hash_begin(&md5, OTA_HASH_MD5);
    (void)ota_crypto_openssl.hash_update(&md5, network->file, NETWORK_FILE_SIZE);
    (void)ota_crypto_openssl.hash_finish(&md5, network->job.md5);
}

/* ---- The ways -------------------------------------------------------------------------------- */

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
    network_upload(network->board.port, network->file, NETWORK_FILE_SIZE, pieces[COPY]);
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

/* What a push is proven by: no push is faster than this. */
static double run_md5(struct network *network)
{
    double started = rig_seconds();

    hash_file(network);
    return rig_seconds() - started;
}

/* ---- The figures ----------------------------------------------------------------------------- */

enum way {
    PUSH,
    UPLOAD,
    PULL,
    PULL_TLS,
    MD5,
    WAY_COUNT,
};

static network_run_fn *const runs_of[WAY_COUNT] = {run_push, run_upload, run_pull, run_pull_tls,
                                                   run_md5};

/* The limit is for the copy in pieces that any program would use, but for the push: MD5 alone takes
   three to four times as long as that copy, so its limit is for what its original tools would
   take. */
static const struct ratio {
    enum way way;
    enum copy copy;
    const char *name, *about;
    double limit;
} ratios[] = {
    {PUSH, COPY_ORIGINAL, "push_over_tcp",
     "espota push of 1.5 MB over copying it, 1460 bytes at a time", 0.25},
    {UPLOAD, COPY, "upload_over_tcp", "HTTP upload over copying it, 16 KB at a time", 0.25},
    {PULL, COPY, "pull_over_tcp", "HTTP pull over the same copy", 0.25},
    {PULL_TLS, COPY, "pull_tls_over_tcp", "the same by https, handshake included", 0},
    {PUSH, COPY, "push_over_tcp_16k", "espota push over the copy, 16 KB at a time", 0},
    {MD5, COPY, "md5_over_tcp_16k", "the MD5 of a push, and nothing else, over that", 0},
    {PUSH, COPY_64K, "push_over_tcp_64k", "espota push over the copy, 64 KB at a time", 0},
    {UPLOAD, COPY_64K, "upload_over_tcp_64k", "HTTP upload over that", 0},
    {PULL, COPY_64K, "pull_over_tcp_64k", "HTTP pull over that", 0},
};

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
    network->file = make_file();
    network->to = calloc(1, NETWORK_FILE_SIZE);
    network_board_init(&network->board);
    network_server_init(&network->plain, false, network->file, NETWORK_FILE_SIZE, pieces[COPY]);
    network_server_init(&network->secured, true, network->file, NETWORK_FILE_SIZE, pieces[COPY]);
    open_tls(network);
    network->job = (struct push_job){
        .image = network->file, .size = NETWORK_FILE_SIZE, .is_data = true, .timeout_ms = 5000};
    hash_file(network);
}

static void tear_down(struct network *network)
{
    ota_tls_end(&network->tls);
    network_server_free(&network->secured);
    network_server_free(&network->plain);
    network_board_free(&network->board);
    free(network->file);
    free(network->to);
}

static double copy(struct network *network, enum copy which)
{
    double seconds = network_copy(network->file, NETWORK_FILE_SIZE, pieces[which], network->to);

    if (memcmp(network->to, network->file, NETWORK_FILE_SIZE) != 0) {
        rig_fail("copying", OTA_ERR_DIGEST);
    }
    return seconds;
}

static double least(double a, double b)
{
    return a < b ? a : b;
}

void network_measure(struct figures *figures, int runs)
{
    static struct network network;
    double copies[COPY_COUNT] = {1e9, 1e9, 1e9};
    double best[WAY_COUNT] = {1e9, 1e9, 1e9, 1e9, 1e9};

    set_up(&network);
    for (int i = 0; i < runs; i++) {
        for (size_t which = 0; which < COPY_COUNT; which++) {
            copies[which] = least(copies[which], copy(&network, (enum copy)which));
        }
        for (size_t way = 0; way < WAY_COUNT; way++) {
            best[way] = least(best[way], runs_of[way](&network));
        }
    }
    tear_down(&network);
    for (size_t i = 0; i < sizeof ratios / sizeof ratios[0]; i++) {
        const struct ratio *ratio = &ratios[i];
        figures_add(figures, &(struct figure){ratio->name, copies[ratio->copy] / best[ratio->way],
                                              "", ratio->about, ratio->limit, true, true});
    }
}
