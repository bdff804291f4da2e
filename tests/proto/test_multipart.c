/* SPDX-License-Identifier: Apache-2.0 */
/* Forms in pieces: what is found in them however they are cut, and what is refused. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <updraft/multipart.h>

#include "support/scratch.h"

struct transcript {
    enum ota_err err;
    char log[1024];
    enum ota_err part_answer, data_answer, end_answer;
    uint32_t start; /* of the last part */
};

static void note(struct transcript *transcript, const char *text, size_t len)
{
    size_t at = strlen(transcript->log);

    assert_true(at + len < sizeof transcript->log);
    memcpy(transcript->log + at, text, len);
    transcript->log[at + len] = '\0';
}

static enum ota_err on_part(void *context, const struct ota_multipart_part *part)
{
    char line[256];
    int len = snprintf(line, sizeof line, "[%s%s%s:", part->name, part->is_file ? "@" : "",
                       part->file_name);

    note(context, line, (size_t)len);
    ((struct transcript *)context)->start = part->start;
    return ((struct transcript *)context)->part_answer;
}

static enum ota_err on_data(void *context, const void *data, size_t len)
{
    assert_true(len > 0);
    note(context, data, len);
    return ((struct transcript *)context)->data_answer;
}

static enum ota_err on_part_end(void *context)
{
    note(context, "]", 1);
    return ((struct transcript *)context)->end_answer;
}

static const struct ota_multipart_events events = {
    .on_part = on_part, .on_data = on_data, .on_part_end = on_part_end};

static enum ota_err input(struct ota_multipart *form, const char *data, size_t len)
{
    /* A copy of just these bytes, so that a sanitizer sees a read past them. */
    char copy[4096];

    assert_true(len <= sizeof copy);
    memcpy(copy + sizeof copy - len, data, len);
    return ota_multipart_input(form, copy + sizeof copy - len, len);
}

/* Feeds a form cut at `first`, the rest in pieces of `step` (0: whole). */
static void run(struct transcript *transcript, const char *boundary, const char *body, size_t len,
                size_t first, size_t step)
{
    struct ota_multipart form;
    size_t at = 0;

    transcript->log[0] = '\0';
    transcript->err = OTA_OK;
    ota_multipart_begin(&form, boundary, &events, transcript);
    while (at < len && transcript->err == OTA_OK) {
        size_t piece = at == 0 && first > 0 ? first : step != 0 ? step : len - at;
        piece = piece < len - at ? piece : len - at;
        transcript->err = input(&form, body + at, piece);
        at += piece;
    }
    if (transcript->err == OTA_OK) {
        transcript->err = ota_multipart_finish(&form);
    }
    assert_int_equal(ota_multipart_finish(&form), transcript->err);
    if (transcript->err != OTA_OK) {
        assert_int_equal(form.state, OTA_MULTIPART_FAILED);
        assert_int_equal(ota_multipart_input(&form, "x", 1), transcript->err);
    }
}

struct form_case {
    const char *body;
    enum ota_err err;
    const char *log;
};

#define DISPOSITION "Content-Disposition: form-data; "
#define FILE_PART "--b\r\n" DISPOSITION "name=\"n\"; filename=\"f\"\r\n\r\n"
#define END "\r\n--b--\r\n"

