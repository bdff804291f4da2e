/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKIP_MACHINE_H
#define SKIP_MACHINE_H

/*
 * A Cortex-M4 with a bootloader in it (bench/footprint/boot.c), and a way to disturb it: once, at a
 * place of its code, it passes over some bytes of instructions, as a glitch of its supply would
 * have it.
 *
 *     struct machine *machine = machine_new("footprint_boot_v1");
 *     machine->flash[...] = ...;
 *     enum machine_end end = machine_run(machine, NULL);               undisturbed
 *     const struct machine_skip skip = {.address = pc, .bytes = 2};
 *     end = machine_run(machine, &skip);
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MACHINE_FLASH_SIZE 0x200000u

enum machine_end {
    MACHINE_HALTED,  /* it has decided to run nothing */
    MACHINE_BOOTED,  /* it has jumped into the flash: machine->booted is where */
    MACHINE_CRASHED, /* a fault of the processor: it would reset */
    MACHINE_LOST,    /* it runs and runs: a watchdog would reset it */
};

/* What it passes over. */
struct machine_skip {
    uint32_t address;
    unsigned bytes;
    unsigned hit; /* at which time that it comes there, from 0 */
};

/* An instruction that a run came through. */
struct machine_step {
    uint32_t address;
    uint8_t size; /* bytes */
    uint32_t hits;
};

struct machine {
    uint8_t *flash;     /* what is in it when it starts */
    uint64_t budget;    /* halfwords of instructions, beside checks of signatures: who needs more is
                        lost */
    uint32_t booted;    /* offset in the flash */
    bool skipped;       /* whether the last run came to where it was to be disturbed */
    uint64_t halfwords; /* of instructions in the last run, but for checks made before */

    /* Private. */
    struct machine_own *own;
};

/* Makes one from an ELF file. Ends the program if it cannot. */
struct machine *machine_new(const char *path);
void machine_free(struct machine *machine);

/* The bytes of a symbol, to be changed before a run; and how many they are. */
uint8_t *machine_symbol(struct machine *machine, const char *name, uint32_t *size);

/* Runs from reset. What it writes to the flash is forgotten when it ends. */
enum machine_end machine_run(struct machine *machine, const struct machine_skip *skip);

/* Runs undisturbed and lists the instructions on the way. Returns how many; the list is the
   machine's until the next call. */
size_t machine_trace(struct machine *machine, const struct machine_step **steps);

/* The function that an address is in; "" if none. */
const char *machine_function(const struct machine *machine, uint32_t address);

/* Whether it is one of the crypto library's. */
bool machine_is_crypto(const struct machine *machine, uint32_t address);

#endif
