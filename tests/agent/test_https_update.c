/* SPDX-License-Identifier: Apache-2.0 */
/* The update from one URL: one call, step by step, and each case of docs/formats/https-update.md
   section 5. */

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

static struct ota_https_update_options plain(struct web *web)
{
    return (struct ota_https_update_options){
        .platform = &web->platform,
        .intake = &web->intake,
        .url = "http://server/app.bin",
        .allow_http = true,
        .text = web->text,
        .text_size = sizeof web->text,
    };
}

static enum ota_err run(const struct ota_https_update_options *options)
{
    enum ota_err err = ota_https_update(&update, options);

    assert_int_equal(update.state, err == OTA_OK ? OTA_HTTPS_UPDATE_DONE : OTA_HTTPS_UPDATE_FAILED);
    assert_int_equal(update.failure.err, err);
    assert_true(ota_intake_is_free(options->intake));
    return err;
}

static void assert_untouched(const struct web *web)
{
    for (uint32_t i = 0; i < RAM_SLOT_SIZE; i++) {
        assert_int_equal(web->ram.memory[RAM_OTA_0 + i], 0xFF);
    }
}

/* ---- In one call ----------------------------------------------------------------------------- */

static void one_call(void **state)
{
    struct web *web = *state;
    struct ota_https_update_options options = plain(web);

    assert_int_equal(run(&options), OTA_OK);
    web_assert_installed(web);
    assert_int_equal(web->intake.accepted, 1);
    assert_string_equal(web->host, "server");
    assert_int_equal(web->port, 80);
    assert_string_equal(web->last_request,
                        "GET /app.bin HTTP/1.1\r\nHost: server\r\nUser-Agent: Updraft\r\n"
                        "Connection: close\r\n\r\n");
    assert_int_equal(update.received, web->file_len);
    assert_int_equal(update.size, web->file_len);
}

static void in_any_pieces(void **state)
{
    struct web *web = *state;
    struct ota_https_update_options options = plain(web);
    static const size_t pieces[] = {1, 2, 7, 255, 256, 257, 1023, 4096};

    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        web->piece = pieces[i];
        web->habits.chunked = i % 2 == 0;
        assert_int_equal(run(&options), OTA_OK);
        web_assert_installed(web);
    }
}

static void chunked_and_until_the_end(void **state)
{
    struct web *web = *state;
    struct ota_https_update_options options = plain(web);

    web->habits.chunked = true;
    assert_int_equal(run(&options), OTA_OK);
    web_assert_installed(web);
    assert_int_equal(update.size, web->file_len);
    web->habits = (struct web_habits){.no_length = true, .http_1_0 = true};
    web_make_file(web, 9000, "1.3.0");
    assert_int_equal(run(&options), OTA_OK);
    web_assert_installed(web);
}

static void credentials_and_header_lines(void **state)
{
    struct web *web = *state;
    struct ota_https_update_options options = plain(web);

    web->habits.needs = "Basic dXNlcjpwYXNz";
    assert_int_equal(run(&options), OTA_ERR_HTTP_CREDENTIALS);
    assert_int_equal(update.transfer.status, 401);
    assert_untouched(web);
    options.url = "http://user:pass@server/app.bin";
    assert_int_equal(run(&options), OTA_OK);
    options.url = "http://server/app.bin";
    options.credentials = "user:pass";
    assert_int_equal(run(&options), OTA_OK);
}

static void statuses(void **state)
{
    static const struct {
        unsigned status;
        enum ota_err err;
    } cases[] = {
        {304, OTA_ERR_SAME_VERSION},   {401, OTA_ERR_HTTP_CREDENTIALS},
        {403, OTA_ERR_HTTP_FORBIDDEN}, {404, OTA_ERR_HTTP_NOT_FOUND},
        {400, OTA_ERR_HTTP_STATUS},    {500, OTA_ERR_HTTP_STATUS},
        {204, OTA_ERR_HTTP_STATUS},    {206, OTA_ERR_HTTP_RANGE},
        {302, OTA_ERR_HTTP_REDIRECT},  {300, OTA_ERR_HTTP_STATUS},
        {416, OTA_ERR_HTTP_RANGE},
    };
    struct web *web = *state;
    struct ota_https_update_options options = plain(web);

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        web->habits.status = cases[i].status;
        assert_int_equal(run(&options), cases[i].err);
        assert_int_equal(update.transfer.status, cases[i].status);
    }
    assert_untouched(web);
}

/* ---- Redirects ------------------------------------------------------------------------------- */

