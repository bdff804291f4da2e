/* SPDX-License-Identifier: Apache-2.0 */
/* The list of services that multicast DNS finds: merged, sorted, bounded. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "posix/mdns_list.h"

static struct mdns_list list;

static int begin(void **state)
{
    (void)state;
    list = (struct mdns_list){.services = NULL};
    return 0;
}

static int end(void **state)
{
    (void)state;
    mdns_list_free(&list);
    assert_null(list.services);
    return 0;
}

static struct ota_address ipv4(uint8_t first, uint8_t last, uint16_t port)
{
    return (struct ota_address){.ip = {[10] = 0xFF, [11] = 0xFF, [12] = first, [15] = last},
                                .port = port};
}

static struct mdns_service *add(const char *name, const char *type, struct ota_address address)
{
    char host[64];
    snprintf(host, sizeof host, "%s.local", name);
    return mdns_list_add(&list, name, type, host, &address);
}

static void test_sorted_by_name_type_and_port(void **unused)
{
    (void)unused;
    add("garden", "_http._tcp", ipv4(10, 1, 80));
    add("blinds", "_http._tcp", ipv4(10, 2, 80));
    add("garden", "_arduino._tcp", ipv4(10, 1, 8266));
    add("zoo", "_arduino._tcp", ipv4(10, 3, 3232));
    add("garden", "_arduino._tcp", ipv4(10, 1, 3232));
    static const struct {
        const char *name;
        uint16_t port;
    } expected[] = {
        {"blinds", 80}, {"garden", 3232}, {"garden", 8266}, {"garden", 80}, {"zoo", 3232}};
    assert_int_equal(list.count, 5);
    for (size_t i = 0; i < list.count; i++) {
        assert_string_equal(list.services[i].name, expected[i].name);
        assert_int_equal(list.services[i].port, expected[i].port);
    }
}

static void test_what_is_heard_twice_is_merged(void **unused)
{
    (void)unused;
    const struct ota_address link_local = {.ip = {0xFE, 0x80, [15] = 9}, .scope = 4, .port = 3232};
    const struct ota_address global = {.ip = {0x20, 0x01, [15] = 9}, .port = 3232};
    const struct ota_address loopback6 = {.ip = {[15] = 1}, .port = 3232};
    for (int i = 0; i < 2; i++) {
        add("garden", "_arduino._tcp", link_local);
        add("garden", "_arduino._tcp", ipv4(127, 1, 3232));
        add("garden", "_arduino._tcp", loopback6);
        add("garden", "_arduino._tcp", global);
        add("garden", "_arduino._tcp", ipv4(192, 5, 3232));
        add("garden", "_arduino._tcp", ipv4(10, 5, 3232));
    }
    static const char *const expected[] = {"10.0.0.5",  "192.0.0.5", "2001::9",
                                           "fe80::9%4", "127.0.0.1", "::1"};
    assert_int_equal(list.count, 1);
    const struct mdns_service *service = &list.services[0];
    assert_int_equal(service->address_count, sizeof expected / sizeof *expected);
    for (size_t i = 0; i < service->address_count; i++) {
        char text[MDNS_ADDRESS_SIZE];
        assert_string_equal(mdns_address_text(&service->addresses[i], text), expected[i]);
        assert_int_equal(service->addresses[i].port, 3232);
    }
}

static void test_the_best_of_many_addresses_are_kept(void **unused)
{
    (void)unused;
    for (uint8_t i = 40; i > 0; i--) {
        add("garden", "_arduino._tcp", ipv4(10, i, 3232));
    }
    const struct mdns_service *service = &list.services[0];
    assert_int_equal(service->address_count, MDNS_ADDRESSES_MAX);
    for (uint8_t i = 0; i < MDNS_ADDRESSES_MAX; i++) {
        assert_int_equal(service->addresses[i].ip[15], i + 1);
    }
    for (uint8_t i = 100; i < 120; i++) {
        add("garden", "_arduino._tcp", ipv4(10, i, 3232));
    }
    assert_int_equal(list.services[0].addresses[MDNS_ADDRESSES_MAX - 1].ip[15], MDNS_ADDRESSES_MAX);
}

static void test_a_noisy_network_is_bounded(void **unused)
{
    (void)unused;
    for (unsigned i = 0; i < MDNS_SERVICES_MAX + 10; i++) {
        char name[16];
        snprintf(name, sizeof name, "d%05u", i);
        assert_int_equal(add(name, "_http._tcp", ipv4(10, 1, 80)) != NULL, i < MDNS_SERVICES_MAX);
    }
    assert_int_equal(list.count, MDNS_SERVICES_MAX);
    assert_non_null(add("d00000", "_http._tcp", ipv4(10, 2, 80)));
    assert_int_equal(list.services[0].address_count, 2);
}

static void test_txt_records(void **unused)
{
    (void)unused;
    struct mdns_service *service = add("garden", "_arduino._tcp", ipv4(10, 1, 3232));
    static const char *const entries[] = {"board=esp32", "auth_upload=yes", "flag",
                                          "empty=", "a=b=c"};
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        mdns_service_add_txt(service, entries[i], strlen(entries[i]));
    }
    mdns_service_add_txt(service, "nul=1\0002", 7);
    mdns_service_add_txt(service, "cut=123456", 5);
    assert_string_equal(mdns_txt(service, "board"), "esp32");
    assert_string_equal(mdns_txt(service, "AUTH_upload"), "yes");
    assert_string_equal(mdns_txt(service, "flag"), "");
    assert_string_equal(mdns_txt(service, "empty"), "");
    assert_string_equal(mdns_txt(service, "a"), "b=c");
    assert_string_equal(mdns_txt(service, "nul"), "1");
    assert_string_equal(mdns_txt(service, "cut"), "1");
    assert_null(mdns_txt(service, "boar"));
    assert_null(mdns_txt(service, "boards"));
    for (int i = 0; i < 1000; i++) {
        mdns_service_add_txt(service, "x", 1);
    }
    assert_in_range(service->txt_count, 7, 100);
    mdns_service_clear_txt(service);
    assert_null(mdns_txt(service, "board"));
}

static void test_names(void **unused)
{
    (void)unused;
    const struct ota_address address = ipv4(10, 1, 3232);
    const struct mdns_service *service =
        mdns_list_add(&list, "The Garden", "_arduino._tcp", "garden.local", &address);
    assert_true(mdns_service_is_named(service, "the garden"));
    assert_true(mdns_service_is_named(service, "garden"));
    assert_true(mdns_service_is_named(service, "GARDEN.local"));
    assert_false(mdns_service_is_named(service, "gard"));
    assert_false(mdns_service_is_named(service, "garden.loc"));
    assert_false(mdns_service_is_named(service, "garden-2.local"));
    assert_false(mdns_service_is_named(service, ""));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_sorted_by_name_type_and_port),
        TEST(test_what_is_heard_twice_is_merged),
        TEST(test_the_best_of_many_addresses_are_kept),
        TEST(test_a_noisy_network_is_bounded),
        TEST(test_txt_records),
        TEST(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
