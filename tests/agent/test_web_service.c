/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The web server of an agent on real sockets, with curl and with peers that break every rule: all
 * dialects as their tools speak them, and a network that fails.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <updraft/web_service.h>

#include "agent/bed.h"
#include "support/images.h"

static struct bed bed;
static struct ota_web_service tested;
static struct ota_web_service_connection connections[OTA_WEB_SERVICE_CONNECTIONS];
static struct ota_web_service_options settings;

static void begin_agent(void)
{
    ota_agent_end(&bed.agent);
    ota_web_service_init(&tested, &settings);
    bed_begin(&bed, &tested.service, NULL);
    assert_int_equal(tested.listener->port, settings.port);
}

/* Another device, that was never updated. */
static void begin_anew(void)
{
    ota_agent_end(&bed.agent);
    ram_device_make(&bed.ram);
    begin_agent();
}

static int set_up(void **state)
{
    (void)state;
    bed_make(&bed);
    bed_make_image(&bed, "code.bin", OTA_CHIP_ESP32S3);
    scratch_write(&bed.folder, "littlefs.bin", bed.image, RAM_STORAGE_SIZE);
    scratch_write(&bed.folder, "text.bin", "this is no image\n", 17);
    settings = (struct ota_web_service_options){
        .port = bed_find_port(&bed),
        .connections = connections,
        .connection_count = OTA_WEB_SERVICE_CONNECTIONS,
    };
    begin_agent();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    bed_remove(&bed);
    return 0;
}

/* ---- curl ------------------------------------------------------------------------------------ */

/* Runs curl beside the agent, its addresses written as BOARD/path. Returns its exit status; what it
   says is in bed.said. */
static int curl(const char *arguments)
{
    char command[2048];

    (void)snprintf(command, sizeof command,
                   "exec 2>&1; BOARD=127.0.0.1:%u; curl -s -S --max-time 30 %s",
                   (unsigned)settings.port, arguments);
    return bed_run(&bed, command);
}

static void assert_said(const char *text)
{
    if (strstr(bed.said, text) == NULL) {
        print_message("%s\n%s", bed.said, bed.log);
        fail_msg("curl did not show \"%s\"", text);
    }
}

static void assert_not_updated(void)
{
    assert_int_equal(bed.agent.intake.accepted, 0);
    assert_int_equal(bed.agent.intake.state, OTA_INTAKE_FREE);
    assert_false(bed.agent.is_restart_due);
}

/* The update is in place, and a restart is due. */
static void assert_updated(void)
{
    assert_true(bed.agent.is_restart_due);
    assert_int_equal(bed.agent.restart_delay_ms, OTA_WEB_SERVICE_RESTART_DELAY_MS);
    bed_assert_in_place(&bed);
}

/* It comes a second after the answer, and leaves nothing open. */
static void test_the_restart(void **state)
{
    struct ota_platform *platform = &bed.platform.platform;

    (void)state;
    assert_int_equal(curl("-F image=@code.bin $BOARD/update"), 0);
    assert_updated();
    while (!bed.agent.is_restarting) {
        bed_work(&bed);
    }
    assert_true(platform->now_ms(platform) - bed.agent.restart_since_ms >=
                OTA_WEB_SERVICE_RESTART_DELAY_MS);
    assert_int_equal(bed.platform.watch_count, 0);
}

