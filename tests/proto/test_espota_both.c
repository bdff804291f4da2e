/* SPDX-License-Identifier: Apache-2.0 */
/* The two sides of the Arduino update protocol with a network between them that is made of memory:
   it loses and doubles datagrams, carries bytes in small pieces, and breaks. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include <updraft/espota_host.h>

#include "proto/espota_bench.h"

#define NEVER UINT32_MAX

struct world {
    struct espota_bench *bench; /* the device, and the clock of both */
    struct ota_espota_host host;
    struct ota_espota_host_options options;
    bool connected;
    uint32_t carried; /* bytes of the image that reached the device */

    /* What the network does. */
    unsigned datagrams;     /* so far, both ways */
    unsigned lost, doubled; /* of these numbers; or NEVER */
    size_t step;            /* bytes that it carries at a time */
    uint32_t cut;           /* after so many bytes of the image it breaks */
    bool half_open;         /* and the device does not notice */
};

static enum ota_err read_image(void *context, uint32_t offset, void *data, size_t len)
{
    const struct world *world = context;

    memcpy(data, world->bench->image + offset, len);
    return OTA_OK;
}

static enum ota_err give_random(void *context, void *data, size_t len)
{
    (void)context;
    memset(data, 0x5A, len);
    return OTA_OK;
}

static void begin(struct world *world, struct espota_bench *bench, const char *password)
{
    *world =
        (struct world){.bench = bench, .lost = NEVER, .doubled = NEVER, .step = 1460, .cut = NEVER};
    bench_begin(bench);
    world->options = (struct ota_espota_host_options){
        .crypto = &ota_crypto_bearssl,
        .size = (uint32_t)bench->image_len,
        .host_port = BENCH_HOST_PORT,
        .password = password,
        .read = read_image,
        .random = give_random,
        .context = world,
    };
    memcpy(world->options.md5, bench->md5, OTA_MD5_SIZE);
}

/* How often the network delivers the next datagram. */
static unsigned copies(struct world *world)
{
    const unsigned number = world->datagrams++;

    if (number == world->lost) {
        return 0;
    }
    return number == world->doubled ? 2 : 1;
}

static bool carry_datagrams(struct world *world)
{
    char text[OTA_ESPOTA_REPLY_SIZE];
    struct ota_address to;
    size_t len = ota_espota_host_datagram(&world->host, text, sizeof text);
    bool any = len > 0;

    for (unsigned n = len > 0 ? copies(world) : 0; n > 0; n--) {
        ota_espota_datagram(&world->bench->espota, &world->bench->host, text, len);
    }
    len = ota_espota_reply(&world->bench->espota, &to, text, sizeof text);
    any = any || len > 0;
    for (unsigned n = len > 0 ? copies(world) : 0; n > 0; n--) {
        assert_true(ota_address_same(&to, &world->bench->host));
        ota_espota_host_answer(&world->host, text, len);
    }
    return any;
}

static void hang_up(struct world *world)
{
    world->connected = false;
    ota_espota_host_closed(&world->host, OTA_ERR_CONNECTION_LOST);
    if (!world->half_open) {
        ota_espota_closed(&world->bench->espota, OTA_ERR_CONNECTION_LOST);
    }
}

static void keep_connection(struct world *world)
{
    struct ota_espota *device = &world->bench->espota;

    if (device->state == OTA_ESPOTA_CONNECTING && !world->connected) {
        ota_espota_connected(device);
        world->connected = ota_espota_host_connected(&world->host);
        if (!world->connected) {
            ota_espota_closed(device, OTA_ERR_CONNECT);
        }
    }
    if (world->connected && !ota_espota_has_connection(device)) {
        world->connected = false;
        ota_espota_host_closed(&world->host, OTA_OK);
    }
    if (world->connected && world->host.state >= OTA_ESPOTA_HOST_DONE) {
        world->connected = false;
        ota_espota_closed(device, OTA_OK);
    }
}

