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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <updraft/esphome_service.h>

#include "agent/bed.h"

static struct bed bed;
static struct ota_esphome_service tested;
static struct ota_esphome_service_options settings;

static void begin_agent(void)
{
    ota_agent_end(&bed.agent);
    ota_esphome_service_init(&tested, &settings);
    bed_begin(&bed, &tested.service, NULL);
    assert_non_null(tested.listener);
    assert_int_equal(tested.listener->port, settings.port);
}

/* Another device, that was never updated. */
static void begin_anew(void)
{
    ota_agent_end(&bed.agent);
    ram_device_make(&bed.ram);
    begin_agent();
}

/* Runs the peer beside the agent until it ends. Returns its exit status. */
static int run_peer(const char *arguments)
{
    char command[512];

    (void)snprintf(command, sizeof command, "exec %s %u image %s", ESPHOME_PEER,
                   (unsigned)settings.port, arguments);
    return bed_run(&bed, command);
}

static int set_up(void **state)
{
    (void)state;
    bed_make(&bed);
    bed_make_image(&bed, "image", OTA_CHIP_ESP32S3);
    settings = (struct ota_esphome_service_options){.port = bed_find_port(&bed)};
    begin_agent();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    bed_remove(&bed);
    return 0;
}

/* ---- What it came to ------------------------------------------------------------------------- */

static bool nobody_is_there(void)
{
    for (size_t i = 0; i < OTA_ESPHOME_CLIENTS; i++) {
        if (tested.clients[i].stream != NULL) {
            return false;
        }
    }
    return true;
}

/* Lets the agent work until every host has gone. */
static void settle(void)
{
    while (!bed.agent.is_restarting && !nobody_is_there()) {
        bed_work(&bed);
    }
}

/* The update is in place, and the restart follows. */
static void assert_updated(void)
{
    for (bed_work(&bed); !bed.agent.is_restarting; bed_work(&bed)) {
        assert_true(bed.wait_ms <= OTA_ESPHOME_LINGER_MS);
    }
    bed_assert_in_place(&bed);
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
            settings.version = version;
            settings.password = i < 3 ? NULL : i == 4 ? "s\xC3\xA9same" : "secret";
            begin_anew();
            push_and_update(kinds[i]);
            bool is_weak = strstr(bed.log, "MD5") != NULL;
            assert_int_equal(is_weak, i == 3);
        }
    }
}

static void test_wrong_password(void **state)
{
    (void)state;
    settings.password = "secret";
    begin_agent();
    assert_not_updated(run_peer("--generation 1 --password Secret"), 2, "82");
    assert_not_updated(run_peer("--generation 3 --password Secret"), 2, "82");
    assert_non_null(strstr(bed.log, "1 esphome: 127.0.0.1: "));
    settings.refuse_md5 = true;
    begin_agent();
    assert_not_updated(run_peer("--generation 1 --password secret"), 2, "82");
    push_and_update("--generation 2 --password secret");
}

/* Whoever guesses is slowed down, though each guess is a connection of its own. */
static void test_guesses_are_slowed_down(void **state)
{
    uint32_t begin_ms;

    (void)state;
    settings.password = "secret";
    begin_agent();
    begin_ms = bed.platform.platform.now_ms(&bed.platform.platform);
    for (unsigned i = 0; i < 3; i++) {
        assert_not_updated(run_peer("--generation 2 --password Secret"), 2, "82");
    }
    push_and_update("--generation 2 --password secret");
    assert_true(bed.platform.platform.now_ms(&bed.platform.platform) - begin_ms >= 3500);
}

/* What is wrong with the image reaches the host, whatever of it is still on its way. */
static void test_bad_images(void **state)
{
    (void)state;
    for (uint8_t version = 1; version <= 2; version++) {
        settings.version = version;
        bed_make_image(&bed, "image", OTA_CHIP_ESP32S3);
        begin_agent();
        assert_not_updated(run_peer("--flip 20000"), 2, "84");
        assert_not_updated(run_peer("--md5 0123456789abcdef0123456789abcdef"), 2, "8B");
        assert_not_updated(run_peer("--flip 0 --generation 3"), 2, "80");
        bed_make_image(&bed, "image", OTA_CHIP_ESP32);
        assert_not_updated(run_peer(""), 2, "84");
    }
    uint8_t *large = scratch_noise(1, RAM_SLOT_SIZE + 1);
    scratch_write(&bed.folder, "image", large, RAM_SLOT_SIZE + 1);
    free(large);
    assert_not_updated(run_peer(""), 2, "89");
    bed_make_image(&bed, "image", OTA_CHIP_ESP32S3);
    push_and_update("");
}