static void test_uploads_as_tools_do_them(void **state)
{
    static const struct {
        const char *arguments, *says;
    } uploads[] = {
        {"-F image=@code.bin $BOARD/update", "Update Success! Rebooting..."},
        {"-F update=@code.bin http://$BOARD/update", "Update Successful!"},
        {"--data-binary @code.bin -X POST $BOARD/update",
         "Firmware update complete, rebooting now!"},
        {"-H 'Transfer-Encoding: chunked' --data-binary @code.bin $BOARD/update",
         "Firmware update complete, rebooting now!"},
        {"-H 'Transfer-Encoding: chunked' -F image=@code.bin $BOARD/update",
         "Update Success! Rebooting..."},
        {"-H 'Expect: 100-continue' -F image=@code.bin -v $BOARD/update", "100 Continue"},
        {"-0 -F image=@code.bin $BOARD/update", "Update Success! Rebooting..."},
        {"-F MD5=$(md5sum <code.bin | cut -c 1-32) -F image=@code.bin $BOARD/update",
         "Update Success! Rebooting..."},
        {"-H \"x-SHA256: $(sha256sum <code.bin | cut -c 1-64)\" -T code.bin -X POST $BOARD/update",
         "Firmware update complete, rebooting now!"},
        {"-H 'X-Updraft: 1' -F file=@code.bin $BOARD/update", "{\"ok\":true,\"restart\":\"auto\""},
        {"\"$BOARD/ota/start?mode=fr&hash=$(md5sum <code.bin | cut -c 1-32)\" "
         "--next -s -F file=@code.bin $BOARD/ota/upload",
         "OKOK"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof uploads / sizeof *uploads; i++) {
        begin_anew();
        assert_int_equal(curl(uploads[i].arguments), 0);
        assert_said(uploads[i].says);
        assert_updated();
    }
}

static void test_what_is_refused(void **state)
{
    static const struct {
        const char *arguments, *says;
        int status;
    } uploads[] = {
        {"-F image=@text.bin $BOARD/update", "Update error: Wrong Magic Byte", 0},
        {"-F image=@/dev/null $BOARD/update", "the file is empty", 0},
        {"-F image=text $BOARD/update", "there is no file in this form", 0},
        {"-d '' $BOARD/update", "there is no file", 0},
        {"-H 'Origin: http://evil.example' -F image=@code.bin $BOARD/update", "another site", 0},
        {"-H 'Host: evil.example' -F image=@code.bin $BOARD/update", "this name", 0},
        {"-H 'x-MD5: 00000000000000000000000000000000' --data-binary @code.bin $BOARD/update",
         "Validation / Activation Error", 0},
        {"-f --data-binary @text.bin $BOARD/update", "500", 22},
        {"-F image=@code.bin $BOARD/elsewhere", "nothing at this address", 0},
        {"-F image=@code.bin $BOARD/ota/upload", "no upload was started", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof uploads / sizeof *uploads; i++) {
        assert_int_equal(curl(uploads[i].arguments), uploads[i].status);
        assert_said(uploads[i].says);
        assert_not_updated();
    }
}

/* Answered early, and the answer is read all the same, whatever is still on its way. */
static void test_a_large_upload_that_is_refused(void **state)
{
    uint8_t *large = scratch_noise(1, 3000000);

    (void)state;
    scratch_write(&bed.folder, "large.bin", large, 3000000);
    free(large);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(curl("-H Expect: -w '%{http_code}' -F image=@large.bin $BOARD/update"), 0);
        assert_said("413");
        assert_int_equal(curl("-H Expect: --data-binary @large.bin $BOARD/update"), 0);
        assert_said("there is room for 65536 bytes");
        assert_not_updated();
    }
}

static void test_logins(void **state)
{
    static const struct {
        const char *option, *header;
    } ways[] = {
        {"", "Authorization: Basic "},
        {"--digest", "Authorization: Digest "},
        {"--anyauth", "Authorization: Digest "},
    };

    (void)state;
    settings.user = "me";
    settings.password = "s\xc3\xa9same";
    begin_anew();
    assert_int_equal(curl("-i -F image=@code.bin $BOARD/update"), 0);
    assert_said("HTTP/1.1 401 Unauthorized");
    assert_said("WWW-Authenticate: Basic realm=\"Login Required\"");
    assert_int_equal(curl("-i -u me:wrong -F image=@code.bin $BOARD/update"), 0);
    assert_said("HTTP/1.1 401 Unauthorized");
    assert_non_null(strstr(bed.log, "1 http: a login with a wrong name or password was refused"));
    assert_not_updated();
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        char arguments[512];
        begin_anew();
        snprintf(arguments, sizeof arguments,
                 "-v %s -u 'me:s\xc3\xa9same' -F image=@code.bin $BOARD/update", ways[i].option);
        assert_int_equal(curl(arguments), 0);
        assert_said(ways[i].header);
        assert_said("Update Success!");
        assert_updated();
    }
}

