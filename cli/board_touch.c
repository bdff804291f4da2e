/* SPDX-License-Identifier: Apache-2.0 */
/* `updraft board press`, `hold` and `release`: what people do to a board while it runs. */

#include "cli/commands.h"

#include <string.h>

#include "cli/output.h"
#include "posix/board.h"
#include "posix/platform.h"

#define REASON_DEFAULT "somebody asked to wait"

/* Opens the board that the call names, does something to its state, and closes it. */
static int touch(const struct command_call *call,
                 void (*act)(struct board_state *state, const struct command_call *call))
{
    static struct board board;
    int status = COMMAND_GOOD;
    if (board_open(&board, command_argument(call, 0), BOARD_TOUCH)) {
        act(board.state, call);
    } else {
        status = fail("%s", board.error);
    }
    board_close(&board);
    return status;
}

static void press(struct board_state *state, const struct command_call *call)
{
    (void)call;
    state->pressed_ms = platform_clock_ms();
}

static void hold(struct board_state *state, const struct command_call *call)
{
    const char *reason = command_count(call) > 1 ? command_argument(call, 1) : REASON_DEFAULT;
    /* The first byte comes last: whoever looks meanwhile sees no hold, and never half a reason. */
    state->hold[0] = '\0';
    strncpy(state->hold + 1, reason + 1, sizeof state->hold - 2);
    state->hold[sizeof state->hold - 1] = '\0';
    state->hold[0] = reason[0];
}

static void release(struct board_state *state, const struct command_call *call)
{
    (void)call;
    state->hold[0] = '\0';
}

static int run_press(const struct command_call *call)
{
    return touch(call, press);
}

static int run_hold(const struct command_call *call)
{
    const char *reason = command_argument(call, 1);
    if (reason != NULL && reason[0] == '\0') {
        return command_usage(call, "REASON is empty; \"updraft board release\" ends a hold");
    }
    return touch(call, hold);
}

static int run_release(const struct command_call *call)
{
    return touch(call, release);
}

static const char *const press_examples[] = {
    "updraft board run porch --espota 0 --armed 60",
    "# in another terminal, when the 60 s are over",
    "updraft board press porch",
    NULL,
};

const struct command command_board_press = {
    .noun = "board",
    .verb = "press",
    .summary = "Press a virtual board's button",
    .synopsis = "DIR",
    .description = "Presses the button of a board that was started with `board run --armed "
                   "SECONDS`: it takes updates for so long from now on.",
    .examples = press_examples,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_press,
};

static const char *const hold_examples[] = {
    "updraft board hold porch \"the battery is low\"",
    "updraft board release porch",
    NULL,
};

const struct command command_board_hold = {
    .noun = "board",
    .verb = "hold",
    .summary = "Have a virtual board hold its updates",
    .synopsis = "DIR [REASON]",
    .description =
        "From now on, until `updraft board release`, the board takes no update: who wants to send "
        "one is told the reason, and one that is proven already waits before it is activated. It "
        "stands for a battery that is low, or a machine that must not stop now.",
    .examples = hold_examples,
    .arguments_min = 1,
    .arguments_max = 2,
    .run = run_hold,
};

const struct command command_board_release = {
    .noun = "board",
    .verb = "release",
    .summary = "Let a virtual board's updates go on",
    .synopsis = "DIR",
    .description = "Ends what `updraft board hold` or `board run --hold` began.",
    .examples = hold_examples,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_release,
};
