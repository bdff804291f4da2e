/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The boot decision, compared with the model of model.c on every combination of what it depends on:
 * states, sequence numbers and CRCs of both entries; slots, their gaps and their content; factory
 * and test app; rollback; the floor of the fuses and the images' secure versions.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "boot/stage.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const uint32_t sequences[] = {0, 1, 2, 3, 0x12345679, 0xFFFFFFFE, 0xFFFFFFFF};

/* The six that exist, and what a torn write may leave. */
static const uint32_t states[] = {0, 1, 2, 3, 4, 0xFFFFFFFF, 5};

#define ENTRIES_MAX (2 * COUNT(sequences) * COUNT(states))

struct entries {
    struct model_entry entry[ENTRIES_MAX];
    size_t count;
};

static struct stage stage;
static uint64_t cases;

/* All entries; with `few`, only two of the sequence numbers have a wrong CRC. */
static struct entries make_entries(bool few)
{
    struct entries all = {.count = 0};

    for (size_t i = 0; i < COUNT(sequences); i++) {
        for (size_t j = 0; j < COUNT(states); j++) {
            all.entry[all.count++] = (struct model_entry){sequences[i], states[j], true};
            if (!few || sequences[i] == 1 || sequences[i] == 0xFFFFFFFF) {
                all.entry[all.count++] = (struct model_entry){sequences[i], states[j], false};
            }
        }
    }
    return all;
}

static char content_letter(enum model_content content)
{
    return "-b!v"[content];
}

static void explain(const struct model_device *model, const char *difference)
{
    const struct model_decision expected = model_boot(model);
    char ota[MODEL_SLOTS + 1] = "";

    for (int i = 0; i < MODEL_SLOTS; i++) {
        ota[i] = content_letter(model->ota[i].content);
    }
    print_error("%s: entries (%" PRIx32 ", state %" PRIx32 ", crc %s) (%" PRIx32 ", state %" PRIx32
                ", crc %s), ota %s, factory %c, test %c, rollback %d, floor %" PRId32
                ", test pin %d: slot %d expected, %d chosen\n",
                difference, model->entry[0].sequence, model->entry[0].state,
                model->entry[0].crc_good ? "good" : "bad", model->entry[1].sequence,
                model->entry[1].state, model->entry[1].crc_good ? "good" : "bad", ota,
                content_letter(model->factory.content), content_letter(model->test.content),
                model->rollback, (int32_t)model->floor, model->test_pin, expected.slot,
                stage.device.running_slot);
    fail();
}

static void compare(const struct model_device *model)
{
    const char *difference = stage_compare(&stage, model);

    cases++;
    if (difference != NULL) {
        explain(model, difference);
    }
}

/* All pairs of entries, with and without rollback, for each floor from `floors` (MODEL_NO_FUSES is
   one), on the device that `model` describes otherwise. */
static void try_entries(struct model_device *model, const struct entries *all,
                        const uint32_t *floors, size_t floor_count)
{
    stage_set(&stage, model);
    for (size_t i = 0; i < all->count; i++) {
        for (size_t j = 0; j < all->count; j++) {
            for (size_t k = 0; k < 2 * floor_count; k++) {
                model->entry[0] = all->entry[i];
                model->entry[1] = all->entry[j];
                model->rollback = k % 2 != 0;
                model->floor = floors[k / 2];
                stage_set_entries(&stage, model);
                compare(model);
            }
        }
    }
}

/* Gives the slots of `present` images that are valid where `valid` has a bit. */
static void set_slots(struct model_device *model, unsigned present, unsigned valid)
{
    static const uint32_t versions[MODEL_SLOTS] = {1, 0, 2, 1, 0, 2, 1, 0, 2, 1, 0, 2, 1, 0, 2, 1};

    for (unsigned i = 0; i < MODEL_SLOTS; i++) {
        enum model_content content = valid >> i & 1 ? MODEL_VALID : MODEL_DAMAGED;
        model->ota[i].content = present >> i & 1 ? content : MODEL_ABSENT;
        model->ota[i].secure_version = versions[i];
    }
}

static struct model_device new_model(void)
{
    return (struct model_device){
        .otadata = MODEL_OTADATA_THERE,
        .factory = {.secure_version = 1},
        .test = {.secure_version = 2},
        .floor = MODEL_NO_FUSES,
    };
}

/* With factory absent, damaged and valid, and the test app absent and valid. */
static void try_apps(unsigned present, unsigned valid, const struct entries *all,
                     const uint32_t *floors, size_t floor_count)
{
    static const enum model_content factories[] = {MODEL_ABSENT, MODEL_DAMAGED, MODEL_VALID};
    static const enum model_content tests[] = {MODEL_ABSENT, MODEL_VALID};
    struct model_device model = new_model();

    set_slots(&model, present, valid);
    for (size_t i = 0; i < COUNT(factories); i++) {
        for (size_t j = 0; j < COUNT(tests); j++) {
            model.factory.content = factories[i];
            model.test.content = tests[j];
            try_entries(&model, all, floors, floor_count);
        }
    }
}

