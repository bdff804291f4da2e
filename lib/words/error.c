/* SPDX-License-Identifier: Apache-2.0 */
/* What each error is called, what a person can do about it, and which numbers peers use for it. */
#include <updraft/error.h>

#include <stddef.h>

/* ESP-IDF numbers, docs/formats/errors.md section 1. */
#define ESP_FAIL (-1)
#define ESP_NO_MEM 0x101
#define ESP_INVALID_ARG 0x102
#define ESP_INVALID_STATE 0x103
#define ESP_INVALID_SIZE 0x104
#define ESP_NOT_FOUND 0x105
#define ESP_NOT_SUPPORTED 0x106
#define ESP_TIMEOUT 0x107
#define ESP_INVALID_RESPONSE 0x108
#define ESP_INVALID_CRC 0x109
#define ESP_INVALID_VERSION 0x10A
#define ESP_NOT_FINISHED 0x10C
#define ESP_NOT_ALLOWED 0x10D
#define ESP_PARTITION_CONFLICT 0x1501
#define ESP_SELECT_INFO_INVALID 0x1502
#define ESP_VALIDATE_FAILED 0x1503
#define ESP_SMALL_SEC_VER 0x1504
#define ESP_ROLLBACK_FAILED 0x1505
#define ESP_ROLLBACK_INVALID_STATE 0x1506
#define ESP_ALREADY_IN_PROGRESS 0x1507
#define ESP_IMAGE_FLASH_FAIL 0x2001
#define ESP_HTTP_MAX_REDIRECT 0x7001
#define ESP_HTTP_CONNECT 0x7002
#define ESP_HTTP_FETCH_HEADER 0x7004
#define ESP_HTTP_CONNECTION_CLOSED 0x7008
#define ESP_HTTP_RANGE 0x700A
#define ESP_HTTP_HEADER_TOO_LONG 0x700E

/* Arduino numbers, docs/formats/errors.md sections 2 and 3. */
enum arduino_esp8266 {
    A8_WRITE = 1,
    A8_ERASE = 2,
    A8_READ = 3,
    A8_SPACE = 4,
    A8_SIZE = 5,
    A8_STREAM = 6,
    A8_MD5 = 7,
    A8_FLASH_CONFIG = 8,
    A8_NEW_FLASH_CONFIG = 9,
    A8_MAGIC = 10,
    A8_SIGN = 12,
    A8_NO_DATA = 13,
    A8_OUT_OF_MEMORY = 14,
    A8_RUNNING_ALREADY = 15,
    A8_UNKNOWN_COMMAND = 16,
};

enum arduino_esp32 {
    A32_WRITE = 1,
    A32_ERASE = 2,
    A32_READ = 3,
    A32_SPACE = 4,
    A32_SIZE = 5,
    A32_STREAM = 6,
    A32_MD5 = 7,
    A32_MAGIC = 8,
    A32_ACTIVATE = 9,
    A32_NO_PARTITION = 10,
    A32_BAD_ARGUMENT = 11,
    A32_ABORT = 12,
    A32_SIGN = 14,
};

struct error_facts {
    const char *name;
    const char *text;
    int16_t esp_idf;
    uint8_t esp8266;
    uint8_t esp32;
};

#define FACTS(error, idf, a8, a32, sentence) [OTA_##error] = {&#error[4], sentence, idf, a8, a32}

