/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Arduino update protocol of an agent on real sockets, with a host that shares no code with it
 * (espota_peer, a program of its own) and behaves as each of the original tools does, and a
 * network that fails.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <updraft/espota_service.h>

#include "agent/bed.h"

static struct bed bed;
static struct ota_espota_service tested;
static struct ota_espota_service_options settings;
static char events[128]; /* a letter for each of the sketch's */

/* What the clock is ahead of the true one, and by how much the next progress sets it forward: as if
   flash or a look-up had held the agent up that long. */
static uint32_t ahead_ms, holds_up_ms;

static uint32_t clock_that_jumps(struct ota_platform *platform)
{
    struct timespec now;

    (void)platform;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)now.tv_sec * 1000u + (uint32_t)(now.tv_nsec / 1000000) + ahead_ms;
}

static void on_event(void *context, const struct ota_espota *espota, enum ota_espota_event event)
{
    size_t len = strlen(events);

    if (event == OTA_ESPOTA_PROGRESS && espota->received > 0) {
        ahead_ms += holds_up_ms;
        holds_up_ms = 0;
    }

    (void)context;
    if (event != OTA_ESPOTA_PROGRESS && len + 1 < sizeof events) {
        events[len] = "iLSpEX"[event];
        events[len + 1] = '\0';
    }
}

/* ---- The agent ------------------------------------------------------------------------------- */

static void begin_agent(void)
{
    ota_agent_end(&bed.agent);
    events[0] = '\0';
    settings.on_event = on_event;
    ota_espota_service_init(&tested, &settings);
    bed_begin(&bed, &tested.service, "storage");
    assert_non_null(tested.datagrams);
    assert_int_equal(tested.datagrams->port, settings.port);
}

/* Another device, that was never updated. */
static void begin_anew(void)
{
    ram_device_make(&bed.ram);
    begin_agent();
}

/* A port that nobody receives datagrams at. */
static uint16_t find_port(void)
{
    struct ota_platform *platform = &bed.platform.platform;
    struct ota_datagrams *datagrams;

    assert_int_equal(platform->open_datagrams(platform, 0, &datagrams), OTA_OK);
    uint16_t port = datagrams->port;
    datagrams->close(datagrams);
    return port;
}

/* ---- The peer -------------------------------------------------------------------------------- */

static const char *peer_command(const char *arguments)
{
    static char command[512];

    (void)snprintf(command, sizeof command, "exec %s %u image %s", ESPOTA_PEER,
                   (unsigned)settings.port, arguments);
    return command;
}

/* Runs the peer beside the agent until it ends. Returns its exit status. */
static int run_peer(const char *arguments)
{
    return bed_run(&bed, peer_command(arguments));
}

/* ---- What it came to ------------------------------------------------------------------------- */

static void assert_updated(void)
{
    while (!bed.agent.is_restarting) {
        bed_work(&bed);
    }
    bed_assert_in_place(&bed);
    assert_int_equal(bed.platform.watch_count, 0);
}

static void push_and_update(const char *arguments)
{
    int status = run_peer(arguments);

    if (status != 0) {
        print_message("%s: %s%s", arguments, bed.said, bed.log);
    }
    assert_int_equal(status, 0);
    assert_updated();
}

/* The tool fails with these words, and nothing has changed. */
static void assert_fails(const char *arguments, const char *said)
{
    int status = run_peer(arguments);

    if (status != 1 || strncmp(bed.said, said, strlen(said)) != 0) {
        print_message("%s: %d %s%s", arguments, status, bed.said, bed.log);
    }
    assert_int_equal(status, 1);
    assert_memory_equal(bed.said, said, strlen(said));
    while (tested.espota.state != OTA_ESPOTA_IDLE) {
        bed_work(&bed);
    }
    bed_work(&bed);
    assert_false(bed.agent.is_restarting);
    assert_int_equal(bed.agent.intake.state, OTA_INTAKE_FREE);
    assert_int_equal(bed.agent.intake.accepted, 0);
    assert_int_equal(bed.platform.watch_count, 1);
}

static int set_up(void **state)
{
    (void)state;
    bed_make(&bed);
    bed_make_image(&bed, "image", OTA_CHIP_ESP32S3);
    settings = (struct ota_espota_service_options){.port = find_port()};
    begin_agent();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    bed_remove(&bed);
    return 0;
}

/* ---- The tools ------------------------------------------------------------------------------- */

static const char *const tools[] = {"esp8266", "pico", "esp32", "esp32-pbkdf2"};

#define TOOLS (sizeof tools / sizeof *tools)

