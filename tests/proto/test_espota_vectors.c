/* SPDX-License-Identifier: Apache-2.0 */
/*
 * espota's device against what was recorded between the original tools and a device, and against
 * logins that were computed elsewhere. The recorded file is noise and no firmware, so here it is
 * pushed as a file system; but for the command everything is as it was.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <cjson/cJSON.h>

#include "proto/espota_bench.h"

static char *load(const char *name, size_t *len)
{
    char path[512];

    (void)snprintf(path, sizeof path, "%s/arduino/%s", UPDRAFT_VECTORS, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        print_message("no %s\n", path);
        skip();
        abort(); /* skip does not return */
    }
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    *len = (size_t)ftell(file);
    rewind(file);
    char *bytes = calloc(1, *len + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *len, file), *len);
    (void)fclose(file);
    return bytes;
}

static void read_digits(const char *digits, uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        char pair[3] = {digits[2 * i], digits[2 * i + 1], '\0'};
        char *end;
        bytes[i] = (uint8_t)strtoul(pair, &end, 16);
        assert_true(end == pair + 2);
    }
}

/* ---- Transcripts ----------------------------------------------------------------------------- */

struct replay {
    struct espota_bench *bench;
    const uint8_t *file;
    size_t file_len, sent;
    size_t heard;     /* of what the device told */
    const char *size; /* replaces the announced one; NULL: as it was */
};

/* The bytes of a line: digits after `start`, or text in quotes. */
static size_t bytes_of(const char *line, char *bytes, size_t capacity)
{
    if (*line == '\'') {
        const char *end = strrchr(line, '\'');
        size_t len = (size_t)(end - line) - 1;
        assert_true(len < capacity && len > 1);
        memcpy(bytes, line + 1, len);
        if (memcmp(bytes + len - 2, "\\n", 2) == 0) {
            bytes[len - 2] = '\n';
            len--;
        }
        bytes[len] = '\0';
        return len;
    }
    size_t len = strspn(line, "0123456789abcdef") / 2;
    assert_true(len > 0 && len < capacity);
    read_digits(line, (uint8_t *)bytes, len);
    bytes[len] = '\0';
    return len;
}

static void replay_host_datagram(struct replay *replay, const char *line)
{
    char text[256], changed[600];
    size_t len = bytes_of(strchr(line, ':') + 2, text, sizeof text);

    if (strncmp(text, "0 ", 2) != 0) {
        bench_datagram_bytes(replay->bench, text, len);
        return;
    }
    char *size = strchr(strchr(text, ' ') + 1, ' ');
    char *digest = strrchr(text, ' ');
    *size++ = '\0';
    *digest++ = '\0';
    (void)snprintf(changed, sizeof changed, "100%s %s %s", text + 1,
                   replay->size != NULL ? replay->size : size, digest);
    bench_datagram(replay->bench, changed);
}

/* If the line begins so, reads the number that follows. */
static bool is_line(const char *line, const char *start, size_t *number)
{
    if (strncmp(line, start, strlen(start)) != 0) {
        return false;
    }
    *number = strtoul(line + strlen(start), NULL, 10);
    return true;
}

