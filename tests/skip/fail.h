/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKIP_FAIL_H
#define SKIP_FAIL_H

/* Says what went wrong with what, and ends the program. */
_Noreturn void skip_fail(const char *what, const char *why);

#endif