static const struct form_case cases[] = {
    /* As clients send it. */
    {"--b\r\n" DISPOSITION "name=\"image\"; filename=\"sketch.bin\"\r\n"
     "Content-Type: application/octet-stream\r\n\r\nhello" END,
     OTA_OK, "[image@sketch.bin:hello]"},
    {"--b\r\n" DISPOSITION "name=\"MD5\"\r\n\r\n0123" END, OTA_OK, "[MD5:0123]"},
    {"--b\r\n" DISPOSITION "name=\"MD5\"\r\n\r\n0123\r\n--b\r\n" DISPOSITION
     "name=\"firmware\"; filename=\"firmware\"\r\n\r\nx\r\n--b--\r\n",
     OTA_OK, "[MD5:0123][firmware@firmware:x]"},
    {"--b\r\n" DISPOSITION "name=\"firmware\"; filename=\"\"\r\n"
     "Content-Type: application/octet-stream\r\n\r\n" END,
     OTA_OK, "[firmware@:]"},
    {"--b--\r\n", OTA_OK, ""},
    /* As others may. */
    {"preamble\r\n--not\r\n" FILE_PART "x" END "epilogue\r\n--b\r\n", OTA_OK, "[n@f:x]"},
    {FILE_PART "x\r\n--b--", OTA_OK, "[n@f:x]"},
    {FILE_PART "x\r\n--b--junk", OTA_OK, "[n@f:x]"},
    {"--b \t \r\n" DISPOSITION "name=\"n\"\r\n\r\nx\r\n--b\t\r\n" DISPOSITION
     "name=m\r\n\r\ny\r\n--b--\r\n",
     OTA_OK, "[n:x][m:y]"},
    {"--b\r\nX-Other: y\r\ncontent-type:application/x-gzip\r\nX: \"\r\n"
     "CONTENT-DISPOSITION:form-data;filename=f;name=n\r\nY:\r\n\r\nx" END,
     OTA_OK, "[n@f:x]"},
    {"--b\n" DISPOSITION "name=\"n\"\n\nx" END, OTA_OK, "[n:x]"},
    {"--b\r\nContent-Disposition: form-data ; filename = \"f\" ;name= n \r\n\r\nx" END, OTA_OK,
     "[n@f:x]"},
    {"--b\r\nContent-Disposition: form-data;\r\n name=\"n\";\r\n\tfilename=\"f\"\r\n\r\nx" END,
     OTA_OK, "[n@f:x]"},
    {"--b\r\nContent-Type:\r\n text/plain\r\n" DISPOSITION "name=n\r\n ;filename=f\r\n\r\nx" END,
     OTA_OK, "[n@f:x]"},
    {"--b\r\n" DISPOSITION "name=\"a\\\"b\\\\c\\d\"; filename=\"C:\\new\\code.bin\"\r\n\r\nx" END,
     OTA_OK, "[a\"b\\c\\d@C:\\new\\code.bin:x]"},
    {"--b\r\n" DISPOSITION "name=\"n\"; filename=\"a;b=c.bin\"\r\n\r\nx" END, OTA_OK,
     "[n@a;b=c.bin:x]"},
    {"--b\r\n" DISPOSITION "filename*=UTF-8''na%c3%AFve%20x.bin; name=\"n\"\r\n\r\nx" END, OTA_OK,
     "[n@na\xc3\xafve x.bin:x]"},
    {"--b\r\n" DISPOSITION "name=n; filename=plain; filename*=UTF-8''star\r\n\r\nx" END, OTA_OK,
     "[n@plain:x]"},
    {"--b\r\n" DISPOSITION "name=n; filename*=UTF-8''star; filename=plain\r\n\r\nx" END, OTA_OK,
     "[n@plain:x]"},
    {"--b\r\n" DISPOSITION "name=n; filename*=UTF-8''star; filename=\"\"\r\n\r\nx" END, OTA_OK,
     "[n@:x]"},
    {"--b\r\nContent-Type: application/octet-stream\r\n\r\nx" END, OTA_OK, "[@:x]"},
    {"--b\r\nContent-Type: Text/Plain; charset=x\r\n" DISPOSITION "name=t\r\n\r\nx" END, OTA_OK,
     "[t:x]"},
    {"--b\r\nContent-Transfer-Encoding: Binary\r\n" DISPOSITION "name=t\r\n\r\nx" END, OTA_OK,
     "[t:x]"},
    {"--b\r\n" DISPOSITION "name=t; size=12; other=\"a;name=z\"; flag\r\n\r\nx" END, OTA_OK,
     "[t:x]"},
    {"--b\r\n\r\nx" END, OTA_OK, "[:x]"},
    {"--b\r\n" DISPOSITION "name=a-name-that-is-longer-than-any-place-for-it\r\n\r\nx" END, OTA_OK,
     "[a-name-that-is-longer-than-any-:x]"},
    /* Data that is nearly a delimiter. */
    {FILE_PART "\r\n--a\r\r\n--\r\n-\r\n--\r\n--bb\r\n--b-\r\n--b\r-\r\n--b\r\r" END, OTA_OK,
     "[n@f:\r\n--a\r\r\n--\r\n-\r\n--\r\n--bb\r\n--b-\r\n--b\r-\r\n--b\r\r]"},
    {FILE_PART "\r\r\n\r\n--b\r\r\n--b--", OTA_OK, "[n@f:\r\r\n\r\n--b\r]"},
    {FILE_PART "--b--\r\n" END, OTA_OK, "[n@f:--b--\r\n]"},
    {FILE_PART "\r\n--b-\r\n--b--", OTA_OK, "[n@f:\r\n--b-]"},
    {FILE_PART END, OTA_OK, "[n@f:]"},
    {FILE_PART "\r\n" END, OTA_OK, "[n@f:\r\n]"},
    {"--bb\r\n--b\r\n" DISPOSITION "name=n\r\n\r\nx" END, OTA_OK, "[n:x]"},
    /* Cut off: the part never ends. */
    {"", OTA_ERR_INCOMPLETE, ""},
    {"no delimiter at all", OTA_ERR_INCOMPLETE, ""},
    {"--b", OTA_ERR_INCOMPLETE, ""},
    {"--b\r\nContent-Dis", OTA_ERR_INCOMPLETE, ""},
    {FILE_PART, OTA_ERR_INCOMPLETE, "[n@f:"},
    {FILE_PART "hello", OTA_ERR_INCOMPLETE, "[n@f:hello"},
    {FILE_PART "hello\r\n--b", OTA_ERR_INCOMPLETE, "[n@f:hello"},
    {FILE_PART "hello\r\n--b-", OTA_ERR_INCOMPLETE, "[n@f:hello"},
    {FILE_PART "hello\r\n--b\r", OTA_ERR_INCOMPLETE, "[n@f:hello"},
    {FILE_PART "hello\r\n--b\r\n", OTA_ERR_INCOMPLETE, "[n@f:hello]"},
    /* Wrong. */
    {"--b\r\nno colon\r\n\r\nx" END, OTA_ERR_PROTOCOL, ""},
    {"--b\r\n folded: from nothing\r\n\r\nx" END, OTA_ERR_PROTOCOL, ""},
    {"--b\r\nX\x01: y\r\n\r\nx" END, OTA_ERR_PROTOCOL, ""},
    {"--b\r\n" DISPOSITION "name=\"n\r\n\r\nx" END, OTA_ERR_PROTOCOL, ""},
    {"--b\r\n" DISPOSITION "name=a; name=b\r\n\r\nx" END, OTA_ERR_PROTOCOL, ""},
    {"--b\r\n" DISPOSITION "filename=a; filename=b\r\n\r\nx" END, OTA_ERR_PROTOCOL, ""},
    {"--b\r\n" DISPOSITION "name=a\r\n" DISPOSITION "name=b\r\n\r\nx" END, OTA_ERR_PROTOCOL, ""},
    {"--b\r\n" DISPOSITION "name=a\r\n" DISPOSITION "filename=b\r\n\r\nx" END, OTA_ERR_PROTOCOL,
     ""},
    {"--b\r\n" DISPOSITION "filename*=UTF-8''%zz\r\n\r\nx" END, OTA_ERR_PROTOCOL, ""},
    {"--b\r\n" DISPOSITION "filename*=UTF-8''%a\r\n\r\nx" END, OTA_ERR_PROTOCOL, ""},
    {"--b\r\n" DISPOSITION "filename*=plain\r\n\r\nx" END, OTA_ERR_PROTOCOL, ""},
    {"--b\r\nContent-Transfer-Encoding: base64\r\n\r\nx" END, OTA_ERR_PROTOCOL, ""},
    {FILE_PART "x\r\n--b x\r\n", OTA_ERR_PROTOCOL, "[n@f:x"},
};

