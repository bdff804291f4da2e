/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_IMAGE_H
#define UPDRAFT_IMAGE_H

/*
 * Firmware images (docs/formats/image.md): a check that validates an image while its bytes stream
 * past, in one pass, wherever they come from. The update feeds it what the network delivers; the
 * bootloader feeds it what the flash holds.
 *
 *     struct ota_image_check check;
 *     ota_image_check_begin(&check, &rules, crypto);
 *     while (more) err = ota_image_check_write(&check, data, len);
 *     err = ota_image_check_finish(&check);
 *     if (err == OTA_OK) use check.image; else report check.failure;
 *
 * The first failure wins; `failure.offset` is the byte of the image at which it showed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <updraft/chip.h>
#include <updraft/crypto.h>
#include <updraft/error.h>
#include <updraft/flash.h>

struct ota_esp8266;

enum ota_image_form {
    OTA_IMAGE_DETECT = 0,   /* for tools: find out from the first bytes */
    OTA_IMAGE_ESP32,        /* the ESP32 family: extended header, checksum, appended SHA-256 */
    OTA_IMAGE_ESP8266,      /* ESP8266: version 1 (0xE9), version 2 (0xEA), or Arduino's file with
                               its bootloader at 0 and the sketch at 0x1000 */
    OTA_IMAGE_ESP8266_RTOS, /* ESP8266_RTOS_SDK: version 1 header, descriptor, SHA-256 always */
    OTA_IMAGE_DATA,         /* no structure: any bytes, only hashed */
};

/* What an ESP8266 file turned out to be. */
enum ota_image_variant {
    OTA_VARIANT_NONE = 0,
    OTA_VARIANT_V1,
    OTA_VARIANT_V2,
    OTA_VARIANT_ARDUINO,
};

enum ota_image_role {
    OTA_ROLE_APP = 0,
    OTA_ROLE_BOOTLOADER, /* no app descriptor, no highest revision, default page size */
};

struct ota_image_rules {
    enum ota_image_form form;
    enum ota_image_role role;
    struct ota_chip chip;          /* id OTA_CHIP_ANY: any chip */
    uint32_t size_max;             /* of the partition; images that end beyond are too large */
    uint32_t flash_offset;         /* where the image lies; matters only within the chip's page */
    uint32_t secure_version_floor; /* images below are refused; needs a descriptor if not 0 */
    const struct ota_esp8266 *esp8266; /* NULL, or what such a chip's updater looks at besides
                                          (esp8266.h) */
    bool require_descriptor;           /* an app without descriptor is refused */
    bool allow_trailer; /* bytes after the image are passed over (signatures, padding);
                                      else they are too many */
    bool unhashed;      /* data only: nobody will ask for the SHA-256 (ota_image_check_digest) */
    /* Called for each segment when its header has been read; NULL if not wanted. `offset` is the
       segment header's. */
    void (*on_segment)(void *context, unsigned index, uint32_t offset, uint32_t load_address,
                       uint32_t length);
    void *context; /* for on_segment */
};

#define OTA_IMAGE_SEGMENTS_MAX 16u
#define OTA_APP_DESCRIPTOR_SIZE 256u
#define OTA_APP_DESCRIPTOR_MAGIC 0xABCD5432u
#define OTA_BOOTLOADER_DESCRIPTOR_SIZE 80u

/* The app descriptor, decoded. Strings are always terminated here, and end at their first control
   character. */
struct ota_app_descriptor {
    uint32_t secure_version;
    char version[33];
    char project[33];
    char time[17];
    char date[17];
    char idf_version[33];
    uint8_t elf_sha256[OTA_SHA256_SIZE];
    uint16_t min_efuse_block_revision; /* 0 or 65535: not set */
    uint16_t max_efuse_block_revision; /* 0 or 65535: not set */
    uint8_t page_size_log2;            /* 0: not stored */
    uint8_t spi_mode;                  /* 0: not stored */
};