/* ---- A network that fails -------------------------------------------------------------------- */

/* Cut at every 997th byte, by an end and by a reset: the next one works. */
static void test_cut(void **state)
{
    unsigned before = bed_count_descriptors();
    char arguments[64];

    (void)state;
    for (unsigned cut = 0; cut < BED_IMAGE_SIZE; cut += 997) {
        snprintf(arguments, sizeof arguments, "--cut %u %s", cut, cut % 2 == 1 ? "--reset" : "");
        assert_not_updated(run_peer(arguments), 5, "cut");
    }
    assert_int_equal(bed_count_descriptors(), before);
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
        begin_anew();
        int status = run_peer(arguments);
        if (status != 0) {
            print_message("%s%s", bed.said, bed.log);
        }
        assert_int_equal(status, 0);
        assert_updated();
    }
}

/* Whoever connects and says nothing makes room for the next one, long before the time-out. */
static void test_silent_clients(void **state)
{
    (void)state;
    push_and_update("--silent 8 --retry");
    assert_non_null(strstr(bed.log, ota_err_text(OTA_ERR_ABORTED)));
    assert_null(strstr(bed.log, ota_err_text(OTA_ERR_TIMEOUT)));
}

/* … also if it has said the magic bytes, which every client knows. */
static void test_clients_silent_after_the_greeting(void **state)
{
    (void)state;
    push_and_update("--silent 8 --greet --retry");
    assert_non_null(strstr(bed.log, ota_err_text(OTA_ERR_ABORTED)));
    assert_null(strstr(bed.log, ota_err_text(OTA_ERR_TIMEOUT)));
}

/* Between the acceptance and the restart nothing more is let in. */
static void test_second_push_before_the_restart(void **state)
{
    (void)state;
    push_and_update("--again");
    assert_int_equal(bed.agent.intake.accepted, 1);
}

/* While another way in has the device for itself, hosts are turned away. */
static void test_no_password(void **state)
{
    static const char warning[] = "1 esphome: no password is set: whoever reaches this board";

    (void)state;
    assert_non_null(strstr(bed.log, warning));
    settings.password = "secret";
    bed.log[0] = '\0';
    begin_agent();
    assert_null(strstr(bed.log, warning));
}

/* Who comes while a restart is due is told so before any login. */
static void test_restart_is_due(void **state)
{
    (void)state;
    settings.password = "secret";
    begin_agent();
    bed.agent.intake.is_closed = true;
    assert_not_updated(run_peer("--password wrong"), 2, "81");
    assert_non_null(strstr(bed.log, "1 esphome: 127.0.0.1: the device is about to restart"));
    bed.agent.intake.is_closed = false;
    settings.password = NULL;
    begin_agent();
    push_and_update("");
}

static void test_pause(void **state)
{
    struct ota_service *service = &tested.service;

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
    ota_esphome_service_init(&service, &settings);
    options.services = &service.service;
    assert_int_equal(ota_agent_begin(&second, &options), OTA_ERR_PORT);
    settings.version = 3;
    ota_esphome_service_init(&service, &settings);
    assert_int_equal(ota_agent_begin(&second, &options), OTA_ERR_ARGUMENT);
    settings.version = 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_generations),
        TEST(test_wrong_password),
        TEST(test_guesses_are_slowed_down),
        TEST(test_bad_images),
        TEST(test_cut),
        TEST(test_one_byte_at_a_time),
        TEST(test_fifty_at_once),
        TEST(test_silent_clients),
        TEST(test_clients_silent_after_the_greeting),
        TEST(test_second_push_before_the_restart),
        TEST(test_no_password),
        TEST(test_restart_is_due),
        TEST(test_pause),
        TEST(test_port_that_is_taken),
    };

    if (!bed_has_python()) {
        print_message("no python3, no peer\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
