/* SPDX-License-Identifier: Apache-2.0 */
#include "server/packed.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/gzip.h"
#include "server/hex.h"
#include "server/plain.h"

#define HEX_LEN (2 * OTA_SHA256_SIZE)
#define PATH_SIZE (sizeof PACKED_FOLDER + HEX_LEN + 40)
#define WORTH_A 20 /* of the size: for less, a transfer had better be one that can be resumed */
#define ABANDONED_S 3600 /* what is younger may be another server's work */

bool packed_is_wanted(const struct catalog_image *image)
{
    const struct file_facts *facts = &image->facts;
    return facts->kind != FILE_PLAIN && !facts->is_packed && !facts->has_trailer &&
           image->size <= GZIP_PLAIN_MAX;
}

static const char *path_of(const struct catalog_image *image, char path[PATH_SIZE])
{
    char hex[HEX_LEN + 1];
    snprintf(path, PATH_SIZE, "%s/%s.gz", PACKED_FOLDER,
             hex_of(image->facts.sha256, OTA_SHA256_SIZE, hex));
    return path;
}

int packed_open(const struct catalog_snapshot *snapshot, const struct catalog_image *image,
                const struct packed_image *packed)
{
    char path[PATH_SIZE];
    return folder_open_same(snapshot->folder, path_of(image, path), &packed->identity);
}

/* ------------------------------------------------------------------ believing one */

struct proof {
    const struct ota_crypto *crypto;
    struct ota_hash md5, sha256; /* of the packed bytes */
    struct ota_hash plain;       /* SHA-256 of what they unpack to */
    bool failed;
};

static bool update(struct proof *proof, struct ota_hash *hash, const void *data, size_t len)
{
    proof->failed = proof->failed || proof->crypto->hash_update(hash, data, len) != OTA_OK;
    return !proof->failed;
}

static bool on_travelling(void *context, const void *data, size_t len)
{
    struct proof *proof = context;
    return update(proof, &proof->md5, data, len) && update(proof, &proof->sha256, data, len);
}

static bool on_plain(void *context, const void *data, size_t len)
{
    struct proof *proof = context;
    return update(proof, &proof->plain, data, len);
}

static bool proof_begin(struct proof *proof, const struct ota_crypto *crypto)
{
    *proof = (struct proof){.crypto = crypto};
    struct ota_hash *const hashes[] = {&proof->md5, &proof->sha256, &proof->plain};
    for (size_t i = 0; i < 3; i++) {
        if (crypto->hash_begin(hashes[i], i == 0 ? OTA_HASH_MD5 : OTA_HASH_SHA256) != OTA_OK) {
            while (i-- > 0) {
                crypto->hash_abort(hashes[i]);
            }
            return false;
        }
    }
    return true;
}

/* Tells whether the file unpacks to the image, and notes its digests. */
static bool prove(int fd, const struct catalog_image *image, const struct ota_crypto *crypto,
                  const atomic_bool *stop, struct packed_image *packed)
{
    struct proof proof;
    struct plain_reading reading = {
        .travels = on_travelling, .plain = on_plain, .context = &proof, .stop = stop};
    uint8_t plain[OTA_SHA256_SIZE];
    struct stat status;
    if (fstat(fd, &status) != 0 || !proof_begin(&proof, crypto)) {
        return false;
    }
    bool good = plain_read(fd, &reading) && !proof.failed;
    good = crypto->hash_finish(&proof.md5, packed->md5) == OTA_OK && good;
    good = crypto->hash_finish(&proof.sha256, packed->sha256) == OTA_OK && good;
    good = crypto->hash_finish(&proof.plain, plain) == OTA_OK && good;
    packed->size = reading.size;
    packed->identity = folder_identity(&status);
    return good && reading.is_packed && reading.problem == NULL &&
           reading.packed_size == reading.size &&
           memcmp(plain, image->facts.sha256, sizeof plain) == 0;
}

static bool load(const struct catalog_snapshot *snapshot, const struct catalog_image *image,
                 const struct ota_crypto *crypto, const atomic_bool *stop,
                 struct packed_image *packed)
{
    char path[PATH_SIZE];
    const int fd = folder_open_file(snapshot->folder, path_of(image, path));
    if (fd < 0) {
        return false;
    }
    const bool good = prove(fd, image, crypto, stop, packed);
    close(fd);
    return good;
}

/* ------------------------------------------------------------------ making one */

struct making {
    struct gzip_packer packer;
    int to;
    int error; /* errno of what failed */
};

