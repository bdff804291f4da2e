/* SPDX-License-Identifier: Apache-2.0 */

/* The decision of the pull protocols: choose the image, then say whether the device gets it. */

#include "server/decide.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <updraft/chip.h>
#include <updraft/version.h>

#include "server/decide_packing.h"
#include "server/hex.h"

/* What an image must be for this device. */
struct wish {
    const struct device *device;
    enum file_kind kind;
    const char *project; /* NULL: any */
    uint16_t chip;       /* FILE_CHIP_NONE: any of the platform */
    enum device_platform platform;
};

static struct catalog_image *choose(const struct device *device,
                                    struct catalog_image *const *images, size_t count,
                                    struct wish *wish, struct decision *refusal);
static struct decision judge(const struct device *device, struct catalog_image *image,
                             struct catalog_image *const *images, size_t count);

__attribute__((format(printf, 4, 5))) static struct decision decision_of(
    enum decision_kind kind, unsigned status, struct catalog_image *image, const char *format, ...)
{
    struct decision decision = {.kind = kind, .status = status, .image = image};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(decision.reason, sizeof decision.reason, format, arguments);
    va_end(arguments);
    return decision;
}

static const struct {
    const char *name;
    enum file_kind kind;
    bool only_tells; /* the version, not the file */
} modes[] = {
    {"sketch", FILE_APP, false},         {"version", FILE_APP, true},
    {"spiffs", FILE_FILE_SYSTEM, false}, {"littlefs", FILE_FILE_SYSTEM, false},
    {"fatfs", FILE_FILE_SYSTEM, false},
};

struct decision decide(const struct device *device, struct catalog_image *const *images,
                       size_t count)
{
    if (device->platform == DEVICE_NONE) {
        return decision_of(DECISION_REFUSE, 403, NULL,
                           "only for updaters: the User-Agent is %.60s, not ESP8266-http-Update, "
                           "ESP32-http-Update, Pico-HTTP-Update or Updraft-http-Update",
                           device->user_agent == NULL ? "missing" : device->user_agent);
    }
    if (device->problem[0] != '\0') {
        return decision_of(DECISION_REFUSE, 403, NULL, "only for updaters: %s", device->problem);
    }
    size_t mode = 0;
    while (mode < sizeof modes / sizeof modes[0] && strcmp(device->mode, modes[mode].name) != 0) {
        mode++;
    }
    if (mode == sizeof modes / sizeof modes[0]) {
        return decision_of(DECISION_NOT_FOUND, 404, NULL, "mode %.60s is not supported",
                           device->mode);
    }

    struct wish wish = {.device = device,
                        .kind = modes[mode].kind,
                        .project = device->project,
                        .chip = FILE_CHIP_NONE,
                        .platform = device->platform};
    struct decision refusal;
    struct catalog_image *image = choose(device, images, count, &wish, &refusal);
    if (image == NULL) {
        return refusal;
    }
    if (modes[mode].only_tells) {
        char md5[33];
        return decision_of(DECISION_TELL_VERSION, 200, image, "version is %s",
                           decide_version_text(image, md5));
    }
    return judge(device, image, images, count);
}

/* ------------------------------------------------------------------ which image */

static bool fits_platform(enum device_platform platform, uint16_t chip)
{
    switch (platform) {
    case DEVICE_ESP8266:
        return chip == OTA_CHIP_ESP8266;
    case DEVICE_PICO:
        return chip == FILE_CHIP_PICO;
    case DEVICE_ESP32:
        return chip != OTA_CHIP_ESP8266 && chip != FILE_CHIP_PICO && chip != OTA_CHIP_HOST;
    case DEVICE_UPDRAFT:
        return true;
    case DEVICE_NONE:
        break;
    }
    return false;
}

static bool is_wanted(const struct wish *wish, const struct catalog_image *image)
{
    const struct file_facts *facts = &image->facts;
    if (facts->kind != wish->kind) {
        return false;
    }
    /* A file system image whose name says no project is everyone's. */
    if (wish->project != NULL && strcasecmp(wish->project, facts->project) != 0 &&
        !(facts->kind == FILE_FILE_SYSTEM && facts->project[0] == '\0')) {
        return false;
    }
    if (facts->kind == FILE_FILE_SYSTEM) {
        return true;
    }
    return wish->chip == FILE_CHIP_NONE ? fits_platform(wish->platform, facts->chip)
                                        : wish->chip == facts->chip;
}

