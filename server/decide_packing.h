/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_SERVER_DECIDE_PACKING_H
#define UPDRAFT_SERVER_DECIDE_PACKING_H

/*
 * Which bytes of an image go to a device: its file, or that packed by gzip (docs/formats/http-pull.md
 * section 11). A device that unpacks while it takes them in, or into a file, can do that with any
 * image. An ESP8266 of Arduino's unpacks when it boots, from right below its file system to the start
 * of its flash, with nothing to stop it: it gets packed bytes only where that is known to end well.
 */

#include "server/catalog.h"
#include "server/device.h"

/* Tells whether the device can do anything with the file: one that is not packed, or that it
   unpacks. */
bool decide_can_unpack(const struct device *device, const struct catalog_image *image);

/* Returns the packed form in which the image is to travel, NULL if that is its file. */
const struct packed_image *decide_packed(const struct device *device,
                                         const struct catalog_image *image,
                                         struct catalog_image *const *images, size_t count);

/* Says why a file that is packed must not go to a device that unpacks such; NULL if it may.
   `images` are those among which the one is looked for that the device runs. */
const char *decide_packing_problem(const struct device *device, const struct catalog_image *image,
                                   struct catalog_image *const *images, size_t count);

/* Tells whether the device says that it runs this image. */
bool decide_is_running(const struct device *device, const struct catalog_image *image);

#endif
