/* SPDX-License-Identifier: Apache-2.0 */
/*
 * updraft-skip [--part K/N] [--json FILE] V1 V2: the two bootloaders of bench/footprint (what they
 * demand differs), disturbed on their way to the refusal of a bad image: at each instruction that
 * they come through, the 2, 4, 6, 8 and 10 bytes from there on are passed over, the first time that
 * they come there and the last. No run may boot the bad image.
 *
 * --part takes of the crypto library's own instructions every N-th, from the K-th on: all of them
 * take many hours. All others are always taken.
 *
 * First it measures how long a boot takes: boot_ms_900k, by the model below.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    uint64_t skips, booted_good, halted, crashed, lost;
};

struct scenario {
    struct machine *machine;
    bool v2;
    enum bad bad;
    bool other_is_good; /* else the other slot is blank */
    unsigned part, parts;
    struct counts *counts;
};

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

static void try(const struct scenario *scenario, const struct machine_skip *skip)
{
    struct machine *machine = scenario->machine;
    const enum machine_end end = machine_run(machine, skip);
    struct counts *counts = scenario->counts;
    if (!machine->skipped) { /* it is within a check whose result was known */
        return;
    }
    counts->skips++;
    counts->halted += end == MACHINE_HALTED;
    counts->lost += end == MACHINE_LOST;
    if (end == MACHINE_BOOTED && scenario->other_is_good && machine->booted == SLOT(0)) {
        counts->booted_good++;
        return;
    }
    /* A jump to where there is no image ends as a crash does. */
    if (end != MACHINE_BOOTED || machine->booted < SLOT(1) ||
        machine->booted >= SLOT(1) + SLOT_SIZE) {
        counts->crashed += end == MACHINE_CRASHED || end == MACHINE_BOOTED;
        return;
    }
    fprintf(stderr,
            "skip: %s, %s, %s: %u bytes at 0x%" PRIx32 " (%s), hit %u: boots 0x%" PRIx32 "\n",
            scenario->v2 ? "v2" : "v1", bad_names[scenario->bad],
            scenario->other_is_good ? "the other good" : "the other blank", skip->bytes,
            skip->address, machine_function(machine, skip->address), skip->hit, machine->booted);
    exit(EXIT_FAILURE);
}

/* Of what is come to often, the first time and the last. */
static void try_hits(const struct scenario *scenario, uint32_t address, unsigned bytes,
                     uint32_t hits)
{
    try(scenario, &(struct machine_skip){.address = address, .bytes = bytes});
    if (hits > 1) {
        try(scenario, &(struct machine_skip){.address = address, .bytes = bytes, .hit = hits - 1});
    }
}

static void try_step(const struct scenario *scenario, const struct machine_step *step)
{
    for (unsigned bytes = 2; bytes <= SKIP_BYTES_MAX; bytes += 2) {
        try_hits(scenario, step->address, bytes, step->hits);
    }
}

static void play(const struct scenario *scenario)
{
    const struct machine_step *steps;
    const struct counts before = *scenario->counts;
    put_flash(scenario);
    const enum machine_end end = machine_run(scenario->machine, NULL);
    if (end != (scenario->other_is_good ? MACHINE_BOOTED : MACHINE_HALTED) ||
        (scenario->other_is_good && scenario->machine->booted != SLOT(0))) {
        fail("undisturbed, the bootloader does not do as it should");
    }
    const size_t count = machine_trace(scenario->machine, &steps);
    size_t in_crypto = 0;
    for (size_t i = 0; i < count; i++) {
        const bool is_crypto = machine_is_crypto(scenario->machine, steps[i].address);
        if (!is_crypto || in_crypto % scenario->parts == scenario->part) {
            try_step(scenario, &steps[i]);
        }
        in_crypto += is_crypto;
    }
    printf("  %-3s %-12s %-12s %6zu instructions %8" PRIu64 " skips\n", scenario->v2 ? "v2" : "v1",
           bad_names[scenario->bad], scenario->other_is_good ? "other good" : "other blank", count,
           scenario->counts->skips - before.skips);
    fflush(stdout);
}

static void play_all(const struct scenario *like)
{
    struct scenario scenario = *like;
    put_key(scenario.machine, scenario.v2);
    for (int i = 0; i < 2 * BADS; i++) {
        scenario.bad = (enum bad)(i / 2);
        scenario.other_is_good = i % 2 != 0;
        play(&scenario);
    }
}

/* ---- How long a boot takes ------------------------------------------------------------------- */

static double measure_boot(struct machine *machine)
{
    const struct table_row rows[] = {{1, 0x00, OTADATA, 0x2000, "otadata", 0},
                                     {0, 0x10, SLOT(0), LARGE_SLOT_SIZE, "ota_0", 0}};
    uint8_t *image = machine->flash + SLOT(0);
    const uint64_t budget = machine->budget;
    put_key(machine, false);
    memset(machine->flash, 0xFF, MACHINE_FLASH_SIZE);
    table_make(machine->flash + TABLE, rows, 2, false);
    put_entry(machine->flash, 0, OTA_STATE_VALID);
    const size_t len = image_make(
        image, LARGE_SLOT_SIZE - OTA_SECURE_V1_SIZE,
        &(struct image_facts){.chip = OTA_CHIP_HOST, .size = LARGE_IMAGE_SIZE, .seed = 1});
    seal(false, image, len, ours);
    machine->budget = UINT64_MAX / 2;
    if (machine_run(machine, NULL) != MACHINE_BOOTED || machine->booted != SLOT(0)) {
        fail("the bootloader does not boot a good image");
    }
    machine->budget = budget;
    return 1e3 * ((double)machine->halfwords / CLOCK_HZ + (double)len / FLASH_BYTES_PER_S);
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

int main(int argc, char **argv)
{
    struct counts counts = {0};
    struct scenario scenario = {.parts = 1, .counts = &counts};
    const char *json = NULL;
    int i = 1;
    for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
        char *end = argv[i + 1];
        if (strcmp(argv[i], "--json") == 0) {
            json = argv[i + 1];
        } else if (strcmp(argv[i], "--part") == 0) {
            scenario.part = (unsigned)strtoul(argv[i + 1], &end, 10);
            scenario.parts = *end == '/' ? (unsigned)strtoul(end + 1, NULL, 10) : 0;
        } else {
            fail("options are --part K/N and --json FILE");
        }
    }
    if (argc - i != 2 || scenario.parts == 0) {
        fail("name the two bootloaders; --part takes K/N");
    }
    ours = signer_new_curve("P-256");
    theirs = signer_new_curve("P-256");
    scenario.machine = machine_new(argv[i]);
    const double boot_ms = measure_boot(scenario.machine);
    printf("a boot of 900 KB: %.0f ms at 64 MHz, each signature checked twice\n", boot_ms);
    play_all(&scenario);
    machine_free(scenario.machine);
    scenario.machine = machine_new(argv[i + 1]);
    scenario.v2 = true;
    play_all(&scenario);
    machine_free(scenario.machine);
    printf("%" PRIu64 " skips: no bad image booted (%" PRIu64 " halted, %" PRIu64
           " booted the good one, %" PRIu64 " crashed, %" PRIu64 " were lost)\n",
           counts.skips, counts.halted, counts.booted_good, counts.crashed, counts.lost);
    if (json != NULL) {
        write_json(json, &counts, boot_ms);
    }
    signer_free(ours);
    signer_free(theirs);
    return EXIT_SUCCESS;
}
