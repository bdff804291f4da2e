/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and making files, with the sentence that a person needs when that is not possible. */

#include "cli/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/output.h"
#include "cli/temporary.h"

#define LINKS_MAX 40u /* as many as Linux follows */

static bool is_standard(const char *path)
{
    return strcmp(path, "-") == 0;
}

const char *files_name(const char *path)
{
    return is_standard(path) ? "<stdin>" : path;
}

bool files_is_input(const char *output, const char *input)
{
    struct stat written;
    struct stat read;
    if (output == NULL || is_standard(output) || stat(output, &written) != 0 ||
        (is_standard(input) ? fstat(STDIN_FILENO, &read) : stat(input, &read)) != 0) {
        return false;
    }
    return S_ISREG(written.st_mode) && written.st_dev == read.st_dev &&
           written.st_ino == read.st_ino;
}

/* Opens for reading and tells what it is. Returns the descriptor, or -1 after a message. */
static int open_input(const char *path, struct stat *status)
{
    int descriptor = is_standard(path) ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (descriptor < 0) {
        if (errno == ENOENT) {
            fail("%s: there is no such file", path);
        } else if (errno == EACCES) {
            fail("%s: you may not read this file", path);
        } else {
            fail("%s: cannot be opened: %s", path, strerror(errno));
        }
        return -1;
    }
    const char *trouble = NULL;
    if (fstat(descriptor, status) != 0) {
        trouble = strerror(errno);
    } else if (S_ISDIR(status->st_mode)) {
        trouble = "is a directory; name a file in it";
    } else if (S_ISREG(status->st_mode) && status->st_size == 0) {
        trouble = "is empty";
    }
    if (trouble != NULL) {
        fail("%s: %s", files_name(path), trouble);
        if (descriptor != STDIN_FILENO) {
            close(descriptor);
        }
        return -1;
    }
    return descriptor;
}

static void close_input(int descriptor)
{
    if (descriptor != STDIN_FILENO) {
        close(descriptor);
    }
}

static ssize_t read_some(int descriptor, void *data, size_t capacity)
{
    ssize_t len;
    do {
        len = read(descriptor, data, capacity);
    } while (len < 0 && errno == EINTR);
    return len;
}

static int too_large(const char *path, uint64_t limit)
{
    return fail("%s: is larger than the %s bytes that such a file can have", files_name(path),
                output_thousands(limit).text);
}

/* Reads to the end, at most one byte more than the limit. */
static int read_all(const char *path, int descriptor, size_t limit, size_t expected,
                    struct files_content *content)
{
    size_t capacity = expected < limit ? expected + 1 : limit + 1;
    capacity = capacity < 4096 ? 4096 : capacity;
    content->data = output_allocate(capacity);
    content->size = 0;
    while (content->size <= limit) {
        if (content->size == capacity) {
            capacity *= 2;
            content->data = output_reallocate(content->data, capacity);
        }
        ssize_t len =
            read_some(descriptor, content->data + content->size, capacity - content->size);
        if (len < 0) {
            int error = errno;
            files_release(content);
            return fail("%s: cannot be read: %s", files_name(path), strerror(error));
        }
        if (len == 0) {
            break;
        }
        content->size += (size_t)len;
    }
    if (content->size > limit) {
        files_release(content);
        return too_large(path, limit);
    }
    if (content->size == 0) {
        files_release(content);
        return fail("%s: is empty", files_name(path));
    }
    return 0;
}

int files_read(const char *path, size_t limit, struct files_content *content)
{
    *content = (struct files_content){0};
    struct stat status;
    int descriptor = open_input(path, &status);
    if (descriptor < 0) {
        return 1;
    }
    size_t expected = S_ISREG(status.st_mode) ? (size_t)status.st_size : 65536;
    int result = read_all(path, descriptor, limit, expected, content);
    close_input(descriptor);
    return result;
}

/* Touching a page of a mapped file behind its present end raises SIGBUS. */
static void on_bus_error(int number)
{
    (void)number;
    /* NOLINTNEXTLINE(bugprone-signal-handler,cert-sig30-c): it is made for handlers */
    temporary_remove_all();
    static const char message[] = "updraft: a file became shorter while it was being read\n";
    ssize_t ignored = write(STDERR_FILENO, message, sizeof(message) - 1);
    (void)ignored;
    _exit(1);
}

