/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_TABLE_FILE_H
#define CLI_TABLE_FILE_H

/* Partition tables as files of the form that is flashed (docs/formats/partition-table.md sections 2
   and 9). Unlike ota_partition_table_open, which proves a table before it is used, this reads what
   tables there are and writes what the generator writes. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/table.h"

/* Tells whether data begin as a binary table does. */
bool table_is_binary(const void *data, size_t len);

/* Writes a placed table: rows, the MD5 row if options->md5, 0xFF to the end. Names are cut to 16
   bytes, with a warning. Returns false with the problem: too many rows, a number that its field
   cannot hold. */
bool table_encode(const struct table *table, const struct table_options *options,
                  const struct ota_crypto *crypto, uint8_t bytes[OTA_PARTITION_TABLE_SIZE],
                  struct table_problem *problem);

/* Reads the rows of a binary table up to its end mark, appended to `table`; what follows the mark
   is not looked at. Checks the MD5 row if options->md5, else passes over it. Returns false with the
   problem; free the table in either case. */
bool table_decode(const void *data, size_t len, const struct table_options *options,
                  const struct ota_crypto *crypto, struct table *table,
                  struct table_problem *problem);

#endif
