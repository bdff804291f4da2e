/* SPDX-License-Identifier: Apache-2.0 */
/* An espota device on a bench. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <updraft/slot.h>

#include "base/pbkdf2.h"
#include "cli/digest.h"
#include "proto/digits.h"
#include "proto/espota_bench.h"
#include "support/images.h"

/* ---- The device's surroundings --------------------------------------------------------------- */

static enum ota_err give_random(void *context, void *data, size_t len)
{
    struct espota_bench *bench = context;

    memcpy(data, bench->random, len);
    for (size_t i = 0; i < sizeof bench->random && !bench->keeps_random; i++) {
        bench->random[i] = (uint8_t)(bench->random[i] * 5u + 77u + i);
    }
    return bench->random_err;
}

static void add_event(struct espota_bench *bench, const char *text)
{
    size_t len = strlen(bench->events);

    assert_true(len + strlen(text) + 2 < sizeof bench->events);
    (void)snprintf(bench->events + len, sizeof bench->events - len, "%s ", text);
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text);

    return len >= strlen(end) && strcmp(text + len - strlen(end), end) == 0;
}

static void on_event(void *context, const struct ota_espota *espota, enum ota_espota_event event)
{
    static const char *const words[] = {"invited", "login", "start", "progress", "end", "error"};
    struct espota_bench *bench = context;
    char text[64];

    switch (event) {
    case OTA_ESPOTA_PROGRESS:
        bench->progress++;
        if (!ends_with(bench->events, "progress ")) {
            add_event(bench, "progress");
        }
        break;
    case OTA_ESPOTA_ERROR:
        (void)snprintf(text, sizeof text, "error%d:%s", (int)espota->error,
                       ota_err_name(espota->failure.err));
        add_event(bench, text);
        break;
    case OTA_ESPOTA_LOGGED_IN:
        add_event(bench, espota->login == OTA_ESPOTA_LOGIN_MD5 ? "md5" : "sha256");
        break;
    default:
        add_event(bench, words[event]);
        break;
    }
}

static uint32_t bench_now(void *context)
{
    return ((struct espota_bench *)context)->now;
}

void bench_digest_image(struct espota_bench *bench)
{
    assert_true(
        digest_of(&ota_crypto_psa, OTA_HASH_MD5, bench->image, bench->image_len, bench->md5));
    digits_put(bench->md5_digits, bench->md5, sizeof bench->md5);
}

int espota_bench_fresh(void **state)
{
    static struct espota_bench bench;
    const struct image_facts image = {
        .chip = OTA_CHIP_ESP32S3, .size = BENCH_IMAGE_SIZE, .version = "1.1.0"};

    memset(&bench, 0, sizeof bench);
    ram_device_make(&bench.ram);
    bench.image_len = image_make(bench.image, sizeof bench.image, &image);
    bench_digest_image(&bench);
    bench.now = UINT32_MAX - 20000; /* the clock wraps in the middle of it all */
    bench.host = bench_address(50, 60000);
    for (size_t i = 0; i < sizeof bench.random; i++) {
        bench.random[i] = (uint8_t)(i * 7 + 1);
    }
    bench.intake_options = (struct ota_intake_options){
        .device = &bench.ram.device,
        .buffer = bench.buffer,
        .buffer_size = sizeof bench.buffer,
        .data_label = "storage",
        .now_ms = bench_now,
        .context = &bench,
    };
    bench.options = (struct ota_espota_options){
        .intake = &bench.intake,
        .random = give_random,
        .on_event = on_event,
        .context = &bench,
    };
    *state = &bench;
    return 0;
}

void bench_begin(struct espota_bench *bench)
{
    assert_int_equal(ota_intake_init(&bench->intake, &bench->intake_options), OTA_OK);
    assert_int_equal(ota_espota_begin(&bench->espota, &bench->options, bench->now), OTA_OK);
}

struct espota_bench *bench_with_password(void **state)
{
    struct espota_bench *bench = *state;

