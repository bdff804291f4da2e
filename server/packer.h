/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_SERVER_PACKER_H
#define UPDRAFT_SERVER_PACKER_H

/*
 * A thread that packs the images of a catalogue one after the other, so that no device waits for
 * it: an image is offered at once, and compressed as soon as its packed form is there.
 */

#include <updraft/crypto.h>

#include "server/catalog.h"

struct packer;

struct packer_options {
    struct catalog *catalog;
    const struct ota_crypto *crypto;

    /* Called by the packer's thread for each image that has a packed form now (`problem` NULL), and
       once when one could not be made: nothing is said of further ones. NULL if not wanted. */
    void (*on_packed)(void *context, const struct catalog_image *image, const char *problem);
    void *context;
};

/* Starts. Returns NULL if a thread could not be had. */
struct packer *packer_start(const struct packer_options *options);

/* Says that the catalogue has changed. Any thread. */
void packer_wake(struct packer *packer);

/* Breaks off what is being packed, and ends the thread. It may still be woken. */
void packer_stop(struct packer *packer);

/* Frees what was stopped; harmless on NULL. */
void packer_free(struct packer *packer);

#endif
