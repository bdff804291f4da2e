/* SPDX-License-Identifier: Apache-2.0 */

/* The server over loopback: a client of other people's, the requests of the chips' own updaters, and
   peers who mean no good. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <curl/curl.h>
#include <cjson/cJSON.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include <updraft/chip.h>

#include "server/client.h"
#include "server/scratch.h"
#include "server/server.h"
#include "support/images.h"

#define WAIT_MS 20000u
#define PATIENT_S 60u /* so that a loaded machine is not mistaken for a slow peer */
#define IMPATIENT_S 2u
#define BIG (24u << 20) /* larger than all buffers between two sockets */

struct world {
    struct scratch folder;
    struct server *server;
    uint16_t port;
    pthread_mutex_t lock; /* over the log */
    pthread_cond_t logged;
    struct server_request last;
    unsigned requests;
};

static void keep_request(void *context, const struct server_request *request)
{
    struct world *world = context;
    pthread_mutex_lock(&world->lock);
    world->last = *request;
    world->requests++;
    pthread_cond_broadcast(&world->logged);
    pthread_mutex_unlock(&world->lock);
}

/* Waits until so many requests are in the log, and returns the last. */
static struct server_request wait_logged(struct world *world, unsigned requests)
{
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += WAIT_MS / 1000;
    pthread_mutex_lock(&world->lock);
    while (world->requests < requests) {
        assert_int_equal(pthread_cond_timedwait(&world->logged, &world->lock, &end), 0);
    }
    const struct server_request last = world->last;
    pthread_mutex_unlock(&world->lock);
    return last;
}

static int start(void **state, unsigned timeout_s)
{
    struct world *world = calloc(1, sizeof *world);
    char why[256] = "";
    if (world == NULL) {
        return -1;
    }
    scratch_make(&world->folder);
    pthread_mutex_init(&world->lock, NULL);
    pthread_cond_init(&world->logged, NULL);
    world->server = server_start(&(struct server_options){.folder = world->folder.path,
                                                          .address = "127.0.0.1",
                                                          .crypto = &ota_crypto_psa,
                                                          .timeout_s = timeout_s,
                                                          .settle_ms = 200,
                                                          .on_request = keep_request,
                                                          .context = world},
                                 why, sizeof why);
    if (world->server == NULL) {
        fprintf(stderr, "%s\n", why);
        return -1;
    }
    world->port = server_port(world->server);
    *state = world;
    return 0;
}

static int set_up(void **state)
{
    return start(state, PATIENT_S);
}

static int set_up_impatient(void **state)
{
    return start(state, IMPATIENT_S);
}

static int tear_down(void **state)
{
    struct world *world = *state;
    if (world->server != NULL) {
        server_stop(world->server, 0);
    }
    scratch_remove(&world->folder);
    pthread_cond_destroy(&world->logged);
    pthread_mutex_destroy(&world->lock);
    free(world);
    return 0;
}

/* Waits until the catalogue lists the file with these bytes' size. */
static void wait_listed(struct world *world, const char *name, size_t size)
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
        assert_true(catalog_wait(catalog, generation, WAIT_MS));
    }
}

/* Puts a file of noise into the folder; the bytes are the caller's to free. */
static uint8_t *put_noise(struct world *world, const char *name, uint64_t seed, size_t len)
{
    uint8_t *bytes = scratch_noise(seed, len);
    bytes[0] = 'x'; /* no image's first byte */
    scratch_replace(&world->folder, name, bytes, len);
    wait_listed(world, name, len);
    return bytes;
}

static size_t put_image(struct world *world, const char *name, uint16_t chip, const char *project,
                        const char *version)
{
    struct stat status;
    scratch_image(&world->folder, name, chip, project, version, 50000);
    assert_int_equal(stat(scratch_path(&world->folder, name), &status), 0);
    wait_listed(world, name, (size_t)status.st_size);
    return (size_t)status.st_size;
}

/* An ESP8266 version 1 image (docs/formats/image.md): header, one segment, checksum. */
static void put_esp8266(struct world *world, const char *name)
{
    uint8_t image[64] = {0xe9, 1, 2, 0x40, 0, 0, 0x10, 0x40, 0, 0, 0x10, 0x40, 32};
    uint8_t sum = 0xef;
    for (size_t i = 16; i < 48; i++) {
        image[i] = (uint8_t)(0xa0 + i);
        sum ^= image[i];
    }
    image[63] = sum;
    scratch_replace(&world->folder, name, image, sizeof image);
    wait_listed(world, name, sizeof image);
}

