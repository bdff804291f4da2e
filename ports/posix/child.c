/* SPDX-License-Identifier: Apache-2.0 */
/* The firmware as a child process. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "posix/child.h"
#include "posix/program.h"
#include "posix/standin.h"

#define STATUS_NO_PROGRAM 127
#define OBEY_MS 500

/* Makes the process that fork has just made the firmware's: its outputs go to the runner, it gets
   the signals that the runner had blocked, and it does not outlive the runner. */
static void become_child(pid_t runner, int output, bool keeps_input)
{
    sigset_t none;
    sigemptyset(&none);
    if (!keeps_input) {
        dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
    }
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != runner) {
        _exit(STATUS_NO_PROGRAM);
    }
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void set_or_unset(const char *name, const char *value)
{
    if (value != NULL) {
        setenv(name, value, 1);
    } else {
        unsetenv(name);
    }
}

static _Noreturn void run_program(const struct board *board, int program,
                                  const struct child_options *options)
{
    char name[] = "firmware";
    char *arguments[] = {name, NULL};
    setenv(BOARD_ENV_DIRECTORY, board->directory, 1);
    set_or_unset(BOARD_ENV_PULL, options->pull_url);
    set_or_unset(BOARD_ENV_WAYS, options->ways);
    fexecve(program, arguments, environ);
    fprintf(stderr, "the program that the image carries cannot be executed: %s\n", strerror(errno));
    _exit(STATUS_NO_PROGRAM);
}

static _Noreturn void run_standin(struct board *board, const struct rom_boot *boot,
                                  const struct child_options *options)
{
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    board->pull_url = options->pull_url;
    board->ways = options->ways;
    board_become_firmware(board);
    const int status = standin_run(board, boot);
    fflush(NULL);
    _exit(status);
}

bool child_start(struct child *child, struct board *board, const struct rom_boot *boot,
                 const struct child_options *options, const char **reason)
{
    int pipes[2];
    int program = -1;
    *child = (struct child){.process = -1, .output = -1};
    snprintf(child->tag, sizeof child->tag, "%s",
             boot->descriptor.project[0] != '\0' ? boot->descriptor.project : "app");
    if (board->settings.chip.id == OTA_CHIP_HOST) {
        program = program_load(&boot->region, &boot->image, reason);
        if (program < 0) {
            return false;
        }
    }
    if (pipe2(pipes, O_CLOEXEC) != 0) {
        *reason = "there are not enough file descriptors to start the firmware";
        close(program);
        return false;
    }
    fflush(NULL);
    const pid_t runner = getpid();
    child->process = fork();
    if (child->process == 0) {
        become_child(runner, pipes[1], options->keeps_input);
        if (program >= 0) {
            run_program(board, program, options);
        }
        run_standin(board, boot, options);
    }
    close(pipes[1]);
    if (program >= 0) {
        close(program);
    }
    if (child->process < 0) {
        close(pipes[0]);
        *reason = "there are not enough processes to start the firmware";
        return false;
    }
    fcntl(pipes[0], F_SETFL, O_NONBLOCK);
    child->output = pipes[0];
    return true;
}

static void print_line(struct child *child, struct console *console)
{
    enum ota_log_level level = OTA_LOG_INFO;
    char *tag = child->tag;
    char *text = child->line;
    uint32_t done;
    uint32_t total;
    child->line[child->line_len] = '\0';
    child->line_len = 0;
    if (platform_parse_progress(child->line, &tag, &text, &done, &total)) {
        console_progress(console, tag, text, done, total);
        return;
    }
    platform_parse_log(child->line, &level, &tag, &text);
    console_line(console, level, tag, "%s", text);
}

void child_listen(struct child *child, struct console *console)
{
    char bytes[4096];
    ssize_t got;
    while ((got = read(child->output, bytes, sizeof bytes)) > 0) {
        for (ssize_t i = 0; i < got; i++) {
            if (bytes[i] == '\n') {
                print_line(child, console);
                continue;
            }
            if (child->line_len == sizeof child->line - 1) {
                print_line(child, console);
            }
            child->line[child->line_len++] = bytes[i];
        }
    }
    if (got == 0) { /* it has closed its outputs: there is nothing more to wait for here */
        close(child->output);
        child->output = -1;
    }
}

/* The child is no more: prints what it left. */
static void finish(struct child *child, struct console *console)
{
    if (child->output >= 0) {
        child_listen(child, console);
    }
    if (child->line_len > 0) {
        print_line(child, console);
    }
    if (child->output >= 0) {
        close(child->output);
    }
    child->output = -1;
    child->process = -1;
}

bool child_ended(struct child *child, struct console *console, int *status)
{
    if (waitpid(child->process, status, WNOHANG) != child->process) {
        return false;
    }
    finish(child, console);
    return true;
}

void child_stop(struct child *child, struct console *console)
{
    int status;
    if (child->process < 0) {
        return;
    }
    kill(-child->process, SIGTERM);
    const int64_t deadline = platform_clock_ms() + OBEY_MS;
    while (platform_clock_ms() < deadline) {
        if (child_ended(child, console, &status)) {
            return;
        }
        struct pollfd output = {.fd = child->output, .events = POLLIN};
        poll(&output, 1, 10);
        if (child->output >= 0) {
            child_listen(child, console);
        }
    }
    kill(-child->process, SIGKILL);
    waitpid(child->process, &status, 0);
    finish(child, console);
}
