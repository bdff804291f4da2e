/* SPDX-License-Identifier: Apache-2.0 */
/* The sender of the Arduino update protocol, with devices that take the image: what it sends, how
   it reads the device's stream however that is cut, and what recordings of the original tools
   show. */

#include "proto/pusher.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void test_push_without_password(void **state)
{
    (void)state;
    struct pusher pusher;

    pusher_begin(&pusher, NULL);
    assert_int_equal(ota_espota_host_wait_ms(&pusher.host), 0);
    pusher_expect_invitation(&pusher);
    assert_int_equal(pusher_answer(&pusher, "OK"), OTA_OK);
    assert_int_equal(pusher.host.state, OTA_ESPOTA_HOST_WAITING);
    pusher_connect(&pusher);
    assert_false(ota_espota_host_connected(&pusher.host)); /* one is enough */
    pusher_send(&pusher, 1460);
    assert_int_equal(pusher_input(&pusher, "1460"), OTA_OK);
    pusher_send(&pusher, UINT32_MAX);
    assert_int_equal(pusher.host.state, OTA_ESPOTA_HOST_FINISHING);
    assert_int_equal(pusher_input(&pusher, "146081"), OTA_OK);
    assert_int_equal(pusher_input(&pusher, "OK"), OTA_OK);
    assert_int_equal(pusher.host.state, OTA_ESPOTA_HOST_DONE);
    assert_int_equal(pusher.progressed, PUSHER_IMAGE_SIZE);
    assert_string_equal(pusher.log, "invited, let in, connected, all sent, succeeded");
    assert_int_equal(ota_espota_host_closed(&pusher.host, OTA_ERR_CONNECTION_LOST), OTA_OK);
    assert_int_equal(pusher_wait(&pusher, 1000000), OTA_OK);
    assert_int_equal(ota_espota_host_wait_ms(&pusher.host), UINT32_MAX);
    assert_string_equal(ota_espota_host_message(&pusher.host, pusher.text, sizeof pusher.text), "");
}

static void test_file_system(void **state)
{
    (void)state;
    struct pusher pusher;

    pusher_prepare(&pusher, NULL);
    pusher.options.is_data = true;
    assert_int_equal(ota_espota_host_begin(&pusher.host, &pusher.options, 0), OTA_OK);
    pusher_expect_invitation(&pusher); /* 100 */
}

/* A device that is fast, or says OK late: the OK is lost and the connection is there. */
static void test_connection_counts_as_ok(void **state)
{
    (void)state;
    struct pusher pusher;

    pusher_begin(&pusher, NULL);
    pusher_expect_invitation(&pusher);
    pusher_connect(&pusher);
    assert_int_equal(pusher_answer(&pusher, "OK"), OTA_OK); /* and now it comes */
    assert_string_equal(pusher.log, "invited, let in, connected");
}

/* A device's whole stream, from its first acknowledgement to its last word. */
struct stream {
    const char *text;
    enum ota_espota_host_state state;
    enum ota_err err;
    const char *reply;
};

static const struct stream streams[] = {
    {"1460146081OK", OTA_ESPOTA_HOST_DONE, OTA_OK, "OK"},       /* ESP32: glued */
    {"14601460\r\n 81OK", OTA_ESPOTA_HOST_DONE, OTA_OK, "OK"},  /* blanks are nothing */
    {"OK", OTA_ESPOTA_HOST_DONE, OTA_OK, "OK"},                 /* no acknowledgement at all */
    {"3001OK\r\nand more", OTA_ESPOTA_HOST_DONE, OTA_OK, "OK"}, /* what follows does not count */
    {"1376ERROR[7]: MD5 verification failed: expected: 9030960bc83512c8b3e630dc7af4abb3, "
     "calculated: 9dd4e461268c8034f5c8564e155c67a6\n",
     OTA_ESPOTA_HOST_FAILED, OTA_ERR_PEER,
     "ERROR[7]: MD5 verification failed: expected: 9030960bc83512c8b3e630dc7af4abb3, calculated: "
     "9dd4e461268c8034f5c8564e155c67a6"},
    {"953MD5 Check Failed\r\n", OTA_ESPOTA_HOST_FAILED, OTA_ERR_PEER, "MD5 Check Failed"},
    {"1024Aborted", OTA_ESPOTA_HOST_FAILED, OTA_ERR_PEER, "Aborted"}, /* cut off by the close */
    {"1024O, no\n", OTA_ESPOTA_HOST_FAILED, OTA_ERR_PEER, "O, no"},   /* not every O begins OK */
    {"1024O", OTA_ESPOTA_HOST_FAILED, OTA_ERR_PEER, "O"},
    {"1460146081", OTA_ESPOTA_HOST_FAILED, OTA_ERR_CONNECTION_LOST, ""},
    {"", OTA_ESPOTA_HOST_FAILED, OTA_ERR_CONNECTION_LOST, ""},
};