static void assert_body(const struct answer *answer, const uint8_t *bytes, size_t len)
{
    assert_false(answer->broken);
    assert_int_equal(answer->len, len);
    if (len != 0) {
        assert_memory_equal(answer->body, bytes, len);
    }
}

static void assert_header(const struct answer *answer, const char *name, const char *expected)
{
    const char *value = answer_header(answer, name);
    if (value == NULL ? expected != NULL : expected == NULL || strcmp(value, expected) != 0) {
        fail_msg("%s: %s, not %s", name, value == NULL ? "(none)" : value,
                 expected == NULL ? "(none)" : expected);
    }
}

/* ------------------------------------------------------------------ downloads */

static void test_whole_file(void **state)
{
    struct world *world = *state;
    scratch_replace(&world->folder, "abc.txt", "abc", 3);
    wait_listed(world, "abc.txt", 3);
    struct answer answer = client_get(world->port, "/files/abc.txt", NULL);
    assert_int_equal(answer.status, 200);
    assert_body(&answer, (const uint8_t *)"abc", 3);
    assert_header(&answer, "Content-Length", "3");
    assert_header(&answer, "Transfer-Encoding", NULL);
    assert_header(&answer, "Content-Type", "application/octet-stream");
    assert_header(&answer, "Content-Disposition", "attachment; filename=\"abc.txt\"");
    assert_header(&answer, "Accept-Ranges", "bytes");
    assert_header(&answer, "ETag", "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9c\"");
    assert_header(&answer, "x-MD5", "900150983cd24fb0d6963f7d28e17f72");
    assert_header(&answer, "x-SHA256",
                  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_header(&answer, "Content-MD5", "kAFQmDzST7DWlj99KOF/cg==");
    assert_header(&answer, "Repr-Digest", "sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:");
    answer_free(&answer);

    answer = client_head(world->port, "/files/abc.txt");
    assert_int_equal(answer.status, 200);
    assert_body(&answer, NULL, 0);
    assert_header(&answer, "Content-Length", "3");
    assert_header(&answer, "x-MD5", "900150983cd24fb0d6963f7d28e17f72");
    answer_free(&answer);
}

static void test_empty_file(void **state)
{
    struct world *world = *state;
    scratch_replace(&world->folder, "empty", "", 0);
    wait_listed(world, "empty", 0);
    struct answer answer = client_get(world->port, "/files/empty", NULL);
    assert_int_equal(answer.status, 200);
    assert_header(&answer, "Content-Length", "0");
    answer_free(&answer);
    answer = client_get(world->port, "/files/empty", (const char *[]){"Range: bytes=0-", NULL});
    assert_int_equal(answer.status, 416);
    assert_header(&answer, "Content-Range", "bytes */0");
    answer_free(&answer);
}

static void check_range(struct world *world, const uint8_t *bytes, size_t size, const char *range,
                        size_t first, size_t len)
{
    char header[96];
    char expected[96];
    snprintf(header, sizeof header, "Range: %s", range);
    struct answer answer = client_get(world->port, "/files/f.bin", (const char *[]){header, NULL});
    if (answer.status != 206) {
        fail_msg("%s: %ld", range, answer.status);
    }
    assert_body(&answer, bytes + first, len);
    snprintf(expected, sizeof expected, "bytes %zu-%zu/%zu", first, first + len - 1, size);
    assert_header(&answer, "Content-Range", expected);
    snprintf(expected, sizeof expected, "%zu", len);
    assert_header(&answer, "Content-Length", expected);
    assert_header(&answer, "Content-MD5", NULL); /* it would be of the part */
    assert_non_null(answer_header(&answer, "x-MD5"));
    assert_header(&answer, "Transfer-Encoding", NULL);
    answer_free(&answer);
}

static void test_ranges(void **state)
{
    struct world *world = *state;
    const size_t size = 300007;
    uint8_t *bytes = put_noise(world, "f.bin", 3, size);
    char range[80];
    check_range(world, bytes, size, "bytes=0-0", 0, 1);
    check_range(world, bytes, size, "bytes=0-", 0, size);
    check_range(world, bytes, size, "bytes=300006-", size - 1, 1);
    check_range(world, bytes, size, "bytes=-1", size - 1, 1);
    check_range(world, bytes, size, "bytes=-999999", 0, size);
    check_range(world, bytes, size, "bytes=5-99999999999999999999999", 5, size - 5);
    for (uint32_t i = 0; i < 100; i++) {
        const size_t first = noise(11, 2 * i) % size;
        const size_t last = first + noise(11, 2 * i + 1) % (size - first);
        snprintf(range, sizeof range, "bytes=%zu-%zu", first, last);
        check_range(world, bytes, size, range, first, last - first + 1);
        snprintf(range, sizeof range, "bytes=%zu-", first);
        check_range(world, bytes, size, range, first, size - first);
        snprintf(range, sizeof range, "bytes=-%zu", last + 1);
        check_range(world, bytes, size, range, size - last - 1, last + 1);
    }
    static const char *const whole[] = {"Range: bytes=0-1,5-6", "Range: bytes=9-1",
                                        "Range: pages=1", "Range: bytes=x"};
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
        struct answer answer =
            client_get(world->port, "/files/f.bin", (const char *[]){whole[i], NULL});
        assert_int_equal(answer.status, 200);
        assert_body(&answer, bytes, size);
        answer_free(&answer);
    }
    struct answer answer =
        client_get(world->port, "/files/f.bin", (const char *[]){"Range: bytes=300007-", NULL});
    assert_int_equal(answer.status, 416);
    assert_header(&answer, "Content-Range", "bytes */300007");
    answer_free(&answer);
    free(bytes);
}

