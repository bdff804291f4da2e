/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKIP_MACHINE_H
#define SKIP_MACHINE_H

/*
 * A Cortex-M4 with a bootloader in it (bench/footprint/boot.c), and a way to disturb it: once, at a
 * place of its way, it passes over some bytes of instructions, as a glitch of its supply would have
 * it.
 *
 *     struct machine *machine = machine_new("footprint_boot_v1");
 *     machine->flash[...] = ...;
 *     machine_walk(machine, visit, context);
 *
 *     void visit(void *context, const struct machine_place *place)
 *     {
 *         end = machine_skip(machine, 2);     as often as one likes: then it is back at the place
 *         end = machine_skip(machine, 4);
 *     }
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MACHINE_FLASH_SIZE 0x200000u

enum machine_end {
    MACHINE_HALTED,  /* it has decided to run nothing */
    MACHINE_BOOTED,  /* it has jumped into the flash: machine->booted is where */
    MACHINE_STRAYED, /* it has jumped to where its variables are */
    MACHINE_CRASHED, /* a fault of the processor: it would reset */
    MACHINE_LOST,    /* it runs and runs: a watchdog would reset it */
};

/* An arrival at an instruction. */
struct machine_place {
    uint32_t address;
    uint64_t steps;     /* that were taken before */
    bool in_arithmetic; /* within the crypto library's arithmetic of curves */
};

struct machine {
    uint8_t *flash;     /* what is in it at reset, MACHINE_FLASH_SIZE bytes */
    uint32_t booted;    /* offset in the flash */
    uint32_t strayed;   /* address */
    uint64_t halfwords; /* of instructions, in the last run or since what was passed over */

    /* Private. */
    struct machine_own *own;
};

/* Makes one from an ELF file. Ends the program if it cannot. */
struct machine *machine_new(const char *path);
void machine_free(struct machine *machine);

/* The bytes of a symbol, to be changed before a run; and how many they are. */
uint8_t *machine_symbol(struct machine *machine, const char *name, uint32_t *size);

/* The function that an address is in; "" if none. */
const char *machine_function(const struct machine *machine, uint32_t address);

/* Runs from reset, undisturbed, and takes each step itself. */
enum machine_end machine_run(struct machine *machine);

typedef void machine_visit_fn(void *context, const struct machine_place *place);

/* Runs so, and then once more: this time it visits the places that it came through, in their order,
   each instruction's first and last arrival, outside of the arithmetic of curves and within it.
   Ends the program if the arithmetic comes to something else than on this machine. */
void machine_walk(struct machine *machine, machine_visit_fn *visit, void *context);

/* In a visit: passes over the next bytes of instructions and runs to the end. */
enum machine_end machine_skip(struct machine *machine, unsigned bytes);

#endif
