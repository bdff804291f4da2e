/* SPDX-License-Identifier: Apache-2.0 */
/* The chain of gates, the schedule, the button, and the product's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <updraft/gate.h>

#define DAY 1440u
#define WEEK (7 * DAY)
#define EVERY_DAY 0x7F
#define MINUTE_MS 60000u

static struct ota_gate_answer answer;

/* ---- The chain ------------------------------------------------------------------------------- */

struct link {
    struct ota_gate gate; /* first: the object gets itself back by a cast */
    enum ota_err err;
    const char *reason;
    unsigned asked; /* as the n-th of all */
};

static unsigned asked_so_far;

static enum ota_err ask_link(struct ota_gate *gate, const struct ota_gate_question *question,
                             struct ota_gate_answer *given)
{
    struct link *link = (struct link *)gate;

    assert_int_equal(question->stage, OTA_GATE_DESCRIBED);
    assert_null(given->reason); /* it comes empty, whatever the one before wrote */
    assert_int_equal(given->retry_ms, 0);
    link->asked = ++asked_so_far;
    given->reason = link->reason;
    given->retry_ms = 5;
    return link->err;
}

static void test_chain(void **state)
{
    const struct ota_gate_question question = {.stage = OTA_GATE_DESCRIBED};

    (void)state;
    assert_int_equal(ota_gate_ask(NULL, &question, &answer), OTA_OK);
    for (unsigned bad = 0; bad <= 3; bad++) {
        struct link links[3];
        asked_so_far = 0;
        for (unsigned i = 0; i < 3; i++) {
            links[i] = (struct link){.gate = {ask_link, i < 2 ? &links[i + 1].gate : NULL},
                                     .err = i >= bad ? OTA_ERR_REFUSED : OTA_OK,
                                     .reason = i == bad ? "this one" : "another"};
        }
        enum ota_err err = ota_gate_ask(&links[0].gate, &question, &answer);
        assert_int_equal(err, bad < 3 ? OTA_ERR_REFUSED : OTA_OK);
        for (unsigned i = 0; i < 3; i++) {
            assert_int_equal(links[i].asked,
                             i <= bad ? i + 1 : 0); /* in order, up to the first no */
        }
        if (bad < 3) {
            assert_string_equal(answer.reason, "this one");
        } else {
            assert_null(answer.reason); /* what passes needs no reason */
        }
    }
}

/* ---- The schedule ---------------------------------------------------------------------------- */

static enum ota_err ask_at(struct ota_gate_schedule *schedule, uint32_t minute)
{
    struct ota_gate_question question = {
        .stage = OTA_GATE_BEGIN, .time_is_known = true, .minute_of_week = minute};
    enum ota_err err = ota_gate_ask(&schedule->gate, &question, &answer);

    question.stage = OTA_GATE_DESCRIBED; /* it does not close on what has begun … */
    assert_int_equal(ota_gate_schedule_ask(&schedule->gate, &question, &answer), OTA_OK);
    question.stage = OTA_GATE_ACTIVATE; /* … but keeps it from booting */
    assert_int_equal(ota_gate_ask(&schedule->gate, &question, &answer), err);
    return err;
}

/* Goes through the week and compares with the plain reading: some day's window has begun and not
   ended. */
static void walk_week(uint16_t from, uint16_t to, uint8_t days)
{
    struct ota_gate_schedule schedule = OTA_GATE_SCHEDULE(NULL, from, to, days);
    uint32_t length = to + (to > from ? 0 : DAY) - from;
    static bool is_open[WEEK];

    memset(is_open, 0, sizeof is_open);
    for (uint32_t day = 0; day < 7; day++) {
        for (uint32_t i = 0; i < length && (days >> day & 1) != 0; i++) {
            is_open[(day * DAY + from + i) % WEEK] = true;
        }
    }
    for (uint32_t minute = 0; minute < WEEK; minute++) {
        enum ota_err err = ask_at(&schedule, minute);
        assert_int_equal(err, is_open[minute] ? OTA_OK : OTA_ERR_HELD);
        if (err == OTA_ERR_HELD && days != 0) {
            uint32_t wait = answer.retry_ms / MINUTE_MS;
            assert_int_not_equal(wait, 0);
            assert_non_null(answer.reason);
            assert_true(is_open[(minute + wait) % WEEK]);      /* that is when it opens, … */
            assert_false(is_open[(minute + wait - 1) % WEEK]); /* … and not later than that */
        }
    }
}

