/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_TABLE_RULES_H
#define CLI_TABLE_RULES_H

/* Where partitions go that did not say, and what a table must be like
   (docs/formats/partition-table.md sections 6 to 8). */

#include <stdbool.h>
#include <stdint.h>

#include "cli/table.h"

/* Gives each row without an offset the next free one that suits its type, and turns end addresses
   (negative sizes) into sizes. Returns false with the problem where a row begins before the one
   above it ends. For rows read from CSV; those of a binary table are placed. */
bool table_place(struct table *table, const struct table_options *options,
                 struct table_problem *problem);

/* Checks a placed table: each row by itself, the names, the places, the roles. Returns false with
   the first problem; what is allowed but odd goes to options->warn. */
bool table_verify(const struct table *table, const struct table_options *options,
                  struct table_problem *problem);

/* Checks that the table ends within a flash chip of `megabytes`. Returns false with the problem. */
bool table_fits_flash(const struct table *table, unsigned megabytes, struct table_problem *problem);

/* Where the last partition ends, bytes; 0 for a table without rows. */
int64_t table_end(const struct table *table);

/* Checks that a bootloader of `size` bytes, flashed at `offset`, ends before the table. Returns
   false with the problem. */
bool table_fits_bootloader(const struct table_options *options, uint32_t offset, uint64_t size,
                           struct table_problem *problem);

/* What became of table_fits_image. */
struct table_fit {
    unsigned partitions;              /* how many there are of the type and subtype */
    unsigned too_small;               /* of these: how many the image is too large for */
    const struct table_row *smallest; /* of the partitions; NULL if there are none */
};

/* Checks an image of `size` bytes against every partition of a type and subtype (negative: each
   subtype, but not the TEE's apps). It must fit one of them; those that it does not fit, and a
   smallest one that it leaves less than 5 % of, are warnings. Where there is none it fits, with
   fit->partitions 0. Returns false with the problem. */
bool table_fits_image(const struct table *table, const struct table_options *options, int64_t type,
                      int64_t subtype, uint64_t size, struct table_fit *fit,
                      struct table_problem *problem);

#endif