static const struct error_facts facts[OTA_ERR_COUNT] = {
    [OTA_OK] = {"OK", "no error", 0, 0, 0},
    FACTS(ERR_ARGUMENT, ESP_INVALID_ARG, A8_UNKNOWN_COMMAND, A32_BAD_ARGUMENT,
          "an argument is missing or out of range: a fault of the calling program"),
    FACTS(ERR_STATE, ESP_INVALID_STATE, A8_RUNNING_ALREADY, A32_BAD_ARGUMENT,
          "the call is not legal in this state: a fault of the calling program"),
    FACTS(
        ERR_ALIGNMENT, ESP_INVALID_SIZE, A8_WRITE, A32_WRITE,
        "a flash access is not aligned: check the partition table against the flash's erase size"),
    FACTS(ERR_BOUNDS, ESP_INVALID_SIZE, A8_SPACE, A32_SPACE,
          "a flash access reaches beyond its partition"),
    FACTS(ERR_FLASH_READ, ESP_IMAGE_FLASH_FAIL, A8_READ, A32_READ,
          "the flash chip could not be read: check its wiring and supply"),
    FACTS(ERR_FLASH_WRITE, ESP_IMAGE_FLASH_FAIL, A8_WRITE, A32_WRITE,
          "the flash chip could not be programmed: it may be write-protected or worn"),
    FACTS(ERR_FLASH_ERASE, ESP_IMAGE_FLASH_FAIL, A8_ERASE, A32_ERASE,
          "the flash chip could not be erased: it may be write-protected or worn"),
    FACTS(ERR_FLASH_VERIFY, ESP_IMAGE_FLASH_FAIL, A8_WRITE, A32_WRITE,
          "the flash reads back other bytes than were written: it may be worn"),
    FACTS(ERR_TABLE_ROW, ESP_INVALID_STATE, A8_FLASH_CONFIG, A32_NO_PARTITION,
          "a row of the partition table is damaged: flash the table again"),
    FACTS(ERR_TABLE_EMPTY, ESP_INVALID_STATE, A8_FLASH_CONFIG, A32_NO_PARTITION,
          "the partition table is empty: flash a table at this offset"),
    FACTS(ERR_TABLE_NO_END, ESP_INVALID_STATE, A8_FLASH_CONFIG, A32_NO_PARTITION,
          "the partition table has no end mark: flash the table again"),
    FACTS(ERR_TABLE_MD5, ESP_INVALID_STATE, A8_FLASH_CONFIG, A32_NO_PARTITION,
          "the partition table does not match its MD5: flash the table again"),
    FACTS(ERR_TABLE_BOUNDS, ESP_INVALID_SIZE, A8_FLASH_CONFIG, A32_NO_PARTITION,
          "a partition reaches beyond the flash chip: use a table made for this flash size"),
    FACTS(ERR_TABLE_ALIGNMENT, ESP_INVALID_STATE, A8_FLASH_CONFIG, A32_NO_PARTITION,
          "a partition does not begin on a boundary that can be erased: correct the table"),
    FACTS(ERR_TABLE_OVERLAP, ESP_INVALID_STATE, A8_FLASH_CONFIG, A32_NO_PARTITION,
          "two partitions overlap: correct the table"),
    FACTS(ERR_TABLE_DUPLICATE, ESP_INVALID_STATE, A8_FLASH_CONFIG, A32_NO_PARTITION,
          "two partitions have the same label or the same role: correct the table"),
    FACTS(ERR_NO_PARTITION, ESP_NOT_FOUND, A8_SPACE, A32_NO_PARTITION,
          "the partition table has no such partition"),
    FACTS(ERR_READ_ONLY, ESP_NOT_ALLOWED, A8_WRITE, A32_WRITE,
          "the partition is flagged read-only in the partition table"),
    FACTS(ERR_NO_OTADATA, ESP_NOT_FOUND, A8_FLASH_CONFIG, A32_ACTIVATE,
          "the partition table has no otadata partition of two erase units: updates need one"),
    FACTS(ERR_NO_ACTIVE_ENTRY, ESP_FAIL, A8_FLASH_CONFIG, A32_ACTIVATE,
          "otadata selects no slot: the factory app or the first slot runs"),
    FACTS(ERR_RUNNING_SLOT, ESP_PARTITION_CONFLICT, A8_FLASH_CONFIG, A32_NO_PARTITION,
          "the target is the slot that runs: update the other one"),
    FACTS(ERR_UNCONFIRMED, ESP_ROLLBACK_INVALID_STATE, A8_FLASH_CONFIG, A32_ACTIVATE,
          "the running image is on trial: confirm it before the next update"),
    FACTS(ERR_NO_ROLLBACK, ESP_ROLLBACK_FAILED, A8_FLASH_CONFIG, A32_ACTIVATE,
          "there is no other bootable image to go back to"),
    FACTS(ERR_SECURE_VERSION, ESP_SMALL_SEC_VER, A8_MAGIC, A32_ACTIVATE,
          "the image's secure version is below the device's floor: build it with a higher one"),
    FACTS(ERR_NOTHING_BOOTABLE, ESP_FAIL, A8_MAGIC, A32_ACTIVATE,
          "no slot holds an image that verifies: flash one over the serial line"),
    FACTS(ERR_IMAGE_MAGIC, ESP_VALIDATE_FAILED, A8_MAGIC, A32_MAGIC,
          "the file does not begin as a firmware image: is it the right file?"),
    FACTS(ERR_IMAGE_CHIP, ESP_INVALID_VERSION, A8_MAGIC, A32_ACTIVATE,
          "the image is made for another chip"),
    FACTS(ERR_IMAGE_REVISION, ESP_INVALID_VERSION, A8_MAGIC, A32_ACTIVATE,
          "the image is made for other revisions of this chip"),
    FACTS(ERR_IMAGE_SEGMENT_COUNT, ESP_VALIDATE_FAILED, A8_MAGIC, A32_ACTIVATE,
          "the image states more than 16 segments: the file is damaged"),
    FACTS(ERR_IMAGE_SEGMENT, ESP_VALIDATE_FAILED, A8_MAGIC, A32_ACTIVATE,
          "a segment of the image has an impossible length: the file is damaged"),
    FACTS(ERR_IMAGE_MAPPING, ESP_VALIDATE_FAILED, A8_MAGIC, A32_ACTIVATE,
          "a segment of the image does not lie where the chip's flash cache can map it"),
    FACTS(ERR_IMAGE_DESCRIPTOR, ESP_NOT_FOUND, A8_MAGIC, A32_ACTIVATE,
          "the image has no app descriptor: build it with one"),
    FACTS(ERR_IMAGE_LAYOUT, ESP_VALIDATE_FAILED, A8_MAGIC, A32_ACTIVATE,
          "the parts of the ESP8266 image do not follow one another: the file is damaged"),
    FACTS(ERR_IMAGE_FLASH_SIZE, ESP_VALIDATE_FAILED, A8_NEW_FLASH_CONFIG, A32_ACTIVATE,
          "the image was built for a larger flash chip than this one: choose the right board when "
          "you build it"),
    FACTS(ERR_IMAGE_FORM, ESP_VALIDATE_FAILED, A8_MAGIC, A32_ACTIVATE,
          "made with another SDK than the one that this board boots (Arduino, or "
          "ESP8266_RTOS_SDK): build it with the board's own"),
    FACTS(ERR_IMAGE_CHECKSUM, ESP_VALIDATE_FAILED, A8_MAGIC, A32_ACTIVATE,
          "the image's checksum is wrong: the file is damaged"),
    FACTS(ERR_IMAGE_HASH, ESP_VALIDATE_FAILED, A8_MAGIC, A32_ACTIVATE,
          "the image's own hash is wrong: the file is damaged"),
    FACTS(ERR_IMAGE_TRUNCATED, ESP_VALIDATE_FAILED, A8_SIZE, A32_ABORT,
          "the image ends too early: the file is cut short"),
    FACTS(ERR_COMPRESSED, ESP_NOT_SUPPORTED, A8_MAGIC, A32_MAGIC,
          "the image is compressed, and nothing here unpacks it: send it as it is"),
    FACTS(ERR_COMPRESSION, ESP_NOT_SUPPORTED, A8_MAGIC, A32_MAGIC,
          "compressed in a way that cannot be read here: compress it with gzip"),
    FACTS(ERR_COMPRESSED_DATA, ESP_VALIDATE_FAILED, A8_MAGIC, A32_ACTIVATE,
          "the compressed data makes no sense: the file is damaged"),
    FACTS(ERR_COMPRESSED_SUM, ESP_INVALID_CRC, A8_MAGIC, A32_ACTIVATE,
          "the compressed data's own checksum or length is wrong: the file is damaged"),
    FACTS(ERR_COMPRESSED_TRAILER, ESP_INVALID_SIZE, A8_SIZE, A32_SIZE,
          "bytes follow the end of the compressed data: send the compressed file alone"),
    FACTS(ERR_SIGNATURE, ESP_VALIDATE_FAILED, A8_SIGN, A32_SIGN,
          "the signature does not fit: the image was changed after it was signed, or another key "
          "signed it"),
    FACTS(ERR_SIGNATURE_MISSING, ESP_VALIDATE_FAILED, A8_SIGN, A32_SIGN,
          "there is no signature, and this device demands one: sign the image"),
    FACTS(ERR_SIGNATURE_KEY, ESP_VALIDATE_FAILED, A8_SIGN, A32_SIGN,
          "the signature is by a key that is not trusted here: sign the image with one that is"),
    FACTS(ERR_KEY, ESP_VALIDATE_FAILED, A8_SIGN, A32_SIGN,
          "the key for the signature cannot be used: too short, a weak exponent, not on its curve, "
          "or of a kind that is not known here"),
    FACTS(ERR_TOO_LARGE, ESP_INVALID_SIZE, A8_SPACE, A32_SPACE,
          "the data does not fit the partition, or is more than was announced"),
    FACTS(ERR_INCOMPLETE, ESP_NOT_FINISHED, A8_SIZE, A32_ABORT,
          "fewer bytes came than were announced"),
    FACTS(ERR_NO_DATA, ESP_INVALID_ARG, A8_NO_DATA, A32_ABORT, "no bytes came"),
    FACTS(ERR_DIGEST, ESP_VALIDATE_FAILED, A8_MD5, A32_MD5,
          "what arrived does not have the expected digest: it was changed on the way"),
    FACTS(ERR_ABORTED, ESP_FAIL, A8_STREAM, A32_ABORT, "stopped before the end"),
    FACTS(ERR_SOURCE, ESP_FAIL, A8_STREAM, A32_STREAM, "the source could not be read"),
    FACTS(ERR_CRYPTO, ESP_FAIL, A8_MD5, A32_MD5, "the crypto library refused to work"),
    FACTS(ERR_BUSY, ESP_ALREADY_IN_PROGRESS, A8_RUNNING_ALREADY, A32_ABORT,
          "another update is under way: try again when it is over"),
    FACTS(ERR_RESTARTING, ESP_ALREADY_IN_PROGRESS, A8_RUNNING_ALREADY, A32_ABORT,
          "the device is about to restart: try again in a few seconds"),
    FACTS(ERR_HELD, ESP_NOT_ALLOWED, A8_RUNNING_ALREADY, A32_ABORT,
          "the device takes no update now: try again later"),
    FACTS(ERR_REFUSED, ESP_NOT_ALLOWED, A8_STREAM, A32_ABORT,
          "the device's policy does not allow this update"),
    FACTS(ERR_SAME_VERSION, ESP_INVALID_VERSION, A8_STREAM, A32_ABORT,
          "the image has the version that runs already"),
    FACTS(ERR_OLDER_VERSION, ESP_INVALID_VERSION, A8_STREAM, A32_ABORT,
          "the image is older than the one that runs"),
    FACTS(ERR_PROJECT, ESP_INVALID_VERSION, A8_STREAM, A32_ABORT,
          "the image is of another project than the one that runs"),
    FACTS(ERR_VERSION, ESP_INVALID_VERSION, A8_STREAM, A32_ABORT,
          "it cannot be told whether this version is newer: give it one such as v1.2.3"),
    FACTS(ERR_URL, ESP_INVALID_ARG, A8_STREAM, A32_STREAM,
          "the URL cannot be fetched: write http[s]://HOST[:PORT]/PATH, or file: in a list"),
    FACTS(ERR_PORT, ESP_FAIL, A8_STREAM, A32_STREAM,
          "the port is taken: choose another one, or end the program that has it"),
    FACTS(ERR_CONNECT, ESP_HTTP_CONNECT, A8_STREAM, A32_STREAM,
          "no connection to the server: check its address, port and firewall"),
    FACTS(ERR_CONNECTION_LOST, ESP_HTTP_CONNECTION_CLOSED, A8_STREAM, A32_STREAM,
          "the connection ended in the middle"),
    FACTS(ERR_TIMEOUT, ESP_TIMEOUT, A8_STREAM, A32_STREAM, "nothing came for too long"),
    FACTS(ERR_HTTP_SYNTAX, ESP_INVALID_RESPONSE, A8_STREAM, A32_STREAM,
          "the server's answer is not HTTP"),
    FACTS(ERR_HTTP_HEADER, ESP_HTTP_HEADER_TOO_LONG, A8_STREAM, A32_STREAM,
          "a header of the server's answer is too long or contradicts itself"),
    FACTS(ERR_HTTP_STATUS, ESP_INVALID_RESPONSE, A8_STREAM, A32_STREAM,
          "the server answered with a status that offers no update"),
    FACTS(ERR_HTTP_NOT_FOUND, ESP_INVALID_RESPONSE, A8_STREAM, A32_STREAM,
          "the server has no such file (404)"),
    FACTS(ERR_HTTP_FORBIDDEN, ESP_INVALID_RESPONSE, A8_STREAM, A32_STREAM,
          "the server refuses this device (403)"),
    FACTS(ERR_HTTP_CREDENTIALS, ESP_INVALID_RESPONSE, A8_STREAM, A32_STREAM,
          "the server wants other credentials (401)"),
    FACTS(ERR_HTTP_REDIRECT, ESP_HTTP_MAX_REDIRECT, A8_STREAM, A32_STREAM,
          "the server redirects where this client may not follow, or without end"),
    FACTS(ERR_HTTP_NO_LENGTH, ESP_HTTP_FETCH_HEADER, A8_STREAM, A32_STREAM,
          "the server did not say how long the image is, which a pull must know: take the image by "
          "its URL (--update)"),
    FACTS(ERR_HTTP_RANGE, ESP_HTTP_RANGE, A8_STREAM, A32_STREAM,
          "the server answered a range request with other bytes than were asked for"),
    FACTS(ERR_PROTOCOL, ESP_INVALID_RESPONSE, A8_STREAM, A32_STREAM,
          "the other side does not speak this protocol, or breaks its rules"),
    FACTS(ERR_AUTH, ESP_NOT_ALLOWED, A8_STREAM, A32_ABORT,
          "the login is wrong, missing, or of a kind that is not allowed"),
    FACTS(ERR_PEER, ESP_FAIL, A8_STREAM, A32_STREAM, "the other side says that it failed"),
    FACTS(ERR_CONNECT_BACK, ESP_HTTP_CONNECT, A8_STREAM, A32_STREAM,
          "the device could not connect back: a firewall here may block the port"),
    FACTS(ERR_TLS, ESP_FAIL, A8_STREAM, A32_STREAM,
          "TLS failed: the two sides have no cipher suite in common, or the data was broken"),
    FACTS(ERR_TLS_UNTRUSTED, ESP_FAIL, A8_STREAM, A32_STREAM,
          "nobody trusted has signed the server's certificate: give its signer's (--ca) or its "
          "digest (--fingerprint)"),
    FACTS(ERR_TLS_NAME, ESP_FAIL, A8_STREAM, A32_STREAM,
          "the server's certificate is for another host name"),
    FACTS(ERR_TLS_EXPIRED, ESP_FAIL, A8_STREAM, A32_STREAM,
          "the server's certificate is not valid at this time: expired, or a clock is wrong"),
    FACTS(ERR_NO_MEMORY, ESP_NO_MEM, A8_OUT_OF_MEMORY, A32_ABORT, "there is not enough memory"),
};

