/* SPDX-License-Identifier: Apache-2.0 */
/* Text, base64 and URLs: the small parts that protocols are spelled with. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "proto/base64.h"
#include "proto/url.h"

/* ---- Text ------------------------------------------------------------------------------------ */

static void compose(struct ota_text *text)
{
    static const uint8_t mac[6] = {0x18, 0xFE, 0xAA, 0x01, 0x20, 0x0F};

    ota_text_put(text, "n=");
    ota_text_put_decimal(text, UINT32_MAX);
    ota_text_put(text, " ");
    ota_text_put_hex(text, mac, sizeof mac, ':', true);
    ota_text_put(text, " ");
    ota_text_put_hex(text, mac, sizeof mac, 0, false);
    ota_text_put(text, " ");
    ota_text_put_decimal(text, 0);
}

static const char composed[] = "n=4294967295 18:FE:AA:01:20:0F 18feaa01200f 0";

static void test_text_is_composed(void **state)
{
    char buffer[64];
    struct ota_text text;

    (void)state;
    ota_text_begin(&text, buffer, sizeof buffer);
    compose(&text);
    assert_false(ota_text_is_cut(&text));
    assert_string_equal(ota_text_end(&text), composed);
}

static void test_text_is_cut_at_every_size(void **state)
{
    const size_t full = sizeof composed - 1;

    (void)state;
    for (size_t size = 1; size <= full + 2; size++) {
        char buffer[64];
        struct ota_text text;
        size_t expected = size - 1 < full ? size - 1 : full;

        memset(buffer, '#', sizeof buffer);
        ota_text_begin(&text, buffer, size);
        compose(&text);
        assert_int_equal(text.length, full);
        assert_int_equal(ota_text_is_cut(&text), size - 1 < full);
        assert_int_equal(strlen(ota_text_end(&text)), expected);
        assert_memory_equal(buffer, composed, expected);
        assert_int_equal(buffer[size], '#');
    }
}

static void test_windows_join_to_the_whole(void **state)
{
    const size_t full = sizeof composed - 1;

    (void)state;
    for (size_t piece = 1; piece <= full + 1; piece++) {
        char joined[80];
        size_t at = 0;

        for (;;) {
            char window[80];
            struct ota_text text;
            ota_text_window(&text, window, piece, at);
            compose(&text);
            size_t len = ota_text_stored(&text);
            if (len == 0) {
                break;
            }
            memcpy(joined + at, window, len);
            at += len;
        }
        assert_int_equal(at, full);
        assert_memory_equal(joined, composed, full);
    }
}

static void test_same_ignores_case_only(void **state)
{
    (void)state;
    assert_true(ota_text_same("X-Md5", "x-mD5"));
    assert_true(ota_text_same("", ""));
    assert_false(ota_text_same("x-MD5", "x-MD55"));
    assert_false(ota_text_same("x-MD5", "x-MD"));
    assert_false(ota_text_same("[", "{"));
    assert_true(ota_text_same_bytes("HOSTile", 4, "host"));
    assert_false(ota_text_same_bytes("host", 4, "hostile"));
}

static void test_numbers_are_read_strictly(void **state)
{
    uint32_t value = 7;

    (void)state;
    assert_true(ota_text_read_decimal("4294967295", 10, &value));
    assert_int_equal(value, UINT32_MAX);
    assert_true(ota_text_read_decimal("0123x", 4, &value));
    assert_int_equal(value, 123);
    static const char *const wrong[] = {"",   "4294967296", "99999999999", "-1",
                                        "+1", " 1",         "1 ",          "0x1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_false(ota_text_read_decimal(wrong[i], strlen(wrong[i]), &value));
    }
}

