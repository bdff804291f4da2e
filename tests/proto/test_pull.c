/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP pull: requests byte for byte, every answer. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/pull_bench.h"
#include "support/images.h"

/* ---- Requests -------------------------------------------------------------------------------- */

static void compare_with_vector(const struct bench *bench, const char *name)
{
    const char *folder = getenv("UPDRAFT_VECTORS");
    char path[1024], expected[1024];

    snprintf(path, sizeof path, "%s/arduino/http/%s", folder != NULL ? folder : UPDRAFT_VECTORS,
             name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        skip();
    }
    size_t len = fread(expected, 1, sizeof expected - 1, file);
    (void)fclose(file);
    expected[len] = '\0';
    assert_string_equal(bench->request, expected);
}

static void test_the_request_of_an_esp8266(void **state)
{
    struct bench *bench = *state;
    uint8_t md5[OTA_MD5_SIZE];

    assert_true(ota_text_read_hex("a56f8ef78a0bebd812f62067daf1408a", md5, sizeof md5));
    bench->facts = (struct ota_pull_facts){.chip_id = "11189196",
                                           .version = "DOOR-7-g14f53a19",
                                           .sdk_version = "1.3.0",
                                           .sta_mac = {0x18, 0xFE, 0xAA, 0xAA, 0xAA, 0xAA},
                                           .ap_mac = {0x1A, 0xFE, 0xAA, 0xAA, 0xAA, 0xAA},
                                           .free_space = 671744,
                                           .sketch_size = 373940,
                                           .chip_size = 4194304,
                                           .sketch_md5 = md5};
    bench->options.url = "http://192.168.0.2/esp/update/arduino.php";
    bench->options.dialect = &ota_pull_esp8266;
    bench_begin(bench);
    ota_pull_connected(&bench->pull);
    bench_take_request(bench);
    compare_with_vector(bench, "request-esp8266.http");
}

static void test_the_request_of_an_esp32(void **state)
{
    struct bench *bench = *state;
    uint8_t md5[OTA_MD5_SIZE], sha256[OTA_SHA256_SIZE];

    assert_true(ota_text_read_hex("d16dcda8e86f2bb80a68480a84db6460", md5, sizeof md5));
    assert_true(ota_text_read_hex(
        "8dffb149e1859bd81a0df868c868f7127257065ed234c8d58247c347d416d758", sha256, sizeof sha256));
    bench->facts = (struct ota_pull_facts){.chip = "esp32",
                                           .version = "0.0.1",
                                           .sdk_version = "v4.4.5",
                                           .sta_mac = {0x34, 0x85, 0x18, 0x41, 0xEB, 0x78},
                                           .ap_mac = {0x36, 0x85, 0x18, 0x41, 0xEB, 0x78},
                                           .free_space = 1310720,
                                           .sketch_size = 1006448,
                                           .chip_size = 8388608,
                                           .sketch_md5 = md5,
                                           .sketch_sha256 = sha256};
    bench->options.url = "http://192.168.0.105:8084/update";
    bench->options.dialect = &ota_pull_esp32;
    bench_begin(bench);
    ota_pull_connected(&bench->pull);
    bench_take_request(bench);
    compare_with_vector(bench, "request-esp32.http");
}

