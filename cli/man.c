/* SPDX-License-Identifier: Apache-2.0 */
/* `updraft man DIR`: man pages in the mdoc language, one for the program and one for each command,
   from the command tables. The build runs it. */

#include "cli/commands.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command_private.h"
#include "cli/files.h"
#include "cli/output.h"

#define LINE_WIDTH 72u

/* Text, with what mdoc would take for markup made plain. Dashes of options and commands are
   escaped, so that they are not typeset as hyphens. Returns how many bytes that took. */
static size_t put_text(FILE *out, const char *text, size_t len, bool is_code)
{
    size_t used = 0;
    for (size_t i = 0; i < len; i++) {
        const char *escape = "";
        if (text[i] == '\\') {
            used += (size_t)fprintf(out, "\\e");
            continue;
        }
        if (text[i] == '-' && is_code) {
            escape = "\\";
        } else if (i == 0 && (text[i] == '.' || text[i] == '\'')) {
            escape = "\\&";
        }
        used += (size_t)fprintf(out, "%s%c", escape, text[i]);
    }
    return used;
}

/* Words as one argument of a macro each: none of them may look like a macro's name or like
   punctuation. */
static void put_arguments(FILE *out, const char *text)
{
    while (*text != 0) {
        size_t len = strcspn(text, " ");
        if (len > 0) {
            fputs(" \\&", out);
            put_text(out, text, len, true);
        }
        text += len + (text[len] == ' ');
    }
}

/* A paragraph in lines that end with each sentence, as the language wants it. */
static void put_paragraph(FILE *out, const char *text, size_t len)
{
    size_t column = 0;
    size_t i = 0;
    while (i < len) {
        size_t start = i;
        while (i < len && text[i] != ' ') {
            i++;
        }
        size_t word = i - start;
        bool ends = word > 0 && strchr(".?!", text[i - 1]) != NULL;
        if (column > 0 && column + 1 + word > LINE_WIDTH) {
            fputc('\n', out);
            column = 0;
        }
        if (column > 0) {
            fputc(' ', out);
        }
        column += put_text(out, text + start, word, text[start] == '-') + 1;
        while (i < len && text[i] == ' ') {
            i++;
        }
        if (ends && i < len) {
            fputc('\n', out);
            column = 0;
        }
    }
    fputc('\n', out);
}

static void put_description(FILE *out, const char *text)
{
    bool literal = false;
    bool apart = false;
    while (*text != 0) {
        size_t len = strcspn(text, "\n");
        bool indented = len > 0 && text[0] == ' ';
        if (literal && !indented) {
            fputs(".Ed\n", out);
            literal = false;
        }
        if (len == 0) {
            apart = true;
        } else if (indented) {
            if (!literal) {
                fputs(".Bd -literal\n", out);
            }
            literal = true;
            put_text(out, text, len, true);
            fputc('\n', out);
        } else {
            if (apart) {
                fputs(".Pp\n", out);
            }
            put_paragraph(out, text, len);
        }
        apart = apart && len == 0;
        text += len + (text[len] == '\n');
    }
    if (literal) {
        fputs(".Ed\n", out);
    }
}

/* "updraft-image-info", or in capitals for the title. */
static char *page_name(const struct command_set *set, const struct command *command)
{
    return output_format("%s-%s%s%s", set->program, command->noun, command->verb != NULL ? "-" : "",
                         command->verb != NULL ? command->verb : "");
}

static void put_head(FILE *out, const struct command_set *set, const char *name,
                     const char *summary)
{
    fputs(".\\\" SPDX-License-Identifier: Apache-2.0\n", out);
    fprintf(out, ".Dd %s\n.Dt ", set->date);
    for (const char *p = name; *p != 0; p++) {
        fputc(toupper((unsigned char)*p), out);
    }
    fprintf(out, " 1\n.Os\n.Sh NAME\n.Nm %s\n.Nd", name);
    put_arguments(out, summary);
    fputs("\n.Sh SYNOPSIS\n", out);
}

static void put_option(FILE *out, const struct command_option *option)
{
    fputs(".It", out);
    if (option->letter != 0) {
        fprintf(out, " Fl %c ,", option->letter);
    }
    fprintf(out, " Fl \\-%s", option->name);
    if (option->argument != NULL) {
        fputs(" Ar", out);
        put_arguments(out, option->argument);
    }
    fputc('\n', out);
    put_paragraph(out, option->help, strlen(option->help));
}

static void put_options(FILE *out, const struct command *command)
{
    static const struct command_option help = {"help", 'h', NULL, "show a summary of this page"};
    fputs(".Pp\nThe options are:\n.Bl -tag -width Ds\n", out);
    for (const struct command_option *o = command->options; o != NULL && o->name != NULL; o++) {
        put_option(out, o);
    }
    put_option(out, &help);
    fputs(".El\n", out);
}

