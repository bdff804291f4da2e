/* SPDX-License-Identifier: Apache-2.0 */
#include "power/ways.h"

#include <string.h>

#include "power/transfer.h"

struct way_facts {
    const char *name;
    transfer_fn *carry;
    bool resumes; /* a transfer whose connection broke goes on where it came to */
};

static const struct way_facts ways[WAY_COUNT] = {
    [WAY_CALLS] = {"calls", NULL, true},
    [WAY_ESPOTA] = {"espota", transfer_by_espota, false},
    [WAY_ESPHOME] = {"esphome", transfer_by_esphome, false},
    [WAY_FORM] = {"form", transfer_by_form, false},
    [WAY_RAW] = {"raw", transfer_by_raw, false},
    [WAY_PULL] = {"pull", transfer_by_pull, true},
    [WAY_HTTPS] = {"https", transfer_by_https, true},
    [WAY_RANGES] = {"https by ranges", transfer_by_ranges, true},
    [WAY_LIST] = {"list", transfer_by_list, false},
};

const char *way_name(enum way way)
{
    return ways[way].name;
}

/* ---- The gate, and what is demanded at it ---------------------------------------------------- */

static int image_of(const struct transfer *transfer, bool is_data)
{
    return is_data ? transfer->data : transfer->image;
}

static void demand_untouched(const struct transfer *transfer, const char *when)
{
    if (transfer->board->operations != transfer->operations) {
        (void)board_fail(transfer->board, "the flash has changed %s", when);
    }
}

static enum ota_err on_described(struct transfer *transfer,
                                 const struct ota_gate_question *question)
{
    demand_untouched(transfer, "before the gate knew what comes");
    if (!question->is_data &&
        (question->incoming == NULL || question->incoming->version[0] != '0' + transfer->image)) {
        (void)board_fail(transfer->board, "the gate is told of another image than was sent");
    }
    return transfer->refuses ? OTA_ERR_REFUSED : OTA_OK;
}

static enum ota_err on_activate(struct transfer *transfer, const struct ota_gate_question *question)
{
    struct board *board = transfer->board;
    const int image = image_of(transfer, question->is_data);

    if (!firmware_holds(board, &transfer->intake.update, image)) {
        return OTA_ERR_REFUSED;
    }
    if (transfer->holds) {
        return OTA_ERR_HELD;
    }
    if (!question->is_data) {
        firmware_announce(board, image);
    }
    return OTA_OK;
}

static enum ota_err decide(void *context, const struct ota_gate_question *question,
                           struct ota_gate_answer *answer)
{
    struct transfer *transfer = context;

    (void)answer;
    switch (question->stage) {
    case OTA_GATE_BEGIN:
        transfer->operations = transfer->board->operations;
        return OTA_OK;
    case OTA_GATE_DESCRIBED:
        return on_described(transfer, question);
    default:
        return on_activate(transfer, question);
    }
}

static void on_intake(void *context, const struct ota_intake *intake, enum ota_intake_event event)
{
    static const char *const words[] = {"started", "refused", "failed",
                                        "proven",  "held",    "activated"};
    struct transfer *transfer = context;

    board_trace(transfer->board, "        %-7s %s: %s", way_name(transfer->board->scenario->way),
                words[event], ota_err_name(intake->failure.err));
    if (event == OTA_INTAKE_ACTIVATED && !intake->arrival.is_data) {
        (void)firmware_acknowledge(transfer->board, STEP_DONE, transfer->image);
    }
}

/* ---- What the drivers tell ------------------------------------------------------------------- */

const struct board_image *transfer_sent(const struct transfer *transfer)
{
    return &transfer->board->images[transfer->sent];
}

uint32_t transfer_end(const struct transfer *transfer)
{
    const uint32_t size = transfer_sent(transfer)->size;

    return transfer->limit < size ? transfer->limit : size;
}

void transfer_hear(struct transfer *transfer, const void *data, size_t len)
{
    const size_t room = sizeof transfer->heard - 1 - transfer->heard_len;

    len = len < room ? len : room;
    memcpy(transfer->heard + transfer->heard_len, data, len);
    transfer->heard_len += len;
    transfer->heard[transfer->heard_len] = '\0';
}

bool transfer_heard(const struct transfer *transfer, const char *text)
{
    return strstr(transfer->heard, text) != NULL;
}

void transfer_told(struct transfer *transfer)
{
    if (transfer->intake.accepted == 0 && transfer->intake.state != OTA_INTAKE_HELD) {
        (void)board_fail(transfer->board,
                         "the peer is told that all is well, and nothing is activated");
    }
}