static void test_updrafts_own_request(void **state)
{
    struct bench *bench = *state;
    uint8_t md5[OTA_MD5_SIZE] = {0xAB};

    bench->facts.sketch_md5 = md5;
    bench->facts.sketch_size = 4711;
    bench->options.url = "http://me:secret@[fe80::1]:8266?a=b#c";
    bench_begin(bench);
    assert_string_equal(bench->pull.host, "fe80::1");
    assert_int_equal(bench->pull.port, 8266);
    ota_pull_connected(&bench->pull);
    bench_take_request(bench);
    assert_string_equal(bench->request, "GET /?a=b HTTP/1.1\r\n"
                                        "Host: [fe80::1]:8266\r\n"
                                        "User-Agent: Updraft-http-Update\r\n"
                                        "Authorization: Basic bWU6c2VjcmV0\r\n"
                                        "Connection: close\r\n"
                                        "Cache-Control: no-cache\r\n"
                                        "x-Updraft-Chip: esp32-s3\r\n"
                                        "x-Updraft-Project: test\r\n"
                                        "x-Updraft-STA-MAC: 02:00:00:00:00:01\r\n"
                                        "x-Updraft-free-space: 65536\r\n"
                                        "x-Updraft-sketch-size: 4711\r\n"
                                        "x-Updraft-sketch-md5: ab000000000000000000000000000000\r\n"
                                        "x-Updraft-chip-size: 327680\r\n"
                                        "x-Updraft-mode: sketch\r\n"
                                        "x-Updraft-version: 1.0.0\r\n"
                                        "\r\n");
}

/* How an image may be compressed is said in the one dialect that has a word for it; also by who goes
   on with a plain one, since the server may have another by now. */
static void test_what_it_unpacks(void **state)
{
    struct bench *bench = *state;
    static const struct ota_pull_dialect *const others[] = {&ota_pull_esp8266, &ota_pull_esp32};

    bench->facts.accept = "gzip";
    bench_interrupt(bench, 'e', 9000);
    assert_non_null(strstr(bench->request, "x-Updraft-version: 1.0.0\r\n"
                                           "x-Updraft-accept: gzip\r\n\r\n"));
    ota_pull_connected(&bench->pull);
    bench_take_request(bench);
    assert_non_null(strstr(bench->request, "x-Updraft-accept: gzip\r\nRange: bytes="));
    for (size_t i = 0; i < 2; i++) {
        bench->options.dialect = others[i];
        bench_begin(bench);
        ota_pull_connected(&bench->pull);
        bench_take_request(bench);
        assert_null(strstr(bench->request, "gzip"));
    }
}

/* Who has seen a compressed transfer break off would rather have a plain one. */
static void test_what_it_would_rather_have(void **state)
{
    struct bench *bench = *state;

    bench->facts.accept = "gzip";
    bench->options.prefer_plain = true;
    bench_begin(bench);
    ota_pull_connected(&bench->pull);
    bench_take_request(bench);
    assert_non_null(strstr(bench->request, "x-Updraft-accept: plain, gzip\r\n"));

    bench->options.prefer_plain = false;
    bench_interrupt(bench, 'e', 9000);
    assert_non_null(strstr(bench->request, "x-Updraft-accept: gzip\r\n"));
    bench_begin(bench);
    char head[512];
    bench_answer(bench, bench_whole(bench, head), bench->image, 9000);
    bench->update.is_compressed = true; /* as its unwrap would have found */
    bench_close_connection(bench);
    bench_wait_out(bench);
    ota_pull_connected(&bench->pull);
    bench_take_request(bench);
    assert_non_null(strstr(bench->request, "x-Updraft-accept: plain, gzip\r\n"));
}

