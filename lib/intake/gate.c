/* SPDX-License-Identifier: Apache-2.0 */
/* Gates: the chain, and the two gates that need no comparing of versions. */
#include <updraft/gate.h>

#include "base/mem.h"

#define MINUTES_OF_DAY 1440u
#define DAYS 7u
#define EVERY_DAY 0x7Fu
#define MINUTE_MS 60000u

enum ota_err ota_gate_ask(struct ota_gate *gate, const struct ota_gate_question *question,
                          struct ota_gate_answer *answer)
{
    enum ota_err err = OTA_OK;

    for (; gate != NULL && err == OTA_OK; gate = gate->next) {
        memset(answer, 0, sizeof *answer);
        err = gate->ask(gate, question, answer);
    }
    if (err == OTA_OK) {
        memset(answer, 0, sizeof *answer);
    }
    return err;
}

/* ---- Schedule -------------------------------------------------------------------------------- */

/* Minutes that the window is open; from and to the same: the whole day. */
static uint32_t length_of(const struct ota_gate_schedule *schedule)
{
    uint32_t length =
        (schedule->to_minute + MINUTES_OF_DAY - schedule->from_minute) % MINUTES_OF_DAY;

    return length != 0 ? length : MINUTES_OF_DAY;
}

/* Minutes from `minute` of the week until the window next opens; 0 if it is open. A window that
   runs over midnight belongs to the day on which it begins. UINT32_MAX if no day is set. */
static uint32_t minutes_until_open(const struct ota_gate_schedule *schedule, uint32_t minute)
{
    uint32_t length = length_of(schedule);
    uint32_t best = UINT32_MAX;

    for (uint32_t day = 0; day < DAYS; day++) {
        if ((schedule->days >> day & 1u) == 0) {
            continue;
        }
        uint32_t opens = day * MINUTES_OF_DAY + schedule->from_minute;
        uint32_t since = (minute + DAYS * MINUTES_OF_DAY - opens) % (DAYS * MINUTES_OF_DAY);
        uint32_t left = since < length ? 0 : DAYS * MINUTES_OF_DAY - since;
        best = left < best ? left : best;
    }
    return best;
}

/* What follows writes into schedule->reason, which holds the longest of it: "updates are taken here
   only Mon-Tue, Thu-Fri, Sun 02:00-04:00, and the time is not known yet". Each returns where it
   ends. */

static char *put(char *at, const char *text)
{
    size_t len = strlen(text);

    memcpy(at, text, len);
    return at + len;
}

/* "02:00" */
static char *put_time(char *at, uint32_t minute)
{
    const uint32_t numbers[] = {minute / 60, minute % 60};

    for (unsigned i = 0; i < 2; i++) {
        at = put(at, i == 0 ? "" : ":");
        *at++ = (char)('0' + numbers[i] / 10);
        *at++ = (char)('0' + numbers[i] % 10);
    }
    return at;
}

static const char day_names[DAYS][4] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

/* " Mon-Fri, Sun"; nothing if it is every day. */
static char *put_days(char *at, uint8_t days)
{
    const char *before = " ";

    for (uint32_t day = 0; day < DAYS && (days & EVERY_DAY) != EVERY_DAY; day++) {
        uint32_t last = day;
        if (((uint32_t)days >> day & 1u) == 0) {
            continue;
        }
        while (last + 1 < DAYS && ((uint32_t)days >> (last + 1) & 1u) != 0) {
            last++;
        }
        at = put(put(at, before), day_names[day]);
        if (last > day) {
            at = put(put(at, "-"), day_names[last]);
        }
        before = ", ";
        day = last;
    }
    return at;
}

/* " 02:00-04:00"; nothing if it is all day, on some days. */
static char *put_hours(char *at, const struct ota_gate_schedule *schedule)
{
    if (length_of(schedule) < MINUTES_OF_DAY || (schedule->days & EVERY_DAY) == EVERY_DAY) {
        at = put_time(put(at, " "), schedule->from_minute);
        at = put_time(put(at, "-"), schedule->to_minute);
    }
    return at;
}

static void write_reason(struct ota_gate_schedule *schedule,
                         const struct ota_gate_question *question)
{
    char *at = put(schedule->reason, "updates are taken here only");

    at = put_hours(put_days(at, schedule->days), schedule);
    if (question->time_is_known) {
        uint32_t minute = question->minute_of_week;
        at = put(put(at, "; it is "), day_names[minute / MINUTES_OF_DAY % DAYS]);
        at = put_time(put(at, " "), minute % MINUTES_OF_DAY);
    } else {
        at = put(at, ", and the time is not known yet");
    }
    *at = '\0';
}

enum ota_err ota_gate_schedule_ask(struct ota_gate *gate, const struct ota_gate_question *question,
                                   struct ota_gate_answer *answer)
{
    struct ota_gate_schedule *schedule = (struct ota_gate_schedule *)gate;
    uint32_t minutes = minutes_until_open(schedule, question->minute_of_week);

    if (question->stage == OTA_GATE_DESCRIBED || (question->time_is_known && minutes == 0)) {
        return OTA_OK;
    }
    if (minutes == UINT32_MAX) {
        answer->reason = "no updates are taken here: the schedule names no day";
        return OTA_ERR_HELD;
    }
    write_reason(schedule, question);
    answer->reason = schedule->reason;
    answer->retry_ms = question->time_is_known ? minutes * MINUTE_MS : MINUTE_MS;
    return OTA_ERR_HELD;
}

/* ---- Armed by a button ----------------------------------------------------------------------- */

void ota_gate_arm(struct ota_gate_armed *gate, uint32_t now_ms)
{
    gate->is_armed = true;
    gate->since_ms = now_ms;
}

void ota_gate_disarm(struct ota_gate_armed *gate)
{
    gate->is_armed = false;
}

enum ota_err ota_gate_armed_ask(struct ota_gate *gate, const struct ota_gate_question *question,
                                struct ota_gate_answer *answer)
{
    struct ota_gate_armed *armed = (struct ota_gate_armed *)gate;

    if (question->stage != OTA_GATE_BEGIN) {
        return OTA_OK; /* it began in time */
    }
    if (armed->is_armed && question->now_ms - armed->since_ms < armed->window_ms) {
        return OTA_OK;
    }
    armed->is_armed = false; /* so that the clock cannot wrap into the window */
    answer->reason = "updates must be allowed on the device first: press its button";
    return OTA_ERR_HELD;
}

/* ---- The product's own ----------------------------------------------------------------------- */

enum ota_err ota_gate_hook_ask(struct ota_gate *gate, const struct ota_gate_question *question,
                               struct ota_gate_answer *answer)
{
    struct ota_gate_hook *hook = (struct ota_gate_hook *)gate;

    return hook->decide(hook->context, question, answer);
}
