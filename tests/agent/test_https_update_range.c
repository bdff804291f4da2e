/* SPDX-License-Identifier: Apache-2.0 */
/* The update from one URL in ranges, and resumed. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include <updraft/https_update.h>

#include "agent/web_stage.h"

static struct ota_https_update update;

static struct ota_https_update_options in_ranges(struct web *web, uint32_t max_request)
{
    return (struct ota_https_update_options){
        .platform = &web->platform,
        .intake = &web->intake,
        .url = "http://server/app.bin",
        .allow_http = true,
        .max_request = max_request,
        .text = web->text,
        .text_size = sizeof web->text,
    };
}

/* ---- In ranges ------------------------------------------------------------------------------- */

static void ranges_on_one_connection(void **state)
{
    struct web *web = *state;
    struct ota_https_update_options options = in_ranges(web, 8192);

    assert_int_equal(web->file_len, 20000);
    assert_int_equal(ota_https_update(&update, &options), OTA_OK);
    web_assert_installed(web);
    assert_string_equal(web->ranges, "bytes=0-8191 bytes=8192-16383 bytes=16384-19999 ");
    assert_int_equal(web->connections, 1);
    assert_non_null(strstr(web->last_request, "\r\nIf-Range: \"first\"\r\n"));
    assert_null(strstr(web->last_request, "Connection: close"));
}

/* Lengths that divide, that are all of it, that leave a byte. */
static void edges_of_ranges(void **state)
{
    static const uint32_t lens[] = {5000, 10000, 20000, 20001, 19999, 6667, UINT32_MAX};
    static const unsigned requests[] = {4, 2, 1, 1, 2, 3, 1};
    struct web *web = *state;

    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        struct ota_https_update_options options = in_ranges(web, lens[i]);
        web->requests = 0;
        assert_int_equal(ota_https_update(&update, &options), OTA_OK);
        web_assert_installed(web);
        assert_int_equal(web->requests, requests[i]);
    }
}

static void ranges_with_a_server_that_closes(void **state)
{
    struct web *web = *state;
    struct ota_https_update_options options = in_ranges(web, 8192);

    web->habits.closes = true;
    assert_int_equal(ota_https_update(&update, &options), OTA_OK);
    assert_int_equal(web->connections, 3);
    web->connections = 0;
    web->habits = (struct web_habits){.drops = true};
    assert_int_equal(ota_https_update(&update, &options), OTA_OK);
    assert_int_equal(web->connections, 3);
    web->connections = 0;
    web->habits = (struct web_habits){.http_1_0 = true};
    assert_int_equal(ota_https_update(&update, &options), OTA_OK);
    assert_int_equal(web->connections, 3);
    web_assert_installed(web);
}

static void ranges_to_a_server_without(void **state)
{
    struct web *web = *state;
    struct ota_https_update_options options = in_ranges(web, 8192);

    web->habits.no_ranges = true;
    assert_int_equal(ota_https_update(&update, &options), OTA_OK);
    web_assert_installed(web);
    assert_int_equal(web->requests, 1);
}

static void parts_that_do_not_fit(void **state)
{
    static const struct web_habits cases[] = {
        {.start_lie = -1},       {.more = 1},
        {.total_lie = 4096},     {.length_lie = 1},
        {.other_file_after = 1}, {.other_file_after = 1, .no_if_range = true},
        {.part_max = 100},
    };
    struct web *web = *state;
    struct ota_https_update_options options = in_ranges(web, 8192);

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        web->habits = cases[i];
        web->requests = 0;
        enum ota_err err = ota_https_update(&update, &options);
        assert_int_equal(err, OTA_ERR_HTTP_RANGE);
        assert_int_equal(web->intake.accepted, 0);
        web_make_file(web, 20000, "1.1.0");
        web->etag = "\"first\"";
    }
    /* Chunks end before the part does. */
    web->habits = (struct web_habits){.chunked = true, .less = 10};
    assert_int_equal(ota_https_update(&update, &options), OTA_ERR_INCOMPLETE);
    web->habits.less = 0;
    web->requests = 0;
    assert_int_equal(ota_https_update(&update, &options), OTA_OK);
    web_assert_installed(web);
    /* Without a tag, the total tells. */
    web->etag = NULL;
    web->habits = (struct web_habits){.part_max = 5000};
    assert_int_equal(ota_https_update(&update, &options), OTA_OK);
    web_assert_installed(web);
}

