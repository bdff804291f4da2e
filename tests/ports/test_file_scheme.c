/* SPDX-License-Identifier: Apache-2.0 */
/* Files, pipes and the standard input as sources of updates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "posix/file_scheme.h"
#include "posix/platform.h"
#include "posix/watch.h"
#include "support/scratch.h"

static struct scratch scratch;
static struct posix_platform platform;
static struct file_scheme files;
static struct stdin_scheme input;
static struct file_mount mount;
static char logged[1024];

static void log_line(struct ota_platform *self, enum ota_log_level level, const char *tag,
                     const char *text)
{
    (void)self;
    assert_int_equal(level, OTA_LOG_ERROR);
    (void)snprintf(logged, sizeof logged, "%s: %s", tag, text);
}

static int set_up(void **state)
{
    (void)state;
    scratch_make(&scratch);
    platform_init(&platform);
    platform.platform.log = log_line;
    mount = (struct file_mount){.name = "sdcard", .directory = scratch.path};
    stdin_scheme_init(&input, NULL);
    file_scheme_init(&files, &mount, 1, &input.scheme);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(platform.watch_count, 0);
    platform_close(&platform);
    scratch_remove(&scratch);
    return 0;
}

static enum ota_err open_uri(const char *uri, uint32_t offset, struct ota_fetch **fetch)
{
    logged[0] = '\0';
    return ota_fetch_open(&files.scheme, &platform.platform,
                          &(struct ota_fetch_request){.uri = uri, .offset = offset}, fetch);
}

/* Reads to the end, waiting as the platform waits. */
static enum ota_err read_all(struct ota_fetch *fetch, char *text, size_t size, size_t piece)
{
    bool ended = false;
    size_t at = 0;
    enum ota_err err = OTA_OK;

    while (err == OTA_OK && !ended) {
        size_t len;
        assert_true(at + piece < size);
        err = fetch->read(fetch, text + at, piece, &len, &ended);
        at += len;
        if (err == OTA_OK && len == 0 && !ended) {
            platform.platform.wait(&platform.platform, 10000);
        }
    }
    text[at] = '\0';
    return err;
}

static void assert_reads(const char *uri, uint32_t offset, uint32_t size, const char *expected)
{
    struct ota_fetch *fetch;
    char text[256];

    for (size_t piece = 1; piece < 8; piece++) {
        assert_int_equal(open_uri(uri, offset, &fetch), OTA_OK);
        assert_int_equal(fetch->size, size);
        assert_int_equal(read_all(fetch, text, sizeof text, piece), OTA_OK);
        assert_string_equal(text, expected);
        fetch->close(fetch);
    }
}

static void assert_fails(const char *uri, uint32_t offset, enum ota_err err, const char *why)
{
    struct ota_fetch *fetch;

    assert_int_equal(open_uri(uri, offset, &fetch), err);
    assert_null(fetch);
    if (strstr(logged, why) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", why, logged);
    }
}

static const char *uri_of(const char *name)
{
    static char uri[512];

    (void)snprintf(uri, sizeof uri, "file://%s", scratch_path(&scratch, name));
    return uri;
}

static void test_files(void **state)
{
    (void)state;
    scratch_write(&scratch, "a.bin", "0123456789", 10);
    assert_reads("file://sdcard/a.bin", 0, 10, "0123456789");
    assert_reads("FILE://sdcard//a.bin", 0, 10, "0123456789");
    assert_reads(uri_of("a.bin"), 0, 10, "0123456789");
    assert_reads("file://sdcard/a.bin", 4, 10, "456789");
    assert_reads("file://sdcard/a.bin", 10, 10, "");
    scratch_write(&scratch, "empty", "", 0);
    assert_reads("file://sdcard/empty", 0, 0, "");
}

static void test_local_host(void **state)
{
    char uri[512];

    (void)state;
    scratch_write(&scratch, "a.bin", "x", 1);
    (void)snprintf(uri, sizeof uri, "file://localhost%s", scratch_path(&scratch, "a.bin"));
    assert_reads(uri, 0, 1, "x");
    (void)snprintf(uri, sizeof uri, "file:%s", scratch_path(&scratch, "a.bin"));
    assert_reads(uri, 0, 1, "x");
}