/* Each tool with each kind of device, with the device's own gap. */
static void test_tools(void **state)
{
    char arguments[64];

    (void)state;
    for (size_t tool = 0; tool < TOOLS; tool++) {
        settings.profile = tool < 2 ? OTA_ESPOTA_ESP8266 : OTA_ESPOTA_ESP32;
        begin_anew();
        (void)snprintf(arguments, sizeof arguments, "--tool %s", tools[tool]);
        push_and_update(arguments);
        assert_string_equal(events, "iSE");
    }
    settings.profile = OTA_ESPOTA_RP2040;
    begin_anew();
    push_and_update("--tool pico");
    settings.profile = OTA_ESPOTA_ESP32; /* a shorter gap is long enough */
    begin_anew();
    push_and_update("--tool esp8266");
}

/* One device lets all of them in, by the login that they know; the log says which was the weak
   one. */
static void test_passwords(void **state)
{
    static const char *const arguments[] = {
        "--tool esp8266 --password s\xC3\xA9same",
        "--tool pico --password s\xC3\xA9same",
        "--tool esp32 --password s\xC3\xA9same",
        "--tool esp32 --password s\xC3\xA9same --windows",
        "--tool esp32-pbkdf2 --password s\xC3\xA9same",
        "--tool esp32-pbkdf2 --password s\xC3\xA9same --md5-target",
    };

    (void)state;
    settings.password = "s\xC3\xA9same";
    settings.gap_ms = 200;
    for (size_t i = 0; i < sizeof arguments / sizeof *arguments; i++) {
        begin_anew();
        push_and_update(arguments[i]);
        assert_string_equal(events, i == 3 ? "iiLSE" : "iLSE");
        bool is_weak = strstr(bed.log, "1 espota: 127.0.0.1 proved the password by MD5") != NULL;
        assert_int_equal(is_weak, i < 4);
    }
}

static void test_wrong_passwords(void **state)
{
    (void)state;
    settings.password = "secret";
    settings.gap_ms = 200;
    begin_anew();
    assert_fails("--tool esp8266 --password Secret", "Authentication Failed\n");
    assert_fails("--tool esp32 --password Secret", "Authentication Failed\n");
    assert_fails("--tool esp32-pbkdf2 --password Secret",
                 "Authentication Failed: Authentication Failed\n");
    assert_string_equal(events, "iXiXiXiX");
    assert_non_null(strstr(bed.log, "1 espota: 127.0.0.1 gave a wrong password\n"));
    push_and_update("--tool esp32-pbkdf2 --password secret"); /* late, and in time */
}

/* A device that takes the strong login only, and one that keeps nothing but the MD5. */
static void test_settings(void **state)
{
    (void)state;
    settings.password = "secret";
    settings.login = OTA_ESPOTA_LOGIN_SHA256;
    settings.gap_ms = 200;
    begin_anew();
    assert_fails("--tool esp8266 --password secret", "Authentication Failed\n");
    push_and_update("--tool esp32-pbkdf2 --password secret");
    settings.password = NULL;
    settings.md5_hash = "5ebe2294ecd0e0f08eab7690d2a6ee69";
    begin_anew();
    push_and_update("--tool esp32-pbkdf2 --password secret");
    settings.login = OTA_ESPOTA_LOGIN_MD5;
    for (size_t tool = 0; tool < TOOLS; tool++) {
        char arguments[64];
        (void)snprintf(arguments, sizeof arguments, "--tool %s --password secret", tools[tool]);
        begin_anew();
        push_and_update(arguments);
    }
}

static void test_file_system(void **state)
{
    uint8_t *data = scratch_noise(3, 10001);

    (void)state;
    settings.gap_ms = 200;
    begin_anew();
    scratch_write(&bed.folder, "image", data, 10001);
    assert_int_equal(run_peer("--data --tool esp8266"), 0);
    while (!bed.agent.is_restarting) {
        bed_work(&bed);
    }
    assert_memory_equal(bed.ram.memory + RAM_STORAGE, data, 10001);
    free(data);
}

/* ---- What is wrong reaches the host ---------------------------------------------------------- */

