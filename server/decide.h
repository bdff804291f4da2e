/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_SERVER_DECIDE_H
#define UPDRAFT_SERVER_DECIDE_H

/*
 * Is there something newer for this device? A pure function from what the device says of itself and
 * what the folder holds to the answer (docs/formats/http-pull.md section 7).
 *
 * From top to bottom; the first line that holds is the answer:
 *
 *     the User-Agent is no updater's                                        403
 *     a header that every such updater sends is missing, or no number       403
 *     the mode is none of sketch, spiffs (littlefs, fatfs), version         404
 *     no image for this chip, project and mode                              404
 *     several projects or chips would do, and the device names none         404
 *     mode version: what there is, without the image                        200, no body
 *     the device runs exactly this image                                    304
 *     the device says its version, and the image's is not newer             304
 *     neither versions nor digests can be compared (apps only)              403
 *     the image is larger than the device's space or flash                  403
 *     it is compressed, and would not survive being unpacked                403
 *     otherwise                                                             200, the image
 *
 * Of several images of the project the one with the highest version counts; versions that have no
 * order (updraft/version.h) come after those that have, the youngest file first. "Newer" is newer in
 * that order or, where there is none, different. A device that says no version, or an image that
 * has none, is decided by digest: an image other than the running one is newer.
 *
 * The project is the one named in the URL or by x-Updraft-Project; else that of the image that the
 * device's digest says it runs; else the only one that there is for the chip. The chip likewise:
 * an ESP32's request does not say which of the family it is.
 */

#include <stddef.h>

#include "server/catalog.h"
#include "server/device.h"

enum decision_kind {
    DECISION_SEND,
    DECISION_TELL_VERSION, /* 200 without a body */
    DECISION_NOTHING_NEWER,
    DECISION_REFUSE,    /* 403 */
    DECISION_NOT_FOUND, /* 404 */
};

struct decision {
    enum decision_kind kind;
    unsigned status;                   /* HTTP */
    struct catalog_image *image;       /* the one it is about; NULL for most refusals */
    const struct packed_image *packed; /* SEND: its form that is sent; NULL: its file */
    char reason[256]; /* one line without line end; what the device's owner should know */
};

/* Decides. `images` are the catalogue's. */
struct decision decide(const struct device *device, struct catalog_image *const *images,
                       size_t count);

/* Returns what a device is told as the image's version: its version or, where it has none, its MD5
   in hex, written to `buffer`. */
const char *decide_version_text(const struct catalog_image *image, char buffer[33]);

#endif
