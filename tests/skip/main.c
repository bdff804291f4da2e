/* SPDX-License-Identifier: Apache-2.0 */
/*
 * updraft-skip [--part K/N] [--json FILE] V1 V2: the two bootloaders of bench/footprint (what they
 * demand differs), disturbed on their way to the refusal of a bad image: at each instruction that
 * they come through, the 2, 4, 6, 8 and 10 bytes from there on are passed over, the first time that
 * they come there and the last. No run may boot the bad image, or run bytes of it in its variables.
 *
 * What happens within the arithmetic of curves (arithmetic.h) takes hours to try whole: --part
 * takes every N-th place of it, from the K-th on. All that is outside of it is always tried.
 *
 * Each scenario is a process, and as many of them run at once as there are processors. First it
 * measures how long a boot takes: boot_ms_900k, by the model below.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/wait.h>
#include <unistd.h>

#include "skip/fail.h"
#include "skip/flash.h"
#include "skip/machine.h"

#define SKIP_BYTES_MAX 10u
#define REPORTED_MAX 100u /* of a scenario */
#define CHECKED_EACH 8u

/* The model of a Cortex-M4 with its flash on a quad SPI bus: a cycle for each halfword of
   instructions, and a rate at which bytes come. */
#define CLOCK_HZ 64e6
#define FLASH_BYTES_PER_S 20e6
#define LARGE_IMAGE_SIZE 921600u

static const char *const bad_names[] = {"unsigned", "another key", "changed"};

struct counts {
    uint64_t skips, booted_good, halted, crashed, lost, bad;
};

struct scenario {
    struct machine *machine;
    enum flash_form form;
    enum flash_bad bad;
    bool other_is_good;   /* else the other slot is blank */
    unsigned part, parts; /* of the places in the arithmetic */
    unsigned places, in_arithmetic;
    struct counts counts;
};

#define SCENARIOS (2 * 2 * FLASH_BADS)

/* ---- Disturbing ------------------------------------------------------------------------------ */

static const char *describe(const struct scenario *scenario)
{
    static char text[80];
    (void)snprintf(text, sizeof text, "%-3s %-12s %-12s", scenario->form == FLASH_V2 ? "v2" : "v1",
                   bad_names[scenario->bad],
                   scenario->other_is_good ? "other good" : "other blank");
    return text;
}

/* A jump into flash where nothing is, or into the midst of the good image, ends as a crash does. */
static bool is_harmless(const struct scenario *scenario)
{
    static const uint8_t blank[4] = {0xFF, 0xFF, 0xFF, 0xFF};
    const struct machine *machine = scenario->machine;
    const uint32_t at = machine->booted;
    return (scenario->other_is_good && at >= FLASH_SLOT(0) && at < FLASH_SLOT(1)) ||
           (at <= MACHINE_FLASH_SIZE - sizeof blank &&
            memcmp(machine->flash + at, blank, sizeof blank) == 0);
}

/* Counts how it ended. Returns false if it should not have ended so. What is in the variables is in
   part what whoever sends the image would have there. */
static bool count_end(struct scenario *scenario, enum machine_end end)
{
    struct counts *counts = &scenario->counts;
    const bool booted = end == MACHINE_BOOTED;
    const bool good =
        booted && scenario->other_is_good && scenario->machine->booted == FLASH_SLOT(0);
    const bool nowhere = booted && !good && is_harmless(scenario);
    counts->skips++;
    counts->booted_good += good;
    counts->halted += end == MACHINE_HALTED;
    counts->crashed += end == MACHINE_CRASHED || nowhere;
    counts->lost += end == MACHINE_LOST;
    return end != MACHINE_STRAYED && (!booted || good || nowhere);
}

static void try(struct scenario *scenario, const struct machine_place *place, unsigned bytes)
{
    struct machine *machine = scenario->machine;
    const enum machine_end end = machine_skip(machine, bytes);
    if (count_end(scenario, end)) {
        return;
    }
    if (scenario->counts.bad++ < REPORTED_MAX) {
        fprintf(stderr, "skip: %s: %u bytes at 0x%" PRIx32 " in %s, step %" PRIu64 ": ",
                describe(scenario), bytes, place->address,
                machine_function(machine, place->address), place->steps);
        if (end == MACHINE_BOOTED) {
            fprintf(stderr, "boots 0x%" PRIx32 "\n", machine->booted);
        } else {
            fprintf(stderr, "runs its variables at 0x%" PRIx32 "\n", machine->strayed);
        }
    }
}

/* Nothing passed over: it must go on as if it had never been stopped. */
static void check_machine(const struct scenario *scenario)
{
    struct machine *machine = scenario->machine;
    const enum machine_end end = machine_skip(machine, 0);
    if (end != (scenario->other_is_good ? MACHINE_BOOTED : MACHINE_HALTED) ||
        (scenario->other_is_good && machine->booted != FLASH_SLOT(0))) {
        skip_fail("the bootloader", "does not do as it should, undisturbed");
    }
}

static void visit(void *context, const struct machine_place *place)
{
    struct scenario *scenario = context;
    scenario->places++;
    if (place->in_arithmetic && scenario->in_arithmetic++ % scenario->parts != scenario->part) {
        return;
    }
    if (scenario->places % CHECKED_EACH == 0) {
        check_machine(scenario);
    }
    for (unsigned bytes = 2; bytes <= SKIP_BYTES_MAX; bytes += 2) {
        try(scenario, place, bytes);
    }
}

