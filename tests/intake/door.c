/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/door.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct door door;

static enum ota_err ask(struct ota_gate *gate, const struct ota_gate_question *question,
                        struct ota_gate_answer *answer)
{
    struct door_gate *self = (struct door_gate *)gate;

    self->asked[question->stage]++;
    self->question = *question;
    self->changes = ram_flash_changes(door.fixture.chip);
    if (question->label != NULL) {
        memcpy(self->label, question->label, strlen(question->label) + 1);
    }
    if (question->incoming != NULL) {
        self->incoming = *question->incoming;
    }
    if (question->running != NULL) {
        self->running = *question->running;
    }
    answer->reason = self->reason;
    answer->retry_ms = self->retry_ms;
    return self->answers[question->stage];
}

static uint32_t now_ms(void *context)
{
    assert_ptr_equal(context, &door);
    return door.now;
}

static bool minute_of_week(void *context, uint32_t *minute)
{
    assert_ptr_equal(context, &door);
    *minute = door.minute;
    return door.time_is_known;
}

static void on_event(void *context, const struct ota_intake *intake, enum ota_intake_event event)
{
    assert_ptr_equal(context, &door);
    assert_ptr_equal(intake, &door.intake);
    door.events[strlen(door.events)] = "SRFPHA"[event];
}

static void on_update(void *context, const struct ota_update *update, enum ota_update_event event,
                      uint32_t done, uint32_t total)
{
    assert_ptr_equal(context, &door);
    assert_ptr_equal(update, &door.intake.update);
    assert_true(done <= total);
    door.progress += event == OTA_EVENT_PROGRESS;
}

int door_set_up(void **state)
{
    struct image_facts facts = {.size = DOOR_IMAGE_SIZE, .seed = 5, .version = "2.0.0"};

    (void)state;
    memset(&door, 0, sizeof door);
    fixture_open(&door.fixture);
    door.len = (uint32_t)image_make(door.image, sizeof door.image, &facts);
    door.gate.gate.ask = ask;
    door.options = (struct ota_intake_options){.device = &door.fixture.device,
                                               .buffer = door.buffer,
                                               .buffer_size = sizeof door.buffer,
                                               .gates = &door.gate.gate,
                                               .now_ms = now_ms,
                                               .minute_of_week = minute_of_week,
                                               .on_event = on_event,
                                               .on_update = on_update,
                                               .context = &door};
    assert_int_equal(ota_intake_init(&door.intake, &door.options), OTA_OK);
    return 0;
}

int door_tear_down(void **state)
{
    (void)state;
    ota_intake_abort(&door.intake);
    assert_int_equal(door.intake.state, OTA_INTAKE_FREE);
    assert_true(fixture_running_is_whole(&door.fixture));
    fixture_close(&door.fixture);
    return 0;
}

struct ota_arrival door_arrival(void)
{
    return (struct ota_arrival){.way = "test", .size = door.len};
}

void door_expect_events(const char *events)
{
    assert_string_equal(door.events, events);
    memset(door.events, 0, sizeof door.events);
}

void door_begin(uint32_t len)
{
    const struct ota_arrival arrival = door_arrival();

    assert_int_equal(ota_intake_begin(&door.intake, &arrival), OTA_OK);
    assert_int_equal(door.intake.state, OTA_INTAKE_TAKEN);
    assert_int_equal(ota_intake_write(&door.intake, door.image, len), OTA_OK);
}

void door_prove(void)
{
    door_begin(door.len);
    assert_int_equal(ota_intake_end(&door.intake), OTA_OK);
    assert_int_equal(door.intake.state, OTA_INTAKE_READY);
}
