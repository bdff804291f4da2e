/* SPDX-License-Identifier: Apache-2.0 */
/* The slots' names, as partition tables call them. */
#include <updraft/layout.h>

#include "base/mem.h"

const char *ota_slot_name(int slot, char name[OTA_SLOT_NAME_SIZE])
{
    if (slot == OTA_SLOT_FACTORY) {
        memcpy(name, "factory", 8);
    } else if (slot == OTA_SLOT_TEST) {
        memcpy(name, "test", 5);
    } else if (slot < 0 || slot >= OTA_SLOTS_MAX) {
        memcpy(name, "none", 5);
    } else if (slot < 10) {
        memcpy(name, "ota_0", 6);
        name[4] = (char)('0' + slot);
    } else {
        memcpy(name, "ota_10", 7);
        name[5] = (char)('0' + slot - 10);
    }
    return name;
}
