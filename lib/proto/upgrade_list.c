/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The upgrade list: item after item, step after step. The states are in updraft/upgrade_list.h.
 *
 *     start -> begin_item -> run_step … -> conclude -> begin_item … -> finish
 *                   ^            |
 *                   +-- hold <---+
 *
 * L1 the first error of an item is its result; L2 finished_check is called once for each item that
 * was begun, after its other steps; L3 the finish event comes once for each start, and after it the
 * list calls nothing.
 */
#include "base/bytes.h"
#include "base/mem.h"
#include "proto/upgrade_private.h"

#define TAG "list"
/* A source that had nothing is looked at again after this time at the latest. */
#define LOOK_MS 1000u
#define BUSY_MS 1000u  /* another way in updates */
#define HOLD_MS 60000u /* a gate holds and does not say how long */
/* So many steps one call makes at most; the longest of them end themselves. */
#define STEPS_PER_POLL 8u

void ota_upgrade_log(const struct ota_upgrade *upgrade, enum ota_log_level level, const char *text)
{
    struct ota_platform *platform = upgrade->options->platform;

    if (platform->log != NULL) {
        platform->log(platform, level, TAG, text);
    }
}

static void tell(const struct ota_upgrade_list *list, enum ota_upgrade_event event)
{
    if (list->options.on_event != NULL) {
        list->options.on_event(list->options.context, list, event);
    }
}

/* ---- Items ----------------------------------------------------------------------------------- */

static void enter_step(struct ota_upgrade_list *list, enum ota_upgrade_step step)
{
    list->upgrade.step = step;
    tell(list, OTA_UPGRADE_EVENT_STEP);
}

static void begin_item(struct ota_upgrade_list *list, size_t index)
{
    struct ota_upgrade *upgrade = &list->upgrade;
    uint32_t now_ms = upgrade->now_ms;

    memset(upgrade, 0, sizeof *upgrade);
    upgrade->options = &list->options;
    upgrade->item = &list->options.items[index];
    upgrade->index = index;
    upgrade->now_ms = now_ms;
    list->state = OTA_UPGRADE_RUNNING;
    enter_step(list, OTA_UPGRADE_PREPARE);
}

/* One restart, and only if all that was needed is there. */
static bool should_restart(const struct ota_upgrade_list *list)
{
    bool wanted = false;

    for (size_t i = 0; i < list->options.count; i++) {
        switch (list->results[i].outcome) {
        case OTA_UPGRADE_DONE:
            wanted = wanted || list->options.items[i].restart;
            break;
        case OTA_UPGRADE_NOT_NEEDED:
            break;
        default:
            return false;
        }
    }
    return wanted;
}

static void finish(struct ota_upgrade_list *list)
{
    list->state = OTA_UPGRADE_FINISHED;
    list->wants_restart = should_restart(list);
    tell(list, OTA_UPGRADE_EVENT_FINISH);
}

static void leave_out_rest(struct ota_upgrade_list *list)
{
    for (size_t i = list->upgrade.index + 1; i < list->options.count; i++) {
        list->results[i].outcome = OTA_UPGRADE_LEFT_OUT;
    }
}

static void put_reason(struct ota_text *text, const struct ota_upgrade_result *result)
{
    if (result->outcome == OTA_UPGRADE_NOT_NEEDED) {
        ota_text_put(text, result->err == OTA_ERR_SAME_VERSION ? ": it is here already"
                                                               : ": what is here is newer");
    } else if (result->outcome == OTA_UPGRADE_FAILED) {
        ota_text_put(text, ": ");
        ota_text_put(text, ota_err_text(result->err));
        ota_text_put(text, " (");
        ota_text_put(text, ota_upgrade_reason_name(result->reason));
        ota_text_put(text, ")");
    }
}

static void log_result(const struct ota_upgrade_list *list, const struct ota_upgrade_result *result)
{
    char line[OTA__UPGRADE_LINE_SIZE];
    struct ota_text text;

    ota_text_begin(&text, line, sizeof line);
    ota_text_put(&text, "item ");
    ota_text_put_decimal(&text, (uint32_t)list->upgrade.index);
    ota_text_put(&text, " ");
    ota_text_put(&text, ota_upgrade_outcome_name(result->outcome));
    put_reason(&text, result);
    ota_upgrade_log(&list->upgrade,
                    result->outcome == OTA_UPGRADE_FAILED ? OTA_LOG_ERROR : OTA_LOG_INFO,
                    ota_text_end(&text));
}