static void redirects(void **state)
{
    static const struct {
        const char *location, *request, *host;
    } cases[] = {
        {"/other/x.bin?a=b", "GET /other/x.bin?a=b HTTP/1.1\r\n", "server"},
        {"sub/x.bin", "GET /sub/x.bin HTTP/1.1\r\n", "server"},
        {"../x.bin", "GET /x.bin HTTP/1.1\r\n", "server"},
        {"//elsewhere/x", "GET /x HTTP/1.1\r\n", "elsewhere"},
        {"http://elsewhere:81/x", "GET /x HTTP/1.1\r\nHost: elsewhere:81\r\n", "elsewhere"},
    };
    static const unsigned statuses[] = {301, 302, 303, 307, 308};
    struct web *web = *state;
    struct ota_https_update_options options = plain(web);

    options.credentials = "a:b";
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        web->requests = 0;
        web->habits = (struct web_habits){
            .redirects = 1, .redirect_status = statuses[i], .location = cases[i].location};
        assert_int_equal(run(&options), OTA_OK);
        assert_string_equal(web->host, cases[i].host);
        assert_memory_equal(web->last_request, cases[i].request, strlen(cases[i].request));
        assert_int_equal(strstr(web->last_request, "Authorization") != NULL,
                         strcmp(cases[i].host, "server") == 0);
        assert_int_equal(update.transfer.redirects, 1);
    }
}

static void redirects_have_an_end(void **state)
{
    struct web *web = *state;
    struct ota_https_update_options options = plain(web);

    web->habits =
        (struct web_habits){.redirects = 1000, .redirect_status = 302, .location = "/again"};
    assert_int_equal(run(&options), OTA_ERR_HTTP_REDIRECT);
    assert_int_equal(web->requests, OTA_HTTP_REDIRECTS + 1);
    web->requests = 0;
    options.redirect_limit = OTA_HTTP_NO_REDIRECTS;
    assert_int_equal(run(&options), OTA_ERR_HTTP_REDIRECT);
    assert_int_equal(web->requests, 1);
    options.redirect_limit = 0;
    web->requests = 0;
    web->habits.location = NULL;
    assert_int_equal(run(&options), OTA_ERR_HTTP_REDIRECT);
    web->requests = 0;
    web->habits.location = "ftp://server/x";
    assert_int_equal(run(&options), OTA_ERR_HTTP_REDIRECT);
    web->requests = 0;
    web->habits.location = "https://server/x"; /* without TLS */
    assert_int_equal(run(&options), OTA_ERR_HTTP_REDIRECT);
    assert_untouched(web);
}

/* ---- Bad answers ----------------------------------------------------------------------------- */

static void bodies_that_lie(void **state)
{
    struct web *web = *state;
    struct ota_https_update_options options = plain(web);

    web->habits.length_lie = 100;
    assert_int_equal(run(&options), OTA_ERR_INCOMPLETE);
    web->habits.length_lie = -100;
    assert_int_equal(run(&options), OTA_ERR_TOO_LARGE);
    web->habits = (struct web_habits){.cut = 9000};
    assert_int_equal(run(&options), OTA_ERR_CONNECTION_LOST);
    web->habits = (struct web_habits){.chunked = true, .cut = 9000};
    assert_int_equal(run(&options), OTA_ERR_CONNECTION_LOST);
    web->habits = (struct web_habits){.extra_lines = "Content-Encoding: gzip\r\n"};
    assert_int_equal(run(&options), OTA_ERR_HTTP_HEADER);
    web->habits = (struct web_habits){.extra_lines = "Transfer-Encoding: chunked\r\n"};
    assert_int_equal(run(&options), OTA_ERR_HTTP_HEADER);
    web->habits = (struct web_habits){.connect_error = OTA_ERR_CONNECT};
    assert_int_equal(ota_https_update(&update, &options), OTA_ERR_CONNECT);
    assert_int_equal(web->ram.device.running_slot, OTA_SLOT_FACTORY);
    assert_int_equal(web->intake.accepted, 0);
}

