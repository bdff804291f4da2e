/* SPDX-License-Identifier: Apache-2.0 */
/* Partition tables as text and as bytes. Beyond not crashing: what is accepted can be written, what
   was written reads back as the same rows, and the text made of those gives the same bytes. The
   first byte of the input chooses the options. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/csv.h"
#include "cli/table_file.h"
#include "cli/table_rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *variable(void *context, const char *name)
{
    (void)context;
    return strcmp(name, "SIZE") == 0 ? "0x4000" : strcmp(name, "ROW") == 0 ? "a,1,2,,1M" : NULL;
}

static struct table_options options_of(uint8_t choice)
{
    struct table_options options = table_options_default();
    options.dialect = choice & 1 ? TABLE_ESP8266 : TABLE_ESP_IDF;
    options.md5 = !(choice & 2);
    options.secure = choice & 4 ? TABLE_SECURE_V1 : TABLE_SECURE_NONE;
    options.has_primary_bootloader = choice & 8;
    options.has_recovery_bootloader = choice & 8;
    options.primary_bootloader_offset = 0x1000;
    options.recovery_bootloader_offset = 0x100000;
    options.variable = variable;
    return options;
}

static void demand(bool condition)
{
    if (!condition) {
        abort();
    }
}

/* Names that are cut, or that CSV cannot hold, do not come back as they were. */
static bool names_survive(const struct table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        const char *name = table->rows[i].name;
        if (strlen(name) > OTA_PARTITION_LABEL_MAX || !csv_can_hold(name)) {
            return false;
        }
    }
    return true;
}

static void check_round_trip(const struct table *table, const struct table_options *options,
                             const uint8_t bytes[OTA_PARTITION_TABLE_SIZE])
{
    struct table decoded = {0};
    struct table again = {0};
    struct table_problem problem;
    uint8_t written[OTA_PARTITION_TABLE_SIZE];

    demand(table_decode(bytes, OTA_PARTITION_TABLE_SIZE, options, &ota_crypto_psa, &decoded,
                        &problem));
    demand(decoded.count == table->count);
    for (size_t i = 0; i < table->count; i++) {
        demand(strcmp(decoded.rows[i].name, table->rows[i].name) == 0);
        demand(decoded.rows[i].offset == table->rows[i].offset);
        demand(decoded.rows[i].size == table->rows[i].size);
    }
    char *text = csv_write(&decoded, options);
    demand(text != NULL);
    demand(csv_parse(text, strlen(text), options, &again, &problem));
    demand(table_place(&again, options, &problem));
    demand(table_verify(&again, options, &problem));
    demand(table_encode(&again, options, &ota_crypto_psa, written, &problem));
    demand(memcmp(written, bytes, sizeof written) == 0);
    free(text);
    table_free(&again);
    table_free(&decoded);
}

static void read_text(const uint8_t *data, size_t size, const struct table_options *options)
{
    struct table table = {0};
    struct table_problem problem;
    uint8_t bytes[OTA_PARTITION_TABLE_SIZE];

    bool placed =
        csv_parse(data, size, options, &table, &problem) && table_place(&table, options, &problem);
    bool good = placed && table_verify(&table, options, &problem) &&
                table_encode(&table, options, &ota_crypto_psa, bytes, &problem);
    if (placed) {
        table_fits_flash(&table, 4, &problem);
    }
    if (good && names_survive(&table)) {
        check_round_trip(&table, options, bytes);
    }
    table_free(&table);
}

static void read_binary(const uint8_t *data, size_t size, const struct table_options *options)
{
    struct table table = {0};
    struct table_problem problem;
    if (table_decode(data, size, options, &ota_crypto_psa, &table, &problem)) {
        table_verify(&table, options, &problem);
        char *text = csv_write(&table, options);
        demand(text != NULL);
        free(text);
    }
    table_free(&table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct table_options options = options_of(data[0]);
    if (table_is_binary(data + 1, size - 1)) {
        read_binary(data + 1, size - 1, &options);
    } else {
        read_text(data + 1, size - 1, &options);
    }
    return 0;
}