static void test_what_cannot_be_asked(void **state)
{
    struct bench *bench = *state;
    const struct ota_pull_options good = bench->options;
    struct ota_pull_options wrong;
    char long_url[600] = "http://h/";
    char long_host[300] = "http://";

    memset(long_url + 9, 'x', sizeof long_url - 10);
    memset(long_host + 7, 'h', OTA_PULL_HOST_MAX + 1);

    static const char *const urls[] = {"", "ftp://h/", "https://h/", "http://a%zz@h/",
                                       "http://h:0/"};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        wrong = good;
        wrong.url = urls[i];
        assert_int_equal(ota_pull_begin(&bench->pull, &wrong, 0), OTA_ERR_URL);
    }
    wrong = good;
    wrong.url = long_url;
    assert_int_equal(ota_pull_begin(&bench->pull, &wrong, 0), OTA_ERR_URL);
    wrong.url = long_host;
    assert_int_equal(ota_pull_begin(&bench->pull, &wrong, 0), OTA_ERR_URL);

    wrong = good;
    wrong.url = NULL;
    assert_int_equal(ota_pull_begin(&bench->pull, &wrong, 0), OTA_ERR_ARGUMENT);
    wrong = good;
    wrong.facts = NULL;
    assert_int_equal(ota_pull_begin(&bench->pull, &wrong, 0), OTA_ERR_ARGUMENT);
    wrong = good;
    wrong.text_size = OTA_PULL_TEXT_MIN - 1;
    assert_int_equal(ota_pull_begin(&bench->pull, &wrong, 0), OTA_ERR_ARGUMENT);
    wrong = good;
    wrong.update = NULL;
    assert_int_equal(ota_pull_begin(&bench->pull, &wrong, 0), OTA_ERR_ARGUMENT);
    wrong = good;
    wrong.mode = (enum ota_pull_mode)3;
    assert_int_equal(ota_pull_begin(&bench->pull, &wrong, 0), OTA_ERR_ARGUMENT);
    bench->facts.version = "1.0\r\nEvil: yes";
    assert_int_equal(ota_pull_begin(&bench->pull, &good, 0), OTA_ERR_ARGUMENT);
    bench->facts.version = NULL;
    assert_int_equal(ota_pull_begin(&bench->pull, &good, 0), OTA_OK);
    /* Calls out of turn do nothing. */
    ota_pull_input(&bench->pull, "x", 1);
    ota_pull_sent(&bench->pull, 1);
    assert_int_equal(ota_pull_output(&bench->pull, long_url, 10), 0);
    assert_int_equal(bench->pull.state, OTA_PULL_CONNECTING);
}

/* ---- Every answer ---------------------------------------------------------------------------- */

#define MD5_OF_NOTHING "x-MD5: d41d8cd98f00b204e9800998ecf8427e\r\n"