static const struct error_facts *facts_of(enum ota_err err)
{
    static const struct error_facts unknown = {"UNKNOWN", "an unknown error", ESP_FAIL, A8_STREAM,
                                               A32_ABORT};

    return (unsigned)err < OTA_ERR_COUNT ? &facts[err] : &unknown;
}

const char *ota_err_name(enum ota_err err)
{
    return facts_of(err)->name;
}

const char *ota_err_text(enum ota_err err)
{
    return facts_of(err)->text;
}

int32_t ota_err_esp_idf(enum ota_err err)
{
    return facts_of(err)->esp_idf;
}

int ota_err_arduino_esp8266(enum ota_err err)
{
    return facts_of(err)->esp8266;
}

int ota_err_arduino_esp32(enum ota_err err)
{
    return facts_of(err)->esp32;
}

const char *ota_arduino_esp8266_text(int number)
{
    static const char *const texts[] = {
        "No Error",
        "Flash Write Failed",
        "Flash Erase Failed",
        "Flash Read Failed",
        "Not Enough Space",
        "Bad Size Given",
        "Stream Read Timeout",
        "MD5 verification failed",
        "Flash config wrong",
        "new Flash config wrong",
        "Magic byte is not 0xE9",
        "Invalid bootstrapping state, reset ESP8266 before updating",
        "Signature verification failed",
        "No data supplied",
        "Out of memory",
        "Update already running",
        "Unknown update command",
    };
    size_t count = sizeof texts / sizeof texts[0];

    return number >= 0 && (size_t)number < count ? texts[number] : "UNKNOWN";
}

const char *ota_arduino_esp32_text(int number)
{
    static const char *const texts[] = {
        "No Error",
        "Flash Write Failed",
        "Flash Erase Failed",
        "Flash Read Failed",
        "Not Enough Space",
        "Bad Size Given",
        "Stream Read Timeout",
        "MD5 Check Failed",
        "Wrong Magic Byte",
        "Could Not Activate The Firmware",
        "Partition Could Not be Found",
        "Bad Argument",
        "Aborted",
        "Decryption error",
        "Signature Verification Failed",
    };
    size_t count = sizeof texts / sizeof texts[0];

    return number >= 0 && (size_t)number < count ? texts[number] : "UNKNOWN";
}
