/* SPDX-License-Identifier: Apache-2.0 */
/* A chip looked over from its first byte to its last partition. */

#include "cli/flash_survey.h"

#include <string.h>

#include "cli/output.h"

#define IMAGE_MAGIC 0xE9u
#define CHIP_ID_AT 12u

static void survey_image(const struct ota_region *region, enum ota_image_role role,
                         uint16_t chip_id, struct flash_survey_image *found)
{
    struct ota_image_check check;
    bool blank = false;

    if (ota_region_is_blank(region, 0, region->size, &blank) == OTA_OK && blank) {
        found->blank = true;
        return;
    }
    flash_image_verify(&check, role, chip_id, region);
    found->image = check.image;
    found->failure = check.failure;
    if (check.failure.err == OTA_OK) {
        flash_image_name(&check.image, found->name);
    }
}

/* Tells whether what begins at `offset` can be the bootloader of a chip that wants it there. */
static bool is_bootloader_of(const struct chip_image *chip, const struct ota_chip_facts *facts)
{
    const struct files_content *content = &chip->content;
    uint32_t offset = facts->bootloader_offset;

    if (facts->id == OTA_CHIP_HOST || offset + CHIP_ID_AT + 2 > content->size ||
        content->data[offset] != IMAGE_MAGIC) {
        return false;
    }
    const uint8_t *id = content->data + offset + CHIP_ID_AT;
    return facts->id == OTA_CHIP_ESP8266 || facts->id == (uint16_t)(id[0] | id[1] << 8);
}

/* The ESP8266, whose images name no chip, stands behind all others in the library's list. */
static const struct ota_chip_facts *find_bootloader(const struct chip_image *chip, uint16_t chip_id)
{
    const struct ota_chip_facts *facts;
    for (unsigned n = 0; (facts = ota_chip_facts_at(n)) != NULL; n++) {
        if ((chip_id == OTA_CHIP_ANY || chip_id == facts->id) && is_bootloader_of(chip, facts)) {
            return facts;
        }
    }
    return NULL;
}

static void survey_bootloader(struct flash_survey *survey, uint32_t table_offset)
{
    const struct ota_chip_facts *facts = find_bootloader(survey->chip, survey->chip_id);
    if (facts == NULL || facts->bootloader_offset >= table_offset) {
        return;
    }
    struct ota_region region = {.flash = &survey->chip->flash,
                                .offset = facts->bootloader_offset,
                                .size = table_offset - facts->bootloader_offset};
    survey->has_bootloader = true;
    survey->bootloader_offset = facts->bootloader_offset;
    survey->chip_id = facts->id;
    survey_image(&region, OTA_ROLE_BOOTLOADER, facts->id, &survey->bootloader);
}

static uint32_t count_used_sectors(const struct ota_region *region)
{
    uint32_t used = 0;
    for (uint32_t at = 0; at < region->size; at += CHIP_IMAGE_SECTOR) {
        uint32_t left = region->size - at;
        bool blank = false;
        ota_region_is_blank(region, at, left < CHIP_IMAGE_SECTOR ? left : CHIP_IMAGE_SECTOR,
                            &blank);
        used += !blank;
    }
    return used;
}

static void survey_partition(struct flash_survey *survey, struct flash_survey_partition *found)
{
    struct ota_region region;
    if (ota_partition_region(&survey->table, &found->partition, &region) != OTA_OK) {
        return; /* an opened table has none of these */
    }
    found->is_app = found->partition.type == OTA_PARTITION_APP;
    if (found->is_app) {
        survey_image(&region, OTA_ROLE_APP, survey->chip_id, &found->app);
    } else {
        found->sectors_used = count_used_sectors(&region);
    }
}

int flash_survey(struct chip_image *chip, uint32_t table_offset, uint16_t chip_id,
                 struct flash_survey *survey)
{
    struct ota_region otadata;

    *survey = (struct flash_survey){.chip = chip, .chip_id = chip_id};
    if (chip_image_open_table(chip, table_offset, &survey->table) != 0) {
        return 1;
    }
    survey_bootloader(survey, table_offset);
    if (ota_layout_read(&survey->layout, &survey->table) != OTA_OK) {
        return fail("%s: the partition table cannot be read", chip->path);
    }
    const struct ota_extent *extent = &survey->layout.otadata;
    survey->has_otadata =
        ota_region_init(&otadata, &chip->flash, extent->offset, extent->size) == OTA_OK &&
        ota_otadata_read(&survey->otadata, &otadata) == OTA_OK;
    for (uint32_t i = 0; i < survey->table.rows; i++) {
        struct flash_survey_partition *found = &survey->partition[survey->partitions];
        if (ota_partition_get(&survey->table, i, &found->partition) == OTA_OK) {
            survey_partition(survey, found);
            survey->partitions++;
        }
    }
    return 0;
}
