/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stories in which power is cut. Each is what a firmware does after a boot, knowing only what
 * it finds on the flash and, where there is one, the step that the operator has come to.
 */
#include "power/scenario.h"

#include <string.h>

#include "power/firmware.h"
#include "power/ways.h"

static bool confirmed(struct board *board)
{
    return !board->scenario->rollback || firmware_confirm(board) == STEP_DONE;
}

/* One image after the other, up to the goal; each confirms itself first. */
static enum outcome update_up_to_goal(struct board *board)
{
    if (!confirmed(board)) {
        return OUTCOME_RESTART;
    }
    if (board->running == board->scenario->goal) {
        return OUTCOME_DONE;
    }
    (void)firmware_update(board, board->running + 1, FIRMWARE_ALL);
    return OUTCOME_RESTART;
}

/* The transfer stops a few times on the way: the connection is lost, not the power. */
static enum outcome update_in_pieces(struct board *board)
{
    const uint32_t size = board->images[1].size;

    if (board->running == 1) {
        return OUTCOME_DONE;
    }
    const unsigned attempts = board->now.memo.attempts;
    const uint32_t limit = attempts < 3 ? size / 4 * (attempts + 1) + 77 : FIRMWARE_ALL;
    (void)firmware_update(board, 1, limit);
    return OUTCOME_RESTART;
}

/* Image 1 crashes before it can confirm itself; the operator then offers image 2. */
static enum outcome crash_once(struct board *board)
{
    if (board->running == 1 && board->boot.on_trial) {
        board->now.memo.step = 1;
        return OUTCOME_RESTART;
    }
    if (!confirmed(board)) {
        return OUTCOME_RESTART;
    }
    if (board->running == board->scenario->goal) {
        return OUTCOME_DONE;
    }
    (void)firmware_update(board, board->now.memo.step == 0 ? 1 : 2, FIRMWARE_ALL);
    return OUTCOME_RESTART;
}

/* Image 1 finds out itself that it is no good. */
static enum outcome reject_once(struct board *board)
{
    if (board->running == 1 && board->boot.on_trial) {
        (void)firmware_reject(board);
    }
    return crash_once(board);
}

/* Entries of otadata, one after the other, and nothing else. */
static enum outcome write_entries(struct board *board)
{
    enum {
        LAST = 6
    };
    const int other = 1 - board->boot.slot;
    uint32_t sequence = 0;
    enum step step = firmware_write_entry(board, other, other, LAST, &sequence);

    return step == STEP_DONE && sequence >= LAST ? OUTCOME_DONE : OUTCOME_RESTART;
}

/* The operator has each slot boot in turn: image 0 in factory, 1 in ota_0, 2 in ota_1. */
static enum outcome choose_slots(struct board *board)
{
    static const int plan[] = {0, 1, 0, OTA_SLOT_FACTORY, 1, OTA_SLOT_FACTORY, 0};
    struct memo *memo = &board->now.memo;

    /* The factory app has no entry to confirm, and is never on trial. */
    if (board->boot.slot != OTA_SLOT_FACTORY && !confirmed(board)) {
        return OUTCOME_RESTART;
    }
    if (board->boot.slot == plan[memo->step]) {
        memo->step++;
    }
    if (memo->step == (int)(sizeof plan / sizeof plan[0])) {
        memo->step--; /* what comes after this boot finds the same goal */
        return OUTCOME_DONE;
    }
    (void)firmware_set_boot(board, plan[memo->step], plan[memo->step] + 1);
    return OUTCOME_RESTART;
}

/* Images 1, 2, 3, 1, … round and round. */
static enum outcome update_often(struct board *board)
{
    enum {
        UPDATES = 6
    };
    struct memo *memo = &board->now.memo;

    if (!confirmed(board)) {
        return OUTCOME_RESTART;
    }
    if (board->running == memo->step % 3 + 1) {
        memo->step++;
    }
    if (memo->step == UPDATES) {
        memo->step--;
        return OUTCOME_DONE;
    }
    (void)firmware_update(board, memo->step % 3 + 1, FIRMWARE_ALL);
    return OUTCOME_RESTART;
}

