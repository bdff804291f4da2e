/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_CLI_COMMAND_H
#define UPDRAFT_CLI_COMMAND_H

/*
 * Subcommands as data: what one is called, what it takes and how it is explained. The command line
 * is parsed by these tables; --help, the man pages and the shell completions are printed from them.
 *
 *     static const struct command_option options[] = {
 *         {"chip", 'c', "CHIP", "demand that the image is for this chip"},
 *         COMMAND_OPTION_JSON,
 *         {0},
 *     };
 *     static const char *const examples[] = {"updraft image verify app.bin", NULL};
 *     const struct command command_image_verify = {
 *         .noun = "image", .verb = "verify", .summary = "Check images", .synopsis = "FILE...",
 *         .description = "...", .options = options, .examples = examples,
 *         .arguments_min = 1, .arguments_max = COMMAND_ANY, .run = run,
 *     };
 *
 * The line may hold `--name value`, `--name=value`, `-x value`, `-xvalue`, flags (`--name`, `-x`),
 * options before, between and behind the arguments, `--` (only arguments follow) and `-` (an
 * argument: standard input or output). --help and -h are understood everywhere and never declared.
 */

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Exit statuses. */
#define COMMAND_GOOD 0
#define COMMAND_FAILED 1 /* the thing is bad, or could not be done */
#define COMMAND_USAGE 2  /* the command line is wrong */

#define COMMAND_ANY UINT_MAX /* for arguments_max: any number */

struct command_option {
    const char *name;     /* without the dashes */
    char letter;          /* of the short form, or 0 */
    const char *argument; /* what the value is, in capitals ("FILE"); NULL for a flag */
    const char *help;     /* one line, no capital, no full stop */
};

/* Every command that prints facts has this one. Beside an option "output" it is refused where that
   is "-". */
#define COMMAND_OPTION_JSON           \
    {                                 \
        "json", 0, NULL, "print JSON" \
    }

struct command_call; /* a parsed command line */

struct command {
    const char *noun;     /* "image" */
    const char *verb;     /* "info"; NULL for a command of one word */
    const char *summary;  /* one line, no full stop */
    const char *synopsis; /* the arguments, "FILE..."; options are added; NULL if none */
    const char
        *description; /* paragraphs, parted by empty lines, each one line of the source text */
    const struct command_option *options; /* ends with name NULL; NULL if none */
    const char *const
        *examples; /* lines: commands and "# comments"; ends with NULL; NULL if none */
    unsigned arguments_min, arguments_max;       /* how many arguments it takes; both 0: none */
    bool hidden;                                 /* left out of help, man pages and completions */
    int (*run)(const struct command_call *call); /* returns the exit status */
};

struct command_noun {
    const char *name;
    const char *summary;
};

/* All that the program can do. */
struct command_set {
    const char *program; /* "updraft" */
    const char *version;
    const char *date;                 /* of that version, "November 21, 2026"; for the man pages */
    const char *summary;              /* one line, no full stop */
    const char *description;          /* as a command's */
    const struct command_noun *nouns; /* in the order of the help; ends with name NULL */
    const struct command *const *commands; /* ends with NULL */
};

/* Finds the command that the line names, parses the rest by its table and runs it; answers --help
   and --version itself. Returns the exit status; COMMAND_USAGE after saying what is wrong. */
int command_main(const struct command_set *set, int argc, const char *const *argv);

/* Returns the option's value, the last if given several times; NULL if it was not given. It lives
   as long as the call. Asking for an option that the command's table does not hold is a bug in the
   command (asserted), here and below. */
const char *command_value(const struct command_call *call, const char *option);

/* Tells whether an option, with or without a value, was given. */
bool command_flag(const struct command_call *call, const char *option);

/* Stores all values of a repeated option, in order, and returns how many. The array belongs to the
   call. */
size_t command_values(const struct command_call *call, const char *option,
                      const char *const **values);

/* Reads a number: decimal or 0x hexadecimal, with K, M or G (also KB, MB, GB, KiB ...; of 1024)
   behind it. If the option was not given, leaves `*value` alone and returns true. Returns false,
   having said what is wrong, if it is no number or outside [minimum, maximum]; the command then
   returns COMMAND_USAGE. */
bool command_number(const struct command_call *call, const char *option, uint64_t minimum,
                    uint64_t maximum, uint64_t *value);

/* Return how many arguments there are, and the i-th; the latter is NULL past the last. */
size_t command_count(const struct command_call *call);
const char *command_argument(const struct command_call *call, size_t i);

/* Return the set and the command that the call is of. */
const struct command_set *command_set_of(const struct command_call *call);
const struct command *command_of(const struct command_call *call);

/* Says what is wrong with the command line, and where help is. Returns COMMAND_USAGE. */
int command_usage(const struct command_call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Returns the name of `names` (ends with NULL) that is nearest to what was typed, or NULL if none
   is near enough to be worth suggesting. */
const char *command_nearest(const char *typed, const char *const *names);

/* Reads a number as command_number does, without a word. Returns false if `text` is none or does
   not fit. */
bool command_parse_number(const char *text, uint64_t *value);

/* Print the help of the program, of one noun's commands, of one command. */
void command_print_help(const struct command_set *set, FILE *out);
void command_print_noun_help(const struct command_set *set, const char *noun, FILE *out);
void command_print_command_help(const struct command_set *set, const struct command *command,
                                FILE *out);

/* Writes "noun verb" into `name` and returns it. */
#define COMMAND_NAME_SIZE 64u
const char *command_full_name(const struct command *command, char name[COMMAND_NAME_SIZE]);

#endif