void transfer_asked(struct transfer *transfer, uint32_t offset)
{
    (void)firmware_resumed(transfer->board, transfer->sent, offset);
}

void transfer_is_all(struct transfer *transfer)
{
    transfer->board->now.memo.suspended = 0;
}

enum ota_err transfer_failure(const struct transfer *transfer)
{
    const enum ota_err err = transfer->intake.failure.err;

    return err != OTA_OK ? err : OTA_ERR_PROTOCOL;
}

/* ---- A transfer ------------------------------------------------------------------------------ */

/* The device's end and the peer's: one at a time, begun anew for each transfer. */
static struct transfer the_transfer;

static struct transfer *begin(struct board *board, int image)
{
    struct transfer *transfer = &the_transfer;
    const unsigned data = board->scenario->data;

    memset(transfer, 0, sizeof *transfer);
    transfer->board = board;
    transfer->sent = image;
    transfer->image = image == (int)data ? -1 : image;
    transfer->data = data != 0 ? (int)data : -1;
    transfer->limit = FIRMWARE_ALL;
    transfer->gate = (struct ota_gate_hook)OTA_GATE_HOOK(NULL, decide, transfer);

    const struct ota_intake_options options = {
        .device = &board->device,
        .buffer = board->buffer,
        .buffer_size = board->buffer_size,
        .gates = &transfer->gate.gate,
        .on_event = on_intake,
        .context = transfer,
    };
    (void)firmware_check(board, "ota_intake_init", ota_intake_init(&transfer->intake, &options));
    firmware_attempt(board, image);
    return transfer;
}

/* Whoever came is gone: the door is free for the next. */
static void demand_free(struct transfer *transfer)
{
    if (transfer->intake.state != OTA_INTAKE_FREE) {
        (void)board_fail(transfer->board, "the intake is still taken when the peer is gone");
    }
}

enum step way_update(struct board *board, int image, uint32_t limit)
{
    const struct way_facts *way = &ways[board->scenario->way];
    struct transfer *transfer = begin(board, image);

    transfer->limit = limit;
    enum ota_err err = way->carry(transfer);
    demand_free(transfer);
    board->now.memo.suspended = 0;
    if (transfer->is_broken && err != OTA_OK) {
        board_trace(board, "        %-7s the connection breaks: %s", way->name, ota_err_name(err));
        if (way->resumes && firmware_keeps_checkpoints(board)) {
            board->now.memo.suspended = limit;
        }
        return STEP_SUSPENDED;
    }
    if (err == OTA_OK) {
        transfer_told(transfer);
    }
    return firmware_check(board, way->name, err);
}

enum step way_refuse(struct board *board, int image)
{
    const struct way_facts *way = &ways[board->scenario->way];
    struct transfer *transfer = begin(board, image);
    const unsigned operations = board->operations;

    transfer->refuses = true;
    enum ota_err err = way->carry(transfer);
    demand_free(transfer);
    if (err != OTA_ERR_REFUSED) {
        (void)board_fail(board, "what the gate refuses ends with %s", ota_err_name(err));
    }
    transfer->operations = operations;
    demand_untouched(transfer, "for an update that was refused");
    return STEP_DONE;
}

/* While it is held nobody else gets in. */
static void turn_away(struct transfer *transfer)
{
    const struct ota_arrival other = {.way = "other", .size = 1000};

    transfer->operations = transfer->board->operations;
    if (ota_intake_begin(&transfer->intake, &other) != OTA_ERR_BUSY) {
        (void)board_fail(transfer->board, "somebody is let in while an update is held");
    }
    (void)ota_intake_poll(&transfer->intake);
    demand_untouched(transfer, "while the update is held");
}

enum step way_hold(struct board *board, int image, bool opens)
{
    const struct way_facts *way = &ways[board->scenario->way];
    struct transfer *transfer = begin(board, image);

    transfer->holds = true;
    enum step step = firmware_check(board, way->name, way->carry(transfer));
    if (step != STEP_DONE) {
        return step;
    }
    if (transfer->intake.state != OTA_INTAKE_HELD) {
        (void)board_fail(board, "what the gate holds is not held");
    }
    if (opens) {
        turn_away(transfer);
        transfer->holds = false;
        (void)ota_intake_poll(&transfer->intake);
        step = firmware_check(board, "ota_intake_poll", transfer->intake.failure.err);
        demand_free(transfer);
    }
    return step;
}
