/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_ERROR_H
#define UPDRAFT_ERROR_H

/*
 * Errors of the device library: one enumeration for all of it.
 *
 * Zero is success. A function that fails leaves its outputs unspecified unless it says otherwise.
 * An operation that runs over many calls (an update, a boot, an image check) keeps its *first*
 * cause together with the offset at which it struck, as a struct ota_failure.
 *
 *     enum ota_err err = ota_update_end(&update);
 *     if (err != OTA_OK) {
 *         log("%s at 0x%x (ESP-IDF 0x%x)", ota_err_text(err), update.failure.offset,
 *             ota_err_esp_idf(err));
 *     }
 *
 * The numbers of this enumeration are not stored or sent anywhere and may change between releases;
 * the numbers of other systems are documented in docs/formats/errors.md.
 */

#include <stdint.h>

enum ota_err {
    OTA_OK = 0,

    /* The caller. */
    OTA_ERR_ARGUMENT,  /* an argument is missing or outside its documented range */
    OTA_ERR_STATE,     /* the call is not legal in the object's present state */
    OTA_ERR_ALIGNMENT, /* a flash access is not aligned to the write or erase size */
    OTA_ERR_BOUNDS,    /* a flash access reaches outside its region */

    /* The flash chip. */
    OTA_ERR_FLASH_READ,   /* the driver could not read */
    OTA_ERR_FLASH_WRITE,  /* the driver could not program */
    OTA_ERR_FLASH_ERASE,  /* the driver could not erase */
    OTA_ERR_FLASH_VERIFY, /* what was programmed reads back differently: worn or protected */

    /* The partition table. */
    OTA_ERR_TABLE_ROW,   /* a row starts with neither a partition's, the MD5's nor the end's mark */
    OTA_ERR_TABLE_EMPTY, /* the table holds no partition */
    OTA_ERR_TABLE_NO_END,    /* 95 rows without an end mark */
    OTA_ERR_TABLE_MD5,       /* the MD5 row does not match the rows before it, or there are two */
    OTA_ERR_TABLE_BOUNDS,    /* a partition reaches beyond the flash chip */
    OTA_ERR_TABLE_ALIGNMENT, /* a partition is not aligned as its type demands */
    OTA_ERR_TABLE_OVERLAP,   /* two partitions, or a partition and the table, overlap */
    OTA_ERR_TABLE_DUPLICATE, /* two partitions have one label, or one app or otadata role */
    OTA_ERR_NO_PARTITION,    /* there is no such partition */
    OTA_ERR_READ_ONLY,       /* the partition is flagged read-only */

    /* otadata and slots. */
    OTA_ERR_NO_OTADATA,      /* the table has no otadata partition, or it is too small */
    OTA_ERR_NO_ACTIVE_ENTRY, /* otadata selects nothing: the factory app, or the first slot, runs */
    OTA_ERR_RUNNING_SLOT,    /* the target is the slot that runs */
    OTA_ERR_UNCONFIRMED,     /* the running image is on trial: confirm it first */
    OTA_ERR_NO_ROLLBACK,     /* there is no other bootable image to go back to */
    OTA_ERR_SECURE_VERSION,  /* the image's secure version is below the floor in the fuses */
    OTA_ERR_NOTHING_BOOTABLE, /* no slot holds an image that verifies */

    /* The image. */
    OTA_ERR_IMAGE_MAGIC,         /* the first byte is no image's */
    OTA_ERR_IMAGE_CHIP,          /* made for another chip */
    OTA_ERR_IMAGE_REVISION,      /* made for other revisions of this chip */
    OTA_ERR_IMAGE_SEGMENT_COUNT, /* more than 16 segments */
    OTA_ERR_IMAGE_SEGMENT,       /* a segment's length is not possible */
    OTA_ERR_IMAGE_MAPPING,       /* a segment's flash address does not fit its load address */
    OTA_ERR_IMAGE_DESCRIPTOR,    /* an app descriptor is demanded and absent */
    OTA_ERR_IMAGE_LAYOUT,        /* ESP8266: the parts of the file do not follow one another */
    OTA_ERR_IMAGE_FLASH_SIZE,    /* ESP8266: built for a larger flash chip than this one */
    OTA_ERR_IMAGE_FORM,          /* ESP8266: another SDK's, whose images do not boot here */
    OTA_ERR_IMAGE_CHECKSUM,      /* the XOR checksum over the segments is wrong */
    OTA_ERR_IMAGE_HASH,          /* the appended SHA-256, or the file's CRC, is wrong */
    OTA_ERR_IMAGE_TRUNCATED,     /* the image ends before its own structure does */

    /* The compression of what comes. */
    OTA_ERR_COMPRESSED,         /* compressed, and nothing here takes that */
    OTA_ERR_COMPRESSION,        /* compressed in a way that cannot be read here */
    OTA_ERR_COMPRESSED_DATA,    /* the compressed data is damaged */
    OTA_ERR_COMPRESSED_SUM,     /* a checksum or the length in it differs from what came out */
    OTA_ERR_COMPRESSED_TRAILER, /* bytes follow the end of the compressed data */