static bool carry_bytes(struct world *world)
{
    uint8_t piece[4096];
    struct ota_espota *device = &world->bench->espota;

    if (!world->connected) {
        /* What a device says that has not noticed goes nowhere. */
        ota_espota_sent(device, ota_espota_output(device, piece, sizeof piece));
        return false;
    }
    size_t room = world->step < sizeof piece ? world->step : sizeof piece;
    if (world->cut != NEVER && world->cut - world->carried < room) {
        room = world->cut - world->carried;
    }
    size_t sent = room > 0 ? ota_espota_host_output(&world->host, piece, room) : 0;
    ota_espota_host_sent(&world->host, sent);
    world->carried += (uint32_t)sent;
    ota_espota_input(device, piece, sent);
    if (world->carried == world->cut) {
        hang_up(world);
        return true;
    }
    size_t told = ota_espota_output(device, piece, world->step < 256 ? world->step : 256);
    ota_espota_sent(device, told);
    ota_espota_host_input(&world->host, piece, told);
    return sent > 0 || told > 0;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Lets both go on until the host has come to an end and the device waits for the next one. */
static void run(struct world *world)
{
    struct espota_bench *bench = world->bench;

    world->carried = 0;
    bench->events[0] = '\0';
    assert_int_equal(ota_espota_host_begin(&world->host, &world->options, bench->now), OTA_OK);
    for (unsigned i = 0;
         world->host.state < OTA_ESPOTA_HOST_DONE || bench->espota.state != OTA_ESPOTA_IDLE; i++) {
        assert_true(i < 200000);
        ota_espota_host_tick(&world->host, bench->now);
        ota_espota_tick(&bench->espota, bench->now);
        bool any = carry_datagrams(world);
        keep_connection(world);
        any = carry_bytes(world) || any;
        if (!any) {
            uint32_t wait =
                least(ota_espota_host_wait_ms(&world->host), ota_espota_wait_ms(&bench->espota));
            bench->now += wait == UINT32_MAX ? 1 : wait;
        }
    }
}

static void expect_accepted(struct world *world)
{
    if (world->host.state != OTA_ESPOTA_HOST_DONE) {
        char text[512];
        fail_msg("%s", ota_espota_host_message(&world->host, text, sizeof text));
    }
    assert_true(bench_is_updated(world->bench));
}

/* ---- Tests ----------------------------------------------------------------------------------- */

static void test_every_login(void **state)
{
    static const char sha256_hash[] =
        "41ef4bb0b23661e66301aac36066912dac037827b4ae63a7b1165a5aa93ed4eb";
    static const char md5_hash[] = "54ef36ec71201fdf9d1423fd26f97f6b";
    const struct {
        struct ota_espota_options device;
        const char *password;
        enum ota_espota_host_login login;
    } logins[] = {
        {{.login = OTA_ESPOTA_LOGIN_ANY}, NULL, OTA_ESPOTA_HOST_LOGIN_NONE},
        {{.login = OTA_ESPOTA_LOGIN_ANY}, "not asked for", OTA_ESPOTA_HOST_LOGIN_NONE},
        {{.password = "open sesame"}, "open sesame", OTA_ESPOTA_HOST_LOGIN_PBKDF2},
        {{.password = "open sesame", .login = OTA_ESPOTA_LOGIN_SHA256},
         "open sesame",
         OTA_ESPOTA_HOST_LOGIN_PBKDF2},
        {{.password = "open sesame", .login = OTA_ESPOTA_LOGIN_MD5},
         "open sesame",
         OTA_ESPOTA_HOST_LOGIN_MD5},
        {{.sha256_hash = sha256_hash}, "open sesame", OTA_ESPOTA_HOST_LOGIN_PBKDF2},
        {{.md5_hash = md5_hash}, "open sesame", OTA_ESPOTA_HOST_LOGIN_PBKDF2_MD5},
    };
    struct espota_bench *bench = *state;

    for (unsigned profile = OTA_ESPOTA_ESP8266; profile <= OTA_ESPOTA_RP2040; profile++) {
        for (size_t i = 0; i < sizeof logins / sizeof *logins; i++) {
            struct world world;
            bench->options.profile = (enum ota_espota_profile)profile;
            bench->options.password = logins[i].device.password;
            bench->options.sha256_hash = logins[i].device.sha256_hash;
            bench->options.md5_hash = logins[i].device.md5_hash;
            bench->options.login = logins[i].device.login;
            begin(&world, bench, logins[i].password);
            run(&world);
            expect_accepted(&world);
            assert_int_equal(world.host.login, logins[i].login);
        }
    }
}

static void test_wrong_password(void **state)
{
    struct espota_bench *bench = *state;
    struct world world;

    bench->options.password = "open sesame";
    begin(&world, bench, "open says me");
    run(&world);
    assert_int_equal(world.host.failure.err, OTA_ERR_AUTH);
    assert_int_equal(bench->intake.accepted, 0);
    world.options.password = "open sesame"; /* and after that the right one */
    run(&world);
    expect_accepted(&world);
}

/* The n-th datagram of all is lost, or comes twice; none is indispensable. */
static void test_lost_and_doubled_datagrams(void **state)
{
    struct espota_bench *bench = *state;

    for (unsigned n = 0; n < 6; n++) {
        for (unsigned kind = 0; kind < 4; kind++) {
            struct world world;
            bench->options.password = (kind & 1) != 0 ? "open sesame" : NULL;
            begin(&world, bench, "open sesame");
            *((kind & 2) != 0 ? &world.lost : &world.doubled) = n;
            run(&world);
            expect_accepted(&world);
        }
    }
}

static void test_small_pieces(void **state)
{
    static const size_t steps[] = {1, 2, 7, 1024, 4096};
    struct espota_bench *bench = *state;

    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct world world;
        begin(&world, bench, NULL);
        world.step = steps[i];
        run(&world);
        expect_accepted(&world);
    }
}