static void time_has_limits(void **state)
{
    struct web *web = *state;
    struct ota_https_update_options options = plain(web);
    static const struct {
        struct web_habits habits;
        uint32_t at_most_ms;
    } cases[] = {
        {{.silent_after = 1}, 2000},    /* in the head */
        {{.silent_after = 5000}, 5000}, /* in the body */
        {{.byte_every_ms = 100}, 2000}, /* a head a byte a time */
        {{.byte_every_ms = 10}, 10000}, /* a body a byte a time, never silent */
    };

    options.head_timeout_ms = 2000;
    options.body_timeout_ms = 3000;
    options.body_least = 1000;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t begun = web->now;
        web->habits = cases[i].habits;
        assert_int_equal(run(&options), OTA_ERR_TIMEOUT);
        assert_in_range(web->now - begun, 1, cases[i].at_most_ms);
    }
}

static void nothing_goes_on_for_ever(void **state)
{
    struct web *web = *state;
    struct ota_https_update_options options = plain(web);

    web->habits.endless_head = true;
    assert_int_equal(run(&options), OTA_ERR_HTTP_HEADER);
    web->habits = (struct web_habits){.no_length = true, .endless_body = true};
    assert_int_equal(run(&options), OTA_ERR_TOO_LARGE);
    options.is_data = true;
    assert_int_equal(run(&options), OTA_ERR_TOO_LARGE);
}

static void bad_images(void **state)
{
    struct web *web = *state;
    struct ota_https_update_options options = plain(web);

    web->file[0] = 0xEA;
    assert_int_equal(run(&options), OTA_ERR_IMAGE_MAGIC);
    assert_untouched(web);
    web->file[0] = 0xE9;
    web->file[12] = 5; /* another chip */
    assert_int_equal(run(&options), OTA_ERR_IMAGE_CHIP);
    assert_untouched(web);
    web_make_file(web, 20000, "1.1.0");
    web->file[15] = 200; /* lowest revision, in hundredths: 512.xx */
    web->file[16] = 200;
    assert_int_equal(run(&options), OTA_ERR_IMAGE_REVISION);
    assert_untouched(web);
    web_make_file(web, 20000, "1.1.0");
    web->file[15000] ^= 1;
    assert_int_not_equal(run(&options), OTA_OK);
    web->file_len = 0;
    assert_int_equal(run(&options), OTA_ERR_NO_DATA);
    web_make_file(web, RAM_SLOT_SIZE + 1024, "1.1.0");
    assert_int_equal(run(&options), OTA_ERR_TOO_LARGE);
    web->habits.chunked = true; /* not known before */
    assert_int_not_equal(run(&options), OTA_OK);
    assert_int_equal(web->intake.accepted, 0);
}

/* Erased before or bit by bit: the same image; the slot held something else before. */
static void bulk_erase(void **state)
{
    struct web *web = *state;
    struct ota_https_update_options options = plain(web);

    for (unsigned i = 0; i < 4; i++) {
        memset(web->ram.memory + RAM_OTA_0, 0x55, RAM_SLOT_SIZE);
        memset(web->ram.memory + RAM_OTADATA, 0xFF, 0x2000);
        options.bulk_erase = i % 2 == 0;
        web->habits.chunked = i / 2 == 0;
        assert_int_equal(run(&options), OTA_OK);
        web_assert_installed(web);
        bool erased = web->ram.memory[RAM_OTA_0 + RAM_SLOT_SIZE / 2 + 10] == 0xFF;
        assert_int_equal(erased, options.bulk_erase && web->habits.chunked);
    }
}

/* Smaller than what the original reads at first. */
static void small_images(void **state)
{
    struct web *web = *state;
    struct ota_https_update_options options = plain(web);

    web_make_file(web, 0, "1.1.0");
    assert_true(web->file_len < 1024);
    assert_int_equal(run(&options), OTA_OK);
    web_assert_installed(web);
}

static void data_partitions(void **state)
{
    struct web *web = *state;
    struct ota_https_update_options options = plain(web);

    options.is_data = true;
    web->file_len = 100;
    memset(web->file, 0x5A, 100);
    assert_int_equal(run(&options), OTA_OK);
    assert_memory_equal(web->ram.memory + RAM_STORAGE, web->file, 100);
}

static void expected_digests(void **state)
{
    struct web *web = *state;
    struct ota_https_update_options options = plain(web);

    options.expected.algorithm = OTA_HASH_SHA256;
    assert_int_equal(run(&options), OTA_ERR_DIGEST);
    assert_int_equal(web->intake.accepted, 0);
}

/* ---- Gates ----------------------------------------------------------------------------------- */