/* Heads that end the pull, or put it off, before any byte of an image is taken. */
static const struct head_case {
    const char *head;
    enum ota_pull_state state;
    enum ota_pull_result result;
    enum ota_err err;
} heads[] = {
    {"304 Not Modified\r\n\r\nFile not modified\n", OTA_PULL_DONE, OTA_PULL_CURRENT, OTA_OK},
    {"304 Not Modified\r\nContent-Length: 99\r\nETag: \"x\"\r\n\r\n", OTA_PULL_DONE,
     OTA_PULL_CURRENT, OTA_OK},
    {"401 Unauthorized\r\nWWW-Authenticate: Basic\r\n\r\n", OTA_PULL_DONE, OTA_PULL_FAILED,
     OTA_ERR_HTTP_CREDENTIALS},
    {"403 Forbidden\r\n\r\n", OTA_PULL_DONE, OTA_PULL_FAILED, OTA_ERR_HTTP_FORBIDDEN},
    {"404 File not found\r\n\r\n", OTA_PULL_DONE, OTA_PULL_FAILED, OTA_ERR_HTTP_NOT_FOUND},
    {"416 Range\r\n\r\n", OTA_PULL_DONE, OTA_PULL_FAILED, OTA_ERR_HTTP_RANGE},
    {"206 Partial\r\nContent-Range: bytes 0-9/10\r\nContent-Length: 10\r\n\r\n", OTA_PULL_DONE,
     OTA_PULL_FAILED, OTA_ERR_HTTP_RANGE},
    {"201 Created\r\n\r\n", OTA_PULL_DONE, OTA_PULL_FAILED, OTA_ERR_HTTP_STATUS},
    {"204 No Content\r\n\r\n", OTA_PULL_DONE, OTA_PULL_FAILED, OTA_ERR_HTTP_STATUS},
    {"300 Choices\r\nLocation: /x\r\n\r\n", OTA_PULL_DONE, OTA_PULL_FAILED, OTA_ERR_HTTP_STATUS},
    {"305 Proxy\r\nLocation: /x\r\n\r\n", OTA_PULL_DONE, OTA_PULL_FAILED, OTA_ERR_HTTP_STATUS},
    {"400 Bad\r\n\r\n", OTA_PULL_DONE, OTA_PULL_FAILED, OTA_ERR_HTTP_STATUS},
    {"418 Teapot\r\n\r\n", OTA_PULL_DONE, OTA_PULL_FAILED, OTA_ERR_HTTP_STATUS},
    {"600 Strange\r\n\r\n", OTA_PULL_DONE, OTA_PULL_FAILED, OTA_ERR_HTTP_STATUS},
    {"408 Timeout\r\n\r\n", OTA_PULL_WAITING, OTA_PULL_UNDECIDED, OTA_ERR_HTTP_STATUS},
    {"429 Slowly\r\n\r\n", OTA_PULL_WAITING, OTA_PULL_UNDECIDED, OTA_ERR_HTTP_STATUS},
    {"500 Error\r\nContent-Length: 5\r\n\r\noops!", OTA_PULL_WAITING, OTA_PULL_UNDECIDED,
     OTA_ERR_HTTP_STATUS},
    {"503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", OTA_PULL_WAITING,
     OTA_PULL_UNDECIDED, OTA_ERR_HTTP_STATUS},
    {"301 Moved\r\nLocation: /x\r\n\r\n", OTA_PULL_CONNECTING, OTA_PULL_UNDECIDED, OTA_OK},
    {"302 Found\r\nLocation: /x\r\n\r\n", OTA_PULL_CONNECTING, OTA_PULL_UNDECIDED, OTA_OK},
    {"303 See\r\nLocation: /x\r\n\r\n", OTA_PULL_CONNECTING, OTA_PULL_UNDECIDED, OTA_OK},
    {"307 Moved\r\nLocation: /x\r\n\r\n", OTA_PULL_CONNECTING, OTA_PULL_UNDECIDED, OTA_OK},
    {"308 Moved\r\nLocation: /x\r\n\r\n", OTA_PULL_CONNECTING, OTA_PULL_UNDECIDED, OTA_OK},
    {"302 Found\r\n\r\n", OTA_PULL_DONE, OTA_PULL_FAILED, OTA_ERR_HTTP_REDIRECT},
    {"302 Found\r\nLocation: https://h/\r\n\r\n", OTA_PULL_DONE, OTA_PULL_FAILED,
     OTA_ERR_HTTP_REDIRECT},
    {"302 Found\r\nLocation: ftp://h/\r\n\r\n", OTA_PULL_DONE, OTA_PULL_FAILED,
     OTA_ERR_HTTP_REDIRECT},
    {"302 Found\r\nLocation: http://\r\n\r\n", OTA_PULL_DONE, OTA_PULL_FAILED,
     OTA_ERR_HTTP_REDIRECT},
    {"302 Found\r\nLocation: /x\r\nLocation: /y\r\n\r\n", OTA_PULL_DONE, OTA_PULL_FAILED,
     OTA_ERR_HTTP_HEADER},
    {"200 OK\r\n" MD5_OF_NOTHING "\r\n", OTA_PULL_DONE, OTA_PULL_FAILED, OTA_ERR_HTTP_NO_LENGTH},
    {"200 OK\r\nContent-Length: 0\r\n" MD5_OF_NOTHING "\r\n", OTA_PULL_DONE, OTA_PULL_FAILED,
     OTA_ERR_HTTP_NO_LENGTH},
    {"200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", OTA_PULL_DONE, OTA_PULL_FAILED,
     OTA_ERR_HTTP_NO_LENGTH},
    {"200 OK\r\nContent-Length: 1000\r\n" MD5_OF_NOTHING MD5_OF_NOTHING "\r\n", OTA_PULL_DONE,
     OTA_PULL_FAILED, OTA_ERR_HTTP_HEADER},
    {"200 OK\r\nContent-Length: 1000\r\nx-MD5: d41d8cd98f00b204\r\n\r\n", OTA_PULL_DONE,
     OTA_PULL_FAILED, OTA_ERR_HTTP_HEADER},
    {"200 OK\r\nContent-Length: 1000\r\nx-SHA256: d41d8cd98f00b204\r\n\r\n", OTA_PULL_DONE,
     OTA_PULL_FAILED, OTA_ERR_HTTP_HEADER},
    {"200 OK\r\nContent-Length: 1000\r\nContent-Encoding: gzip\r\n\r\n", OTA_PULL_DONE,
     OTA_PULL_FAILED, OTA_ERR_HTTP_HEADER},
    {"200 OK\r\nContent-Length: 65537\r\n\r\n", OTA_PULL_DONE, OTA_PULL_FAILED, OTA_ERR_TOO_LARGE},
    {"200 OK\r\nContent-Length: 5000000000\r\n\r\n", OTA_PULL_DONE, OTA_PULL_FAILED,
     OTA_ERR_TOO_LARGE},
};