/* A transfer of image 1 is given up half-way; image 2 is wanted instead. */
static enum outcome change_mind(struct board *board)
{
    if (!confirmed(board)) {
        return OUTCOME_RESTART;
    }
    if (board->running == 2) {
        return OUTCOME_DONE;
    }
    if (board->now.memo.step == 0) {
        if (firmware_abandon(board, 1, board->images[1].size / 2) == STEP_DONE) {
            board->now.memo.step = 1;
        }
        return OUTCOME_RESTART;
    }
    (void)firmware_update(board, 2, FIRMWARE_ALL);
    return OUTCOME_RESTART;
}

/* The same, but the first transfer is only interrupted, and its journal is still there. */
static enum outcome change_mind_in_transfer(struct board *board)
{
    if (!confirmed(board)) {
        return OUTCOME_RESTART;
    }
    if (board->running == 2) {
        return OUTCOME_DONE;
    }
    if (board->now.memo.step == 0) {
        if (firmware_update(board, 1, board->images[1].size / 2) == STEP_SUSPENDED) {
            board->now.memo.step = 1;
        }
        return OUTCOME_RESTART;
    }
    (void)firmware_update(board, 2, FIRMWARE_ALL);
    return OUTCOME_RESTART;
}

/* While the transfer of image 1 is interrupted, image 2 is offered and refused: of no
   consequence. */
static enum outcome refuse_between(struct board *board)
{
    struct memo *memo = &board->now.memo;

    if (!confirmed(board)) {
        return OUTCOME_RESTART;
    }
    if (board->running == 1) {
        return OUTCOME_DONE;
    }
    if (memo->step == 0) {
        if (firmware_update(board, 1, board->images[1].size / 2) == STEP_SUSPENDED) {
            memo->step = 1;
        }
    } else if (memo->step == 1) {
        if (firmware_refuse(board, 2) == STEP_DONE) {
            memo->step = 2;
        }
    } else {
        (void)firmware_update(board, 1, FIRMWARE_ALL);
    }
    return OUTCOME_RESTART;
}

static enum outcome forget_the_last(struct board *board)
{
    if (!confirmed(board)) {
        return OUTCOME_RESTART;
    }
    if (board->running != 1) {
        (void)firmware_update(board, 1, FIRMWARE_ALL);
        return OUTCOME_RESTART;
    }
    return firmware_erase_last(board) == STEP_DONE ? OUTCOME_DONE : OUTCOME_RESTART;
}

/* The slot that was erased for good is then updated again. */
static enum outcome update_the_forgotten(struct board *board)
{
    if (board->running != 1 || board->now.memo.step != 0) {
        return update_up_to_goal(board);
    }
    if (confirmed(board) && firmware_erase_last(board) == STEP_DONE) {
        board->now.memo.step = 1;
    }
    return OUTCOME_RESTART;
}

/* Image 1 arrives; then the operator has the one before it boot, and image 1 again: all without a
   further transfer. */
static enum outcome choose_between(struct board *board)
{
    static const int plan[] = {1, 0, 1};
    struct memo *memo = &board->now.memo;

    if (!confirmed(board)) {
        return OUTCOME_RESTART;
    }
    if (board->running == plan[memo->step]) {
        memo->step++;
    }
    if (memo->step == (int)(sizeof plan / sizeof plan[0])) {
        memo->step--;
        return OUTCOME_DONE;
    }
    if (memo->step == 0) {
        (void)firmware_update(board, 1, FIRMWARE_ALL);
    } else {
        (void)firmware_set_boot(board, 1, plan[memo->step]);
    }
    return OUTCOME_RESTART;
}

static enum outcome update_storage(struct board *board)
{
    if (firmware_storage_holds(board, 1)) {
        return OUTCOME_DONE;
    }
    (void)firmware_update(board, 1, FIRMWARE_ALL);
    return OUTCOME_RESTART;
}