static void test_bad_images(void **state)
{
    (void)state;
    settings.profile = OTA_ESPOTA_ESP8266;
    begin_anew();
    assert_fails("--tool esp8266 --flip 0", "ERROR[10]: Magic byte is not 0xE9\n");
    assert_fails("--tool esp8266 --md5 0123456789abcdef0123456789abcdef",
                 "ERROR[7]: MD5 verification failed: expected: 0123456789abcdef012\n");
    assert_fails("--tool pico --flip 30000", "ERROR[");
    bed_make_image(&bed, "image", OTA_CHIP_ESP32);
    assert_fails("--tool esp8266", "ERROR[10]: the image is made for another chip\n");
    settings.profile = OTA_ESPOTA_ESP32;
    begin_anew();
    assert_fails("--tool esp32", "Error response from device: ");
    assert_non_null(strstr(bed.said, "Error: the image is made for another chip"));
    bed_make_image(&bed, "image", OTA_CHIP_ESP32S3);
    assert_fails("--tool esp32 --md5 0123456789abcdef0123456789abcdef",
                 "Error response from device: MD5 Check Failed");
    push_and_update("--tool esp32");
}

static void test_too_large(void **state)
{
    uint8_t *large = scratch_noise(1, RAM_SLOT_SIZE + 1);

    (void)state;
    scratch_write(&bed.folder, "image", large, RAM_SLOT_SIZE + 1);
    free(large);
    settings.profile = OTA_ESPOTA_ESP8266;
    begin_anew();
    assert_fails("--tool esp8266", "Bad Answer: ERR: ERROR[4]: Not Enough Space\n");
    settings.profile = OTA_ESPOTA_ESP32;
    begin_anew();
    assert_fails("--tool esp32", "Bad Answer: ERR: Not Enough Space");
    assert_string_equal(events, "iX");
}

/* ---- A network that fails -------------------------------------------------------------------- */

static void test_lost_and_doubled(void **state)
{
    (void)state;
    settings.gap_ms = 200;
    begin_anew();
    push_and_update("--double");
    begin_anew();
    push_and_update("--lose 2 --timeout 0.3"); /* its first OKs: it asks again */
    settings.password = "secret";
    for (size_t tool = 0; tool < TOOLS; tool++) {
        char arguments[64];
        (void)snprintf(arguments, sizeof arguments, "--double --tool %s --password secret",
                       tools[tool]);
        begin_anew();
        push_and_update(arguments);
    }
    begin_anew();
    push_and_update("--lose 1 --timeout 0.3 --tool esp32-pbkdf2 --password secret");
}

static void test_slow(void **state)
{
    (void)state;
    settings.gap_ms = 200;
    begin_anew();
    push_and_update("--step 1");
    begin_anew();
    push_and_update("--step 600 --slow 5 --tool esp8266");
}

/* Cut at every 997th byte, by an end and by a reset: the next one works. */
static void test_cut(void **state)
{
    char arguments[64];

    (void)state;
    settings.gap_ms = 1;
    begin_anew();
    unsigned before = bed_count_descriptors();
    for (unsigned cut = 0; cut < BED_IMAGE_SIZE; cut += 997) {
        (void)snprintf(arguments, sizeof arguments, "--cut %u %s", cut,
                       cut % 2 == 1 ? "--reset" : "");
        assert_fails(arguments, "cut\n");
    }
    assert_int_equal(bed_count_descriptors(), before);
    push_and_update("");
}

/* The host's firewall: the device cannot connect back, and says so. */
static void test_no_connection_back(void **state)
{
    (void)state;
    settings.gap_ms = 200;
    begin_anew();
    assert_fails("--deaf", "No response from device\n");
    assert_string_equal(events, "iSX");
    assert_non_null(strstr(bed.log, "1 espota: cannot connect to 127.0.0.1 port "));
    push_and_update("");
}

/* A host that goes on strike; another one is served afterwards. */
static void test_silent_host(void **state)
{
    (void)state;
    settings.gap_ms = 1;
    settings.receive_timeout_ms = 300;
    begin_anew();
    assert_fails("--silent 20000", "the device gave up\n");
    assert_non_null(strstr(bed.log, "1 espota: 127.0.0.1: nothing came for too long"));
    push_and_update("");
}

static void test_fifty_at_once(void **state)
{
    (void)state;
    settings.gap_ms = 200;
    begin_anew();
    push_and_update("--clients 50 --timeout 0.2 --tool esp8266");
    settings.password = "secret";
    begin_anew();
    /* Who comes later takes the nonce of who came before; in the end one has the last word. */
    (void)run_peer("--clients 50 --timeout 0.2 --tool esp32-pbkdf2 --password secret");
    if (bed.agent.intake.accepted == 0) {
        push_and_update("--password secret");
    }
    assert_updated();
}

/* ---- The service ----------------------------------------------------------------------------- */

