/* SPDX-License-Identifier: Apache-2.0 */
/* `updraft completion SHELL`: a script that teaches a shell the commands and options, from the
   command tables. The build runs it for each shell. */

#include "cli/commands.h"

#include <stdlib.h>
#include <string.h>

#include <updraft/chip.h>

#include "cli/command_private.h"
#include "cli/files.h"
#include "cli/output.h"
#include "posix/profile.h"

/* What may stand in place of an argument: words to choose from, a folder or a file. */
static bool is_choice(const char *argument)
{
    return argument != NULL && argument[0] >= 'a' && argument[0] <= 'z' &&
           strchr(argument, '|') != NULL;
}

static bool is_folder(const char *argument)
{
    return argument != NULL && strncmp(argument, "DIR", 3) == 0;
}

static void put_choices(FILE *out, const char *argument)
{
    for (const char *p = argument; *p != 0 && *p != ' '; p++) {
        fputc(*p == '|' ? ' ' : *p, out);
    }
}

static void put_chips(FILE *out)
{
    const struct ota_chip_facts *chip;
    for (unsigned n = 0; (chip = ota_chip_facts_at(n)) != NULL; n++) {
        fprintf(out, "%s%s", n > 0 ? " " : "", chip->name);
    }
}

static void put_profiles(FILE *out)
{
    struct profile profile;
    for (unsigned n = 0; profile_at(n, &profile); n++) {
        fprintf(out, "%s%s", n > 0 ? " " : "", profile.name);
    }
}

/* Prints the words that may stand for this argument. Returns false if it is none of which all are
   known; `before` is then not printed either. */
static bool put_known_words(FILE *out, const char *before, const char *argument)
{
    const bool is_chip = argument != NULL && strcmp(argument, "CHIP") == 0;
    const bool is_profile = argument != NULL && strcmp(argument, "PROFILE") == 0;
    if (!is_choice(argument) && !is_chip && !is_profile) {
        return false;
    }
    fputs(before, out);
    if (is_chip) {
        put_chips(out);
    } else if (is_profile) {
        put_profiles(out);
    } else {
        put_choices(out, argument);
    }
    return true;
}

/* --- bash ----------------------------------------------------------------------------------- */

static void put_bash_reply(FILE *out, const char *argument)
{
    if (put_known_words(out, "compgen -W \"", argument)) {
        fputs("\"", out);
    } else {
        fputs(is_folder(argument) ? "compgen -d" : "compgen -f", out);
    }
    fputs(" -- \"$current\"", out);
}

static void put_bash_command(FILE *out, const struct command *command)
{
    fprintf(out, "    \"%s %s\")\n        case $previous in\n", command->noun,
            command->verb != NULL ? command->verb : "");
    for (const struct command_option *o = command->options; o != NULL && o->name != NULL; o++) {
        if (o->argument != NULL) {
            fprintf(out, "        --%s", o->name);
            if (o->letter != 0) {
                fprintf(out, "|-%c", o->letter);
            }
            fputs(") mapfile -t COMPREPLY < <(", out);
            put_bash_reply(out, o->argument);
            fputs("); return ;;\n", out);
        }
    }
    fputs("        esac\n        if [[ $current == -* ]]; then\n"
          "            mapfile -t COMPREPLY < <(compgen -W \"",
          out);
    for (const struct command_option *o = command->options; o != NULL && o->name != NULL; o++) {
        fprintf(out, "--%s ", o->name);
    }
    fputs("--help\" -- \"$current\")\n        else\n            mapfile -t COMPREPLY < <(", out);
    put_bash_reply(out, command->synopsis);
    fputs(")\n        fi ;;\n", out);
}

static void put_bash(FILE *out, const struct command_set *set)
{
    fprintf(out,
            "# bash completion for %s\n_%s()\n{\n"
            "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
            "    local noun=${COMP_WORDS[1]} verb=${COMP_WORDS[2]}\n    COMPREPLY=()\n"
            "    if ((COMP_CWORD == 1)); then\n        mapfile -t COMPREPLY < <(compgen -W \"",
            set->program, set->program);
    for (const struct command_noun *noun = command_next_noun(set, NULL); noun != NULL;
         noun = command_next_noun(set, noun)) {
        fprintf(out, "%s ", noun->name);
    }
    fputs("--help --version\" -- \"$current\")\n        return\n    fi\n    case $noun in\n", out);
    for (const struct command_noun *noun = command_next_noun(set, NULL); noun != NULL;
         noun = command_next_noun(set, noun)) {
        if (command_of_one_word(set, noun->name) != NULL) {
            fprintf(out, "    %s) verb='' ;;\n", noun->name);
            continue;
        }
        fprintf(out,
                "    %s)\n        if ((COMP_CWORD == 2)); then\n"
                "            mapfile -t COMPREPLY < <(compgen -W \"",
                noun->name);
        for (const struct command *command = command_next(set, noun->name, NULL); command != NULL;
             command = command_next(set, noun->name, command)) {
            fprintf(out, "%s ", command->verb);
        }
        fputs("--help\" -- \"$current\")\n            return\n        fi ;;\n", out);
    }
    fputs("    esac\n    case \"$noun $verb\" in\n", out);
    for (const struct command *command = command_next(set, NULL, NULL); command != NULL;
         command = command_next(set, NULL, command)) {
        put_bash_command(out, command);
    }
    fprintf(out, "    esac\n}\ncomplete -o filenames -F _%s %s\n", set->program, set->program);
}