static void assert_outcome(const struct transcript *transcript, const struct form_case *expected)
{
    if (transcript->err != expected->err || strcmp(transcript->log, expected->log) != 0) {
        print_message("%s\n", expected->body);
    }
    assert_string_equal(transcript->log, expected->log);
    assert_int_equal(transcript->err, expected->err);
}

static void test_forms_however_they_are_cut(void **state)
{
    struct transcript transcript = {.err = OTA_OK};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t len = strlen(cases[i].body);
        for (size_t cut = 0; cut <= len; cut++) {
            run(&transcript, "b", cases[i].body, len, cut, 0);
            assert_outcome(&transcript, &cases[i]);
        }
        for (size_t step = 1; step < 8; step++) {
            run(&transcript, "b", cases[i].body, len, 0, step);
            assert_outcome(&transcript, &cases[i]);
        }
    }
}

/* ---- A browser's upload of a large file ------------------------------------------------------ */

struct large {
    const uint8_t *data;
    size_t size, at;
    bool ended;
};

static enum ota_err on_large_part(void *context, const struct ota_multipart_part *part)
{
    (void)context;
    assert_string_equal(part->name, "file");
    return OTA_OK;
}

static enum ota_err on_large_data(void *context, const void *data, size_t len)
{
    struct large *large = context;

    assert_true(len <= large->size - large->at);
    assert_memory_equal(data, large->data + large->at, len);
    large->at += len;
    return OTA_OK;
}

static enum ota_err on_large_end(void *context)
{
    ((struct large *)context)->ended = true;
    return OTA_OK;
}