static void test_schedule(void **state)
{
    (void)state;
    walk_week(2 * 60, 4 * 60, EVERY_DAY);
    walk_week(2 * 60, 4 * 60, 1 << 2);      /* Wednesday */
    walk_week(23 * 60, 1 * 60, 1 << 4);     /* Friday night, which ends on Saturday */
    walk_week(22 * 60 + 30, 60, 1 << 6);    /* Sunday night, which ends in the next week */
    walk_week(0, DAY, 1 << 0);              /* the whole of Monday */
    walk_week(0, 1, (1 << 0) | (1 << 6));   /* a minute */
    walk_week(DAY - 1, DAY, EVERY_DAY);     /* the last one of the day */
    walk_week(12 * 60, 12 * 60, EVERY_DAY); /* from and to the same: always */
    walk_week(1, 0, (1 << 1) | (1 << 3));   /* all but a minute */
    walk_week(2 * 60, 4 * 60, 0);           /* no day: never */
}

static void test_schedule_that_never_opens(void **state)
{
    struct ota_gate_schedule schedule = OTA_GATE_SCHEDULE(NULL, 0, DAY, 0);

    (void)state;
    assert_int_equal(ask_at(&schedule, 0), OTA_ERR_HELD);
    assert_int_equal(answer.retry_ms, 0); /* when it may be worth asking is not known */
    assert_string_equal(answer.reason, "no updates are taken here: the schedule names no day");
}

static void test_schedule_without_a_clock(void **state)
{
    struct ota_gate_schedule schedule = OTA_GATE_SCHEDULE(NULL, 0, DAY, EVERY_DAY);
    struct ota_gate_question question = {.stage = OTA_GATE_BEGIN, .minute_of_week = 10};

    (void)state;
    assert_int_equal(ota_gate_ask(&schedule.gate, &question, &answer), OTA_ERR_HELD);
    assert_non_null(strstr(answer.reason, "time is not known"));
    assert_int_not_equal(answer.retry_ms, 0);
    question.time_is_known = true;
    assert_int_equal(ota_gate_ask(&schedule.gate, &question, &answer), OTA_OK);
}