static void test_conditions(void **state)
{
    struct world *world = *state;
    uint8_t *bytes = put_noise(world, "f.bin", 4, 10000);
    struct answer answer = client_head(world->port, "/files/f.bin");
    char etag[80];
    char since[80];
    char none_match[128];
    char if_range[128];
    snprintf(etag, sizeof etag, "%s", answer_header(&answer, "ETag"));
    snprintf(since, sizeof since, "If-Modified-Since: %s", answer_header(&answer, "Last-Modified"));
    snprintf(none_match, sizeof none_match, "If-None-Match: \"other\", %s", etag);
    snprintf(if_range, sizeof if_range, "If-Range: %s", etag);
    answer_free(&answer);

    const char *const unchanged[] = {none_match, since, "If-None-Match: *"};
    for (size_t i = 0; i < 3; i++) {
        answer = client_get(world->port, "/files/f.bin", (const char *[]){unchanged[i], NULL});
        assert_int_equal(answer.status, 304);
        assert_body(&answer, NULL, 0);
        assert_header(&answer, "ETag", etag);
        assert_header(&answer, "Content-Length", NULL);
        assert_header(&answer, "Transfer-Encoding", NULL);
        answer_free(&answer);
    }
    answer = client_get(world->port, "/files/f.bin",
                        (const char *[]){if_range, "Range: bytes=9000-", NULL});
    assert_int_equal(answer.status, 206);
    assert_body(&answer, bytes + 9000, 1000);
    answer_free(&answer);
    answer = client_get(world->port, "/files/f.bin", (const char *[]){"If-Match: \"x\"", NULL});
    assert_int_equal(answer.status, 412);
    answer_free(&answer);
    free(bytes);

    /* Another file under the name: the rest of the old one is not to be had. */
    bytes = put_noise(world, "f.bin", 5, 12000);
    answer = client_get(world->port, "/files/f.bin",
                        (const char *[]){if_range, "Range: bytes=9000-", NULL});
    assert_int_equal(answer.status, 200);
    assert_body(&answer, bytes, 12000);
    answer_free(&answer);
    free(bytes);
}

static void test_parallel_downloads(void **state)
{
    struct world *world = *state;
    const size_t size = 1500000;
    uint8_t *bytes = put_noise(world, "f.bin", 6, size);
    struct answer answers[50];
    client_get_together(world->port, "/files/f.bin", answers, 50);
    for (size_t i = 0; i < 50; i++) {
        assert_int_equal(answers[i].status, 200);
        assert_body(&answers[i], bytes, size);
        answer_free(&answers[i]);
    }
    free(bytes);
}