/* --- zsh ------------------------------------------------------------------------------------ */

/* Text within a quoted specification, where brackets, colons and quotes mean something. */
static void put_zsh_text(FILE *out, const char *text)
{
    for (; *text != 0; text++) {
        if (*text == '\'') {
            fputs("'\\''", out);
        } else {
            if (strchr("[]:\\", *text) != NULL) {
                fputc('\\', out);
            }
            fputc(*text, out);
        }
    }
}

static void put_zsh_action(FILE *out, const char *argument)
{
    if (put_known_words(out, ":choice:(", argument)) {
        fputs(")", out);
    } else {
        fputs(is_folder(argument) ? ":folder:_files -/" : ":value:_files", out);
    }
}

static void put_zsh_option(FILE *out, const char *dashes, const char *name,
                           const struct command_option *option)
{
    fprintf(out, " \\\n            '*%s%s[", dashes, name);
    put_zsh_text(out, option->help);
    fputs("]", out);
    if (option->argument != NULL) {
        put_zsh_action(out, option->argument);
    }
    fputs("'", out);
}

static void put_zsh_command(FILE *out, const struct command *command)
{
    unsigned words = command->verb != NULL ? 2 : 1;
    fprintf(out,
            "    '%s %s')\n        shift %u words\n        (( CURRENT -= %u ))\n        _arguments",
            command->noun, command->verb != NULL ? command->verb : "", words, words);
    for (const struct command_option *o = command->options; o != NULL && o->name != NULL; o++) {
        put_zsh_option(out, "--", o->name, o);
        if (o->letter != 0) {
            put_zsh_option(out, "-", (char[2]){o->letter, 0}, o);
        }
    }
    fputs(" \\\n            '(-h --help)'{-h,--help}'[show help]'", out);
    if (command->arguments_max > 0) {
        fputs(" \\\n            '*", out);
        put_zsh_action(out, command->synopsis);
        fputs("'", out);
    }
    fputs(" ;;\n", out);
}

static void put_zsh(FILE *out, const struct command_set *set)
{
    fprintf(out,
            "#compdef %s\n_%s()\n{\n    local -a choices\n    local noun=$words[2] verb=$words[3]\n"
            "    if (( CURRENT == 2 )); then\n        choices=(",
            set->program, set->program);
    for (const struct command_noun *noun = command_next_noun(set, NULL); noun != NULL;
         noun = command_next_noun(set, noun)) {
        fprintf(out, "'%s:", noun->name);
        put_zsh_text(out, noun->summary);
        fputs("' ", out);
    }
    fputs(")\n        _describe command choices\n        return\n    fi\n    case $noun in\n", out);
    for (const struct command_noun *noun = command_next_noun(set, NULL); noun != NULL;
         noun = command_next_noun(set, noun)) {
        if (command_of_one_word(set, noun->name) != NULL) {
            fprintf(out, "    %s) verb='' ;;\n", noun->name);
            continue;
        }
        fprintf(out, "    %s)\n        if (( CURRENT == 3 )); then\n            choices=(",
                noun->name);
        for (const struct command *command = command_next(set, noun->name, NULL); command != NULL;
             command = command_next(set, noun->name, command)) {
            fprintf(out, "'%s:", command->verb);
            put_zsh_text(out, command->summary);
            fputs("' ", out);
        }
        fputs(")\n            _describe command choices\n            return\n        fi ;;\n", out);
    }
    fputs("    esac\n    case \"$noun $verb\" in\n", out);
    for (const struct command *command = command_next(set, NULL, NULL); command != NULL;
         command = command_next(set, NULL, command)) {
        put_zsh_command(out, command);
    }
    fprintf(out,
            "    esac\n}\nif [ \"$funcstack[1]\" = _%s ]; then\n    _%s \"$@\"\nelse\n    compdef "
            "_%s %s\nfi\n",
            set->program, set->program, set->program, set->program);
}

