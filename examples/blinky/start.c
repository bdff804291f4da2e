/* SPDX-License-Identifier: Apache-2.0 */
/* The good builds: nothing to do. */

#include "start.h"

void start(struct ota_platform *platform)
{
    (void)platform;
}
