/* SPDX-License-Identifier: Apache-2.0 */

/* Which files of a folder may be seen from outside, and how they are opened. */

#include "server/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "server/utf8.h"

int folder_open_file(int folder, const char *name)
{
    struct open_how how = {
        .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    const long fd = syscall(SYS_openat2, folder, name, &how, sizeof how);
    if (fd >= 0 || (errno != ENOSYS && errno != EPERM)) {
        return (int)fd;
    }
    /* A kernel before 5.6, or a container that knows none later: no links at all. */
    return openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
}

struct file_identity folder_identity(const struct stat *status)
{
    return (struct file_identity){
        .device = status->st_dev,
        .inode = status->st_ino,
        .size = (uint64_t)status->st_size,
        .modified = status->st_mtim,
        .changed = status->st_ctim,
    };
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool folder_same_bytes(const struct file_identity *a, const struct file_identity *b)
{
    return a->size == b->size && same_time(&a->modified, &b->modified);
}

bool folder_same_file(const struct file_identity *a, const struct file_identity *b)
{
    return a->device == b->device && a->inode == b->inode && folder_same_bytes(a, b) &&
           same_time(&a->changed, &b->changed);
}

int folder_open_same(int folder, const char *name, const struct file_identity *identity)
{
    const int fd = folder_open_file(folder, name);
    struct stat status;
    if (fd < 0) {
        return -1;
    }
    if (fstat(fd, &status) == 0) {
        const struct file_identity present = folder_identity(&status);
        if (folder_same_file(&present, identity)) {
            return fd;
        }
    }
    close(fd);
    errno = ESTALE;
    return -1;
}

static bool has_suffix(const char *name, const char *suffix)
{
    const size_t len = strlen(name);
    const size_t suffix_len = strlen(suffix);
    return len >= suffix_len && strcasecmp(name + len - suffix_len, suffix) == 0;
}

bool folder_offers_name(const char *name)
{
    static const char *const unfinished[] = {"~",         ".tmp",        ".temp",     ".part",
                                             ".partial",  ".crdownload", ".download", ".filepart",
                                             ".incoming", ".swp"};
    if (name[0] == '.' || name[0] == '\0') {
        return false;
    }
    for (size_t i = 0; i < sizeof unfinished / sizeof unfinished[0]; i++) {
        if (has_suffix(name, unfinished[i])) {
            return false;
        }
    }
    for (const char *at = name; *at != '\0';) {
        const size_t len = utf8_printable(at);
        if (len == 0) {
            return false;
        }
        at += len;
    }
    return true;
}
