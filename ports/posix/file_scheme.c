/* SPDX-License-Identifier: Apache-2.0 */
/* Files and the standard input as sources of updates. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "posix/file_scheme.h"
#include "posix/watch.h"

#define TAG "file"

struct file_fetch {
    struct ota_fetch fetch; /* first: a cast gets this back */
    struct watch watch;     /* of what can make one wait: pipes, devices */
    uint32_t left;          /* bytes still to come, if the size is known */
    bool can_wait;
    struct stdin_scheme *input; /* whose descriptor stays open; NULL: a file of its own */
    size_t replayed;            /* of the bytes that it has kept */
};

static void complain(struct ota_platform *platform, const char *what, const char *why)
{
    char line[320];
    snprintf(line, sizeof line, "%.200s: %s", what, why);
    platform->log(platform, OTA_LOG_ERROR, TAG, line);
}

/* ---- Reading --------------------------------------------------------------------------------- */

static size_t left_to_replay(const struct file_fetch *file)
{
    return file->input != NULL ? file->input->kept_len - file->replayed : 0;
}

static bool is_ready(const struct file_fetch *file)
{
    struct pollfd input = {.fd = file->watch.descriptor, .events = POLLIN};
    return !file->can_wait || left_to_replay(file) > 0 || poll(&input, 1, 0) > 0;
}

/* Gives again what an earlier fetch of the standard input has had. */
static size_t replay(struct file_fetch *file, void *data, size_t capacity)
{
    const size_t left = left_to_replay(file);
    const size_t len = left < capacity ? left : capacity;
    if (len > 0) {
        memcpy(data, file->input->kept + file->replayed, len);
        file->replayed += len;
    }
    return len;
}

/* Keeps what has come of the standard input, as long as it is little. */
static void keep(struct file_fetch *file, const void *data, size_t len)
{
    struct stdin_scheme *input = file->input;
    if (input == NULL || input->was_read) {
        return;
    }
    if (len > sizeof input->kept - input->kept_len) {
        input->was_read = true;
        return;
    }
    memcpy(input->kept + input->kept_len, data, len);
    input->kept_len += len;
    file->replayed = input->kept_len;
}

static ssize_t read_some(struct file_fetch *file, void *data, size_t capacity)
{
    const size_t again = replay(file, data, capacity);
    if (again > 0) {
        return (ssize_t)again;
    }
    const ssize_t got = read(file->watch.descriptor, data, capacity);
    if (got > 0) {
        keep(file, data, (size_t)got);
    }
    return got;
}

static enum ota_err file_read(struct ota_fetch *self, void *data, size_t capacity, size_t *len,
                              bool *ended)
{
    struct file_fetch *file = (struct file_fetch *)self;
    const bool is_sized = self->size != OTA_SIZE_UNKNOWN;
    *len = 0;
    *ended = is_sized && file->left == 0;
    if (*ended || !is_ready(file)) {
        return OTA_OK;
    }
    if (is_sized && capacity > file->left) {
        capacity = file->left;
    }
    const ssize_t got = read_some(file, data, capacity);
    if (got < 0) {
        return errno == EINTR || errno == EAGAIN ? OTA_OK : OTA_ERR_SOURCE;
    }
    if (got == 0 && is_sized) {
        return OTA_ERR_INCOMPLETE; /* it was cut short while it was read */
    }
    *len = (size_t)got;
    if (is_sized) {
        file->left -= (uint32_t)got;
    }
    *ended = is_sized ? file->left == 0 : got == 0;
    return OTA_OK;
}

static void release(void *object)
{
    struct file_fetch *file = object;
    watch_remove(&file->watch);
    if (file->input == NULL) {
        close(file->watch.descriptor);
    }
    free(file);
}

static void file_close(struct ota_fetch *self)
{
    release(self);
}

static short wanted(const void *object)
{
    (void)object;
    return POLLIN;
}

/* Where a standard input begins that is a file; what was kept of it is then read again. */
static off_t start_of_input(struct stdin_scheme *input)
{
    const off_t start = lseek(STDIN_FILENO, 0, SEEK_CUR) - (off_t)input->kept_len;
    input->kept_len = 0;
    return start;
}

/* Makes a fetch of an open file, from `offset` on, and takes its descriptor; or of the standard
   input. */
