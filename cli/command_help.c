/* SPDX-License-Identifier: Apache-2.0 */
/* --help, from the command tables. */

#include "cli/command.h"

#include <string.h>

#include "cli/command_private.h"

#define WIDTH 80u
#define OPTION_WIDTH_MAX 24 /* longer ones have their explanation on the next line */

/* Prints one paragraph of words, each line indented; the cursor stands at `column` of the first. */
static void print_paragraph(const char *text, size_t len, size_t column, unsigned indent, FILE *out)
{
    bool fresh = true; /* nothing of the text on this line yet */
    size_t i = 0;
    while (i < len) {
        while (i < len && text[i] == ' ') {
            i++;
        }
        size_t start = i;
        while (i < len && text[i] != ' ') {
            i++;
        }
        size_t word = i - start;
        if (word == 0) {
            break;
        }
        if (!fresh && column + 1 + word > WIDTH) {
            fputc('\n', out);
            column = 0;
            fresh = true;
        }
        if (!fresh) {
            fputc(' ', out);
            column++;
        } else if (column < indent) {
            fprintf(out, "%*s", (int)(indent - column), "");
            column = indent;
        }
        fresh = false;
        fwrite(text + start, 1, word, out);
        column += word;
    }
    fputc('\n', out);
}

/* Prints paragraphs; a line that begins with blanks in the source is kept as it is. */
static void print_text(const char *text, unsigned indent, FILE *out)
{
    const char *line = text;
    while (*line != 0) {
        size_t len = strcspn(line, "\n");
        if (len == 0) {
            fputc('\n', out);
        } else if (line[0] == ' ') {
            fprintf(out, "%*s%.*s\n", (int)indent, "", (int)len, line);
        } else {
            print_paragraph(line, len, 0, indent, out);
        }
        line += len + (line[len] == '\n');
    }
}

static int option_width(const struct command_option *option)
{
    return (int)(strlen(option->name) +
                 (option->argument != NULL ? 1 + strlen(option->argument) : 0));
}

static void print_options(const struct command *command, FILE *out)
{
    static const struct command_option help = {"help", 'h', NULL, "show this help"};
    int width = option_width(&help);
    for (const struct command_option *o = command->options; o != NULL && o->name != NULL; o++) {
        width = option_width(o) > width ? option_width(o) : width;
    }
    width = width < OPTION_WIDTH_MAX ? width : OPTION_WIDTH_MAX;
    fputs("\nOptions:\n", out);
    const struct command_option *o = command->options;
    bool last = false;
    while (!last) {
        last = o == NULL || o->name == NULL;
        const struct command_option *option = last ? &help : o++;
        char letter[5] = "    ";
        if (option->letter != 0) {
            snprintf(letter, sizeof(letter), "-%c, ", option->letter);
        }
        int printed =
            fprintf(out, "  %s--%s%s%s", letter, option->name, option->argument != NULL ? " " : "",
                    option->argument != NULL ? option->argument : "");
        /* Two blanks, "-x, --" and two blanks lie around the name. */
        int indent = width + 10;
        if (printed + 2 > indent) {
            fputc('\n', out);
            printed = 0;
        }
        print_paragraph(option->help, strlen(option->help), (size_t)printed, (unsigned)indent, out);
    }
}

void command_print_command_help(const struct command_set *set, const struct command *command,
                                FILE *out)
{
    char name[COMMAND_NAME_SIZE];
    fprintf(out, "Usage: %s %s%s%s%s\n\n", set->program, command_full_name(command, name),
            command->options != NULL && command->options->name != NULL ? " [OPTION]..." : "",
            command->synopsis != NULL ? " " : "",
            command->synopsis != NULL ? command->synopsis : "");
    fprintf(out, "%s.\n", command->summary);
    if (command->description != NULL) {
        fputc('\n', out);
        print_text(command->description, 0, out);
    }
    print_options(command, out);
    if (command->examples != NULL) {
        fputs("\nExamples:\n", out);
        for (size_t i = 0; command->examples[i] != NULL; i++) {
            fprintf(out, "  %s\n", command->examples[i]);
        }
    }
}

static void print_command_list(const struct command_set *set, const char *noun, int width,
                               FILE *out)
{
    for (const struct command *command = command_next(set, noun, NULL); command != NULL;
         command = command_next(set, noun, command)) {
        char name[COMMAND_NAME_SIZE];
        fprintf(out, "  %-*s  %s\n", width, command_full_name(command, name), command->summary);
    }
}

static int command_list_width(const struct command_set *set, const char *noun)
{
    int width = 0;
    for (const struct command *command = command_next(set, noun, NULL); command != NULL;
         command = command_next(set, noun, command)) {
        char name[COMMAND_NAME_SIZE];
        int len = (int)strlen(command_full_name(command, name));
        width = len > width ? len : width;
    }
    return width;
}

static const char *noun_summary(const struct command_set *set, const char *noun)
{
    for (const struct command_noun *n = set->nouns; n->name != NULL; n++) {
        if (strcmp(n->name, noun) == 0) {
            return n->summary;
        }
    }
    return NULL;
}

void command_print_noun_help(const struct command_set *set, const char *noun, FILE *out)
{
    const char *summary = noun_summary(set, noun);
    fprintf(out, "Usage: %s %s COMMAND ...\n\n", set->program, noun);
    if (summary != NULL) {
        fprintf(out, "%s.\n\n", summary);
    }
    fputs("Commands:\n", out);
    print_command_list(set, noun, command_list_width(set, noun), out);
    fprintf(out, "\nMore on one: %s %s COMMAND --help\n", set->program, noun);
}

void command_print_help(const struct command_set *set, FILE *out)
{
    fprintf(out, "Usage: %s COMMAND ...\n\n%s.\n", set->program, set->summary);
    if (set->description != NULL) {
        fputc('\n', out);
        print_text(set->description, 0, out);
    }
    int width = command_list_width(set, NULL);
    for (const struct command_noun *noun = command_next_noun(set, NULL); noun != NULL;
         noun = command_next_noun(set, noun)) {
        fprintf(out, "\n%s:\n", noun->summary);
        print_command_list(set, noun->name, width, out);
    }
    fprintf(out, "\nMore on one: %s COMMAND --help. The version: %s --version\n", set->program,
            set->program);
}
