/* SPDX-License-Identifier: Apache-2.0 */
/* One place to run from, and the update swapped into it: with confirm and roll back. */
#include <updraft/staged_boot.h>

static const struct ota_staging staging = {
    .app = {0x10000, 0x70000}, .staging = {0x80000, 0x80000}, .swap = true};

enum ota_err boot_swap_decide(struct ota_boot *boot, uint8_t *buffer, uint32_t buffer_size);
enum ota_err boot_swap_decide(struct ota_boot *boot, uint8_t *buffer, uint32_t buffer_size)
{
    static const struct ota_staged_move *const moves[] = {&ota_staged_swap, NULL};

    boot->device->staging = &staging;
    return ota_staged_boot(boot, moves, buffer, buffer_size);
}
