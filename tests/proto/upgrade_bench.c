/* SPDX-License-Identifier: Apache-2.0 */
/* An upgrade list on a device made of RAM. */

#include "proto/upgrade_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <updraft/slot.h>
#include <updraft/staged_boot.h>
#include <updraft/staging.h>

#include "support/images.h"
#include "support/tones.h"

#define POLLS_MAX 200000u

/* ---- The platform ---------------------------------------------------------------------------- */

static uint32_t bench_now(struct ota_platform *platform)
{
    return ((struct bench *)platform)->now;
}

static void bench_log(struct ota_platform *platform, enum ota_log_level level, const char *tag,
                      const char *text)
{
    struct bench *bench = (struct bench *)platform;
    size_t len = strlen(bench->log);

    (void)level;
    (void)snprintf(bench->log + len, sizeof bench->log - len, "%s: %s\n", tag, text);
}

/* ---- The scheme ------------------------------------------------------------------------------ */

static enum ota_err mem_read(struct ota_fetch *fetch, void *data, size_t capacity, size_t *len,
                             bool *ended)
{
    struct bench *bench = (struct bench *)((char *)fetch - offsetof(struct bench, fetch));
    struct bench_source *source = bench->open;
    size_t left = source->len - source->at;
    size_t piece = source->at == 0 && source->first != 0 ? source->first : source->piece;

    assert_non_null(source);
    *len = left < capacity ? left : capacity;
    if (piece != 0 && *len > piece) {
        *len = piece;
    }
    if (*len > 0) {
        memcpy(data, source->data + source->at, *len);
        source->at += *len;
    }
    *ended = false;
    if (*len == 0 && source->error != OTA_OK) {
        return source->error;
    }
    *ended = source->at == source->len && source->error == OTA_OK && !source->stalls;
    return OTA_OK;
}

static void mem_close(struct ota_fetch *fetch)
{
    struct bench *bench = (struct bench *)((char *)fetch - offsetof(struct bench, fetch));

    assert_non_null(bench->open);
    bench->open->closed++;
    bench->open = NULL;
}

static bool mem_serves(const struct ota_scheme *scheme, const char *name)
{
    (void)scheme;
    return strcmp(name, "mem") == 0;
}

static struct bench_source *find_source(struct bench *bench, const char *name)
{
    for (size_t i = 0; i < bench->source_count; i++) {
        if (strcmp(bench->sources[i].name, name) == 0) {
            return &bench->sources[i];
        }
    }
    return NULL;
}

static enum ota_err mem_open(struct ota_scheme *scheme, struct ota_platform *platform,
                             const struct ota_fetch_request *request, struct ota_fetch **fetch)
{
    struct bench *bench = (struct bench *)((char *)scheme - offsetof(struct bench, scheme));
    struct bench_source *source = find_source(bench, request->uri + 4);

    assert_ptr_equal(platform, &bench->platform);
    assert_null(bench->open); /* one at a time */
    if (source == NULL || source->open_error != OTA_OK) {
        return source == NULL ? OTA_ERR_SOURCE : source->open_error;
    }
    source->opened++;
    source->at = 0;
    source->ca_pem = request->ca_pem;
    bench->open = source;
    bench->fetch = (struct ota_fetch){.size = source->hides_size         ? OTA_SIZE_UNKNOWN
                                              : source->stated_size != 0 ? source->stated_size
                                                                         : (uint32_t)source->len,
                                      .read = mem_read,
                                      .close = mem_close};
    *fetch = &bench->fetch;
    return OTA_OK;
}

/* ---- Set-up ---------------------------------------------------------------------------------- */

static uint32_t clock_of_gates(void *context)
{
    return ((const struct bench *)context)->now;
}

static void open_intake(struct bench *bench)
{
    const struct ota_intake_options options = {
        .device = &bench->ram.device,
        .buffer = bench->buffer,
        .buffer_size = sizeof bench->buffer,
        .now_ms = clock_of_gates,
        .context = bench,
    };

    assert_int_equal(ota_intake_init(&bench->intake, &options), OTA_OK);
}

void bench_take_gzip(struct bench *bench)
{
    ota_gunzip_decoder_init(&bench->gunzip);
    bench->decoders[0] = &bench->gunzip.decoder;
    ota_unwrap_init(&bench->unwrap, bench->decoders);
    bench->intake.options.unwrap = &bench->unwrap;
}