/* The connection breaks after every 997th byte; the next push works. */
static void test_broken_connections(void **state)
{
    struct espota_bench *bench = *state;
    struct world world;

    begin(&world, bench, NULL);
    for (uint32_t cut = 0; cut < bench->image_len; cut += 997) {
        world.cut = cut == 0 ? 1 : cut;
        world.half_open = cut % 2 != 0;
        run(&world);
        assert_int_equal(world.host.state, OTA_ESPOTA_HOST_FAILED);
        assert_int_equal(bench->intake.accepted, 0);
    }
    world.cut = NEVER;
    run(&world);
    expect_accepted(&world);
}

/* A refusal in the middle of the image reaches the host in the device's words. */
static void test_refused_image(void **state)
{
    struct espota_bench *bench = *state;
    char text[512];

    for (unsigned profile = OTA_ESPOTA_ESP8266; profile <= OTA_ESPOTA_RP2040; profile++) {
        struct world world;
        bench->options.profile = (enum ota_espota_profile)profile;
        begin(&world, bench, NULL);
        world.options.md5[0] ^= 1;
        run(&world);
        assert_int_equal(world.host.failure.err, OTA_ERR_PEER);
        assert_non_null(strstr(ota_espota_host_message(&world.host, text, sizeof text), "MD5"));
        assert_int_equal(bench->intake.accepted, 0);
    }
}

static void test_too_large(void **state)
{
    struct espota_bench *bench = *state;
    struct world world;

    begin(&world, bench, NULL);
    world.options.size = RAM_SLOT_SIZE + 1;
    run(&world);
    assert_int_equal(world.host.failure.err, OTA_ERR_PEER);
    assert_int_not_equal(world.host.reply[0], '\0');
}

#define BOTH(test) cmocka_unit_test_setup(test, espota_bench_fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(test_every_login),
        BOTH(test_wrong_password),
        BOTH(test_lost_and_doubled_datagrams),
        BOTH(test_small_pieces),
        BOTH(test_broken_connections),
        BOTH(test_refused_image),
        BOTH(test_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
