/* SPDX-License-Identifier: Apache-2.0 */
/* From a command line to a command's function: finding the command in the table, parsing its
   options by the command's own table, and handing it the result. */

#include "cli/command.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command_private.h"
#include "cli/output.h"

struct command_call {
    const struct command_set *set;
    const struct command *command;
    size_t option_count;
    const char *const **values; /* an array of values for each option of the table */
    size_t *value_counts;
    const char **arguments;
    size_t argument_count;
    bool help;
};

/* One line while it is parsed: options in the order in which they came. */
struct parser {
    const struct command_call *call;
    const char *const *argv;
    int argc, next;
    struct {
        size_t option;
        const char *value;
    } * given;
    size_t given_count;
    const char **arguments;
    size_t argument_count;
    bool help;
};

static int run_command(const struct command_set *set, const struct command *command, int argc,
                       const char *const *argv);
static int unknown_noun(const struct command_set *set, const char *typed);
static int unknown_verb(const struct command_set *set, const char *noun, const char *typed);
static int help_on(const struct command_set *set, int argc, const char *const *argv);

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

const struct command *command_next(const struct command_set *set, const char *noun,
                                   const struct command *previous)
{
    bool behind = previous == NULL;
    for (size_t i = 0; set->commands[i] != NULL; i++) {
        const struct command *command = set->commands[i];
        bool listed = !command->hidden && (noun == NULL || strcmp(command->noun, noun) == 0);
        if (behind && listed) {
            return command;
        }
        behind = behind || command == previous;
    }
    return NULL;
}

const struct command_noun *command_next_noun(const struct command_set *set,
                                             const struct command_noun *previous)
{
    const struct command_noun *noun = previous == NULL ? set->nouns : previous + 1;
    while (noun->name != NULL && command_next(set, noun->name, NULL) == NULL) {
        noun++;
    }
    return noun->name != NULL ? noun : NULL;
}

const struct command *command_find(const struct command_set *set, const char *noun,
                                   const char *verb)
{
    for (size_t i = 0; set->commands[i] != NULL; i++) {
        const struct command *command = set->commands[i];
        if (strcmp(command->noun, noun) != 0) {
            continue;
        }
        if (verb == NULL ? command->verb == NULL
                         : command->verb != NULL && strcmp(command->verb, verb) == 0) {
            return command;
        }
    }
    return NULL;
}

const struct command *command_of_one_word(const struct command_set *set, const char *noun)
{
    return command_find(set, noun, NULL);
}

static bool noun_exists(const struct command_set *set, const char *noun)
{
    for (size_t i = 0; set->commands[i] != NULL; i++) {
        if (strcmp(set->commands[i]->noun, noun) == 0) {
            return true;
        }
    }
    return false;
}

const char *command_full_name(const struct command *command, char name[COMMAND_NAME_SIZE])
{
    snprintf(name, COMMAND_NAME_SIZE, "%s%s%s", command->noun, command->verb != NULL ? " " : "",
             command->verb != NULL ? command->verb : "");
    return name;
}

int command_main(const struct command_set *set, int argc, const char *const *argv)
{
    if (argc < 2) {
        command_print_help(set, stderr);
        return COMMAND_USAGE;
    }
    const char *noun = argv[1];
    if (is_help(noun)) {
        command_print_help(set, stdout);
        return output_finish(COMMAND_GOOD);
    }
    if (strcmp(noun, "--version") == 0) {
        printf("%s %s\n", set->program, set->version);
        return output_finish(COMMAND_GOOD);
    }
    if (strcmp(noun, "help") == 0) {
        return help_on(set, argc - 2, argv + 2);
    }
    const struct command *single = command_of_one_word(set, noun);
    if (single != NULL) {
        return run_command(set, single, argc - 2, argv + 2);
    }
    if (!noun_exists(set, noun)) {
        return unknown_noun(set, noun);
    }
    if (argc < 3) {
        command_print_noun_help(set, noun, stderr);
        return COMMAND_USAGE;
    }
    if (is_help(argv[2])) {
        command_print_noun_help(set, noun, stdout);
        return output_finish(COMMAND_GOOD);
    }
    const struct command *command = command_find(set, noun, argv[2]);
    if (command == NULL) {
        return unknown_verb(set, noun, argv[2]);
    }
    return run_command(set, command, argc - 3, argv + 3);
}

