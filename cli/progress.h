/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_CLI_PROGRESS_H
#define UPDRAFT_CLI_PROGRESS_H

/*
 * A bar on the terminal while something long runs, and nothing at all elsewhere. It appears when
 * the work has lasted a while, is drawn a few times a second, and is wiped before other output.
 *
 *     struct progress progress;
 *     progress_begin(&progress, stderr, "code.bin", total);
 *     while (...) { ...; progress_update(&progress, done); }
 *     progress_end(&progress);
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct progress {
    FILE *stream;
    const char *label; /* escaped when it is printed; the caller's, kept until the end */
    uint64_t total;    /* 0 if not known */
    uint64_t done;
    double started, drawn; /* seconds of the steady clock */
    bool active;           /* the stream is a terminal that can be redrawn */
    bool visible;          /* a bar stands on the line */
};

void progress_begin(struct progress *progress, FILE *stream, const char *label, uint64_t total);
void progress_update(struct progress *progress, uint64_t done);

/* Wipes the bar, so that a message can be printed; the next update draws it again. */
void progress_clear(struct progress *progress);
void progress_end(struct progress *progress);

/* Returns the bar's line as it looks at this moment, after `seconds` of work, for a terminal of
   `columns`, the last of which it leaves free so that it does not wrap. The caller's. */
char *progress_line(const struct progress *progress, unsigned columns, double seconds);

/* Returns "LABEL  TEXT", both without control characters, as one such line: a label that is too long loses its front, and if that is
   not enough the text loses its end. The caller's. */
char *progress_fit(const char *label, const char *text, unsigned columns);

#endif
