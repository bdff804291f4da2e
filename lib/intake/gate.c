/* SPDX-License-Identifier: Apache-2.0 */
/* Gates: the chain, and the two gates that need no comparing of versions. */
#include <updraft/gate.h>

#include "base/mem.h"

#define MINUTES_OF_DAY 1440u
#define DAYS 7u
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

/* ---- Schedule --------------------------------------------------------------------------------- */

/* Minutes from `minute` of the week until the window next opens; 0 if it is open. A window that runs over
   midnight belongs to the day on which it begins. UINT32_MAX if no day is set. */
static uint32_t minutes_until_open(const struct ota_gate_schedule *schedule, uint32_t minute)
{
    uint32_t length =
        (schedule->to_minute + MINUTES_OF_DAY - schedule->from_minute) % MINUTES_OF_DAY;
    uint32_t best = UINT32_MAX;

    if (length == 0) {
        length = MINUTES_OF_DAY; /* from and to the same: the whole day */
    }
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

enum ota_err ota_gate_schedule_ask(struct ota_gate *gate, const struct ota_gate_question *question,
                                   struct ota_gate_answer *answer)
{
    const struct ota_gate_schedule *schedule = (const struct ota_gate_schedule *)gate;

    if (question->stage == OTA_GATE_DESCRIBED) {
        return OTA_OK;
    }
    if (!question->time_is_known) {
        answer->reason = "updates have a schedule here, and the time is not known yet";
        answer->retry_ms = MINUTE_MS;
        return OTA_ERR_HELD;
    }
    uint32_t minutes = minutes_until_open(schedule, question->minute_of_week);
    if (minutes == 0) {
        return OTA_OK;
    }
    answer->reason = "it is not the time for updates on this device";
    answer->retry_ms = minutes == UINT32_MAX ? 0 : minutes * MINUTE_MS;
    return OTA_ERR_HELD;
}

/* ---- Armed by a button ------------------------------------------------------------------------ */

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

/* ---- The product's own ------------------------------------------------------------------------ */

enum ota_err ota_gate_hook_ask(struct ota_gate *gate, const struct ota_gate_question *question,
                               struct ota_gate_answer *answer)
{
    struct ota_gate_hook *hook = (struct ota_gate_hook *)gate;

    return hook->decide(hook->context, question, answer);
}