    /* Signatures. */
    OTA_ERR_SIGNATURE,         /* the signature does not fit the bytes it is said to be over */
    OTA_ERR_SIGNATURE_MISSING, /* there is none, and one is demanded */
    OTA_ERR_SIGNATURE_KEY,     /* made with a key that is not trusted here */
    OTA_ERR_KEY,               /* the public key is weak, damaged, or of a kind not known here */

    /* The update. */
    OTA_ERR_TOO_LARGE,  /* more bytes than the partition, or than announced */
    OTA_ERR_INCOMPLETE, /* fewer bytes than announced */
    OTA_ERR_NO_DATA,    /* nothing was written */
    OTA_ERR_DIGEST,     /* the bytes that arrived do not have the expected MD5 or SHA-256 */
    OTA_ERR_ABORTED,    /* stopped by the caller or its policy */
    OTA_ERR_SOURCE,     /* the source could not be read */
    OTA_ERR_CRYPTO,     /* the crypto backend failed */

    /* Policy (gate.h): the update is sound, and not wanted. */
    OTA_ERR_BUSY,          /* another update is under way */
    OTA_ERR_RESTARTING,    /* a restart is due: nothing is let in before it */
    OTA_ERR_HELD,          /* not now: a gate asks to try again later */
    OTA_ERR_REFUSED,       /* a gate forbids it */
    OTA_ERR_SAME_VERSION,  /* the image has the version that runs */
    OTA_ERR_OLDER_VERSION, /* the image has an older version than the one that runs */
    OTA_ERR_PROJECT,       /* the image is of another project */
    OTA_ERR_VERSION,       /* the image's version cannot be put in an order with the present one */

    /* The network. */
    OTA_ERR_URL,              /* not a URL that this client can fetch */
    OTA_ERR_PORT,             /* the port to listen at is taken */
    OTA_ERR_CONNECT,          /* no connection */
    OTA_ERR_CONNECTION_LOST,  /* the connection ended in the middle */
    OTA_ERR_TIMEOUT,          /* nothing came for too long */
    OTA_ERR_HTTP_SYNTAX,      /* the answer is not HTTP */
    OTA_ERR_HTTP_HEADER,      /* a header is longer than the client holds, or contradicts itself */
    OTA_ERR_HTTP_STATUS,      /* a status that means no update can be had this way */
    OTA_ERR_HTTP_NOT_FOUND,   /* 404 */
    OTA_ERR_HTTP_FORBIDDEN,   /* 403 */
    OTA_ERR_HTTP_CREDENTIALS, /* 401 */
    OTA_ERR_HTTP_REDIRECT,    /* a redirect that may not, or can not, be followed */
    OTA_ERR_HTTP_NO_LENGTH,   /* the server did not say how long the image is */
    OTA_ERR_HTTP_RANGE,       /* the answer to a range request is for other bytes */
    OTA_ERR_PROTOCOL,         /* the peer does not speak this protocol, or breaks its rules */
    OTA_ERR_AUTH,             /* a login is wrong, missing, or of a kind that is not allowed */
    OTA_ERR_PEER,             /* the peer says that it failed; its own words say why */
    OTA_ERR_CONNECT_BACK,     /* the device could not open the connection back to the sender */

    /* TLS. */
    OTA_ERR_TLS,           /* the handshake failed: no common suite, an alert, broken records */
    OTA_ERR_TLS_UNTRUSTED, /* nobody that is trusted has signed the server's certificate */
    OTA_ERR_TLS_NAME,      /* the certificate is for another host */
    OTA_ERR_TLS_EXPIRED,   /* the certificate is not valid at this time */
    OTA_ERR_NO_MEMORY,     /* there is not enough memory (only where the heap is used: TLS) */

    OTA_ERR_COUNT /* how many there are; not an error */
};

/* A first cause and where it struck. `offset` counts bytes from the start of what was being read or
   written (the image, the table, the transfer); 0 where an offset has no meaning. */
struct ota_failure {
    enum ota_err err;
    uint32_t offset;
};

/* Returns the error's name without prefix, such as "IMAGE_CHECKSUM"; "UNKNOWN" outside the
   range. */
const char *ota_err_name(enum ota_err err);

/* Returns one sentence that a person can act on, without a full stop at its end. Never NULL. */
const char *ota_err_text(enum ota_err err);

/* Returns the nearest ESP-IDF number (esp_err_t), such as 0x104 for a size; 0 for OTA_OK, -1
   (ESP_FAIL) where none fits. docs/formats/errors.md section 1. */
int32_t ota_err_esp_idf(enum ota_err err);

/* Return the nearest error number of the Arduino `Update` class on the ESP8266 and on the ESP32:
   the two differ from 8 upward. 0 for OTA_OK. docs/formats/errors.md sections 2 and 3. */
int ota_err_arduino_esp8266(enum ota_err err);
int ota_err_arduino_esp32(enum ota_err err);

/* Return that class's own text for one of its numbers, "UNKNOWN" for others. */
const char *ota_arduino_esp8266_text(int number);
const char *ota_arduino_esp32_text(int number);

#endif