/* Says whether `a` is to be offered rather than `b`: an order without ties or cycles. */
static bool goes_before(const struct catalog_image *a, const struct catalog_image *b)
{
    const bool ordered_a = ota_version_is_ordered(a->facts.version);
    const bool ordered_b = ota_version_is_ordered(b->facts.version);
    if (ordered_a != ordered_b) {
        return ordered_a;
    }
    if (ordered_a) {
        const enum ota_version_order order =
            ota_version_compare(a->facts.version, b->facts.version);
        if (order == OTA_VERSION_NEWER || order == OTA_VERSION_OLDER) {
            return order == OTA_VERSION_NEWER;
        }
    }
    if (a->modified.tv_sec != b->modified.tv_sec) {
        return a->modified.tv_sec > b->modified.tv_sec;
    }
    if (a->modified.tv_nsec != b->modified.tv_nsec) {
        return a->modified.tv_nsec > b->modified.tv_nsec;
    }
    return strcmp(a->name, b->name) < 0;
}

static const char *wish_text(const struct wish *wish)
{
    return wish->kind == FILE_FILE_SYSTEM ? "file system image" : "app";
}

static const char *wish_chip(const struct wish *wish)
{
    return wish->chip == FILE_CHIP_NONE ? device_platform_name(wish->platform)
                                        : inspect_chip_name(wish->chip);
}

/* `only_packed`: there is one, but the device cannot unpack it. */
static struct decision none_found(const struct wish *wish, bool only_packed)
{
    const char *but = only_packed ? " but compressed, which the device does not unpack" : "";
    if (wish->project != NULL) {
        return decision_of(DECISION_NOT_FOUND, 404, NULL, "no %s of project %.64s for %s here%s",
                           wish_text(wish), wish->project, wish_chip(wish), but);
    }
    return decision_of(DECISION_NOT_FOUND, 404, NULL, "no %s for %s here%s", wish_text(wish),
                       wish_chip(wish), but);
}

/* Finds the best of what is wanted, or says why there is none to be had. */
static struct catalog_image *best_of(const struct wish *wish, struct catalog_image *const *images,
                                     size_t count, struct decision *refusal)
{
    struct catalog_image *best = NULL;
    bool only_packed = false;
    for (size_t i = 0; i < count; i++) {
        struct catalog_image *image = images[i];
        if (!is_wanted(wish, image)) {
            continue;
        }
        if (!decide_can_unpack(wish->device, image)) {
            only_packed = true;
            continue;
        }
        if (best != NULL && wish->project == NULL &&
            strcasecmp(best->facts.project, image->facts.project) != 0) {
            *refusal = decision_of(DECISION_NOT_FOUND, 404, NULL,
                                   "%ss of several projects for %s here (%s, %s): name one in the "
                                   "URL, as in /pull/%s",
                                   wish_text(wish), wish_chip(wish), best->facts.project,
                                   image->facts.project, best->facts.project);
            return NULL;
        }
        if (best != NULL && best->facts.chip != image->facts.chip) {
            *refusal = decision_of(DECISION_NOT_FOUND, 404, NULL,
                                   "apps for several chips here (%s, %s): name one in the URL, as "
                                   "in ?chip=%s",
                                   inspect_chip_name(best->facts.chip),
                                   inspect_chip_name(image->facts.chip),
                                   inspect_chip_name(best->facts.chip));
            return NULL;
        }
        if (best == NULL || goes_before(image, best)) {
            best = image;
        }
    }
    if (best == NULL) {
        *refusal = none_found(wish, only_packed);
    }
    return best;
}

static struct catalog_image *choose(const struct device *device,
                                    struct catalog_image *const *images, size_t count,
                                    struct wish *wish, struct decision *refusal)
{
    if (device->chip != NULL) {
        wish->chip = inspect_chip_by_name(device->chip);
        if (wish->chip == FILE_CHIP_NONE) {
            *refusal =
                decision_of(DECISION_NOT_FOUND, 404, NULL, "there is no chip %.60s", device->chip);
            return NULL;
        }
    }
    for (size_t i = 0; i < count; i++) {
        const struct file_facts *facts = &images[i]->facts;
        if (facts->kind != FILE_APP || !decide_is_running(device, images[i])) {
            continue;
        }
        if (wish->project == NULL) {
            wish->project = facts->project;
        }
        if (wish->chip == FILE_CHIP_NONE && fits_platform(wish->platform, facts->chip)) {
            wish->chip = facts->chip;
        }
        break;
    }
    return best_of(wish, images, count, refusal);
}