static bool put(void *context, const void *data, size_t len)
{
    struct making *making = context;
    const char *at = data;
    while (len > 0) {
        const ssize_t done = write(making->to, at, len);
        if (done < 0 && errno != EINTR) {
            making->error = errno;
            return false;
        }
        if (done > 0) {
            at += done;
            len -= (size_t)done;
        }
    }
    return true;
}

static bool on_image(void *context, const void *data, size_t len)
{
    struct making *making = context;
    if (gzip_pack(&making->packer, data, len)) {
        return true;
    }
    making->error = making->error != 0 ? making->error : ENOMEM;
    return false;
}

static bool pack(int from, int to, const atomic_bool *stop)
{
    struct making making = {.to = to};
    struct plain_reading reading = {.travels = on_image, .context = &making, .stop = stop};
    if (!gzip_pack_begin(&making.packer, put, &making)) {
        errno = ENOMEM;
        return false;
    }
    bool good = plain_read(from, &reading);
    good = gzip_pack_end(&making.packer) && good && making.error == 0;
    errno = making.error != 0 ? making.error : errno;
    return good && fsync(to) == 0;
}

/* Packs into a new file, and gives that its name when it is whole. */
static bool make(const struct catalog_snapshot *snapshot, const struct catalog_image *image,
                 const atomic_bool *stop)
{
    char path[PATH_SIZE];
    char temporary[PATH_SIZE + 16];
    path_of(image, path);
    snprintf(temporary, sizeof temporary, "%s.%ld.tmp", path, (long)getpid());
    const int from = catalog_open_image(snapshot, image);
    if (from < 0) {
        return false;
    }
    if (mkdirat(snapshot->folder, PACKED_FOLDER, 0777) != 0 && errno != EEXIST) {
        close(from);
        return false;
    }
    const int to = openat(snapshot->folder, temporary,
                          O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
    bool good = to >= 0 && pack(from, to, stop);
    int error = errno;
    if (to >= 0) {
        close(to);
        if (good && renameat(snapshot->folder, temporary, snapshot->folder, path) != 0) {
            good = false;
            error = errno;
        }
        if (!good) {
            unlinkat(snapshot->folder, temporary, 0);
        }
    }
    close(from);
    errno = error;
    return good;
}

enum packed_result packed_find(const struct catalog_snapshot *snapshot,
                               const struct catalog_image *image, const struct ota_crypto *crypto,
                               const atomic_bool *stop, struct packed_image *packed)
{
    *packed = (struct packed_image){0};
    errno = EIO;
    bool found = load(snapshot, image, crypto, stop, packed);
    if (!found && !atomic_load(stop)) {
        found = make(snapshot, image, stop) && load(snapshot, image, crypto, stop, packed);
    }
    if (!found) {
        packed->size = 0;
        return atomic_load(stop) ? PACKED_STOPPED : PACKED_FAILED;
    }
    if (packed->size > image->size - image->size / WORTH_A) {
        packed->size = 0;
        return PACKED_NOT_WORTH;
    }
    return PACKED_READY;
}

/* ------------------------------------------------------------------ cleaning up */

static bool is_of_snapshot(const struct catalog_snapshot *snapshot, const char *name)
{
    char hex[HEX_LEN + 1];
    for (size_t i = 0; i < snapshot->count; i++) {
        hex_of(snapshot->images[i]->facts.sha256, OTA_SHA256_SIZE, hex);
        if (strncmp(name, hex, HEX_LEN) == 0 && strcmp(name + HEX_LEN, ".gz") == 0) {
            return packed_is_wanted(snapshot->images[i]);
        }
    }
    return false;
}

/* Whether it is a packed file, or was to become one: nothing else in the folder is ours. */
static bool is_ours(const char *name)
{
    const size_t digits = strspn(name, "0123456789abcdef");
    return digits == HEX_LEN && strncmp(name + digits, ".gz", 3) == 0;
}

static bool is_abandoned(int folder, const char *name)
{
    struct stat status;
    return strcmp(name + HEX_LEN, ".gz") == 0 ||
           (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
            time(NULL) - status.st_mtim.tv_sec > ABANDONED_S);
}

void packed_clean(const struct catalog_snapshot *snapshot)
{
    const int fd =
        openat(snapshot->folder, PACKED_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry = NULL;
    if (directory == NULL) {
        if (fd >= 0) {
            close(fd);
        }
        return;
    }
    while ((entry = readdir(directory)) != NULL) {
        const char *name = entry->d_name;
        if (is_ours(name) && !is_of_snapshot(snapshot, name) && is_abandoned(fd, name)) {
            unlinkat(fd, name, 0);
        }
    }
    closedir(directory);
}
