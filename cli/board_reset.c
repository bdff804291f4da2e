/* SPDX-License-Identifier: Apache-2.0 */
/* `updraft board reset DIR`: what one does to a board that does not run. */

#include "cli/commands.h"

#include <stdio.h>

#include <updraft/otadata.h>

#include "cli/output.h"
#include "posix/board.h"

/* Erases both entries of otadata: the factory app boots next. */
static int erase_otadata(struct board *board)
{
    struct ota_failure failure;
    struct ota_region region;
    struct ota_device *device = &board->device;
    if (device->staging != NULL) {
        return fail("%s: a board of a profile has no otadata", board->settings.name);
    }
    if (ota_device_open(device, &failure) != OTA_OK) {
        return fail("%s: the partition table is not valid: %s (row at 0x%x)", board->settings.name,
                    ota_err_text(failure.err), failure.offset);
    }
    const struct ota_extent extent = device->layout.otadata;
    if (extent.size == 0) {
        return fail("%s: the partition table has no otadata: the board boots its factory app "
                    "anyway",
                    board->settings.name);
    }
    enum ota_err err = ota_region_init(&region, device->flash, extent.offset, extent.size);
    for (int i = 0; i < OTA_OTADATA_ENTRIES && err == OTA_OK; i++) {
        err = ota_otadata_erase(&region, i);
    }
    return err == OTA_OK
               ? COMMAND_GOOD
               : fail("%s: otadata cannot be erased: %s", board->settings.name, ota_err_text(err));
}

static int reset(const struct command_call *call, struct board *board)
{
    if (command_flag(call, "power")) {
        board_forget_power(board);
    }
    return command_flag(call, "factory") ? erase_otadata(board) : COMMAND_GOOD;
}

static int run(const struct command_call *call)
{
    static struct board board;
    if (!command_flag(call, "factory") && !command_flag(call, "power")) {
        return command_usage(call, "say what to reset: --factory (otadata), --power (retained "
                                   "memory) or both");
    }
    const int status = board_open(&board, command_argument(call, 0), BOARD_RUN)
                           ? reset(call, &board)
                           : fail("%s", board.error);
    board_close(&board);
    return status;
}

static const struct command_option options[] = {
    {"factory", 'f', NULL, "erase otadata, so that the factory app boots"},
    {"power", 'p', NULL, "take the power away, so that retained memory is forgotten"},
    {0},
};

static const char *const examples[] = {
    "# back to the factory app",
    "updraft board reset porch --factory",
    "# unplugged for a while",
    "updraft board reset porch --power",
    NULL,
};

const struct command command_board_reset = {
    .noun = "board",
    .verb = "reset",
    .summary = "Reset a virtual board that does not run",
    .synopsis = "DIR",
    .description = "Does to a board what hands do: a factory reset (otadata is erased, images and "
                   "data stay), or unplugging it.",
    .options = options,
    .examples = examples,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
