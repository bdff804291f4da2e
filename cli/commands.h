/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_CLI_COMMANDS_H
#define UPDRAFT_CLI_COMMANDS_H

/* Every subcommand there is; each lives in the file of its name (cli/image_info.c and so on). The
   table that the program runs by is in cli/main.c. */

#include "cli/command.h"

extern const struct command command_image_info;
extern const struct command command_image_verify;
extern const struct command command_image_make;
extern const struct command command_image_compress;
extern const struct command command_image_sign;
extern const struct command command_image_strip;

extern const struct command command_key_new;
extern const struct command command_key_show;
extern const struct command command_key_digest;

extern const struct command command_partition_make;
extern const struct command command_partition_show;
extern const struct command command_partition_check;

extern const struct command command_otadata_show;
extern const struct command command_otadata_set;
extern const struct command command_otadata_erase;

extern const struct command command_flash_make;
extern const struct command command_flash_show;
extern const struct command command_flash_extract;

extern const struct command command_board_new;
extern const struct command command_board_run;
extern const struct command command_board_info;
extern const struct command command_board_reset;
extern const struct command command_board_press;
extern const struct command command_board_hold;
extern const struct command command_board_release;

extern const struct command command_serve;
extern const struct command command_discover;
extern const struct command command_push;

extern const struct command command_completion;
extern const struct command command_man;

#endif
