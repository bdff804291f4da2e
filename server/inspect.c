/* SPDX-License-Identifier: Apache-2.0 */

/* Facts of one file: its bytes go through the image check and both digests at once; what the image
   does not say of itself is taken from the file's name. */

#include "server/inspect.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <updraft/chip.h>

#include <updraft/version.h>

/* Both digests of one stretch of bytes. */
struct digests {
    const struct ota_crypto *crypto;
    struct ota_hash md5;
    struct ota_hash sha256;
};

static bool read_bytes(int fd, uint64_t limit, struct digests *digests,
                       struct ota_image_check *check, const atomic_bool *stop);
static bool digests_begin(struct digests *digests, const struct ota_crypto *crypto);
static bool digests_finish(struct digests *digests, uint8_t *md5, uint8_t *sha256);
static void digests_abort(struct digests *digests);
static void take_image_facts(const struct ota_image_check *check, uint64_t size,
                             struct file_facts *facts);
static void take_name_facts(const char *name, struct file_facts *facts);
static bool take_image_digests(int fd, uint64_t size, const struct ota_crypto *crypto,
                               const atomic_bool *stop, struct file_facts *facts);

static const struct ota_image_rules any_image = {
    .form = OTA_IMAGE_DETECT,
    .role = OTA_ROLE_APP,
    .chip = {.id = OTA_CHIP_ANY, .ignore_max_revision = true, .ignore_revisions = true},
    .size_max = UINT32_MAX,
    .allow_trailer = true,
};

enum inspect_result inspect_file(int fd, const char *name, uint64_t size,
                                 const struct ota_crypto *crypto, const atomic_bool *stop,
                                 struct file_facts *facts)
{
    *facts = (struct file_facts){.form = OTA_IMAGE_DATA, .chip = FILE_CHIP_NONE};
    struct ota_image_check check;
    struct digests digests;
    errno = EIO; /* for the crypto backend, which has no number of its own */

    const bool checking = size > 0 && size <= UINT32_MAX &&
                          ota_image_check_begin(&check, &any_image, crypto) == OTA_OK;
    bool good = digests_begin(&digests, crypto);
    if (good) {
        good = read_bytes(fd, UINT64_MAX, &digests, checking ? &check : NULL, stop);
        if (good) {
            good = digests_finish(&digests, facts->md5, facts->sha256);
        } else {
            digests_abort(&digests);
        }
    }
    if (!good) {
        if (checking) {
            ota_image_check_abort(&check);
        }
        return atomic_load(stop) ? INSPECT_STOPPED : INSPECT_FAILED;
    }
    if (checking) {
        ota_image_check_finish(&check);
        take_image_facts(&check, size, facts);
    }
    take_name_facts(name, facts);
    if (!take_image_digests(fd, size, crypto, stop, facts)) {
        return atomic_load(stop) ? INSPECT_STOPPED : INSPECT_FAILED;
    }
    return INSPECT_DONE;
}

/* Reads up to `limit` bytes from the start; `check` may be NULL. Returns false with errno, or when
   told to stop. */
static bool read_bytes(int fd, uint64_t limit, struct digests *digests,
                       struct ota_image_check *check, const atomic_bool *stop)
{
    unsigned char buffer[32768];
    uint64_t offset = 0;

    while (offset < limit && !atomic_load(stop)) {
        const uint64_t left = limit - offset;
        const size_t wanted = left < sizeof buffer ? (size_t)left : sizeof buffer;
        const ssize_t got = pread(fd, buffer, wanted, (off_t)offset);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return false;
        }
        if (got == 0) {
            return true;
        }
        if (digests->crypto->hash_update(&digests->md5, buffer, (size_t)got) != OTA_OK ||
            digests->crypto->hash_update(&digests->sha256, buffer, (size_t)got) != OTA_OK) {
            errno = EIO;
            return false;
        }
        if (check != NULL && check->failure.err == OTA_OK) {
            ota_image_check_write(check, buffer, (size_t)got); /* keeps its failure */
        }
        offset += (uint64_t)got;
    }
    return !atomic_load(stop);
}

