/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORMAT_SELECTION_H
#define FORMAT_SELECTION_H

/* The otadata of a device, read once and judged from memory. */

#include <updraft/layout.h>
#include <updraft/otadata.h>

struct ota__selection {
    struct ota_region region;
    struct ota_otadata otadata;
};

/* Reads the otadata that the layout names. Returns OTA_ERR_NO_OTADATA if there is none or it has no
   room for two entries, or the read's error. */
enum ota_err ota__selection_read(struct ota__selection *selection, const struct ota_layout *layout,
                                 struct ota_flash *flash);

#endif
