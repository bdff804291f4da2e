/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_FLASH_IMAGE_H
#define CLI_FLASH_IMAGE_H

/* Firmware images at their place on a flash chip: proven there, and their flash settings changed
   (docs/formats/flash-layout.md section 5). */

#include <stdbool.h>
#include <stdint.h>

#include <updraft/image.h>

/* Proves the image at the start of `region` as the bootloader would, for `chip_id` (OTA_CHIP_ANY:
   each chip); revisions are not looked at, bytes behind the image are passed over. Facts and
   failure are in `check`. Returns the first failure or OTA_OK. */
enum ota_err flash_image_verify(struct ota_image_check *check, enum ota_image_role role,
                                uint16_t chip_id, const struct ota_region *region);

/* Writes an image's name into `text`: "garden 2.3.1", or what else is known of it. */
#define FLASH_IMAGE_NAME_SIZE 96u
const char *flash_image_name(const struct ota_image *image, char text[FLASH_IMAGE_NAME_SIZE]);

/* What to change in an image's header; NULL keeps what is there. */
struct flash_settings {
    const char *mode;  /* "dio" */
    const char *speed; /* "80m" */
    const char *size;  /* "4MB" */
};

/* Changes the header of a proven image in memory, and renews its SHA-256 where it has one. `path`
   is for messages. Returns 0, or 1 after a message if the chip has no such setting. */
int flash_image_set(uint8_t *data, const struct ota_image *image, uint16_t chip_id,
                    const struct flash_settings *settings, const char *path);

#endif
