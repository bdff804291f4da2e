/* SPDX-License-Identifier: Apache-2.0 */
#include <updraft/layout.h>

#include "base/mem.h"

static struct ota_extent *place_of(struct ota_layout *layout, const struct ota_partition *partition)
{
    if (partition->type == OTA_PARTITION_DATA && partition->subtype == OTA_SUBTYPE_DATA_OTA) {
        return &layout->otadata;
    }
    if (partition->type != OTA_PARTITION_APP) {
        return NULL;
    }
    if (partition->subtype == OTA_SUBTYPE_APP_FACTORY) {
        return &layout->factory;
    }
    if (partition->subtype == OTA_SUBTYPE_APP_TEST) {
        return &layout->test;
    }
    if (partition->subtype >= OTA_SUBTYPE_APP_OTA_0 &&
        partition->subtype <= OTA_SUBTYPE_APP_OTA_15) {
        layout->ota_rows++;
        return &layout->ota[partition->subtype - OTA_SUBTYPE_APP_OTA_0];
    }
    return NULL;
}

enum ota_err ota_layout_read(struct ota_layout *layout, const struct ota_partition_table *table)
{
    memset(layout, 0, sizeof *layout);
    for (uint32_t i = 0; i < table->rows; i++) {
        struct ota_partition partition;
        struct ota_extent *extent;
        enum ota_err err = ota_partition_get(table, i, &partition);

        if (err != OTA_OK) {
            return err;
        }
        extent = place_of(layout, &partition);
        if (extent != NULL) {
            extent->offset = partition.offset;
            extent->size = partition.size;
        }
    }
    while (layout->ota_run < OTA_SLOTS_MAX && layout->ota[layout->ota_run].size != 0) {
        layout->ota_run++;
    }
    return OTA_OK;
}

struct ota_extent ota_layout_slot(const struct ota_layout *layout, int slot)
{
    static const struct ota_extent none = {0, 0};

    if (slot == OTA_SLOT_FACTORY) {
        return layout->factory;
    }
    if (slot == OTA_SLOT_TEST) {
        return layout->test;
    }
    return slot >= 0 && slot < OTA_SLOTS_MAX ? layout->ota[slot] : none;
}

enum ota_err ota_layout_region(const struct ota_layout *layout, struct ota_flash *flash, int slot,
                               struct ota_region *region)
{
    struct ota_extent extent = ota_layout_slot(layout, slot);

    if (extent.size == 0) {
        return OTA_ERR_NO_PARTITION;
    }
    return ota_region_init(region, flash, extent.offset, extent.size);
}
