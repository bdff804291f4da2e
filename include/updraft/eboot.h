/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_EBOOT_H
#define UPDRAFT_EBOOT_H

/*
 * The command that an Arduino sketch leaves for eboot, the boot loader of Arduino's core for the
 * ESP8266 (docs/formats/eboot.md): 128 bytes of memory that survives a reset and not a power cut.
 * Byte for byte what the core writes and eboot reads.
 *
 *     uint8_t record[OTA_EBOOT_COMMAND_SIZE];
 *     const struct ota_eboot_command copy = {
 *         .action = OTA_EBOOT_COPY, .source = 0x1FB000, .destination = 0, .size = 18896};
 *     ota_eboot_encode(&copy, record);
 *     write_retained_memory(OTA_EBOOT_COMMAND_ADDRESS, record);          then restart
 *
 *     if (ota_eboot_decode(record, &command) == OTA_OK) …                in the boot loader
 *     ota_eboot_clear(record);
 */

#include <stdint.h>

#include <updraft/error.h>

#define OTA_EBOOT_COMMAND_SIZE 128u
#define OTA_EBOOT_COMMAND_ADDRESS 0x60001200u /* the chip takes accesses of 32 bits only there */

/* Actions. */
#define OTA_EBOOT_COPY 1u /* bytes of the flash, inflated if they are gzip, to another place */
#define OTA_EBOOT_LOAD 0xFFFFFFFFu /* runs the image at `source` + 0x1000, as without a command */

struct ota_eboot_command {
    uint32_t action;      /* OTA_EBOOT_…; others do nothing */
    uint32_t source;      /* flash offset, a multiple of 4096 */
    uint32_t destination; /* likewise */
    uint32_t size;        /* bytes at `source`, without a signature behind them */
};

/* Writes a command as a record, what it does not use as zero. */
void ota_eboot_encode(const struct ota_eboot_command *command,
                      uint8_t record[OTA_EBOOT_COMMAND_SIZE]);

/* Reads a record. Returns OTA_ERR_NO_DATA if it is none: its mark is another, as after a clear, or
   its CRC does not fit, as after power was away. */
enum ota_err ota_eboot_decode(const uint8_t record[OTA_EBOOT_COMMAND_SIZE],
                              struct ota_eboot_command *command);

/* Withdraws a record as the core does: its mark and its CRC become zero, the rest stays. */
void ota_eboot_clear(uint8_t record[OTA_EBOOT_COMMAND_SIZE]);

#endif
