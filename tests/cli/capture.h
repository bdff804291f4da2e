/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CLI_CAPTURE_H
#define TESTS_CLI_CAPTURE_H

/* What a command prints, caught in memory: between capture_begin and capture_end standard output
   and standard error go into `out` and `err`. */

#include <stdio.h>
#include <stdlib.h>

struct capture {
    char *out, *err;
    size_t out_len, err_len;
    FILE *real_out, *real_err;
};

static inline void capture_begin(struct capture *capture)
{
    *capture = (struct capture){.real_out = stdout, .real_err = stderr};
    stdout = open_memstream(&capture->out, &capture->out_len);
    stderr = open_memstream(&capture->err, &capture->err_len);
}

static inline void capture_end(struct capture *capture)
{
    fclose(stdout);
    fclose(stderr);
    stdout = capture->real_out;
    stderr = capture->real_err;
}

static inline void capture_free(struct capture *capture)
{
    free(capture->out);
    free(capture->err);
    *capture = (struct capture){0};
}

#endif
