/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROTO_ESPHOME_PRIVATE_H
#define PROTO_ESPHOME_PRIVATE_H

/* What both sides of the ESPHome protocol share: its bytes, and the proof of the password
   (docs/formats/esphome.md sections 2 and 4). */

#include <stddef.h>
#include <stdint.h>

#include <updraft/crypto.h>

enum ota__esphome_byte {
    ESPHOME_OK = 0x00,
    ESPHOME_ASK_MD5 = 0x01,
    ESPHOME_ASK_SHA256 = 0x02,
    ESPHOME_HEADER_OK = 0x40,
    ESPHOME_AUTH_OK = 0x41,
    ESPHOME_PREPARE_OK = 0x42,
    ESPHOME_CHECKSUM_OK = 0x43,
    ESPHOME_RECEIVE_OK = 0x44,
    ESPHOME_END_OK = 0x45,
    ESPHOME_COMPRESSION = 0x46,
    ESPHOME_CHUNK_OK = 0x47,
    ESPHOME_FEATURES_FOLLOW = 0x48,

    ESPHOME_ERROR = 0x80, /* this and all above */
    ESPHOME_ERROR_MAGIC = 0x80,
    ESPHOME_ERROR_PREPARE = 0x81,
    ESPHOME_ERROR_AUTH = 0x82,
    ESPHOME_ERROR_FLASH = 0x83,
    ESPHOME_ERROR_END = 0x84,
    ESPHOME_ERROR_BOOTSTRAP = 0x85,
    ESPHOME_ERROR_OLD_FLASH_CONFIG = 0x86,
    ESPHOME_ERROR_NEW_FLASH_CONFIG = 0x87,
    ESPHOME_ERROR_ESP8266_SPACE = 0x88,
    ESPHOME_ERROR_ESP32_SPACE = 0x89,
    ESPHOME_ERROR_NO_PARTITION = 0x8A,
    ESPHOME_ERROR_MD5 = 0x8B,
    ESPHOME_ERROR_RP2040_SPACE = 0x8C,
    ESPHOME_ERROR_SIGNATURE = 0x8D,
    ESPHOME_ERROR_TYPE = 0x8E,
    ESPHOME_ERROR_TABLE_VERIFY = 0x8F,
    ESPHOME_ERROR_TABLE_UPDATE = 0x90,
    ESPHOME_ERROR_BOOTLOADER_VERIFY = 0x91,
    ESPHOME_ERROR_BOOTLOADER_UPDATE = 0x92,
    ESPHOME_ERROR_OLDER = 0x93,
    ESPHOME_ERROR_ENCRYPTION = 0x94,
    ESPHOME_ERROR_UNKNOWN = 0xFF,
};

/* Features of the client, and of the device. */
#define ESPHOME_CLIENT_COMPRESSION 0x01u
#define ESPHOME_CLIENT_SHA256 0x02u
#define ESPHOME_CLIENT_EXTENDED 0x04u
#define ESPHOME_DEVICE_COMPRESSION 0x01u

#define ESPHOME_MAGIC_SIZE 5u
#define ESPHOME_BLOCK 8192u
#define ESPHOME_TYPE_APP 0x00u

/* Hexadecimal digits of an MD5 and of a SHA-256. */
#define ESPHOME_MD5_DIGITS (2 * OTA_MD5_SIZE)
#define ESPHOME_SHA256_DIGITS (2 * OTA_SHA256_SIZE)

extern const uint8_t ota__esphome_magic[ESPHOME_MAGIC_SIZE];

/* Writes `len` bytes as 2 * `len` lower-case digits, unterminated. */
void ota__esphome_hex(uint8_t *digits, const uint8_t *bytes, size_t len);

/*
 * Writes the response that proves the password: as many digits as `algorithm`'s digest has.
 * `nonce`, the device's, and `cnonce`, the client's, are of the same length. `response` may be one
 * of them.
 */
enum ota_err ota__esphome_response(const struct ota_crypto *crypto,
                                   enum ota_hash_algorithm algorithm, const char *password,
                                   const uint8_t *nonce, const uint8_t *cnonce, uint8_t *response);

#endif