int files_map(const char *path, uint64_t limit, struct files_content *content)
{
    *content = (struct files_content){0};
    struct stat status;
    int descriptor = open_input(path, &status);
    if (descriptor < 0) {
        return 1;
    }
    int result = 0;
    if (!S_ISREG(status.st_mode)) {
        result = read_all(path, descriptor, (size_t)limit, 65536, content);
    } else if ((uint64_t)status.st_size > limit) {
        result = too_large(path, limit);
    } else {
        size_t size = (size_t)status.st_size;
        void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, descriptor, 0);
        if (data == MAP_FAILED) {
            result = fail("%s: cannot be mapped into memory: %s", path, strerror(errno));
        } else {
            signal(SIGBUS, on_bus_error);
            *content = (struct files_content){.data = data, .size = size, .mapped = true};
        }
    }
    close_input(descriptor);
    return result;
}

void files_release(struct files_content *content)
{
    if (content->mapped) {
        munmap(content->data, content->size);
    } else {
        free(content->data);
    }
    *content = (struct files_content){0};
}

/* --- streams -------------------------------------------------------------------------------- */

static enum ota_err source_read(struct ota_source *source, void *data, size_t capacity, size_t *len)
{
    struct files_source *file = (struct files_source *)source;
    *len = 0;
    ssize_t got = read_some(file->descriptor, data, capacity);
    if (got < 0) {
        file->error = errno;
        return OTA_ERR_SOURCE;
    }
    *len = (size_t)got;
    file->offset += (size_t)got;
    return OTA_OK;
}

int files_source_open(struct files_source *file, const char *path)
{
    struct stat status;
    *file = (struct files_source){.path = path, .source.read = source_read};
    file->descriptor = open_input(path, &status);
    if (file->descriptor < 0) {
        return 1;
    }
    if (S_ISREG(status.st_mode)) {
        off_t at = lseek(file->descriptor, 0, SEEK_CUR);
        file->size = (uint64_t)(status.st_size - (at > 0 && at < status.st_size ? at : 0));
    }
    bool known = file->size > 0 && file->size < OTA_SIZE_UNKNOWN;
    file->source.size = known ? (uint32_t)file->size : OTA_SIZE_UNKNOWN;
    return 0;
}

int files_source_fail(const struct files_source *file)
{
    return fail("%s: cannot be read at byte %s: %s", files_name(file->path),
                output_thousands(file->offset).text, strerror(file->error));
}

void files_source_close(struct files_source *file)
{
    close_input(file->descriptor);
}

/* --- writing -------------------------------------------------------------------------------- */

static int cannot_make(const char *path, int error)
{
    if (error == ENOENT) {
        return fail("%s: cannot be written: its folder does not exist", path);
    }
    if (error == EISDIR) {
        return fail("%s: is a directory; name a file in it", path);
    }
    return fail("%s: cannot be written: %s", path, strerror(error));
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL   ? output_copy(".")
           : slash == path ? output_copy("/")
                           : output_format("%.*s", (int)(slash - path), path);
}

/* A link there is an open file's, whatever it says: who replaced the file that it names would take
   it from those who have it open. */
static bool has_open_files(const char *folder)
{
    char *real = realpath(folder, NULL);
    bool has = real != NULL && (strncmp(real, "/proc/", 6) == 0 || strcmp(real, "/dev/fd") == 0);
    free(real);
    return has;
}

/* Follows links to the name behind them, which need not be there yet. Returns it, NULL with errno,
   or NULL with `*in_place` if they lead to an open file. */
static char *follow_links(const char *path, bool *in_place)
{
    char text[PATH_MAX];
    char *at = output_copy(path);
    for (unsigned links = 0; links < LINKS_MAX && !*in_place; links++) {
        ssize_t len = readlink(at, text, sizeof(text) - 1);
        if (len < 0) {
            return at;
        }
        text[len] = '\0';
        char *folder = folder_of(at);
        free(at);
        *in_place = has_open_files(folder);
        at = text[0] == '/' ? output_copy(text) : output_format("%s/%s", folder, text);
        free(folder);
    }
    free(at);
    errno = ELOOP;
    return NULL;
}

/* Opens the temporary file beside `target`, with the permissions of what it is to replace or
   else `mode`. Returns false with errno, and nothing is left. */
static bool open_temporary(struct files_writer *writer, const char *target,
                           const struct stat *replaced, mode_t mode)
{
    int descriptor = temporary_create(target, mode, &writer->temporary);
    if (descriptor < 0) {
        return false;
    }
    /* A file system without permissions refuses, and needs none. */
    int ignored = replaced != NULL ? fchmod(descriptor, replaced->st_mode & 07777) : 0;
    (void)ignored;
    writer->stream = fdopen(descriptor, "wb");
    if (writer->stream != NULL) {
        return true;
    }
    int error = errno;
    close(descriptor);
    temporary_remove(writer->temporary);
    writer->temporary = NULL;
    errno = error;
    return false;
}

