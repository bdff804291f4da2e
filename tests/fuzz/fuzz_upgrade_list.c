/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The upgrade list: two items whose sources give any bytes, in any pieces, with any end. It always
 * comes to its finish event, and what it says is so.
 */
#include <string.h>

#include <updraft/slot.h>
#include <updraft/upgrade_list.h>

#include "fuzz/input.h"
#include "proto/ram_device.h"
#include "support/images.h"

#define ITEMS 2u

struct source {
    struct ota_fetch fetch; /* first: a cast gets the source back */
    const uint8_t *data;
    size_t len, at, piece;
    bool hides_size, stalls;
    enum ota_err error;
    bool is_open;
};

struct world {
    struct ota_platform platform; /* first: a cast gets the world back */
    struct ota_scheme scheme;
    struct ram_device ram;
    struct ota_intake intake;
    struct ota_upgrade_list list;
    struct source sources[ITEMS];
    uint8_t buffer[4096];
    unsigned finished;
};

static struct world world;

static enum ota_err read_source(struct ota_fetch *fetch, void *data, size_t capacity, size_t *len,
                                bool *ended)
{
    struct source *source = (struct source *)fetch;
    size_t left = source->len - source->at;

    REQUIRE(source->is_open && capacity > 0);
    *len = left < capacity ? left : capacity;
    *len = *len < source->piece ? *len : source->piece;
    memcpy(data, source->data + source->at, *len);
    source->at += *len;
    *ended = *len == 0 && !source->stalls && source->error == OTA_OK;
    return *len == 0 ? source->error : OTA_OK;
}

static void close_source(struct ota_fetch *fetch)
{
    struct source *source = (struct source *)fetch;

    REQUIRE(source->is_open);
    source->is_open = false;
}

static bool serves(const struct ota_scheme *scheme, const char *name)
{
    (void)scheme;
    return strcmp(name, "mem") == 0;
}

static enum ota_err open_source(struct ota_scheme *scheme, struct ota_platform *platform,
                                const struct ota_fetch_request *request, struct ota_fetch **fetch)
{
    struct source *source = &world.sources[request->uri[4] - '0'];

    (void)scheme;
    (void)platform;
    REQUIRE(!source->is_open);
    source->is_open = true;
    source->at = 0;
    source->fetch = (struct ota_fetch){
        source->hides_size ? OTA_SIZE_UNKNOWN : (uint32_t)source->len, read_source, close_source};
    *fetch = &source->fetch;
    return OTA_OK;
}

static void on_event(void *context, const struct ota_upgrade_list *list,
                     enum ota_upgrade_event event)
{
    (void)context;
    REQUIRE(world.finished == 0);
    world.finished += event == OTA_UPGRADE_EVENT_FINISH;
    REQUIRE(event != OTA_UPGRADE_EVENT_FINISH || list->state == OTA_UPGRADE_FINISHED);
}

/* A flags byte, and how long the source is. */
static void take_source(struct input *input, struct source *source, struct ota_upgrade_item *item)
{
    static const enum ota_err errors[] = {OTA_OK, OTA_ERR_INCOMPLETE, OTA_ERR_CONNECTION_LOST,
                                          OTA_ERR_BUSY};
    uint8_t how = input_byte(input);
    uint8_t flags = input_byte(input);

    item->kind = (how & 1) != 0 ? OTA_UPGRADE_DATA : OTA_UPGRADE_APP;
    item->check = (enum ota_upgrade_check)((how >> 1 & 7) % (OTA_UPGRADE_ALWAYS + 1));
    item->any_project = (how & 16) != 0;
    item->tone_only = (how & 32) != 0;
    item->restart = (how & 64) != 0;
    item->break_after_fail = (how & 128) != 0;
    *source = (struct source){
        .hides_size = (flags & 1) != 0,
        .stalls = (flags & 2) != 0,
        .error = errors[flags >> 2 & 3],
        .piece = 1u + (flags >> 4) * (flags >> 4) * 7u,
    };
    /* It cannot be had now, and never will: that would wait for ever. */
    if (source->error == OTA_ERR_BUSY) {
        source->error = OTA_ERR_TLS;
    }
    source->len = input_word(input);
    if (source->len > input->left) {
        source->len = input->left;
    }
    source->data = input->data;
    input->data += source->len;
    input->left -= source->len;
}