static int help_on(const struct command_set *set, int argc, const char *const *argv)
{
    if (argc == 0) {
        command_print_help(set, stdout);
        return output_finish(COMMAND_GOOD);
    }
    const struct command *command = command_find(set, argv[0], argc > 1 ? argv[1] : NULL);
    if (command != NULL) {
        command_print_command_help(set, command, stdout);
        return output_finish(COMMAND_GOOD);
    }
    if (!noun_exists(set, argv[0])) {
        return unknown_noun(set, argv[0]);
    }
    if (argc > 1) {
        return unknown_verb(set, argv[0], argv[1]);
    }
    command_print_noun_help(set, argv[0], stdout);
    return output_finish(COMMAND_GOOD);
}

static size_t set_size(const struct command_set *set)
{
    size_t count = 0;
    while (set->commands[count] != NULL) {
        count++;
    }
    return count;
}

/* Says that there is no such word, and what it may have been meant for. */
static int unknown_word(const char *program, const char *before, const char *what,
                        const char *typed, const char **names)
{
    char safe[64];
    output_escape(typed, safe, sizeof(safe));
    const char *nearest = command_nearest(typed, names);
    if (nearest != NULL) {
        fail("there is no %s \"%s\"; did you mean \"%s %s%s\"?", what, safe, program, before,
             nearest);
    } else {
        fail("there is no %s \"%s\"; \"%s %s--help\" lists them", what, safe, program, before);
    }
    return COMMAND_USAGE;
}

static int unknown_noun(const struct command_set *set, const char *typed)
{
    const char **names = output_allocate((set_size(set) + 1) * sizeof(*names));
    size_t count = 0;
    for (const struct command *command = command_next(set, NULL, NULL); command != NULL;
         command = command_next(set, NULL, command)) {
        names[count++] = command->noun;
    }
    names[count] = NULL;
    bool is_option = typed[0] == '-';
    int status = unknown_word(set->program, "", is_option ? "option" : "command", typed, names);
    free(names);
    return status;
}

static int unknown_verb(const struct command_set *set, const char *noun, const char *typed)
{
    const char **names = output_allocate((set_size(set) + 1) * sizeof(*names));
    size_t count = 0;
    for (const struct command *command = command_next(set, noun, NULL); command != NULL;
         command = command_next(set, noun, command)) {
        names[count++] = command->verb;
    }
    names[count] = NULL;
    char *before = output_format("%s ", noun);
    char *what = output_format("%s command", noun);
    int status = unknown_word(set->program, before, what, typed, names);
    free(what);
    free(before);
    free(names);
    return status;
}

/* --- one command's line --------------------------------------------------------------------- */

static size_t count_options(const struct command *command)
{
    size_t count = 0;
    while (command->options != NULL && command->options[count].name != NULL) {
        count++;
    }
    return count;
}

const struct command_option *command_option_named(const struct command *command, const char *name,
                                                  size_t len)
{
    for (size_t i = 0; i < count_options(command); i++) {
        const char *candidate = command->options[i].name;
        if (strlen(candidate) == len && memcmp(candidate, name, len) == 0) {
            return &command->options[i];
        }
    }
    return NULL;
}

const struct command_option *command_option_lettered(const struct command *command, char letter)
{
    for (size_t i = 0; i < count_options(command); i++) {
        if (command->options[i].letter == letter && letter != 0) {
            return &command->options[i];
        }
    }
    return NULL;
}

int command_usage(const struct command_call *call, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    char *message = NULL;
    int len = vasprintf(&message, format, list);
    va_end(list);
    char name[COMMAND_NAME_SIZE];
    fail("%s; see %s %s --help", len >= 0 ? message : format, call->set->program,
         command_full_name(call->command, name));
    free(message);
    return COMMAND_USAGE;
}

