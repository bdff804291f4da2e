/* SPDX-License-Identifier: Apache-2.0 */
#include "format/selection.h"

enum ota_err ota__selection_read(struct ota__selection *selection, const struct ota_layout *layout,
                                 struct ota_flash *flash)
{
    enum ota_err err =
        ota_region_init(&selection->region, flash, layout->otadata.offset, layout->otadata.size);

    return err == OTA_OK ? ota_otadata_read(&selection->otadata, &selection->region) : err;
}