static enum ota_err make_fetch(struct ota_platform *platform, int descriptor,
                               struct stdin_scheme *input, const char *name, uint32_t offset,
                               struct ota_fetch **fetch)
{
    struct stat facts;
    struct file_fetch *made = malloc(sizeof *made);
    if (made == NULL || fstat(descriptor, &facts) != 0) {
        free(made);
        close(descriptor);
        return OTA_ERR_SOURCE;
    }
    *made = (struct file_fetch){
        .fetch = {.size = OTA_SIZE_UNKNOWN, .read = file_read, .close = file_close},
        .watch = {.wanted = wanted, .release = release, .object = made, .descriptor = descriptor},
        .input = input,
    };
    const char *wrong = NULL;
    if (S_ISREG(facts.st_mode)) {
        /* The standard input may be a file that somebody has read the start of. */
        const off_t start = input != NULL ? start_of_input(input) : 0;
        const off_t size = facts.st_size > start ? facts.st_size - start : 0;
        if (size >= (off_t)OTA_SIZE_UNKNOWN) {
            wrong = "is too large for any flash";
        } else if (size < (off_t)offset) {
            wrong = "is shorter than what was had of it before";
        } else {
            made->fetch.size = (uint32_t)size;
            made->left = (uint32_t)size - offset;
            (void)lseek(descriptor, start + (off_t)offset, SEEK_SET);
        }
    } else if (S_ISDIR(facts.st_mode)) {
        wrong = "is a folder";
    } else if (offset != 0) {
        wrong = "cannot be read from the middle";
    } else {
        made->can_wait = true;
        if (!watch_add((struct posix_platform *)platform, &made->watch)) {
            wrong = "there are too many open files and connections";
        }
    }
    if (wrong != NULL) {
        complain(platform, name, wrong);
        release(made);
        return OTA_ERR_SOURCE;
    }
    *fetch = &made->fetch;
    return OTA_OK;
}

/* ---- file: ----------------------------------------------------------------------------------- */

static bool serves_file(const struct ota_scheme *scheme, const char *name)
{
    (void)scheme;
    return strcmp(name, "file") == 0;
}

/* A mounted folder is all that its URIs reach. */
static bool climbs(const char *path)
{
    for (const char *part = path; part != NULL; part = strchr(part, '/')) {
        part += *part == '/';
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0')) {
            return true;
        }
    }
    return false;
}

static const struct file_mount *find_mount(const struct file_scheme *files, const char *name,
                                           size_t len)
{
    for (size_t i = 0; i < files->mount_count; i++) {
        if (strlen(files->mounts[i].name) == len && memcmp(files->mounts[i].name, name, len) == 0) {
            return &files->mounts[i];
        }
    }
    return NULL;
}

/* Makes a path of a URI. Returns why not, or NULL. */
static const char *path_of(const struct file_scheme *files, const char *uri, char path[PATH_MAX])
{
    const char *rest = strchr(uri, ':') + 1;
    const char *directory = "";
    if (rest[0] == '/' && rest[1] == '/') {
        rest += 2;
        const size_t len = strcspn(rest, "/");
        const struct file_mount *mount = find_mount(files, rest, len);
        if (mount != NULL) {
            directory = mount->directory;
        } else if (len != 0 && !(len == 9 && strncmp(rest, "localhost", 9) == 0)) {
            return "no folder is mounted under that name (file:///path for a path from the root)";
        }
        rest += len;
        if (mount != NULL && climbs(rest)) {
            return "the path leads out of the mounted folder";
        }
    }
    if (rest[0] != '/' || rest[1] == '\0') {
        return "there is no path in it";
    }
    const int len = snprintf(path, PATH_MAX, "%s%s", directory, rest);
    return len < PATH_MAX ? NULL : "the path is too long";
}

static enum ota_err open_file(struct ota_scheme *scheme, struct ota_platform *platform,
                              const struct ota_fetch_request *request, struct ota_fetch **fetch)
{
    char path[PATH_MAX];
    const char *wrong = path_of((const struct file_scheme *)scheme, request->uri, path);
    if (wrong != NULL) {
        complain(platform, request->uri, wrong);
        return OTA_ERR_URL;
    }
    /* Without O_NONBLOCK, opening a pipe would wait for its writer. */
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) {
        complain(platform, path, strerror(errno));
        return OTA_ERR_SOURCE;
    }
    return make_fetch(platform, descriptor, NULL, path, request->offset, fetch);
}

void file_scheme_init(struct file_scheme *files, const struct file_mount *mounts,
                      size_t mount_count, struct ota_scheme *next)
{
    *files = (struct file_scheme){
        .scheme = {.serves = serves_file, .open = open_file, .next = next},
        .mounts = mounts,
        .mount_count = mount_count,
    };
}

/* ---- stdin: ---------------------------------------------------------------------------------- */

static bool serves_stdin(const struct ota_scheme *scheme, const char *name)
{
    (void)scheme;
    return strcmp(name, "stdin") == 0;
}

static enum ota_err open_stdin(struct ota_scheme *scheme, struct ota_platform *platform,
                               const struct ota_fetch_request *request, struct ota_fetch **fetch)
{
    struct stdin_scheme *input = (struct stdin_scheme *)scheme;
    if (input->was_read) {
        complain(platform, "stdin", "was read before, and comes only once");
        return OTA_ERR_SOURCE;
    }
    const enum ota_err err =
        make_fetch(platform, STDIN_FILENO, input, "stdin", request->offset, fetch);
    input->was_read = err == OTA_OK && request->offset != 0; /* its beginning is not seen */
    return err;
}

void stdin_scheme_init(struct stdin_scheme *input, struct ota_scheme *next)
{
    *input = (struct stdin_scheme){
        .scheme = {.serves = serves_stdin, .open = open_stdin, .next = next},
    };
}
