/* SPDX-License-Identifier: Apache-2.0 */

/* The server over loopback: the requests of the chips' own updaters, and the pages for people and
   programs. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <curl/curl.h>
#include <cjson/cJSON.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include <updraft/chip.h>

#include "server/world.h"
#include "support/scratch.h"

static size_t put_image(struct world *world, const char *name, uint16_t chip, const char *project,
                        const char *version)
{
    struct stat status;
    scratch_image(&world->folder, name, chip, project, version, 50000);
    assert_int_equal(stat(scratch_path(&world->folder, name), &status), 0);
    world_wait_listed(world, name, (size_t)status.st_size);
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
    world_wait_listed(world, name, sizeof image);
}

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

static void test_esp8266(void **state)
{
    struct world *world = *state;
    static const char sketch[] = "GET /esp/update/arduino.php HTTP/1.0\r\n" ESP8266_HEADERS
                                 "x-ESP8266-mode: sketch\r\nx-ESP8266-version: DOOR-7-g14f53a19\r\n"
                                 "Content-Length: 0\r\n\r\n";
    struct answer answer = world_ask(world, sketch);
    assert_int_equal(answer.status, 404);
    assert_string_equal((char *)answer.body, "no app for esp8266 here\n");
    assert_header(&answer, "Content-Type", "text/plain; charset=utf-8");
    answer_free(&answer);

    put_esp8266(world, "door-1.2.0.bin");
    answer = world_ask(world, sketch);
    assert_int_equal(answer.status, 200);
    assert_int_equal(answer.len, 64);
    assert_false(answer.broken);
    assert_header(&answer, "x-version", "1.2.0");
    assert_int_equal(strlen(answer_header(&answer, "x-MD5")), 32);
    assert_header(&answer, "Connection", "close");
    const struct server_request entry = world_wait_logged(world, 2);
    assert_string_equal(entry.platform, "esp8266");
    assert_string_equal(entry.device, "18:FE:AA:AA:AA:AA");
    assert_string_equal(entry.version, "DOOR-7-g14f53a19");
    assert_string_equal(entry.image, "door-1.2.0.bin");
    assert_true(entry.complete);
    answer_free(&answer);

    answer = world_ask(world, "GET / HTTP/1.0\r\n" ESP8266_HEADERS
                              "x-ESP8266-mode: version\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(answer.status, 200);
    assert_int_equal(answer.len, 0);
    assert_header(&answer, "x-version", "1.2.0");
    answer_free(&answer);

    answer = world_ask(world, "GET /x HTTP/1.0\r\n" ESP8266_HEADERS
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
    struct answer answer = world_ask(world, "GET /pull HTTP/1.0\r\n" ESP32_HEADERS("1.0.0"));
    assert_int_equal(answer.status, 404);
    assert_non_null(strstr((char *)answer.body, "/pull/garden"));
    answer_free(&answer);
    static const char *const asked[] = {"GET /pull/garden HTTP/1.0\r\n",
                                        "GET /pull?project=garden HTTP/1.1\r\n",
                                        "GET /update?project=garden&chip=esp32 HTTP/1.1\r\n"};
    for (size_t i = 0; i < 3; i++) {
        char request[2048];
        snprintf(request, sizeof request, "%s%s", asked[i], ESP32_HEADERS("1.0.0"));
        answer = world_ask(world, request);
        assert_int_equal(answer.status, 200);
        assert_int_equal(answer.len, size);
        assert_header(&answer, "x-version", "1.1.0");
        answer_free(&answer);
    }
    answer = world_ask(world, "GET /pull/garden HTTP/1.0\r\n" ESP32_HEADERS("1.1.0"));
    assert_int_equal(answer.status, 304);
    answer_free(&answer);
    /* A range makes 206 only of what would be 200. */
    answer = world_ask(world,
                       "GET /pull/garden HTTP/1.1\r\nRange: bytes=100-\r\n" ESP32_HEADERS("1.0.0"));
    assert_int_equal(answer.status, 206);
    assert_int_equal(answer.len, size - 100);
    answer_free(&answer);
    answer = world_ask(world,
                       "GET /pull/garden HTTP/1.1\r\nRange: bytes=100-\r\n" ESP32_HEADERS("1.1.0"));
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

static void test_pages(void **state)
{
    struct world *world = *state;
    put_image(world, "garden.bin", OTA_CHIP_ESP32C3, "<b>\"&", "1.0.0");
    free(world_put_noise(world, "a&b <i>.bin", 13, 1000));
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

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_esp8266), TEST(test_recorded_requests),
        TEST(test_esp32),   TEST(test_not_an_updater),
        TEST(test_pages),
    };
    curl_global_init(CURL_GLOBAL_DEFAULT);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
