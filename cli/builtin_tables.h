/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_BUILTIN_TABLES_H
#define CLI_BUILTIN_TABLES_H

/* Partition tables that people know by name: those that come with ESP-IDF, with ESP8266_RTOS_SDK
   and with Arduino-ESP32 (docs/formats/partition-table.md sections 10 and 11,
   docs/formats/flash-layout.md section 6). */

#include <stddef.h>
#include <stdint.h>

#include "cli/table.h"

struct builtin_table {
    const char *name;   /* "two_ota" */
    const char *title;  /* as the menus of the SDK call it: "Factory app, two OTA definitions" */
    const char *csv;    /* its text; gives the same bytes as the original's */
    uint32_t offset;    /* where the table itself is meant to lie */
    unsigned megabytes; /* smallest flash chip that holds it */
    enum table_dialect dialect;
};

/* Finds a table by its name or its title, in any case. NULL if there is none. */
const struct builtin_table *builtin_table_find(const char *name);

/* Returns the n-th table (from 0), NULL past the last. */
const struct builtin_table *builtin_table_at(size_t n);

#endif
