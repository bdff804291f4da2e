/* SPDX-License-Identifier: Apache-2.0 */

/* Request headers of the pull protocols. */

#include "server/device.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "server/inspect.h"

#define NAME_MAX_LENGTH 64

/* A dialect: how a platform's updater names itself, and which of its headers every version of it
   sends. docs/formats/http-pull.md sections 1, 2 and 7. */
static const struct dialect {
    enum device_platform platform;
    const char *name;
    const char *user_agent;
    const char *prefix;
    const char *const required[9];
} dialects[] = {
    {DEVICE_ESP8266,
     "esp8266",
     "ESP8266-http-Update",
     "x-ESP8266-",
     {"mode", "STA-MAC", "AP-MAC", "free-space", "sketch-size", "sketch-md5", "chip-size",
      "sdk-version"}},
    {DEVICE_ESP32,
     "esp32",
     "ESP32-http-Update",
     "x-ESP32-",
     {"mode", "STA-MAC", "AP-MAC", "free-space", "sketch-size", "chip-size", "sdk-version"}},
    {DEVICE_PICO, "pico", "Pico-HTTP-Update", "x-Pico-", {"mode", "STA-MAC", "AP-MAC"}},
    {DEVICE_UPDRAFT,
     "updraft",
     "Updraft-http-Update",
     "x-Updraft-",
     {"mode", "STA-MAC", "free-space", "chip-size"}},
};

static const struct dialect *find_dialect(const char *user_agent)
{
    for (size_t i = 0; i < sizeof dialects / sizeof dialects[0]; i++) {
        const size_t len = strlen(dialects[i].user_agent);
        const char after =
            strncmp(user_agent, dialects[i].user_agent, len) == 0 ? user_agent[len] : 'x';
        if (after == '\0' || after == '/' || after == ' ') {
            return &dialects[i];
        }
    }
    return NULL;
}

const char *device_platform_name(enum device_platform platform)
{
    for (size_t i = 0; i < sizeof dialects / sizeof dialects[0]; i++) {
        if (dialects[i].platform == platform) {
            return dialects[i].name;
        }
    }
    return "";
}

/* Returns the value of the platform's own header, NULL if it is missing or empty. */
static const char *own_header(const struct device_request *request, const struct dialect *dialect,
                              const char *name)
{
    char full[NAME_MAX_LENGTH];
    snprintf(full, sizeof full, "%s%s", dialect->prefix, name);
    const char *value = request->header(request->context, full);
    return value != NULL && *value != '\0' ? value : NULL;
}

static void read_number(const struct device_request *request, const struct dialect *dialect,
                        const char *name, uint64_t *number, struct device *device)
{
    const char *text = own_header(request, dialect, name);
    if (text == NULL) {
        return;
    }
    uint64_t value = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9' && at - text < 18; at++) {
        value = value * 10 + (uint64_t)(*at - '0');
    }
    if (*at != '\0') {
        snprintf(device->problem, sizeof device->problem, "header %s%s is not a number of bytes",
                 dialect->prefix, name);
        return;
    }
    *number = value;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* A digest that is none counts as not sent: it decides only what is newer, never what is right. */
static bool read_digest(const char *text, uint8_t *bytes, size_t size)
{
    if (text == NULL || strlen(text) != size * 2) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        const int high = hex_value(text[2 * i]);
        const int low = hex_value(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static const char *asked(const char *in_url, const struct device_request *request, const char *name)
{
    const char *value = in_url != NULL ? in_url : request->header(request->context, name);
    return value != NULL && *value != '\0' ? value : NULL;
}

/* A device that runs an image of Arduino's core says of itself what its descriptor does. */
static void drop_what_means_nothing(const struct device_request *request, struct device *device)
{
    const char *own = asked(NULL, request, "x-Updraft-Project");
    if (own == NULL || strcmp(own, FILE_PROJECT_OF_ARDUINO) != 0) {
        return;
    }
    device->version = NULL;
    if (device->project == own) {
        device->project = NULL;
    }
}

/* Tells whether a list of words parted by commas has this one. */
static bool has_word(const char *list, const char *word)
{
    const size_t len = strlen(word);
    while (list != NULL && *list != '\0') {
        list += strspn(list, ", \t");
        const size_t next = strcspn(list, ", \t");
        if (next == len && strncasecmp(list, word, len) == 0) {
            return true;
        }
        list += next;
    }
    return false;
}

/* docs/formats/http-pull.md section 11. Of the ESP8266's cores those unpack that send a
   Content-Length; the ESP32's never do, whatever else they send. */
static bool takes_gzip(const struct device_request *request, const struct dialect *dialect)
{
    switch (dialect->platform) {
    case DEVICE_ESP8266:
        return request->header(request->context, "Content-Length") != NULL;
    case DEVICE_PICO:
        return true;
    case DEVICE_UPDRAFT:
        return has_word(own_header(request, dialect, "accept"), "gzip");
    default:
        return false;
    }
}

static void check_required(const struct device_request *request, const struct dialect *dialect,
                           struct device *device)
{
    for (const char *const *name = dialect->required; *name != NULL; name++) {
        if (own_header(request, dialect, *name) == NULL) {
            snprintf(device->problem, sizeof device->problem, "header %s%s is missing",
                     dialect->prefix, *name);
            return;
        }
    }
}

void device_read(const struct device_request *request, struct device *device)
{
    *device = (struct device){.free_space = DEVICE_NOT_SAID,
                              .sketch_size = DEVICE_NOT_SAID,
                              .chip_size = DEVICE_NOT_SAID};
    device->user_agent = request->header(request->context, "User-Agent");
    const struct dialect *dialect =
        device->user_agent == NULL ? NULL : find_dialect(device->user_agent);
    if (dialect == NULL) {
        return;
    }
    device->platform = dialect->platform;
    device->project = asked(request->project, request, "x-Updraft-Project");
    device->chip = asked(request->chip, request, "x-Updraft-Chip");
    device->station_mac = own_header(request, dialect, "STA-MAC");
    device->mode = own_header(request, dialect, "mode");
    device->version = own_header(request, dialect, "version");
    device->has_md5 =
        read_digest(own_header(request, dialect, "sketch-md5"), device->md5, sizeof device->md5);
    device->has_sha256 = read_digest(own_header(request, dialect, "sketch-sha256"), device->sha256,
                                     sizeof device->sha256);
    read_number(request, dialect, "free-space", &device->free_space, device);
    read_number(request, dialect, "sketch-size", &device->sketch_size, device);
    read_number(request, dialect, "chip-size", &device->chip_size, device);
    device->takes_gzip = takes_gzip(request, dialect);
    device->prefers_plain = request->header(request->context, "Range") != NULL ||
                            has_word(own_header(request, dialect, "accept"), "plain");
    check_required(request, dialect, device);
    drop_what_means_nothing(request, device);
}
