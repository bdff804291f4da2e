/* SPDX-License-Identifier: Apache-2.0 */
/* Standard output and error go to files for the length of a run. */

#include "cli/run_command.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/commands.h"

#define WORDS_MAX 64

static int to_file(FILE *stream, const char *path)
{
    fflush(stream);
    int kept = dup(fileno(stream));
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(kept >= 0 && file >= 0);
    assert_true(dup2(file, fileno(stream)) >= 0);
    close(file);
    return kept;
}

static void from_file(FILE *stream, int kept, const char *path, char text[RUN_TEXT_SIZE])
{
    fflush(stream);
    assert_true(dup2(kept, fileno(stream)) >= 0);
    close(kept);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t len = fread(text, 1, RUN_TEXT_SIZE - 1, file);
    text[len] = '\0';
    fclose(file);
    remove(path);
}

/* Cuts the line into words, in place. */
static int cut(char *line, const char *words[WORDS_MAX])
{
    int count = 0;
    words[count++] = "updraft";
    while (*line) {
        while (*line == ' ') {
            line++;
        }
        if (!*line) {
            break;
        }
        char end = *line == '\'' ? '\'' : ' ';
        line += end == '\'';
        assert_true(count < WORDS_MAX - 1);
        words[count++] = line;
        while (*line && *line != end) {
            line++;
        }
        if (*line) {
            *line++ = '\0';
        }
    }
    words[count] = NULL;
    return count;
}

const struct run_result *run_command(const char *line)
{
    static const struct command_noun nouns[] = {
        {"partition", "tables"}, {"otadata", "slots"}, {"flash", "chips"}, {0}};
    static const struct command *const commands[] = {
        &command_partition_make,
        &command_partition_show,
        &command_partition_check,
        &command_otadata_show,
        &command_otadata_set,
        &command_otadata_erase,
        &command_flash_make,
        &command_flash_show,
        &command_flash_extract,
        &command_discover,
        NULL,
    };
    static const struct command_set set = {.program = "updraft",
                                           .version = "0",
                                           .date = "",
                                           .summary = "",
                                           .description = "",
                                           .nouns = nouns,
                                           .commands = commands};
    static struct run_result result;
    const char *words[WORDS_MAX];
    char *copy = strdup(line);
    assert_non_null(copy);
    int count = cut(copy, words);

    int out = to_file(stdout, ".out");
    int err = to_file(stderr, ".err");
    result.status = command_main(&set, count, words);
    from_file(stdout, out, ".out", result.out);
    from_file(stderr, err, ".err", result.err);
    free(copy);
    return &result;
}

const struct run_result *run_expect(int status, const char *line)
{
    const struct run_result *result = run_command(line);
    if (result->status != status) {
        fail_msg("updraft %s\nended with %d instead of %d:\n%s%s", line, result->status, status,
                 result->out, result->err);
    }
    return result;
}

void run_expect_failure(const char *line, const char *text)
{
    const struct run_result *result = run_expect(1, line);
    assert_string_equal(result->out, "");
    assert_int_equal(strncmp(result->err, "updraft: ", 9), 0);
    assert_ptr_equal(strchr(result->err, '\n'), result->err + strlen(result->err) - 1);
    run_expect_text(result->err, text);
}

void run_expect_text(const char *text, const char *words)
{
    if (!strstr(text, words)) {
        fail_msg("'%s' is not in:\n%s", words, text);
    }
}

uint8_t *run_read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        fail_msg("%s is not there", path);
    }
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    uint8_t *data = malloc(*size + 1);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, *size, file), *size);
    data[*size] = '\0';
    fclose(file);
    return data;
}

void run_write_file(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

const char *run_vector(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", UPDRAFT_VECTORS, name);
    if (access(path, R_OK) != 0) {
        skip();
    }
    return path;
}
