/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a cut leaves is the flash and the memo, so the way to the cut need not be run again for each
 * way of failing: the story is recorded once, mutation by mutation; then a second chip goes through
 * the mutations one by one, and at each the chip is copied, cut, and recovered.
 */
#include "power/explore.h"

#include <stdlib.h>
#include <string.h>

#include "support/images.h"

/* Plans as text. */

const char *plan_text(const struct plan *plan, char text[PLAN_TEXT_SIZE])
{
    size_t len = 0;

    snprintf(text, PLAN_TEXT_SIZE, "none");
    for (unsigned i = 0; i < plan->count; i++) {
        const struct cut *cut = &plan->cut[i];
        len += (size_t)snprintf(text + len, PLAN_TEXT_SIZE - len, "%s%u%s.%u", i > 0 ? "+" : "",
                                cut->number, nor_cut_name(cut->how), cut->variation);
    }
    return text;
}

static bool parse_number(unsigned *number, const char **text)
{
    char *end;
    unsigned long value = strtoul(*text, &end, 10);

    if (end == *text || **text < '0' || **text > '9' || value > UINT32_MAX) {
        return false;
    }
    *number = (unsigned)value;
    *text = end;
    return true;
}

static bool parse_way(enum nor_cut *how, const char **text)
{
    char name[16] = "";
    size_t len = strcspn(*text, ".");

    if ((*text)[len] != '.' || len >= sizeof name) {
        return false;
    }
    memcpy(name, *text, len);
    *text += len + 1;
    *how = nor_cut_from_name(name);
    return *how != NOR_CUT_NONE;
}

static bool parse_cut(struct cut *cut, const char **text)
{
    return parse_number(&cut->number, text) && cut->number > 0 && parse_way(&cut->how, text) &&
           parse_number(&cut->variation, text);
}

bool plan_parse(struct plan *plan, const char *text)
{
    plan->count = 0;
    if (strcmp(text, "none") == 0) {
        return true;
    }
    while (plan->count < CUTS_MAX && parse_cut(&plan->cut[plan->count], &text)) {
        plan->count++;
        if (*text == '\0') {
            return true;
        }
        if (*text++ != '+') {
            return false;
        }
    }
    return false;
}

static uint64_t cut_seed(const struct explorer *explorer, const struct cut *cut)
{
    return noise(explorer->seed + cut->number, cut->variation) * UINT64_C(0x9E3779B97F4A7C15);
}

/* A plan from its beginning. */

static bool run_stage(struct explorer *explorer, const struct plan *plan, unsigned stage, bool *met)
{
    struct board *board = explorer->board;

    if (stage < plan->count) {
        const struct cut *cut = &plan->cut[stage];
        nor_cut_at(&board->nor, cut->number, cut->how, cut_seed(explorer, cut));
    }
    if (setjmp(board->power_lost) != 0) {
        char text[128];
        board_trace(board, "power fails: %s",
                    nor_damage_text(&board->now.state.damage, text, sizeof text));
        return true;
    }
    *met = stage == 0 ? board_run(board) : board_recover(board);
    return false;
}

bool explore_plan(struct explorer *explorer, const struct plan *plan, unsigned *struck)
{
    struct board *board = explorer->board;
    bool met = false;

    board_load(board, &board->initial);
    board->operations = 0;
    *struck = 0;
    while (run_stage(explorer, plan, *struck, &met)) {
        ++*struck;
    }
    nor_cut_at(&board->nor, 0, NOR_CUT_NONE, 0);
    return met;
}

/* Recording. */

struct mutation {
    struct nor_operation operation;
    struct memo memo; /* when it began */
    size_t after;     /* in the recording's bytes: what the place held afterwards */
};

struct recording {
    const struct board *board;
    struct mutation *mutation;
    size_t count, room;
    uint8_t *bytes;
    size_t used, size;
};

static void *grow(void *memory, size_t *room, size_t needed, size_t item)
{
    if (needed <= *room) {
        return memory;
    }
    *room = needed * 2;
    memory = realloc(memory, *room * item);
    if (memory == NULL) {
        fputs("updraft-power: there is no memory left\n", stderr);
        exit(1);
    }
    return memory;
}

static void keep_outcome(struct recording *recording)
{
    if (recording->count > 0) {
        struct mutation *last = &recording->mutation[recording->count - 1];
        uint32_t len = last->operation.len;
        recording->bytes = grow(recording->bytes, &recording->size, recording->used + len, 1);
        last->after = recording->used;
        memcpy(recording->bytes + last->after,
               recording->board->now.memory + last->operation.offset, len);
        recording->used += len;
    }
}

