/* SPDX-License-Identifier: Apache-2.0 */
/*
 * updraft-skip [--part K/N] [--json FILE] V1 V2: the two bootloaders of bench/footprint (what they
 * demand differs), disturbed on their way to the refusal of a bad image: at each instruction that
 * they come through, the 2, 4, 6, 8 and 10 bytes from there on are passed over, the first time that
 * they come there and the last. No run may boot the bad image, or run bytes of it in its variables.
 *
 * What happens within the arithmetic of curves (arithmetic.h) takes hours to try whole: --part takes
 * every N-th place of it, from the K-th on. All that is outside of it is always tried.
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

#include <updraft/chip.h>
#include <updraft/otadata.h>

#include "skip/machine.h"
#include "support/images.h"
#include "support/seals.h"

#define OTADATA 0x9000u
#define TABLE 0x8000u
#define SLOT_SIZE 0x10000u
#define SLOT(n) (0x10000u + SLOT_SIZE * (n))
#define IMAGE_SIZE 700u
#define SKIP_BYTES_MAX 10u
#define REPORTED_MAX 100u /* of a scenario */
#define CHECKED_EACH 8u

/* The model of a Cortex-M4 with its flash on a quad SPI bus: a cycle for each halfword of
   instructions, and a rate at which bytes come. */
#define CLOCK_HZ 64e6
#define FLASH_BYTES_PER_S 20e6
#define LARGE_IMAGE_SIZE 921600u
#define LARGE_SLOT_SIZE 0x100000u

/* What is wrong with the image that is chosen. */
enum bad {
    UNSIGNED,
    STRANGER, /* signed by another key */
    CHANGED,  /* with the signature of another image */
    BADS
};
static const char *const bad_names[] = {"unsigned", "another key", "changed"};

struct counts {
    uint64_t skips, booted_good, halted, crashed, lost, bad;
};

struct scenario {
    struct machine *machine;
    bool v2;
    enum bad bad;
    bool other_is_good;   /* else the other slot is blank */
    unsigned part, parts; /* of the places in the arithmetic */
    unsigned places, in_arithmetic;
    struct counts counts;
};

#define SCENARIOS (2 * 2 * BADS)

static struct signer *ours;
static struct signer *theirs;

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "skip: %s\n", what);
    exit(EXIT_FAILURE);
}

/* ---- The flash ------------------------------------------------------------------------------- */

static void put_table(uint8_t *flash)
{
    const struct table_row rows[] = {{1, 0x00, OTADATA, 0x2000, "otadata", 0},
                                     {0, 0x10, SLOT(0), SLOT_SIZE, "ota_0", 0},
                                     {0, 0x11, SLOT(1), SLOT_SIZE, "ota_1", 0}};
    table_make(flash + TABLE, rows, 3, false);
}

static void put_entry(uint8_t *flash, uint32_t index, enum ota_image_state state)
{
    struct ota_otadata_entry entry = {
        .sequence = index + 1, .state = state, .crc = ota_otadata_crc(index + 1)};
    memset(entry.label, 0xFF, sizeof entry.label);
    ota_otadata_entry_encode(&entry, flash + OTADATA + 0x1000 * index);
}

static size_t put_image(uint8_t *place, uint32_t seed)
{
    const size_t len =
        image_make(place, SLOT_SIZE / 2,
                   &(struct image_facts){.chip = OTA_CHIP_HOST, .size = IMAGE_SIZE, .seed = seed});
    if (len == 0) {
        fail("no image");
    }
    return len;
}

static void seal(bool v2, uint8_t *image, size_t len, struct signer *signer)
{
    if (v2) {
        (void)seals_put_v2(image, len, &signer, 1);
    } else {
        (void)seals_put_v1(image, len, signer);
    }
}

/* An image whose signature is of an image as long as this. */
static void put_changed(bool v2, uint8_t *place)
{
    static uint8_t other[SLOT_SIZE];
    memset(other, 0xFF, sizeof other);
    const size_t len = put_image(other, 3);
    seal(v2, other, len, ours);
    if (put_image(place, 2) != len) {
        fail("images differ in length");
    }
    memcpy(place + len, other + len, SLOT_SIZE - len);
}

static void put_bad(bool v2, enum bad bad, uint8_t *place)
{
    if (bad == CHANGED) {
        put_changed(v2, place);
        return;
    }
    const size_t len = put_image(place, 2);
    if (bad == STRANGER) {
        seal(v2, place, len, theirs);
    }
}