/* The recorded lengths of two uploads, with noise in place of their files. */
static void test_the_framing_of_a_browser(void **state)
{
    static const struct ota_multipart_events large_events = {
        .on_part = on_large_part, .on_data = on_large_data, .on_part_end = on_large_end};
    static const struct {
        const char *file_name;
        size_t size, boundary_len, content_length;
    } uploads[] = {
        {"code.bin", 867072, 57, 867306},
        {"littlefs.bin", 1572864, 56, 1573100},
    };
    static const size_t steps[] = {1460, 5744, 8192, 1};
    static char body[1573100 + 1];

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char boundary[OTA_BOUNDARY_SIZE] = "-----------------------------";
        while (strlen(boundary) < uploads[i].boundary_len) {
            strcat(boundary, "7");
        }
        uint8_t *noise = scratch_noise(i, uploads[i].size);
        size_t len = (size_t)sprintf(body,
                                     "--%s\r\nContent-Disposition: form-data; name=\"file\"; "
                                     "filename=\"%s\"\r\n"
                                     "Content-Type: application/octet-stream\r\n\r\n",
                                     boundary, uploads[i].file_name);
        memcpy(body + len, noise, uploads[i].size);
        len += uploads[i].size;
        len += (size_t)sprintf(body + len, "\r\n--%s--\r\n", boundary);
        assert_int_equal(len, uploads[i].content_length);
        for (size_t n = 0; n < sizeof steps / sizeof *steps; n++) {
            struct large large = {.data = noise, .size = uploads[i].size};
            struct ota_multipart form;
            ota_multipart_begin(&form, boundary, &large_events, &large);
            for (size_t at = 0; at < len; at += steps[n]) {
                size_t piece = steps[n] < len - at ? steps[n] : len - at;
                assert_int_equal(ota_multipart_input(&form, body + at, piece), OTA_OK);
                /* Not before the whole delimiter has come. */
                assert_int_equal(large.ended, at + piece >= len - 2);
            }
            assert_int_equal(ota_multipart_finish(&form), OTA_OK);
            assert_int_equal(large.at, large.size);
        }
        free(noise);
    }
}

static void test_a_callback_ends_it(void **state)
{
    static const char body[] = FILE_PART "one\rtwo" END;
    struct transcript transcript = {.part_answer = OTA_ERR_ABORTED};

    (void)state;
    run(&transcript, "b", body, sizeof body - 1, 0, 0);
    assert_int_equal(transcript.err, OTA_ERR_ABORTED);
    assert_string_equal(transcript.log, "[n@f:");
    transcript = (struct transcript){.data_answer = OTA_ERR_DIGEST};
    run(&transcript, "b", body, sizeof body - 1, 0, 1);
    assert_int_equal(transcript.err, OTA_ERR_DIGEST);
    assert_string_equal(transcript.log, "[n@f:o");
    transcript = (struct transcript){.end_answer = OTA_ERR_NO_DATA};
    run(&transcript, "b", body, sizeof body - 1, 0, 0);
    assert_int_equal(transcript.err, OTA_ERR_NO_DATA);
    assert_string_equal(transcript.log, "[n@f:one\rtwo]");
}

/* The longest boundary, which is also most of the data. */
static void test_a_long_boundary(void **state)
{
    char boundary[OTA_BOUNDARY_SIZE], body[1024], expected[1024];
    struct transcript transcript = {.err = OTA_OK};

    (void)state;
    memset(boundary, '-', OTA_BOUNDARY_MAX);
    boundary[OTA_BOUNDARY_MAX - 1] = '1';
    boundary[OTA_BOUNDARY_MAX] = '\0';
    int len = snprintf(body, sizeof body,
                       "--%s\r\n" DISPOSITION "name=n\r\n\r\n\r\n--%.69s\r\n--%s2\r\n--%s--",
                       boundary, boundary, boundary, boundary);
    snprintf(expected, sizeof expected, "[n:\r\n--%.69s\r\n--%s2]", boundary, boundary);
    for (size_t cut = 0; cut <= (size_t)len; cut++) {
        run(&transcript, boundary, body, (size_t)len, cut, 0);
        assert_int_equal(transcript.err, OTA_OK);
        assert_string_equal(transcript.log, expected);
    }
}

static void test_parts_say_where_they_begin(void **state)
{
    static const char head[] = "preamble\r\n--b\r\n" DISPOSITION "name=n\r\n\r\none\r\n" FILE_PART;
    static const char body[] =
        "preamble\r\n--b\r\n" DISPOSITION "name=n\r\n\r\none\r\n" FILE_PART "two" END;
    struct transcript transcript = {.err = OTA_OK};

    (void)state;
    for (size_t cut = 0; cut < sizeof body; cut++) {
        run(&transcript, "b", body, sizeof body - 1, cut, cut % 3);
        assert_int_equal(transcript.err, OTA_OK);
        assert_int_equal(transcript.start, sizeof head - 1);
    }
}

