/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a running board: power, boot, firmware, and round again. */

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <updraft/otadata.h>
#include <updraft/slot.h>

#include "posix/board_files.h"
#include "posix/child.h"
#include "posix/runner.h"
#include "posix/stop_signals.h"

/* How often shared memory is looked at while something in it is waited for. */
#define LOOK_MS 20
/* What was waited for has come about: its last lines may still be on the way. */
#define SETTLE_MS 300

/* Why the firmware no longer runs, or could not be started. */
enum outcome {
    OUTCOME_RESTART,
    OUTCOME_CRASH,
    OUTCOME_POWER_CUT,
    OUTCOME_RETURNED,
    OUTCOME_REACHED,
    OUTCOME_STOPPED,
    OUTCOME_TIMEOUT,
    OUTCOME_NOTHING, /* is bootable */
};

struct runner {
    struct board *board;
    const struct runner_options *options;
    struct console console;
    struct child child;
    struct rom_boot boot;
    int signals;         /* descriptor */
    int first_slot;      /* that booted in this run; OTA_SLOT_NONE before */
    uint32_t first_crc;  /* of the image in it */
    uint32_t crashes;    /* in a row */
    int64_t deadline_ms; /* 0: none */
    int64_t reached_ms;  /* when what is waited for came about; 0: it has not */
};

/* Reads otadata of the board without counting it as the board's doing. */
static bool running_image_is_confirmed(const struct runner *runner)
{
    struct nor_state state = {.off = false};
    struct nor chip;
    struct ota_device device = runner->board->device;
    enum ota_image_state image_state;
    nor_init(&chip, &runner->board->nor.config, runner->board->nor.memory, NULL, &state);
    device.flash = &chip.flash;
    return ota_slot_state(&device, runner->boot.slot, &image_state) == OTA_OK &&
           image_state == OTA_STATE_VALID;
}

static bool is_reached(const struct runner *runner)
{
    switch (runner->options->until) {
    case RUNNER_CONFIRMED:
        return runner->boot.on_trial && running_image_is_confirmed(runner);
    case RUNNER_UPDATED:
        return runner->boot.slot != runner->first_slot || runner->boot.crc != runner->first_crc;
    case RUNNER_IDLE:
        return runner->board->state->idle;
    default:
        return false;
    }
}

/* How long to wait for the child's next line or its end; -1: until they come. */
static int wait_ms(const struct runner *runner)
{
    if (runner->options->until != RUNNER_FOREVER) {
        return LOOK_MS;
    }
    if (runner->deadline_ms == 0) {
        return -1;
    }
    const int64_t left = runner->deadline_ms - platform_clock_ms();
    return left > 0 ? (int)left : 0;
}