/* The usual command goes on where it broke off. */
static void test_curl_resumes(void **state)
{
    struct world *world = *state;
    const size_t size = 400000;
    uint8_t *bytes = put_noise(world, "f.bin", 8, size);
    struct scratch elsewhere;
    scratch_make(&elsewhere);
    static const size_t had[] = {1, 123457, 399999};
    for (size_t i = 0; i < sizeof had / sizeof had[0]; i++) {
        char url[64];
        char output[128];
        scratch_write(&elsewhere, "out", bytes, had[i]);
        snprintf(url, sizeof url, "http://127.0.0.1:%u/files/f.bin", world->port);
        snprintf(output, sizeof output, "%s", scratch_path(&elsewhere, "out"));
        char *const arguments[] = {(char[]){"curl"},
                                   (char[]){"--fail"},
                                   (char[]){"--silent"},
                                   (char[]){"-C"},
                                   (char[]){"-"},
                                   (char[]){"--noproxy"},
                                   (char[]){"*"},
                                   (char[]){"-o"},
                                   output,
                                   url,
                                   NULL};
        pid_t child = 0;
        int status = 0;
        assert_int_equal(posix_spawnp(&child, "curl", NULL, NULL, arguments, environ), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        const int fd = open(output, O_RDONLY | O_CLOEXEC);
        struct stat written;
        assert_int_equal(fstat(fd, &written), 0);
        assert_int_equal(written.st_size, size);
        void *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
        assert_memory_equal(map, bytes, size);
        munmap(map, size);
        close(fd);
    }
    scratch_remove(&elsewhere);
    free(bytes);
}

/* Asks for the big file on a bare connection and reads the answer's head and some of the body. */
static int begin_download(struct world *world, uint8_t *bytes, size_t some)
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

static void test_replaced_during_download(void **state)
{
    struct world *world = *state;
    uint8_t *bytes = put_noise(world, "big", 9, BIG);
    uint8_t *got = malloc(BIG);
    const int fd = begin_download(world, got, 10000);
    free(put_noise(world, "big", 10, 5000));
    assert_int_equal(client_read(fd, got + 10000, BIG - 10000), BIG - 10000);
    assert_memory_equal(got, bytes, BIG);
    close(fd);
    const int second = begin_download(world, got, 5000);
    assert_memory_not_equal(got, bytes, 5000);
    close(second);
    free(got);
    free(bytes);
}

/* What is overwritten in place cannot stay whole: the download must then not look complete. */
static void test_overwritten_during_download(void **state)
{
    struct world *world = *state;
    uint8_t *bytes = put_noise(world, "big", 9, BIG);
    uint8_t *other = scratch_noise(12, BIG);
    uint8_t *got = malloc(BIG);
    const int fd = begin_download(world, got, 10000);
    const int file = open(scratch_path(&world->folder, "big"), O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(file, other, BIG, 0), BIG);
    /* Read on only when the server has seen it; else this would race with the kernel. */
    struct catalog *catalog = server_catalog(world->server);
    for (bool listed = true; listed;) {
        struct catalog_snapshot *snapshot = catalog_take(catalog);
        listed = catalog_find(snapshot, "big") != NULL;
        const uint64_t generation = snapshot->generation;
        catalog_release(snapshot);
        assert_true(!listed || catalog_wait(catalog, generation, WAIT_MS));
    }
    close(file);
    assert_true(client_read(fd, got, BIG) < BIG - 10000);
    close(fd);
    free(got);
    free(other);
    free(bytes);
}

/* ------------------------------------------------------------------ devices */

#define ESP8266_HEADERS                                                             \
    "Host: 192.168.0.2\r\nUser-Agent: ESP8266-http-Update\r\nConnection: close\r\n" \
    "x-ESP8266-Chip-ID: 11189196\r\nx-ESP8266-STA-MAC: 18:FE:AA:AA:AA:AA\r\n"       \
    "x-ESP8266-AP-MAC: 1A:FE:AA:AA:AA:AA\r\nx-ESP8266-free-space: 671744\r\n"       \
    "x-ESP8266-sketch-size: 373940\r\n"                                             \
    "x-ESP8266-sketch-md5: a56f8ef78a0bebd812f62067daf1408a\r\n"                    \
    "x-ESP8266-chip-size: 4194304\r\nx-ESP8266-sdk-version: 1.3.0\r\n"

#define ESP32_HEADERS(version)                                             \
    "Host: x\r\nUser-Agent: ESP32-http-Update\r\nConnection: close\r\n"    \
    "Cache-Control: no-cache\r\nx-ESP32-STA-MAC: 34:85:18:41:EB:78\r\n"    \
    "x-ESP32-AP-MAC: 36:85:18:41:EB:78\r\nx-ESP32-free-space: 1310720\r\n" \
    "x-ESP32-sketch-size: 1006448\r\nx-ESP32-chip-size: 8388608\r\n"       \
    "x-ESP32-sdk-version: v4.4.5\r\nx-ESP32-mode: sketch\r\nx-ESP32-version: " version "\r\n\r\n"

static struct answer ask(struct world *world, const char *request)
{
    return client_exchange(world->port, request, strlen(request));
}

static void test_esp8266(void **state)
{
    struct world *world = *state;
    static const char sketch[] = "GET /esp/update/arduino.php HTTP/1.0\r\n" ESP8266_HEADERS
                                 "x-ESP8266-mode: sketch\r\nx-ESP8266-version: DOOR-7-g14f53a19\r\n"
                                 "Content-Length: 0\r\n\r\n";
    struct answer answer = ask(world, sketch);
    assert_int_equal(answer.status, 404);
    assert_string_equal((char *)answer.body, "no app for esp8266 here\n");
    assert_header(&answer, "Content-Type", "text/plain; charset=utf-8");
    answer_free(&answer);

    put_esp8266(world, "door-1.2.0.bin");
    answer = ask(world, sketch);
    assert_int_equal(answer.status, 200);
    assert_int_equal(answer.len, 64);
    assert_false(answer.broken);
    assert_header(&answer, "x-version", "1.2.0");
    assert_int_equal(strlen(answer_header(&answer, "x-MD5")), 32);
    assert_header(&answer, "Connection", "close");
    const struct server_request entry = wait_logged(world, 2);
    assert_string_equal(entry.platform, "esp8266");
    assert_string_equal(entry.device, "18:FE:AA:AA:AA:AA");
    assert_string_equal(entry.version, "DOOR-7-g14f53a19");
    assert_string_equal(entry.image, "door-1.2.0.bin");
    assert_true(entry.complete);
    answer_free(&answer);

    answer = ask(world, "GET / HTTP/1.0\r\n" ESP8266_HEADERS
                        "x-ESP8266-mode: version\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(answer.status, 200);
    assert_int_equal(answer.len, 0);
    assert_header(&answer, "x-version", "1.2.0");
    answer_free(&answer);

    answer = ask(world, "GET /x HTTP/1.0\r\n" ESP8266_HEADERS
                        "x-ESP8266-mode: sketch\r\nx-ESP8266-version: 1.2.0\r\n\r\n");
    assert_int_equal(answer.status, 304);
    assert_int_equal(answer.len, 0);
    assert_header(&answer, "Content-Length", NULL);
    answer_free(&answer);
}

static void test_recorded_requests(void **state)
{
    struct world *world = *state;
    static const char *const names[] = {"request-esp8266.http", "request-esp32.http"};
    put_esp8266(world, "door-1.2.0.bin");
    const size_t size = put_image(world, "garden.bin", OTA_CHIP_ESP32S3, "garden", "1.0.0");
    for (size_t i = 0; i < 2; i++) {
        char path[512];
        char request[4096];
        snprintf(path, sizeof path, "%s/arduino/http/%s", UPDRAFT_VECTORS, names[i]);
        const int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0) {
            skip();
        }
        const ssize_t len = read(fd, request, sizeof request);
        close(fd);
        struct answer answer = client_exchange(world->port, request, (size_t)len);
        assert_int_equal(answer.status, 200);
        assert_int_equal(answer.len, i == 0 ? 64 : size);
        assert_false(answer.broken);
        answer_free(&answer);
    }
}

static void test_esp32(void **state)
{
    struct world *world = *state;
    const size_t size = put_image(world, "a.bin", OTA_CHIP_ESP32, "garden", "1.1.0");
    put_image(world, "b.bin", OTA_CHIP_ESP32, "lamp", "9.0.0");
    struct answer answer = ask(world, "GET /pull HTTP/1.0\r\n" ESP32_HEADERS("1.0.0"));
    assert_int_equal(answer.status, 404);
    assert_non_null(strstr((char *)answer.body, "/pull/garden"));
    answer_free(&answer);
    static const char *const asked[] = {"GET /pull/garden HTTP/1.0\r\n",
                                        "GET /pull?project=garden HTTP/1.1\r\n",
                                        "GET /update?project=garden&chip=esp32 HTTP/1.1\r\n"};
    for (size_t i = 0; i < 3; i++) {
        char request[2048];
        snprintf(request, sizeof request, "%s%s", asked[i], ESP32_HEADERS("1.0.0"));
        answer = ask(world, request);
        assert_int_equal(answer.status, 200);
        assert_int_equal(answer.len, size);
        assert_header(&answer, "x-version", "1.1.0");
        answer_free(&answer);
    }
    answer = ask(world, "GET /pull/garden HTTP/1.0\r\n" ESP32_HEADERS("1.1.0"));
    assert_int_equal(answer.status, 304);
    answer_free(&answer);
    /* A range makes 206 only of what would be 200. */
    answer =
        ask(world, "GET /pull/garden HTTP/1.1\r\nRange: bytes=100-\r\n" ESP32_HEADERS("1.0.0"));
    assert_int_equal(answer.status, 206);
    assert_int_equal(answer.len, size - 100);
    answer_free(&answer);
    answer =
        ask(world, "GET /pull/garden HTTP/1.1\r\nRange: bytes=100-\r\n" ESP32_HEADERS("1.1.0"));
    assert_int_equal(answer.status, 304);
    answer_free(&answer);
}

static void test_not_an_updater(void **state)
{
    struct world *world = *state;
    put_esp8266(world, "door-1.2.0.bin");
    struct answer answer = client_get(world->port, "/pull", (const char *[]){"User-Agent:", NULL});
    assert_int_equal(answer.status, 403);
    assert_non_null(strstr((char *)answer.body, "the User-Agent is missing"));
    answer_free(&answer);
    answer = client_get(world->port, "/somewhere", NULL);
    assert_int_equal(answer.status, 404);
    answer_free(&answer);
}

/* ------------------------------------------------------------------ people and programs */

static void test_pages(void **state)
{
    struct world *world = *state;
    put_image(world, "garden.bin", OTA_CHIP_ESP32C3, "<b>\"&", "1.0.0");
    free(put_noise(world, "a&b <i>.bin", 13, 1000));
    struct answer answer = client_get(world->port, "/", NULL);
    assert_int_equal(answer.status, 200);
    assert_non_null(
        strstr((char *)answer.body, "/files/a%26b%20%3Ci%3E.bin\">a&amp;b &lt;i&gt;.bin"));
    assert_non_null(strstr((char *)answer.body, "&lt;b&gt;&quot;&amp;"));
    assert_null(strstr((char *)answer.body, "<b>"));
    assert_null(strstr((char *)answer.body, "<i>"));
    answer_free(&answer);

    answer = client_get(world->port, "/files/a%26b%20%3Ci%3E.bin", NULL);
    assert_int_equal(answer.status, 200);
    assert_header(&answer, "Content-Disposition",
                  "attachment; filename=\"a_b _i_.bin\"; filename*=UTF-8''a%26b%20%3Ci%3E.bin");
    answer_free(&answer);

    answer = client_get(world->port, "/api/v1/images", NULL);
    assert_header(&answer, "Content-Type", "application/json");
    cJSON *list = cJSON_Parse((char *)answer.body);
    const cJSON *images = cJSON_GetObjectItem(list, "images");
    assert_int_equal(cJSON_GetArraySize(images), 2);
    const cJSON *image = cJSON_GetArrayItem(images, 1);
    assert_string_equal(cJSON_GetObjectItem(image, "name")->valuestring, "garden.bin");
    assert_string_equal(cJSON_GetObjectItem(image, "chip")->valuestring, "esp32-c3");
    assert_string_equal(cJSON_GetObjectItem(image, "version")->valuestring, "1.0.0");
    assert_string_equal(cJSON_GetObjectItem(image, "kind")->valuestring, "app");
    assert_string_equal(cJSON_GetObjectItem(image, "url")->valuestring, "/files/garden.bin");
    cJSON_Delete(list);
    answer_free(&answer);
}

/* ------------------------------------------------------------------ hostile peers */

static void assert_alive(struct world *world)
{
    struct answer answer = client_get(world->port, "/files/ok", NULL);
    assert_int_equal(answer.status, 200);
    assert_body(&answer, (const uint8_t *)"ok", 2);
    answer_free(&answer);
}

static void test_paths_that_lead_out(void **state)
{
    struct world *world = *state;
    static const char *const paths[] = {
        "/files/../../../../etc/passwd",
        "/files/..%2f..%2f..%2fetc/passwd",
        "/files/%2e%2e/%2e%2e/etc/passwd",
        "/files//etc/passwd",
        "/files/%2fetc%2fpasswd",
        "/../../etc/passwd",
        "/files/..",
        "/files/.",
        "/files/",
        "/files/./ok",
        "/files/ok/",
        "/files/ok%2f..%2fok",
        "/files/..\\..\\ok",
        "/files/%c0%ae%c0%ae/ok",
        "/files/.hidden",
        "/files/%00",
        "/files/%ff",
        "/files/ok%20",
    };
    scratch_replace(&world->folder, "ok", "ok", 2);
    scratch_write(&world->folder, ".hidden", "secret", 6);
    wait_listed(world, "ok", 2);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        char request[256];
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                 paths[i]);
        struct answer answer = ask(world, request);
        if (answer.status != 404) {
            fail_msg("%s: %ld", paths[i], answer.status);
        }
        answer_free(&answer);
    }
    assert_alive(world);
}

