/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does the harness bite? Each program in POWER_FAULTS is updraft-power with one fault planted in
 * the library (faults/). Each must find its fault, and print a line that replays it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define WORDS_MAX 8
#define ARGUMENTS_SIZE 1024
#define LINE_SIZE 512
#define REPLAY "updraft-power --replay "

struct planted {
    const char *program;
    const char *arguments; /* with which it finds its fault soon */
};

static const struct planted faults[] = {POWER_FAULTS};
#define FAULT_COUNT (sizeof faults / sizeof faults[0])

/* Starts a program with arguments parted by blanks; returns the end of a pipe that its output comes
   from. */
static FILE *start(const char *program, const char *arguments, pid_t *pid)
{
    char name[] = "updraft-power";
    char words[ARGUMENTS_SIZE];
    char *argv[WORDS_MAX + 1] = {name};
    int ends[2];
    int count = 1;

    snprintf(words, sizeof words, "%s", arguments);
    for (char *word = strtok(words, " "); word != NULL; word = strtok(NULL, " ")) {
        assert_true(count < WORDS_MAX);
        argv[count++] = word;
    }
    assert_int_equal(pipe(ends), 0);
    *pid = fork();
    assert_true(*pid >= 0);
    if (*pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        execv(program, argv);
        _exit(127);
    }
    close(ends[1]);
    return fdopen(ends[0], "r");
}

/* Runs updraft-power; keeps the first line of its output that begins with `prefix`. Returns the
   exit status, or -1. */
static int run_power(const char *program, const char *arguments, const char *prefix,
                     char line[LINE_SIZE])
{
    char buffer[LINE_SIZE];
    int status;
    pid_t pid;
    FILE *output = start(program, arguments, &pid);

    line[0] = '\0';
    assert_non_null(output);
    while (fgets(buffer, sizeof buffer, output) != NULL) {
        if (line[0] == '\0' && strncmp(buffer, prefix, strlen(prefix)) == 0) {
            memcpy(line, buffer, sizeof buffer);
        }
    }
    fclose(output);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Whether an earlier fault has the same arguments. */
static bool is_repeated(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(faults[i].arguments, faults[n].arguments) == 0) {
            return true;
        }
    }
    return false;
}

static void test_sound_library_passes(void **state)
{
    char line[LINE_SIZE];

    (void)state;
    for (size_t i = 0; i < FAULT_COUNT; i++) {
        if (is_repeated(i)) {
            continue;
        }
        assert_int_equal(run_power(POWER_SOUND, faults[i].arguments, "power: ", line), 0);
        assert_non_null(strstr(line, " 0 failures"));
    }
}

static void test_each_fault_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < FAULT_COUNT; i++) {
        const char *name = strrchr(faults[i].program, '/') + 1;
        char found[LINE_SIZE];
        char replayed[LINE_SIZE];
        char arguments[ARGUMENTS_SIZE];

        int status = run_power(faults[i].program, faults[i].arguments, REPLAY, found);
        char *plan = found + strlen(REPLAY);
        char *reason = strstr(found, "  # ");
        if (status != 1 || reason == NULL) {
            fail_msg("%s: the fault is not found (status %d)", name, status);
            return;
        }
        *reason = '\0';
        reason += strlen("  # ");
        print_message("%s: %s: %s", name, plan, reason);

        snprintf(arguments, sizeof arguments, "--replay %s", plan);
        assert_int_equal(run_power(faults[i].program, arguments, reason, replayed), 1);
        assert_string_equal(replayed, reason);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sound_library_passes),
        cmocka_unit_test(test_each_fault_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