static void make_device(void)
{
    static struct ram_device made;
    static bool is_made;

    if (!is_made) {
        const struct image_facts facts = {.chip = OTA_CHIP_ESP32S3, .version = "1.0.0"};
        ram_device_make(&made);
        (void)image_make(made.memory + RAM_FACTORY, RAM_SLOT_SIZE, &facts);
        is_made = true;
    }
    world.ram = made;
    world.ram.device.flash = &world.ram.flash;
    REQUIRE(ota_device_open(&world.ram.device, NULL) == OTA_OK);
}

static void judge(const struct ota_upgrade_item *items)
{
    static struct ota_image_check check;
    const struct ota_upgrade_result *results = world.list.results;
    bool wanted = false;
    bool failed = false;
    int slot;

    for (size_t i = 0; i < ITEMS; i++) {
        const struct source *source = &world.sources[i];
        REQUIRE(!source->is_open);
        REQUIRE(results[i].outcome != OTA_UPGRADE_WAITING);
        REQUIRE((results[i].outcome == OTA_UPGRADE_DONE) == (results[i].reason == 0) ||
                results[i].outcome == OTA_UPGRADE_LEFT_OUT);
        failed = failed || results[i].outcome == OTA_UPGRADE_FAILED;
        wanted = wanted || (results[i].outcome == OTA_UPGRADE_DONE && items[i].restart);
        if (results[i].outcome == OTA_UPGRADE_DONE) {
            REQUIRE(source->error == OTA_OK && !source->stalls && source->at == source->len);
        }
    }
    REQUIRE(world.list.wants_restart == (wanted && !failed));
    REQUIRE(ota_slot_boot(&world.ram.device, &slot) == OTA_OK);
    REQUIRE(ota_slot_verify(&world.ram.device, slot, &check) == OTA_OK);
    if (results[1].outcome == OTA_UPGRADE_DONE && items[1].kind == OTA_UPGRADE_DATA) {
        REQUIRE(memcmp(world.ram.memory + RAM_STORAGE, world.sources[1].data,
                       world.sources[1].len) == 0);
    }
}

static uint32_t now_ms(struct ota_platform *platform)
{
    (void)platform;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ota_upgrade_item items[ITEMS] = {{.label = "storage", .uri = "mem:0"},
                                            {.label = "storage", .uri = "mem:1"}};
    struct input input = {data, size};
    uint32_t now = 0;

    make_device();
    world.platform = (struct ota_platform){.now_ms = now_ms};
    world.scheme = (struct ota_scheme){serves, open_source, NULL};
    world.finished = 0;
    for (size_t i = 0; i < ITEMS; i++) {
        take_source(&input, &world.sources[i], &items[i]);
    }
    const struct ota_intake_options intake = {
        .device = &world.ram.device, .buffer = world.buffer, .buffer_size = sizeof world.buffer};
    REQUIRE(ota_intake_init(&world.intake, &intake) == OTA_OK);
    const struct ota_upgrade_list_options options = {
        .items = items,
        .count = ITEMS,
        .schemes = &world.scheme,
        .platform = &world.platform,
        .intake = &world.intake,
        .on_event = on_event,
    };
    REQUIRE(ota_upgrade_list_init(&world.list, &options) == OTA_OK);
    REQUIRE(ota_upgrade_list_start(&world.list) == OTA_OK);
    for (unsigned polls = 0; world.list.state != OTA_UPGRADE_FINISHED; polls++) {
        uint32_t wait_ms = ota_upgrade_list_poll(&world.list, now);
        REQUIRE(polls < 200000);
        now += wait_ms == UINT32_MAX ? 0 : wait_ms;
    }
    REQUIRE(world.finished == 1);
    REQUIRE(ota_intake_is_free(&world.intake));
    judge(items);
    return 0;
}
