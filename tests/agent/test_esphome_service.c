/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ESPHome update port of an agent on real sockets, with a host that shares no code with it
 * (esphome_peer, a program of its own): all generations of hosts, and a network that fails.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <posix/platform.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <updraft/esphome_service.h>
#include <updraft/slot.h>

#include "proto/ram_device.h"
#include "support/images.h"
#include "support/scratch.h"

#define IMAGE_SIZE 40000u

/* An address in use, with everything that a device is. */
static struct bed {
    struct posix_platform platform;
    struct ram_device ram;
    struct ota_agent agent;
    struct ota_esphome_service service;
    struct ota_esphome_service_options options;
    uint8_t buffer[4096];
    uint8_t image[IMAGE_SIZE + 64];
    size_t image_len;
    struct scratch folder;
    char log[16384];
    char said[256]; /* the peer's last line */
} bed;

static void log_line(struct ota_platform *platform, enum ota_log_level level, const char *tag,
                     const char *text)
{
    size_t len = strlen(bed.log);

    (void)platform;
    (void)snprintf(bed.log + len, sizeof bed.log - len, "%d %s: %s\n", (int)level, tag, text);
}

static void begin_agent(void)
{
    const struct ota_agent_options options = {
        .platform = &bed.platform.platform,
        .device = &bed.ram.device,
        .services = &bed.service.service,
        .buffer = bed.buffer,
        .buffer_size = sizeof bed.buffer,
        .stay = true,
    };

    bed.log[0] = '\0';
    ota_esphome_service_init(&bed.service, &bed.options);
    assert_int_equal(ota_agent_begin(&bed.agent, &options), OTA_OK);
    assert_non_null(bed.service.listener);
    assert_int_equal(bed.service.listener->port, bed.options.port);
}

/* A port that nobody has. */
static uint16_t find_port(void)
{
    struct ota_platform *platform = &bed.platform.platform;
    struct ota_listener *listener;

    assert_int_equal(platform->listen(platform, 0, &listener), OTA_OK);
    uint16_t port = listener->port;
    listener->close(listener);
    return port;
}

static void make_image(uint16_t chip)
{
    const struct image_facts facts = {.chip = chip, .size = IMAGE_SIZE, .version = "1.1.0"};

    bed.image_len = image_make(bed.image, sizeof bed.image, &facts);
    assert_true(bed.image_len > 0);
    scratch_write(&bed.folder, "image", bed.image, bed.image_len);
}

/* ---- The peer -------------------------------------------------------------------------------- */

static pid_t start_peer(const char *arguments, int *output)
{
    char command[512];
    int ends[2];

    snprintf(command, sizeof command, "exec %s %u %s %s", ESPHOME_PEER, (unsigned)bed.options.port,
             scratch_path(&bed.folder, "image"), arguments);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    *output = ends[0];
    return child;
}

