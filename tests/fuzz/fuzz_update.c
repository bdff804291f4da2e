/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The update API as a sequence of calls read from the input, legal and illegal, with the power cut
 * between and within them. A model beside it holds it to the table of updraft/update.h and to its
 * invariants: the running slot stands; otadata never names the target unless its content is proven;
 * what was proven is on the flash, byte for byte; nothing changes before the gate was asked, nor if
 * it refuses.
 */
#include <string.h>

#include <updraft/otadata.h>
#include <updraft/update.h>

#include "fuzz/device.h"
#include "fuzz/input.h"
#include "support/images.h"

#define STREAMS 4
#define CALLS_MAX 200

static struct fuzz_device fuzz;
static struct ota_update update;
static uint8_t buffer[FUZZ_SECTOR];

/* What can be sent: two images, one that is damaged, and noise. */
static struct {
    uint8_t bytes[FUZZ_SLOT + 64];
    uint32_t len;
} streams[STREAMS];

static struct {
    enum ota_update_state state;
    uint8_t running[FUZZ_SLOT];
    uint8_t sent[FUZZ_SLOT]; /* what the target was given in the present update */
    uint32_t sent_len;
    struct target {
        uint32_t offset;           /* on the flash */
        uint8_t proven[FUZZ_SLOT]; /* what it held when it was last proven */
        uint32_t proven_len;       /* 0: it is not */
    } slot, storage, *target;      /* `target`: of the present update */
    unsigned stream;
    bool refuses;        /* the gate of the present update */
    uint64_t operations; /* of the flash before it began */
} model;

static uint64_t operations(void)
{
    return fuzz.state.statistics.operations;
}

static enum ota_err may_write(void *context, const struct ota_update *asking)
{
    REQUIRE(context == &model && asking == &update);
    REQUIRE(update.options.buffer_size < 256 || operations() == model.operations); /* U6 */
    return model.refuses ? OTA_ERR_REFUSED : OTA_OK;
}

static void make_streams(void)
{
    static const uint32_t sizes[STREAMS] = {3000, 9000, 5000, FUZZ_SLOT};

    for (unsigned i = 0; i < STREAMS; i++) {
        const struct image_facts facts = {.size = sizes[i], .seed = i + 10};
        streams[i].len = (uint32_t)image_make(streams[i].bytes, sizeof streams[i].bytes, &facts);
        REQUIRE(streams[i].len != 0);
    }
    streams[2].bytes[4000] ^= 0x40;
    for (uint32_t i = 0; i < streams[3].len; i++) {
        streams[3].bytes[i] = (uint8_t)noise(99, i);
    }
}

static void make_device(void)
{
    fuzz_device_make(&fuzz);
    fuzz_device_put_image(&fuzz, FUZZ_OTA_0, 1, 0);
    fuzz_device_put_entry(&fuzz, 0, 1, OTA_STATE_VALID);
    memset(&update, 0, sizeof update);
    memset(&model, 0, sizeof model);
    memcpy(model.running, fuzz.memory + FUZZ_OTA_0, FUZZ_SLOT);
    model.slot.offset = FUZZ_OTA_1;
    model.storage.offset = FUZZ_STORAGE;
}

/* Reads through the chip, where weak bits show. */
static bool holds(uint32_t offset, const uint8_t *bytes, uint32_t len)
{
    uint8_t read[FUZZ_SLOT];

    REQUIRE(fuzz.nor.flash.read(&fuzz.nor.flash, offset, read, len) == OTA_OK);
    return memcmp(read, bytes, len) == 0;
}

static bool is_named(int slot)
{
    struct ota_region region = {&fuzz.nor.flash, FUZZ_OTADATA, 0x2000};
    struct ota_otadata otadata;

    REQUIRE(ota_otadata_read(&otadata, &region) == OTA_OK);
    for (int i = 0; i < OTA_OTADATA_ENTRIES; i++) {
        if (ota_otadata_entry_is_valid(&otadata.entry[i]) &&
            ota_otadata_slot(&otadata.entry[i], 2) == slot) {
            return true;
        }
    }
    return false;
}

static void check_invariants(void)
{
    REQUIRE(update.state == model.state);
    REQUIRE(holds(FUZZ_OTA_0, model.running, FUZZ_SLOT)); /* U3 */
    REQUIRE(is_named(0));
    if (is_named(1)) { /* U1 */
        REQUIRE(model.state != OTA_UPDATE_RECEIVING || update.slot != 1 || !update.is_open);
        REQUIRE(model.slot.proven_len != 0);
        REQUIRE(holds(FUZZ_OTA_1, model.slot.proven, model.slot.proven_len));
    }
    if (model.state == OTA_UPDATE_PROVEN) {
        const struct target *target = model.target;
        REQUIRE(holds(target->offset, target->proven, target->proven_len));
    }
    REQUIRE(model.state == OTA_UPDATE_IDLE || /* U5 */
            (model.state == OTA_UPDATE_FAILED) == (update.failure.err != OTA_OK));
    REQUIRE(fuzz.state.violations == 0);
}

/* The power is gone: the object too. What otadata names and what is proven stay. */
static void restart(void)
{
    nor_cut_at(&fuzz.nor, 0, NOR_CUT_NONE, 0);
    nor_power_up(&fuzz.nor);
    memset(&update, 0, sizeof update);
    model.state = OTA_UPDATE_IDLE;
}

static struct ota_update_options read_options(struct input *input, bool *refuses)
{
    static const char *const labels[] = {NULL, "ota_1", "storage", "ota_0", "factory", "none"};
    static const char *const etags[STREAMS] = {"\"a\"", "\"b\"", "\"c\"", "\"d\""};
    uint8_t choice = input_byte(input);
    struct ota_update_options options = {
        .device = &fuzz.device, .buffer = buffer, .may_write = may_write, .context = &model};