static void test_long_file_names_keep_their_end(void **state)
{
    char body[700], expected[200];
    struct transcript transcript = {.err = OTA_OK};

    (void)state;
    int len =
        snprintf(body, sizeof body,
                 "--b\r\n" DISPOSITION "name=n; filename=\"%0400d.littlefs.bin\"\r\n\r\nx" END, 7);
    snprintf(expected, sizeof expected, "[n@%082d.littlefs.bin:x]", 7);
    run(&transcript, "b", body, (size_t)len, 0, 0);
    assert_int_equal(transcript.err, OTA_OK);
    assert_string_equal(transcript.log, expected);
}

static void test_heads_and_parts_are_bounded(void **state)
{
    static const char part[] = "--b\r\n" DISPOSITION "name=n\r\n\r\nx\r\n";
    static const char line[] = "X-Line: 0123456789012345678901234567890123456789\r\n";
    struct transcript transcript = {.err = OTA_OK};
    struct ota_multipart form;
    unsigned count = 0;

    (void)state;
    ota_multipart_begin(&form, "b", &events, &transcript);
    assert_int_equal(input(&form, "--b\r\n", 5), OTA_OK);
    while (input(&form, line, sizeof line - 1) == OTA_OK) {
        assert_true(++count < 1000);
    }
    assert_int_equal(form.err, OTA_ERR_PROTOCOL);
    assert_int_equal(count, OTA_MULTIPART_PART_HEAD_MAX / (sizeof line - 1));

    ota_multipart_begin(&form, "b", &events, &transcript);
    for (count = 0; count < OTA_MULTIPART_PARTS_MAX; count++) {
        assert_int_equal(input(&form, part, sizeof part - 1), OTA_OK);
    }
    assert_int_equal(input(&form, part, sizeof part - 1), OTA_ERR_PROTOCOL);
}

static void test_boundaries(void **state)
{
    static const struct {
        const char *type, *boundary; /* NULL: none */
    } types[] = {
        {"multipart/form-data; boundary=abc", "abc"},
        {"Multipart/Form-Data;BOUNDARY=abc", "abc"},
        {"multipart/form-data; boundary=\"a b;c\"", "a b;c"},
        {"multipart/form-data; boundary=\"a\\\"b\"", "a\"b"},
        {"multipart/form-data; charset=utf-8; boundary=abc; x=y", "abc"},
        {"multipart/form-data; charset=\"boundary=no\" ; boundary=abc ", "abc"},
        {"multipart/form-data; flag; boundary=abc", "abc"},
        {"multipart/mixed ; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW",
         "----WebKitFormBoundary7MA4YWxkTrZu0gW"},
        {"multipart/form-data; "
         "boundary=0123456789012345678901234567890123456789012345678901234567890123456789",
         "0123456789012345678901234567890123456789012345678901234567890123456789"},
        {"multipart/form-data; "
         "boundary=01234567890123456789012345678901234567890123456789012345678901234567890",
         NULL},
        {"multipart/form-data", NULL},
        {"multipart/form-data;", NULL},
        {"multipart/form-data; boundary", NULL},
        {"multipart/form-data; boundary=", NULL},
        {"multipart/form-data; boundary=\"\"", NULL},
        {"multipart/form-data; boundary=\"abc", NULL},
        {"multipart/form-data; boundary=a\x01", NULL},
        {"multipart/form-data; boundary=a; boundary=b", NULL},
        {"multipart/form-data; charset=\"x; boundary=abc", NULL},
        {"application/octet-stream; boundary=abc", NULL},
        {"", NULL},
    };
    char boundary[OTA_BOUNDARY_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        enum ota_err err = ota_multipart_boundary(types[i].type, boundary);
        if ((err == OTA_OK) != (types[i].boundary != NULL)) {
            print_message("%s\n", types[i].type);
        }
        assert_int_equal(err, types[i].boundary != NULL ? OTA_OK : OTA_ERR_PROTOCOL);
        if (err == OTA_OK) {
            assert_string_equal(boundary, types[i].boundary);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms_however_they_are_cut),
        cmocka_unit_test(test_the_framing_of_a_browser),
        cmocka_unit_test(test_a_callback_ends_it),
        cmocka_unit_test(test_a_long_boundary),
        cmocka_unit_test(test_parts_say_where_they_begin),
        cmocka_unit_test(test_long_file_names_keep_their_end),
        cmocka_unit_test(test_heads_and_parts_are_bounded),
        cmocka_unit_test(test_boundaries),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