static int unknown_option(const struct command_call *call, const char *typed, size_t len)
{
    size_t count = count_options(call->command);
    const char **names = output_allocate((count + 2) * sizeof(*names));
    for (size_t i = 0; i < count; i++) {
        names[i] = call->command->options[i].name;
    }
    names[count] = "help";
    names[count + 1] = NULL;
    char *word = output_format("%.*s", (int)len, typed);
    const char *nearest = command_nearest(word, names);
    char safe[64];
    output_escape(word, safe, sizeof(safe));
    int status =
        nearest != NULL
            ? command_usage(call, "there is no option --%s (did you mean --%s?)", safe, nearest)
            : command_usage(call, "there is no option --%s", safe);
    free(word);
    free(names);
    return status;
}

static void give(struct parser *parser, const struct command_option *option, const char *value)
{
    parser->given[parser->given_count].option = (size_t)(option - parser->call->command->options);
    parser->given[parser->given_count].value = value;
    parser->given_count++;
}

/* The value of an option that is not written in the same word; NULL after saying that it lacks. */
static const char *take_value(struct parser *parser, const struct command_option *option)
{
    if (parser->next < parser->argc) {
        return parser->argv[parser->next++];
    }
    command_usage(parser->call, "--%s needs a value: %s", option->name, option->argument);
    return NULL;
}

static bool parse_long(struct parser *parser, const char *word)
{
    const char *equals = strchr(word, '=');
    size_t len = equals != NULL ? (size_t)(equals - word) : strlen(word);
    const struct command_option *option = command_option_named(parser->call->command, word, len);
    if (option == NULL) {
        unknown_option(parser->call, word, len);
        return false;
    }
    if (option->argument == NULL) {
        if (equals != NULL) {
            command_usage(parser->call, "--%s takes no value", option->name);
            return false;
        }
        give(parser, option, NULL);
        return true;
    }
    const char *value = equals != NULL ? equals + 1 : take_value(parser, option);
    if (value == NULL) {
        return false;
    }
    give(parser, option, value);
    return true;
}

static bool parse_short(struct parser *parser, const char *letters)
{
    for (size_t i = 0; letters[i] != 0; i++) {
        const struct command_option *option =
            command_option_lettered(parser->call->command, letters[i]);
        if (option == NULL) {
            char safe[8];
            output_escape((char[2]){letters[i], 0}, safe, sizeof(safe));
            command_usage(parser->call, "there is no option -%s", safe);
            return false;
        }
        if (option->argument != NULL) {
            const char *rest = letters + i + 1;
            const char *value = rest[0] != 0 ? rest : take_value(parser, option);
            if (value == NULL) {
                return false;
            }
            give(parser, option, value);
            return true;
        }
        give(parser, option, NULL);
    }
    return true;
}

static bool parse_line(struct parser *parser)
{
    bool only_arguments = false;
    while (parser->next < parser->argc) {
        const char *word = parser->argv[parser->next++];
        if (only_arguments || word[0] != '-' || word[1] == 0) {
            parser->arguments[parser->argument_count++] = word;
        } else if (strcmp(word, "--") == 0) {
            only_arguments = true;
        } else if (is_help(word)) {
            parser->help = true;
            return true;
        } else if (!(word[1] == '-' ? parse_long(parser, word + 2)
                                    : parse_short(parser, word + 1))) {
            return false;
        }
    }
    return true;
}

static bool check_argument_count(const struct command_call *call)
{
    const struct command *command = call->command;
    if (call->argument_count < command->arguments_min) {
        command_usage(call, "an argument is missing: %s", command->synopsis);
        return false;
    }
    if (call->argument_count > command->arguments_max) {
        char safe[64];
        output_escape(call->arguments[command->arguments_max], safe, sizeof(safe));
        command_usage(call, "\"%s\" is one argument too many", safe);
        return false;
    }
    return true;
}

static bool is_given(const struct command_call *call, const char *option)
{
    return command_option_named(call->command, option, strlen(option)) != NULL &&
           command_flag(call, option);
}

