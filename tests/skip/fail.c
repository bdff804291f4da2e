/* SPDX-License-Identifier: Apache-2.0 */
#include "skip/fail.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void skip_fail(const char *what, const char *why)
{
    fprintf(stderr, "skip: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}