static void on_event(void *context, const struct ota_upgrade_list *list,
                     enum ota_upgrade_event event)
{
    static const char *const steps[] = {"prepare", "need", "execute", "finish"};
    struct bench *bench = context;
    size_t len = strlen(bench->trace);
    char *at = bench->trace + len;
    size_t room = sizeof bench->trace - len;
    unsigned index = (unsigned)list->upgrade.index;

    switch (event) {
    case OTA_UPGRADE_EVENT_STEP:
        (void)snprintf(at, room, "%u:%s ", index, steps[list->upgrade.step]);
        break;
    case OTA_UPGRADE_EVENT_HELD:
        (void)snprintf(at, room, "%u:held ", index);
        break;
    case OTA_UPGRADE_EVENT_RESULT:
        (void)snprintf(at, room, "%u=%s ", index,
                       ota_upgrade_outcome_name(list->results[index].outcome));
        break;
    default:
        (void)snprintf(at, room, "end");
        break;
    }
}

int bench_set_up(void **state)
{
    static struct bench bench;
    static const struct image_facts running = {.chip = OTA_CHIP_ESP32S3, .version = "1.0.0"};

    memset(&bench, 0, sizeof bench);
    bench.platform = (struct ota_platform){.now_ms = bench_now, .log = bench_log};
    bench.scheme = (struct ota_scheme){.serves = mem_serves, .open = mem_open};
    ram_device_make(&bench.ram);
    (void)image_make(bench.ram.memory + RAM_FACTORY, RAM_SLOT_SIZE, &running);
    bench_make_image(&bench, "test", "1.1.0");
    bench_make_tone(&bench, 1, "v1.0.1", TONE_PROJECT);
    open_intake(&bench);
    bench.options = (struct ota_upgrade_list_options){
        .items = bench.items,
        .schemes = &bench.scheme,
        .platform = &bench.platform,
        .intake = &bench.intake,
        .on_event = on_event,
        .context = &bench,
    };
    *state = &bench;
    return 0;
}

struct bench_source *bench_add_source(struct bench *bench, const char *name, const void *data,
                                      size_t len)
{
    struct bench_source *source = &bench->sources[bench->source_count++];

    assert_true(bench->source_count <= BENCH_SOURCES_MAX);
    *source = (struct bench_source){.name = name, .data = data, .len = len};
    return source;
}

static struct ota_upgrade_item *add_item(struct bench *bench, enum ota_upgrade_kind kind,
                                         const char *uri)
{
    struct ota_upgrade_item *item = &bench->items[bench->options.count++];

    assert_true(bench->options.count <= OTA_UPGRADE_ITEMS_MAX);
    *item = (struct ota_upgrade_item){.kind = kind, .uri = uri};
    return item;
}

struct ota_upgrade_item *bench_add_app(struct bench *bench, const char *uri)
{
    return add_item(bench, OTA_UPGRADE_APP, uri);
}

struct ota_upgrade_item *bench_add_data(struct bench *bench, const char *uri)
{
    struct ota_upgrade_item *item = add_item(bench, OTA_UPGRADE_DATA, uri);

    item->label = "storage";
    return item;
}

void bench_make_image(struct bench *bench, const char *project, const char *version)
{
    const struct image_facts facts = {.chip = OTA_CHIP_ESP32S3,
                                      .size = BENCH_IMAGE_SIZE,
                                      .version = version,
                                      .project = project,
                                      .seed = 7};

    bench->image_len = image_make(bench->image, sizeof bench->image, &facts);
    assert_true(bench->image_len > 0);
}

void bench_make_tone(struct bench *bench, uint32_t format, const char *version, const char *project)
{
    bench->tone_len = tone_make(bench->tone, sizeof bench->tone,
                                &(struct tone_facts){.format = format,
                                                     .version = version,
                                                     .project = project,
                                                     .files = 2,
                                                     .length = {301, 704}});
    assert_true(bench->tone_len > 0);
}

void bench_install_tone(struct bench *bench)
{
    memset(bench->ram.memory + RAM_STORAGE, 0xFF, RAM_STORAGE_SIZE);
    memcpy(bench->ram.memory + RAM_STORAGE, bench->tone, bench->tone_len);
}