/* ------------------------------------------------------------------ whether it is sent */

const char *decide_version_text(const struct catalog_image *image, char buffer[33])
{
    if (image->facts.version[0] != '\0') {
        return image->facts.version;
    }
    return hex_of(image->facts.md5, sizeof image->facts.md5, buffer);
}

enum verdict {
    SAME_OR_OLDER,
    NEWER,
    UNKNOWN
};

static enum verdict is_newer(const struct device *device, const struct catalog_image *image)
{
    const bool is_app = image->facts.kind == FILE_APP;
    if (is_app && decide_is_running(device, image)) {
        return SAME_OR_OLDER;
    }
    if (device->version != NULL) {
        char md5[33];
        const char *version = decide_version_text(image, md5);
        if (strcasecmp(version, device->version) == 0) {
            return SAME_OR_OLDER;
        }
        if (image->facts.version[0] != '\0' || !is_app) {
            const enum ota_version_order order = ota_version_compare(version, device->version);
            return order == OTA_VERSION_NEWER || order == OTA_VERSION_DIFFERENT ? NEWER
                                                                                : SAME_OR_OLDER;
        }
    }
    /* Nothing tells which file system a device has: one that asks without a version wants this
       one. */
    return !is_app || device->has_md5 || device->has_sha256 ? NEWER : UNKNOWN;
}

/* The larger of what must find room on the device's flash. */
static uint64_t flash_needed(const struct catalog_image *image)
{
    const struct file_facts *facts = &image->facts;
    const uint64_t plain = facts->is_packed ? facts->plain_size : image->size;
    return facts->flash_size > plain ? facts->flash_size : plain;
}

/* What must find room where an update is written: ours is unpacked on its way there, the ESP8266's
   when it boots. */
static uint64_t space_needed(const struct device *device, const struct catalog_image *image,
                             const struct packed_image *packed)
{
    if (device->platform == DEVICE_UPDRAFT && image->facts.is_packed) {
        return image->facts.plain_size;
    }
    return packed != NULL && device->platform != DEVICE_UPDRAFT ? packed->size : image->size;
}

/* The device is to get the image, if there is room for it. */
static struct decision send(const struct device *device, struct catalog_image *image,
                            struct catalog_image *const *images, size_t count)
{
    const struct file_facts *facts = &image->facts;
    const char *version = facts->version[0] == '\0' ? "without a version" : facts->version;
    const struct packed_image *packed = decide_packed(device, image, images, count);
    const uint64_t space = space_needed(device, image, packed);
    if (facts->kind == FILE_APP && space > device->free_space) {
        return decision_of(DECISION_REFUSE, 403, image,
                           "%s %s has %" PRIu64 " bytes, the device has room for %" PRIu64,
                           facts->project, version, space, device->free_space);
    }
    if (flash_needed(image) > device->chip_size) {
        return decision_of(DECISION_REFUSE, 403, image,
                           "%s %s is made for %" PRIu64 " bytes of flash, the device has %" PRIu64,
                           facts->project, version, flash_needed(image), device->chip_size);
    }
    const char *problem = decide_packing_problem(device, image, images, count);
    if (problem != NULL) {
        return decision_of(DECISION_REFUSE, 403, image, "%s %s %s", facts->project, version,
                           problem);
    }
    struct decision decision =
        decision_of(DECISION_SEND, 200, image, "%s %s", facts->project, version);
    decision.packed = packed;
    return decision;
}

static struct decision judge(const struct device *device, struct catalog_image *image,
                             struct catalog_image *const *images, size_t count)
{
    const struct file_facts *facts = &image->facts;
    const char *version = facts->version[0] == '\0' ? "without a version" : facts->version;
    switch (is_newer(device, image)) {
    case SAME_OR_OLDER:
        return decision_of(DECISION_NOTHING_NEWER, 304, image, "%s %s is not newer", facts->project,
                           version);
    case UNKNOWN:
        return decision_of(DECISION_REFUSE, 403, image,
                           "nobody can say whether %s %s is newer: the device says neither %s",
                           facts->project, version,
                           facts->version[0] == '\0' ? "the MD5 nor the SHA-256 of what it runs"
                                                     : "its version nor a digest of what it runs");
    case NEWER:
        break;
    }
    return send(device, image, images, count);
}
