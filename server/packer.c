/* SPDX-License-Identifier: Apache-2.0 */
#include "server/packer.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "server/packed.h"

struct packer {
    struct packer_options options;
    pthread_t thread;
    atomic_bool stop;
    bool has_complained; /* of the thread */

    pthread_mutex_t lock; /* over what follows */
    pthread_cond_t woken;
    bool is_due; /* the catalogue may have something new */
};

static void tell(struct packer *packer, const struct catalog_image *image, const char *problem)
{
    if (packer->options.on_packed != NULL && !(problem != NULL && packer->has_complained)) {
        packer->options.on_packed(packer->options.context, image, problem);
    }
    packer->has_complained = packer->has_complained || problem != NULL;
}

/* Packs one image, or notes that it has no packed form. Returns false when told to stop. */
static bool look_at(struct packer *packer, const struct catalog_snapshot *snapshot,
                    struct catalog_image *image)
{
    if (!packed_is_wanted(image) || atomic_load(&image->packed) != NULL) {
        return true;
    }
    struct packed_image *packed = malloc(sizeof *packed);
    if (packed == NULL) {
        return true;
    }
    const enum packed_result result =
        packed_find(snapshot, image, packer->options.crypto, &packer->stop, packed);
    /* One that changed meanwhile comes again as another image. */
    const int error = errno;
    if (result == PACKED_STOPPED) {
        free(packed);
        return false;
    }
    atomic_store(&image->packed, packed);
    if (result == PACKED_READY) {
        tell(packer, image, NULL);
    } else if (result == PACKED_FAILED && error != ESTALE && error != ENOENT) {
        tell(packer, image, strerror(error));
    }
    return true;
}

static void look_around(struct packer *packer)
{
    struct catalog_snapshot *snapshot = catalog_take(packer->options.catalog);
    bool goes_on = snapshot->folder >= 0;
    for (size_t i = 0; goes_on && i < snapshot->count; i++) {
        goes_on = look_at(packer, snapshot, snapshot->images[i]);
    }
    if (goes_on) {
        packed_clean(snapshot);
    }
    catalog_release(snapshot);
}

static void *run(void *argument)
{
    struct packer *packer = argument;
    while (!atomic_load(&packer->stop)) {
        look_around(packer);
        pthread_mutex_lock(&packer->lock);
        while (!packer->is_due && !atomic_load(&packer->stop)) {
            pthread_cond_wait(&packer->woken, &packer->lock);
        }
        packer->is_due = false;
        pthread_mutex_unlock(&packer->lock);
    }
    return NULL;
}

void packer_free(struct packer *packer)
{
    if (packer == NULL) {
        return;
    }
    pthread_cond_destroy(&packer->woken);
    pthread_mutex_destroy(&packer->lock);
    free(packer);
}

struct packer *packer_start(const struct packer_options *options)
{
    struct packer *packer = calloc(1, sizeof *packer);
    if (packer == NULL) {
        return NULL;
    }
    packer->options = *options;
    pthread_mutex_init(&packer->lock, NULL);
    pthread_cond_init(&packer->woken, NULL);
    if (pthread_create(&packer->thread, NULL, run, packer) != 0) {
        packer_free(packer);
        return NULL;
    }
    return packer;
}

void packer_wake(struct packer *packer)
{
    pthread_mutex_lock(&packer->lock);
    packer->is_due = true;
    pthread_cond_signal(&packer->woken);
    pthread_mutex_unlock(&packer->lock);
}

void packer_stop(struct packer *packer)
{
    atomic_store(&packer->stop, true);
    packer_wake(packer);
    pthread_join(packer->thread, NULL);
}