/* Data (image 2) comes half-way; then an app comes first, and the data again. */
static enum outcome data_around_app(struct board *board)
{
    struct memo *memo = &board->now.memo;

    if (!confirmed(board)) {
        return OUTCOME_RESTART;
    }
    if (memo->step == 0) {
        memo->step = 1; /* it is not tried again after a loss of power */
        (void)firmware_abandon(board, 2, board->images[2].sent_size / 2);
    } else if (board->running != 1) {
        (void)firmware_update(board, 1, FIRMWARE_ALL);
    } else if (firmware_storage_holds(board, 2)) {
        return OUTCOME_DONE;
    } else {
        (void)firmware_update(board, 2, FIRMWARE_ALL);
    }
    return OUTCOME_RESTART;
}

/* Image 1 and the data partition's content, which is image 2: both or it is tried again. */
static enum outcome work_through_list(struct board *board)
{
    if (board->running == 1 && firmware_storage_holds(board, 2)) {
        return OUTCOME_DONE;
    }
    (void)firmware_update(board, 1, FIRMWARE_ALL);
    return OUTCOME_RESTART;
}

/* Image 1 is proven and waits at a gate when power fails, which has then been for nothing. The next
   time the gate opens. */
static enum outcome hold_back(struct board *board)
{
    struct memo *memo = &board->now.memo;

    if (!confirmed(board)) {
        return OUTCOME_RESTART;
    }
    if (board->running == 1) {
        return OUTCOME_DONE;
    }
    if (way_hold(board, 1, memo->step > 0) == STEP_DONE) {
        memo->step = 1;
    }
    return OUTCOME_RESTART;
}