static enum ota_upgrade_outcome outcome_of(enum ota_err err)
{
    switch (err) {
    case OTA_OK:
        return OTA_UPGRADE_DONE;
    case OTA_ERR_SAME_VERSION:
    case OTA_ERR_OLDER_VERSION:
        return OTA_UPGRADE_NOT_NEEDED;
    default:
        return OTA_UPGRADE_FAILED;
    }
}

/* The item is over: notes what became of it and goes on to the next, if there is to be one. */
static void conclude(struct ota_upgrade_list *list)
{
    const struct ota_upgrade *upgrade = &list->upgrade;
    struct ota_upgrade_result *result = &list->results[upgrade->index];
    size_t next = upgrade->index + 1;

    result->outcome = outcome_of(upgrade->err);
    result->err = upgrade->err;
    result->offset = upgrade->err_offset;
    /* An error before the first byte is one of opening, whenever it showed. */
    result->reason = ota_upgrade_reason(upgrade->err, upgrade->received == 0 ? OTA_UPGRADE_PREPARE
                                                                             : upgrade->err_step);
    log_result(list, result);
    tell(list, OTA_UPGRADE_EVENT_RESULT);
    if (result->outcome == OTA_UPGRADE_FAILED && upgrade->item->break_after_fail &&
        next < list->options.count) {
        ota_upgrade_log(upgrade, OTA_LOG_WARNING, "the rest of the list is left out");
        leave_out_rest(list);
        next = list->options.count;
    }
    if (next < list->options.count) {
        begin_item(list, next);
    } else {
        finish(list);
    }
}

/* ---- Waiting for a turn ---------------------------------------------------------------------- */

/* For a restart only if one is due: another update may be staged for one that nobody asks for. */
static bool must_wait(const struct ota_upgrade *upgrade)
{
    return upgrade->err == OTA_ERR_BUSY || upgrade->err == OTA_ERR_HELD ||
           (upgrade->err == OTA_ERR_RESTARTING && upgrade->options->intake->is_closed);
}

static void hold(struct ota_upgrade_list *list)
{
    const struct ota_intake *intake = list->options.intake;
    uint32_t retry_ms = intake->answer.retry_ms;

    list->state = OTA_UPGRADE_HOLDING;
    list->held_ms = list->upgrade.now_ms;
    list->hold_ms = BUSY_MS;
    if (list->upgrade.err == OTA_ERR_HELD) {
        list->hold_ms = retry_ms != 0 ? retry_ms : HOLD_MS;
        ota_upgrade_log(&list->upgrade, OTA_LOG_INFO, ota_intake_reason(intake));
        tell(list, OTA_UPGRADE_EVENT_HELD);
    }
}

static uint32_t until_hold_is_over(const struct ota_upgrade_list *list, uint32_t now_ms)
{
    uint32_t passed = now_ms - list->held_ms;

    return passed < list->hold_ms ? list->hold_ms - passed : 0;
}

/* ---- Steps ----------------------------------------------------------------------------------- */

static const struct ota_upgrade_steps *default_steps(const struct ota_upgrade_item *item)
{
    return item->kind == OTA_UPGRADE_APP ? &ota_upgrade_app_steps : &ota_upgrade_data_steps;
}

static ota_upgrade_step_fn *find_step(const struct ota_upgrade_steps *steps,
                                      enum ota_upgrade_step step)
{
    switch (step) {
    case OTA_UPGRADE_PREPARE:
        return steps->prepare;
    case OTA_UPGRADE_NEED_UPGRADE:
        return steps->need_upgrade;
    default:
        return steps->execute;
    }
}

static enum ota_err call_step(struct ota_upgrade *upgrade, bool *pending)
{
    const struct ota_upgrade_steps *own = upgrade->item->steps;
    ota_upgrade_step_fn *step = own != NULL ? find_step(own, upgrade->step) : NULL;

    if (step == NULL) {
        step = find_step(default_steps(upgrade->item), upgrade->step);
    }
    return step(upgrade, pending);
}

static enum ota_err call_finish(struct ota_upgrade *upgrade, bool *pending)
{
    const struct ota_upgrade_steps *own = upgrade->item->steps;

    if (own != NULL && own->finished_check != NULL) {
        return own->finished_check(upgrade, upgrade->err, pending);
    }
    return default_steps(upgrade->item)->finished_check(upgrade, upgrade->err, pending);
}

