/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKIP_PROGRAM_H
#define SKIP_PROGRAM_H

/*
 * A program for a Cortex-M as the linker wrote it: where its parts go, and the names of its places.
 *
 *     struct program program;
 *     program_read(&program, "footprint_boot_v1");       ends this program if it cannot
 *     program_load(&program, memory, sizeof memory);
 *     const uint32_t check = program_symbol(&program, "br_ecdsa_i31_vrfy_raw")->st_value & ~1u;
 *     program_free(&program);
 */

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

struct program {
    uint8_t *file;
    const Elf32_Sym *symbols;
    size_t symbol_count;
    const char *names;
    uint32_t entry;
    uint32_t data, data_end; /* its variables: all before is read only */
};

void program_read(struct program *program, const char *path);
void program_free(struct program *program);

/* Copies its parts to their addresses in `memory`, which begins at address 0. */
void program_load(struct program *program, uint8_t *memory, size_t size);

/* A symbol by its name. Ends this program if there is none. */
const Elf32_Sym *program_symbol(const struct program *program, const char *name);

/* The name of the function that an address is in; "" if none. */
const char *program_function(const struct program *program, uint32_t address);

#endif