static void replay_line(struct replay *replay, const char *line)
{
    struct espota_bench *bench = replay->bench;
    char text[256];
    size_t number;

    if (strncmp(line, "UDP host->dev", 13) == 0) {
        replay_host_datagram(replay, line);
    } else if (strncmp(line, "UDP dev->host", 13) == 0) {
        (void)bytes_of(strchr(line, ':') + 2, text, sizeof text);
        while (bench->espota.state == OTA_ESPOTA_VERIFYING) {
            bench_pass(bench, 0);
            bench_take_reply(bench);
        }
        assert_string_equal(bench->reply, text);
    } else if (is_line(line, "TCP dev->host connect to port ", &number)) {
        assert_int_equal(bench->espota.state, OTA_ESPOTA_CONNECTING);
        assert_int_equal(bench->espota.dial.port, number);
        ota_espota_connected(&bench->espota);
    } else if (is_line(line, "TCP host->dev ", &number)) {
        assert_true(replay->sent + number <= replay->file_len);
        bench_send(bench, replay->file + replay->sent, number, number);
        replay->sent += number;
        if (bench->espota.state == OTA_ESPOTA_SETTLING) {
            while (bench->espota.state == OTA_ESPOTA_SETTLING) {
                bench_pass(bench, 1);
            }
        }
    } else if (strncmp(line, "TCP dev->host ", 14) == 0) {
        size_t len = bytes_of(line + 14, text, sizeof text);
        assert_true(bench->told_len - replay->heard >= len);
        assert_memory_equal(bench->told + replay->heard, text, len);
        replay->heard += len;
    } else if (strncmp(line, "TCP dev closes", 14) == 0) {
        assert_int_equal(replay->heard, bench->told_len);
        bench_pass(bench, OTA_ESPOTA_LINGER_MS);
        assert_false(ota_espota_has_connection(&bench->espota));
    }
}

/* Plays a recording up to the first empty line. */
static void play(struct replay *replay, const char *name)
{
    size_t len, file_len;
    char path[128];

    (void)snprintf(path, sizeof path, "espota/%s", name);
    char *file = load("signing/payload.bin", &file_len);
    char *text = load(path, &len);
    replay->file = (const uint8_t *)file;
    replay->file_len = file_len;
    bench_begin(replay->bench);
    char *end = strstr(text, "\n\n");
    *end = '\0';
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        replay_line(replay, line);
    }
    free(text);
    free(file);
}

static void test_no_password(void **state)
{
    struct replay replay = {.bench = *state};

    replay.bench->options.profile = OTA_ESPOTA_ESP8266;
    play(&replay, "esp8266-no-password.txt");
    assert_string_equal(replay.bench->events, "invited start progress end ");
    assert_int_equal(replay.sent, 3001);
}

static void test_file_system(void **state)
{
    struct replay replay = {.bench = *state};

    replay.bench->options.profile = OTA_ESPOTA_ESP8266;
    play(&replay, "esp8266-filesystem-progress.txt");
    assert_string_equal(replay.bench->events, "invited start progress end ");
}

static void set_nonce(struct espota_bench *bench, const char *digits)
{
    bench->options.password = "secret";
    bench->keeps_random = true;
    read_digits(digits, bench->random, strlen(digits) / 2);
}

static void test_password(void **state)
{
    struct replay replay = {.bench = *state};

    replay.bench->options.profile = OTA_ESPOTA_ESP8266;
    replay.bench->options.login = OTA_ESPOTA_LOGIN_MD5;
    set_nonce(replay.bench, "fcea920f7412b5da7be0cf42b8c93759");
    play(&replay, "esp8266-password-ok.txt");
    assert_string_equal(replay.bench->events, "invited md5 start progress end ");
}

static void test_wrong_password(void **state)
{
    struct replay replay = {.bench = *state};

    replay.bench->options.profile = OTA_ESPOTA_ESP8266;
    replay.bench->options.login = OTA_ESPOTA_LOGIN_MD5;
    set_nonce(replay.bench, "fcea920f7412b5da7be0cf42b8c93759");
    play(&replay, "esp8266-password-wrong.txt");
    assert_string_equal(replay.bench->events, "invited error0:AUTH ");
}

static void test_begin_error(void **state)
{
    struct replay replay = {.bench = *state, .size = "16385"};

    replay.bench->options.profile = OTA_ESPOTA_ESP8266;
    play(&replay, "esp8266-begin-error.txt");
    assert_string_equal(replay.bench->events, "invited error1:TOO_LARGE ");
}

static void test_esp32(void **state)
{
    struct replay replay = {.bench = *state};

    replay.bench->options.profile = OTA_ESPOTA_ESP32;
    set_nonce(replay.bench, "8bb0cf6eb9b17d0f7d22b456f121257dc1254e1f01665370476383ea776df414");
    play(&replay, "esp32-3.3-pbkdf2-constructed.txt");
    assert_string_equal(replay.bench->events, "invited sha256 start progress end ");
}