static void test_what_is_no_file(void **state)
{
    (void)state;
    scratch_write(&scratch, "a.bin", "0123", 4);
    assert_fails("file://sdcard/none", 0, OTA_ERR_SOURCE, "No such file or directory");
    assert_fails("file://sdcard/.", 0, OTA_ERR_SOURCE, "is a folder");
    assert_fails("file://sdcard/a.bin", 5, OTA_ERR_SOURCE, "is shorter than");
    assert_fails("file://usb/a.bin", 0, OTA_ERR_URL, "no folder is mounted under that name");
    assert_fails("file://sdcard", 0, OTA_ERR_URL, "there is no path in it");
    assert_fails("file://sdcard/", 0, OTA_ERR_URL, "there is no path in it");
    assert_fails("file:a.bin", 0, OTA_ERR_URL, "there is no path in it");
    assert_fails("file://", 0, OTA_ERR_URL, "there is no path in it");
}

static void test_mounts_are_not_left(void **state)
{
    static const char *const uris[] = {
        "file://sdcard/../etc/passwd", "file://sdcard/..",    "file://sdcard/a/../../b",
        "file://sdcard/a/..",          "file://sdcard//../a",
    };

    (void)state;
    for (size_t i = 0; i < sizeof uris / sizeof *uris; i++) {
        assert_fails(uris[i], 0, OTA_ERR_URL, "leads out of the mounted folder");
    }
    scratch_write(&scratch, "..a..b", "x", 1); /* only looks like it */
    assert_reads("file://sdcard/..a..b", 0, 1, "x");
}

static void test_long_path(void **state)
{
    static char uri[6000] = "file:///";

    (void)state;
    memset(uri + 8, 'a', sizeof uri - 9);
    assert_fails(uri, 0, OTA_ERR_URL, "the path is too long");
}

/* What is cut short while it is read is no end. */
static void test_file_that_shrinks(void **state)
{
    struct ota_fetch *fetch;
    char text[64];

    (void)state;
    scratch_write(&scratch, "a.bin", "0123456789", 10);
    assert_int_equal(open_uri("file://sdcard/a.bin", 0, &fetch), OTA_OK);
    assert_int_equal(truncate(scratch_path(&scratch, "a.bin"), 6), 0);
    assert_int_equal(read_all(fetch, text, sizeof text, 4), OTA_ERR_INCOMPLETE);
    assert_string_equal(text, "012345");
    fetch->close(fetch);
}

static void test_file_that_grows(void **state)
{
    struct ota_fetch *fetch;
    char text[64];

    (void)state;
    scratch_write(&scratch, "a.bin", "0123", 4);
    assert_int_equal(open_uri("file://sdcard/a.bin", 0, &fetch), OTA_OK);
    FILE *stream = fopen(scratch_path(&scratch, "a.bin"), "a");
    assert_non_null(stream);
    (void)fputs("more", stream);
    (void)fclose(stream);
    assert_int_equal(read_all(fetch, text, sizeof text, 3), OTA_OK);
    assert_string_equal(text, "0123");
    fetch->close(fetch);
}

/* ---- What makes one wait --------------------------------------------------------------------- */

static void test_pipe(void **state)
{
    struct ota_fetch *fetch;
    char text[64];
    size_t len;
    bool ended;

    (void)state;
    assert_int_equal(mkfifo(scratch_path(&scratch, "pipe"), 0600), 0);
    assert_fails("file://sdcard/pipe", 1, OTA_ERR_SOURCE, "cannot be read from the middle");
    assert_int_equal(open_uri("file://sdcard/pipe", 0, &fetch), OTA_OK);
    assert_int_equal(fetch->size, OTA_SIZE_UNKNOWN);
    assert_int_equal(platform.watch_count, 1);
    FILE *writer = fopen(scratch_path(&scratch, "pipe"), "w");
    assert_non_null(writer);
    assert_int_equal(fetch->read(fetch, text, sizeof text, &len, &ended), OTA_OK);
    assert_int_equal(len, 0); /* nothing there, and no end */
    assert_false(ended);
    (void)fputs("through a pipe", writer);
    (void)fflush(writer);
    platform.platform.wait(&platform.platform, 10000);
    assert_int_equal(fetch->read(fetch, text, sizeof text, &len, &ended), OTA_OK);
    assert_int_equal(len, 14);
    assert_false(ended);
    (void)fclose(writer);
    assert_int_equal(read_all(fetch, text, sizeof text, 8), OTA_OK);
    assert_string_equal(text, "");
    fetch->close(fetch);
}

/* Runs `test` with the standard input replaced by a descriptor. */
static void with_input(int descriptor, void (*test)(void))
{
    int kept = dup(STDIN_FILENO);

    assert_true(dup2(descriptor, STDIN_FILENO) >= 0);
    close(descriptor);
    test();
    if (kept >= 0) {
        assert_true(dup2(kept, STDIN_FILENO) >= 0);
        close(kept);
    }
}

