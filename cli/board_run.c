/* SPDX-License-Identifier: Apache-2.0 */
/* `updraft board run DIR`: switches a virtual board on and shows its serial monitor. */

#include "cli/commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/board_ways.h"
#include "cli/output.h"
#include "posix/board.h"
#include "posix/runner.h"
#include "proto/url.h"

static const struct {
    const char *name;
    enum runner_until until;
} ends[] = {
    {"confirmed", RUNNER_CONFIRMED},
    {"updated", RUNNER_UPDATED},
    {"idle", RUNNER_IDLE},
};

static int read_until(const struct command_call *call, struct runner_options *run)
{
    const char *word = command_value(call, "until");
    for (size_t i = 0; word != NULL && i < sizeof ends / sizeof *ends; i++) {
        if (strcmp(word, ends[i].name) == 0) {
            run->until = ends[i].until;
            return COMMAND_GOOD;
        }
    }
    return word == NULL ? COMMAND_GOOD
                        : command_usage(call, "--until %s: write confirmed, updated or idle", word);
}

static int read_cut(const struct command_call *call, struct runner_options *run)
{
    const char *how = command_value(call, "cut");
    uint64_t number = 0;
    if (!command_number(call, "power-cut-at", 1, UINT32_MAX, &number) ||
        !command_number(call, "seed", 0, UINT64_MAX, &run->cut_seed)) {
        return COMMAND_USAGE;
    }
    run->cut_at = (uint32_t)number;
    run->cut_how = command_flag(call, "torn") ? NOR_CUT_TORN : NOR_CUT_BEFORE;
    if (how != NULL) {
        run->cut_how = nor_cut_from_name(how);
    }
    if (run->cut_how == NOR_CUT_NONE) {
        return command_usage(
            call, "--cut %s: write before, torn, nearly, weak, weak-later or after", how);
    }
    if (number == 0 && (how != NULL || command_flag(call, "torn"))) {
        return command_usage(call,
                             "--%s says how, and --power-cut-at which operation: both are "
                             "needed",
                             how != NULL ? "cut" : "torn");
    }
    return COMMAND_GOOD;
}

static int read_options(const struct command_call *call, struct runner_options *run)
{
    uint64_t seconds = 0;
    uint64_t crashes = RUNNER_CRASH_LIMIT;
    *run = (struct runner_options){
        .out = stdout,
        .quiet = command_flag(call, "quiet"),
        .json = command_flag(call, "json"),
        .real_time = command_flag(call, "real-time"),
        .pull_url = command_value(call, "pull"),
    };
    if (!command_number(call, "timeout", 1, 4000000, &seconds) ||
        !command_number(call, "crash-limit", 1, UINT32_MAX, &crashes)) {
        return COMMAND_USAGE;
    }
    struct ota__url url;
    if (run->pull_url != NULL && ota__url_parse(&url, run->pull_url) != OTA_OK) {
        return command_usage(call, "--pull takes http[s]://HOST[:PORT]/PATH, not \"%s\"",
                             run->pull_url);
    }
    run->timeout_ms = (uint32_t)seconds * 1000;
    run->crash_limit = (uint32_t)crashes;
    const int status = read_cut(call, run);
    return status == COMMAND_GOOD ? read_until(call, run) : status;
}

/* A rehearsal of a power cut that never came must not pass for one. */
static void warn_of_cut_to_come(const struct runner_options *options, uint64_t operations)
{
    if (options->cut_at > operations) {
        warn("power was not cut: the run had %" PRIu64
             " flash operations, and --power-cut-at asks for number %" PRIu32,
             operations, options->cut_at);
    }
}

/* The reason to hold updates, which may be one of `board hold` from before. */
static void set_hold(const struct command_call *call, struct board_state *state)
{
    const char *reason = command_value(call, "hold");
    if (reason != NULL) {
        snprintf(state->hold, sizeof state->hold, "%s", reason);
    }
}

static int run_board(const struct command_call *call, const struct runner_options *options)
{
    static struct board board;
    int status = COMMAND_GOOD;
    if (!board_open(&board, command_argument(call, 0), BOARD_RUN)) {
        status = fail("%s", board.error);
    } else {
        const uint64_t before = board.nor.state->statistics.operations;
        set_hold(call, board.state);
        if (!runner_run(&board, options)) {
            status = fail("%s", board.error);
        }
        warn_of_cut_to_come(options, board.nor.state->statistics.operations - before);
    }
    board_close(&board);
    return status;
}

