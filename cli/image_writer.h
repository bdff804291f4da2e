/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_CLI_IMAGE_WRITER_H
#define UPDRAFT_CLI_IMAGE_WRITER_H

/*
 * Makes firmware images of every form (docs/formats/image.md): for `updraft image make`, and for
 * tests that need images of their own. Equal input gives equal bytes.
 *
 *     struct ota_app_descriptor descriptor = {.version = "1.0.0", .project = "blinky"};
 *     struct image_built built;
 *     if (!image_build_host(&descriptor, elf, elf_size, &ota_crypto_psa, &built)) {
 *         fail("%s", built.problem);
 *     }
 *     use(built.data, built.size);
 *     image_built_free(&built);
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <updraft/crypto.h>
#include <updraft/image.h>

struct image_segment {
    uint32_t address; /* where it is loaded or mapped */
    const void *data; /* the caller's */
    size_t size;      /* bytes; padded with zeros to a multiple of 4 */
};

struct image_spec {
    enum ota_image_form form;            /* ESP32, ESP8266 or ESP8266_RTOS */
    enum ota_image_variant variant;      /* of the form ESP8266: V1 (also NONE), V2, ARDUINO */
    uint16_t chip_id;                    /* ESP32 form only */
    uint16_t min_revision, max_revision; /* ESP32 form only; a maximum of 0 or 65535 is none */
    uint8_t spi_mode;                    /* header byte 2 */
    uint8_t spi_speed_size;              /* header byte 3 */
    uint32_t entry;                      /* address */
    const struct image_segment *segments;
    size_t segment_count;

    /* ESP32 form. The default order is mapped segments by address, then the others by address, with
       padding as the flash cache needs it (docs/formats/image.md section 18). */
    bool keep_order;     /* write the segments as they come, without padding */
    bool without_digest; /* no appended SHA-256 */
    uint32_t page_size;  /* of the flash cache; 0: the chip's default */

    /* Goes in front of the data of the segment that is written first, which then begins with 256
       bytes more. NULL: no descriptor, or the segment has one. */
    const struct ota_app_descriptor *descriptor;

    /* Arduino variant: the bootloader's image, for offset 0. */
    const void *boot_image;
    size_t boot_size;
};

struct image_built {
    uint8_t *data; /* allocated; image_built_free releases it */
    size_t size;
    char problem[160]; /* when building failed: what is wrong */
};

/* Builds the image. Returns false, with `problem` set and nothing to free, if the spec cannot be
   met: too many segments, two mapped segments in one page, a form without descriptor, no memory. */
bool image_build(const struct image_spec *spec, const struct ota_crypto *crypto,
                 struct image_built *built);

/* Builds the image of a program for the virtual board (docs/formats/image.md section 12). The
   descriptor's elf_sha256 is computed, whatever it holds. As image_build. */
bool image_build_host(const struct ota_app_descriptor *descriptor, const void *elf, size_t elf_size,
                      const struct ota_crypto *crypto, struct image_built *built);

void image_built_free(struct image_built *built);

/* Computes anew the checksum, and the appended SHA-256 if byte 23 says that there is one, of an
   ESP32-form image whose bytes were changed in place. Returns false if its segments do not fit into
   `size` bytes. Bytes behind the image are left alone. */
bool image_reseal(uint8_t *data, size_t size, const struct ota_crypto *crypto);

/* Writes a descriptor as the 256 bytes that an image holds. */
void image_descriptor_encode(const struct ota_app_descriptor *descriptor,
                             uint8_t bytes[OTA_APP_DESCRIPTOR_SIZE]);

#endif
