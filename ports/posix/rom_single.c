/* SPDX-License-Identifier: Apache-2.0 */
/* Booting from one place: by what is commanded in the flash, or as eboot does. */

#include <updraft/staged_boot.h>

#include "posix/eboot.h"
#include "posix/rom_single.h"

#define TAG "boot"

/* ---- By the command in the flash ------------------------------------------------------------- */

static const char *name_of(const struct board *board, const struct ota_staging_status *status)
{
    const struct ota_staging *staging = board->device.staging;
    for (unsigned i = 0; i < staging->data_count; i++) {
        if (staging->data[i].offset == status->destination.offset) {
            return staging->data[i].label;
        }
    }
    return "app";
}

/* Says what became of a command that was not done before. */
static void tell_move(const struct board *board, struct console *console,
                      enum ota_staging_state before)
{
    struct ota_staging_status status;
    if (ota_staging_read(&board->device, &status) != OTA_OK || status.state == before) {
        return;
    }
    switch (status.state) {
    case OTA_STAGING_ON_TRIAL:
    case OTA_STAGING_DONE:
        console_line(console, OTA_LOG_INFO, TAG, "%s: %s from 0x%x: %.1f KB%s",
                     name_of(board, &status), status.is_swap ? "swapped" : "copied",
                     status.stored.offset, status.stored.size / 1024.0,
                     status.is_compressed ? ", inflated" : "");
        break;
    case OTA_STAGING_TAKEN_BACK:
    case OTA_STAGING_REJECTED:
        console_line(console, OTA_LOG_INFO, TAG, "app: the image before is back in its place");
        break;
    default:
        break;
    }
}

enum ota_err rom_boot_staged(struct board *board, struct console *console, struct ota_boot *boot,
                             uint8_t *buffer, uint32_t size)
{
    static uint8_t window[OTA_WINDOW_GZIP];
    static struct ota_staged_inflate inflate;
    const struct ota_staged_move *const moves[] = {&ota_staged_swap, &ota_staged_copy,
                                                   &inflate.move, NULL};
    struct ota_staging_status before = {.state = OTA_STAGING_IDLE};
    ota_staged_inflate_init(&inflate, window, sizeof window);
    (void)ota_staging_read(&board->device, &before);
    const enum ota_err err = ota_staged_boot(boot, moves, buffer, size);
    if (!board->state->nor.off) {
        tell_move(board, console, before.state);
    }
    return err;
}

/* ---- By eboot -------------------------------------------------------------------------------- */

/* Does what eboot does with its command, and says what eboot prints. */
static void obey_eboot_command(struct board *board, struct console *console)
{
    uint8_t *record = board_eboot_command(board);
    struct ota_eboot_command command;
    if (ota_eboot_decode(record, &command) != OTA_OK) {
        console_line(console, OTA_LOG_INFO, "eboot", "~ld");
        return;
    }
    const enum eboot_result result = eboot_carry_out(&board->nor.flash, &command);
    if (board->state->nor.off) {
        return;
    }
    ota_eboot_clear(record);
    console_line(console, result == EBOOT_DONE ? OTA_LOG_INFO : OTA_LOG_ERROR, "eboot",
                 "@cp:%d%s (0x%x to 0x%x, %u bytes)", result, result == EBOOT_DONE ? " ld" : "",
                 command.source, command.destination, command.size);
}

enum ota_err rom_boot_by_eboot(struct board *board, struct console *console, struct ota_boot *boot,
                               uint8_t *buffer, uint32_t size)
{
    struct ota_image_rules rules;
    obey_eboot_command(board, console);
    if (board->state->nor.off) {
        return OTA_ERR_FLASH_READ;
    }
    enum ota_err err = board_open_device(board, NULL);
    if (err == OTA_OK) {
        err = ota_layout_region(&board->device.layout, board->device.flash, 0, &boot->region);
    }
    if (err == OTA_OK) {
        ota_device_image_rules(&board->device, &boot->region, &rules);
        err = ota_image_verify(&boot->check, &rules, board->device.crypto, &boot->region, buffer,
                               size);
    }
    if (err != OTA_OK) {
        console_line(console, OTA_LOG_ERROR, TAG,
                     "app: %s; eboot would run it all the same, and the chip would hang",
                     ota_err_text(err));
        return OTA_ERR_NOTHING_BOOTABLE;
    }
    boot->slot = 0;
    return OTA_OK;
}