static bool digests_begin(struct digests *digests, const struct ota_crypto *crypto)
{
    digests->crypto = crypto;
    if (crypto->hash_begin(&digests->md5, OTA_HASH_MD5) != OTA_OK) {
        return false;
    }
    if (crypto->hash_begin(&digests->sha256, OTA_HASH_SHA256) != OTA_OK) {
        crypto->hash_abort(&digests->md5);
        return false;
    }
    return true;
}

static bool digests_finish(struct digests *digests, uint8_t *md5, uint8_t *sha256)
{
    const enum ota_err md5_err = digests->crypto->hash_finish(&digests->md5, md5);
    const enum ota_err sha256_err = digests->crypto->hash_finish(&digests->sha256, sha256);
    return md5_err == OTA_OK && sha256_err == OTA_OK;
}

static void digests_abort(struct digests *digests)
{
    digests->crypto->hash_abort(&digests->md5);
    digests->crypto->hash_abort(&digests->sha256);
}

/* What follows an image in its file (a signature, padding) is not part of what a device says that
   it runs. Only such files are read a second time. */
static bool take_image_digests(int fd, uint64_t size, const struct ota_crypto *crypto,
                               const atomic_bool *stop, struct file_facts *facts)
{
    if (facts->image_length == 0 || facts->image_length == size) {
        memcpy(facts->image_md5, facts->md5, sizeof facts->image_md5);
        memcpy(facts->image_sha256, facts->sha256, sizeof facts->image_sha256);
        return true;
    }
    struct digests digests;
    if (!digests_begin(&digests, crypto)) {
        return false;
    }
    if (!read_bytes(fd, facts->image_length, &digests, NULL, stop)) {
        digests_abort(&digests);
        return false;
    }
    return digests_finish(&digests, facts->image_md5, facts->image_sha256);
}

/* Copies what others wrote into their files and would print on our terminals and pages. */
static void copy_printable(char *to, size_t capacity, const char *from)
{
    size_t len = 0;
    for (; len + 1 < capacity && from[len] != '\0'; len++) {
        const unsigned char c = (unsigned char)from[len];
        to[len] = (char)(c >= 0x20 && c < 0x7f ? c : '?');
    }
    to[len] = '\0';
}

/* docs/formats/image.md, header byte 3, high nibble. */
static uint64_t flash_size_of(const struct ota_image *image, bool esp8266)
{
    static const uint16_t esp32_megabytes[16] = {1, 2, 4, 8, 16, 32, 64, 128};
    static const uint16_t esp8266_kilobytes[16] = {512,  256,  1024, 2048, 4096,
                                                   2048, 4096, 0,    8192, 16384};
    const unsigned nibble = image->spi_speed_size >> 4;
    return esp8266 ? (uint64_t)esp8266_kilobytes[nibble] << 10
                   : (uint64_t)esp32_megabytes[nibble] << 20;
}

static void take_image_facts(const struct ota_image_check *check, uint64_t size,
                             struct file_facts *facts)
{
    const struct ota_image *image = &check->image;
    const struct ota_failure *failure = &check->failure;

    if (failure->err != OTA_OK) {
        if (failure->err != OTA_ERR_IMAGE_MAGIC) {
            snprintf(facts->problem, sizeof facts->problem, "no valid image: %s (at byte %u)",
                     ota_err_text(failure->err), (unsigned)failure->offset);
        }
        return;
    }
    if (image->form == OTA_IMAGE_DATA || image->length == 0 || image->length > size) {
        return;
    }

    const bool esp32 = image->form == OTA_IMAGE_ESP32;
    struct ota_app_descriptor descriptor;
    const bool described = ota_image_app_descriptor(image, &descriptor);
    if (esp32 && !described) {
        /* Build folders hold bootloaders beside apps: one must never reach an app slot. */
        snprintf(facts->problem, sizeof facts->problem,
                 "a bootloader, or an app without the descriptor that names it");
        return;
    }