static void record(void *context, const struct nor_operation *operation)
{
    struct recording *recording = context;

    keep_outcome(recording);
    recording->mutation = grow(recording->mutation, &recording->room, recording->count + 1,
                               sizeof *recording->mutation);
    recording->mutation[recording->count++] =
        (struct mutation){.operation = *operation, .memo = recording->board->now.memo};
}

/* Runs (or recovers) from where the board is, without a cut, and records it. */
static bool run_recorded(struct board *board, bool recover, struct recording *recording)
{
    bool met;

    *recording = (struct recording){.board = board};
    board->on_operation = record;
    board->context = recording;
    met = recover ? board_recover(board) : board_run(board);
    board->on_operation = NULL;
    keep_outcome(recording);
    return met;
}

static void recording_free(struct recording *recording)
{
    free(recording->mutation);
    free(recording->bytes);
}

/* Every mutation, every way. */

static bool perform(struct nor *nor, const struct mutation *mutation, const uint8_t *bytes)
{
    const struct nor_operation *operation = &mutation->operation;
    struct ota_flash *flash = &nor->flash;

    if (operation->kind == NOR_ERASE) {
        return flash->erase(flash, operation->offset, operation->len) == OTA_OK;
    }
    return flash->write(flash, operation->offset, bytes + mutation->after, operation->len) ==
           OTA_OK;
}

/* Cuts the power in a mutation on the board's chip. */
static void cut_power(struct explorer *explorer, const struct cut *cut,
                      const struct mutation *mutation, const uint8_t *bytes)
{
    struct board *board = explorer->board;

    nor_cut_at(&board->nor, 1, cut->how, cut_seed(explorer, cut));
    if (setjmp(board->power_lost) == 0) {
        (void)perform(&board->nor, mutation, bytes);
        fputs("updraft-power: a cut did not happen\n", stderr);
        abort();
    }
}

static unsigned variations(enum nor_cut how, enum nor_operation_kind kind,
                           const struct effort *effort)
{
    switch (how) {
    case NOR_CUT_TORN:
        return effort->torn;
    case NOR_CUT_NEARLY:
        return effort->nearly;
    case NOR_CUT_WEAK: /* of an erase only: a program fails as with TORN */
        return kind == NOR_ERASE ? effort->weak : 0;
    case NOR_CUT_WEAK_LATER:
        return kind == NOR_ERASE ? effort->weak_later : 0;
    default:
        return 1;
    }
}

static const struct effort one_each = {1, 1, 1, 1, 0, 0};

static bool explore_from(struct explorer *explorer, struct plan *plan, unsigned depth,
                         const struct effort *effort);

/* Of the story's own cuts only every stride-th is made; of those in a recovery, all. */
static bool is_skipped(struct explorer *explorer, const struct plan *plan)
{
    if (plan->count > 0 || ++explorer->skipped >= explorer->stride) {
        explorer->skipped = plan->count > 0 ? explorer->skipped : 0;
        return false;
    }
    return true;
}

/* The least that a mutation has. */
static unsigned cuts_of_program(const struct effort *effort)
{
    unsigned cuts = 0;

    for (enum nor_cut how = NOR_CUT_BEFORE; how < NOR_CUT_COUNT; how++) {
        cuts += variations(how, NOR_PROGRAM, effort);
    }
    return cuts;
}

static unsigned stride_for(const struct recording *recording, const struct effort *effort)
{
    unsigned cuts = 0;

    for (size_t i = 0; i < recording->count; i++) {
        for (enum nor_cut how = NOR_CUT_BEFORE; how < NOR_CUT_COUNT; how++) {
            cuts += variations(how, recording->mutation[i].operation.kind, effort);
        }
    }
    const unsigned longest = effort->gap * cuts_of_program(effort);
    const unsigned stride = effort->most == 0 ? 1 : (cuts + effort->most - 1) / effort->most;
    return longest > 0 && stride > longest ? longest : stride;
}

/* One cut: what it leaves is recovered, and perhaps cut again. */
static bool explore_cut(struct explorer *explorer, struct plan *plan, unsigned depth,
                        const struct mutation *mutation, const uint8_t *bytes,
                        const struct point *before)
{
    struct board *board = explorer->board;

    board_load(board, before);
    board->now.memo = mutation->memo;
    cut_power(explorer, &plan->cut[plan->count], mutation, bytes);
    plan->count++;
    bool go_on = depth > 1 ? explore_from(explorer, plan, depth - 1, &one_each)
                           : explorer->report(explorer->context, board, plan, board_recover(board));
    plan->count--;
    return go_on;
}