/* The recorded device's bytes were damaged on the way in some manner of its own; here the first
   one is. The line must be the same but for the digest of that. */
static void test_digest_error(void **state)
{
    struct espota_bench *bench = *state;
    size_t len, file_len;
    char *file = load("signing/payload.bin", &file_len);
    char *text = load("espota/esp8266-md5-error.txt", &len);
    char *line = strstr(text, "ERROR[7]");
    char *calculated = strstr(line, "calculated: ") + strlen("calculated: ");

    bench->options.profile = OTA_ESPOTA_ESP8266;
    bench_begin(bench);
    bench_invite_with(bench, 100, file_len, "9030960bc83512c8b3e630dc7af4abb3");
    bench_connect(bench);
    file[0] ^= 1;
    bench_send(bench, file, file_len, 1460);
    bench_settle(bench);
    const char *told = strstr(bench->told, "ERROR[7]");
    assert_non_null(told);
    assert_memory_equal(told, line, (size_t)(calculated - line));
    assert_int_equal(strlen(told), (size_t)(calculated - line) + 32 + 1);
    assert_memory_equal(calculated + 32, "\\n", 2);
    free(text);
    free(file);
}

/* ---- Logins ---------------------------------------------------------------------------------- */

static const char *string_in(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

    return cJSON_IsString(item) ? item->valuestring : NULL;
}

/* A device with this nonce lets the recorded datagram in. */
static void check_login(struct espota_bench *bench, const cJSON *entry, const char *form,
                        enum ota_espota_login login)
{
    const cJSON *exchange = cJSON_GetObjectItemCaseSensitive(entry, form);
    const char *password = string_in(entry, "password");
    char datagram[160];

    if (exchange == NULL) {
        return;
    }
    bench->options.password = password;
    bench->options.login = login;
    set_nonce(bench, string_in(exchange, "nonce"));
    bench->options.password = password;
    bench_begin(bench);
    bench_invite(bench);
    assert_string_equal(bench->reply + 5, string_in(exchange, "nonce"));
    (void)snprintf(datagram, sizeof datagram, "200 %s %s\n", string_in(exchange, "cnonce"),
                   string_in(exchange, "response"));
    if (string_in(exchange, "datagram") != NULL) {
        assert_string_equal(datagram, string_in(exchange, "datagram"));
        assert_string_equal(bench->reply, string_in(exchange, "auth_reply"));
    }
    bench_datagram(bench, datagram);
    while (bench->espota.state == OTA_ESPOTA_VERIFYING) {
        bench_pass(bench, 0);
        bench_take_reply(bench);
    }
    assert_string_equal(bench->reply, "OK");
    ota_espota_stop(&bench->espota);
}

static void test_logins(void **state)
{
    struct espota_bench *bench = *state;
    size_t len;
    char *text = load("espota/auth-vectors.json", &len);
    cJSON *entries = cJSON_Parse(text);
    const cJSON *entry;

    assert_int_equal(cJSON_GetArraySize(entries), 4);
    cJSON_ArrayForEach(entry, entries)
    {
        check_login(bench, entry, "md5_protocol", OTA_ESPOTA_LOGIN_MD5);
        check_login(bench, entry, "pbkdf2_sha256_password", OTA_ESPOTA_LOGIN_SHA256);
        check_login(bench, entry, "pbkdf2_md5_password", OTA_ESPOTA_LOGIN_SHA256);
    }
    cJSON_Delete(entries);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_no_password, espota_bench_fresh),
        cmocka_unit_test_setup(test_file_system, espota_bench_fresh),
        cmocka_unit_test_setup(test_password, espota_bench_fresh),
        cmocka_unit_test_setup(test_wrong_password, espota_bench_fresh),
        cmocka_unit_test_setup(test_begin_error, espota_bench_fresh),
        cmocka_unit_test_setup(test_esp32, espota_bench_fresh),
        cmocka_unit_test_setup(test_digest_error, espota_bench_fresh),
        cmocka_unit_test_setup(test_logins, espota_bench_fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
