/* SPDX-License-Identifier: Apache-2.0 */
/*
 * updraft-network: an update by each way in with the network failing, all of it.
 *
 *     updraft-network cuts WAY [IMAGE [STEP]]  the connection ends at every STEP-th byte (997);
 *                                              pieces, pauses, datagrams
 *     updraft-network crowd [IMAGE]            50 clients at once, and silent ones
 *     updraft-network turns COUNT              so many updates by all ways in turn: nothing grows
 *     updraft-network sockets COUNT            the same on real sockets
 *
 * IMAGE is an ESP32-S3 app; without it, or if it is not there, one of the same size as
 * the usual one is made. NETWORK_LOG in the environment prints what the board says.
 */

#include <dirent.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <posix/platform.h>

#include "network/explore.h"

#define IMAGE_SIZE 867072u
#define SMALL_SIZE 20000u
#define STEP 997u
#define CROWD 50u
#define WARM_UP 90u

static const struct ota_crypto *const crypto = &ota_crypto_openssl;

static int finish(const struct world *world, const struct explored *explored, const char *what)
{
    if (world->failure[0] != '\0') {
        fprintf(stderr, "%s\n", world->failure);
        return 1;
    }
    printf(
        "%s: %u cuts, %u pauses, %u sizes of pieces, %u datagrams, %u clients at once; %llu tries, "
        "%llu updates\n",
        what, explored->cuts, explored->stalls, explored->pieces, explored->datagrams,
        explored->peers, (unsigned long long)world->tries, (unsigned long long)world->accepted);
    return 0;
}

static void load(struct board_image *image, const char *path)
{
    if (path == NULL || !image_load(image, crypto, path)) {
        printf("no recorded image: one is made\n");
        image_forge(image, crypto, IMAGE_SIZE, "2.0.0");
    }
}

static bool all_of(struct world *world, const struct way *way, const struct board_image *image,
                   uint32_t step, struct explored *explored)
{
    printf("%s: cuts at every %u bytes of %u\n", way->name,
           way->sparse != 0 ? way->sparse * step : step, image->size);
    return explore_cuts(world, way, image, step, 0, explored) &&
           explore_pieces(world, way, image, explored) &&
           explore_stalls(world, way, image, explored) &&
           (way->push != &peer_espota || explore_datagrams(world, way, image, explored));
}

static int cuts(const char *name, const char *path, uint32_t step)
{
    const struct way *way = way_named(name);
    struct explored explored = {.cuts = 0};
    struct board_image image, small;

    if (way == NULL) {
        fprintf(stderr, "there is no way \"%s\"\n", name);
        return 2;
    }
    load(&image, path);
    image_forge(&small, crypto, SMALL_SIZE, "3.0.0");
    struct net *net = net_new();
    struct world *world = world_new(net, crypto, image.size);
    world->small = &small;
    (void)all_of(world, way, &image, step, &explored);
    int status = finish(world, &explored, name);
    world_free(world);
    net_free(net);
    image_free(&image);
    image_free(&small);
    return status;
}

static int crowd(const char *path)
{
    struct explored explored = {.cuts = 0};
    struct board_image images[3];

    load(&images[0], path);
    image_forge(&images[1], crypto, IMAGE_SIZE, "3.0.0");
    image_forge(&images[2], crypto, SMALL_SIZE, "4.0.0");
    struct net *net = net_new();
    struct world *world = world_new(net, crypto, IMAGE_SIZE);
    const struct board_image small[3] = {images[2], images[2], images[2]};
    bool is_well = explore_crowd(world, small, CROWD, &explored) &&
                   explore_crowd(world, images, CROWD, &explored);
    for (size_t i = 0; is_well && i < way_count; i++) {
        is_well = explore_silent_clients(world, &ways[i], &images[0], &explored);
    }
    int status = finish(world, &explored, "crowd");
    world_free(world);
    net_free(net);
    for (unsigned i = 0; i < 3; i++) {
        image_free(&images[i]);
    }
    return status;
}

static unsigned open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    unsigned count = 0;

    while (folder != NULL && readdir(folder) != NULL) {
        count++;
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return count;
}

/* After a few rounds, in which libraries take what they keep, nothing may grow. */
static int turns_in(struct world *world, unsigned count, const char *what)
{
    struct explored explored = {.cuts = 0};
    struct board_image images[3];

    for (unsigned i = 0; i < 3; i++) {
        image_forge(&images[i], crypto, SMALL_SIZE + 4000 * i, (const char *[]){"1", "2", "3"}[i]);
    }
    if (explore_turns(world, images, WARM_UP, &explored)) {
        const struct mallinfo2 before = mallinfo2();
        const unsigned descriptors = open_descriptors();
        if (explore_turns(world, images, count, &explored)) {
            const struct mallinfo2 after = mallinfo2();
            printf("%s: heap %zu bytes, then %zu; descriptors %u, then %u\n", what, before.uordblks,
                   after.uordblks, descriptors, open_descriptors());
            if (after.uordblks > before.uordblks + 1024 || open_descriptors() != descriptors) {
                (void)world_fail(world, "something grows");
            }
        }
    }
    for (unsigned i = 0; i < 3; i++) {
        image_free(&images[i]);
    }
    return finish(world, &explored, what);
}

static int turns(unsigned count)
{
    struct net *net = net_new();
    struct world *world = world_new(net, crypto, IMAGE_SIZE);
    int status = turns_in(world, count, "turns");

    if (status == 0 && net_open_everywhere(net) != 0) {
        fprintf(stderr, "%u sockets stay open\n", net_open_everywhere(net));
        status = 1;
    }
    world_free(world);
    net_free(net);
    return status;
}

static void log_nothing(struct ota_platform *platform, enum ota_log_level level, const char *tag,
                        const char *text)
{
    (void)platform;
    (void)level;
    (void)tag;
    (void)text;
}

static int sockets(unsigned count)
{
    struct posix_platform platform;

    platform_init(&platform);
    if (getenv("NETWORK_LOG") == NULL) {
        platform.platform.log = log_nothing;
    }
    struct world *world = world_on(&platform.platform, crypto, SMALL_SIZE * 2);
    int status = turns_in(world, count, "sockets");
    world_free(world);
    platform_close(&platform);
    return status;
}

/* Has memory that is given back count as such at once: the allocator's caches of it would look like
 * growth. */
static void begin_without_caches(char **argv)
{
    if (getenv("GLIBC_TUNABLES") == NULL &&
        setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0", 1) == 0) {
        (void)execv("/proc/self/exe", argv);
    }
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    const char *word = argc > 2 ? argv[2] : NULL;

    if (strcmp(what, "cuts") == 0 && word != NULL) {
        return cuts(word, argc > 3 ? argv[3] : NULL,
                    argc > 4 ? (uint32_t)strtoul(argv[4], NULL, 10) : STEP);
    }
    if (strcmp(what, "crowd") == 0) {
        return crowd(word);
    }
    begin_without_caches(argv);
    if (strcmp(what, "turns") == 0 && word != NULL) {
        return turns((unsigned)strtoul(word, NULL, 10));
    }
    if (strcmp(what, "sockets") == 0 && word != NULL) {
        return sockets((unsigned)strtoul(word, NULL, 10));
    }
    fputs("usage: updraft-network cuts WAY [IMAGE [STEP]] | crowd [IMAGE] | turns COUNT | sockets "
          "COUNT\n",
          stderr);
    return 2;
}