static bool explore_mutation(struct explorer *explorer, struct plan *plan, unsigned depth,
                             const struct effort *effort, const struct mutation *mutation,
                             const uint8_t *bytes, const struct point *before)
{
    struct cut *cut = &plan->cut[plan->count];

    for (cut->how = NOR_CUT_BEFORE; cut->how < NOR_CUT_COUNT; cut->how++) {
        unsigned count = variations(cut->how, mutation->operation.kind, effort);
        for (cut->variation = 0; cut->variation < count; cut->variation++) {
            if (!is_skipped(explorer, plan) &&
                !explore_cut(explorer, plan, depth, mutation, bytes, before)) {
                return false;
            }
        }
    }
    return true;
}

/* Makes the chip `nor` of `point`, without anything that listens. */
static void chip_of_point(struct nor *nor, const struct board *board, struct point *point)
{
    struct nor_config config = board->nor.config;

    config.on_operation = NULL;
    config.power_lost = NULL;
    (void)nor_init(nor, &config, point->memory, NULL, &point->state);
}

/* Records what follows the board's present point (its beginning, or a cut), then goes through
   it. */
static bool explore_from(struct explorer *explorer, struct plan *plan, unsigned depth,
                         const struct effort *effort)
{
    struct board *board = explorer->board;
    struct recording recording;
    struct point point;
    struct nor nor;

    point_init(&point, board);
    board_save(board, &point);
    chip_of_point(&nor, board, &point);
    bool met = run_recorded(board, plan->count > 0, &recording);
    bool go_on = explorer->report(explorer->context, board, plan, met);
    if (plan->count > 0) {
        nor_power_up(&nor);
    } else {
        explorer->stride = stride_for(&recording, effort);
        explorer->skipped = 0;
    }
    for (size_t i = 0; i < recording.count && met && go_on; i++) {
        const struct mutation *mutation = &recording.mutation[i];
        plan->cut[plan->count].number = (unsigned)i + 1;
        go_on = explore_mutation(explorer, plan, depth, effort, mutation, recording.bytes, &point);
        if (!perform(&nor, mutation, recording.bytes)) {
            fputs("updraft-power: a recorded mutation cannot be done again\n", stderr);
            abort();
        }
    }
    recording_free(&recording);
    point_free(&point);
    return go_on;
}

void explore_all(struct explorer *explorer, unsigned depth, struct effort effort)
{
    struct plan plan = {.count = 0};

    board_load(explorer->board, &explorer->board->initial);
    (void)explore_from(explorer, &plan, depth, &effort);
}

/* At random. */

static unsigned count_mutations(struct explorer *explorer)
{
    struct board *board = explorer->board;

    board_load(board, &board->initial);
    board->operations = 0;
    (void)board_run(board);
    return board->operations;
}

static struct cut random_cut(unsigned mutations, uint64_t seed, uint64_t n)
{
    static const enum nor_cut ways[] = {NOR_CUT_BEFORE,     NOR_CUT_TORN, NOR_CUT_TORN,
                                        NOR_CUT_NEARLY,     NOR_CUT_WEAK, NOR_CUT_WEAK_LATER,
                                        NOR_CUT_WEAK_LATER, NOR_CUT_AFTER};
    const uint32_t reach = noise(seed, 4 * n) % 2 == 0 ? mutations : mutations / 8 + 1;

    return (struct cut){
        .number = noise(seed, 4 * n + 1) % reach + 1,
        .how = ways[noise(seed, 4 * n + 2) % (sizeof ways / sizeof ways[0])],
        .variation = noise(seed, 4 * n + 3) % 1000000,
    };
}

void explore_random(struct explorer *explorer, unsigned runs, uint64_t seed)
{
    const unsigned mutations = count_mutations(explorer);
    bool go_on = true;

    for (unsigned i = 0; i < runs && go_on && mutations > 0; i++) {
        struct plan plan = {.count = 2 + noise(seed, i) % 2};
        for (unsigned j = 0; j < plan.count; j++) {
            plan.cut[j] = random_cut(mutations, seed + 1, i * CUTS_MAX + j);
        }
        unsigned struck;
        bool met = explore_plan(explorer, &plan, &struck);
        plan.count = struck;
        go_on = explorer->report(explorer->context, explorer->board, &plan, met);
    }
}
