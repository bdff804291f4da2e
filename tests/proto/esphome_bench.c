/* SPDX-License-Identifier: Apache-2.0 */
/* The ESPHome protocol on a bench. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include <updraft/slot.h>

#include "cli/digest.h"
#include "proto/esphome_bench.h"
#include "support/images.h"

static uint8_t host_bytes[ESPHOME_IMAGE_MAX + 256];

/* ---- The device ------------------------------------------------------------------------------ */

static enum ota_err device_random(void *context, void *data, size_t len)
{
    struct esphome_bench *bench = context;

    assert_true(len <= sizeof bench->random);
    memcpy(data, bench->random, len);
    bench->random[0]++;
    return bench->random_error;
}

static void on_device(void *context, const struct ota_esphome *esphome,
                      enum ota_esphome_event event)
{
    struct esphome_bench *bench = context;
    size_t len = strlen(bench->events);

    assert_ptr_equal(esphome, &bench->esphome);
    assert_true(len + 1 < sizeof bench->events);
    bench->events[len] = "GWLSAF"[event];
}

void esphome_device_begin(struct esphome_bench *bench)
{
    memset(bench->events, 0, sizeof bench->events);
    bench->said_len = 0;
    assert_int_equal(ota_esphome_begin(&bench->esphome, &bench->options, bench->now), OTA_OK);
    assert_int_equal(bench->esphome.state, OTA_ESPHOME_GREETING);
}

void esphome_take_said(struct esphome_bench *bench, size_t capacity)
{
    uint8_t piece[sizeof bench->said];
    size_t len;

    assert_true(capacity <= sizeof piece);
    while ((len = ota_esphome_output(&bench->esphome, piece, capacity)) > 0) {
        assert_true(len <= capacity);
        assert_true(bench->said_len + len <= sizeof bench->said);
        memcpy(bench->said + bench->said_len, piece, len);
        bench->said_len += len;
        ota_esphome_sent(&bench->esphome, len);
    }
}

void esphome_feed(struct esphome_bench *bench, const void *data, size_t len, size_t step)
{
    const uint8_t *bytes = data;

    for (size_t at = 0; at < len;) {
        size_t piece = step == 0 || step > len - at ? len - at : step;
        (void)ota_esphome_input(&bench->esphome, bytes + at, piece);
        esphome_take_said(bench, step == 1 ? 1 : sizeof bench->said);
        at += piece;
    }
}

size_t esphome_preamble(const struct esphome_bench *bench, uint8_t features, uint8_t bytes[64])
{
    static const uint8_t magic[] = {0x6C, 0x26, 0xF7, 0x5C, 0x45};
    size_t at = sizeof magic;

    memcpy(bytes, magic, sizeof magic);
    bytes[at++] = features;
    if ((features & 4) != 0) {
        bytes[at++] = 0;
    }
    for (int shift = 24; shift >= 0; shift -= 8) {
        bytes[at++] = (uint8_t)(bench->image_len >> shift);
    }
    for (size_t i = 0; i < OTA_MD5_SIZE; i++) {
        bytes[at++] = (uint8_t) "0123456789abcdef"[bench->md5[i] >> 4];
        bytes[at++] = (uint8_t) "0123456789abcdef"[bench->md5[i] & 15];
    }
    return at;
}

void esphome_assert_updated(const struct esphome_bench *bench)
{
    int slot = OTA_SLOT_NONE;

    assert_int_equal(bench->esphome.failure.err, OTA_OK);
    assert_true(bench->esphome.is_accepted);
    assert_int_equal(bench->esphome.answer, 0);
    assert_int_equal(bench->said[bench->said_len - 1], 0x45);
    assert_int_equal(bench->intake.state, OTA_INTAKE_FREE);
    assert_int_equal(bench->intake.accepted, 1);
    assert_memory_equal(bench->ram.memory + RAM_OTA_0, bench->image, bench->image_len);
    assert_int_equal(ota_slot_boot(&bench->ram.device, &slot), OTA_OK);
    assert_int_equal(slot, 0);
}

void esphome_assert_refused(const struct esphome_bench *bench, enum ota_err err, uint8_t answer)
{
    assert_true(bench->esphome.state >= OTA_ESPHOME_CLOSING);
    assert_false(bench->esphome.is_accepted);
    assert_int_equal(bench->esphome.failure.err, err);
    assert_int_equal(bench->esphome.answer, answer);
    assert_true(bench->said_len > 0);
    assert_int_equal(bench->said[bench->said_len - 1], answer);
    assert_int_equal(bench->intake.state, OTA_INTAKE_FREE);
    assert_int_equal(bench->intake.accepted, 0);
}

/* ---- The host -------------------------------------------------------------------------------- */

static enum ota_err host_random(void *context, void *data, size_t len)
{
    const struct esphome_bench *bench = context;

    assert_true(len <= sizeof bench->host_random);
    memcpy(data, bench->host_random, len);
    return OTA_OK;
}