static void put_command_page(FILE *out, const struct command_set *set,
                             const struct command *command, const char *page)
{
    char name[COMMAND_NAME_SIZE];
    put_head(out, set, page, command->summary);
    fprintf(out, ".Nm %s %s\n", set->program, command_full_name(command, name));
    fputs(".Op Ar OPTION ...\n", out);
    if (command->synopsis != NULL) {
        fputs(".Ar", out);
        put_arguments(out, command->synopsis);
        fputc('\n', out);
    }
    fputs(".Sh DESCRIPTION\n", out);
    put_description(out, command->description != NULL ? command->description : command->summary);
    put_options(out, command);
    fputs(
        ".Sh EXIT STATUS\n0 if all is well, 1 if what was looked at is bad or something could not\n"
        "be done, 2 if the command line is wrong.\n",
        out);
    if (command->examples != NULL) {
        fputs(".Sh EXAMPLES\n.Bd -literal\n", out);
        for (size_t i = 0; command->examples[i] != NULL; i++) {
            put_text(out, command->examples[i], strlen(command->examples[i]), true);
            fputc('\n', out);
        }
        fputs(".Ed\n", out);
    }
    fprintf(out, ".Sh SEE ALSO\n.Xr %s 1\n", set->program);
}

static int compare_pages(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The command's pages in the order of the alphabet, as the language wants references. */
static void put_references(FILE *out, const struct command_set *set)
{
    size_t count = 0;
    while (set->commands[count] != NULL) {
        count++;
    }
    char **pages = output_allocate((count + 1) * sizeof(*pages));
    size_t listed = 0;
    for (const struct command *command = command_next(set, NULL, NULL); command != NULL;
         command = command_next(set, NULL, command)) {
        pages[listed++] = page_name(set, command);
    }
    qsort(pages, listed, sizeof(*pages), compare_pages);
    fputs(".Sh SEE ALSO\n", out);
    for (size_t i = 0; i < listed; i++) {
        fprintf(out, ".Xr %s 1%s\n", pages[i], i + 1 < listed ? " ," : "");
        free(pages[i]);
    }
    free(pages);
}

static void put_program_page(FILE *out, const struct command_set *set)
{
    put_head(out, set, set->program, set->summary);
    fprintf(out, ".Nm %s\n.Ar COMMAND\n.Op Ar ...\n", set->program);
    fprintf(out, ".Nm %s\n.Fl \\-help | \\-version\n.Sh DESCRIPTION\n", set->program);
    put_description(out, set->description);
    fputs(".Pp\nThe commands are:\n.Bl -tag -width Ds\n", out);
    for (const struct command *command = command_next(set, NULL, NULL); command != NULL;
         command = command_next(set, NULL, command)) {
        char name[COMMAND_NAME_SIZE];
        fprintf(out, ".It Cm %s\n", command_full_name(command, name));
        put_paragraph(out, command->summary, strlen(command->summary));
    }
    fputs(
        ".El\n.Pp\nEach command explains itself with\n.Fl \\-help .\n"
        ".Sh ENVIRONMENT\n.Bl -tag -width Ds\n"
        ".It Ev NO_COLOR\nIf set and not empty, nothing is printed in colour.\n"
        ".It Ev SOURCE_DATE_EPOCH\nSeconds since 1970: the time that is put into images made.\n"
        ".El\n"
        ".Sh EXIT STATUS\n0 if all is well, 1 if what was looked at is bad or something could not\n"
        "be done, 2 if the command line is wrong.\n",
        out);
    put_references(out, set);
}

/* Writes one page; `command` NULL is the program's. */
static int write_page(const char *folder, const struct command_set *set,
                      const struct command *command)
{
    char *page = command != NULL ? page_name(set, command) : output_copy(set->program);
    char *path = output_format("%s/%s.1", folder, page);
    struct files_writer writer;
    int status = files_writer_open(&writer, path);
    if (status == 0) {
        if (command != NULL) {
            put_command_page(writer.stream, set, command, page);
        } else {
            put_program_page(writer.stream, set);
        }
        status = files_writer_commit(&writer);
    }
    free(path);
    free(page);
    return status;
}

static int run(const struct command_call *call)
{
    const struct command_set *set = command_set_of(call);
    const char *folder = command_argument(call, 0);
    int status = write_page(folder, set, NULL);
    for (const struct command *command = command_next(set, NULL, NULL);
         status == 0 && command != NULL; command = command_next(set, NULL, command)) {
        status = write_page(folder, set, command);
    }
    return status;
}

const struct command command_man = {
    .noun = "man",
    .summary = "Write the man pages into a folder",
    .synopsis = "DIR",
    .description =
        "Writes updraft.1 and a page for each command, made from the same tables as this "
        "help, into a folder that exists.",
    .arguments_min = 1,
    .arguments_max = 1,
    .hidden = true,
    .run = run,
};
