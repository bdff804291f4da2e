/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PORTS_POSIX_BOARD_FILES_H
#define UPDRAFT_PORTS_POSIX_BOARD_FILES_H

/* The two files of a board that have a format: board.json, and the fuses. Used by board.c. */

#include <cjson/cJSON.h>

#include "posix/board.h"

#define BOARD_FUSES_SIZE 64u

/* Writes board.json into the directory `directory_descriptor`. Returns false with board->error. */
bool board_write_json(struct board *board, int directory_descriptor);

/* Reads board->settings, the part that is not in the fuses, from board.json. Returns false with
   board->error. */
bool board_read_json(struct board *board, int directory_descriptor);

/* Write and read a JSON file of the directory; what was read is the caller's to delete. Return false
   with board->error. */
bool board_write_json_file(struct board *board, int directory_descriptor, const char *name,
                           const cJSON *json);
bool board_read_json_file(struct board *board, int directory_descriptor, const char *name,
                          cJSON **json);

/* Burns chip and MAC of board->settings into blank fuses. */
void board_burn_fuses(struct board *board, uint8_t fuses[BOARD_FUSES_SIZE]);

/* Reads chip and MAC from the fuses into board->settings, and makes board->fuses serve the floor.
   Returns false with board->error. */
bool board_use_fuses(struct board *board, uint8_t fuses[BOARD_FUSES_SIZE]);

/* Stores a sentence in board->error and returns false. */
bool board_fail(struct board *board, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
