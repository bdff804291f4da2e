/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The catalogue: one thread looks at the folder and publishes immutable snapshots.
 *
 * A look opens every file and compares its identity (inode, size, times) with the snapshot before:
 * what is the same is carried over, what is new or changed is read once and described. A snapshot
 * holds its images and its folder by reference counts, so that readers need the lock only to take
 * the newest one.
 */

#include "server/catalog.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/watch.h"

#define SETTLE_MS_DEFAULT 2000u
#define RESCAN_MS_DEFAULT 10000u
#define RESCAN_MS_WITHOUT_WATCH 2000u
#define WRITER_PATIENCE 10 /* times settle_ms: how long a silent writer is waited for */

/* A file that could not be opened. */
struct skipped {
    struct skipped *next;
    int error;
    char name[];
};

struct catalog {
    struct catalog_options options;
    char *path;

    struct watch watch;  /* of the thread */
    dev_t folder_device; /* of the folder that is watched */
    ino_t folder_inode;
    struct skipped *skipped; /* by the last look */

    pthread_t thread;
    int wake; /* eventfd: look at `stop`, or at the folder */
    atomic_bool stop;

    pthread_mutex_t lock; /* over what follows */
    pthread_cond_t changed;
    struct catalog_snapshot *current;
};

/* One look at the folder. */
struct look {
    struct catalog *catalog;
    struct catalog_snapshot *old;
    struct catalog_snapshot *next;
    size_t capacity;   /* of next->images */
    bool *overwritten; /* for each image of `old` */
    struct skipped *skipped;
    int64_t recheck_ms; /* until a file that is not settled is looked at again; -1: none is */
    bool failed;        /* out of memory */
};