static void test_hex_is_read_strictly(void **state)
{
    uint8_t bytes[3];

    (void)state;
    assert_true(ota_text_read_hex("00aBfF", bytes, 3));
    assert_int_equal(bytes[0], 0x00);
    assert_int_equal(bytes[1], 0xAB);
    assert_int_equal(bytes[2], 0xFF);
    assert_false(ota_text_read_hex("00abf", bytes, 3));
    assert_false(ota_text_read_hex("00abff0", bytes, 3));
    assert_false(ota_text_read_hex("00abgf", bytes, 3));
    assert_false(ota_text_read_hex("", bytes, 3));
}

/* ---- Base64 (RFC 4648 section 10) ------------------------------------------------------------ */

static void test_base64_vectors(void **state)
{
    static const struct {
        const char *plain, *encoded;
    } vectors[] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xff\xfe\xfd\xfb", "//79+w=="},
    };

    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        char buffer[32];
        struct ota_text text;
        ota_text_begin(&text, buffer, sizeof buffer);
        ota__base64_put(&text, vectors[i].plain, strlen(vectors[i].plain));
        assert_string_equal(ota_text_end(&text), vectors[i].encoded);
    }
}

/* ---- Parsing --------------------------------------------------------------------------------- */

static void assert_span(struct ota__url_part span, const char *expected)
{
    assert_int_equal(span.len, strlen(expected));
    assert_memory_equal(span.at, expected, span.len);
}

static void test_urls_are_taken_apart(void **state)
{
    static const struct {
        const char *text, *host, *target, *host_header;
        uint16_t port;
        bool secure;
    } good[] = {
        {"http://a", "a", "", "a", 80, false},
        {"HTTP://Example.COM/", "Example.COM", "/", "Example.COM", 80, false},
        {"http://192.168.0.2/esp/update.php?a=b&c=/d#top", "192.168.0.2",
         "/esp/update.php?a=b&c=/d", "192.168.0.2", 80, false},
        {"http://h:8266?q", "h", "?q", "h:8266", 8266, false},
        {"http://h:65535#f", "h", "", "h:65535", 65535, false},
        {"https://h_1/x", "h_1", "/x", "h_1", 443, true},
        {"http://h:443/", "h", "/", "h:443", 443, false}, /* the other scheme's port */
        {"https://h:80/", "h", "/", "h:80", 80, true},
        {"http://[::1]:8080/x", "::1", "/x", "[::1]:8080", 8080, false},
        {"http://[fe80::1%25eth0]/", "fe80::1%25eth0", "/", "[fe80::1%25eth0]", 80, false},
        {"http://user:p@ss@h/", "h", "/", "h", 80, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct ota__url url;
        struct ota_text text;
        char buffer[64];

        assert_int_equal(ota__url_parse(&url, good[i].text), OTA_OK);
        assert_span(url.host, good[i].host);
        assert_span(url.target, good[i].target);
        assert_int_equal(url.port, good[i].port);
        assert_int_equal(url.secure, good[i].secure);
        ota_text_begin(&text, buffer, sizeof buffer);
        ota__url_put_host(&text, &url);
        assert_string_equal(ota_text_end(&text), good[i].host_header);
        ota_text_begin(&text, buffer, sizeof buffer);
        ota__url_put_target(&text, &url);
        assert_int_equal(ota_text_end(&text)[0], '/');
    }
}

static void test_what_is_no_url(void **state)
{
    static const char *const wrong[] = {
        "",
        "http",
        "http:/h/",
        "ftp://h/",
        "//h/",
        "http://",
        "http:///x",
        "http://:80/",
        "http://user@/",
        "http://h:/",
        "http://h:0/",
        "http://h:65536/",
        "http://h:8o/",
        "http://h:-1/",
        "http://h x/",
        "http://h/a b",
        "http://h/\r\nEvil: yes",
        "http://h/\x7f",
        "http://h/\xc3\xa4",
        "http://h\xc3\xa4/",
        "http://[::1/",
        "http://[]/",
        "http://[::1]x/",
        "http://[g*]/",
        "http://h,i/",
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct ota__url url;
        assert_int_equal(ota__url_parse(&url, wrong[i]), OTA_ERR_URL);
    }
}

static void test_credentials(void **state)
{
    static const struct {
        const char *text, *credentials;
    } good[] = {
        {"http://user:pass@h/", "user:pass"},   {"http://user@h/", "user:"},
        {"http://u%40x:p%3a%2F@h/", "u@x:p:/"}, {"http://:@h/", ":"},
        {"http://a:b:c@h/", "a:b:c"},
    };
    static const char *const wrong[] = {"http://a%4:b@h/", "http://a%:b@h/", "http://a%zz:b@h/"};
    struct ota__url url;
    char out[16];
    size_t len;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(ota__url_parse(&url, good[i].text), OTA_OK);
        assert_true(url.has_credentials);
        assert_int_equal(ota__url_credentials(&url, out, sizeof out, &len), OTA_OK);
        assert_int_equal(len, strlen(good[i].credentials));
        assert_memory_equal(out, good[i].credentials, len);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(ota__url_parse(&url, wrong[i]), OTA_OK);
        assert_int_equal(ota__url_credentials(&url, out, sizeof out, &len), OTA_ERR_URL);
    }
    assert_int_equal(ota__url_parse(&url, "http://user:pass@h/"), OTA_OK);
    assert_int_equal(ota__url_credentials(&url, out, 8, &len), OTA_ERR_URL);
    assert_int_equal(ota__url_credentials(&url, out, 9, &len), OTA_OK);
    assert_int_equal(ota__url_parse(&url, "http://user@h/"), OTA_OK);
    assert_int_equal(ota__url_credentials(&url, out, 4, &len), OTA_ERR_URL);
}