    model.stream = choice % STREAMS;
    options.size = (choice & 4) != 0 ? streams[model.stream].len : OTA_SIZE_UNKNOWN;
    options.etag = (choice & 8) != 0 ? etags[model.stream] : NULL;
    options.buffer_size = (choice & 16) != 0 ? sizeof buffer : 64;
    options.allow_trailer = (choice & 32) != 0;
    options.label = labels[(choice >> 6) + (choice == 0xFF ? 2u : 0u)];
    *refuses = choice >= 0xE0 && choice < 0xFF;
    if (*refuses) {
        options.label = NULL;
    }
    return options;
}

static void start(struct input *input, bool resume)
{
    enum ota_update_state old = model.state;
    bool refuses;
    const struct ota_update_options options = read_options(input, &refuses);
    uint32_t offset = 0;

    if (old != OTA_UPDATE_RECEIVING) {
        model.refuses = refuses;
        model.operations = operations();
    }
    enum ota_err err = resume ? ota_update_resume(&update, &options, &offset)
                              : ota_update_begin(&update, &options);

    if (old == OTA_UPDATE_RECEIVING) {
        REQUIRE(err == OTA_ERR_STATE && update.state == old);
        return;
    }
    model.state = err == OTA_OK ? OTA_UPDATE_RECEIVING : OTA_UPDATE_FAILED;
    if (err == OTA_OK) {
        REQUIRE(update.received == offset);
        model.target = update.slot == 1 ? &model.slot : &model.storage;
        model.sent_len = offset;
        REQUIRE(offset <= options.size);
        memcpy(model.sent, fuzz.memory + model.target->offset, offset);
    } else if (!fuzz.state.off) {
        REQUIRE(update.failure.err == err);
    }
}

static void write_some(struct input *input)
{
    uint32_t len = input_word(input) % 4000;
    uint32_t at = model.sent_len < streams[model.stream].len ? model.sent_len : 0;
    enum ota_update_state old = model.state;
    enum ota_err cause = update.failure.err;

    len = len < streams[model.stream].len - at ? len : streams[model.stream].len - at;
    enum ota_err err = ota_update_write(&update, streams[model.stream].bytes + at, len);
    if (old == OTA_UPDATE_FAILED) {
        REQUIRE(err == cause);
    } else if (old != OTA_UPDATE_RECEIVING) {
        REQUIRE(err == OTA_ERR_STATE);
    } else if (err != OTA_OK) {
        model.state = OTA_UPDATE_FAILED;
        REQUIRE(err != OTA_ERR_REFUSED || update.options.buffer_size < 256 ||
                operations() == model.operations); /* U6 */
    } else {
        REQUIRE(model.sent_len + len <= FUZZ_SLOT);
        memcpy(model.sent + model.sent_len, streams[model.stream].bytes + at, len);
        model.sent_len += len;
        REQUIRE(update.received == model.sent_len);
    }
}

static void end(void)
{
    enum ota_update_state old = model.state;
    enum ota_err cause = update.failure.err;
    enum ota_err err = ota_update_end(&update);

    if (old == OTA_UPDATE_FAILED) {
        REQUIRE(err == cause);
    } else if (old != OTA_UPDATE_RECEIVING) {
        REQUIRE(err == OTA_ERR_STATE);
    } else if (err != OTA_OK) {
        model.state = OTA_UPDATE_FAILED;
    } else {
        model.state = OTA_UPDATE_PROVEN;
        model.target->proven_len = model.sent_len;
        memcpy(model.target->proven, model.sent, model.sent_len);
    }
}

static void activate(void)
{
    enum ota_update_state old = model.state;
    enum ota_err err = ota_update_activate(&update);

    if (old != OTA_UPDATE_PROVEN) {
        REQUIRE(err == OTA_ERR_STATE);
    } else if (err == OTA_OK) {
        model.state = OTA_UPDATE_IDLE;
        REQUIRE(model.target != &model.slot || is_named(1));
    } else {
        REQUIRE(fuzz.state.off);
    }
}

static void look(void)
{
    struct ota_identity identity;
    uint32_t size;
    uint32_t offset;
    uint64_t changes = operations();
    enum ota_err err = ota_update_pending(&fuzz.device, NULL, &identity, &size, &offset);

    REQUIRE(err == OTA_OK || err == OTA_ERR_NO_DATA);
    REQUIRE(err != OTA_OK || (offset > 0 && offset <= size && offset % FUZZ_SECTOR == 0));
    REQUIRE(operations() == changes);
}

static void call(struct input *input)
{
    switch (input_byte(input) % 12) {
    case 0:
        start(input, false);
        break;
    case 1:
        start(input, true);
        break;
    case 2:
    case 3:
    case 4:
        write_some(input);
        break;
    case 5:
        end();
        break;
    case 6:
        activate();
        break;
    case 7:
        ota_update_suspend(&update);
        model.state = OTA_UPDATE_IDLE;
        break;
    case 8:
        ota_update_abort(&update);
        model.state = OTA_UPDATE_IDLE;
        break;
    case 9:
        restart();
        break;
    case 10: {
        uint8_t number = input_byte(input);
        uint8_t how = input_byte(input);
        nor_cut_at(&fuzz.nor, 1 + number, (enum nor_cut)(1 + how % (NOR_CUT_COUNT - 1)), how);
        break;
    }
    default:
        look();
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};

    if (streams[0].len == 0) {
        make_streams();
    }
    make_device();
    for (unsigned n = 0; n < CALLS_MAX && input.left > 0; n++) {
        call(&input);
        if (fuzz.state.off) {
            restart();
        }
        check_invariants();
    }
    ota_update_abort(&update);
    return 0;
}