void bench_boot(struct bench *bench)
{
    int slot;

    assert_int_equal(ota_slot_boot(&bench->ram.device, &slot), OTA_OK);
    bench->ram.device.running_slot = slot;
    (void)ota_slot_confirm(&bench->ram.device);
    open_intake(bench);
}

void bench_stage(struct bench *bench)
{
    static const struct ota_partition storage[] = {{.type = OTA_PARTITION_DATA,
                                                    .subtype = OTA_SUBTYPE_DATA_SPIFFS,
                                                    .offset = RAM_STORAGE,
                                                    .size = RAM_STORAGE_SIZE,
                                                    .label = "storage"}};
    static const struct ota_staging staging = {.app = {RAM_FACTORY, RAM_SLOT_SIZE},
                                               .staging = {RAM_OTA_0, RAM_STORAGE - RAM_OTA_0},
                                               .swap = true,
                                               .data = storage,
                                               .data_count = 1,
                                               .way = &ota_staging_in_flash};

    const struct image_facts running = {.chip = OTA_CHIP_ESP32S3,
                                        .size = BENCH_IMAGE_SIZE,
                                        .version = "1.0.0",
                                        .project = "test",
                                        .seed = 8};

    memset(bench->ram.memory + RAM_FACTORY, 0xFF, RAM_STORAGE - RAM_FACTORY);
    assert_true(image_make(bench->ram.memory + RAM_FACTORY, RAM_SLOT_SIZE, &running) > 0);
    bench->ram.device.staging = &staging;
    assert_int_equal(ota_staging_open(&bench->ram.device), OTA_OK);
    open_intake(bench);
}

void bench_boot_staged(struct bench *bench)
{
    static const struct ota_staged_move *const moves[] = {&ota_staged_swap, &ota_staged_copy, NULL};
    struct ota_boot boot = {.device = &bench->ram.device, .read = ota_image_read};

    assert_int_equal(ota_staged_boot(&boot, moves, bench->buffer, sizeof bench->buffer), OTA_OK);
    assert_int_equal(ota_staging_open(&bench->ram.device), OTA_OK);
    open_intake(bench);
}

/* ---- Running --------------------------------------------------------------------------------- */

void bench_start(struct bench *bench)
{
    bench->log[0] = '\0';
    bench->trace[0] = '\0';
    bench->polls = 0;
    assert_int_equal(ota_upgrade_list_init(&bench->list, &bench->options), OTA_OK);
    assert_int_equal(ota_upgrade_list_start(&bench->list), OTA_OK);
}

void bench_run(struct bench *bench)
{
    while (bench->list.state != OTA_UPGRADE_FINISHED) {
        uint32_t wait_ms = ota_upgrade_list_poll(&bench->list, bench->now);

        assert_true(++bench->polls < POLLS_MAX);
        bench->now += wait_ms == UINT32_MAX ? 0 : wait_ms;
    }
    assert_null(bench->open);
    for (size_t i = 0; i < bench->source_count; i++) {
        assert_int_equal(bench->sources[i].opened, bench->sources[i].closed);
    }
}

void bench_start_and_run(struct bench *bench)
{
    bench_start(bench);
    bench_run(bench);
}

/* ---- Assertions ------------------------------------------------------------------------------ */

void bench_assert_result(const struct bench *bench, size_t item, enum ota_upgrade_outcome outcome,
                         enum ota_err err, int32_t reason)
{
    const struct ota_upgrade_result *result = &bench->list.results[item];

    assert_string_equal(ota_upgrade_outcome_name(result->outcome),
                        ota_upgrade_outcome_name(outcome));
    assert_string_equal(ota_err_name(result->err), ota_err_name(err));
    assert_int_equal(result->reason, reason);
}

void bench_remember_flash(struct bench *bench)
{
    memcpy(bench->before, bench->ram.memory, sizeof bench->before);
}

void bench_assert_flash_unchanged(const struct bench *bench)
{
    assert_memory_equal(bench->before, bench->ram.memory, sizeof bench->before);
}

void bench_assert_storage(const struct bench *bench, const void *data, size_t len)
{
    assert_memory_equal(bench->ram.memory + RAM_STORAGE, data, len);
}

void bench_assert_logged(const struct bench *bench, const char *text)
{
    if (strstr(bench->log, text) == NULL) {
        fail_msg("not in the log: \"%s\"\n%s", text, bench->log);
    }
}