static void test_origins(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } pairs[] = {
        {"http://h/x", "http://H:80/y?z", true},   {"http://h/", "http://h:8080/", false},
        {"http://h/", "https://h/", false},        {"http://h/", "http://i/", false},
        {"http://h/", "http://h.example/", false}, {"http://u:p@h/", "http://h/", true},
        {"http://h@evil/", "http://h/", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct ota__url a, b;
        assert_int_equal(ota__url_parse(&a, pairs[i].a), OTA_OK);
        assert_int_equal(ota__url_parse(&b, pairs[i].b), OTA_OK);
        assert_int_equal(ota__url_same_origin(&a, &b), pairs[i].same);
    }
}

/* ---- Resolving (the examples of RFC 3986 section 5.4 that make sense with http) -------------- */

static void test_references_are_resolved(void **state)
{
    static const struct {
        const char *base, *reference, *result;
    } cases[] = {
        {"http://a/b/c/d;p?q", "g", "http://a/b/c/g"},
        {"http://a/b/c/d;p?q", "./g", "http://a/b/c/g"},
        {"http://a/b/c/d;p?q", "g/", "http://a/b/c/g/"},
        {"http://a/b/c/d;p?q", "/g", "http://a/g"},
        {"http://a/b/c/d;p?q", "//g", "http://g"},
        {"http://a/b/c/d;p?q", "?y", "http://a/b/c/d;p?y"},
        {"http://a/b/c/d;p?q", "g?y", "http://a/b/c/g?y"},
        {"http://a/b/c/d;p?q", "#s", "http://a/b/c/d;p?q"},
        {"http://a/b/c/d;p?q", "g#s", "http://a/b/c/g"},
        {"http://a/b/c/d;p?q", ";x", "http://a/b/c/;x"},
        {"http://a/b/c/d;p?q", ".", "http://a/b/c/"},
        {"http://a/b/c/d;p?q", "./", "http://a/b/c/"},
        {"http://a/b/c/d;p?q", "..", "http://a/b/"},
        {"http://a/b/c/d;p?q", "../g", "http://a/b/g"},
        {"http://a/b/c/d;p?q", "../..", "http://a/"},
        {"http://a/b/c/d;p?q", "../../g", "http://a/g"},
        {"http://a/b/c/d;p?q", "../../../../g", "http://a/g"},
        {"http://a/b/c/d;p?q", "/./g", "http://a/g"},
        {"http://a/b/c/d;p?q", "/../g", "http://a/g"},
        {"http://a/b/c/d;p?q", "g.", "http://a/b/c/g."},
        {"http://a/b/c/d;p?q", "..g", "http://a/b/c/..g"},
        {"http://a/b/c/d;p?q", "./g/.", "http://a/b/c/g/"},
        {"http://a/b/c/d;p?q", "g/../h", "http://a/b/c/h"},
        {"http://a/b/c/d;p?q", "g?y/../x", "http://a/b/c/g?y/../x"},
        {"http://a", "x", "http://a/x"},
        {"http://a", "?x", "http://a/?x"},
        {"http://a?q", "x", "http://a/x"},
        {"http://u:p@a/b", "/c", "http://a/c"},
        {"http://a/b", "http://u:p@a/c", "http://a/c"},
        {"http://a:1/b", "HTTP://c:2/d/../e", "HTTP://c:2/e"},
        {"http://a/b", "https://c/d", "https://c/d"},
        {"http://a/x", "/p?u=http://z/", "http://a/p?u=http://z/"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[64];
        strcpy(text, cases[i].base);
        assert_int_equal(ota__url_resolve(text, sizeof text, cases[i].reference), OTA_OK);
        assert_string_equal(text, cases[i].result);
    }
}

static void test_references_that_lead_nowhere(void **state)
{
    static const char *const wrong[] = {"",         "ftp://a/", "javascript:alert(1)", "http://",
                                        "//",       "/a b",     "http://h:0/",         "\r\n",
                                        "mailto:x", "http:b"};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char text[64] = "http://a/b";
        assert_int_equal(ota__url_resolve(text, sizeof text, wrong[i]), OTA_ERR_URL);
    }
}