static void a_break_between_ranges(void **state)
{
    struct web *web = *state;
    struct ota_https_update_options options = in_ranges(web, 8192);

    web->habits.cut = 4000;
    assert_int_equal(ota_https_update(&update, &options), OTA_ERR_CONNECTION_LOST);
    assert_true(ota_intake_is_free(&web->intake));
}

static void redirected_once_for_all_ranges(void **state)
{
    struct web *web = *state;
    struct ota_https_update_options options = in_ranges(web, 8192);

    web->habits =
        (struct web_habits){.redirects = 1, .redirect_status = 302, .location = "http://cdn/x"};
    assert_int_equal(ota_https_update(&update, &options), OTA_OK);
    assert_int_equal(web->requests, 4);
    assert_int_equal(web->connections, 2);
    assert_string_equal(web->host, "cdn");
}

/* ---- Resumed --------------------------------------------------------------------------------- */

/* An update that broke at this byte of the reply. */
static void break_at(struct web *web, const struct ota_https_update_options *options, uint32_t cut)
{
    web->habits = (struct web_habits){.cut = cut};
    assert_int_equal(ota_https_update(&update, options), OTA_ERR_CONNECTION_LOST);
    web->habits = (struct web_habits){0};
    web->requests = 0;
    web->ranges[0] = '\0';
}

static void goes_on_where_it_broke(void **state)
{
    struct web *web = *state;
    struct ota_https_update_options options = in_ranges(web, 0);
    struct ota_app_descriptor descriptor;

    options.resume = true;
    break_at(web, &options, 15000);
    assert_int_equal(ota_https_update_begin(&update, &options), OTA_OK);
    assert_int_equal(ota_https_update_describe(&update, &descriptor), OTA_OK);
    assert_string_equal(descriptor.version, "1.1.0"); /* out of the flash */
    ota_https_update_abort(&update);
    web->ranges[0] = '\0';
    assert_int_equal(ota_https_update(&update, &options), OTA_OK);
    web_assert_installed(web);
    assert_string_equal(web->ranges, "bytes=12288- ");
    assert_non_null(strstr(web->last_request, "\r\nIf-Range: \"first\"\r\n"));
    assert_int_equal(web->intake.accepted, 1);
}

static void goes_on_in_ranges(void **state)
{
    struct web *web = *state;
    struct ota_https_update_options options = in_ranges(web, 6000);

    options.resume = true;
    web->habits.other_file_after = 0;
    break_at(web,
             &(struct ota_https_update_options){
                 .platform = options.platform,
                 .intake = options.intake,
                 .url = options.url,
                 .allow_http = true,
                 .text = options.text,
                 .text_size = options.text_size,
             },
             15000);
    assert_int_equal(ota_https_update(&update, &options), OTA_OK);
    web_assert_installed(web);
    assert_string_equal(web->ranges, "bytes=12288-18287 bytes=18288-19999 ");
}

/* Breaks wherever it may, then is whole. */
static void breaks_everywhere(void **state)
{
    struct web *web = *state;
    struct ota_https_update_options options = in_ranges(web, 0);

    options.resume = true;
    for (uint32_t cut = 997; cut < 20000; cut += 997) {
        memset(web->ram.memory + RAM_OTA_0, 0xFF, RAM_SLOT_SIZE);
        break_at(web, &options, cut);
        assert_int_equal(ota_https_update(&update, &options), OTA_OK);
        web_assert_installed(web);
        assert_int_equal(ota_https_update_finish(&update), OTA_ERR_STATE);
        memset(web->ram.memory + RAM_OTADATA, 0xFF, 0x2000);
    }
}

static void another_file_is_fetched_whole(void **state)
{
    struct web *web = *state;
    struct ota_https_update_options options = in_ranges(web, 0);

    options.resume = true;
    break_at(web, &options, 15000);
    web_make_file(web, 20000, "1.4.0");
    web->etag = "\"newer\"";
    assert_int_equal(ota_https_update(&update, &options), OTA_OK);
    web_assert_installed(web);
    assert_string_equal(web->ranges, "bytes=12288- - ");
}