/* The bootloader descriptor, decoded. */
struct ota_bootloader_descriptor {
    uint8_t secure_version;
    uint32_t version;
    char idf_version[33];
    char date_time[25];
};

/* The part of a descriptor that has a meaning; the rest of its 256 bytes is reserved. */
#define OTA_DESCRIPTOR_KEPT 184u

/* Facts of an image, as far as the check has got. */
struct ota_image {
    enum ota_image_form form;
    enum ota_image_variant variant;
    uint8_t segment_count;
    uint8_t spi_mode;       /* of the header byte 2 */
    uint8_t spi_speed_size; /* of the header byte 3 */
    uint32_t entry;         /* address */
    uint8_t extended[16];   /* the extended header as it is; all zero where there is none */
    uint16_t chip_id;
    uint16_t min_revision, max_revision;
    uint32_t data_end; /* just past the last segment */
    uint8_t checksum;  /* as computed; the stored one is equal unless the failure says so */
    bool has_digest;   /* a SHA-256 follows the checksum */
    uint8_t digest[OTA_SHA256_SIZE]; /* as computed, like the checksum */
    uint32_t crc;                    /* ESP8266 version 2 and Arduino: as computed; else 0 */
    uint32_t length;                 /* of the whole image, digest included; 0 until known */
    uint8_t descriptor[OTA_DESCRIPTOR_KEPT]; /* the first bytes of segment 0 */
    uint8_t descriptor_len;                  /* how many of them segment 0 had */
};

/* Decode the descriptor; return false, leaving the output alone, if the image has none. */
bool ota_image_app_descriptor(const struct ota_image *image, struct ota_app_descriptor *descriptor);
bool ota_image_bootloader_descriptor(const struct ota_image *image,
                                     struct ota_bootloader_descriptor *descriptor);

/* The secure version that the image states, 0 without a descriptor. */
uint32_t ota_image_secure_version(const struct ota_image *image);

/*
 * The running check. Everything but `image` and `failure` is private.
 *
 *   HEADER -> SEGMENT -> DESCRIPTOR -> DATA -> SEGMENT … -> PADDING -> DIGEST -> END -> (trailer)
 *
 *   ESP8266 version 2 begins HEADER -> IROM_HEADER -> IROM -> HEADER, and ends CRC -> END.
 *   Arduino's file goes on after its first image: PADDING -> FILLER -> HEADER at 0x1000.
 */
struct ota_image_check {
    struct ota_image image;
    struct ota_failure failure;

    const struct ota_image_rules *rules; /* the caller's, kept until finish */
    const struct ota_chip_facts *chip;   /* of the image; NULL if it is not known */
    const struct ota_crypto *crypto;
    struct ota_hash hash; /* SHA-256 over all bytes so far, unless rules->unhashed */
    bool hash_begun;
    uint8_t stage;       /* what the next byte belongs to */
    uint8_t segment;     /* index of the segment whose header or data comes */
    uint8_t sum;         /* XOR of the present image's segments */
    uint8_t words[8];    /* Arduino's two words, which its checksum leaves out */
    uint8_t scratch[32]; /* the bytes of a stage that is judged as a whole */
    uint8_t scratch_len;
    uint32_t offset;       /* of the next byte */
    uint32_t stage_left;   /* bytes that the stage still takes */
    uint32_t load_address; /* of the present segment */
    uint32_t data_len;     /* of the present segment */
    uint32_t data_offset;  /* of the present segment's data */
    uint32_t crc;          /* running, ESP8266 only */
};

/* Starts a check; `rules` is the caller's and must stay until the check ends. Returns OTA_OK,
   OTA_ERR_TOO_LARGE if size_max leaves no room for a header, or OTA_ERR_CRYPTO. */
enum ota_err ota_image_check_begin(struct ota_image_check *check,
                                   const struct ota_image_rules *rules,
                                   const struct ota_crypto *crypto);