/* Takes what signals have come; returns true if one of them asks for the end. */
static bool take_signals(const struct runner *runner)
{
    struct signalfd_siginfo info;
    bool stop = false;
    while (read(runner->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        stop = stop || info.ssi_signo != SIGCHLD;
    }
    return stop;
}

/* Says how the firmware ended, if it did so badly. */
static void tell_crash(struct runner *runner, int status)
{
    const struct ota_app_descriptor *descriptor = &runner->boot.descriptor;
    if (WIFSIGNALED(status)) {
        console_line(&runner->console, OTA_LOG_ERROR, "crash", "%s %s died of signal %d (%s)",
                     runner->child.tag, descriptor->version, WTERMSIG(status),
                     strsignal(WTERMSIG(status)));
    } else {
        console_line(&runner->console, OTA_LOG_ERROR, "crash", "%s %s ended with status %d",
                     runner->child.tag, descriptor->version, WEXITSTATUS(status));
    }
}

static enum outcome outcome_of(struct runner *runner, int status)
{
    if (runner->board->state->nor.off) {
        return OUTCOME_POWER_CUT;
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        tell_crash(runner, status);
        return OUTCOME_CRASH;
    }
    return runner->board->state->restart != 0 ? OUTCOME_RESTART : OUTCOME_RETURNED;
}

/* Listens to the child until it ends, or the run does. */
static enum outcome watch(struct runner *runner)
{
    for (;;) {
        struct pollfd polls[] = {
            {.fd = runner->signals, .events = POLLIN},
            {.fd = runner->child.output, .events = POLLIN},
        };
        int status;
        poll(polls, 2, wait_ms(runner));
        if (runner->child.output >= 0) {
            child_listen(&runner->child, &runner->console);
        }
        if (take_signals(runner)) {
            return OUTCOME_STOPPED;
        }
        if (child_ended(&runner->child, &runner->console, &status)) {
            return outcome_of(runner, status);
        }
        const int64_t now = platform_clock_ms();
        if (runner->reached_ms == 0 && is_reached(runner)) {
            runner->reached_ms = now;
        }
        if (runner->reached_ms != 0 &&
            (runner->board->state->idle || now - runner->reached_ms >= SETTLE_MS)) {
            return OUTCOME_REACHED;
        }
        if (runner->deadline_ms != 0 && now >= runner->deadline_ms) {
            return OUTCOME_TIMEOUT;
        }
    }
}

/* Switches on what is off, and boots. */
static enum outcome boot(struct runner *runner)
{
    struct board *board = runner->board;
    struct board_state *state = board->state;
    if (state->boots_since_power_on == 0) {
        nor_power_up(&board->nor);
        state->reset_reason = BOARD_RESET_POWER_ON;
        runner->console.power_on_ms = platform_clock_ms();
    }
    state->boots++;
    state->boots_since_power_on++;
    state->restart = 0;
    state->idle = false;
    state->trouble[0] = '\0';
    state->running_slot = OTA_SLOT_NONE;
    rom_boot(board, &runner->console, &runner->boot);
    if (state->nor.off) {
        return OUTCOME_POWER_CUT;
    }
    if (runner->boot.err != OTA_OK) {
        return OUTCOME_NOTHING;
    }
    state->running_slot = runner->boot.slot;
    if (runner->first_slot == OTA_SLOT_NONE) {
        runner->first_slot = runner->boot.slot;
        runner->first_crc = runner->boot.crc;
    }
    return OUTCOME_RETURNED;
}

static enum outcome run_firmware(struct runner *runner)
{
    const char *reason = NULL;
    const struct child_options options = {
        .pull_url = runner->options->pull_url,
        .ways = runner->options->ways,
        .keeps_input = runner->options->keeps_input,
    };
    if (!child_start(&runner->child, runner->board, &runner->boot, &options, &reason)) {
        console_line(&runner->console, OTA_LOG_ERROR, "crash", "%s", reason);
        return OUTCOME_CRASH;
    }
    const enum outcome outcome = watch(runner);
    child_stop(&runner->child, &runner->console);
    return outcome;
}

static void tell_power_cut(struct runner *runner)
{
    const struct nor_damage *damage = &runner->board->state->nor.damage;
    char text[160];
    nor_damage_text(damage, text, sizeof text);
    cJSON *facts = cJSON_CreateObject();
    cJSON_AddNumberToObject(facts, "operation", damage->number);
    cJSON_AddStringToObject(facts, "kind",
                            damage->operation.kind == NOR_ERASE ? "erase" : "program");
    cJSON_AddStringToObject(facts, "how", nor_cut_name(damage->how));
    cJSON_AddNumberToObject(facts, "offset", damage->operation.offset);
    cJSON_AddNumberToObject(facts, "size", damage->operation.len);
    if (damage->operation.kind == NOR_PROGRAM) {
        cJSON_AddNumberToObject(facts, "written", damage->written);
        cJSON_AddNumberToObject(facts, "half", damage->half);
    }
    console_event(&runner->console, "power-cut", facts,
                  "power cut in flash operation %" PRIu32 " (%s)", damage->number, text);
}

static void note_restart(struct board_state *state)
{
    static const enum board_reset_reason reasons[] = {
        [OTA_RESTART_UPDATE] = BOARD_RESET_UPDATE,
        [OTA_RESTART_REJECTED] = BOARD_RESET_REJECTED,
        [OTA_RESTART_REQUESTED] = BOARD_RESET_REQUESTED,
    };
    state->reset_reason =
        state->restart <= OTA_RESTART_REQUESTED ? reasons[state->restart] : BOARD_RESET_REQUESTED;
}

/* Prepares the next boot after `outcome`; returns false if there is to be none. */
static bool go_on(struct runner *runner, enum outcome outcome)
{
    const uint32_t limit =
        runner->options->crash_limit != 0 ? runner->options->crash_limit : RUNNER_CRASH_LIMIT;
    runner->crashes = outcome == OUTCOME_CRASH ? runner->crashes + 1 : 0;
    switch (outcome) {
    case OUTCOME_RESTART:
        note_restart(runner->board->state);
        return true;
    case OUTCOME_CRASH:
        runner->board->state->reset_reason = BOARD_RESET_PANIC;
        return runner->crashes < limit;
    case OUTCOME_POWER_CUT:
        tell_power_cut(runner);
        board_forget_power(runner->board);
        return true;
    default:
        return false;
    }
}

/* Says how the run ended; returns whether it did so as it should. */
static bool conclude(const struct runner *runner, enum outcome outcome)
{
    static const char *const wanted[] = {
        [RUNNER_FOREVER] = "",
        [RUNNER_CONFIRMED] = "an image on trial was confirmed",
        [RUNNER_UPDATED] = "another image ran",
        [RUNNER_IDLE] = "the firmware was idle",
    };
    struct board *board = runner->board;
    const enum runner_until until = runner->options->until;
    switch (outcome) {
    case OUTCOME_REACHED:
        return until != RUNNER_IDLE || board->state->trouble[0] == '\0' ||
               board_fail(board, "%s: %s", board->settings.name, board->state->trouble);
    case OUTCOME_NOTHING:
        return board_fail(board,
                          "%s: nothing is bootable, so the board has stopped; `updraft "
                          "board info` shows what is in its slots",
                          board->settings.name);
    case OUTCOME_CRASH:
        return board_fail(board,
                          "%s: %s %s crashed %" PRIu32 " times in a row, so the board was "
                          "stopped",
                          board->settings.name, runner->child.tag, runner->boot.descriptor.version,
                          runner->crashes);
    case OUTCOME_TIMEOUT:
        return until == RUNNER_FOREVER || board_fail(board, "%s: the time was over before %s",
                                                     board->settings.name, wanted[until]);
    default:
        return until == RUNNER_FOREVER ||
               board_fail(board, "%s: the firmware %s before %s", board->settings.name,
                          outcome == OUTCOME_STOPPED ? "was stopped" : "came to its end",
                          wanted[until]);
    }
}

/* Round and round; returns how it ended. */
static enum outcome live(struct runner *runner)
{
    enum outcome outcome;
    do {
        outcome = boot(runner);
        if (outcome == OUTCOME_RETURNED) {
            outcome = run_firmware(runner);
        }
    } while (go_on(runner, outcome));
    return outcome;
}

bool runner_run(struct board *board, const struct runner_options *options)
{
    struct runner runner = {
        .board = board,
        .options = options,
        .console = {.out = options->out,
                    .name = board->settings.name,
                    .quiet = options->quiet,
                    .json = options->json,
                    .live = isatty(fileno(options->out)) == 1,
                    .power_on_ms = platform_clock_ms()},
        .child = {.process = -1, .output = -1},
        .first_slot = OTA_SLOT_NONE,
    };
    sigset_t signals;
    sigset_t before;
    stop_signals(&signals);
    sigaddset(&signals, SIGCHLD);
    sigprocmask(SIG_BLOCK, &signals, &before);
    runner.signals = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    if (options->timeout_ms != 0) {
        runner.deadline_ms = platform_clock_ms() + options->timeout_ms;
    }
    board->state->real_time = options->real_time;
    memset(board->state->ports, 0, sizeof board->state->ports);
    board->state->input_was_read = false;
    board->state->input_item = 0;
    board->nor.config.real_time = options->real_time;
    board->state->reset_reason = BOARD_RESET_EXTERNAL;
    nor_cut_at(&board->nor, options->cut_at, options->cut_how, options->cut_seed);
    const bool good = conclude(&runner, live(&runner));
    nor_cut_at(&board->nor, 0, NOR_CUT_NONE, 0);
    close(runner.signals);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return good;
}