/* Standard output holds what is made, or what is told of it. */
static bool check_standard_output(const struct command_call *call)
{
    if (is_given(call, "json") && is_given(call, "output") &&
        strcmp(command_value(call, "output"), "-") == 0) {
        command_usage(call, "--output - and --json would share standard output");
        return false;
    }
    return true;
}

/* Runs the command with the parsed line: values sorted by option, in one array. */
static int run_call(struct command_call *call, const struct parser *parser)
{
    size_t count = call->option_count;
    const char **pool = output_allocate((parser->given_count + 1) * sizeof(*pool));
    call->values = output_allocate((count + 1) * sizeof(*call->values));
    call->value_counts = output_allocate((count + 1) * sizeof(*call->value_counts));
    size_t used = 0;
    for (size_t option = 0; option < count; option++) {
        size_t first = used;
        for (size_t i = 0; i < parser->given_count; i++) {
            if (parser->given[i].option == option) {
                pool[used++] = parser->given[i].value;
            }
        }
        call->values[option] = pool + first;
        call->value_counts[option] = used - first;
    }
    int status = COMMAND_USAGE;
    if (check_argument_count(call) && check_standard_output(call)) {
        status = output_finish(call->command->run(call));
    }
    free(call->value_counts);
    free(call->values);
    free(pool);
    return status;
}

static int run_command(const struct command_set *set, const struct command *command, int argc,
                       const char *const *argv)
{
    struct command_call call = {
        .set = set, .command = command, .option_count = count_options(command)};
    /* A word of short flags can give as many options as it has letters. */
    size_t most = 1;
    for (int i = 0; i < argc; i++) {
        most += strlen(argv[i]) + 1;
    }
    struct parser parser = {.call = &call, .argv = argv, .argc = argc};
    parser.given = output_allocate(most * sizeof(*parser.given));
    parser.arguments = output_allocate(((size_t)argc + 1) * sizeof(*parser.arguments));
    int status = COMMAND_USAGE;
    if (parse_line(&parser)) {
        if (parser.help) {
            command_print_command_help(set, command, stdout);
            status = output_finish(COMMAND_GOOD);
        } else {
            call.arguments = parser.arguments;
            call.argument_count = parser.argument_count;
            status = run_call(&call, &parser);
        }
    }
    free(parser.arguments);
    free(parser.given);
    return status;
}

/* --- what commands ask ---------------------------------------------------------------------- */

static size_t option_index(const struct command_call *call, const char *name)
{
    const struct command_option *option = command_option_named(call->command, name, strlen(name));
    assert(option != NULL && "the command's table lacks this option");
    return (size_t)(option - call->command->options);
}

const char *command_value(const struct command_call *call, const char *option)
{
    size_t index = option_index(call, option);
    size_t count = call->value_counts[index];
    return count > 0 ? call->values[index][count - 1] : NULL;
}

bool command_flag(const struct command_call *call, const char *option)
{
    return call->value_counts[option_index(call, option)] > 0;
}

size_t command_values(const struct command_call *call, const char *option,
                      const char *const **values)
{
    size_t index = option_index(call, option);
    *values = call->values[index];
    return call->value_counts[index];
}

size_t command_count(const struct command_call *call)
{
    return call->argument_count;
}

const char *command_argument(const struct command_call *call, size_t i)
{
    return i < call->argument_count ? call->arguments[i] : NULL;
}

const struct command_set *command_set_of(const struct command_call *call)
{
    return call->set;
}

const struct command *command_of(const struct command_call *call)
{
    return call->command;
}

bool command_number(const struct command_call *call, const char *option, uint64_t minimum,
                    uint64_t maximum, uint64_t *value)
{
    const char *text = command_value(call, option);
    if (text == NULL) {
        return true;
    }
    char safe[64];
    uint64_t number;
    if (!command_parse_number(text, &number) || number < minimum || number > maximum) {
        command_usage(call, "--%s: \"%s\" is no whole number from %" PRIu64 " to %" PRIu64, option,
                      output_escape(text, safe, sizeof(safe)), minimum, maximum);
        return false;
    }
    *value = number;
    return true;
}
