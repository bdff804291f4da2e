/* SPDX-License-Identifier: Apache-2.0 */

/* The server over loopback: downloads, whole and in parts, by a client of other people's. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <curl/curl.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "server/world.h"
#include "support/images.h"
#include "support/scratch.h"

static void test_whole_file(void **state)
{
    struct world *world = *state;
    scratch_replace(&world->folder, "abc.txt", "abc", 3);
    world_wait_listed(world, "abc.txt", 3);
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
    world_wait_listed(world, "empty", 0);
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
    uint8_t *bytes = world_put_noise(world, "f.bin", 3, size);
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
    uint8_t *bytes = world_put_noise(world, "f.bin", 4, 10000);
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
    bytes = world_put_noise(world, "f.bin", 5, 12000);
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
    uint8_t *bytes = world_put_noise(world, "f.bin", 6, size);
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
    uint8_t *bytes = world_put_noise(world, "f.bin", 8, size);
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

static void test_replaced_during_download(void **state)
{
    struct world *world = *state;
    uint8_t *bytes = world_put_noise(world, "big", 9, WORLD_BIG);
    uint8_t *got = malloc(WORLD_BIG);
    const int fd = world_begin_download(world, got, 10000);
    free(world_put_noise(world, "big", 10, 5000));
    assert_int_equal(client_read(fd, got + 10000, WORLD_BIG - 10000), WORLD_BIG - 10000);
    assert_memory_equal(got, bytes, WORLD_BIG);
    close(fd);
    const int second = world_begin_download(world, got, 5000);
    assert_memory_not_equal(got, bytes, 5000);
    close(second);
    free(got);
    free(bytes);
}

/* What is overwritten in place cannot stay whole: the download must then not look complete. */
static void test_overwritten_during_download(void **state)
{
    struct world *world = *state;
    uint8_t *bytes = world_put_noise(world, "big", 9, WORLD_BIG);
    uint8_t *other = scratch_noise(12, WORLD_BIG);
    uint8_t *got = malloc(WORLD_BIG);
    const int fd = world_begin_download(world, got, 10000);
    const int file = open(scratch_path(&world->folder, "big"), O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(file, other, WORLD_BIG, 0), WORLD_BIG);
    /* Read on only when the server has seen it; else this would race with the kernel. */
    struct catalog *catalog = server_catalog(world->server);
    for (bool listed = true; listed;) {
        struct catalog_snapshot *snapshot = catalog_take(catalog);
        listed = catalog_find(snapshot, "big") != NULL;
        const uint64_t generation = snapshot->generation;
        catalog_release(snapshot);
        assert_true(!listed || catalog_wait(catalog, generation, WORLD_WAIT_MS));
    }
    close(file);
    assert_true(client_read(fd, got, WORLD_BIG) < WORLD_BIG - 10000);
    close(fd);
    free(got);
    free(other);
    free(bytes);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_whole_file),
        TEST(test_empty_file),
        TEST(test_ranges),
        TEST(test_conditions),
        TEST(test_parallel_downloads),
        TEST(test_curl_resumes),
        TEST(test_replaced_during_download),
        TEST(test_overwritten_during_download),
    };
    curl_global_init(CURL_GLOBAL_DEFAULT);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
