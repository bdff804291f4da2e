/* SPDX-License-Identifier: Apache-2.0 */
/* The `updraft` program: the one table of everything it can do. */

#include "cli/command.h"
#include "cli/commands.h"

static const struct command_noun nouns[] = {
    {"image", "Firmware images"},
    {"key", "Keys to sign images with"},
    {"partition", "Partition tables"},
    {"otadata", "What boots next"},
    {"flash", "Whole flash chips"},
    {"board", "Virtual boards"},
    {"serve", "Update server"},
    {"discover", "Find devices"},
    {"push", "Update over the air"},
    {"completion", "Shell completion"},
    {0},
};

/* In the order of the help. */
static const struct command *const commands[] = {
    &command_image_info,
    &command_image_verify,
    &command_image_make,
    &command_image_compress,
    &command_image_sign,
    &command_image_strip,
    &command_key_new,
    &command_key_show,
    &command_key_digest,
    &command_partition_make,
    &command_partition_show,
    &command_partition_check,
    &command_otadata_show,
    &command_otadata_set,
    &command_otadata_erase,
    &command_flash_make,
    &command_flash_show,
    &command_flash_extract,
    &command_board_new,
    &command_board_run,
    &command_board_info,
    &command_board_reset,
    &command_board_press,
    &command_board_hold,
    &command_board_release,
    &command_serve,
    &command_discover,
    &command_push,
    &command_completion,
    &command_man,
    NULL,
};

int main(int argc, char **argv)
{
    static const struct command_set set = {
        .program = "updraft",
        .version = UPDRAFT_VERSION,
        .date = UPDRAFT_DATE,
        .summary = UPDRAFT_SUMMARY,
        .description =
            "Look into firmware images, partition tables and whole flash chips of the ESP32 "
            "family and the ESP8266, make them, serve them as updates, and rehearse an update on "
            "a virtual board that boots real images and whose power can be cut at any flash "
            "operation.",
        .nouns = nouns,
        .commands = commands,
    };
    return command_main(&set, argc, (const char *const *)argv);
}
