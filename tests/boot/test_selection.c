/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Espressif's own bootloader chose in 300 recorded cases, the library chooses too. The records
 * are not part of this tree: where they are absent, the test is skipped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "boot/stage.h"

static struct stage stage;

static cJSON *load(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    cJSON *json = NULL;

    if (file == NULL) {
        return NULL;
    }
    if (fseek(file, 0, SEEK_END) == 0) {
        long size = ftell(file);
        rewind(file);
        text = size > 0 ? malloc((size_t)size) : NULL;
        if (text != NULL && fread(text, 1, (size_t)size, file) == (size_t)size) {
            json = cJSON_ParseWithLength(text, (size_t)size);
        }
    }
    free(text);
    fclose(file);
    return json;
}

static const cJSON *field(const cJSON *object, const char *name)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);

    assert_non_null(value);
    return value;
}

static enum model_content content_named(const char *name)
{
    if (strcmp(name, "absent") == 0) {
        return MODEL_ABSENT;
    }
    return strcmp(name, "valid") == 0 ? MODEL_VALID : MODEL_DAMAGED;
}

static struct model_device device_of(const cJSON *record)
{
    struct model_device device = {.otadata = MODEL_OTADATA_THERE, .floor = MODEL_NO_FUSES};
    const cJSON *item;
    int i = 0;

    cJSON_ArrayForEach(item, field(record, "entries"))
    {
        assert_true(i < 2);
        device.entry[i++] =
            (struct model_entry){.sequence = (uint32_t)field(item, "seq")->valuedouble,
                                 .state = (uint32_t)field(item, "state")->valuedouble,
                                 .crc_good = cJSON_IsTrue(field(item, "crc_good"))};
    }
    assert_int_equal(i, 2);

    i = 0;
    cJSON_ArrayForEach(item, field(record, "ota_slots_valid"))
    {
        assert_true(i < MODEL_SLOTS);
        device.ota[i++].content = cJSON_IsTrue(item) ? MODEL_VALID : MODEL_DAMAGED;
    }
    device.factory.content = content_named(cJSON_GetStringValue(field(record, "factory")));
    return device;
}

static void test_recorded_choices(void **state)
{
    cJSON *json = load(UPDRAFT_VECTORS "/boot/selection.json");
    const cJSON *record;
    int count = 0;

    (void)state;
    if (json == NULL) {
        print_message("no " UPDRAFT_VECTORS "/boot/selection.json\n");
        skip();
    }
    cJSON_ArrayForEach(record, field(json, "cases"))
    {
        const struct model_device device = device_of(record);
        const cJSON *chosen = field(record, "chosen");
        char name[OTA_SLOT_NAME_SIZE];
        struct ota_boot boot;

        stage_set(&stage, &device);
        enum ota_err err = stage_boot(&stage, &boot, false);
        if (cJSON_IsNull(chosen)) {
            assert_int_equal(err, OTA_ERR_NOTHING_BOOTABLE);
        } else {
            assert_int_equal(err, OTA_OK);
            assert_string_equal(ota_slot_name(boot.slot, name), chosen->valuestring);
        }
        count++;
    }
    cJSON_Delete(json);
    print_message("%d recorded choices\n", count);
    assert_true(count >= 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_recorded_choices)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
