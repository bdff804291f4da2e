/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PORTS_NOR_CHIP_H
#define PORTS_NOR_CHIP_H

/* The flash chip that the tests of the simulated NOR flash try, and what they ask about bytes.
   Static: each test program has its own chip. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "posix/nor.h"

#define SIZE (256u * 1024u)
#define SECTOR 4096u

struct chip {
    struct nor nor;
    struct nor_state state;
    uint32_t wear[SIZE / 256];
    uint8_t memory[SIZE];
};

static struct chip chip;

static const struct nor_config usual = {
    .size = SIZE, .erase = {{SECTOR, 0}, {32768, 0}, {65536, 0}}, .write_size = 1};

static inline struct ota_flash *make(const struct nor_config *config)
{
    assert_int_equal(nor_init(&chip.nor, config, chip.memory, chip.wear, &chip.state), OTA_OK);
    nor_blank(&chip.nor);
    return &chip.nor.flash;
}

static inline void fill(uint8_t *bytes, size_t len, uint32_t seed)
{
    for (size_t i = 0; i < len; i++) {
        seed = seed * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(seed >> 24);
    }
}

static inline unsigned bits_that_differ(const uint8_t *a, const uint8_t *b, size_t len)
{
    unsigned count = 0;
    for (size_t i = 0; i < len; i++) {
        count += (unsigned)__builtin_popcount((unsigned)(a[i] ^ b[i]));
    }
    return count;
}

static inline bool is_erased(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != 0xFF) {
            return false;
        }
    }
    return true;
}

#endif