/* Runs the peer beside the agent until it ends. Returns its exit status. */
static int run_peer(const char *arguments)
{
    int output, status;
    pid_t child = start_peer(arguments, &output);

    while (waitpid(child, &status, WNOHANG) == 0) {
        uint32_t wait_ms = ota_agent_poll(&bed.agent);
        bed.platform.platform.wait(&bed.platform.platform, wait_ms < 5 ? wait_ms : 5);
    }
    ssize_t len = read(output, bed.said, sizeof bed.said - 1);
    bed.said[len > 0 ? len : 0] = '\0';
    close(output);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* ---- Set-up ---------------------------------------------------------------------------------- */

static int set_up(void **state)
{
    (void)state;
    memset(&bed, 0, sizeof bed);
    scratch_make(&bed.folder);
    ram_device_make(&bed.ram);
    platform_init(&bed.platform);
    bed.platform.platform.log = log_line;
    make_image(OTA_CHIP_ESP32S3);
    bed.options.port = find_port();
    begin_agent();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ota_agent_end(&bed.agent);
    assert_int_equal(bed.platform.watch_count, 0);
    platform_close(&bed.platform);
    scratch_remove(&bed.folder);
    return 0;
}

/* ---- What it came to ------------------------------------------------------------------------- */

static bool nobody_is_there(void)
{
    for (size_t i = 0; i < OTA_ESPHOME_CLIENTS; i++) {
        if (bed.service.clients[i].stream != NULL) {
            return false;
        }
    }
    return true;
}

/* Lets the agent work until every host has gone. */
static void settle(void)
{
    while (!bed.agent.is_restarting && !nobody_is_there()) {
        uint32_t wait_ms = ota_agent_poll(&bed.agent);
        bed.platform.platform.wait(&bed.platform.platform, wait_ms < 5 ? wait_ms : 5);
    }
}

/* The update is in place, and the restart follows. */
static void assert_updated(void)
{
    int slot = OTA_SLOT_NONE;

    for (uint32_t wait_ms = 0; !bed.agent.is_restarting; wait_ms = ota_agent_poll(&bed.agent)) {
        assert_true(wait_ms <= OTA_ESPHOME_LINGER_MS);
        bed.platform.platform.wait(&bed.platform.platform, wait_ms);
    }
    assert_memory_equal(bed.ram.memory + RAM_OTA_0, bed.image, bed.image_len);
    assert_int_equal(ota_slot_boot(&bed.ram.device, &slot), OTA_OK);
    assert_int_equal(slot, 0);
    assert_int_equal(bed.platform.watch_count, 0);
}

static void assert_not_updated(int status, int expected, const char *said)
{
    assert_int_equal(status, expected);
    assert_memory_equal(bed.said, said, strlen(said));
    settle();
    assert_false(bed.agent.is_restarting);
    assert_int_equal(bed.agent.intake.state, OTA_INTAKE_FREE);
    assert_int_equal(bed.agent.intake.accepted, 0);
}

static void push_and_update(const char *arguments)
{
    assert_int_equal(run_peer(arguments), 0);
    assert_string_equal(bed.said, "accepted\n");
    assert_updated();
}

/* ---- Hosts of all generations ---------------------------------------------------------------- */

static void test_generations(void **state)
{
    static const char *const kinds[] = {
        "--generation 1",
        "--generation 2",
        "--generation 3",
        "--generation 1 --password secret",
        "--generation 2 --password s\xC3\xA9same",
        "--generation 3 --password secret --step 1000",
    };

    (void)state;
    for (uint8_t version = 1; version <= 2; version++) {
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
            ota_agent_end(&bed.agent);
            ram_device_make(&bed.ram);
            bed.options.version = version;
            bed.options.password = i < 3 ? NULL : i == 4 ? "s\xC3\xA9same" : "secret";
            begin_agent();
            push_and_update(kinds[i]);
            bool is_weak = strstr(bed.log, "MD5") != NULL;
            assert_int_equal(is_weak, i == 3);
        }
    }
}

static void test_wrong_password(void **state)
{
    (void)state;
    ota_agent_end(&bed.agent);
    bed.options.password = "secret";
    begin_agent();
    assert_not_updated(run_peer("--generation 1 --password Secret"), 2, "82");
    assert_not_updated(run_peer("--generation 3 --password Secret"), 2, "82");
    assert_non_null(strstr(bed.log, "1 esphome: 127.0.0.1: "));
    ota_agent_end(&bed.agent);
    bed.options.refuse_md5 = true;
    begin_agent();
    assert_not_updated(run_peer("--generation 1 --password secret"), 2, "82");
    push_and_update("--generation 2 --password secret");
}

/* What is wrong with the image reaches the host, whatever of it is still on its way. */
static void test_bad_images(void **state)
{
    (void)state;
    for (uint8_t version = 1; version <= 2; version++) {
        ota_agent_end(&bed.agent);
        bed.options.version = version;
        make_image(OTA_CHIP_ESP32S3);
        begin_agent();
        assert_not_updated(run_peer("--flip 20000"), 2, "84");
        assert_not_updated(run_peer("--md5 0123456789abcdef0123456789abcdef"), 2, "8B");
        assert_not_updated(run_peer("--flip 0 --generation 3"), 2, "80");
        make_image(OTA_CHIP_ESP32);
        assert_not_updated(run_peer(""), 2, "84");
    }
    uint8_t *large = scratch_noise(1, RAM_SLOT_SIZE + 1);
    scratch_write(&bed.folder, "image", large, RAM_SLOT_SIZE + 1);
    free(large);
    assert_not_updated(run_peer(""), 2, "89");
    make_image(OTA_CHIP_ESP32S3);
    push_and_update("");
}