/* Digest, by curl: several requests with one nonce, a raw body, chunks, what is wrong. */
static void test_digest_logins(void **state)
{
    static const struct {
        const char *arguments, *says;
        int status;
    } right[] = {
        {"--data-binary @code.bin $BOARD/update", "Firmware update complete, rebooting now!", 0},
        {"-T code.bin -X POST $BOARD/update", "Firmware update complete, rebooting now!", 0},
        {"-H 'X-Updraft: 1' -F file=@code.bin $BOARD/update", "{\"ok\":true", 0},
        {"\"$BOARD/ota/start?mode=fr&hash=$(md5sum <code.bin | cut -c 1-32)\" --next -s --digest "
         "-u admin:secret -F firmware=@code.bin $BOARD/ota/upload",
         "OKOK", 0},
    };
    char arguments[512];

    (void)state;
    settings.password = "secret";
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        begin_anew();
        snprintf(arguments, sizeof arguments, "--digest -u admin:secret %s", right[i].arguments);
        assert_int_equal(curl(arguments), 0);
        assert_said(right[i].says);
        assert_updated();
        assert_null(strstr(bed.log, "login"));
    }
    begin_anew();
    assert_int_equal(curl("-i --digest -u admin:wrong -F image=@code.bin $BOARD/update"), 0);
    assert_said("HTTP/1.1 401 Unauthorized");
    assert_said("wrong user name or password");
    assert_non_null(strstr(bed.log, "1 http: a login with a wrong name or password was refused"));
    assert_not_updated();
}

/* The login of ElegantOTA's tool, with the library that it uses, where that is at hand. */
static void test_digest_logins_of_a_library(void **state)
{
    static const char script[] =
        "import sys, requests\n"
        "from requests.auth import HTTPDigestAuth\n"
        "board = 'http://127.0.0.1:' + sys.argv[1]\n"
        "print(requests.get(board + '/update/update').status_code)\n"
        "auth = HTTPDigestAuth('admin', 'secret')\n"
        "print(requests.get(board + '/ota/start', auth=auth).text)\n"
        "parts = {'MD5': (None, sys.argv[2]), 'firmware': ('firmware', open('code.bin', 'rb'))}\n"
        "print(requests.post(board + '/ota/upload', files=parts, auth=auth).text)\n";
    char command[256];

    (void)state;
    if (bed_run(&bed, "python3 -c 'import requests' 2>&1") != 0) {
        skip();
    }
    settings.password = "secret";
    begin_anew();
    scratch_write(&bed.folder, "tool.py", script, sizeof script - 1);
    snprintf(command, sizeof command, "python3 tool.py %u $(md5sum <code.bin | cut -c 1-32) 2>&1",
             (unsigned)settings.port);
    assert_int_equal(bed_run(&bed, command), 0);
    assert_string_equal(bed.said, "401\nOK\nOK\n");
    assert_updated();
}

/* Several requests on one connection; code and data, and a restart by hand. */
static void test_one_connection_for_all(void **state)
{
    (void)state;
    assert_int_equal(curl("-v -F file=@code.bin $BOARD/update --next -s -F file=@littlefs.bin "
                          "$BOARD/update --next -s $BOARD/update/info --next -s -X POST "
                          "$BOARD/restart"),
                     0);
    assert_said("Update done for file.</b>");
    assert_said("\"version\":\"1.1.0\"");
    assert_said("Restarting ...");
    assert_said("Re-using existing connection");
    assert_memory_equal(bed.ram.memory + RAM_STORAGE, bed.image, RAM_STORAGE_SIZE);
    assert_updated();
}

/* ---- Peers that break the rules -------------------------------------------------------------- */

