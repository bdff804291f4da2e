/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CLI_RUN_COMMAND_H
#define TESTS_CLI_RUN_COMMAND_H

/* Runs subcommands in this process and keeps what they print. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#define RUN_TEXT_SIZE 65536u

struct run_result {
    int status;
    char out[RUN_TEXT_SIZE]; /* standard output, as text */
    char err[RUN_TEXT_SIZE];
};

/* Runs "partition show two_ota": words are parted by blanks, 'quotes' hold one together. The result
   is valid until the next run. */
const struct run_result *run_command(const char *line);

/* The same, and demands the exit status. */
const struct run_result *run_expect(int status, const char *line);

/* Demands status 1, nothing on standard output, and one line of error text that holds `text`. */
void run_expect_failure(const char *line, const char *text);

/* Demands that the text holds the words. */
void run_expect_text(const char *text, const char *words);

/* Read and write files whole. The caller frees what read returns. */
uint8_t *run_read_file(const char *path, size_t *size);
void run_write_file(const char *path, const void *data, size_t size);

/* The path of a recorded file, valid until the next call; skips the test where it is absent. */
const char *run_vector(const char *name);

#endif
