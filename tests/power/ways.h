/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POWER_WAYS_H
#define POWER_WAYS_H

/*
 * The ways in: how an image comes to the board when it does not come by direct calls of the update.
 * The peer is played in memory; what is the device's is the library's own, from the protocol
 * through struct ota_intake to the flash, and is begun anew for each transfer. The demands on what
 * may boot are made where policy sits, in a gate:
 *
 *     BEGIN        the flash as it is now must still be so at
 *     DESCRIBED    the flash has not changed, and the image is the one that was sent
 *     ACTIVATE     the image lies whole in its place; from now on it may boot
 *     activated    nothing else may boot
 *     the peer is told that all is well: it has been activated, or is held
 */

#include "power/firmware.h"

/* Transfers an image as the scenario's way does, up to byte `limit`, where the connection breaks. A
   way that can goes on next time where this one came to. */
enum step way_update(struct board *board, int image, uint32_t limit);

/* As way_update for the whole of it, but a gate refuses it once it is described: nothing on the
   flash may change. */
enum step way_refuse(struct board *board, int image);

/* As way_update for the whole of it, but a gate holds it when it is proven. If it `opens`, somebody
   else is turned away, then it lets the image pass. */
enum step way_hold(struct board *board, int image, bool opens);

/* "espota", and so on. */
const char *way_name(enum way way);

#endif