static void expect_outcome(struct pusher *pusher, const struct stream *stream)
{
    ota_espota_host_closed(&pusher->host, OTA_OK);
    assert_int_equal(pusher->host.state, stream->state);
    assert_int_equal(pusher->host.failure.err, stream->err);
    assert_string_equal(pusher->host.reply, stream->reply);
}

static void feed(struct pusher *pusher, const char *text, size_t len)
{
    char *exact = malloc(len + 1); /* reading past the piece is seen */

    assert_non_null(exact);
    memcpy(exact, text, len);
    ota_espota_host_input(&pusher->host, exact, len);
    free(exact);
}

static void begin_all_sent(struct pusher *pusher)
{
    pusher_begin_connected(pusher);
    pusher_send(pusher, UINT32_MAX);
}

static void test_streams_split_anywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
        size_t len = strlen(streams[i].text);
        for (size_t split = 0; split <= len; split++) {
            struct pusher pusher;
            begin_all_sent(&pusher);
            feed(&pusher, streams[i].text, split);
            feed(&pusher, streams[i].text + split, len - split);
            expect_outcome(&pusher, &streams[i]);
        }
    }
}

static void test_streams_byte_by_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
        struct pusher pusher;
        begin_all_sent(&pusher);
        for (const char *at = streams[i].text; *at != '\0'; at++) {
            feed(&pusher, at, 1);
            pusher_wait(&pusher, 900); /* slow as it may be */
        }
        expect_outcome(&pusher, &streams[i]);
    }
}

/* The image may be cut anywhere too. */
static void test_image_byte_by_byte(void **state)
{
    (void)state;
    struct pusher pusher;

    pusher_begin_connected(&pusher);
    for (uint32_t i = 0; i < PUSHER_IMAGE_SIZE; i++) {
        assert_int_equal(pusher.host.sent, i);
        pusher_send(&pusher, 1);
        assert_int_equal(pusher_input(&pusher, "1"), OTA_OK);
    }
    assert_int_equal(pusher_input(&pusher, "OK"), OTA_OK);
    assert_int_equal(pusher.host.state, OTA_ESPOTA_HOST_DONE);
}

static void test_sent_in_part(void **state)
{
    (void)state;
    struct pusher pusher;
    uint8_t piece[1000], again[1000];

    pusher_begin_connected(&pusher);
    assert_int_equal(ota_espota_host_output(&pusher.host, piece, sizeof piece), 1000);
    ota_espota_host_sent(&pusher.host, 0);
    assert_int_equal(pusher.host.sent, 0);
    ota_espota_host_sent(&pusher.host, 10);
    assert_int_equal(ota_espota_host_output(&pusher.host, again, sizeof again), 1000);
    assert_memory_equal(again, pusher.image + 10, sizeof again);
}

/* ---- Recordings ------------------------------------------------------------------------------ */

/* The lines of a recording: who speaks, and what. */
struct recording {
    char text[16384];
    char *at;
};

static void open_recording(struct recording *recording, const char *name)
{
    const char *folder = getenv("UPDRAFT_VECTORS");
    char path[512];

    snprintf(path, sizeof path, "%s/arduino/espota/%s.txt",
             folder != NULL ? folder : UPDRAFT_VECTORS, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        skip();
    }
    recording->text[fread(recording->text, 1, sizeof recording->text - 1, file)] = '\0';
    recording->at = recording->text;
    fclose(file);
}

static char *next_line(struct recording *recording)
{
    char *line = recording->at;
    char *end = strchr(line, '\n');

    if (end == NULL) {
        return NULL;
    }
    *end = '\0';
    recording->at = end + 1;
    return line;
}

/* The byte that two hexadecimal digits stand for; -1 if they are none. */
static int hex_byte(const char *digits)
{
    char pair[3] = {digits[0], digits[0] != '\0' ? digits[1] : '\0', '\0'};
    char *end;
    unsigned long byte = strtoul(pair, &end, 16);

    return digits[0] != ' ' && end == pair + 2 ? (int)byte : -1;
}

/* Decodes the hexadecimal digits at `digits` in place. */
static const char *decode(char *digits)
{
    size_t len = 0;

    for (int byte; (byte = hex_byte(digits + 2 * len)) >= 0;) {
        digits[len++] = (char)byte;
    }
    digits[len] = '\0';
    return digits;
}

/* Gives the host the number that the recorded host drew, so that its proof must be the recorded
   one. */
static void take_cnonce(struct pusher *pusher, const char *datagram)
{
    for (size_t i = 0; i < sizeof pusher->random; i++) {
        int byte = hex_byte(datagram + 4 + 2 * i);
        if (byte < 0) {
            return; /* the MD5 form has half as many */
        }
        pusher->random[i] = (uint8_t)byte;
    }
}