static void the_version_gate(void **state)
{
    struct web *web = *state;
    struct ota_https_update_options options = plain(web);
    struct ota_gate_version gate = {
        .gate = {ota_gate_version_ask, NULL},
        .refuse_same = true,
        .refuse_older = true,
        .refuse_other_project = true,
    };

    web->intake.options.gates = &gate.gate;
    web_make_file(web, 20000, "1.0.0");
    assert_int_equal(run(&options), OTA_ERR_SAME_VERSION);
    web_make_file(web, 20000, "0.9.0");
    assert_int_equal(run(&options), OTA_ERR_OLDER_VERSION);
    gate.project = "another";
    web_make_file(web, 20000, "1.1.0");
    assert_int_equal(run(&options), OTA_ERR_PROJECT);
    assert_untouched(web);
    gate.project = NULL;
    assert_int_equal(run(&options), OTA_OK);
}

static enum ota_err hold_activation(void *context, const struct ota_gate_question *question,
                                    struct ota_gate_answer *answer)
{
    (void)answer;
    return question->stage == OTA_GATE_ACTIVATE && *(bool *)context ? OTA_ERR_HELD : OTA_OK;
}

static void held_until_later(void **state)
{
    struct web *web = *state;
    struct ota_https_update_options options = plain(web);
    bool holds = true;
    struct ota_gate_hook hook = OTA_GATE_HOOK(NULL, hold_activation, &holds);

    web->intake.options.gates = &hook.gate;
    assert_int_equal(ota_https_update(&update, &options), OTA_ERR_HELD);
    assert_int_equal(update.state, OTA_HTTPS_UPDATE_DONE);
    assert_int_equal(web->intake.state, OTA_INTAKE_HELD);
    assert_int_equal(ota_https_update_begin(&update, &options), OTA_ERR_BUSY);
    holds = false;
    assert_int_equal(ota_intake_poll(&web->intake), UINT32_MAX);
    assert_int_equal(web->intake.accepted, 1);
}

/* ---- Step by step ---------------------------------------------------------------------------- */

static void step_by_step(void **state)
{
    struct web *web = *state;
    struct ota_https_update_options options = plain(web);
    struct ota_app_descriptor descriptor;

    assert_int_equal(ota_https_update_begin(&update, &options), OTA_OK);
    assert_int_equal(update.state, OTA_HTTPS_UPDATE_OPENING);
    assert_int_equal(ota_https_update_describe(&update, &descriptor), OTA_OK);
    assert_string_equal(descriptor.version, "1.1.0");
    assert_string_equal(descriptor.project, "test");
    assert_int_equal(update.state, OTA_HTTPS_UPDATE_DESCRIBED);
    assert_int_equal(ota_https_update_describe(&update, &descriptor), OTA_OK);
    assert_untouched(web);
    assert_int_equal(update.size, web->file_len);
    assert_false(ota_https_update_is_complete(&update));
    while (!ota_https_update_is_complete(&update)) {
        assert_int_equal(ota_https_update_perform(&update), OTA_OK);
        web->platform.wait(&web->platform, ota_https_update_wait_ms(&update));
    }
    assert_int_equal(ota_https_update_perform(&update), OTA_OK);
    assert_int_equal(web->intake.accepted, 0);
    assert_int_equal(ota_https_update_describe(&update, &descriptor), OTA_OK);
    assert_int_equal(ota_https_update_finish(&update), OTA_OK);
    assert_int_equal(web->intake.accepted, 1);
    web_assert_installed(web);
    assert_int_equal(ota_https_update_finish(&update), OTA_ERR_STATE);
    assert_int_equal(ota_https_update_perform(&update), OTA_ERR_STATE);
    ota_https_update_abort(&update);
    assert_int_equal(update.state, OTA_HTTPS_UPDATE_DONE);
}

/* What a stream holds back nobody else knows of: it is waited for only where a read has found
 * nothing. */
static void waits_only_for_the_network(void **state)
{
    struct web *web = *state;
    struct ota_https_update_options options = plain(web);
    unsigned full = 0;

    web_make_file(web, 40000, "1.3.0");
    assert_int_equal(ota_https_update_begin(&update, &options), OTA_OK);
    while (update.state == OTA_HTTPS_UPDATE_OPENING) {
        assert_int_equal(ota_https_update_perform(&update), OTA_OK);
    }
    assert_int_equal(ota_https_update_perform(&update), OTA_OK);
    assert_int_equal(update.state, OTA_HTTPS_UPDATE_IN_PROGRESS);
    assert_int_equal(ota_https_update_wait_ms(&update), 0);
    while (!ota_https_update_is_complete(&update)) {
        const uint32_t before = update.received;
        assert_int_equal(ota_https_update_perform(&update), OTA_OK);
        if (update.received - before == 16384) {
            assert_int_equal(ota_https_update_wait_ms(&update), 0);
            full++;
        }
    }
    assert_true(full > 0);
    assert_int_equal(ota_https_update_finish(&update), OTA_OK);
}

