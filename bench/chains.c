/* SPDX-License-Identifier: Apache-2.0 */
#include "chains.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNTER                                             \
    "valgrind --tool=callgrind --toggle-collect=chain_run " \
    "--callgrind-out-file=/dev/null "

static const struct {
    const char *name, *instructions, *ram, *about;
} chains[] = {
    {"plain", "chain_plain_instructions_per_byte", "chain_plain_ram", "an update"},
    {"gzip", "chain_gzip_instructions_per_byte", "chain_gzip_ram", "the same, sent as gzip"},
    {"heatshrink", "chain_heatshrink_instructions_per_byte", "chain_heatshrink_ram",
     "the same, sent as heatshrink"},
    {"signed", "chain_signed_instructions_per_byte", "chain_signed_ram",
     "the same, with an RSA-2048 trailer"},
    {"gzip_signed", "chain_gzip_signed_instructions_per_byte", "chain_gzip_signed_ram",
     "the same, sent as gzip with a trailer"},
    {"staged", "chain_staged_instructions_per_byte", "chain_staged_ram",
     "the same, staged, and copied at boot"},
};

struct counts {
    double bytes, ram, instructions;
};

/* Stores the number that stands behind these words, if the line has them. */
static void read_number(const char *line, const char *words, double *number)
{
    const char *at = strstr(line, words);

    if (at != NULL) {
        *number = strtod(at + strlen(words), NULL);
    }
}

static struct counts run(const char *counter, const char *name)
{
    struct counts counts = {0};
    char command[4096], line[512];

    snprintf(command, sizeof command, "%s'%s' %s 2>&1", counter, CHAIN_PROGRAM, name);
    /* NOLINTNEXTLINE(cert-env33-c): a program of this build, no words of anybody else */
    FILE *output = popen(command, "r");
    while (output != NULL && fgets(line, sizeof line, output) != NULL) {
        read_number(line, "bytes ", &counts.bytes);
        read_number(line, "ram ", &counts.ram);
        read_number(line, "Collected : ", &counts.instructions);
    }
    if (output == NULL || pclose(output) != 0 || counts.bytes == 0) {
        fprintf(stderr, "updraft-bench: failed: %s\n", command);
        exit(1);
    }
    return counts;
}

void chains_measure(struct figures *figures)
{
    /* NOLINTNEXTLINE(cert-env33-c): words of this file */
    const bool can_count = system("command -v valgrind >/dev/null") == 0;

    if (!can_count) {
        printf("(no instructions of the chains: valgrind is not installed)\n");
    }
    for (size_t i = 0; i < sizeof chains / sizeof *chains; i++) {
        const struct counts counts = run(can_count ? COUNTER : "", chains[i].name);
        if (can_count) {
            figures_add(figures,
                        &(struct figure){chains[i].instructions, counts.instructions / counts.bytes,
                                         "", chains[i].about, 0, false, false});
        }
        figures_add(figures, &(struct figure){chains[i].ram, counts.ram, "bytes",
                                              "its objects and its stack", 0, false, false});
    }
}