/* --- fish ----------------------------------------------------------------------------------- */

static void put_fish_text(FILE *out, const char *text)
{
    fputc('\'', out);
    for (; *text != 0; text++) {
        if (*text == '\'' || *text == '\\') {
            fputc('\\', out);
        }
        fputc(*text, out);
    }
    fputc('\'', out);
}

static void put_fish_words(FILE *out, const char *argument)
{
    if (put_known_words(out, " -f -a '", argument)) {
        fputs("'", out);
    } else if (is_folder(argument)) {
        fputs(" -f -a '(__fish_complete_directories)'", out);
    }
}

static void put_fish_command(FILE *out, const struct command_set *set,
                             const struct command *command)
{
    char *when = command->verb != NULL
                     ? output_format("__fish_seen_subcommand_from %s; and "
                                     "__fish_seen_subcommand_from %s",
                                     command->noun, command->verb)
                     : output_format("__fish_seen_subcommand_from %s", command->noun);
    for (const struct command_option *o = command->options; o != NULL && o->name != NULL; o++) {
        fprintf(out, "complete -c %s -n '%s' -l %s", set->program, when, o->name);
        if (o->letter != 0) {
            fprintf(out, " -s %c", o->letter);
        }
        if (o->argument != NULL) {
            fputs(" -r", out);
            put_fish_words(out, o->argument);
        }
        fputs(" -d ", out);
        put_fish_text(out, o->help);
        fputc('\n', out);
    }
    fprintf(out, "complete -c %s -n '%s' -s h -l help -d 'show help'\n", set->program, when);
    if (is_choice(command->synopsis) || is_folder(command->synopsis)) {
        fprintf(out, "complete -c %s -n '%s'", set->program, when);
        put_fish_words(out, command->synopsis);
        fputc('\n', out);
    }
    free(when);
}

static void put_fish(FILE *out, const struct command_set *set)
{
    fprintf(out, "# fish completion for %s\n", set->program);
    for (const struct command_noun *noun = command_next_noun(set, NULL); noun != NULL;
         noun = command_next_noun(set, noun)) {
        fprintf(out, "complete -c %s -n __fish_use_subcommand -f -a %s -d ", set->program,
                noun->name);
        put_fish_text(out, noun->summary);
        fputc('\n', out);
        if (command_of_one_word(set, noun->name) != NULL) {
            continue;
        }
        for (const struct command *command = command_next(set, noun->name, NULL); command != NULL;
             command = command_next(set, noun->name, command)) {
            fprintf(out,
                    "complete -c %s -n '__fish_seen_subcommand_from %s; and not "
                    "__fish_seen_subcommand_from",
                    set->program, noun->name);
            for (const struct command *sibling = command_next(set, noun->name, NULL);
                 sibling != NULL; sibling = command_next(set, noun->name, sibling)) {
                fprintf(out, " %s", sibling->verb);
            }
            fprintf(out, "' -f -a %s -d ", command->verb);
            put_fish_text(out, command->summary);
            fputc('\n', out);
        }
    }
    for (const struct command *command = command_next(set, NULL, NULL); command != NULL;
         command = command_next(set, NULL, command)) {
        put_fish_command(out, set, command);
    }
}

/* --- the command ---------------------------------------------------------------------------- */

static int run(const struct command_call *call)
{
    static const struct {
        const char *shell;
        void (*put)(FILE *out, const struct command_set *set);
    } shells[] = {{"bash", put_bash}, {"zsh", put_zsh}, {"fish", put_fish}};
    const char *shell = command_argument(call, 0);
    for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
        if (strcmp(shells[i].shell, shell) != 0) {
            continue;
        }
        const char *path = command_value(call, "output");
        struct files_writer writer;
        int status = files_writer_open(&writer, path != NULL ? path : "-");
        if (status != 0) {
            return status;
        }
        shells[i].put(writer.stream, command_set_of(call));
        return files_writer_commit(&writer);
    }
    char safe[64];
    return command_usage(call, "there is no completion for \"%s\", only for bash, zsh and fish",
                         output_escape(shell, safe, sizeof(safe)));
}

static const struct command_option options[] = {
    {"output", 'o', "FILE", "write into FILE instead of standard output"},
    {0},
};

static const char *const examples[] = {
    "# for this shell only",
    "source <(updraft completion bash)",
    "# for good",
    "updraft completion fish -o ~/.config/fish/completions/updraft.fish",
    NULL,
};

const struct command command_completion = {
    .noun = "completion",
    .summary = "Print the completion script of a shell",
    .synopsis = "bash|zsh|fish",
    .description =
        "Prints a script that completes commands, options, chips and files. An installed "
        "Updraft has put them where the shells look.",
    .options = options,
    .examples = examples,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