    bench->options.password = "secret";
    bench_begin(bench);
    return bench;
}

/* ---- Datagrams ------------------------------------------------------------------------------- */

struct ota_address bench_address(unsigned last, uint16_t port)
{
    struct ota_address address = {.ip = {[10] = 0xFF, 0xFF, 192, 168, 1, (uint8_t)last}};

    address.port = port;
    return address;
}

void bench_take_reply(struct espota_bench *bench)
{
    struct ota_address nobody;
    size_t len =
        ota_espota_reply(&bench->espota, &bench->replied_to, bench->reply, sizeof bench->reply - 1);

    bench->reply[len] = '\0';
    assert_int_equal(ota_espota_reply(&bench->espota, &nobody, bench->reply + len, 1), 0);
}

void bench_datagram_bytes(struct espota_bench *bench, const void *data, size_t len)
{
    /* In memory of its own size, so that reading beyond it is noticed. */
    uint8_t *copy = malloc(len > 0 ? len : 1);

    assert_non_null(copy);
    memcpy(copy, data, len);
    ota_espota_datagram(&bench->espota, &bench->host, copy, len);
    free(copy);
    bench_take_reply(bench);
}

void bench_datagram(struct espota_bench *bench, const char *text)
{
    bench_datagram_bytes(bench, text, strlen(text));
}

void bench_invite_with(struct espota_bench *bench, unsigned command, size_t size,
                       const char *md5_digits)
{
    char text[128];

    (void)snprintf(text, sizeof text, "%u %u %zu %s\n", command, BENCH_HOST_PORT, size, md5_digits);
    bench_datagram(bench, text);
}

void bench_invite(struct espota_bench *bench)
{
    bench_invite_with(bench, 0, bench->image_len, bench->md5_digits);
}

void bench_answer_md5(char *datagram, size_t size, const char *password, const char *nonce,
                      const char *cnonce)
{
    char passhash[65];
    char response[65];
    char text[256];

    digits_of(OTA_HASH_MD5, password, strlen(password), passhash);
    (void)snprintf(text, sizeof text, "%s:%s:%s", passhash, nonce, cnonce);
    digits_of(OTA_HASH_MD5, text, strlen(text), response);
    (void)snprintf(datagram, size, "200 %s %s\n", cnonce, response);
}

void bench_answer_pbkdf2(char *datagram, size_t size, const char *password,
                         enum ota_hash_algorithm kept, const char *nonce, const char *cnonce)
{
    struct ota__pbkdf2 derivation;
    uint8_t key[OTA_SHA256_SIZE];
    char passhash[65];
    char key_digits[65];
    char response[65];
    char salt[160];
    char text[256];
    bool done;

    digits_of(kept, password, strlen(password), passhash);
    (void)snprintf(salt, sizeof salt, "%s:%s", nonce, cnonce);
    assert_int_equal(ota__pbkdf2_begin(&derivation, &ota_crypto_bearssl, passhash, strlen(passhash),
                                       salt, strlen(salt), 10000),
                     OTA_OK);
    assert_int_equal(ota__pbkdf2_run(&derivation, 10000, &done), OTA_OK);
    assert_int_equal(ota__pbkdf2_finish(&derivation, key), OTA_OK);
    digits_put(key_digits, key, sizeof key);
    (void)snprintf(text, sizeof text, "%s:%s", key_digits, salt);
    digits_of(OTA_HASH_SHA256, text, strlen(text), response);
    (void)snprintf(datagram, size, "200 %s %s\n", cnonce, response);
}

/* The digits of the nonce in the last reply. */
static const char *nonce_of(const struct espota_bench *bench)
{
    assert_memory_equal(bench->reply, "AUTH ", 5);
    return bench->reply + 5;
}

static void let_compute(struct espota_bench *bench)
{
    for (unsigned i = 0; bench->espota.state == OTA_ESPOTA_VERIFYING; i++) {
        assert_true(i < 1000);
        assert_int_equal(ota_espota_wait_ms(&bench->espota), 0);
        ota_espota_tick(&bench->espota, ++bench->now);
    }
    if (bench->reply[0] == '\0') {
        bench_take_reply(bench);
    }
}