static enum ota_err host_read(void *context, uint32_t offset, void *data, size_t len)
{
    const struct esphome_bench *bench = context;

    assert_true(offset + len <= bench->image_len);
    memcpy(data, bench->image + offset, len);
    return bench->source_error;
}

static void on_host(void *context, const struct ota_esphome_host *host,
                    enum ota_esphome_host_event event)
{
    struct esphome_bench *bench = context;
    size_t len = strlen(bench->host_events);

    assert_ptr_equal(host, &bench->host);
    if (event != OTA_ESPHOME_HOST_PROGRESS) {
        assert_true(len + 1 < sizeof bench->host_events);
        bench->host_events[len] = "CWLS_AD"[event];
    }
}

void esphome_host_begin(struct esphome_bench *bench)
{
    memset(bench->host_events, 0, sizeof bench->host_events);
    bench->sent = host_bytes;
    bench->sent_len = 0;
    assert_int_equal(ota_esphome_host_begin(&bench->host, &bench->host_options, bench->now),
                     OTA_OK);
    assert_int_equal(bench->host.state, OTA_ESPHOME_HOST_CONNECTING);
}

void esphome_host_take(struct esphome_bench *bench, size_t capacity)
{
    size_t len;

    assert_true(capacity > 0);
    for (;;) {
        size_t room = sizeof host_bytes - bench->sent_len;
        room = room < capacity ? room : capacity;
        len = ota_esphome_host_output(&bench->host, bench->sent + bench->sent_len, room);
        if (len == 0) {
            return;
        }
        assert_true(len <= room);
        bench->sent_len += len;
        ota_esphome_host_sent(&bench->host, len);
    }
}

/* ---- Both ------------------------------------------------------------------------------------ */

/* Each loses what it has said once it has been carried over. */
static bool carry_to_device(struct esphome_bench *bench, size_t step)
{
    size_t len = 0;
    uint8_t piece[1500];

    step = step < sizeof piece ? step : sizeof piece;
    if (bench->host.state != OTA_ESPHOME_HOST_FAILED) {
        len = ota_esphome_host_output(&bench->host, piece, step);
        ota_esphome_host_sent(&bench->host, len);
        (void)ota_esphome_input(&bench->esphome, piece, len);
    }
    return len > 0;
}

static bool carry_to_host(struct esphome_bench *bench, size_t step)
{
    uint8_t piece[1500];

    step = step < sizeof piece ? step : sizeof piece;
    size_t len = ota_esphome_output(&bench->esphome, piece, step);
    ota_esphome_sent(&bench->esphome, len);
    if (len > 0) {
        assert_true(bench->said_len + len <= sizeof bench->said);
        memcpy(bench->said + bench->said_len, piece, len);
        bench->said_len += len;
        (void)ota_esphome_host_input(&bench->host, piece, len);
    }
    return len > 0;
}

void esphome_converse(struct esphome_bench *bench, size_t step)
{
    bool moved = true;

    while (moved) {
        moved = carry_to_device(bench, step);
        moved = carry_to_host(bench, step) || moved;
    }
}

/* ---- Making it ------------------------------------------------------------------------------- */

void esphome_use_image(struct esphome_bench *bench)
{
    assert_true(
        digest_of(&ota_crypto_psa, OTA_HASH_MD5, bench->image, bench->image_len, bench->md5));
    bench->host_options.size = (uint32_t)bench->image_len;
    memcpy(bench->host_options.md5, bench->md5, sizeof bench->md5);
}

void esphome_make_image(struct esphome_bench *bench, uint32_t size)
{
    const struct image_facts facts = {.chip = OTA_CHIP_ESP32S3, .size = size, .version = "1.1.0"};

    bench->image_len = image_make(bench->image, sizeof bench->image, &facts);
    assert_true(bench->image_len > 0);
    esphome_use_image(bench);
}

void esphome_bench_make(struct esphome_bench *bench)
{
    memset(bench, 0, sizeof *bench);
    ram_device_make(&bench->ram);
    bench->now = UINT32_MAX - 10000; /* the clock wraps in longer tests */
    const struct ota_intake_options intake = {
        .device = &bench->ram.device,
        .buffer = bench->buffer,
        .buffer_size = sizeof bench->buffer,
    };
    assert_int_equal(ota_intake_init(&bench->intake, &intake), OTA_OK);
    bench->options = (struct ota_esphome_options){
        .intake = &bench->intake,
        .random = device_random,
        .on_event = on_device,
        .context = bench,
    };
    bench->host_options = (struct ota_esphome_host_options){
        .crypto = &ota_crypto_psa,
        .read = host_read,
        .random = host_random,
        .on_event = on_host,
        .context = bench,
    };
    esphome_make_image(bench, 0);
}

int esphome_bench_set_up(void **state)
{
    static struct esphome_bench bench;

    esphome_bench_make(&bench);
    *state = &bench;
    return 0;
}
