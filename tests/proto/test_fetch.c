/* SPDX-License-Identifier: Apache-2.0 */
/* Which scheme of a chain fetches a URI. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <updraft/fetch.h>

struct named {
    struct ota_scheme scheme;
    const char *name;
    enum ota_err result;
    unsigned opened;
};

static bool serves(const struct ota_scheme *scheme, const char *name)
{
    return strcmp(name, ((const struct named *)scheme)->name) == 0;
}

static enum ota_err open_named(struct ota_scheme *scheme, struct ota_platform *platform,
                               const struct ota_fetch_request *request, struct ota_fetch **fetch)
{
    struct named *named = (struct named *)scheme;

    (void)platform;
    (void)request;
    (void)fetch;
    named->opened++;
    return named->result;
}

static struct named last, middle, first;

static int set_up(void **state)
{
    (void)state;
    last = (struct named){.scheme = {serves, open_named, NULL}, .name = "file"};
    middle = (struct named){.scheme = {serves, open_named, &last.scheme}, .name = "https"};
    first = (struct named){.scheme = {serves, open_named, &middle.scheme}, .name = "can+1.0-x"};
    return 0;
}

static enum ota_err open_uri(const char *uri)
{
    struct ota_fetch *fetch = (struct ota_fetch *)&fetch;
    enum ota_err err =
        ota_fetch_open(&first.scheme, NULL, &(struct ota_fetch_request){.uri = uri}, &fetch);

    assert_null(fetch);
    return err;
}

static void test_by_scheme(void **state)
{
    (void)state;
    assert_int_equal(open_uri("file://sdcard/a"), OTA_OK);
    assert_int_equal(open_uri("HTTPS://host/a"), OTA_OK);
    assert_int_equal(open_uri("can+1.0-X:7"), OTA_OK); /* a user's own, put in front */
    assert_int_equal(first.opened, 1);
    assert_int_equal(middle.opened, 1);
    assert_int_equal(last.opened, 1);
}

static void test_first_of_two_wins(void **state)
{
    (void)state;
    first.name = "file";
    first.result = OTA_ERR_CONNECT; /* and its answer is the answer */
    assert_int_equal(open_uri("file:/a"), OTA_ERR_CONNECT);
    assert_int_equal(last.opened, 0);
}

/* The original looks for a scheme anywhere in the text. */
static void test_no_scheme(void **state)
{
    static const char *const uris[] = {
        "",
        ":",
        "/sdcard/app.bin",
        "app.bin",
        "//host/a",
        "http://",
        "ftp://file",
        "xfile://a",
        "file",
        "file /a:",
        "1file:a",
        "+file:a",
        "a-scheme-far-too-long:a",
        "x://file://sdcard/a",
    };

    (void)state;
    for (size_t i = 0; i < sizeof uris / sizeof *uris; i++) {
        assert_int_equal(open_uri(uris[i]), OTA_ERR_URL);
    }
    assert_int_equal(open_uri(NULL), OTA_ERR_URL);
    assert_int_equal(first.opened + middle.opened + last.opened, 0);
}

static void test_no_schemes(void **state)
{
    struct ota_fetch *fetch;

    (void)state;
    assert_int_equal(
        ota_fetch_open(NULL, NULL, &(struct ota_fetch_request){.uri = "file:/a"}, &fetch),
        OTA_ERR_URL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_by_scheme, set_up),
        cmocka_unit_test_setup(test_first_of_two_wins, set_up),
        cmocka_unit_test_setup(test_no_scheme, set_up),
        cmocka_unit_test_setup(test_no_schemes, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
