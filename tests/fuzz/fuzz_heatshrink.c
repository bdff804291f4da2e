/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a stream of heatshrink's format, with any parameters, against a decoder that takes
 * the format at its word: bit by bit, the whole output in one place. Three bytes of the input are
 * the parameters and how it is cut.
 */
#include <stdbool.h>
#include <string.h>

#include <updraft/heatshrink.h>

#include "decode/store.h"
#include "fuzz/input.h"

#define LIMIT (1u << 18)

struct model {
    const uint8_t *bytes;
    size_t bits, at;
    uint8_t output[LIMIT];
    uint32_t len;
    bool too_much;
};

static bool get(struct model *model, unsigned count, uint32_t *value)
{
    if (count > model->bits - model->at) {
        return false;
    }
    for (*value = 0; count > 0; count--, model->at++) {
        *value = *value << 1 | ((unsigned)model->bytes[model->at / 8] >> (7 - model->at % 8) & 1);
    }
    return true;
}

static void put(struct model *model, uint8_t byte)
{
    model->too_much = model->len == LIMIT;
    if (!model->too_much) {
        model->output[model->len++] = byte;
    }
}

static void run_model(struct model *model, unsigned window_bits, unsigned lookahead_bits)
{
    uint32_t tag, value, len;

    while (!model->too_much && get(model, 1, &tag)) {
        if (tag == 1) {
            if (!get(model, 8, &value)) {
                return;
            }
            put(model, (uint8_t)value);
        } else {
            if (!get(model, window_bits, &value) || !get(model, lookahead_bits, &len)) {
                return;
            }
            for (uint32_t i = 0; i <= len && !model->too_much; i++) {
                put(model, value < model->len ? model->output[model->len - value - 1] : 0);
            }
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct model model;
    static struct store store;
    static struct ota_heatshrink heatshrink;
    struct input input = {data, size};
    const uint8_t window_bits = (uint8_t)(4 + input_byte(&input) % 12);
    const uint8_t lookahead_bits = (uint8_t)(3 + input_byte(&input) % (window_bits - 3));
    const uint8_t cut = input_byte(&input);
    const struct ota_heatshrink_options options = {&store.sink, &store.history, window_bits,
                                                   lookahead_bits, OTA_SIZE_UNKNOWN};
    struct ota_heatshrink_options known = options;
    enum ota_err err;

    if (store.bytes == NULL) {
        store_init(&store, LIMIT);
    }
    memset(&model, 0, offsetof(struct model, output));
    model.len = 0;
    model.too_much = false;
    model.bytes = input.data;
    model.bits = 8 * input.left;
    run_model(&model, window_bits, lookahead_bits);

    store_clear(&store);
    REQUIRE(ota_heatshrink_begin(&heatshrink, &options) == OTA_OK);
    err = feed(&heatshrink.sink, input.data, input.left, &(struct cuts){cut % 16, cut / 16, cut});
    REQUIRE(err == OTA_OK || err == OTA_ERR_INCOMPLETE || err == OTA_ERR_TOO_LARGE);
    REQUIRE(model.too_much ? err != OTA_OK : err != OTA_ERR_TOO_LARGE);
    REQUIRE(err != OTA_OK || store.len == model.len);
    REQUIRE(store.len <= model.len && memcmp(store.bytes, model.output, store.len) == 0);
    if (err == OTA_OK) {
        store_clear(&store);
        known.size = model.len;
        REQUIRE(ota_heatshrink_begin(&heatshrink, &known) == OTA_OK);
        REQUIRE(feed(&heatshrink.sink, input.data, input.left, &(struct cuts){SIZE_MAX, 1, 0}) ==
                OTA_OK);
        REQUIRE(store.len == model.len && memcmp(store.bytes, model.output, store.len) == 0);
    }
    return 0;
}
