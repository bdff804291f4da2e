/* SPDX-License-Identifier: Apache-2.0 */
/* The states of an image, in words. */
#include <updraft/otadata.h>

const char *ota_image_state_name(uint32_t state)
{
    static const char *const names[] = {"new", "pending-verify", "valid", "invalid", "aborted"};

    if (state == OTA_STATE_UNDEFINED) {
        return "undefined";
    }
    return ota_image_state_is_known(state) ? names[state] : "torn";
}