static void test_long_requests(void **state)
{
    struct world *world = *state;
    static char request[200000];
    scratch_replace(&world->folder, "ok", "ok", 2);
    wait_listed(world, "ok", 2);

    size_t len = (size_t)snprintf(request, sizeof request, "GET /pull HTTP/1.1\r\nHost: x\r\nX: ");
    memset(request + len, 'a', 100000);
    memcpy(request + len + 100000, "\r\n\r\n", 4);
    struct answer answer = client_exchange(world->port, request, len + 100004);
    assert_true(answer.status == 431 || answer.status == 0);
    answer_free(&answer);

    memcpy(request, "GET /", 5);
    memset(request + 5, 'a', 100000);
    memcpy(request + 100005, " HTTP/1.1\r\n\r\n", 13);
    answer = client_exchange(world->port, request, 100018);
    assert_true(answer.status == 414 || answer.status == 0);
    answer_free(&answer);

    len = (size_t)snprintf(request, sizeof request, "GET /pull HTTP/1.1\r\n");
    for (int i = 0; i < 5000; i++) {
        len += (size_t)snprintf(request + len, sizeof request - len, "X-%d: y\r\n", i);
    }
    len += (size_t)snprintf(request + len, sizeof request - len, "\r\n");
    answer = client_exchange(world->port, request, len);
    assert_true(answer.status == 431 || answer.status == 0);
    answer_free(&answer);

    /* Within the limit: an answer of ours, of bounded length. */
    len = (size_t)snprintf(request, sizeof request,
                           "GET /pull HTTP/1.1\r\nHost: x\r\nConnection: close\r\nUser-Agent: ");
    memset(request + len, 'a', 8000);
    memcpy(request + len + 8000, "\r\n\r\n", 4);
    answer = client_exchange(world->port, request, len + 8004);
    assert_int_equal(answer.status, 403);
    assert_in_range(answer.len, 1, 512);
    answer_free(&answer);
    assert_alive(world);
}