static void put_flash(const struct scenario *scenario)
{
    uint8_t *flash = scenario->machine->flash;
    memset(flash, 0xFF, MACHINE_FLASH_SIZE);
    put_table(flash);
    put_entry(flash, 0, OTA_STATE_VALID);
    put_entry(flash, 1, OTA_STATE_NEW);
    if (scenario->other_is_good) {
        seal(scenario->v2, flash + SLOT(0), put_image(flash + SLOT(0), 1), ours);
    }
    put_bad(scenario->v2, scenario->bad, flash + SLOT(1));
}

static void put_key(struct machine *machine, bool v2)
{
    uint32_t size;
    uint8_t *place = machine_symbol(machine, v2 ? "boot_digests" : "boot_point", &size);
    if (size != (v2 ? OTA_SHA256_SIZE : OTA_P256_POINT_SIZE)) {
        fail("the program's key has another size");
    }
    if (v2) {
        seals_key_digest(ours, place);
    } else {
        memcpy(place, ours->key.bytes, size);
    }
}

/* ---- Disturbing ------------------------------------------------------------------------------ */

static const char *describe(const struct scenario *scenario)
{
    static char text[80];
    (void)snprintf(text, sizeof text, "%-3s %-12s %-12s", scenario->v2 ? "v2" : "v1",
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
    return (scenario->other_is_good && at >= SLOT(0) && at < SLOT(1)) ||
           (at <= MACHINE_FLASH_SIZE - sizeof blank &&
            memcmp(machine->flash + at, blank, sizeof blank) == 0);
}

/* Counts how it ended. Returns false if it should not have ended so. What is in the variables is in
   part what whoever sends the image would have there. */
static bool count_end(struct scenario *scenario, enum machine_end end)
{
    struct counts *counts = &scenario->counts;
    const bool booted = end == MACHINE_BOOTED;
    const bool good = booted && scenario->other_is_good && scenario->machine->booted == SLOT(0);
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
        (scenario->other_is_good && machine->booted != SLOT(0))) {
        fail("undisturbed, the bootloader does not do as it should");
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
    put_flash(scenario);
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
    put_key(scenario->machine, scenario->v2);
    play(scenario);
    machine_free(scenario->machine);
    _exit(write(answer, &scenario->counts, sizeof scenario->counts) ==
                  (ssize_t)sizeof scenario->counts
              ? 0
              : 1);
}

static void start(struct work *work, const char *program)
{
    int ends[2];
    if (pipe(ends) != 0 || (work->process = fork()) < 0) {
        fail("no process");
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
        fail("a scenario was not played to its end");
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
        works[i].scenario = (struct scenario){.v2 = i % 2 != 0,
                                              .other_is_good = i / 2 < BADS,
                                              .bad = (enum bad)(i / 2 % BADS),
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
    const struct table_row rows[] = {{1, 0x00, OTADATA, 0x2000, "otadata", 0},
                                     {0, 0x10, SLOT(0), LARGE_SLOT_SIZE, "ota_0", 0}};
    uint8_t *image = machine->flash + SLOT(0);
    put_key(machine, false);
    memset(machine->flash, 0xFF, MACHINE_FLASH_SIZE);
    table_make(machine->flash + TABLE, rows, 2, false);
    put_entry(machine->flash, 0, OTA_STATE_VALID);
    const size_t len = image_make(
        image, LARGE_SLOT_SIZE - OTA_SECURE_V1_SIZE,
        &(struct image_facts){.chip = OTA_CHIP_HOST, .size = LARGE_IMAGE_SIZE, .seed = 1});
    seal(false, image, len, ours);
    if (machine_run(machine) != MACHINE_BOOTED || machine->booted != SLOT(0)) {
        fail("the bootloader does not boot a good image");
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
        fail(path);
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
            fail("options are --part K/N and --json FILE");
        }
    }
    if (argc - i != 2 || parts == 0) {
        fail("name the two bootloaders; --part takes K/N");
    }
    ours = signer_new_curve("P-256");
    theirs = signer_new_curve("P-256");
    const double boot_ms = measure_boot(argv[i]);
    printf("a boot of 900 KB: %.0f ms at 64 MHz, each signature checked twice\n", boot_ms);
    fflush(stdout);
    play_all(argv + i, part, parts, &counts);
    print_end(&counts);
    if (json != NULL) {
        write_json(json, &counts, boot_ms);
    }
    signer_free(ours);
    signer_free(theirs);
    return counts.bad == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