static int64_t clock_ms(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ------------------------------------------------------------------ images and snapshots */

static struct catalog_image *image_new(const char *name, const struct file_identity *identity)
{
    const size_t name_size = strlen(name) + 1;
    struct catalog_image *image = calloc(1, sizeof *image + name_size);
    if (image == NULL) {
        return NULL;
    }
    char *own_name = (char *)(image + 1);
    memcpy(own_name, name, name_size);
    image->name = own_name;
    image->size = identity->size;
    image->modified = identity->modified;
    image->identity = *identity;
    atomic_init(&image->packed, NULL);
    atomic_init(&image->references, 1);
    return image;
}

struct catalog_image *catalog_hold_image(struct catalog_image *image)
{
    atomic_fetch_add(&image->references, 1);
    return image;
}

void catalog_release_image(struct catalog_image *image)
{
    if (image != NULL && atomic_fetch_sub(&image->references, 1) == 1) {
        free(atomic_load(&image->packed));
        free(image);
    }
}

static struct catalog_snapshot *snapshot_new(int folder)
{
    struct catalog_snapshot *snapshot = calloc(1, sizeof *snapshot);
    if (snapshot != NULL) {
        snapshot->folder = folder;
        atomic_init(&snapshot->references, 1);
    }
    return snapshot;
}

void catalog_release(struct catalog_snapshot *snapshot)
{
    if (snapshot == NULL || atomic_fetch_sub(&snapshot->references, 1) != 1) {
        return;
    }
    for (size_t i = 0; i < snapshot->count; i++) {
        catalog_release_image(snapshot->images[i]);
    }
    if (snapshot->folder >= 0) {
        close(snapshot->folder);
    }
    free(snapshot->images);
    free(snapshot);
}

struct catalog_snapshot *catalog_take(struct catalog *catalog)
{
    pthread_mutex_lock(&catalog->lock);
    struct catalog_snapshot *snapshot = catalog->current;
    atomic_fetch_add(&snapshot->references, 1);
    pthread_mutex_unlock(&catalog->lock);
    return snapshot;
}

static int compare_name_with_image(const void *name, const void *image)
{
    const struct catalog_image *const *entry = image;
    return strcmp(name, (*entry)->name);
}

static size_t find_index(const struct catalog_snapshot *snapshot, const char *name)
{
    struct catalog_image *const *found =
        snapshot->count == 0 ? NULL
                             : bsearch(name, snapshot->images, snapshot->count,
                                       sizeof snapshot->images[0], compare_name_with_image);
    return found == NULL ? SIZE_MAX : (size_t)(found - snapshot->images);
}

struct catalog_image *catalog_find(const struct catalog_snapshot *snapshot, const char *name)
{
    const size_t index = find_index(snapshot, name);
    return index == SIZE_MAX ? NULL : snapshot->images[index];
}

int catalog_open_image(const struct catalog_snapshot *snapshot, const struct catalog_image *image)
{
    return folder_open_same(snapshot->folder, image->name, &image->identity);
}

const struct packed_image *catalog_packed(const struct catalog_image *image)
{
    const struct packed_image *packed = atomic_load(&image->packed);
    return packed != NULL && packed->size > 0 ? packed : NULL;
}

/* ------------------------------------------------------------------ looking at the folder */

/* Takes over the reference to `image`. */
static void look_add(struct look *look, struct catalog_image *image)
{
    struct catalog_snapshot *next = look->next;
    if (next->count == look->capacity) {
        const size_t capacity = look->capacity == 0 ? 16 : look->capacity * 2;
        struct catalog_image **images = realloc(next->images, capacity * sizeof *images);
        if (images == NULL) {
            look->failed = true;
            catalog_release_image(image);
            return;
        }
        next->images = images;
        look->capacity = capacity;
    }
    next->images[next->count++] = image;
}

static void recheck_in(struct look *look, int64_t ms)
{
    if (look->recheck_ms < 0 || ms < look->recheck_ms) {
        look->recheck_ms = ms;
    }
}

/* A file whose own structure says where it ends, and that ends there, is whole; any other may have
   bytes to come while it is young. */
static int64_t unsettled_ms(const struct catalog *catalog, const struct catalog_image *image)
{
    const struct file_facts *facts = &image->facts;
    if (facts->is_whole) {
        return 0;
    }
    const int64_t age = clock_ms(CLOCK_REALTIME) - ((int64_t)image->modified.tv_sec * 1000 +
                                                    image->modified.tv_nsec / 1000000);
    const int64_t settle = catalog->options.settle_ms;
    return age >= 0 && age < settle ? settle - age : 0;
}

/* Reads and describes a file that is new or changed. */
static void look_into(struct look *look, const char *name, int fd,
                      const struct file_identity *identity)
{
    struct catalog *catalog = look->catalog;
    struct catalog_image *image = image_new(name, identity);
    if (image == NULL) {
        look->failed = true;
        return;
    }
    struct stat status;
    const enum inspect_result result =
        inspect_file(fd, name, image->size, catalog->options.crypto, &catalog->stop, &image->facts);
    if (result != INSPECT_DONE || fstat(fd, &status) != 0) {
        recheck_in(look, catalog->options.rescan_ms);
        catalog_release_image(image);
        return;
    }
    const struct file_identity after = folder_identity(&status);
    const int64_t wait_ms = folder_same_file(&after, identity) ? unsettled_ms(catalog, image)
                                                               : catalog->options.settle_ms;
    if (wait_ms > 0) {
        recheck_in(look, wait_ms);
        catalog_release_image(image);
        return;
    }
    look_add(look, image);
}

/* Notes a file that could not be opened, unless it has gone, leads nowhere, or is none. */
static void look_skip(struct look *look, const char *name, int error)
{
    struct stat status;
    if (error == ENOENT || fstatat(look->next->folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
        !(S_ISREG(status.st_mode) || S_ISLNK(status.st_mode))) {
        return;
    }
    const size_t name_size = strlen(name) + 1;
    struct skipped *skipped = malloc(sizeof *skipped + name_size);
    if (skipped == NULL) {
        look->failed = true;
        return;
    }
    skipped->next = look->skipped;
    skipped->error = error;
    memcpy(skipped->name, name, name_size);
    look->skipped = skipped;
}

static void look_at(struct look *look, const char *name)
{
    struct catalog *catalog = look->catalog;
    const int fd = folder_open_file(look->next->folder, name);
    struct stat status;
    if (fd < 0) {
        look_skip(look, name, errno);
        return;
    }
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        close(fd);
        return;
    }
    const struct file_identity identity = folder_identity(&status);
    const size_t old_index = find_index(look->old, name);
    if (old_index != SIZE_MAX) {
        struct catalog_image *old = look->old->images[old_index];
        if (folder_same_file(&identity, &old->identity)) {
            look_add(look, catalog_hold_image(old));
            close(fd);
            return;
        }
        look->overwritten[old_index] = identity.device == old->identity.device &&
                                       identity.inode == old->identity.inode &&
                                       !folder_same_bytes(&identity, &old->identity);
    }
    const int64_t patience = (int64_t)catalog->options.settle_ms * WRITER_PATIENCE;
    if (watch_is_written(&catalog->watch, name, clock_ms(CLOCK_MONOTONIC), patience)) {
        recheck_in(look, patience);
    } else {
        look_into(look, name, fd, &identity);
    }
    close(fd);
}

static int compare_images(const void *a, const void *b)
{
    const struct catalog_image *const *image_a = a;
    const struct catalog_image *const *image_b = b;
    return strcmp((*image_a)->name, (*image_b)->name);
}

static void look_around(struct look *look)
{
    const int fd = openat(look->next->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (directory == NULL) {
        if (fd >= 0) {
            close(fd);
        }
        look->failed = true;
        return;
    }
    const struct dirent *entry = NULL;
    while (!look->failed && !atomic_load(&look->catalog->stop) &&
           (entry = readdir(directory)) != NULL) {
        if (folder_offers_name(entry->d_name)) {
            look_at(look, entry->d_name);
        }
    }
    closedir(directory);
    if (look->next->count > 1) {
        qsort(look->next->images, look->next->count, sizeof look->next->images[0], compare_images);
    }
}

/* Opens the folder by its path each time, since the path may come to mean another folder. A folder
   that is gone is an empty one. */
static int open_folder(struct catalog *catalog)
{
    const int folder = open(catalog->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat status;
    if (folder < 0 || fstat(folder, &status) != 0) {
        catalog->folder_inode = 0;
        return folder;
    }
    if (status.st_dev != catalog->folder_device || status.st_ino != catalog->folder_inode) {
        catalog->folder_device = status.st_dev;
        catalog->folder_inode = status.st_ino;
        watch_folder(&catalog->watch, catalog->path);
    }
    return folder;
}

/* ------------------------------------------------------------------ publishing */

static void tell(const struct catalog *catalog, enum catalog_change change,
                 const struct catalog_image *image)
{
    if (catalog->options.on_change != NULL) {
        catalog->options.on_change(catalog->options.context, change, image);
    }
}

static const char *skip_reason(int error)
{
    switch (error) {
    case EXDEV:
        return "it leads out of the folder";
    case ELOOP:
        return "it is a link that is not followed";
    default:
        return strerror(error);
    }
}

static bool is_among(const struct skipped *list, const struct skipped *wanted)
{
    while (list != NULL &&
           (list->error != wanted->error || strcmp(list->name, wanted->name) != 0)) {
        list = list->next;
    }
    return list != NULL;
}

static void free_skipped(struct skipped *list)
{
    while (list != NULL) {
        struct skipped *next = list->next;
        free(list);
        list = next;
    }
}

/* Tells of the files that the look before did not skip for the same reason. */
static void tell_skipped(struct look *look)
{
    struct catalog *catalog = look->catalog;
    for (const struct skipped *at = look->skipped; at != NULL; at = at->next) {
        if (catalog->options.on_skipped != NULL && !is_among(catalog->skipped, at)) {
            catalog->options.on_skipped(catalog->options.context, at->name, skip_reason(at->error));
        }
    }
    free_skipped(catalog->skipped);
    catalog->skipped = look->skipped;
    look->skipped = NULL;
}

/* Walks both lists, which are sorted, side by side. */
static bool differs(const struct catalog_snapshot *old, const struct catalog_snapshot *next)
{
    if (old->count != next->count) {
        return true;
    }
    for (size_t i = 0; i < old->count; i++) {
        if (old->images[i] != next->images[i]) {
            return true;
        }
    }
    return false;
}

static void tell_overwritten(const struct look *look)
{
    for (size_t i = 0; i < look->old->count; i++) {
        if (look->overwritten[i]) {
            tell(look->catalog, CATALOG_OVERWRITTEN, look->old->images[i]);
        }
    }
}

static void tell_others(const struct look *look)
{
    const struct catalog_snapshot *old = look->old;
    const struct catalog_snapshot *next = look->next;
    for (size_t i = 0; i < old->count; i++) {
        const struct catalog_image *image = old->images[i];
        const struct catalog_image *now = catalog_find(next, image->name);
        if (look->overwritten[i]) {
            continue;
        }
        if (now == NULL ||
            memcmp(now->facts.sha256, image->facts.sha256, sizeof image->facts.sha256) != 0) {
            tell(look->catalog, CATALOG_REMOVED, image);
        }
    }
    for (size_t i = 0; i < next->count; i++) {
        const struct catalog_image *image = next->images[i];
        const size_t before = find_index(old, image->name);
        if (before == SIZE_MAX || look->overwritten[before] ||
            memcmp(old->images[before]->facts.sha256, image->facts.sha256,
                   sizeof image->facts.sha256) != 0) {
            tell(look->catalog, CATALOG_ADDED, image);
        }
    }
}

/* Makes `next` the current list. Both lists live on in the look until it ends. */
static void publish(struct look *look)
{
    struct catalog *catalog = look->catalog;
    tell_overwritten(look); /* first: downloads of it are worth nothing from here on */
    look->next->generation = look->old->generation + 1;
    atomic_fetch_add(&look->next->references, 1);
    pthread_mutex_lock(&catalog->lock);
    struct catalog_snapshot *before = catalog->current;
    catalog->current = look->next;
    pthread_cond_broadcast(&catalog->changed);
    pthread_mutex_unlock(&catalog->lock);
    catalog_release(before);
    tell_others(look);
    if (catalog->options.on_publish != NULL) {
        catalog->options.on_publish(catalog->options.context);
    }
}

/* Looks at the folder and publishes what is different. Returns in how many milliseconds to look
   again at the latest. */
static int64_t catalog_look(struct catalog *catalog)
{
    struct look look = {.catalog = catalog, .recheck_ms = -1};
    const int64_t rescan_ms = catalog->options.rescan_ms;
    look.old = catalog_take(catalog);
    look.overwritten = calloc(look.old->count + 1, sizeof *look.overwritten);
    const int folder = open_folder(catalog);
    look.next = snapshot_new(folder);
    if (look.next == NULL || look.overwritten == NULL) {
        if (look.next == NULL && folder >= 0) {
            close(folder);
        }
        look.failed = true;
    } else if (folder >= 0) {
        look_around(&look);
    }
    if (!look.failed && !atomic_load(&catalog->stop)) {
        tell_skipped(&look);
        if (differs(look.old, look.next)) {
            publish(&look);
        }
    }
    free_skipped(look.skipped);
    catalog_release(look.next);
    catalog_release(look.old);
    free(look.overwritten);
    return look.recheck_ms >= 0 && look.recheck_ms < rescan_ms ? look.recheck_ms + 1 : rescan_ms;
}

/* ------------------------------------------------------------------ life */

static void *catalog_run(void *argument)
{
    struct catalog *catalog = argument;
    int64_t due = clock_ms(CLOCK_MONOTONIC); /* a file may have come before the watch did */
    while (!atomic_load(&catalog->stop)) {
        struct pollfd news[] = {{.fd = catalog->wake, .events = POLLIN},
                                {.fd = catalog->watch.inotify, .events = POLLIN}};
        const int64_t wait = due - clock_ms(CLOCK_MONOTONIC);
        if (poll(news, 2, wait > 0 ? (int)wait : 0) < 0) {
            continue;
        }
        uint64_t woken = 0;
        const bool asked = read(catalog->wake, &woken, sizeof woken) == (ssize_t)sizeof woken;
        const int64_t now = clock_ms(CLOCK_MONOTONIC);
        const bool look = watch_read(&catalog->watch, now);
        if (asked || look || now >= due) {
            due = now + catalog_look(catalog);
        }
    }
    return NULL;
}

static void catalog_free(struct catalog *catalog)
{
    catalog_release(catalog->current);
    free_skipped(catalog->skipped);
    watch_close(&catalog->watch);
    if (catalog->wake >= 0) {
        close(catalog->wake);
    }
    pthread_cond_destroy(&catalog->changed);
    pthread_mutex_destroy(&catalog->lock);
    free(catalog->path);
    free(catalog);
}

static struct catalog *catalog_new(const struct catalog_options *options)
{
    struct catalog *catalog = calloc(1, sizeof *catalog);
    if (catalog == NULL) {
        return NULL;
    }
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&catalog->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&catalog->lock, NULL);

    catalog->options = *options;
    if (options->settle_ms == 0) {
        catalog->options.settle_ms = SETTLE_MS_DEFAULT;
    }
    watch_open(&catalog->watch);
    if (options->rescan_ms == 0) {
        catalog->options.rescan_ms =
            catalog->watch.inotify >= 0 ? RESCAN_MS_DEFAULT : RESCAN_MS_WITHOUT_WATCH;
    }
    catalog->path = strdup(options->folder);
    catalog->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    catalog->current = snapshot_new(-1);
    if (catalog->path == NULL || catalog->wake < 0 || catalog->current == NULL) {
        catalog_free(catalog);
        return NULL;
    }
    return catalog;
}

struct catalog *catalog_start(const struct catalog_options *options, char *why, size_t why_size)
{
    const int folder = open(options->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        snprintf(why, why_size, "%s: cannot be read as a folder: %s", options->folder,
                 strerror(errno));
        return NULL;
    }
    close(folder);
    struct catalog *catalog = catalog_new(options);
    if (catalog == NULL) {
        snprintf(why, why_size, "%s: no memory to list the folder", options->folder);
        return NULL;
    }
    catalog_look(catalog);
    const int error = pthread_create(&catalog->thread, NULL, catalog_run, catalog);
    if (error != 0) {
        snprintf(why, why_size, "no thread to watch %s with: %s", options->folder, strerror(error));
        catalog_free(catalog);
        return NULL;
    }
    return catalog;
}

static void wake(struct catalog *catalog)
{
    const uint64_t one = 1;
    /* The count is full only if the thread has yet to wake, which is all that is wanted. */
    const ssize_t written = write(catalog->wake, &one, sizeof one);
    (void)written;
}

void catalog_stop(struct catalog *catalog)
{
    atomic_store(&catalog->stop, true);
    wake(catalog);
    pthread_join(catalog->thread, NULL);
    catalog_free(catalog);
}

void catalog_refresh(struct catalog *catalog)
{
    wake(catalog);
}

bool catalog_wait(struct catalog *catalog, uint64_t generation, unsigned timeout_ms)
{
    const int64_t end_ms = clock_ms(CLOCK_MONOTONIC) + timeout_ms;
    const struct timespec end = {(time_t)(end_ms / 1000), (long)(end_ms % 1000) * 1000000};
    pthread_mutex_lock(&catalog->lock);
    int error = 0;
    while (catalog->current->generation <= generation && error == 0) {
        error = pthread_cond_timedwait(&catalog->changed, &catalog->lock, &end);
    }
    const bool is_newer = catalog->current->generation > generation;
    pthread_mutex_unlock(&catalog->lock);
    return is_newer;
}