/* Checks the next bytes. Returns OTA_OK or the first failure (also again on later calls). */
enum ota_err ota_image_check_write(struct ota_image_check *check, const void *data, size_t len);

/* Says that no more bytes come; releases the hash. Returns OTA_OK only if the image is whole and
   right, else the first failure. */
enum ota_err ota_image_check_finish(struct ota_image_check *check);

/* Ends a check early; releases the hash. May be called in any state after begin. */
void ota_image_check_abort(struct ota_image_check *check);

/* Tells whether all that the image says of itself is known: image.descriptor is whole, or there is
   none. Where the form has none: with the ESP8266's header, or at the first byte of data. */
bool ota_image_check_is_described(const struct ota_image_check *check);

/* How many further bytes the image needs for certain: 0 when it is whole. A reader that reads no
   more than this at a time never reads past the image's end. */
uint32_t ota_image_check_wanted(const struct ota_image_check *check);

/* Writes the SHA-256 of all bytes so far, and goes on. Not for rules->unhashed. Returns OTA_OK or
   OTA_ERR_CRYPTO. */
enum ota_err ota_image_check_digest(const struct ota_image_check *check,
                                    uint8_t digest[OTA_SHA256_SIZE]);

/*
 * Checks the image that lies at the start of `region`, reading each byte once, `buffer_size` at
 * most at a time into `buffer`. Begins and ends `check`; its facts and failure stay for the caller.
 * Returns OTA_OK, the first failure, or the flash's error.
 */
enum ota_err ota_image_verify(struct ota_image_check *check, const struct ota_image_rules *rules,
                              const struct ota_crypto *crypto, const struct ota_region *region,
                              uint8_t *buffer, uint32_t buffer_size);

/* As ota_image_verify, but the check is not ended when it returns: its hash has taken the image's
   bytes and no more, and ota_image_check_finish must follow, also after an error. */
enum ota_err ota_image_read(struct ota_image_check *check, const struct ota_image_rules *rules,
                            const struct ota_crypto *crypto, const struct ota_region *region,
                            uint8_t *buffer, uint32_t buffer_size);

typedef enum ota_err ota_image_read_fn(struct ota_image_check *check,
                                       const struct ota_image_rules *rules,
                                       const struct ota_crypto *crypto,
                                       const struct ota_region *region, uint8_t *buffer,
                                       uint32_t buffer_size);

/*
 * The same for small bootloaders: it knows apps of OTA_IMAGE_ESP32 only (any other form is
 * OTA_ERR_ARGUMENT), and neither flash mapping nor revisions of that family's chips: it is for
 * other chips, which run such images from where the port maps them. Else it says what
 * ota_image_read says, in a fifth of the code, because on flash one can look ahead. Of the check
 * only `image`, `failure` and the hash are filled in.
 */
enum ota_err ota_image_read_plain(struct ota_image_check *check,
                                  const struct ota_image_rules *rules,
                                  const struct ota_crypto *crypto, const struct ota_region *region,
                                  uint8_t *buffer, uint32_t buffer_size);

/*
 * Reads only the descriptor of the app that lies at the start of `region`, without proving the
 * image. Returns OTA_ERR_IMAGE_MAGIC or OTA_ERR_IMAGE_DESCRIPTOR if there is none, or the read's
 * error.
 */
enum ota_err ota_image_describe(const struct ota_region *region, enum ota_image_form form,
                                struct ota_app_descriptor *descriptor);

/* Reads of it only the secure version; 0 if there is none, or it cannot be read. */
uint32_t ota_image_read_secure_version(const struct ota_region *region, enum ota_image_form form);

/* Decodes the meaningful bytes of an app descriptor. Returns false if its magic is missing. */
bool ota_app_descriptor_decode(const uint8_t bytes[OTA_DESCRIPTOR_KEPT],
                               struct ota_app_descriptor *descriptor);

#endif
