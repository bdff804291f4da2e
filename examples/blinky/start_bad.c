/* SPDX-License-Identifier: Apache-2.0 */
/* The bad build: it dies before it could confirm itself, so the next boot takes it back. */

#include <stdlib.h>

#include "start.h"

void start(struct ota_platform *platform)
{
    platform->log(platform, OTA_LOG_WARNING, "blinky", "this build crashes here");
    abort();
}
