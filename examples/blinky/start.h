/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BLINKY_START_H
#define BLINKY_START_H

#include <updraft/platform.h>

/* What this build of the firmware does when it has said hello, before it meets the network. */
void start(struct ota_platform *platform);

#endif