/* It says when the window is, and what it takes the time for. */
static void test_reason_of_the_schedule(void **state)
{
    static const struct {
        uint16_t from, to;
        uint8_t days;
        uint32_t minute; /* UINT32_MAX: the time is not known */
        const char *reason;
    } rows[] = {
        {120, 240, 0x1F, DAY + 817, "only Mon-Fri 02:00-04:00; it is Tue 13:37"},
        {1380, 65, EVERY_DAY, 6 * DAY + 65, "only 23:00-01:05; it is Sun 01:05"},
        {0, DAY, 0x60, 0, "only Sat-Sun; it is Mon 00:00"},
        {600, 600, 0x04, WEEK - 1, "only Wed; it is Sun 23:59"},
        {0, 1, 0x55, 1, "only Mon, Wed, Fri, Sun 00:00-00:01; it is Mon 00:01"},
        {1439, DAY, 0xDB, UINT32_MAX,
         "only Mon-Tue, Thu-Fri, Sun 23:59-24:00, and the time is not known yet"},
        {0, DAY, EVERY_DAY, UINT32_MAX, "only 00:00-24:00, and the time is not known yet"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ota_gate_schedule schedule =
            OTA_GATE_SCHEDULE(NULL, rows[i].from, rows[i].to, rows[i].days);
        const struct ota_gate_question question = {.stage = OTA_GATE_BEGIN,
                                                   .time_is_known = rows[i].minute != UINT32_MAX,
                                                   .minute_of_week = rows[i].minute % WEEK};
        assert_int_equal(ota_gate_ask(&schedule.gate, &question, &answer), OTA_ERR_HELD);
        assert_memory_equal(answer.reason, "updates are taken here ", 23);
        assert_string_equal(answer.reason + 23, rows[i].reason);
        assert_true(strlen(answer.reason) < OTA_GATE_SCHEDULE_REASON_SIZE);
    }
}

/* ---- The button ------------------------------------------------------------------------------ */

static enum ota_err ask_button(struct ota_gate_armed *button, uint32_t now_ms)
{
    const struct ota_gate_question question = {.stage = OTA_GATE_BEGIN, .now_ms = now_ms};

    return ota_gate_ask(&button->gate, &question, &answer);
}

static void test_button(void **state)
{
    static const uint32_t presses[] = {0, 1, 5000, UINT32_MAX, UINT32_MAX - 59999, 0x7FFFFFFF};

    (void)state;
    for (size_t i = 0; i < sizeof presses / sizeof presses[0]; i++) {
        struct ota_gate_armed button = OTA_GATE_ARMED(NULL, 60000);
        uint32_t at = presses[i];

        assert_int_equal(ask_button(&button, at), OTA_ERR_HELD);
        assert_non_null(strstr(answer.reason, "button"));
        ota_gate_arm(&button, at);
        assert_int_equal(ask_button(&button, at), OTA_OK);
        assert_int_equal(ask_button(&button, at + 59999), OTA_OK); /* also past the clock's wrap */
        assert_int_equal(ask_button(&button, at + 60000), OTA_ERR_HELD);
        assert_int_equal(ask_button(&button, at), OTA_ERR_HELD); /* 49 days later: not again */
        ota_gate_arm(&button, at);
        ota_gate_disarm(&button);
        assert_int_equal(ask_button(&button, at), OTA_ERR_HELD);
    }
}

/* What began in time may go on when the time is over. */
static void test_button_lets_go_on(void **state)
{
    struct ota_gate_armed button = OTA_GATE_ARMED(NULL, 60000);
    struct ota_gate_question question = {.stage = OTA_GATE_DESCRIBED, .now_ms = 100000};

    (void)state;
    assert_int_equal(ota_gate_ask(&button.gate, &question, &answer), OTA_OK);
    question.stage = OTA_GATE_ACTIVATE;
    assert_int_equal(ota_gate_ask(&button.gate, &question, &answer), OTA_OK);
}

/* ---- The product's own ----------------------------------------------------------------------- */

static enum ota_err decide(void *context, const struct ota_gate_question *question,
                           struct ota_gate_answer *given)
{
    assert_ptr_equal(context, &answer);
    if (question->stage != OTA_GATE_ACTIVATE) {
        return OTA_OK;
    }
    given->reason = "the motor runs";
    given->retry_ms = 1000;
    return OTA_ERR_HELD;
}

static void test_hook(void **state)
{
    struct ota_gate_hook hook = OTA_GATE_HOOK(NULL, decide, &answer);
    struct ota_gate_question question = {.stage = OTA_GATE_BEGIN};

    (void)state;
    assert_int_equal(ota_gate_ask(&hook.gate, &question, &answer), OTA_OK);
    question.stage = OTA_GATE_ACTIVATE;
    assert_int_equal(ota_gate_ask(&hook.gate, &question, &answer), OTA_ERR_HELD);
    assert_string_equal(answer.reason, "the motor runs");
    assert_int_equal(answer.retry_ms, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chain),
        cmocka_unit_test(test_schedule),
        cmocka_unit_test(test_schedule_that_never_opens),
        cmocka_unit_test(test_schedule_without_a_clock),
        cmocka_unit_test(test_reason_of_the_schedule),
        cmocka_unit_test(test_button),
        cmocka_unit_test(test_button_lets_go_on),
        cmocka_unit_test(test_hook),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