/* Notes the first error, with the step it struck in. */
static void note(struct ota_upgrade *upgrade, enum ota_err err)
{
    if (upgrade->err == OTA_OK && err != OTA_OK) {
        upgrade->err = err;
        upgrade->err_step = upgrade->step;
        if (upgrade->err_offset == 0) {
            upgrade->err_offset = upgrade->received;
        }
    }
}

/* Calls the present step; returns false if it waits for something. */
static bool run_step(struct ota_upgrade_list *list)
{
    struct ota_upgrade *upgrade = &list->upgrade;
    bool is_last = upgrade->step == OTA_UPGRADE_FINISHED_CHECK;
    bool pending = false;
    enum ota_err err = is_last ? call_finish(upgrade, &pending) : call_step(upgrade, &pending);

    if (pending && (err == OTA_OK || is_last)) {
        return false;
    }
    note(upgrade, err);
    if (!is_last) {
        enter_step(list, upgrade->err == OTA_OK ? (enum ota_upgrade_step)(upgrade->step + 1)
                                                : OTA_UPGRADE_FINISHED_CHECK);
    } else if (must_wait(upgrade)) {
        hold(list);
    } else {
        conclude(list);
    }
    return true;
}

/* ---- The whole list -------------------------------------------------------------------------- */

static bool item_is_sound(const struct ota_upgrade_item *item)
{
    return item->uri != NULL && (item->kind == OTA_UPGRADE_APP || item->label != NULL);
}

enum ota_err ota_upgrade_list_init(struct ota_upgrade_list *list,
                                   const struct ota_upgrade_list_options *options)
{
    if (options->items == NULL || options->count == 0 || options->count > OTA_UPGRADE_ITEMS_MAX ||
        options->platform == NULL || options->intake == NULL) {
        return OTA_ERR_ARGUMENT;
    }
    for (size_t i = 0; i < options->count; i++) {
        if (!item_is_sound(&options->items[i])) {
            return OTA_ERR_ARGUMENT;
        }
    }
    memset(list, 0, sizeof *list);
    list->options = *options;
    if (list->options.stall_ms == 0) {
        list->options.stall_ms = OTA_UPGRADE_STALL_MS;
    }
    return OTA_OK;
}

static bool is_at_work(const struct ota_upgrade_list *list)
{
    return list->state == OTA_UPGRADE_RUNNING || list->state == OTA_UPGRADE_HOLDING;
}

enum ota_err ota_upgrade_list_start(struct ota_upgrade_list *list)
{
    if (list->options.count == 0 || is_at_work(list)) {
        return OTA_ERR_STATE;
    }
    memset(list->results, 0, sizeof list->results);
    list->wants_restart = false;
    begin_item(list, 0);
    return OTA_OK;
}

uint32_t ota_upgrade_list_poll(struct ota_upgrade_list *list, uint32_t now_ms)
{
    list->upgrade.now_ms = now_ms;
    if (list->state == OTA_UPGRADE_HOLDING) {
        uint32_t left = until_hold_is_over(list, now_ms);
        if (left > 0) {
            return left;
        }
        begin_item(list, list->upgrade.index);
    }
    for (unsigned i = 0; i < STEPS_PER_POLL && list->state == OTA_UPGRADE_RUNNING; i++) {
        uint32_t received = list->upgrade.received;
        if (!run_step(list)) {
            return list->upgrade.received != received ? 0 : LOOK_MS;
        }
    }
    if (list->state == OTA_UPGRADE_HOLDING) {
        return until_hold_is_over(list, now_ms);
    }
    return list->state == OTA_UPGRADE_RUNNING ? 0 : UINT32_MAX;
}

void ota_upgrade_list_stop(struct ota_upgrade_list *list)
{
    struct ota_upgrade *upgrade = &list->upgrade;
    struct ota_upgrade_result *result = &list->results[upgrade->index];
    bool was_running = list->state == OTA_UPGRADE_RUNNING;
    bool pending = false;

    if (!is_at_work(list)) {
        return;
    }
    upgrade->err = OTA_OK;
    note(upgrade, OTA_ERR_ABORTED);
    if (was_running) {
        upgrade->step = OTA_UPGRADE_FINISHED_CHECK;
        (void)call_finish(upgrade, &pending);
    }
    result->outcome = OTA_UPGRADE_FAILED;
    result->err = OTA_ERR_ABORTED;
    result->reason = OTA_UPGRADE_UNKNOWN;
    tell(list, OTA_UPGRADE_EVENT_RESULT);
    leave_out_rest(list);
    finish(list);
}
