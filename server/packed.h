/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_SERVER_PACKED_H
#define UPDRAFT_SERVER_PACKED_H

/*
 * Images packed by gzip, each made once and kept in a hidden folder beside the images:
 *
 *     DIR/garden-2.3.1.bin
 *     DIR/.updraft/8a476d63….gz     named after the SHA-256 of what it unpacks to
 *
 * A packed file appears whole or not at all, and is believed only when it unpacks to the image that
 * it is named after. Several servers may share a folder. Where it cannot be written, nothing is
 * packed.
 */

#include <stdatomic.h>
#include <stdbool.h>

#include <updraft/crypto.h>

#include "server/catalog.h"

#define PACKED_FOLDER ".updraft"

/* Tells whether an image is to be packed at all: one that a device may ask for, that is not packed
   yet, and whose signature is not over what travels. */
bool packed_is_wanted(const struct catalog_image *image);

enum packed_result {
    PACKED_READY = 0,
    PACKED_NOT_WORTH, /* it would hardly become smaller */
    PACKED_STOPPED,   /* `*stop` became true */
    PACKED_FAILED,    /* errno says why */
};

/* Finds the packed form of an image, or makes it, and fills `packed`. */
enum packed_result packed_find(const struct catalog_snapshot *snapshot,
                               const struct catalog_image *image, const struct ota_crypto *crypto,
                               const atomic_bool *stop, struct packed_image *packed);

/* Opens it for reading; the descriptor is the caller's. Returns -1 with errno, ESTALE if it is no
   longer the file that was found. */
int packed_open(const struct catalog_snapshot *snapshot, const struct catalog_image *image,
                const struct packed_image *packed);

/* Removes packed files of images that the snapshot does not hold, and what a server that died has
   left. */
void packed_clean(const struct catalog_snapshot *snapshot);

#endif
