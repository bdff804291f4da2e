/* SPDX-License-Identifier: Apache-2.0 */
/* A peer for the test of multicast DNS.
 *     mdns_peer advertise NAME PORT HTTP_PORT yes|no   a board that wants to be found, to SIGTERM
 *     mdns_peer busy                                   datagrams to itself while it is advertised
 *     mdns_peer resolve NAME                           prints the address of NAME.local */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "posix/mdns_browse.h"
#include "posix/platform.h"

static volatile sig_atomic_t ended;

static void end(int number)
{
    (void)number;
    ended = 1;
}

static uint16_t read_port(const char *text)
{
    return (uint16_t)strtoul(text, NULL, 10);
}

static int advertise(char **argv)
{
    struct posix_platform posix;
    struct ota_platform *platform = &posix.platform;
    const bool password = strcmp(argv[3], "yes") == 0;
    const char *const arduino[] = {"tcp_check=no", "ssh_upload=no", "board=esp32s3",
                                   password ? "auth_upload=yes" : "auth_upload=no", NULL};
    const char *const http[] = {"path=/update", NULL};
    const struct ota_advert adverts[] = {
        {.type = "_arduino._tcp", .port = read_port(argv[1]), .txt = arduino},
        {.type = "_http._tcp", .port = read_port(argv[2]), .txt = http},
    };
    signal(SIGTERM, end);
    platform_init(&posix);
    /* Once in vain: what is advertised later takes the place of what was before. */
    enum ota_err err = platform->advertise(platform, "before", adverts, 1);
    if (err == OTA_OK) {
        err = platform->advertise(platform, argv[0], adverts, 2);
    }
    while (err == OTA_OK && !ended) {
        platform->wait(platform, 50);
    }
    platform_close(&posix);
    return err == OTA_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Sends itself a datagram and takes it, as a board does whose sockets and whose name are waited for
   together. */
static bool send_and_take(struct ota_platform *platform, struct ota_datagrams *datagrams,
                          int number)
{
    const struct ota_address self = {.ip = {[10] = 0xFF, [11] = 0xFF, [12] = 127, [15] = 1},
                                     .port = datagrams->port};
    struct ota_address from;
    int taken = -1;
    size_t len = 0;
    const uint32_t start = platform->now_ms(platform);
    datagrams->send(datagrams, &number, sizeof number, &self);
    while (len == 0 && platform->now_ms(platform) - start < 5000) {
        platform->wait(platform, 5000);
        if (datagrams->receive(datagrams, &taken, sizeof taken, &len, &from) != OTA_OK) {
            return false;
        }
    }
    return taken == number && platform->now_ms(platform) - start < 4000;
}

static int be_busy(void)
{
    struct posix_platform posix;
    struct ota_platform *platform = &posix.platform;
    const struct ota_advert advert = {.type = "_arduino._tcp", .port = 9};
    const int first_free = dup(STDIN_FILENO);
    close(first_free);
    for (int round = 0; round < 20; round++) {
        struct ota_datagrams *datagrams;
        bool good = true;
        platform_init(&posix);
        if (platform->advertise(platform, "busy", &advert, 1) != OTA_OK ||
            platform->open_datagrams(platform, 0, &datagrams) != OTA_OK) {
            return EXIT_FAILURE;
        }
        for (int i = 0; i < 200 && good; i++) {
            good = send_and_take(platform, datagrams, i);
        }
        platform_close(&posix);
        const int free_now = dup(STDIN_FILENO);
        close(free_now);
        if (!good || free_now != first_free) {
            puts(good ? "a descriptor was left open" : "a datagram was not seen in time");
            return EXIT_FAILURE;
        }
    }
    return EXIT_SUCCESS;
}

static int resolve(const char *name)
{
    char address[MDNS_ADDRESS_SIZE];
    if (!mdns_resolve(name, 5000, address)) {
        return EXIT_FAILURE;
    }
    puts(address);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    if (argc == 6 && strcmp(argv[1], "advertise") == 0) {
        return advertise(argv + 2);
    }
    if (argc == 2 && strcmp(argv[1], "busy") == 0) {
        return be_busy();
    }
    if (argc == 3 && strcmp(argv[1], "resolve") == 0) {
        return resolve(argv[2]);
    }
    fputs("mdns_peer advertise NAME PORT HTTP_PORT yes|no | busy | resolve NAME\n", stderr);
    return 2;
}
