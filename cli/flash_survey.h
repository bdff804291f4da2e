/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_FLASH_SURVEY_H
#define CLI_FLASH_SURVEY_H

/* What is on a flash chip: bootloader, partition table, otadata, and what each partition holds,
   every image proven. */

#include <stdbool.h>
#include <stdint.h>

#include <updraft/image.h>
#include <updraft/layout.h>
#include <updraft/otadata.h>

#include "cli/chip_image.h"
#include "cli/flash_image.h"

/* What an image's place holds. */
struct flash_survey_image {
    bool blank;                 /* all 0xFF */
    struct ota_image image;     /* as far as it was read */
    struct ota_failure failure; /* OTA_OK: the image is good */
    char name[FLASH_IMAGE_NAME_SIZE];
};

struct flash_survey_partition {
    struct ota_partition partition;
    bool is_app;
    struct flash_survey_image app; /* of an app */
    uint32_t sectors_used;         /* of other partitions: sectors that are not all 0xFF */
};

struct flash_survey {
    struct chip_image *chip; /* the caller's */
    struct ota_partition_table table;
    struct ota_layout layout;
    bool has_bootloader;
    uint32_t bootloader_offset;
    uint16_t chip_id; /* OTA_CHIP_ANY where no bootloader tells it */
    struct flash_survey_image bootloader;
    bool has_otadata;
    struct ota_otadata otadata;
    struct flash_survey_partition partition[OTA_PARTITION_ROWS_MAX];
    uint32_t partitions;
};

/* Surveys the chip with its table at `table_offset`. `chip_id` is known, or OTA_CHIP_ANY: then the
   bootloader tells it. Returns 0, or 1 after a message if there is no good table. */
int flash_survey(struct chip_image *chip, uint32_t table_offset, uint16_t chip_id,
                 struct flash_survey *survey);

#endif