void bench_login_md5(struct espota_bench *bench, const char *password, size_t digits)
{
    char nonce[65];
    char datagram[160];

    (void)snprintf(nonce, sizeof nonce, "%.*s", (int)digits, nonce_of(bench));
    bench_answer_md5(datagram, sizeof datagram, password, nonce,
                     "45c43a74c645da3727e2b16f8136db8a");
    bench_datagram(bench, datagram);
}

void bench_login_pbkdf2(struct espota_bench *bench, const char *password,
                        enum ota_hash_algorithm kept)
{
    char datagram[160];

    bench_answer_pbkdf2(datagram, sizeof datagram, password, kept, nonce_of(bench),
                        "c46e7638a39b7c4391d1f1607ffa895f0fb06c2c59765a39cd2ba2711d761ed8");
    bench_datagram(bench, datagram);
    let_compute(bench);
}

/* ---- Time, and the connection ---------------------------------------------------------------- */

void bench_take_output(struct espota_bench *bench)
{
    char piece[37];
    size_t most = bench->output_step != 0 ? bench->output_step : sizeof piece;
    size_t len;

    while ((len = ota_espota_output(&bench->espota, piece, sizeof piece)) > 0) {
        size_t sent = len < most ? len : most;
        assert_true(bench->told_len + sent < sizeof bench->told);
        memcpy(bench->told + bench->told_len, piece, sent);
        bench->told_len += sent;
        bench->told[bench->told_len] = '\0';
        ota_espota_sent(&bench->espota, sent);
    }
}

void bench_pass(struct espota_bench *bench, uint32_t ms)
{
    for (;;) {
        uint32_t wait = ota_espota_wait_ms(&bench->espota);
        uint32_t step = wait < ms ? wait : ms;
        bench->now += step;
        ms -= step;
        ota_espota_tick(&bench->espota, bench->now);
        bench_take_output(bench);
        if (ms == 0) {
            return;
        }
    }
}

void bench_connect(struct espota_bench *bench)
{
    struct ota_address expected = bench->host;

    expected.port = BENCH_HOST_PORT;
    assert_int_equal(bench->espota.state, OTA_ESPOTA_CONNECTING);
    assert_true(ota_address_same(&bench->espota.dial, &expected));
    assert_false(ota_espota_has_connection(&bench->espota));
    ota_espota_connected(&bench->espota);
    assert_true(ota_espota_has_connection(&bench->espota));
    bench->told_len = 0;
    bench->told[0] = '\0';
}

void bench_send(struct espota_bench *bench, const void *data, size_t len, size_t step)
{
    const uint8_t *bytes = data;

    for (size_t at = 0; at < len; at += step) {
        size_t piece = len - at < step ? len - at : step;
        ota_espota_input(&bench->espota, bytes + at, piece);
        bench_take_output(bench);
    }
}

void bench_settle(struct espota_bench *bench)
{
    bench_take_output(bench);
    assert_int_equal(bench->espota.state, OTA_ESPOTA_SETTLING);
    while (bench->espota.state != OTA_ESPOTA_LINGERING) {
        bench_pass(bench, 1);
    }
    ota_espota_closed(&bench->espota, OTA_OK);
    assert_int_equal(bench->espota.state, OTA_ESPOTA_IDLE);
}

void bench_push(struct espota_bench *bench)
{
    bench_invite(bench);
    assert_string_equal(bench->reply, "OK");
    bench_connect(bench);
    bench_send(bench, bench->image, bench->image_len, 1460);
    bench_settle(bench);
}

bool bench_is_updated(struct espota_bench *bench)
{
    return bench->intake.accepted > 0 &&
           memcmp(bench->ram.memory + RAM_OTA_0, bench->image, bench->image_len) == 0;
}