    facts->kind = FILE_APP;
    facts->form = image->form;
    facts->chip = esp32 ? image->chip_id : (uint16_t)OTA_CHIP_ESP8266;
    facts->image_length = image->length;
    facts->flash_size = flash_size_of(image, !esp32);
    facts->has_image_digest = image->has_digest;
    memcpy(facts->image_digest, image->digest, sizeof facts->image_digest);
    if (described && strcmp(descriptor.project, FILE_PROJECT_OF_ARDUINO) != 0) {
        copy_printable(facts->project, sizeof facts->project, descriptor.project);
        copy_printable(facts->version, sizeof facts->version, descriptor.version);
    }
}

/* Cuts `suffix`, whatever its case, off the end of `text`, where something stays before it. */
static bool cut_suffix(char *text, const char *suffix)
{
    const size_t len = strlen(text);
    const size_t suffix_len = strlen(suffix);
    if (len <= suffix_len || strcasecmp(text + len - suffix_len, suffix) != 0) {
        return false;
    }
    text[len - suffix_len] = '\0';
    return true;
}

/* Says whether `text` looks like a version also to someone who does not expect one: "2" does not,
   "2.1" and "v2" do. */
static bool is_evident_version(const char *text)
{
    const bool marked = (*text == 'v' || *text == 'V');
    const char *numbers = text + (marked ? 1 : 0);
    return ota_version_is_ordered(text) &&
           (marked || numbers[strspn(numbers, "0123456789")] == '.');
}

static void take_project_and_version(char *stem, struct file_facts *facts)
{
    const char *version = "";
    for (char *at = stem; *at != '\0'; at++) {
        if ((*at == '-' || *at == '_') && at > stem && is_evident_version(at + 1)) {
            *at = '\0';
            version = at + 1;
            break;
        }
    }
    copy_printable(facts->project, sizeof facts->project, stem);
    copy_printable(facts->version, sizeof facts->version, version);
}

/* What the end of a file's name says of a file that says nothing itself. */
static const struct {
    const char *suffix;
    enum file_kind kind;
    uint16_t chip;
} name_kinds[] = {
    {"littlefs", FILE_FILE_SYSTEM, FILE_CHIP_NONE}, {"spiffs", FILE_FILE_SYSTEM, FILE_CHIP_NONE},
    {"fatfs", FILE_FILE_SYSTEM, FILE_CHIP_NONE},    {"pico", FILE_APP, FILE_CHIP_PICO},
    {"rp2040", FILE_APP, FILE_CHIP_PICO},           {"rp2350", FILE_APP, FILE_CHIP_PICO},
};

static void take_name_facts(const char *name, struct file_facts *facts)
{
    char stem[256];
    snprintf(stem, sizeof stem, "%s", name);
    if (!cut_suffix(stem, ".bin") || facts->problem[0] != '\0') {
        return;
    }
    if (facts->kind == FILE_APP) {
        if (facts->project[0] == '\0') {
            cut_suffix(stem, ".ino");
            take_project_and_version(stem, facts);
        }
        return;
    }
    for (size_t i = 0; i < sizeof name_kinds / sizeof name_kinds[0]; i++) {
        if (strcasecmp(stem, name_kinds[i].suffix) == 0) {
            stem[0] = '\0';
        } else if (cut_suffix(stem, name_kinds[i].suffix)) {
            const char last = stem[strlen(stem) - 1];
            if (last != '.' && last != '-' && last != '_') {
                return;
            }
            stem[strlen(stem) - 1] = '\0';
        } else {
            continue;
        }
        facts->kind = name_kinds[i].kind;
        facts->chip = name_kinds[i].chip;
        cut_suffix(stem, ".ino");
        take_project_and_version(stem, facts);
        return;
    }
}

const char *inspect_chip_name(uint16_t chip)
{
    if (chip == FILE_CHIP_NONE) {
        return "";
    }
    if (chip == FILE_CHIP_PICO) {
        return "pico";
    }
    const struct ota_chip_facts *facts = ota_chip_facts(chip);
    return facts == NULL ? "unknown chip" : facts->name;
}

uint16_t inspect_chip_by_name(const char *name)
{
    if (strcasecmp(name, "pico") == 0) {
        return FILE_CHIP_PICO;
    }
    const struct ota_chip_facts *facts = ota_chip_named(name);
    return facts != NULL ? facts->id : (uint16_t)FILE_CHIP_NONE;
}