static void play(struct scenario *scenario)
{
    flash_put_bad(scenario->machine->flash, scenario->form, scenario->bad, scenario->other_is_good);
    machine_walk(scenario->machine, visit, scenario);
    printf("  %s %6u places, %u of them in arithmetic %8" PRIu64 " skips\n", describe(scenario),
           scenario->places, scenario->in_arithmetic, scenario->counts.skips);
    fflush(stdout);
}

/* ---- On all processors ----------------------------------------------------------------------- */

/* What is played by a process of its own. */
struct work {
    struct scenario scenario;
    pid_t process;
    int answer; /* where its counts come out */
};

static _Noreturn void play_alone(struct scenario *scenario, const char *program, int answer)
{
    scenario->machine = machine_new(program);
    flash_put_key(scenario->machine, scenario->form);
    play(scenario);
    machine_free(scenario->machine);
    const ssize_t size = sizeof scenario->counts;
    _exit(write(answer, &scenario->counts, sizeof scenario->counts) == size ? 0 : 1);
}

static void start(struct work *work, const char *program)
{
    int ends[2];
    if (pipe(ends) != 0 || (work->process = fork()) < 0) {
        skip_fail("a process", "cannot be made");
    }
    if (work->process == 0) {
        play_alone(&work->scenario, program, ends[1]);
    }
    (void)close(ends[1]);
    work->answer = ends[0];
}

static void add(struct counts *sum, const struct counts *counts)
{
    sum->skips += counts->skips;
    sum->booted_good += counts->booted_good;
    sum->halted += counts->halted;
    sum->crashed += counts->crashed;
    sum->lost += counts->lost;
    sum->bad += counts->bad;
}

/* Waits until one of them has ended. */
static void collect(struct work *works, struct counts *sum)
{
    int status;
    const pid_t process = wait(&status);
    struct counts counts;
    struct work *work = works;
    while (work < works + SCENARIOS && work->process != process) {
        work++;
    }
    if (process < 0 || work == works + SCENARIOS || status != 0 ||
        read(work->answer, &counts, sizeof counts) != (ssize_t)sizeof counts) {
        skip_fail("a scenario", "was not played to its end");
    }
    (void)close(work->answer);
    add(sum, &counts);
}

static void play_all(char *const *programs, unsigned part, unsigned parts, struct counts *sum)
{
    static struct work works[SCENARIOS];
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    long running = 0;
    for (unsigned i = 0; i < SCENARIOS; i++) {
        if (running >= processors) {
            collect(works, sum);
            running--;
        }
        works[i].scenario = (struct scenario){.form = i % 2 != 0 ? FLASH_V2 : FLASH_V1,
                                              .other_is_good = i / 2 < FLASH_BADS,
                                              .bad = (enum flash_bad)(i / 2 % FLASH_BADS),
                                              .part = part,
                                              .parts = parts};
        start(&works[i], programs[i % 2]);
        running++;
    }
    for (; running > 0; running--) {
        collect(works, sum);
    }
}

/* ---- How long a boot takes ------------------------------------------------------------------- */

static double measure_boot(const char *program)
{
    struct machine *machine = machine_new(program);
    flash_put_key(machine, FLASH_V1);
    const size_t len = flash_put_large(machine->flash, LARGE_IMAGE_SIZE);
    if (machine_run(machine) != MACHINE_BOOTED || machine->booted != FLASH_SLOT(0)) {
        skip_fail("the bootloader", "does not boot a good image");
    }
    const double seconds = (double)machine->halfwords / CLOCK_HZ + (double)len / FLASH_BYTES_PER_S;
    machine_free(machine);
    return 1e3 * seconds;
}

/* ---- The program ----------------------------------------------------------------------------- */

static void write_json(const char *path, const struct counts *counts, double boot_ms)
{
    FILE *file = fopen(path, "w");
    if (file == NULL ||
        fprintf(file, "{\"skips\": %" PRIu64 ", \"boot_ms_900k\": %.1f}\n", counts->skips,
                boot_ms) < 0 ||
        fclose(file) != 0) {
        skip_fail(path, "cannot be written");
    }
}

static void print_end(const struct counts *counts)
{
    printf("%" PRIu64 " skips tried, ", counts->skips);
    if (counts->bad == 0) {
        printf("no bad image booted");
    } else {
        printf("A BAD IMAGE BOOTED IN %" PRIu64, counts->bad);
    }
    printf(": %" PRIu64 " refused all, %" PRIu64 " booted the good image, %" PRIu64
           " crashed, %" PRIu64 " hung\n",
           counts->halted, counts->booted_good, counts->crashed, counts->lost);
}

int main(int argc, char **argv)
{
    struct counts counts = {0};
    unsigned part = 0;
    unsigned parts = 1;
    const char *json = NULL;
    int i = 1;
    for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
        char *end = argv[i + 1];
        if (strcmp(argv[i], "--json") == 0) {
            json = argv[i + 1];
        } else if (strcmp(argv[i], "--part") == 0) {
            part = (unsigned)strtoul(argv[i + 1], &end, 10);
            parts = *end == '/' ? (unsigned)strtoul(end + 1, NULL, 10) : 0;
        } else {
            skip_fail("usage", "options are --part K/N and --json FILE");
        }
    }
    if (argc - i != 2 || parts == 0) {
        skip_fail("usage", "name the two bootloaders; --part takes K/N");
    }
    flash_begin();
    const double boot_ms = measure_boot(argv[i]);
    printf("a boot of 900 KB: %.0f ms at 64 MHz, each signature checked twice\n", boot_ms);
    fflush(stdout);
    play_all(argv + i, part, parts, &counts);
    print_end(&counts);
    if (json != NULL) {
        write_json(json, &counts, boot_ms);
    }
    flash_end();
    return counts.bad == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
