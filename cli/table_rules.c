/* SPDX-License-Identifier: Apache-2.0 */
/* The generator's rules, in its order: a table with several faults is told of the same one
   first. */

#include "cli/table_rules.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <updraft/otadata.h>

#define NVS_WRITABLE_MIN 0x3000
#define PERCENT_FREE_MIN 5

static int64_t table_sector_end(const struct table_options *options)
{
    return (int64_t)options->offset + OTA_PARTITION_TABLE_SECTOR;
}

/* The rows for the primary bootloader and the table itself, which lie before all others. */
static bool is_in_front(const struct table_row *row, const struct table_options *options)
{
    return options->dialect == TABLE_ESP_IDF &&
           ((row->type == OTA_PARTITION_BOOTLOADER &&
             row->subtype == OTA_SUBTYPE_BOOTLOADER_PRIMARY) ||
            (row->type == OTA_PARTITION_TABLE && row->subtype == OTA_SUBTYPE_TABLE_PRIMARY));
}

static int64_t offset_alignment(const struct table_row *row, const struct table_options *options)
{
    bool app = row->type == OTA_PARTITION_APP;
    if (options->dialect == TABLE_ESP8266) {
        return app ? 0x1000 : 4;
    }
    return app ? 0x10000 : 0x1000;
}

/* The unit that a size comes in, 1 for any. */
static int64_t size_alignment(const struct table_row *row, const struct table_options *options)
{
    bool app = row->type == OTA_PARTITION_APP;
    if (options->dialect == TABLE_ESP8266) {
        return options->secure == TABLE_SECURE_NONE ? 1 : app ? 0x1000 : 4;
    }
    return !app ? 1 : options->secure == TABLE_SECURE_V1 ? 0x10000 : 0x1000;
}

/* Placement. */

static bool begins_too_early(const struct table *table, size_t index, int64_t last_end,
                             const struct table_options *options, struct table_problem *problem)
{
    const struct table_row *row = &table->rows[index];
    char offset[24];
    char end[24];

    table_hex(row->offset, offset);
    table_hex(last_end, end);
    if (options->dialect == TABLE_ESP8266) {
        if (index == 0) {
            return table_problem(problem, row->line,
                                 "First partition offset %s overlaps end of partition table %s",
                                 offset, end);
        }
        return table_problem(problem, row->line,
                             "Partitions overlap. Partition at line %u sets offset %s. Previous "
                             "partition ends %s",
                             row->line, offset, end);
    }
    if (index == 0) {
        return table_problem(problem, row->line,
                             "Partitions overlap. Partition sets offset %s. But partition table "
                             "occupies the whole sector 0x%" PRIx32
                             ". Use a free offset %s or higher.",
                             offset, options->offset, end);
    }
    table_problem(problem, row->line,
                  "Partitions overlap. Partition sets offset %s. Previous partition ends %s",
                  offset, end);
    return table_hint(problem, "rows with offsets must ascend; an empty offset is filled in");
}

bool table_place(struct table *table, const struct table_options *options,
                 struct table_problem *problem)
{
    int64_t last_end = table_sector_end(options);

    for (size_t i = 0; i < table->count; i++) {
        struct table_row *row = &table->rows[i];
        if (is_in_front(row, options)) {
            continue;
        }
        if (!row->has_offset) {
            int64_t align = offset_alignment(row, options);
            int64_t over = ((last_end % align) + align) % align;
            row->offset = over == 0 ? last_end : last_end + align - over;
            row->has_offset = true;
        } else if (row->offset < last_end) {
            return begins_too_early(table, i, last_end, options, problem);
        }
        if (row->size < 0) {
            row->size = -row->size - row->offset;
        }
        last_end = row->offset + row->size;
    }
    return true;
}

/* Verification: one row. */

static bool row_problem(const struct table_row *row, struct table_problem *problem,
                        const char *field, int64_t value, int64_t align)
{
    char hex[24];
    table_problem(problem, row->line, "Partition %s invalid: %s %s is not aligned to 0x%" PRIx64,
                  row->name, field, table_hex(value, hex), (uint64_t)align);
    return table_hint(problem, field[0] == 'O' ? "an empty offset is filled in"
                                               : "round it up to a multiple of that");
}

static void warn_of_misleading_name(const struct table_row *row,
                                    const struct table_options *options)
{
    const char *name;
    int64_t value;

    for (unsigned n = 0; (name = table_type_keyword(options, n, &value)); n++) {
        if (strcmp(name, row->name) == 0 && value != row->type) {
            table_warn(
                options, row->line,
                "'%s' is the name of a partition type, but this partition's type is 0x%" PRIx64
                ": are its fields in order?",
                name, (uint64_t)row->type);
        }
    }
    bool is_subtype_name = false;
    for (int64_t type = OTA_PARTITION_APP; type <= OTA_PARTITION_TABLE; type++) {
        for (unsigned n = 0; (name = table_subtype_keyword(options, type, n, &value)); n++) {
            is_subtype_name |= strcmp(name, row->name) == 0;
        }
    }
    const char *own = table_subtype_name(options, row->type, row->subtype);
    if (is_subtype_name && (!own || strcmp(own, row->name) != 0)) {
        table_warn(options, row->line,
                   "'%s' is the name of a partition subtype, but this partition has type 0x%" PRIx64
                   " and subtype 0x%" PRIx64 ": are its fields in order?",
                   row->name, (uint64_t)row->type, (uint64_t)row->subtype);
    }
}

