/* SPDX-License-Identifier: Apache-2.0 */
/* What `board run` asks for, on its way to the firmware and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "posix/ways.h"

static void test_none(void **state)
{
    struct ways ways;

    (void)state;
    assert_true(ways_read(&ways, NULL));
    assert_false(ways_any(&ways));
    assert_int_equal(ways.espota, WAYS_CLOSED);
    assert_int_equal(ways.window_from, WAYS_CLOSED);
    assert_null(ways.password);
    ways_free(&ways);
}

static void test_all_of_them(void **state)
{
    struct ways ways;
    struct ways back;

    (void)state;
    ways_init(&ways);
    ways.espota = 0;
    ways.esphome = 3232;
    ways.http = 65535;
    ways.host_name = "porch";
    ways.password = "\"quotes\" \\ and \n \xC3\xA4";
    ways.refuse_md5 = ways.restart_by_hand = ways.exclusive = true;
    ways.ca_file = "ca.pem";
    ways.fingerprint = "00:11";
    ways.update_url = "https://127.0.0.1/a.bin";
    ways.upgrade_list = "list.json";
    ways.sdcard = "card";
    ways.window_from = 1380;
    ways.window_to = 60;
    ways.armed_s = 60;
    ways.refuse_older = true;
    char *text = ways_write(&ways);
    assert_true(ways_read(&back, text));
    free(text);
    assert_true(ways_any(&back));
    assert_int_equal(back.espota, 0);
    assert_int_equal(back.esphome, 3232);
    assert_int_equal(back.http, 65535);
    assert_string_equal(back.host_name, ways.host_name);
    assert_string_equal(back.password, ways.password);
    assert_true(back.refuse_md5 && back.restart_by_hand && back.exclusive);
    assert_false(back.restart_at_once);
    assert_string_equal(back.ca_file, ways.ca_file);
    assert_string_equal(back.fingerprint, ways.fingerprint);
    assert_string_equal(back.update_url, ways.update_url);
    assert_string_equal(back.upgrade_list, ways.upgrade_list);
    assert_string_equal(back.sdcard, ways.sdcard);
    assert_int_equal(back.window_from, 1380);
    assert_int_equal(back.window_to, 60);
    assert_int_equal(back.armed_s, 60);
    assert_true(back.refuse_older);
    assert_false(back.refuse_same || back.refuse_project);
    ways_free(&back);
    assert_false(ways_any(&back));
}

static void test_what_is_none(void **state)
{
    static const char *const texts[] = {"", "x", "[]", "{}", "{\"espota\": \"0\"}", "7"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct ways ways;
        assert_false(ways_read(&ways, texts[i]));
        ways_free(&ways);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_all_of_them),
        cmocka_unit_test(test_what_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