static void test_odd_requests(void **state)
{
    struct world *world = *state;
    scratch_replace(&world->folder, "ok", "ok", 2);
    wait_listed(world, "ok", 2);
    static const struct {
        const char *request;
        long status;
    } rows[] = {
        {"POST /pull HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc",
         405},
        {"DELETE /files/ok HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 405},
        {"PUT /files/ok HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: "
         "chunked\r\n\r\n0\r\n\r\n",
         405},
        {"TRACE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 405},
        {"GET /files/ok HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody",
         200},
        {"GET /files/ok HTTP/1.0\r\n\r\n", 200},
        {"HEAD /files/ok HTTP/1.0\r\n\r\n", 200},
        {"get /files/ok HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 405},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct answer answer = ask(world, rows[i].request);
        if (answer.status != rows[i].status) {
            fail_msg("%s: %ld", rows[i].request, answer.status);
        }
        answer_free(&answer);
    }
    assert_alive(world);
}

/* Whatever these are answered, if at all, they end and the server lives. */
static void test_garbage(void **state)
{
    struct world *world = *state;
    scratch_replace(&world->folder, "ok", "ok", 2);
    wait_listed(world, "ok", 2);
    static const char *const garbage[] = {
        "\r\n\r\n\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        "GET\r\n\r\n",
        "GET  HTTP/1.1\r\n\r\n",
        "GET /files/ok HTTP/9.9\r\n\r\n",
        "GET /files/ok HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "GET /files/ok HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        "GET /files/ok HTTP/1.1\r\n: x\r\n\r\n",
        "GET /files/ok HTTP/1.1\r\nno colon\r\n\r\n",
    };
    int sockets[sizeof garbage / sizeof garbage[0]];
    for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
        sockets[i] = client_connect(world->port, 0);
        client_send(sockets[i], garbage[i], strlen(garbage[i]));
    }
    for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
        assert_true(client_waits_for_end(sockets[i], 20000));
        close(sockets[i]);
    }
    for (uint32_t i = 0; i < 200; i++) {
        uint8_t *bytes = scratch_noise(100 + i, 300);
        memcpy(bytes, "GET /", i % 2 == 0 ? 5 : 0);
        const int fd = client_connect(world->port, 0);
        client_send(fd, bytes, 300);
        close(fd);
        free(bytes);
    }
    assert_alive(world);
}

/* One byte at a time: the time-out for silence never comes, the deadline does. */
static void test_slow_request(void **state)
{
    struct world *world = *state;
    const int fd = client_connect(world->port, 0);
    static const char start[] = "GET / HTTP/1.1\r\nX: ";
    client_send(fd, start, sizeof start - 1);
    bool ended = false;
    for (int i = 0; i < 100 && !ended; i++) {
        client_send(fd, "a", 1);
        ended = client_waits_for_end(fd, 100);
    }
    assert_true(ended);
    close(fd);
}

static void test_silent_connection(void **state)
{
    struct world *world = *state;
    const int fd = client_connect(world->port, 0);
    assert_true(client_waits_for_end(fd, 10000));
    close(fd);
}

static void test_reader_that_stops(void **state)
{
    struct world *world = *state;
    uint8_t *bytes = put_noise(world, "big", 14, BIG);
    const int fd = begin_download(world, bytes, 1000);
    /* It reads nothing more: the log soon says that the answer broke off. */
    const struct server_request entry = wait_logged(world, 1);
    assert_false(entry.complete);
    assert_int_equal(entry.length, BIG);
    close(fd);
    free(bytes);
}

static void test_many_connections(void **state)
{
    struct world *world = *state;
    scratch_replace(&world->folder, "ok", "ok", 2);
    wait_listed(world, "ok", 2);
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    const size_t count = limit.rlim_cur > 4400 ? 2000 : (limit.rlim_cur - 400) / 2;
    int *sockets = calloc(count, sizeof *sockets);
    for (size_t i = 0; i < count; i++) {
        sockets[i] = client_connect(world->port, 0);
        assert_true(sockets[i] >= 0);
        client_send(sockets[i], "GET /files/ok HTTP/1.1\r\n", 24);
    }
    assert_alive(world);
    for (size_t i = 0; i < count; i++) {
        client_send(sockets[i], "Host: x\r\nConnection: close\r\n\r\n", 30);
    }
    size_t answered = 0;
    for (size_t i = 0; i < count; i++) {
        char start[13] = "";
        answered += client_read(sockets[i], start, 12) == 12 && strcmp(start, "HTTP/1.1 200") == 0;
        close(sockets[i]);
    }
    assert_int_equal(answered, count);
    free(sockets);
}

/* ------------------------------------------------------------------ life */

struct stopping {
    struct server *server;
    pthread_t thread;
};

static void *stop(void *context)
{
    struct stopping *stopping = context;
    server_stop(stopping->server, 30000);
    return NULL;
}

static void test_stop_lets_answers_end(void **state)
{
    struct world *world = *state;
    uint8_t *bytes = put_noise(world, "big", 15, BIG);
    uint8_t *got = malloc(BIG);
    const int fd = begin_download(world, got, 1000);
    struct stopping stopping = {.server = world->server};
    world->server = NULL;
    assert_int_equal(pthread_create(&stopping.thread, NULL, stop, &stopping), 0);
    int late = 0;
    while ((late = client_connect(world->port, 0)) >= 0) { /* until it listens no more */
        close(late);
    }
    assert_int_equal(client_read(fd, got + 1000, BIG - 1000), BIG - 1000);
    assert_memory_equal(got, bytes, BIG);
    assert_int_equal(pthread_join(stopping.thread, NULL), 0);
    assert_true(wait_logged(world, 1).complete);
    close(fd);
    free(got);
    free(bytes);
}

static void test_addresses(void **state)
{
    struct world *world = *state;
    char why[256] = "";
    struct server_options options = {.folder = world->folder.path,
                                     .address = "127.0.0.1",
                                     .port = world->port,
                                     .crypto = &ota_crypto_psa};
    assert_null(server_start(&options, why, sizeof why));
    assert_non_null(strstr(why, "Address already in use"));
    options.address = "example.org";
    assert_null(server_start(&options, why, sizeof why));
    assert_non_null(strstr(why, "example.org is no address"));
    options.address = "127.0.0.1";
    options.port = 0;
    options.folder = "/nowhere";
    assert_null(server_start(&options, why, sizeof why));
    assert_non_null(strstr(why, "/nowhere"));

    options.folder = world->folder.path;
    options.address = NULL;
    struct server *everywhere = server_start(&options, why, sizeof why);
    assert_non_null(everywhere);
    char expected[16];
    snprintf(expected, sizeof expected, ":%u", server_port(everywhere));
    assert_non_null(strstr(server_url(everywhere), expected));
    assert_null(strstr(server_url(everywhere), "0.0.0.0"));
    server_stop(everywhere, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define TEST_IMPATIENT(name) cmocka_unit_test_setup_teardown(name, set_up_impatient, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_whole_file),
        TEST(test_empty_file),
        TEST(test_ranges),
        TEST(test_conditions),
        TEST(test_parallel_downloads),
        TEST(test_curl_resumes),
        TEST(test_replaced_during_download),
        TEST(test_overwritten_during_download),
        TEST(test_esp8266),
        TEST(test_recorded_requests),
        TEST(test_esp32),
        TEST(test_not_an_updater),
        TEST(test_pages),
        TEST(test_paths_that_lead_out),
        TEST(test_long_requests),
        TEST(test_odd_requests),
        TEST_IMPATIENT(test_garbage),
        TEST_IMPATIENT(test_slow_request),
        TEST_IMPATIENT(test_silent_connection),
        TEST_IMPATIENT(test_reader_that_stops),
        TEST(test_many_connections),
        TEST(test_stop_lets_answers_end),
        TEST(test_addresses),
    };
    curl_global_init(CURL_GLOBAL_DEFAULT);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