static int run(const struct command_call *call)
{
    struct runner_options options;
    struct ways ways;
    const char *hold = command_value(call, "hold");
    if (hold != NULL && hold[0] == '\0') {
        return command_usage(call, "--hold takes a reason; \"updraft board release\" ends a hold");
    }
    int status = read_options(call, &options);
    if (status == COMMAND_GOOD) {
        status = board_ways_read(call, &ways);
    }
    if (status != COMMAND_GOOD) {
        return status;
    }
    char *text = ways_write(&ways);
    options.ways = text;
    /* A list may name stdin:. A terminal is left to whoever started this. */
    options.keeps_input = ways.upgrade_list != NULL && isatty(STDIN_FILENO) == 0;
    status = run_board(call, &options);
    free(text);
    ways_free(&ways);
    return status;
}

static const struct command_option options[] = {
    {"pull", 0, "URL", "a server that the firmware asks for updates, again and again"},
    BOARD_WAYS_OPTIONS,
    {"until", 'u', "WHAT",
     "stop when an image on trial is confirmed, when another image runs (updated), or when the "
     "firmware is idle"},
    {"timeout", 't', "SECONDS", "stop after this time; with --until this is a failure"},
    {"power-cut-at", 0, "N", "let power fail at the N-th flash operation of this run"},
    {"torn", 0, NULL, "let it fail in the middle of that operation, leaving half-done bits"},
    {"cut", 0, "HOW", "in another way: before (default), torn, nearly, weak, weak-later or after"},
    {"seed", 0, "NUMBER", "draw the details of the cut from this number (default 0)"},
    {"crash-limit", 0, "N", "stop after so many crashes in a row (default 10)"},
    {"real-time", 0, NULL, "make the flash as slow as a real chip"},
    {"quiet", 'q', NULL, "do not show what the board says"},
    COMMAND_OPTION_JSON,
    {0},
};

static const char *const examples[] = {
    "updraft board run porch",
    "# until it has updated itself and kept the update",
    "updraft board run porch --pull http://127.0.0.1:8266/ --until confirmed --timeout 60",
    "# and what if the power fails just then?",
    "updraft board run porch --pull http://127.0.0.1:8266/ --power-cut-at 137 --torn",
    "# once, from an image on any web server: here one with a certificate of its own",
    "updraft board run porch --update https://127.0.0.1:8070/blinky.bin --ca ca_cert.pem",
    "# open to the Arduino IDE, to ESPHome and to a browser",
    "updraft board run porch --espota 0 --esphome 0 --http 8080 --password-file secret.txt",
    "# work through a list: sounds from the memory card, then the app",
    "updraft board run porch --upgrade-list list.json --until updated --timeout 60",
    NULL,
};

const struct command command_board_run = {
    .noun = "board",
    .verb = "run",
    .summary = "Run a virtual board",
    .synopsis = "DIR",
    .description =
        "Boots the board with the real bootloader code and runs what that chooses, showing what "
        "the board says. On a board of the chip `host` the program inside the image runs; on the "
        "others a stand-in, which reports the image's descriptor, pulls updates with --pull, and "
        "confirms an image on trial.\n"
        "\n" BOARD_WAYS_HELP "\n"
        "\n"
        "A crash of the firmware is a reset, so that an image on trial is taken back; after "
        "--crash-limit crashes in a row the run ends. A power cut loses what memory retains over "
        "resets; power comes back at once, and the board boots.\n"
        "\n"
        "The run ends when the firmware has nothing more to do, by Ctrl-C, or as --until and "
        "--timeout say. Its status is 1 if nothing is bootable, after too many crashes, if what "
        "--until waits for did not come about, or with --until idle if an update failed that the "
        "board was to fetch.\n"
        "\n"
        "--power-cut-at takes the power away once, at a program or an erase of the flash; --cut "
        "says how far that had come:\n"
        "  before      not begun\n"
        "  torn        in the middle; of the rest, some bits are changed at random\n"
        "  nearly      all but one to three bits\n"
        "  weak        as torn, or an erase whose bits do not last until power is back\n"
        "  weak-later  as nearly, or an erase whose bits do not last much longer than that\n"
        "  after       complete",
    .options = options,
    .examples = examples,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