/* Finds the recorded proof ahead. */
static void find_proof(struct pusher *pusher, const struct recording *recording)
{
    char *proof = strstr(recording->at, ": 32303020"); /* "200 " */

    if (proof != NULL) {
        char copy[600];
        snprintf(copy, sizeof copy, "%s", proof + 2);
        take_cnonce(pusher, decode(copy));
    }
}

static void play_line(struct pusher *pusher, struct recording *recording, char *line)
{
    char *hex = strstr(line, " bytes: ");
    const size_t count =
        strncmp(line, "TCP host->dev ", 14) == 0 ? strtoul(line + 14, NULL, 10) : 0;

    if (strncmp(line, "UDP host->dev", 13) == 0) {
        const char *datagram = decode(hex + 8);
        if (pusher->host.state == OTA_ESPOTA_HOST_COMPUTING) {
            assert_string_equal(pusher_proof(pusher), datagram);
        } else {
            assert_string_equal(pusher_datagram(pusher), datagram);
        }
    } else if (strncmp(line, "UDP dev->host", 13) == 0) {
        find_proof(pusher, recording);
        pusher_answer(pusher, decode(hex + 8));
    } else if (strncmp(line, "TCP dev->host connect", 21) == 0) {
        pusher_connect(pusher);
    } else if (count > 0) {
        uint8_t piece[2048];
        assert_int_equal(ota_espota_host_output(&pusher->host, piece, count), count);
        ota_espota_host_sent(&pusher->host, count);
    } else if (strncmp(line, "TCP dev->host '", 15) == 0) {
        char *end = strstr(line, "\\n'");
        assert_non_null(end);
        memcpy(end, "\n", 2);
        pusher_input(pusher, line + 15);
    } else if (strncmp(line, "TCP dev->host ", 14) == 0) {
        pusher_input(pusher, decode(line + 14));
    } else if (strcmp(line, "TCP dev closes") == 0) {
        ota_espota_host_closed(&pusher->host, OTA_OK);
    }
}

/* Pushes as the recorded host did, and leaves the pusher as that ended. */
static void play(struct pusher *pusher, const char *name, const char *password)
{
    struct recording recording;

    open_recording(&recording, name);
    char *first = strstr(recording.text, "ascii '");
    assert_non_null(first);
    char *at = first + 7;
    const unsigned long command = strtoul(at, &at, 10);
    const unsigned long port = strtoul(at, &at, 10);
    assert_int_equal(strtoul(at, &at, 10), PUSHER_IMAGE_SIZE);
    pusher_prepare(pusher, password);
    pusher->options.is_data = command == 100;
    pusher->options.host_port = (uint16_t)port;
    for (size_t i = 0; i < OTA_MD5_SIZE; i++) {
        const int byte = hex_byte(at + 1 + 2 * i);
        assert_true(byte >= 0);
        pusher->options.md5[i] = (uint8_t)byte;
    }
    assert_int_equal(ota_espota_host_begin(&pusher->host, &pusher->options, 0), OTA_OK);
    for (char *line; (line = next_line(&recording)) != NULL && line[0] != '\0';) {
        play_line(pusher, &recording, line);
    }
}

static void test_recorded_successes(void **state)
{
    (void)state;
    static const struct {
        const char *name, *password;
    } successes[] = {
        {"esp8266-no-password", NULL},
        {"esp8266-filesystem-progress", NULL},
        {"esp8266-password-ok", "secret"},
        {"esp32-3.3-pbkdf2-constructed", "secret"},
    };
    for (size_t i = 0; i < sizeof successes / sizeof *successes; i++) {
        struct pusher pusher;
        play(&pusher, successes[i].name, successes[i].password);
        assert_int_equal(pusher.host.state, OTA_ESPOTA_HOST_DONE);
    }
}

static void test_recorded_failures(void **state)
{
    (void)state;
    struct pusher pusher;

    play(&pusher, "esp8266-begin-error", NULL);
    pusher_expect_failure(&pusher, OTA_ERR_PEER, "\"ERROR[4]: Not Enough Space\": the image is");
    play(&pusher, "esp8266-md5-error", NULL);
    pusher_expect_failure(&pusher, OTA_ERR_PEER, "calculated: 9dd4e461268c8034f5c8564e155c67a6");
    play(&pusher, "esp8266-password-wrong", "wrong");
    pusher_expect_failure(&pusher, OTA_ERR_AUTH, "Authentication Failed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_push_without_password),
        cmocka_unit_test(test_file_system),
        cmocka_unit_test(test_connection_counts_as_ok),
        cmocka_unit_test(test_streams_split_anywhere),
        cmocka_unit_test(test_streams_byte_by_byte),
        cmocka_unit_test(test_image_byte_by_byte),
        cmocka_unit_test(test_sent_in_part),
        cmocka_unit_test(test_recorded_successes),
        cmocka_unit_test(test_recorded_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