static void test_every_answer(void **state)
{
    struct bench *bench = *state;
    uint8_t *before = malloc(RAM_DEVICE_SIZE);

    memcpy(before, bench->ram.memory, RAM_DEVICE_SIZE);
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        for (bench->step = 0; bench->step < 3; bench->step++) {
            char head[512];
            bench_format(head, sizeof head, "HTTP/1.1 %s", heads[i].head);
            bench_begin(bench);
            bench_answer(bench, head, NULL, 0);
            bench_close_connection(bench);
            if (bench->pull.state != heads[i].state) {
                print_message("%s\n", head);
            }
            assert_int_equal(bench->pull.state, heads[i].state);
            assert_int_equal(bench->pull.result, heads[i].result);
            assert_int_equal(bench->pull.failure.err, heads[i].err);
            assert_int_not_equal(bench->update.state, OTA_UPDATE_RECEIVING);
            assert_memory_equal(before, bench->ram.memory, RAM_DEVICE_SIZE);
        }
    }
    free(before);
}

static void test_an_update(void **state)
{
    struct bench *bench = *state;
    char head[512];

    bench_begin(bench);
    bench_answer(bench, bench_whole(bench, head), bench->image, bench->image_len);
    assert_int_equal(bench->pull.state, OTA_PULL_SETTLING);
    bench_close_connection(bench);
    bench_assert_updated(bench);
    assert_string_equal(bench->events, "");
    assert_int_equal(ota_update_activate(&bench->update), OTA_OK);
}

static void test_a_server_that_does_not_close(void **state)
{
    struct bench *bench = *state;
    char head[512];

    bench_begin(bench);
    bench_answer(bench, bench_whole(bench, head), bench->image, bench->image_len);
    ota_pull_tick(&bench->pull, bench->now + OTA_PULL_LINGER_MS - 1);
    assert_int_equal(bench->pull.state, OTA_PULL_SETTLING);
    assert_int_equal(ota_pull_wait_ms(&bench->pull), 1);
    ota_pull_tick(&bench->pull, bench->now + OTA_PULL_LINGER_MS);
    bench_assert_updated(bench);
}

/* Every cut of a whole answer in two, and byte by byte. */
static void test_an_update_however_it_is_cut(void **state)
{
    struct bench *bench = *state;
    char stream[1024];
    char head[512];

    bench_make_image(bench, IMAGE_SIZE_MIN);
    size_t head_len = strlen(bench_whole(bench, head));
    size_t len = head_len + bench->image_len;
    memcpy(stream, head, head_len);
    memcpy(stream + head_len, bench->image, bench->image_len);
    for (size_t cut = 0; cut <= len; cut++) {
        bench_begin(bench);
        ota_pull_connected(&bench->pull);
        bench_take_request(bench);
        bench_feed(bench, stream, cut, cut == len ? 1 : 0);
        bench_feed(bench, stream + cut, len - cut, 0);
        bench_close_connection(bench);
        bench_assert_updated(bench);
        memset(bench->ram.memory + RAM_OTA_0, 0xFF, RAM_SLOT_SIZE);
    }
}