static void assert_advert(const char *board, const char *auth)
{
    struct ota_service *service = &tested.service;
    struct ota_advert advert;

    assert_true(service->advert(service, &advert));
    assert_string_equal(advert.type, "_arduino._tcp");
    assert_int_equal(advert.port, settings.port);
    assert_string_equal(advert.txt[0], "tcp_check=no");
    assert_string_equal(advert.txt[1], "ssh_upload=no");
    assert_string_equal(advert.txt[2], board);
    assert_string_equal(advert.txt[3], auth);
    assert_null(advert.txt[4]);
}

static void test_advert(void **state)
{
    (void)state;
    assert_advert("board=esp32s3", "auth_upload=no");
    assert_non_null(strstr(bed.log, "1 espota: no password is set"));
    settings.profile = OTA_ESPOTA_ESP8266;
    settings.password = "secret";
    begin_agent();
    assert_advert("board=generic", "auth_upload=yes");
    assert_non_null(strstr(bed.log, "2 espota: logins by MD5 are allowed"));
    settings.board = "my-board-with-a-name-that-is-much-too-long-to-be-advertised-whole";
    begin_agent();
    assert_advert("board=my-board-with-a-name-that-is-much-too-long-to-b", "auth_upload=yes");
}

/* While another way in has the device for itself, hosts are told that it is busy. */
static void test_busy(void **state)
{
    const struct ota_arrival other = {.way = "http", .size = 1000};

    (void)state;
    settings.profile = OTA_ESPOTA_ESP8266;
    settings.gap_ms = 200;
    begin_anew();
    assert_int_equal(ota_intake_begin(&bed.agent.intake, &other), OTA_OK);
    assert_int_equal(run_peer("--tool esp8266"), 1);
    assert_string_equal(bed.said, "Bad Answer: ERR: ERROR[15]: Update already running\n\n");
    ota_intake_abort(&bed.agent.intake);
    push_and_update("--tool esp8266");
}

/* What the device takes its time for is not held against a host that waits for its answer. */
static void test_a_turn_that_takes_long(void **state)
{
    (void)state;
    bed.platform.platform.now_ms = clock_that_jumps;
    begin_anew();
    holds_up_ms = 10 * OTA_ESPOTA_PACE_MS;
    push_and_update("");
    assert_int_equal(holds_up_ms, 0);
}

static void test_pause(void **state)
{
    struct ota_service *service = &tested.service;
    int output, status;

    (void)state;
    settings.gap_ms = 200;
    begin_anew();
    pid_t child = bed_start(&bed, peer_command("--silent 20000"), &output);
    while (tested.espota.received < 20000) {
        bed_work(&bed);
    }
    service->pause(service, true);
    assert_int_equal(bed.agent.intake.state, OTA_INTAKE_FREE);
    assert_int_equal(bed.platform.watch_count, 1);
    service->pause(service, false);
    assert_int_equal(waitpid(child, &status, 0), child);
    close(output);
    push_and_update("");
}

/* The restart is somebody else's business, if that is wanted. */
static void test_stay(void **state)
{
    (void)state;
    settings.gap_ms = 200;
    settings.stay = true;
    begin_anew();
    assert_int_equal(run_peer(""), 0);
    while (tested.espota.state != OTA_ESPOTA_IDLE) {
        bed_work(&bed);
    }
    assert_int_equal(bed.agent.intake.accepted, 1);
    assert_false(bed.agent.is_restart_due);
    assert_false(bed.agent.is_restarting);
}

static void test_bad_options(void **state)
{
    struct ota_agent second;
    struct ota_espota_service service;
    struct ota_agent_options options = bed.agent.options;

    (void)state;
    ota_espota_service_init(&service, &settings);
    options.services = &service.service;
    assert_int_equal(ota_agent_begin(&second, &options), OTA_ERR_PORT);
    settings.md5_hash = "too short";
    ota_espota_service_init(&service, &settings);
    assert_int_equal(ota_agent_begin(&second, &options), OTA_ERR_ARGUMENT);
    settings.md5_hash = NULL;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_tools),
        TEST(test_passwords),
        TEST(test_wrong_passwords),
        TEST(test_settings),
        TEST(test_file_system),
        TEST(test_bad_images),
        TEST(test_too_large),
        TEST(test_lost_and_doubled),
        TEST(test_slow),
        TEST(test_cut),
        TEST(test_no_connection_back),
        TEST(test_silent_host),
        TEST(test_fifty_at_once),
        TEST(test_advert),
        TEST(test_busy),
        TEST(test_a_turn_that_takes_long),
        TEST(test_pause),
        TEST(test_stay),
        TEST(test_bad_options),
    };

    if (!bed_has_python()) {
        print_message("no python3, no peer\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