/* clang-format off */
const struct scenario scenarios[] = {
    {.name = "factory-to-ota_0", .firmware = update_up_to_goal, .goal = 1, .images = 2, .slots = 1,
     .present = 1, .factory = true, .used = true},
    {.name = "factory-to-ota_0-trial", .firmware = update_up_to_goal, .goal = 1, .images = 2,
     .slots = 2, .present = 1, .factory = true, .rollback = true, .page_buffer = true},
    {.name = "there-and-back", .firmware = update_up_to_goal, .goal = 2, .images = 3, .slots = 2,
     .present = 1, .rollback = true, .used = true},
    {.name = "there-and-back-pages", .firmware = update_up_to_goal, .goal = 2, .images = 3,
     .slots = 2, .present = 1, .used = true, .page_buffer = true},
    {.name = "first-boot", .firmware = update_up_to_goal, .goal = 1, .images = 2, .slots = 2,
     .present = 1, .no_entry = true, .rollback = true},
    {.name = "first-boot-ota_1", .firmware = update_up_to_goal, .goal = 2, .images = 3, .slots = 2,
     .present = 1, .no_entry = true, .second = true, .rollback = true, .used = true},
    {.name = "floor", .firmware = update_up_to_goal, .goal = 2, .images = 3, .slots = 2,
     .present = 1, .rollback = true, .fuses = true, .used = true},
    {.name = "unknown-size", .firmware = update_up_to_goal, .goal = 2, .images = 3, .slots = 2,
     .present = 1, .size_unknown = true, .no_identity = true, .page_buffer = true},
    {.name = "resume", .firmware = update_in_pieces, .goal = 1, .images = 2, .slots = 2,
     .present = 1, .used = true, .large = true},
    {.name = "resume-pages", .firmware = update_in_pieces, .goal = 1, .images = 2, .slots = 2,
     .present = 1, .page_buffer = true, .large = true},
    {.name = "ahead", .firmware = update_up_to_goal, .goal = 2, .images = 3, .slots = 2,
     .present = 1, .rollback = true, .used = true, .ahead = true},
    {.name = "ahead-resume", .firmware = update_in_pieces, .goal = 1, .images = 2, .slots = 2,
     .present = 1, .used = true, .large = true, .page_buffer = true, .ahead = true},
    {.name = "ahead-unknown", .firmware = update_up_to_goal, .goal = 1, .images = 2, .slots = 2,
     .present = 1, .used = true, .size_unknown = true, .no_identity = true, .ahead = true},
    {.name = "pieces", .firmware = update_in_pieces, .goal = 1, .images = 2, .slots = 2,
     .present = 1},
    {.name = "pieces-used", .firmware = update_in_pieces, .goal = 1, .images = 2, .slots = 2,
     .present = 1, .used = true},
    {.name = "crash", .firmware = crash_once, .goal = 2, .images = 3, .slots = 2, .present = 1,
     .rollback = true},
    {.name = "crash-factory", .firmware = crash_once, .goal = 2, .images = 3, .slots = 1,
     .present = 1, .factory = true, .rollback = true, .used = true},
    {.name = "crash-floor", .firmware = crash_once, .goal = 2, .images = 3, .slots = 2,
     .present = 1, .rollback = true, .fuses = true},
    {.name = "reject", .firmware = reject_once, .goal = 2, .images = 3, .slots = 2, .present = 1,
     .rollback = true, .used = true},
    {.name = "entries", .firmware = write_entries, .goal = 1, .images = 2, .slots = 2,
     .present = 2},
    {.name = "choose", .firmware = choose_slots, .goal = 1, .images = 3, .slots = 2, .present = 3,
     .factory = true},
    {.name = "choose-trial", .firmware = choose_slots, .goal = 1, .images = 3, .slots = 2,
     .present = 3, .factory = true, .rollback = true},
    {.name = "often", .firmware = update_often, .goal = 3, .images = 4, .slots = 3, .present = 1,
     .rollback = true, .used = true},
    {.name = "often-pages", .firmware = update_often, .goal = 3, .images = 4, .slots = 2,
     .present = 1, .page_buffer = true},
    {.name = "abandon", .firmware = change_mind, .goal = 2, .images = 3, .slots = 2, .present = 1,
     .rollback = true},
    {.name = "another", .firmware = change_mind_in_transfer, .goal = 2, .images = 3, .slots = 2,
     .present = 1, .rollback = true, .used = true},
    {.name = "refused", .firmware = refuse_between, .goal = 1, .images = 3, .slots = 2,
     .present = 1, .rollback = true, .used = true, .large = true},
    {.name = "refused-pages", .firmware = refuse_between, .goal = 1, .images = 3, .slots = 2,
     .present = 2, .page_buffer = true},
    {.name = "erase-last", .firmware = forget_the_last, .goal = 1, .images = 2, .slots = 2,
     .present = 1, .rollback = true},
    {.name = "erase-last-update", .firmware = update_the_forgotten, .goal = 2, .images = 3,
     .slots = 2, .present = 1, .used = true},
    {.name = "full", .firmware = update_up_to_goal, .goal = 2, .images = 3, .slots = 2,
     .present = 1, .rollback = true, .full = true},
    {.name = "full-pages", .firmware = change_mind, .goal = 2, .images = 3, .slots = 2,
     .present = 1, .used = true, .page_buffer = true, .no_identity = true, .full = true},
    {.name = "data", .firmware = update_storage, .goal = 0, .images = 2, .slots = 2, .present = 1,
     .used = true, .data = 1},
    {.name = "data-pages", .firmware = update_storage, .goal = 0, .images = 2, .slots = 2,
     .present = 1, .page_buffer = true, .data = 1},
    {.name = "packed", .firmware = update_up_to_goal, .goal = 2, .images = 3, .slots = 2,
     .present = 1, .rollback = true, .used = true, .page_buffer = true, .packed = true},
    {.name = "packed-pieces", .firmware = update_in_pieces, .goal = 1, .images = 2, .slots = 2,
     .present = 1, .used = true, .packed = true},
    {.name = "packed-data", .firmware = update_storage, .goal = 0, .images = 2, .slots = 2,
     .present = 1, .used = true, .packed = true, .data = 1},

    /* One place to run from. */
    {.name = "swap", .staged = STAGED_SWAP, .firmware = update_up_to_goal, .goal = 2, .images = 3,
     .slots = 1, .present = 1, .rollback = true, .used = true},
    {.name = "swap-pages", .staged = STAGED_SWAP, .firmware = update_up_to_goal, .goal = 2,
     .images = 3, .slots = 1, .present = 1, .page_buffer = true, .long_story = true},
    {.name = "swap-crash", .staged = STAGED_SWAP, .firmware = crash_once, .goal = 2, .images = 3,
     .slots = 1, .present = 1, .rollback = true},
    {.name = "swap-trials", .staged = STAGED_SWAP, .firmware = crash_once, .goal = 2, .images = 3,
     .slots = 1, .present = 1, .rollback = true, .used = true, .trials = 3, .long_story = true},
    {.name = "swap-reject", .staged = STAGED_SWAP, .firmware = reject_once, .goal = 2, .images = 3,
     .slots = 1, .present = 1, .rollback = true, .used = true, .long_story = true},
    {.name = "swap-floor", .staged = STAGED_SWAP, .firmware = update_up_to_goal, .goal = 2,
     .images = 3, .slots = 1, .present = 1, .rollback = true, .fuses = true, .long_story = true},
    {.name = "swap-often", .staged = STAGED_SWAP, .firmware = update_often, .goal = 3, .images = 4,
     .slots = 1, .present = 1, .rollback = true, .page_buffer = true, .long_story = true},
    {.name = "swap-pieces", .staged = STAGED_SWAP, .firmware = update_in_pieces, .goal = 1,
     .images = 2, .slots = 1, .present = 1, .used = true},
    {.name = "swap-another", .staged = STAGED_SWAP, .firmware = change_mind_in_transfer, .goal = 2,
     .images = 3, .slots = 1, .present = 1, .rollback = true, .long_story = true},
    {.name = "swap-choose", .staged = STAGED_SWAP, .firmware = choose_between, .goal = 1,
     .images = 2, .slots = 1, .present = 1, .rollback = true, .used = true, .long_story = true},
    {.name = "swap-erase-last", .staged = STAGED_SWAP, .firmware = update_the_forgotten, .goal = 2,
     .images = 3, .slots = 1, .present = 1, .rollback = true, .long_story = true},
    {.name = "copy", .staged = STAGED_COPY, .firmware = update_up_to_goal, .goal = 2, .images = 3,
     .slots = 1, .present = 1, .used = true},
    {.name = "copy-pages", .staged = STAGED_COPY, .firmware = update_up_to_goal, .goal = 2,
     .images = 3, .slots = 1, .present = 1, .page_buffer = true, .long_story = true},
    {.name = "copy-pieces", .staged = STAGED_COPY, .firmware = update_in_pieces, .goal = 1,
     .images = 2, .slots = 1, .present = 1},
    {.name = "copy-unknown", .staged = STAGED_COPY, .firmware = update_up_to_goal, .goal = 1,
     .images = 2, .slots = 1, .present = 1, .used = true, .size_unknown = true,
     .no_identity = true, .long_story = true},
    {.name = "copy-often", .staged = STAGED_COPY, .firmware = update_often, .goal = 3, .images = 4,
     .slots = 1, .present = 1, .used = true, .long_story = true},
    {.name = "copy-shared", .staged = STAGED_SHARED, .firmware = update_often, .goal = 3,
     .images = 4, .slots = 1, .present = 1, .long_story = true},
    {.name = "copy-gzip", .staged = STAGED_GZIP, .firmware = update_up_to_goal, .goal = 2, .images = 3, .slots = 1,
     .present = 1, .used = true},
    {.name = "copy-gzip-pages", .staged = STAGED_GZIP, .firmware = update_often, .goal = 3, .images = 4, .slots = 1,
     .present = 1, .page_buffer = true, .long_story = true},
    {.name = "gzip-data", .staged = STAGED_GZIP, .firmware = update_storage, .goal = 0, .images = 2, .slots = 1,
     .present = 1, .used = true, .data = 1},
    {.name = "copy-data", .staged = STAGED_COPY, .firmware = update_storage, .goal = 0, .images = 2,
     .slots = 1, .present = 1, .used = true, .data = 1},
    {.name = "swap-data", .staged = STAGED_SWAP, .firmware = update_storage, .goal = 0, .images = 2,
     .slots = 1, .present = 1, .rollback = true, .page_buffer = true, .data = 1},
    {.name = "swap-data-app", .staged = STAGED_SWAP, .firmware = data_around_app, .goal = 1, .images = 3, .slots = 1,
     .present = 1, .rollback = true, .used = true, .data = 2, .long_story = true},
    {.name = "shared-data-app", .staged = STAGED_SHARED, .firmware = data_around_app, .goal = 1, .images = 3,
     .slots = 1, .present = 1, .used = true, .data = 2, .long_story = true},
    {.name = "in-place-app", .staged = STAGED_COPY, .firmware = data_around_app, .goal = 1, .images = 3, .slots = 1,
     .present = 1, .used = true, .page_buffer = true, .in_place = true, .data = 2, .long_story = true},
    {.name = "in-place", .staged = STAGED_COPY, .firmware = update_storage, .goal = 0, .images = 2,
     .slots = 1, .present = 1, .used = true, .in_place = true, .data = 1},
    {.name = "in-place-full", .staged = STAGED_SWAP, .firmware = update_storage, .goal = 0,
     .images = 2, .slots = 1, .present = 1, .page_buffer = true, .full = true, .in_place = true,
     .data = 1},

    /* Through each way in. */
    {.name = "espota", .way = WAY_ESPOTA, .firmware = update_up_to_goal, .goal = 1, .images = 2,
     .slots = 2, .present = 1, .rollback = true, .used = true},
    {.name = "espota-broken", .way = WAY_ESPOTA, .firmware = update_in_pieces, .goal = 1,
     .images = 2, .slots = 2, .present = 1, .page_buffer = true},
    {.name = "espota-crash", .way = WAY_ESPOTA, .firmware = crash_once, .goal = 2, .images = 3,
     .slots = 2, .present = 1, .rollback = true, .used = true},
    {.name = "espota-held", .way = WAY_ESPOTA, .firmware = hold_back, .goal = 1, .images = 2,
     .slots = 2, .present = 1, .rollback = true},
    {.name = "espota-data", .way = WAY_ESPOTA, .firmware = update_storage, .goal = 0, .images = 2,
     .slots = 2, .present = 1, .used = true, .data = 1},
    {.name = "esphome", .way = WAY_ESPHOME, .firmware = update_up_to_goal, .goal = 1, .images = 2,
     .slots = 2, .present = 1, .rollback = true, .page_buffer = true},
    {.name = "esphome-reject", .way = WAY_ESPHOME, .firmware = reject_once, .goal = 2, .images = 3,
     .slots = 1, .present = 1, .factory = true, .rollback = true},
    {.name = "form", .way = WAY_FORM, .firmware = update_up_to_goal, .goal = 1, .images = 2,
     .slots = 2, .present = 1, .rollback = true, .used = true},
    {.name = "form-data", .way = WAY_FORM, .firmware = update_storage, .goal = 0, .images = 2,
     .slots = 2, .present = 1, .data = 1},
    {.name = "form-held", .way = WAY_FORM, .firmware = hold_back, .goal = 1, .images = 2,
     .slots = 2, .present = 1, .used = true},
    {.name = "raw", .way = WAY_RAW, .firmware = update_up_to_goal, .goal = 1, .images = 2,
     .slots = 2, .present = 1, .rollback = true, .page_buffer = true},
    {.name = "pull", .way = WAY_PULL, .firmware = update_up_to_goal, .goal = 1, .images = 2,
     .slots = 2, .present = 1, .rollback = true},
    {.name = "pull-resume", .way = WAY_PULL, .firmware = update_in_pieces, .goal = 1, .images = 2,
     .slots = 2, .present = 1, .used = true, .large = true},
    {.name = "pull-pieces", .way = WAY_PULL, .firmware = update_in_pieces, .goal = 1, .images = 2,
     .slots = 2, .present = 1, .page_buffer = true},
    {.name = "pull-refused", .way = WAY_PULL, .firmware = refuse_between, .goal = 1, .images = 3,
     .slots = 2, .present = 1, .rollback = true, .used = true},
    {.name = "pull-another", .way = WAY_PULL, .firmware = change_mind_in_transfer, .goal = 2,
     .images = 3, .slots = 2, .present = 1, .rollback = true, .used = true},
    {.name = "https", .way = WAY_HTTPS, .firmware = update_up_to_goal, .goal = 1, .images = 2,
     .slots = 2, .present = 1, .rollback = true, .used = true},
    {.name = "https-resume", .way = WAY_HTTPS, .firmware = update_in_pieces, .goal = 1, .images = 2,
     .slots = 2, .present = 1, .used = true, .large = true},
    {.name = "https-another", .way = WAY_HTTPS, .firmware = change_mind_in_transfer, .goal = 2,
     .images = 3, .slots = 2, .present = 1, .page_buffer = true},
    {.name = "https-ranges", .way = WAY_RANGES, .firmware = update_in_pieces, .goal = 1,
     .images = 2, .slots = 2, .present = 1, .page_buffer = true},
    {.name = "https-ahead", .way = WAY_RANGES, .firmware = update_up_to_goal, .goal = 1,
     .images = 2, .slots = 2, .present = 1, .rollback = true, .used = true, .ahead = true},
    {.name = "espota-swap", .way = WAY_ESPOTA, .staged = STAGED_SWAP, .firmware = crash_once, .goal = 2, .images = 3,
     .slots = 1, .present = 1, .rollback = true, .long_story = true},
    {.name = "pull-swap", .way = WAY_PULL, .staged = STAGED_SWAP, .firmware = update_in_pieces, .goal = 1, .images = 2,
     .slots = 1, .present = 1, .used = true, .long_story = true},
    {.name = "form-copy", .way = WAY_FORM, .staged = STAGED_COPY, .firmware = hold_back, .goal = 1, .images = 2,
     .slots = 1, .present = 1, .used = true},
    {.name = "raw-data", .way = WAY_RAW, .staged = STAGED_COPY, .firmware = update_storage, .goal = 0, .images = 2,
     .slots = 1, .present = 1, .data = 1},
    {.name = "list", .way = WAY_LIST, .firmware = work_through_list, .goal = 1, .images = 3,
     .slots = 2, .present = 1, .used = true, .data = 2},
    {.name = "list-app-first", .way = WAY_LIST, .firmware = work_through_list, .goal = 1,
     .images = 3, .slots = 2, .present = 1, .used = true, .app_first = true, .data = 2},
    {.name = "list-swap", .way = WAY_LIST, .staged = STAGED_SWAP, .firmware = work_through_list, .goal = 1,
     .images = 3, .slots = 1, .present = 1, .used = true, .data = 2, .long_story = true},
    {.name = "list-copy", .way = WAY_LIST, .staged = STAGED_COPY, .firmware = work_through_list, .goal = 1,
     .images = 3, .slots = 1, .present = 1, .used = true, .app_first = true, .data = 2, .long_story = true},
};
/* clang-format on */
const size_t scenario_count = sizeof scenarios / sizeof scenarios[0];

const struct scenario *scenario_named(const char *name)
{
    for (size_t i = 0; i < scenario_count; i++) {
        if (strcmp(scenarios[i].name, name) == 0) {
            return &scenarios[i];
        }
    }
    return NULL;
}
