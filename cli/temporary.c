/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/output.h"

static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
#define SIGNALS (sizeof(signals) / sizeof(signals[0]))

/* What a handler may look at. No command has more than two at a time; one that finds no place is a
   file all the same. */
#define PENDING_MAX 8u
static const char *volatile pending[PENDING_MAX];

void temporary_remove_all(void)
{
    for (size_t i = 0; i < PENDING_MAX; i++) {
        const char *name = pending[i];
        if (name != NULL) {
            unlink(name);
        }
    }
}

/* The signal is back at its default (SA_RESETHAND) and blocked until the handler returns: then it
   ends the program, as whoever waits for it is to see. */
static void on_signal(int number)
{
    temporary_remove_all();
    raise(number);
}

static void fill(sigset_t *set)
{
    sigemptyset(set);
    for (size_t i = 0; i < SIGNALS; i++) {
        sigaddset(set, signals[i]);
    }
}

/* Takes the signals that would end the program, and no others. */
static void catch_signals(void)
{
    struct sigaction own = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    struct sigaction present;
    fill(&own.sa_mask);
    for (size_t i = 0; i < SIGNALS; i++) {
        if (sigaction(signals[i], NULL, &present) == 0 && present.sa_handler == SIG_DFL) {
            sigaction(signals[i], &own, NULL);
        }
    }
}

static void release_signals(void)
{
    struct sigaction present;
    for (size_t i = 0; i < SIGNALS; i++) {
        if (sigaction(signals[i], NULL, &present) == 0 && present.sa_handler == on_signal) {
            signal(signals[i], SIG_DFL);
        }
    }
}

static void remember(const char *name)
{
    for (size_t i = 0; i < PENDING_MAX; i++) {
        if (pending[i] == NULL) {
            pending[i] = name;
            break;
        }
    }
    catch_signals();
}

static void forget(const char *name)
{
    bool any = false;
    for (size_t i = 0; i < PENDING_MAX; i++) {
        if (pending[i] == name) {
            pending[i] = NULL;
        }
        any = any || pending[i] != NULL;
    }
    if (!any) {
        release_signals();
    }
}

/* Creates it and remembers its name, with no signal in between: the file of another process must
   not be removed, nor one of this process be missed. */
static int create(const char *name, mode_t mode)
{
    sigset_t blocked;
    sigset_t usual;
    fill(&blocked);
    pthread_sigmask(SIG_BLOCK, &blocked, &usual);
    int descriptor = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    int error = errno;
    if (descriptor >= 0) {
        remember(name);
    }
    pthread_sigmask(SIG_SETMASK, &usual, NULL);
    errno = error;
    return descriptor;
}

int temporary_create(const char *path, mode_t mode, char **name)
{
    for (unsigned attempt = 0; attempt < 1000; attempt++) {
        *name = output_format("%s.%ld-%u.tmp", path, (long)getpid(), attempt);
        int descriptor = create(*name, mode);
        if (descriptor >= 0) {
            return descriptor;
        }
        int error = errno;
        free(*name);
        *name = NULL;
        errno = error;
        if (error != EEXIST) {
            break;
        }
    }
    return -1;
}

void temporary_forget(char *name)
{
    forget(name);
    free(name);
}

void temporary_remove(char *name)
{
    if (name != NULL) {
        unlink(name);
        temporary_forget(name);
    }
}