static int dial(void)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons(settings.port),
                                        .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int peer = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(peer >= 0);
    assert_int_equal(connect(peer, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(fcntl(peer, F_SETFL, O_NONBLOCK), 0);
    return peer;
}

/* Sends all of it, the agent taking it. Returns false if the peer was closed. */
static bool say(int peer, const void *data, size_t len)
{
    const char *bytes = data;

    while (len > 0) {
        ssize_t sent = send(peer, bytes, len, MSG_NOSIGNAL);
        if (sent > 0) {
            bytes += sent;
            len -= (size_t)sent;
        } else if (errno != EAGAIN) {
            return false;
        }
        bed_work(&bed);
    }
    return true;
}

/* Reads into bed.said until this is there, or the peer is closed. */
static bool hear(int peer, const char *text)
{
    bed.said[0] = '\0';
    for (;;) {
        size_t len = strlen(bed.said);
        ssize_t got = recv(peer, bed.said + len, sizeof bed.said - 1 - len, 0);
        bed.said[len + (size_t)(got > 0 ? got : 0)] = '\0';
        if (text != NULL && strstr(bed.said, text) != NULL) {
            return true;
        }
        if (got == 0 || (got < 0 && errno != EAGAIN)) {
            return false;
        }
        bed_work(&bed);
    }
}

static size_t compose(char *request, size_t size)
{
    int len = snprintf(request, size,
                       "POST /update HTTP/1.1\r\nHost: board\r\nContent-Length: %zu\r\n\r\n",
                       bed.image_len);

    return (size_t)len;
}

static bool nobody_is_there(void)
{
    for (unsigned i = 0; i < OTA_WEB_SERVICE_CONNECTIONS; i++) {
        if (connections[i].stream != NULL) {
            return false;
        }
    }
    return true;
}

/* Cut at every 997th byte, by an end and by a reset: the next one works. */
static void test_cut(void **state)
{
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    static char request[BED_IMAGE_SIZE + 512];
    unsigned before = bed_count_descriptors();

    (void)state;
    size_t len = compose(request, sizeof request);
    memcpy(request + len, bed.image, bed.image_len);
    len += bed.image_len;
    for (size_t cut = 1; cut < len; cut += 997) {
        int peer = dial();
        assert_true(say(peer, request, cut));
        if (cut % 2 == 0) {
            setsockopt(peer, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        }
        close(peer);
        do {
            bed_work(&bed);
        } while (!nobody_is_there());
        assert_not_updated();
    }
    assert_int_equal(bed_count_descriptors(), before);
    assert_int_equal(curl("-F image=@code.bin $BOARD/update"), 0);
    assert_updated();
}

/* Half closed in the middle: the peer still hears why. */
static void test_half_closed(void **state)
{
    char request[256];
    size_t len = compose(request, sizeof request);

    (void)state;
    int peer = dial();
    assert_true(say(peer, request, len));
    assert_true(say(peer, bed.image, 1000));
    shutdown(peer, SHUT_WR);
    assert_false(hear(peer, NULL));
    assert_said("HTTP/1.1 500 ");
    assert_said("Protocol Error");
    close(peer);
    assert_not_updated();
}

/* A second upload hears that it is not its turn; page and first upload go on. */
static void test_a_second_upload(void **state)
{
    char request[256];
    size_t len = compose(request, sizeof request);

    (void)state;
    int peer = dial();
    assert_true(say(peer, request, len));
    assert_true(say(peer, bed.image, 20000));
    assert_int_equal(curl("-i -F image=@code.bin $BOARD/update"), 0);
    assert_said("HTTP/1.1 409 Conflict");
    assert_int_equal(curl("$BOARD/update/info"), 0);
    assert_said("\"busy\":{\"way\":\"http\",\"received\":");
    assert_true(say(peer, bed.image + 20000, bed.image_len - 20000));
    assert_true(hear(peer, "rebooting now!"));
    close(peer);
    assert_updated();
}

/* Whoever only keeps a connection open makes room. */
static void test_idle_connections_make_room(void **state)
{
    int peers[OTA_WEB_SERVICE_CONNECTIONS];

    (void)state;
    for (unsigned i = 0; i < OTA_WEB_SERVICE_CONNECTIONS; i++) {
        static const char request[] = "GET /update HTTP/1.1\r\nHost: board\r\n\r\n";
        peers[i] = dial();
        assert_true(say(peers[i], request, sizeof request - 1));
        assert_true(hear(peers[i], "</html>"));
    }
    assert_int_equal(curl("-F image=@code.bin $BOARD/update"), 0);
    assert_said("Update Success!");
    assert_false(hear(peers[0], NULL)); /* the one that was idle the longest */
    for (unsigned i = 0; i < OTA_WEB_SERVICE_CONNECTIONS; i++) {
        close(peers[i]);
    }
    assert_updated();
}

/* Connects, and says this as soon as there is a connection. */
static int dial_and_say(const char *text)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons(settings.port),
                                        .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int peer = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    assert_true(peer >= 0);
    (void)connect(peer, (const struct sockaddr *)&address, sizeof address);
    while (send(peer, text, strlen(text), MSG_NOSIGNAL) < 0) {
        bed_work(&bed);
    }
    return peer;
}

#define HALF "GET / HT"
#define LORIS 50
/* Half a head is no request, also behind a whole one: who comes with nothing else to do is let in
   before long. */
static void test_half_heads_make_room(void **state)
{
    static const char *const texts[] = {HALF, "HEAD / HTTP/1.1\r\nHost: board\r\n\r\n" HALF};
    int peers[LORIS];

    (void)state;
    for (unsigned n = 0; n < 2; n++) {
        begin_anew();
        for (unsigned i = 0; i < LORIS; i++) {
            peers[i] = dial_and_say(texts[n]);
        }
        assert_int_equal(curl("--max-time 6 -F image=@code.bin $BOARD/update"), 0);
        assert_said("Update Success!");
        for (unsigned i = 0; i < LORIS; i++) {
            close(peers[i]);
        }
        assert_updated();
    }
}

/* While nobody else comes, half a head has the time that it needs. */
static void test_slow_heads_have_time(void **state)
{
    struct ota_platform *platform = &bed.platform.platform;
    int peers[OTA_WEB_SERVICE_CONNECTIONS];

    (void)state;
    for (unsigned i = 0; i < OTA_WEB_SERVICE_CONNECTIONS; i++) {
        peers[i] = dial_and_say(HALF);
    }
    uint32_t since = platform->now_ms(platform);
    while (platform->now_ms(platform) - since < 3000) {
        bed_work(&bed);
    }
    for (unsigned i = 0; i < OTA_WEB_SERVICE_CONNECTIONS; i++) {
        assert_true(say(peers[i], "TP/1.0\r\n\r\n", 10));
        assert_false(hear(peers[i], NULL));
        assert_said("</html>");
        close(peers[i]);
    }
}

/* Nobody who has sent a head gives way: not for as long as the body comes, nor the answer goes. */
static void test_who_is_served_stays(void **state)
{
    char request[256];
    size_t len = compose(request, sizeof request);
    int peers[LORIS];

    (void)state;
    int peer = dial();
    assert_true(say(peer, request, len));
    assert_true(say(peer, bed.image, 20000));
    for (unsigned i = 0; i < LORIS; i++) {
        peers[i] = dial_and_say(HALF);
    }
    assert_int_equal(curl("--max-time 8 -i -F image=@code.bin $BOARD/update"), 0);
    assert_said("HTTP/1.1 409 Conflict");
    assert_true(say(peer, bed.image + 20000, bed.image_len - 20000));
    assert_true(hear(peer, "rebooting now!"));
    close(peer);
    for (unsigned i = 0; i < LORIS; i++) {
        close(peers[i]);
    }
    assert_updated();
}

/* A sender that was refused may read the answer, but does not hold the place by sending on. */
static void test_who_was_refused_makes_room(void **state)
{
    static const char request[] =
        "POST /nothing HTTP/1.1\r\nHost: board\r\nContent-Length: 1000000\r\n\r\n";
    int peers[OTA_WEB_SERVICE_CONNECTIONS];

    (void)state;
    for (unsigned i = 0; i < OTA_WEB_SERVICE_CONNECTIONS; i++) {
        peers[i] = dial();
        assert_true(say(peers[i], request, sizeof request - 1));
        assert_true(hear(peers[i], "nothing at this address"));
    }
    char command[512];
    int output, status;
    snprintf(command, sizeof command,
             "curl -s -S --max-time 6 -F image=@code.bin 127.0.0.1:%u/update",
             (unsigned)settings.port);
    pid_t child = bed_start(&bed, command, &output);
    while (waitpid(child, &status, WNOHANG) == 0) {
        for (unsigned i = 0; i < OTA_WEB_SERVICE_CONNECTIONS; i++) {
            (void)send(peers[i], "x", 1, MSG_NOSIGNAL);
        }
        bed_work(&bed);
    }
    close(output);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    for (unsigned i = 0; i < OTA_WEB_SERVICE_CONNECTIONS; i++) {
        close(peers[i]);
    }
    assert_updated();
}

/* What comes behind a request whose answer is held back wakes nobody. */
static void test_what_is_not_read_wakes_nobody(void **state)
{
    static const char request[] = "GET /update HTTP/1.1\r\nHost: board\r\n"
                                  "Authorization: Basic d3Jvbmc6bG9naW4=\r\n\r\n"
                                  "GET /update HTTP/1.1\r\nX: ";
    struct ota_platform *platform = &bed.platform.platform;
    char behind[3000], said[16];
    unsigned waits = 0;

    (void)state;
    settings.password = "secret";
    begin_agent();
    memset(behind, 'x', sizeof behind);
    int peer = dial_and_say(request);
    assert_int_equal(send(peer, behind, sizeof behind, MSG_NOSIGNAL), sizeof behind);
    while (recv(peer, said, sizeof said, MSG_PEEK) < 0) {
        platform->wait(platform, bed.wait_ms);
        bed.wait_ms = ota_agent_poll(&bed.agent);
        waits++;
    }
    assert_memory_equal(said, "HTTP/1.1 401", 12);
    assert_true(waits < 20);
    close(peer);
}

/* What is no request to go by is answered, and told: once, however long the peer goes on. */
static void test_broken_requests_are_told(void **state)
{
    static const struct {
        const char *request, *answer, *told;
    } broken[] = {
        {"GARBAGE\r\n\r\n", "HTTP/1.1 501", "1 http: a request was refused: 501 Not Implemented\n"},
        {"POST /update HTTP/1.1\r\nHost: board\r\nno header\r\n\r\n", "HTTP/1.1 400",
         "1 http: a request was refused: 400 Bad Request\n"},
        {"POST /update HTTP/1.1\r\nHost: board\r\nContent-Length: 4294967296\r\n\r\n",
         "HTTP/1.1 413", "1 http: a request was refused: 413 Content Too Large\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        begin_anew();
        int peer = dial();
        assert_true(say(peer, broken[i].request, strlen(broken[i].request)));
        assert_true(hear(peer, broken[i].answer));
        (void)send(peer, "more", 4, MSG_NOSIGNAL);
        for (unsigned turn = 0; turn < 10; turn++) {
            bed_work(&bed);
        }
        const char *first = strstr(bed.log, broken[i].told);
        assert_non_null(first);
        assert_null(strstr(first + 1, broken[i].told));
        close(peer);
        assert_not_updated();
    }
    assert_int_equal(curl("-F image=@code.bin $BOARD/nothing"), 0);
    assert_null(strstr(bed.log, "404"));
}

static void test_fifty_at_once(void **state)
{
    (void)state;
    char arguments[256];
    snprintf(arguments, sizeof arguments,
             "-Z --parallel-immediate --parallel-max 50 -w '%%{http_code}\\n' -o /dev/null "
             "'http://127.0.0.1:%u/update?n=[1-50]' | sort | uniq -c",
             (unsigned)settings.port);
    assert_int_equal(curl(arguments), 0);
    assert_said(" 50 200\n");
    assert_int_equal(curl("-F image=@code.bin $BOARD/update"), 0);
    assert_updated();
}

/* Neither memory nor descriptors grow; the sanitizers see what is not given back. */
static void test_ten_thousand_updates(void **state)
{
    const struct image_facts facts = {.chip = OTA_CHIP_ESP32S3, .version = "1.1.0"};
    static char request[2048];
    unsigned before = bed_count_descriptors();

    (void)state;
    settings.restart = OTA_WEB_RESTART_BY_HAND;
    bed.image_len = image_make(bed.image, sizeof bed.image, &facts);
    begin_anew();
    size_t len = compose(request, sizeof request);
    assert_true(len + bed.image_len <= sizeof request);
    memcpy(request + len, bed.image, bed.image_len);
    for (unsigned i = 0; i < 10000; i++) {
        int peer = dial();
        assert_true(say(peer, request, len + bed.image_len));
        assert_true(hear(peer, "restart to run it."));
        close(peer);
    }
    assert_int_equal(bed.agent.intake.accepted, 10000);
    while (!nobody_is_there()) {
        bed_work(&bed);
    }
    assert_int_equal(bed_count_descriptors(), before);
}

/* Two requests in one piece, answered one after the other. */
static void test_requests_in_one_piece(void **state)
{
    char request[1024];
    int len = 0;

    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        len += snprintf(request + len, sizeof request - (size_t)len,
                        "GET /update/info?%u HTTP/1.1\r\nHost: board\r\n%s\r\n", i,
                        i == 4 ? "Connection: close\r\n" : "");
    }
    int peer = dial();
    assert_true(say(peer, request, (size_t)len));
    assert_false(hear(peer, NULL));
    close(peer);
    const char *at = bed.said;
    for (unsigned i = 0; i < 5; i++) {
        at = strstr(at, "HTTP/1.1 200 OK\r\n");
        assert_non_null(at);
        at++;
    }
}

static void test_pause(void **state)
{
    struct ota_service *service = &tested.service;
    int peer = dial();

    (void)state;
    assert_true(say(peer, "GET ", 4));
    service->pause(service, true);
    assert_false(hear(peer, NULL));
    close(peer);
    assert_true(nobody_is_there());
    service->pause(service, false);
    assert_int_equal(curl("$BOARD/update"), 0);
}

static void test_what_cannot_begin(void **state)
{
    struct ota_agent second;
    struct ota_web_service service;
    struct ota_agent_options options = bed.agent.options;
    struct ota_web_service_options none = settings;

    (void)state;
    ota_web_service_init(&service, &settings);
    options.services = &service.service;
    assert_int_equal(ota_agent_begin(&second, &options), OTA_ERR_PORT);
    none.connection_count = 0;
    ota_web_service_init(&service, &none);
    assert_int_equal(ota_agent_begin(&second, &options), OTA_ERR_ARGUMENT);
}

static void test_advert(void **state)
{
    struct ota_advert advert;

    (void)state;
    assert_true(tested.service.advert(&tested.service, &advert));
    assert_string_equal(advert.type, "_http._tcp");
    assert_int_equal(advert.port, settings.port);
    assert_string_equal(advert.txt[0], "path=/update");
    assert_null(advert.txt[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_restart),
        TEST(test_uploads_as_tools_do_them),
        TEST(test_what_is_refused),
        TEST(test_a_large_upload_that_is_refused),
        TEST(test_logins),
        TEST(test_digest_logins),
        TEST(test_digest_logins_of_a_library),
        TEST(test_one_connection_for_all),
        TEST(test_cut),
        TEST(test_half_closed),
        TEST(test_a_second_upload),
        TEST(test_idle_connections_make_room),
        TEST(test_half_heads_make_room),
        TEST(test_slow_heads_have_time),
        TEST(test_who_is_served_stays),
        TEST(test_who_was_refused_makes_room),
        TEST(test_what_is_not_read_wakes_nobody),
        TEST(test_broken_requests_are_told),
        TEST(test_fifty_at_once),
        TEST(test_ten_thousand_updates),
        TEST(test_requests_in_one_piece),
        TEST(test_pause),
        TEST(test_what_cannot_begin),
        TEST(test_advert),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