int files_writer_open(struct files_writer *writer, const char *path)
{
    *writer = (struct files_writer){.path = path};
    if (is_standard(path)) {
        writer->stream = stdout;
        return 0;
    }
    struct stat status;
    bool exists = stat(path, &status) == 0;
    if (exists && S_ISDIR(status.st_mode)) {
        return cannot_make(path, EISDIR);
    }
    bool in_place = exists && !S_ISREG(status.st_mode);
    writer->target = in_place ? NULL : follow_links(path, &in_place);
    if (in_place) {
        writer->stream = fopen(path, "wb");
        return writer->stream != NULL ? 0 : cannot_make(path, errno);
    }
    if (writer->target == NULL ||
        !open_temporary(writer, writer->target, exists ? &status : NULL, 0666)) {
        int error = errno;
        files_writer_abandon(writer);
        return cannot_make(path, error);
    }
    return 0;
}

/* Makes the new name itself last: the folder's entry is data of the folder. */
static void sync_folder(const char *path)
{
    char *folder = folder_of(path);
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor >= 0) {
        fsync(descriptor);
        close(descriptor);
    }
    free(folder);
}

int files_writer_commit(struct files_writer *writer)
{
    FILE *stream = writer->stream;
    bool good = fflush(stream) == 0 && !ferror(stream);
    if (good && writer->temporary != NULL) {
        good = fsync(fileno(stream)) == 0;
    }
    int error = errno;
    if (stream == stdout) {
        clearerr(stdout); /* it is told here, and not again by output_finish */
        return good ? 0 : cannot_make("<stdout>", error);
    }
    if (fclose(stream) != 0 && good) {
        good = false;
        error = errno;
    }
    if (writer->temporary != NULL) {
        if (good && rename(writer->temporary, writer->target) != 0) {
            good = false;
            error = errno;
        }
        if (good) {
            sync_folder(writer->target);
            temporary_forget(writer->temporary);
        } else {
            temporary_remove(writer->temporary);
        }
        free(writer->target);
    }
    const char *path = writer->path;
    *writer = (struct files_writer){0};
    return good ? 0 : cannot_make(path, error);
}

void files_writer_abandon(struct files_writer *writer)
{
    if (writer->stream != NULL && writer->stream != stdout) {
        fclose(writer->stream);
    }
    temporary_remove(writer->temporary);
    free(writer->target);
    *writer = (struct files_writer){0};
}

int files_write_atomically(const char *path, const void *data, size_t size)
{
    struct files_writer writer;
    int status = files_writer_open(&writer, path);
    if (status != 0) {
        return status;
    }
    fwrite(data, 1, size, writer.stream);
    return files_writer_commit(&writer);
}

/* Gives a file that is written whole its name, unless something has that name. */
static int name_new_file(const char *temporary, const char *path)
{
    /* A link is the one way to a name that fails where the name is taken. Where the file system has
       no links, looking first must do. */
    struct stat status;
    if (link(temporary, path) == 0) {
        unlink(temporary);
        return 0;
    }
    if (errno != EEXIST && lstat(path, &status) != 0 && errno == ENOENT) {
        return rename(temporary, path);
    }
    errno = EEXIST;
    return -1;
}

static int is_there(const char *path)
{
    return fail("%s: is there already, and is not overwritten; choose another name", path);
}

bool files_may_create(const char *path)
{
    struct stat status;
    return is_standard(path) || lstat(path, &status) != 0 || is_there(path) == 0;
}

int files_create(const char *path, const void *data, size_t size, bool is_secret)
{
    if (is_standard(path)) {
        return files_write_atomically(path, data, size);
    }
    struct files_writer writer = {.path = path};
    if (!open_temporary(&writer, path, NULL, is_secret ? 0600 : 0666)) {
        return cannot_make(path, errno);
    }
    setvbuf(writer.stream, NULL, _IONBF, 0); /* no copy of a secret stays behind */
    bool good = fwrite(data, 1, size, writer.stream) == size && fsync(fileno(writer.stream)) == 0 &&
                name_new_file(writer.temporary, path) == 0;
    int error = errno;
    files_writer_abandon(&writer);
    if (good) {
        sync_folder(path);
        return 0;
    }
    return error == EEXIST ? is_there(path) : cannot_make(path, error);
}
