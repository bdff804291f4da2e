/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDATE_TRANSFER_H
#define UPDATE_TRANSFER_H

/*
 * An image on its way onto the fixture's device, one at a time: what the tests of the update share.
 *
 *     set-up: transfer_open(70000, "2.0.0"); then what `options` shall have besides
 *     test:   transfer_begin(); ota_update_write(&update, image, len); …
 *     end:    transfer_close
 */

#include "fixture.h"

extern struct fixture fixture;
extern struct ota_update update;
extern struct ota_update_options options; /* those of `image`, as the test changes them */
extern uint8_t image[IMAGE_MAX + 4096];
extern uint32_t len; /* of the image */

/* Makes the device and an image of at least `size` bytes for it; `version` may be NULL. */
void transfer_open(uint32_t size, const char *version);

/* Makes another image in place of it. */
void transfer_make(const struct image_facts *facts);

/* A tear-down function for cmocka: gives the update up, and sees that the running image is
   whole. */
int transfer_close(void **state);

/* Begins it; brings it as far as proven. */
void transfer_begin(void);
void transfer_prove(void);

/* Puts the image's digest into the options. */
void transfer_expect(enum ota_hash_algorithm algorithm);

#endif