static void test_a_body_longer_than_announced(void **state)
{
    struct bench *bench = *state;
    char head[512];

    bench_make_image(bench, IMAGE_SIZE_MIN);
    for (bench->step = 0; bench->step < 3; bench->step++) {
        bench_begin(bench);
        bench_answer(bench, bench_whole(bench, head), bench->image, bench->image_len + 1);
        bench_assert_failed(bench, OTA_ERR_TOO_LARGE);
        assert_int_equal(ota_update_activate(&bench->update), OTA_ERR_STATE);
    }
}

/* What came before the surplus is not to be gone on from. */
static void test_a_body_longer_than_announced_leaves_no_journal(void **state)
{
    struct bench *bench = *state;
    struct ota_identity identity;
    uint32_t size, offset;
    char head[512];

    bench_begin(bench);
    bench_answer(bench, bench_whole(bench, head), bench->image, bench->image_len + 1);
    bench_assert_failed(bench, OTA_ERR_TOO_LARGE);
    assert_int_equal(ota_update_pending(&bench->ram.device, NULL, &identity, &size, &offset),
                     OTA_ERR_NO_DATA);
    /* The journal's sector is blank. */
    for (size_t i = RAM_SLOT_SIZE - 4096; i < RAM_SLOT_SIZE; i++) {
        assert_int_equal(bench->ram.memory[RAM_OTA_0 + i], 0xFF);
    }
}

/* A redirect that comes before the request is out: the rest of the old request is not sent, least
   of all with the new URL in it. */
static void test_an_answer_that_overtakes_the_request(void **state)
{
    struct bench *bench = *state;
    static const char head[] = "HTTP/1.1 302 Found\r\nLocation: http://other/file\r\nX: ";
    char piece[20];

    bench_begin(bench);
    ota_pull_connected(&bench->pull);
    assert_int_equal(ota_pull_output(&bench->pull, piece, sizeof piece), sizeof piece);
    ota_pull_sent(&bench->pull, sizeof piece);
    bench_feed(bench, head, sizeof head - 1, 0);
    assert_int_equal(bench->pull.state, OTA_PULL_EXCHANGING);
    assert_int_equal(ota_pull_output(&bench->pull, piece, sizeof piece), 0);
    bench_feed(bench, "y\r\n\r\n", 5, 0);
    assert_int_equal(bench->pull.state, OTA_PULL_CONNECTING);
}

static void test_a_body_that_is_not_what_its_digest_says(void **state)
{
    struct bench *bench = *state;
    char head[512];

    bench_begin(bench);
    bench_answer(bench, bench_whole(bench, head), bench->other, bench->other_len);
    bench_close_connection(bench);
    bench_assert_failed(bench, OTA_ERR_DIGEST);

    bench_begin(bench);
    bench_format(head, sizeof head,
                 "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nx-SHA256: %s\r\nx-MD5: %s\r\n\r\n",
                 bench->image_len, bench->other_sha256, bench->md5);
    bench_answer(bench, head, bench->image, bench->image_len);
    bench_close_connection(bench);
    bench_assert_failed(bench, OTA_ERR_DIGEST);
}

static void test_a_body_that_is_no_image(void **state)
{
    struct bench *bench = *state;
    static const char page[] = "<html>Log in to the hotel's network</html>";
    char head[512];

    bench_begin(bench);
    bench_answer(bench,
                 bench_format(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
                              sizeof page - 1),
                 page, sizeof page - 1);
    bench_assert_failed(bench, OTA_ERR_IMAGE_MAGIC);
}

static void test_the_digest_that_the_caller_expects(void **state)
{
    struct bench *bench = *state;
    struct ota_digest *expected = &bench->options.update_options.expected;
    char head[512];

    expected->algorithm = OTA_HASH_MD5;
    assert_true(ota_text_read_hex(bench->md5, expected->bytes, OTA_MD5_SIZE));
    bench_begin(bench);
    bench_format(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nx-MD5: %s\r\n\r\n",
                 bench->other_len, bench->other_md5);
    bench_answer(bench, head, NULL, 0);
    bench_assert_failed(bench, OTA_ERR_DIGEST);

    expected->algorithm = OTA_HASH_SHA256;
    assert_true(ota_text_read_hex(bench->sha256, expected->bytes, OTA_SHA256_SIZE));
    bench_begin(bench);
    bench_answer(bench, bench_whole(bench, head), bench->image, bench->image_len);
    bench_close_connection(bench);
    bench_assert_updated(bench);
}

