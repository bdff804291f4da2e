/* SPDX-License-Identifier: Apache-2.0 */
/* struct ota_platform on a POSIX system: clocks, random numbers, restart and log lines. Its
   network is in stream.c, listener.c, datagrams.c and mdns.c, waiting in watch.c. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "posix/datagrams.h"
#include "posix/listener.h"
#include "posix/mdns.h"
#include "posix/platform.h"
#include "posix/stream.h"
#include "posix/watch.h"

/* A marked line is MARK, the level's digit, the tag, SEPARATOR, the text; or MARK, PROGRESS, the
   tag, SEPARATOR, the name, SEPARATOR, and the two numbers with a slash between them. */
#define MARK '\x1e'
#define SEPARATOR '\x1f'
#define PROGRESS 'p'
#define LINE_SIZE 1024

/* A clock that shows less, the start of 2024, was never set. */
#define CLOCK_SET_SECONDS 1704067200

int64_t platform_clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static uint32_t platform_now_ms(struct ota_platform *self)
{
    const struct posix_platform *platform = (const struct posix_platform *)self;
    return (uint32_t)(platform_clock_ms() - platform->start_ms);
}

static bool platform_unix_time(struct ota_platform *self, int64_t *seconds)
{
    (void)self;
    *seconds = (int64_t)time(NULL);
    return *seconds >= CLOCK_SET_SECONDS;
}

static bool platform_minute_of_week(struct ota_platform *self, uint32_t *minute)
{
    int64_t seconds;
    struct tm local;
    if (!platform_unix_time(self, &seconds)) {
        return false;
    }
    const time_t now = (time_t)seconds;
    if (localtime_r(&now, &local) == NULL) {
        return false;
    }
    const uint32_t day = (uint32_t)(local.tm_wday + 6) % 7; /* tm_wday 0 is Sunday */
    *minute = (day * 24 + (uint32_t)local.tm_hour) * 60 + (uint32_t)local.tm_min;
    return true;
}

static enum ota_err platform_random(struct ota_platform *self, void *data, size_t len)
{
    (void)self;
    uint8_t *bytes = data;
    while (len > 0) {
        const ssize_t got = getrandom(bytes, len, 0);
        if (got <= 0) {
            return OTA_ERR_CRYPTO;
        }
        bytes += got;
        len -= (size_t)got;
    }
    return OTA_OK;
}

static void platform_restart(struct ota_platform *self, enum ota_restart_reason reason)
{
    struct posix_platform *platform = (struct posix_platform *)self;
    fflush(NULL);
    if (platform->on_restart != NULL) {
        platform->on_restart(platform->context, reason);
    }
    _exit(EXIT_SUCCESS);
}

/* Ends the line, cut off where it is too long for LINE_SIZE, and writes it in one piece, so that
   the lines of several writers do not mix. */
static void write_line(char line[LINE_SIZE], size_t len)
{
    size_t size = len < LINE_SIZE - 2 ? len : LINE_SIZE - 2;
    line[size++] = '\n';
    fflush(stdout);
    const ssize_t written = write(STDERR_FILENO, line, size);
    (void)written; /* nobody is left to be told */
}

static void platform_log(struct ota_platform *self, enum ota_log_level level, const char *tag,
                         const char *text)
{
    const struct posix_platform *platform = (const struct posix_platform *)self;
    char line[LINE_SIZE];
    const int len = platform->marked_log ? snprintf(line, sizeof line - 1, "%c%d%s%c%s", MARK,
                                                    (int)level, tag, SEPARATOR, text)
                                         : snprintf(line, sizeof line - 1, "%-7s %s", tag, text);
    if (len < 0) {
        return;
    }
    write_line(line, (size_t)len);
}

static void log_mdns(void *context, enum ota_log_level level, const char *text)
{
    struct posix_platform *platform = context;
    platform->platform.log(&platform->platform, level, "mdns", text);
}

static enum ota_err platform_advertise(struct ota_platform *self, const char *host_name,
                                       const struct ota_advert *adverts, size_t count)
{
    struct posix_platform *platform = (struct posix_platform *)self;
    mdns_close(platform->mdns);
    platform->mdns = NULL;
    if (count == 0) {
        return OTA_OK;
    }
    platform->mdns = mdns_open(host_name, adverts, count, log_mdns, platform);
    return platform->mdns != NULL ? OTA_OK : OTA_ERR_CONNECT;
}

void platform_log_progress(const struct posix_platform *platform, const char *tag, const char *name,
                           uint32_t done, uint32_t total)
{
    char line[LINE_SIZE];
    if (!platform->marked_log) {
        return;
    }
    const int len = snprintf(line, sizeof line - 1, "%c%c%s%c%s%c%" PRIu32 "/%" PRIu32, MARK,
                             PROGRESS, tag, SEPARATOR, name, SEPARATOR, done, total);
    if (len > 0) {
        write_line(line, (size_t)len);
    }
}

bool platform_parse_progress(char *line, char **tag, char **name, uint32_t *done, uint32_t *total)
{
    char *first = line[0] == MARK && line[1] == PROGRESS ? strchr(line, SEPARATOR) : NULL;
    char *second = first != NULL ? strchr(first + 1, SEPARATOR) : NULL;
    char *slash = NULL;
    char *end = NULL;
    if (second == NULL) {
        return false;
    }
    const unsigned long first_number = strtoul(second + 1, &slash, 10);
    if (*slash != '/') {
        return false;
    }
    const unsigned long second_number = strtoul(slash + 1, &end, 10);
    if (*end != '\0' && *end != '\n') {
        return false;
    }
    *done = (uint32_t)first_number;
    *total = (uint32_t)second_number;
    *first = '\0';
    *second = '\0';
    *tag = line + 2;
    *name = first + 1;
    return true;
}

bool platform_parse_log(char *line, enum ota_log_level *level, char **tag, char **text)
{
    if (line[0] != MARK || line[1] < '0' || line[1] > '0' + OTA_LOG_DEBUG) {
        return false;
    }
    char *separator = strchr(line, SEPARATOR);
    if (separator == NULL) {
        return false;
    }
    *separator = '\0';
    *level = (enum ota_log_level)(line[1] - '0');
    *tag = line + 2;
    *text = separator + 1;
    return true;
}

void platform_init(struct posix_platform *platform)
{
    *platform = (struct posix_platform){
        .platform =
            {
                .now_ms = platform_now_ms,
                .random = platform_random,
                .restart = platform_restart,
                .connect = stream_connect,
                .connect_to = stream_connect_to,
                .open_datagrams = datagrams_open,
                .listen = listener_open,
                .advertise = platform_advertise,
                .unix_time = platform_unix_time,
                .minute_of_week = platform_minute_of_week,
                .wait = watch_wait,
                .log = platform_log,
            },
        .start_ms = platform_clock_ms(),
    };
}

void platform_close(struct posix_platform *platform)
{
    watch_release_all(platform);
    mdns_close(platform->mdns);
    platform->mdns = NULL;
}
