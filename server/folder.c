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

/* Returns how many bytes the UTF-8 character at `text` has, or 0 if there is none. */
static size_t utf8_length(const unsigned char *text)
{
    static const struct {
        unsigned char first, last;            /* of the first byte */
        unsigned char second_min, second_max; /* shuts out overlong forms and surrogates */
        size_t length;
    } forms[] = {
        {0x20, 0x7e, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (text[0] < forms[i].first || text[0] > forms[i].last) {
            continue;
        }
        for (size_t at = 1; at < forms[i].length; at++) {
            const unsigned char least = at == 1 ? forms[i].second_min : 0x80;
            const unsigned char most = at == 1 ? forms[i].second_max : 0xbf;
            if (text[at] < least || text[at] > most) {
                return 0;
            }
        }
        return forms[i].length;
    }
    return 0;
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
    const unsigned char *at = (const unsigned char *)name;
    while (*at != '\0') {
        const size_t len = utf8_length(at);
        if (len == 0) {
            return false;
        }
        at += len;
    }
    return true;
}
