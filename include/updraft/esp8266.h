/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_ESP8266_H
#define UPDRAFT_ESP8266_H

/*
 * What the updater of Arduino's core for the ESP8266 does to an image beside checking it
 * (docs/formats/flash-layout.md section 7.3). The ROM reads from the first bytes of the flash how to
 * talk to that flash: byte 2 is the mode, byte 3 the size. An image's mode is therefore replaced by
 * the one that this board is known to run with, and an image for a larger flash is refused.
 *
 *     static struct ota_esp8266 esp8266;
 *     err = ota_esp8266_init(&esp8266, &flash);          reads the mode
 *     device.esp8266 = &esp8266;                         before ota_device_open
 *
 * What arrived is what is hashed and signed: only what is stored is changed, in this one byte. A
 * device that has this object takes its own image for whole although the CRC in it is of the byte
 * before the change. Compressed images are stored as they are.
 *
 * One object for a device, reached by pointer: a device that names none links none of it.
 */

#include <stdbool.h>
#include <stdint.h>

#include <updraft/error.h>
#include <updraft/flash.h>
#include <updraft/image.h>

struct ota_esp8266_layout;
struct ota_writer;

struct ota_esp8266 {
    uint32_t flash_size; /* bytes */
    uint8_t mode;        /* 0 QIO, 1 QOUT, 2 DIO, 3 DOUT; above: not known, images keep theirs */

    /* Where eboot boots (staging_by_eboot.h): the caller's part, after the init. */
    const struct ota_esp8266_layout *layout; /* of the flash */
    volatile uint32_t *eboot_command;        /* 32 words of memory that survives a reset, at
                                         OTA_EBOOT_COMMAND_ADDRESS */

    /* Private. */

    /* Whether the image whose header has been read was built for a flash as small as this one. */
    bool (*is_for)(const struct ota_esp8266 *esp8266, const struct ota_image *image);

    /* Whether a file of `len` bytes whose CRC differs by this much has another byte 2, and no more
       than that. */
    bool (*is_by_mode)(uint32_t difference, uint32_t len);

    /* Gives checked bytes of an app, which lie at `offset` of it, to the writer: byte 2 changed. */
    enum ota_err (*store)(const struct ota_esp8266 *esp8266, struct ota_writer *writer,
                          uint32_t offset, const uint8_t *data, uint32_t len);
};

/* Fills in the object for a chip's flash; reads the mode that it runs with from it. Returns OTA_OK
   or the read's error. */
enum ota_err ota_esp8266_init(struct ota_esp8266 *esp8266, struct ota_flash *flash);

#endif
