/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDATE_SLOT_SELECT_H
#define UPDATE_SLOT_SELECT_H

/* Changing otadata's choice without proving the image: for an update that has just proven it. */

#include <updraft/device.h>

/* Makes `slot` (an OTA slot, or OTA_SLOT_FACTORY) the one that boots. Returns OTA_ERR_ARGUMENT,
   OTA_ERR_NO_OTADATA or an error of the flash. */
enum ota_err ota__slot_select(const struct ota_device *device, int slot);

#endif