static void a_shorter_file_is_fetched_whole(void **state)
{
    struct web *web = *state;
    struct ota_https_update_options options = in_ranges(web, 0);

    options.resume = true;
    break_at(web, &options, 15000);
    web_make_file(web, 9000, "1.4.0"); /* and the tag is the same, by mistake: 416 */
    assert_int_equal(ota_https_update(&update, &options), OTA_OK);
    web_assert_installed(web);
    assert_string_equal(web->ranges, "bytes=12288- - ");
}

static void parts_that_cannot_be_gone_on_with(void **state)
{
    static const struct web_habits cases[] = {
        {.start_lie = 1},    {.start_lie = -1},     {.total_lie = 1},
        {.no_ranges = true}, {.no_if_range = true},
    };
    struct web *web = *state;
    struct ota_https_update_options options = in_ranges(web, 0);

    options.resume = true;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        break_at(web, &options, 15000);
        web->habits = cases[i];
        web->etag = cases[i].no_if_range ? "\"second\"" : "\"first\"";
        assert_int_equal(ota_https_update(&update, &options), OTA_OK);
        web_assert_installed(web);
        web->etag = "\"first\"";
        assert_string_equal(web->ranges, "bytes=12288- - ");
        memset(web->ram.memory + RAM_OTA_0, 0xFF, RAM_SLOT_SIZE);
        memset(web->ram.memory + RAM_OTADATA, 0xFF, 0x2000);
    }
}

static void a_damaged_journal_costs_a_second_request(void **state)
{
    struct web *web = *state;
    struct ota_https_update_options options = in_ranges(web, 0);

    options.resume = true;
    break_at(web, &options, 15000);
    web->ram.memory[RAM_OTA_0 + 5000] ^= 1;
    assert_int_equal(ota_https_update(&update, &options), OTA_OK);
    web_assert_installed(web);
    assert_string_equal(web->ranges, "bytes=12288- - ");
}

/* A tag that came out of the flash with more than a header line can hold. */
static void a_damaged_tag_is_not_sent(void **state)
{
    struct web *web = *state;
    struct ota_https_update_options options = in_ranges(web, 0);

    web->etag = "\"a\xE9"
                "b\"";
    options.resume = true;
    break_at(web, &options, 15000);
    assert_int_equal(ota_https_update(&update, &options), OTA_OK);
    web_assert_installed(web);
    assert_string_equal(web->ranges, "- ");
}

static void without_resume_from_the_start(void **state)
{
    struct web *web = *state;
    struct ota_https_update_options options = in_ranges(web, 0);

    break_at(web, &options, 15000);
    assert_int_equal(ota_https_update(&update, &options), OTA_OK);
    web_assert_installed(web);
    assert_string_equal(web->ranges, "- ");
}

static void a_file_without_a_tag_is_not_gone_on_with(void **state)
{
    struct web *web = *state;
    struct ota_https_update_options options = in_ranges(web, 0);

    web->etag = NULL;
    options.resume = true;
    break_at(web, &options, 15000);
    assert_int_equal(ota_https_update(&update, &options), OTA_OK);
    assert_string_equal(web->ranges, "- ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, web_set_up, web_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ranges_on_one_connection),
        TEST(edges_of_ranges),
        TEST(ranges_with_a_server_that_closes),
        TEST(ranges_to_a_server_without),
        TEST(parts_that_do_not_fit),
        TEST(a_break_between_ranges),
        TEST(redirected_once_for_all_ranges),
        TEST(goes_on_where_it_broke),
        TEST(goes_on_in_ranges),
        TEST(a_damaged_tag_is_not_sent),
        TEST(breaks_everywhere),
        TEST(another_file_is_fetched_whole),
        TEST(a_shorter_file_is_fetched_whole),
        TEST(parts_that_cannot_be_gone_on_with),
        TEST(a_damaged_journal_costs_a_second_request),
        TEST(without_resume_from_the_start),
        TEST(a_file_without_a_tag_is_not_gone_on_with),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