static bool verify_row(const struct table_row *row, const struct table_options *options,
                       struct table_problem *problem)
{
    int64_t align = offset_alignment(row, options);
    if (row->offset % align != 0) {
        return row_problem(row, problem, "Offset", row->offset, align);
    }
    align = size_alignment(row, options);
    if (row->size % align != 0) {
        return row_problem(row, problem, "Size", row->size, align);
    }
    warn_of_misleading_name(row, options);
    if (options->dialect == TABLE_ESP8266 || row->type != OTA_PARTITION_DATA) {
        return true;
    }
    bool read_only = row->flags & OTA_PARTITION_FLAG_READ_ONLY;
    if (read_only &&
        (row->subtype == OTA_SUBTYPE_DATA_OTA || row->subtype == OTA_SUBTYPE_DATA_COREDUMP)) {
        return table_problem(problem, row->line,
                             "Partition %s invalid: '%s' partition of type %" PRId64
                             " and subtype %" PRId64
                             " is always read-write and cannot be read-only",
                             row->name, row->name, row->type, row->subtype);
    }
    if (!read_only && row->subtype == OTA_SUBTYPE_DATA_NVS && row->size < NVS_WRITABLE_MIN) {
        char hex[24];
        return table_problem(problem, row->line,
                             "Partition %s invalid: '%s' partition of type %" PRId64
                             " and subtype %" PRId64
                             " of this size (%s) must be flagged as 'readonly' (the size of "
                             "read/write NVS has to be at least 0x%x)",
                             row->name, row->name, row->type, row->subtype,
                             table_hex(row->size, hex), (unsigned)NVS_WRITABLE_MIN);
    }
    return true;
}

/* Verification: the rows together. */

static bool verify_names(const struct table *table, struct table_problem *problem)
{
    for (size_t i = 1; i < table->count; i++) {
        const struct table_row *row = &table->rows[i];
        for (size_t j = 0; j < i; j++) {
            if (strcmp(row->name, table->rows[j].name) != 0) {
                continue;
            }
            if (row->line > 0) {
                return table_problem(problem, row->line,
                                     "Partition names must be unique: '%s' is on line %u too",
                                     row->name, table->rows[j].line);
            }
            return table_problem(problem, 0,
                                 "Partition names must be unique: '%s' names rows %zu and %zu",
                                 row->name, j + 1, i + 1);
        }
    }
    return true;
}

static int by_offset(const void *a, const void *b)
{
    const struct table_row *const *row_a = a;
    const struct table_row *const *row_b = b;
    if ((*row_a)->offset != (*row_b)->offset) {
        return (*row_a)->offset < (*row_b)->offset ? -1 : 1;
    }
    return *row_a < *row_b ? -1 : *row_a > *row_b; /* in the order of the file */
}

static bool verify_place(const struct table_row *row, const struct table_row *last,
                         const struct table_options *options, struct table_problem *problem)
{
    char offset[24];
    char start[24];
    char end[24];

    table_hex(row->offset, offset);
    if (row->offset < table_sector_end(options) && !is_in_front(row, options)) {
        return table_problem(problem, row->line, "Partition offset %s is below %s", offset,
                             table_hex(table_sector_end(options), end));
    }
    if (last && row->offset < last->offset + last->size) {
        return table_problem(problem, row->line, "Partition at %s overlaps %s-%s", offset,
                             table_hex(last->offset, start),
                             table_hex(last->offset + last->size - 1, end));
    }
    return true;
}

static bool verify_places(const struct table *table, const struct table_options *options,
                          struct table_problem *problem)
{
    const struct table_row *sorted[TABLE_ROWS_LIMIT];
    for (size_t i = 0; i < table->count; i++) {
        sorted[i] = &table->rows[i];
    }
    qsort(sorted, table->count, sizeof sorted[0], by_offset);
    for (size_t i = 0; i < table->count; i++) {
        if (!verify_place(sorted[i], i > 0 ? sorted[i - 1] : NULL, options, problem)) {
            return false;
        }
    }
    return true;
}

/* At most one partition of this data subtype, and two sectors of it. */
static bool verify_otadata(const struct table *table, int64_t subtype, const char *name,
                           const char *numbers, struct table_problem *problem)
{
    const struct table_row *first = NULL;

    for (size_t i = 0; i < table->count; i++) {
        const struct table_row *row = &table->rows[i];
        if (row->type != OTA_PARTITION_DATA || row->subtype != subtype) {
            continue;
        }
        if (first) {
            return table_problem(problem, row->line,
                                 "Found multiple %s partitions. Only one partition can be defined "
                                 "with type=\"data\"(1) and subtype=%s.",
                                 name, numbers);
        }
        first = row;
    }
    if (first && first->size != OTA_OTADATA_SIZE) {
        return table_problem(problem, first->line, "%s partition must have size = 0x2000", name);
    }
    return true;
}