static void test_up_to_three_slots(void **state)
{
    static const unsigned tables[] = {0, 1, 3, 7};
    static const uint32_t floors[] = {MODEL_NO_FUSES};
    const struct entries all = make_entries(false);

    (void)state;
    for (size_t i = 0; i < COUNT(tables); i++) {
        for (unsigned valid = 0; valid <= tables[i]; valid++) {
            try_apps(tables[i], valid, &all, floors, COUNT(floors));
        }
    }
}

static void test_tables_with_gaps(void **state)
{
    static const unsigned tables[] = {1u << 0 | 1u << 2, 1u << 1 | 1u << 2, 1u << 15};
    static const uint32_t floors[] = {MODEL_NO_FUSES, 1};
    const struct entries all = make_entries(true);

    (void)state;
    for (size_t i = 0; i < COUNT(tables); i++) {
        unsigned lowest = tables[i] & -tables[i];
        try_apps(tables[i], tables[i], &all, floors, COUNT(floors));
        try_apps(tables[i], lowest, &all, floors, COUNT(floors));
        try_apps(tables[i], tables[i] & ~lowest, &all, floors, COUNT(floors));
    }
}

static void test_sixteen_slots(void **state)
{
    static const unsigned valid[] = {0xFFFF, 0, 1u << 0, 1u << 5, 1u << 15, 0xFFFE};
    static const uint32_t floors[] = {MODEL_NO_FUSES};
    const struct entries all = make_entries(true);

    (void)state;
    for (size_t i = 0; i < COUNT(valid); i++) {
        try_apps(0xFFFF, valid[i], &all, floors, COUNT(floors));
    }
}

static void test_floor(void **state)
{
    static const unsigned tables[] = {0, 1, 3, 7};
    static const uint32_t floors[] = {0, 1, 2};
    const struct entries all = make_entries(true);

    (void)state;
    for (size_t i = 0; i < COUNT(tables); i++) {
        for (unsigned valid = 0; valid <= tables[i]; valid++) {
            struct model_device model = new_model();
            set_slots(&model, tables[i], valid);
            try_entries(&model, &all, floors, COUNT(floors));
            model.factory.content = MODEL_VALID;
            model.test.content = MODEL_VALID;
            try_entries(&model, &all, floors, COUNT(floors));
        }
    }
}

/* Slots that hold nothing at all have no descriptor to weigh. */
static void test_blank_slots(void **state)
{
    static const enum model_content contents[] = {MODEL_BLANK, MODEL_DAMAGED, MODEL_VALID};
    static const uint32_t floors[] = {MODEL_NO_FUSES, 0, 1};
    const struct entries all = make_entries(true);

    (void)state;
    for (size_t i = 0; i < COUNT(contents); i++) {
        struct model_device model = new_model();
        set_slots(&model, 3, 3);
        model.ota[0].content = MODEL_BLANK;
        model.ota[1].content = contents[i];
        try_entries(&model, &all, floors, COUNT(floors));
    }
}

static void test_without_otadata(void **state)
{
    static const enum model_otadata kinds[] = {MODEL_OTADATA_ABSENT, MODEL_OTADATA_SMALL};
    static const struct entries few = {{{1, 0, true}, {2, 1, true}, {0xFFFFFFFF, 0, false}}, 3};
    static const uint32_t floors[] = {MODEL_NO_FUSES, 1};

    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        for (unsigned valid = 0; valid <= 3; valid++) {
            for (int content = MODEL_ABSENT; content <= MODEL_VALID; content++) {
                struct model_device model = new_model();
                model.otadata = kinds[i];
                set_slots(&model, 3, valid);
                model.factory.content = (enum model_content)content;
                try_entries(&model, &few, floors, COUNT(floors));
            }
        }
    }
}

static void test_test_pin(void **state)
{
    static const uint32_t floors[] = {MODEL_NO_FUSES, 2};
    const struct entries all = make_entries(true);

    (void)state;
    for (int content = MODEL_ABSENT; content <= MODEL_VALID; content++) {
        struct model_device model = new_model();
        set_slots(&model, 3, 3);
        model.factory.content = MODEL_VALID;
        model.test.content = (enum model_content)content;
        model.test_pin = true;
        try_entries(&model, &all, floors, COUNT(floors));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_up_to_three_slots), cmocka_unit_test(test_tables_with_gaps),
        cmocka_unit_test(test_sixteen_slots),     cmocka_unit_test(test_floor),
        cmocka_unit_test(test_blank_slots),       cmocka_unit_test(test_without_otadata),
        cmocka_unit_test(test_test_pin),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    printf("oracle: %" PRIu64 " cases\n", cases);
    return failed;
}