static void test_an_offer_declined(void **state)
{
    struct bench *bench = *state;
    char head[512];

    bench->offer_answer = OTA_ERR_ABORTED;
    bench_begin(bench);
    bench_answer(bench, bench_whole(bench, head), NULL, 0);
    assert_int_equal(bench->pull.state, OTA_PULL_DONE);
    assert_int_equal(bench->pull.result, OTA_PULL_DECLINED);
    assert_int_equal(bench->pull.offer.size, bench->image_len);
    assert_int_equal(bench->update.state, OTA_UPDATE_IDLE);
}

static void test_asking_for_the_version(void **state)
{
    struct bench *bench = *state;

    bench->options.mode = OTA_PULL_VERSION;
    bench->options.update = NULL;
    bench_begin(bench);
    bench_answer(bench, "HTTP/1.1 200 OK\r\nx-version: 2.0-rc1\r\n" MD5_OF_NOTHING "\r\n", NULL, 0);
    assert_non_null(strstr(bench->request, "x-Updraft-mode: version\r\n"));
    assert_int_equal(bench->pull.result, OTA_PULL_ANSWERED);
    assert_string_equal(bench->pull.offer.version, "2.0-rc1");

    bench_begin(bench);
    bench_answer(bench, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", NULL, 0);
    assert_int_equal(bench->pull.result, OTA_PULL_FAILED);
    assert_int_equal(bench->pull.failure.err, OTA_ERR_HTTP_HEADER);
    bench_begin(bench);
    bench_answer(bench, "HTTP/1.1 304 Not Modified\r\n\r\n", NULL, 0);
    assert_int_equal(bench->pull.result, OTA_PULL_CURRENT);
}

static void test_a_file_system(void **state)
{
    struct bench *bench = *state;
    char head[512];

    bench->options.mode = OTA_PULL_FILE_SYSTEM;
    bench->options.update_options.label = "storage";
    memset(bench->image, 'f', 5000);
    bench_begin(bench);
    bench_answer(bench, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", bench->image, 5000);
    bench_close_connection(bench);
    assert_non_null(strstr(bench->request, "x-Updraft-mode: spiffs\r\n"));
    assert_int_equal(bench->pull.result, OTA_PULL_UPDATED);
    assert_memory_equal(bench->ram.memory + RAM_STORAGE, bench->image, 5000);

    bench_begin(bench);
    bench_answer(bench,
                 bench_format(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %u\r\n\r\n",
                              RAM_STORAGE_SIZE + 1),
                 NULL, 0);
    bench_assert_failed(bench, OTA_ERR_TOO_LARGE);
}

#define TEST(function) cmocka_unit_test_setup(function, bench_fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_request_of_an_esp8266),
        TEST(test_the_request_of_an_esp32),
        TEST(test_updrafts_own_request),
        TEST(test_what_it_unpacks),
        TEST(test_what_it_would_rather_have),
        TEST(test_what_cannot_be_asked),
        TEST(test_every_answer),
        TEST(test_an_update),
        TEST(test_a_server_that_does_not_close),
        TEST(test_an_update_however_it_is_cut),
        TEST(test_a_body_longer_than_announced),
        TEST(test_a_body_longer_than_announced_leaves_no_journal),
        TEST(test_an_answer_that_overtakes_the_request),
        TEST(test_a_body_that_is_not_what_its_digest_says),
        TEST(test_a_body_that_is_no_image),
        TEST(test_the_digest_that_the_caller_expects),
        TEST(test_an_offer_declined),
        TEST(test_asking_for_the_version),
        TEST(test_a_file_system),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
