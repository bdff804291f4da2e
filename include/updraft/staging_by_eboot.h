/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_STAGING_BY_EBOOT_H
#define UPDRAFT_STAGING_BY_EBOOT_H

/*
 * Staged updates for an ESP8266 that eboot boots: the other way for struct ota_staging, which does
 * without a change to the boot loader, and has its weakness. Power that fails while eboot copies
 * leaves a chip that needs a cable (docs/formats/eboot.md section 5); staging.h has the way without.
 *
 *     static const struct ota_staging staging = {
 *         .app = {0, 0x200000}, .staging = {0x1000, 0x1FF000}, .inflates = true,
 *         .data = &file_system, .data_count = 1, .way = &ota_staging_by_eboot,
 *     };
 *     static struct ota_esp8266 esp8266;
 *     err = ota_esp8266_init(&esp8266, &flash);
 *     esp8266.layout = ota_esp8266_layout_find("4m2m");
 *     esp8266.eboot_command = (volatile uint32_t *)OTA_EBOOT_COMMAND_ADDRESS;
 *     device.staging = &staging;
 *     device.esp8266 = &esp8266;
 *     err = ota_staging_open(&device);
 *
 * Updates are staged where Arduino's core stages them (ota_esp8266_stage), gzip as it comes, since
 * eboot inflates. What inflates to so much that eboot would overtake itself is refused,
 * OTA_ERR_TOO_LARGE; without a window (staged_gzip.h) that is all that would reach to where it is
 * staged. A file system is staged if it fits, else written in place. There is no trial
 * and no way back.
 *
 * A record that waits for the restart is withdrawn before what it speaks of is overwritten.
 */

#include <updraft/staging.h>

extern const struct ota_staging_way ota_staging_by_eboot;

#endif
