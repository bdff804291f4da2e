/* SPDX-License-Identifier: Apache-2.0 */
/* What happens during a boot, in words. */
#include <updraft/boot.h>

const char *ota_boot_event_text(enum ota_boot_event event)
{
    static const char *const texts[] = {
        "partition table is not valid",
        "no otadata partition",
        "otadata cannot be used",
        "otadata selects nothing",
        "image did not confirm itself: taken back",
        "selected by otadata",
        "on trial: must confirm itself",
        "secure version below the floor",
        "image does not verify",
        "image is not signed as it should be, which is only reported here",
        "state could not be written",
        "first otadata entry written",
        "staged update refused",
        "staged update stopped",
        "chosen",
        "nothing is bootable",
    };
    unsigned count = sizeof texts / sizeof texts[0];

    return (unsigned)event < count ? texts[event] : "unknown event";
}
