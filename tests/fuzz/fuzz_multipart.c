/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a form. The first byte of the input says how it is cut; whatever the cut, what is
 * found is the same. The second says how long the boundary is, which follows.
 */
#include <stdbool.h>
#include <string.h>

#include <updraft/crypto.h>
#include <updraft/multipart.h>

#include "fuzz/input.h"

struct outcome {
    enum ota_err err;
    uint32_t parts, ends, bytes;
    uint32_t heads, data; /* checksums of what the callbacks were told */
    bool in_part;
};

static enum ota_err on_part(void *context, const struct ota_multipart_part *part)
{
    struct outcome *outcome = context;

    REQUIRE(!outcome->in_part);
    REQUIRE(strlen(part->name) <= OTA_MULTIPART_NAME_MAX);
    REQUIRE(strlen(part->file_name) <= OTA_MULTIPART_FILE_MAX);
    outcome->in_part = true;
    outcome->parts++;
    outcome->heads = ota_crc32(outcome->heads, part->name, strlen(part->name) + 1);
    outcome->heads = ota_crc32(outcome->heads, part->file_name, strlen(part->file_name) + 1);
    outcome->heads = ota_crc32(outcome->heads, &part->is_file, sizeof part->is_file);
    return OTA_OK;
}

static enum ota_err on_data(void *context, const void *data, size_t len)
{
    struct outcome *outcome = context;

    REQUIRE(outcome->in_part && len > 0);
    outcome->bytes += (uint32_t)len;
    outcome->data = ota_crc32(outcome->data, data, len);
    return OTA_OK;
}

static enum ota_err on_part_end(void *context)
{
    struct outcome *outcome = context;

    REQUIRE(outcome->in_part);
    outcome->in_part = false;
    outcome->ends++;
    return OTA_OK;
}

static const struct ota_multipart_events events = {
    .on_part = on_part, .on_data = on_data, .on_part_end = on_part_end};

static struct outcome run(const char *boundary, const uint8_t *data, size_t size, size_t step)
{
    struct ota_multipart form;
    struct outcome outcome;

    memset(&outcome, 0, sizeof outcome);
    ota_multipart_begin(&form, boundary, &events, &outcome);
    for (size_t at = 0; at < size && outcome.err == OTA_OK; at += step) {
        outcome.err = ota_multipart_input(&form, data + at, step < size - at ? step : size - at);
    }
    if (outcome.err == OTA_OK) {
        outcome.err = ota_multipart_finish(&form);
    }
    REQUIRE(outcome.err != OTA_OK || !outcome.in_part);
    REQUIRE(outcome.bytes <= size);
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    char boundary[OTA_BOUNDARY_SIZE], type[256] = "multipart/form-data; ", found[OTA_BOUNDARY_SIZE];
    size_t step = 1 + input_byte(&input) % 100;
    size_t len = 1 + input_byte(&input) % OTA_BOUNDARY_MAX;

    if (input.left < len) {
        return 0;
    }
    memcpy(boundary, input.data, len);
    boundary[len] = '\0';
    if (strchr(boundary, '\r') == NULL && boundary[0] != '\0') {
        struct outcome whole =
            run(boundary, input.data + len, input.left - len, input.left - len + 1);
        struct outcome cut = run(boundary, input.data + len, input.left - len, step);
        REQUIRE(whole.err == cut.err && whole.parts == cut.parts && whole.ends == cut.ends);
        REQUIRE(whole.bytes == cut.bytes && whole.data == cut.data && whole.heads == cut.heads);
    }
    /* And as a header. */
    size_t type_len = strlen(type), more = sizeof type - type_len - 1;
    more = more < input.left ? more : input.left;
    memcpy(type + type_len, input.data, more);
    type[type_len + more] = '\0';
    if (ota_multipart_boundary(type, found) == OTA_OK) {
        REQUIRE(found[0] != '\0' && strlen(found) <= OTA_BOUNDARY_MAX);
    }
    return 0;
}
