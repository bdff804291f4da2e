/* SPDX-License-Identifier: Apache-2.0 */
/* Services of the network put together to devices, and what `updraft discover` refuses. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/found_devices.h"
#include "cli/run_command.h"
#include "posix/mdns_list.h"

static struct mdns_list list;
static struct found_devices found;

static int begin(void **state)
{
    (void)state;
    list = (struct mdns_list){.services = NULL};
    return 0;
}

static int end(void **state)
{
    (void)state;
    found_devices_free(&found);
    mdns_list_free(&list);
    return 0;
}

/* Adds a service with up to three entries of TXT. */
static void add(const char *name, const char *type, const char *host, uint8_t last, uint16_t port,
                const char *const txt[3])
{
    const struct ota_address address = {.ip = {[10] = 0xFF, [11] = 0xFF, [12] = 10, [15] = last},
                                        .port = port};
    struct mdns_service *service = mdns_list_add(&list, name, type, host, &address);
    assert_non_null(service);
    for (size_t i = 0; txt != NULL && i < 3 && txt[i] != NULL; i++) {
        mdns_service_add_txt(service, txt[i], strlen(txt[i]));
    }
}

static void test_services_of_one_host_are_one_device(void **unused)
{
    (void)unused;
    add("garden page", "_http._tcp", "Garden.local", 1, 80, NULL);
    add("garden", "_arduino._tcp", "garden.local", 1, 3232,
        (const char *const[3]){"board=esp32", "auth_upload=yes", "accept=gzip"});
    add("blinds", "_arduino._tcp", "blinds.local", 2, 8266,
        (const char *const[3]){"board=", "auth_upload=no"});
    found_devices_make(&found, &list);
    assert_int_equal(found.count, 2);

    const struct found_device *blinds = &found.devices[0];
    assert_string_equal(blinds->host, "blinds.local");
    assert_string_equal(blinds->address, "10.0.0.2");
    assert_null(blinds->board);
    assert_int_equal(blinds->way_count, 1);
    assert_false(blinds->ways[0].password);
    assert_false(blinds->ways[0].gzip);
    assert_null(found_device_way(blinds, FOUND_WEB));

    const struct found_device *garden = &found.devices[1];
    assert_string_equal(garden->board, "esp32");
    assert_int_equal(garden->way_count, 2);
    assert_int_equal(garden->ways[0].kind, FOUND_ESPOTA);
    assert_true(garden->ways[0].password);
    assert_true(garden->ways[0].gzip);
    assert_int_equal(found_device_way(garden, FOUND_WEB)->port, 80);
    assert_string_equal(found_way_name(&garden->ways[1]), "web page");
}

static void test_ports_of_esphome_follow_from_the_platform(void **unused)
{
    (void)unused;
    add("a", "_esphomelib._tcp", "a.local", 1, 6053,
        (const char *const[3]){"platform=ESP32", "board=esp32dev"});
    add("b", "_esphomelib._tcp", "b.local", 2, 6053, (const char *const[3]){"platform=ESP8266"});
    add("c", "_esphomelib._tcp", "c.local", 3, 6053, (const char *const[3]){"platform=abacus"});
    add("d", "_esphomelib._tcp", "d.local", 4, 6053, NULL);
    found_devices_make(&found, &list);
    assert_int_equal(found.count, 4);
    assert_int_equal(found.devices[0].ways[0].port, 3232);
    assert_string_equal(found.devices[0].board, "esp32dev");
    assert_int_equal(found.devices[1].ways[0].port, 8266);
    assert_int_equal(found.devices[2].ways[0].port, 0);
    assert_int_equal(found.devices[3].ways[0].port, 0);
}

static void test_other_types_and_many_services(void **unused)
{
    (void)unused;
    for (uint16_t i = 0; i < 2 * FOUND_WAYS_MAX; i++) {
        add("desk", "_ipp._tcp", "desk.local", 1, (uint16_t)(600 + i), NULL);
    }
    found_devices_make(&found, &list);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.devices[0].way_count, FOUND_WAYS_MAX);
    assert_int_equal(found.devices[0].ways[0].port, 600);
    assert_string_equal(found_way_name(&found.devices[0].ways[0]), "_ipp._tcp");
}

static void test_nothing_found(void **unused)
{
    (void)unused;
    found_devices_make(&found, &list);
    assert_int_equal(found.count, 0);
}

static void test_types_that_are_none(void **unused)
{
    (void)unused;
    run_expect(2, "discover --type arduino");
    run_expect(2, "discover --type _arduino");
    run_expect(2, "discover --type _tcp");
    run_expect(2, "discover --type '_a b._tcp'");
    run_expect(2, "discover --timeout 0");
    run_expect(2, "discover garden");
    run_expect_text(run_expect(2, "discover --type _a._tcp --type x")->err, "_arduino._tcp");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_services_of_one_host_are_one_device),
        TEST(test_ports_of_esphome_follow_from_the_platform),
        TEST(test_other_types_and_many_services),
        TEST(test_nothing_found),
        TEST(test_types_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