bool table_verify(const struct table *table, const struct table_options *options,
                  struct table_problem *problem)
{
    for (size_t i = 0; i < table->count; i++) {
        if (!verify_row(&table->rows[i], options, problem)) {
            return false;
        }
    }
    if (!verify_names(table, problem) || !verify_places(table, options, problem)) {
        return false;
    }
    return options->dialect == TABLE_ESP8266 ||
           (verify_otadata(table, OTA_SUBTYPE_DATA_OTA, "otadata", "\"ota\"(0)", problem) &&
            verify_otadata(table, OTA_SUBTYPE_DATA_TEE_OTA, "TEE otadata", "\"tee_ota\"(0x90)",
                           problem));
}

/* Sizes. */

int64_t table_end(const struct table *table)
{
    const struct table_row *last = NULL;
    for (size_t i = 0; i < table->count; i++) {
        if (!last || table->rows[i].offset > last->offset) {
            last = &table->rows[i];
        }
    }
    return last ? last->offset + last->size : 0;
}

bool table_fits_flash(const struct table *table, unsigned megabytes, struct table_problem *problem)
{
    int64_t end = table_end(table);
    if (end <= (int64_t)megabytes * 0x100000) {
        return true;
    }
    return table_problem(
        problem, 0,
        "Partitions tables occupies %.1fMB of flash (%" PRId64
        " bytes) which does not fit in configured flash size %uMB. Change the flash "
        "size in menuconfig under the 'Serial Flasher Config' menu.",
        (double)end / 0x100000, end, megabytes);
}

bool table_fits_bootloader(const struct table_options *options, uint32_t offset, uint64_t size,
                           struct table_problem *problem)
{
    if (offset >= options->offset) {
        return table_problem(problem, 0,
                             "a bootloader at 0x%" PRIx32
                             " lies beyond the partition table at 0x%" PRIx32,
                             offset, options->offset);
    }
    uint32_t room = options->offset - offset;
    if (size > room) {
        return table_problem(problem, 0,
                             "the bootloader's %" PRIu64 " bytes (0x%" PRIx64
                             ") overflow the 0x%" PRIx32 " bytes from 0x%" PRIx32
                             " to the partition table by 0x%" PRIx64
                             ": make it smaller, or move the table with --offset",
                             size, size, room, offset, size - room);
    }
    return true;
}

static bool takes_image(const struct table_row *row, int64_t type, int64_t subtype)
{
    bool tee = row->type == OTA_PARTITION_APP &&
               (row->subtype == OTA_SUBTYPE_APP_TEE_0 || row->subtype == OTA_SUBTYPE_APP_TEE_1);
    return row->type == type && (subtype < 0 ? !tee : row->subtype == subtype);
}

bool table_fits_image(const struct table *table, const struct table_options *options, int64_t type,
                      int64_t subtype, uint64_t size, struct table_fit *fit,
                      struct table_problem *problem)
{
    *fit = (struct table_fit){0};
    for (size_t i = 0; i < table->count; i++) {
        const struct table_row *row = &table->rows[i];
        if (takes_image(row, type, subtype)) {
            fit->partitions++;
            fit->too_small += (int64_t)size > row->size;
            if (!fit->smallest || row->size < fit->smallest->size) {
                fit->smallest = row;
            }
        }
    }
    if (fit->partitions == 0) {
        return true;
    }
    int64_t smallest = fit->smallest->size;
    if (fit->too_small == fit->partitions) {
        return table_problem(problem, 0,
                             "%" PRIu64 " bytes (0x%" PRIx64
                             ") fit no partition that is for it; the smallest, '%s', has 0x%" PRIx64
                             " bytes, 0x%" PRIx64 " too few",
                             size, size, fit->smallest->name, (uint64_t)smallest,
                             size - (uint64_t)smallest);
    }
    for (size_t i = 0; fit->too_small > 0 && i < table->count; i++) {
        const struct table_row *row = &table->rows[i];
        if (takes_image(row, type, subtype) && (int64_t)size > row->size) {
            table_warn(options, row->line,
                       "0x%" PRIx64 " bytes overflow partition '%s' by 0x%" PRIx64, size, row->name,
                       size - (uint64_t)row->size);
        }
    }
    if (fit->too_small == 0 && (smallest - (int64_t)size) * 100 < smallest * PERCENT_FREE_MIN) {
        table_warn(options, fit->smallest->line,
                   "only 0x%" PRIx64 " bytes of partition '%s' are free, less than %d %%",
                   (uint64_t)smallest - size, fit->smallest->name, PERCENT_FREE_MIN);
    }
    return true;
}