static void test_resolving_never_overruns(void **state)
{
    static const char reference[] = "/a/long/path/that/needs/room";
    const size_t needed = strlen("http://a") + sizeof reference;

    (void)state;
    for (size_t size = strlen("http://a/b") + 1; size < needed + 2; size++) {
        char text[64] = "http://a/b";
        memset(text + size, '#', sizeof text - size);
        enum ota_err err = ota__url_resolve(text, size, reference);
        assert_int_equal(err, size < needed ? OTA_ERR_URL : OTA_OK);
        assert_int_equal(text[size], '#');
    }
}

static void test_what_may_be_told_after_a_redirect(void **state)
{
    static const struct {
        const char *first, *next;
        bool keeps;
    } pairs[] = {
        {"http://h/a", "http://h/b", true},       {"http://h/", "https://H/", true},
        {"http://h:80/", "https://h:443/", true}, {"http://h:8080/", "https://h/", false},
        {"http://h/", "https://h:8443/", false},  {"https://h/", "http://h/", false},
        {"http://h/", "https://h2/", false},      {"https://h/", "https://h/x", true},
        {"https://h:8443/", "https://h/", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct ota__url first, next;
        assert_int_equal(ota__url_parse(&first, pairs[i].first), OTA_OK);
        assert_int_equal(ota__url_parse(&next, pairs[i].next), OTA_OK);
        assert_int_equal(ota__url_keeps_trust(&first, &next), pairs[i].keeps);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_is_composed),
        cmocka_unit_test(test_text_is_cut_at_every_size),
        cmocka_unit_test(test_windows_join_to_the_whole),
        cmocka_unit_test(test_same_ignores_case_only),
        cmocka_unit_test(test_numbers_are_read_strictly),
        cmocka_unit_test(test_hex_is_read_strictly),
        cmocka_unit_test(test_base64_vectors),
        cmocka_unit_test(test_urls_are_taken_apart),
        cmocka_unit_test(test_what_is_no_url),
        cmocka_unit_test(test_credentials),
        cmocka_unit_test(test_origins),
        cmocka_unit_test(test_references_are_resolved),
        cmocka_unit_test(test_references_that_lead_nowhere),
        cmocka_unit_test(test_resolving_never_overruns),
        cmocka_unit_test(test_what_may_be_told_after_a_redirect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
