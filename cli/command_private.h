/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_CLI_COMMAND_PRIVATE_H
#define UPDRAFT_CLI_COMMAND_PRIVATE_H

/* What the files that walk the command tables share: cli/command*.c, completion.c, man.c. */

#include "cli/command.h"

/* Return the listed (not hidden) command behind `previous`, of the noun or, if that is NULL, of
   all; and the noun behind `previous` that has such commands. `previous` NULL starts; NULL is the
   end. */
const struct command *command_next(const struct command_set *set, const char *noun,
                                   const struct command *previous);
const struct command_noun *command_next_noun(const struct command_set *set,
                                             const struct command_noun *previous);

/* Returns the noun's only command if it is a single word, else NULL. */
const struct command *command_of_one_word(const struct command_set *set, const char *noun);

/* Returns the command, hidden ones too, or NULL. */
const struct command *command_find(const struct command_set *set, const char *noun,
                                   const char *verb);

/* Returns the option of that name, or of that letter; NULL if the command has none such. */
const struct command_option *command_option_named(const struct command *command, const char *name,
                                                  size_t len);
const struct command_option *command_option_lettered(const struct command *command, char letter);

#endif
