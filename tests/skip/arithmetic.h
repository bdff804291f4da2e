/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKIP_ARITHMETIC_H
#define SKIP_ARITHMETIC_H

/*
 * The crypto library's arithmetic of curves takes nearly all of a boot's time, and comes to what
 * depends on nothing but what it is given: where it is not disturbed itself, the same library works
 * it out on this machine, a hundred times quicker.
 *
 *     switch (address) { case of a function in arithmetic_functions, by its symbol:
 *         if (function->work_out(engine, curves, &result)) return it in r0, with no step taken; }
 */

#include <stdbool.h>
#include <stdint.h>

#include <unicorn/unicorn.h>

struct arithmetic_function {
    const char *symbol;
    /* Does what the function does that the engine is just about to enter. `curves` is the address
       of the curves' table of functions. Returns false, nothing done, if what it is given makes no
       sense: then the engine itself must run into it. */
    bool (*work_out)(uc_engine *engine, uint32_t curves, uint32_t *result);
};

/* The table's symbol. */
#define ARITHMETIC_CURVES "br_ec_prime_i31"

/* Ends with one whose symbol is NULL. The first is the check of a signature. */
extern const struct arithmetic_function arithmetic_functions[];

#endif