/* Opens the standard input, reads some of it and leaves it. */
static void begin_input(uint32_t size, const char *expected)
{
    struct ota_fetch *fetch;
    char text[64];
    size_t at = 0;

    assert_int_equal(open_uri("stdin:", 0, &fetch), OTA_OK);
    assert_int_equal(fetch->size, size);
    while (at < strlen(expected)) {
        size_t len;
        bool ended;
        assert_int_equal(fetch->read(fetch, text + at, strlen(expected) - at, &len, &ended),
                         OTA_OK);
        at += len;
    }
    assert_memory_equal(text, expected, at);
    fetch->close(fetch);
}

/* What was held, and had begun with it, has all of it; what was said to be used is gone. */
static void read_piped_input(void)
{
    struct ota_fetch *fetch;
    char text[64];

    begin_input(OTA_SIZE_UNKNOWN, "pi");
    begin_input(OTA_SIZE_UNKNOWN, "piped");
    begin_input(OTA_SIZE_UNKNOWN, "p");
    for (size_t piece = 1; piece < 9; piece++) {
        assert_int_equal(open_uri("stdin:", 0, &fetch), OTA_OK);
        assert_int_equal(fetch->size, OTA_SIZE_UNKNOWN);
        assert_int_equal(read_all(fetch, text, sizeof text, piece), OTA_OK);
        assert_string_equal(text, "piped in");
        fetch->close(fetch);
    }
    assert_fails("stdin:", 1, OTA_ERR_SOURCE, "cannot be read from the middle");
    input.was_read = true;
    assert_fails("stdin:", 0, OTA_ERR_SOURCE, "was read before, and comes only once");
}

/* So much is not kept. */
static void read_much_input(void)
{
    static char text[STDIN_SCHEME_KEPT + 64];
    static char expected[STDIN_SCHEME_KEPT + 2];
    struct ota_fetch *fetch;

    memset(expected, 'x', sizeof expected - 1);
    begin_input(OTA_SIZE_UNKNOWN, "xxx");
    assert_int_equal(open_uri("stdin:", 0, &fetch), OTA_OK);
    assert_int_equal(read_all(fetch, text, sizeof text, 32), OTA_OK);
    assert_string_equal(text, expected);
    fetch->close(fetch);
    assert_fails("stdin:", 0, OTA_ERR_SOURCE, "was read before, and comes only once");
}

static void test_much_piped_input(void **state)
{
    char much[STDIN_SCHEME_KEPT + 1];
    int ends[2];

    (void)state;
    memset(much, 'x', sizeof much);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], much, sizeof much), sizeof much);
    close(ends[1]);
    with_input(ends[0], read_much_input);
}

static void test_piped_input(void **state)
{
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "piped in", 8), 8);
    close(ends[1]);
    with_input(ends[0], read_piped_input);
}

static void read_input_from_a_file(void)
{
    struct ota_fetch *fetch;
    char text[64];

    assert_int_equal(read(STDIN_FILENO, text, 3), 3); /* by whoever came before */
    begin_input(7, "34");
    begin_input(7, "34567");
    assert_int_equal(open_uri("STDIN:", 0, &fetch), OTA_OK);
    assert_int_equal(fetch->size, 7);
    assert_int_equal(read_all(fetch, text, sizeof text, 4), OTA_OK);
    assert_string_equal(text, "3456789");
    fetch->close(fetch);
    assert_int_equal(open_uri("stdin:", 4, &fetch), OTA_OK);
    assert_int_equal(read_all(fetch, text, sizeof text, 4), OTA_OK);
    assert_string_equal(text, "789");
    fetch->close(fetch);
    assert_fails("stdin:", 0, OTA_ERR_SOURCE, "was read before, and comes only once");
}

static void test_input_from_a_file(void **state)
{
    (void)state;
    scratch_write(&scratch, "a.bin", "0123456789", 10);
    FILE *stream = fopen(scratch_path(&scratch, "a.bin"), "r");
    assert_non_null(stream);
    with_input(dup(fileno(stream)), read_input_from_a_file);
    (void)fclose(stream);
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        FRESH(test_files),
        FRESH(test_local_host),
        FRESH(test_what_is_no_file),
        FRESH(test_mounts_are_not_left),
        FRESH(test_long_path),
        FRESH(test_file_that_shrinks),
        FRESH(test_file_that_grows),
        FRESH(test_pipe),
        FRESH(test_piped_input),
        FRESH(test_much_piped_input),
        FRESH(test_input_from_a_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
