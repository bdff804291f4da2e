/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_OTADATA_FILE_H
#define CLI_OTADATA_FILE_H

/*
 * Where a command finds otadata: in a file of its own (0x2000 bytes, as it is flashed), or inside a
 * whole chip's image, whose partition table says where and how many slots there are.
 */

#include <stdbool.h>

#include <cjson/cJSON.h>
#include <updraft/layout.h>
#include <updraft/otadata.h>

#include "cli/chip_image.h"
#include "cli/command.h"

/* For the table of a command's options. */
#define OTADATA_FILE_OPTIONS                                                               \
    {"slots", 0, "N", "how many OTA slots there are, where no table says it (default 2)"}, \
        {"flash", 0, NULL, "FILE is a whole chip's image, however small"},                 \
        {"partitions", 0, "TABLE",                                                         \
         "partition table, if not the one in FILE: a file, or a built-in table's name"},   \
    {                                                                                      \
        "offset", 0, "ADDRESS", "where the table lies in a chip's image (default 0x8000)"  \
    }

struct otadata_file {
    struct chip_image chip;
    struct ota_region region; /* the otadata partition */
    struct ota_layout layout; /* from the table; all zero without one */
    bool has_layout;
    bool whole_chip;
    unsigned slots; /* by which sequence numbers are read */
};

/* Opens the file by the command's options. With `make_missing` a file that does not exist counts as
   a blank otadata partition. Returns COMMAND_GOOD, or COMMAND_FAILED or COMMAND_USAGE after a
   message; close it in each case. */
int otadata_file_open(const struct command_call *call, const char *path, bool make_missing,
                      struct otadata_file *file);
void otadata_file_close(struct otadata_file *file);

/* What boots as long as nothing is wrong with its image: the slot that otadata chooses, or what
   comes next where it chooses none ("factory", "ota_0", ...). Writes it into `name` and returns
   it. */
const char *otadata_file_boots(const struct ota_otadata *otadata, const struct ota_layout *layout,
                               unsigned slots, char name[OTA_SLOT_NAME_SIZE]);

/* Print both entries: as a table with this indent; as a JSON object. */
void otadata_file_print(const struct ota_otadata *otadata, unsigned slots, const char *indent);
cJSON *otadata_file_json(const struct ota_otadata *otadata, unsigned slots);

#endif