/* ---- A network that fails -------------------------------------------------------------------- */

static unsigned count_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    unsigned count = 0;

    assert_non_null(folder);
    while (readdir(folder) != NULL) {
        count++;
    }
    closedir(folder);
    return count;
}

/* Cut at every 997th byte, by an end and by a reset: the next one works. */
static void test_cut(void **state)
{
    unsigned before = count_descriptors();
    char arguments[64];

    (void)state;
    for (unsigned cut = 0; cut < IMAGE_SIZE; cut += 997) {
        snprintf(arguments, sizeof arguments, "--cut %u %s", cut, cut % 2 == 1 ? "--reset" : "");
        assert_not_updated(run_peer(arguments), 5, "cut");
    }
    assert_int_equal(count_descriptors(), before);
    push_and_update("--generation 3");
}

static void test_one_byte_at_a_time(void **state)
{
    (void)state;
    push_and_update("--step 1");
}

/* A second host hears that it is not its turn; the first one is not disturbed. */
static void test_fifty_at_once(void **state)
{
    (void)state;
    for (unsigned generation = 1; generation <= 3; generation += 2) {
        char arguments[64];
        snprintf(arguments, sizeof arguments, "--clients 50 --generation %u", generation);
        ota_agent_end(&bed.agent);
        ram_device_make(&bed.ram);
        begin_agent();
        int status = run_peer(arguments);
        if (status != 0) {
            print_message("%s%s", bed.said, bed.log);
        }
        assert_int_equal(status, 0);
        assert_updated();
    }
}

/* Whoever connects and says nothing makes room within a second. */
static void test_silent_clients(void **state)
{
    int64_t begun_ms = platform_clock_ms();

    (void)state;
    push_and_update("--silent 8 --retry");
    assert_true(platform_clock_ms() - begun_ms < OTA_ESPHOME_HANDSHAKE_TIMEOUT_MS);
}

/* Between the acceptance and the restart nothing more is let in. */
static void test_second_push_before_the_restart(void **state)
{
    (void)state;
    push_and_update("--again");
    assert_int_equal(bed.agent.intake.accepted, 1);
}

/* While another way in has the device for itself, hosts are turned away. */
static void test_pause(void **state)
{
    struct ota_service *service = &bed.service.service;

    (void)state;
    service->pause(service, true);
    int status = run_peer("--generation 3");
    assert_true(status == 2 || status == 4);
    assert_true(nobody_is_there());
    service->pause(service, false);
    push_and_update("");
}

static void test_port_that_is_taken(void **state)
{
    struct ota_agent second;
    struct ota_esphome_service service;
    struct ota_agent_options options = bed.agent.options;

    (void)state;
    ota_esphome_service_init(&service, &bed.options);
    options.services = &service.service;
    assert_int_equal(ota_agent_begin(&second, &options), OTA_ERR_BUSY);
    bed.options.version = 3;
    ota_esphome_service_init(&service, &bed.options);
    assert_int_equal(ota_agent_begin(&second, &options), OTA_ERR_ARGUMENT);
    bed.options.version = 0;
}

static bool has_python(void)
{
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        execlp("python3", "python3", "-c", "", (char *)NULL);
        _exit(127);
    }
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_generations),
        TEST(test_wrong_password),
        TEST(test_bad_images),
        TEST(test_cut),
        TEST(test_one_byte_at_a_time),
        TEST(test_fifty_at_once),
        TEST(test_silent_clients),
        TEST(test_second_push_before_the_restart),
        TEST(test_pause),
        TEST(test_port_that_is_taken),
    };

    if (!has_python()) {
        print_message("no python3, no peer\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