static void not_wanted_after_all(void **state)
{
    struct web *web = *state;
    struct ota_https_update_options options = plain(web);
    struct ota_app_descriptor descriptor;

    assert_int_equal(ota_https_update_begin(&update, &options), OTA_OK);
    assert_int_equal(ota_https_update_describe(&update, &descriptor), OTA_OK);
    ota_https_update_abort(&update);
    assert_int_equal(update.failure.err, OTA_ERR_ABORTED);
    assert_untouched(web);
    assert_int_equal(ota_https_update_perform(&update), OTA_ERR_ABORTED);
    assert_int_equal(ota_https_update_describe(&update, &descriptor), OTA_ERR_ABORTED);
    assert_int_equal(ota_https_update_finish(&update), OTA_ERR_ABORTED);
    memset(web->file + 32, 0, 184); /* no descriptor */
    assert_int_equal(ota_https_update_begin(&update, &options), OTA_OK);
    assert_int_equal(ota_https_update_describe(&update, &descriptor), OTA_ERR_IMAGE_DESCRIPTOR);
    assert_int_equal(update.state, OTA_HTTPS_UPDATE_DESCRIBED);
    ota_https_update_abort(&update);
}

/* To finish what is not complete is an error, and changes nothing. */
static void finished_too_early(void **state)
{
    struct web *web = *state;
    struct ota_https_update_options options = plain(web);
    struct ota_app_descriptor descriptor;

    assert_int_equal(ota_https_update_begin(&update, &options), OTA_OK);
    assert_int_equal(ota_https_update_finish(&update), OTA_ERR_INCOMPLETE);
    assert_int_equal(ota_https_update_begin(&update, &options), OTA_OK);
    assert_int_equal(ota_https_update_describe(&update, &descriptor), OTA_OK);
    assert_int_equal(ota_https_update_perform(&update), OTA_OK);
    assert_int_equal(ota_https_update_perform(&update), OTA_OK);
    assert_int_equal(ota_https_update_finish(&update), OTA_ERR_INCOMPLETE);
    assert_true(ota_intake_is_free(&web->intake));
    assert_int_equal(web->intake.accepted, 0);
}

static void begin_demands_what_it_needs(void **state)
{
    struct web *web = *state;
    struct ota_https_update_options options = plain(web);
    struct ota_app_descriptor descriptor;

    memset(&update, 0, sizeof update);
    assert_int_equal(ota_https_update_perform(&update), OTA_ERR_STATE);
    assert_int_equal(ota_https_update_describe(&update, &descriptor), OTA_ERR_STATE);
    assert_int_equal(ota_https_update_finish(&update), OTA_ERR_STATE);
    ota_https_update_abort(&update);
    options.allow_http = false;
    assert_int_equal(ota_https_update_begin(&update, &options), OTA_ERR_URL);
    options.url = "https://server/app.bin"; /* without TLS */
    assert_int_equal(ota_https_update_begin(&update, &options), OTA_ERR_URL);
    options = plain(web);
    options.text_size = 100;
    assert_int_equal(ota_https_update_begin(&update, &options), OTA_ERR_ARGUMENT);
    options = plain(web);
    options.intake = NULL;
    assert_int_equal(ota_https_update_begin(&update, &options), OTA_ERR_ARGUMENT);
    options = plain(web);
    options.url = NULL;
    assert_int_equal(ota_https_update_begin(&update, &options), OTA_ERR_ARGUMENT);
    assert_int_equal(web->connections, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, web_set_up, web_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_call),
        TEST(in_any_pieces),
        TEST(chunked_and_until_the_end),
        TEST(credentials_and_header_lines),
        TEST(statuses),
        TEST(redirects),
        TEST(redirects_have_an_end),
        TEST(bodies_that_lie),
        TEST(time_has_limits),
        TEST(nothing_goes_on_for_ever),
        TEST(bad_images),
        TEST(bulk_erase),
        TEST(small_images),
        TEST(data_partitions),
        TEST(expected_digests),
        TEST(the_version_gate),
        TEST(held_until_later),
        TEST(step_by_step),
        TEST(waits_only_for_the_network),
        TEST(not_wanted_after_all),
        TEST(finished_too_early),
        TEST(begin_demands_what_it_needs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
