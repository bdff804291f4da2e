/* SPDX-License-Identifier: Apache-2.0 */

/* Facts of one file: its bytes go through the image check and both digests at once, unpacked where
   gzip has packed them; what the image does not say of itself is taken from the file's name. */

#include "server/inspect.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <updraft/chip.h>

#include <updraft/version.h>

#include "base/bytes.h"
#include "server/plain.h"

/* Both digests of one stretch of bytes. */
struct digests {
    const struct ota_crypto *crypto;
    struct ota_hash md5;
    struct ota_hash sha256;
    uint64_t left; /* bytes that are yet to be taken, at most */
    bool failed;
};

/* The first pass over a file: all of it is hashed as it travels, and checked as it is. */
struct inspection {
    struct digests digests;
    struct ota_image_check check;
    bool is_checking;
    uint8_t head[4]; /* of the plain bytes */
    size_t head_len;
};

static bool digests_begin(struct digests *digests, const struct ota_crypto *crypto);
static bool digests_take(struct digests *digests, const void *data, size_t len);
static bool digests_finish(struct digests *digests, uint8_t *md5, uint8_t *sha256);
static void digests_abort(struct digests *digests);
static void take_packing_facts(const struct plain_reading *reading,
                               const struct inspection *inspection, struct file_facts *facts);
static void take_image_facts(const struct inspection *inspection, struct file_facts *facts);
static void take_name_facts(const char *name, struct file_facts *facts);
static void take_trailer_facts(const struct plain_reading *reading, struct file_facts *facts);
static bool take_image_digests(int fd, const struct ota_crypto *crypto, const atomic_bool *stop,
                               struct file_facts *facts);

static const struct ota_image_rules any_image = {
    .form = OTA_IMAGE_DETECT,
    .role = OTA_ROLE_APP,
    .chip = {.id = OTA_CHIP_ANY, .ignore_max_revision = true, .ignore_revisions = true},
    .size_max = UINT32_MAX,
    .allow_trailer = true,
};

/* ------------------------------------------------------------------ the first pass */

static bool on_travelling(void *context, const void *data, size_t len)
{
    struct inspection *inspection = context;
    return digests_take(&inspection->digests, data, len);
}

static bool on_plain(void *context, const void *data, size_t len)
{
    struct inspection *inspection = context;
    const size_t head_left = sizeof inspection->head - inspection->head_len;
    const size_t head_len = len < head_left ? len : head_left;
    memcpy(inspection->head + inspection->head_len, data, head_len);
    inspection->head_len += head_len;
    if (inspection->is_checking && inspection->check.failure.err == OTA_OK) {
        ota_image_check_write(&inspection->check, data, len); /* keeps its failure */
    }
    return true;
}

/* Reads the whole file. Returns false if that, or hashing it, was not possible. */
static bool inspect_bytes(int fd, struct plain_reading *reading, struct inspection *inspection,
                          struct file_facts *facts)
{
    if (!digests_begin(&inspection->digests, inspection->digests.crypto)) {
        return false;
    }
    if (!plain_read(fd, reading) || inspection->digests.failed) {
        digests_abort(&inspection->digests);
        return false;
    }
    return digests_finish(&inspection->digests, facts->md5, facts->sha256);
}

enum inspect_result inspect_file(int fd, const char *name, uint64_t size,
                                 const struct ota_crypto *crypto, const atomic_bool *stop,
                                 struct file_facts *facts)
{
    struct inspection inspection = {.digests = {.crypto = crypto}};
    struct plain_reading reading = {
        .travels = on_travelling, .plain = on_plain, .context = &inspection, .stop = stop};
    *facts = (struct file_facts){.form = OTA_IMAGE_DATA, .chip = FILE_CHIP_NONE};
    errno = EIO; /* for the crypto backend, which has no number of its own */

    inspection.is_checking = size > 0 && size <= UINT32_MAX &&
                             ota_image_check_begin(&inspection.check, &any_image, crypto) == OTA_OK;
    const bool good = inspect_bytes(fd, &reading, &inspection, facts);
    if (inspection.is_checking && good) {
        ota_image_check_finish(&inspection.check);
    } else if (inspection.is_checking) {
        ota_image_check_abort(&inspection.check);
    }
    if (!good) {
        return atomic_load(stop) ? INSPECT_STOPPED : INSPECT_FAILED;
    }
    facts->plain_size = reading.plain_size;
    take_packing_facts(&reading, &inspection, facts);
    if (inspection.is_checking && facts->problem[0] == '\0') {
        take_image_facts(&inspection, facts);
    }
    take_name_facts(name, facts);
    take_trailer_facts(&reading, facts);
    if (!take_image_digests(fd, crypto, stop, facts)) {
        return atomic_load(stop) ? INSPECT_STOPPED : INSPECT_FAILED;
    }
    return INSPECT_DONE;
}

/* ------------------------------------------------------------------ digests */

static bool digests_begin(struct digests *digests, const struct ota_crypto *crypto)
{
    *digests = (struct digests){.crypto = crypto, .left = UINT64_MAX};
    if (crypto->hash_begin(&digests->md5, OTA_HASH_MD5) != OTA_OK) {
        return false;
    }
    if (crypto->hash_begin(&digests->sha256, OTA_HASH_SHA256) != OTA_OK) {
        crypto->hash_abort(&digests->md5);
        return false;
    }
    return true;
}

static bool digests_take(struct digests *digests, const void *data, size_t len)
{
    const size_t wanted = len < digests->left ? len : (size_t)digests->left;
    if (digests->crypto->hash_update(&digests->md5, data, wanted) != OTA_OK ||
        digests->crypto->hash_update(&digests->sha256, data, wanted) != OTA_OK) {
        errno = EIO;
        digests->failed = true;
    }
    digests->left -= wanted;
    return !digests->failed && digests->left > 0;
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

static bool on_image(void *context, const void *data, size_t len)
{
    return digests_take(context, data, len);
}

/* What follows an image in its file (a signature, padding) is not part of what a device says that
   it runs, and neither is its packing. Only such files are read a second time. */
static bool take_image_digests(int fd, const struct ota_crypto *crypto, const atomic_bool *stop,
                               struct file_facts *facts)
{
    if (!facts->is_packed &&
        (facts->image_length == 0 || facts->image_length == facts->plain_size)) {
        memcpy(facts->image_md5, facts->md5, sizeof facts->image_md5);
        memcpy(facts->image_sha256, facts->sha256, sizeof facts->image_sha256);
        return true;
    }
    struct digests digests;
    struct plain_reading reading = {.plain = on_image, .context = &digests, .stop = stop};
    if (!digests_begin(&digests, crypto)) {
        return false;
    }
    digests.left = facts->image_length != 0 ? facts->image_length : UINT64_MAX;
    if (!plain_read(fd, &reading) || digests.failed) {
        digests_abort(&digests);
        return false;
    }
    return digests_finish(&digests, facts->image_md5, facts->image_sha256);
}

/* ------------------------------------------------------------------ facts of the bytes */

/* docs/formats/signatures.md section 1: the length of a signature ends the file, and there is room
   for one. Some bytes end so by chance; then they travel as they are, which is never wrong. */
static bool ends_as_signed(const uint8_t last[4], uint64_t behind)
{
    static const uint32_t lengths[] = {128, 256, 384, 512};
    const uint32_t stated = ota__get_le32(last);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        /* The RP2040's tool states 256 behind any signature. */
        if ((stated == lengths[i] || stated == 256) && behind >= lengths[i] + sizeof stated) {
            return true;
        }
    }
    return false;
}

static void take_trailer_facts(const struct plain_reading *reading, struct file_facts *facts)
{
    const uint64_t behind = reading->is_packed ? reading->size - reading->packed_size
                                               : reading->size - facts->image_length;
    const uint64_t inside = reading->is_packed ? reading->plain_size : facts->image_length;
    facts->has_trailer = ends_as_signed(reading->last, behind);
    facts->is_whole = facts->image_length != 0 && facts->image_length == inside &&
                      (behind == 0 || behind == ota__get_le32(reading->last) + UINT64_C(4));
    if (reading->is_packed && facts->kind != FILE_PLAIN && behind > 0 && !facts->has_trailer) {
        facts->kind = FILE_PLAIN;
        snprintf(facts->problem, sizeof facts->problem,
                 "compressed, and followed by something that is no signature");
    }
}

/* Of a compressed file that is something else, nobody wants to know whether it is damaged. */
static bool begins_as_image(const struct inspection *inspection)
{
    return inspection->head_len > 0 && (inspection->head[0] == 0xE9 || inspection->head[0] == 0xEA);
}

static void take_packing_facts(const struct plain_reading *reading,
                               const struct inspection *inspection, struct file_facts *facts)
{
    facts->is_packed = reading->is_packed;
    facts->spi_mode = inspection->head_len > 2 ? inspection->head[2] : 0;
    if (reading->problem != NULL && begins_as_image(inspection)) {
        snprintf(facts->problem, sizeof facts->problem, "compressed, and damaged: %s",
                 reading->problem);
    }
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

static void take_image_facts(const struct inspection *inspection, struct file_facts *facts)
{
    const struct ota_image *image = &inspection->check.image;
    const struct ota_failure *failure = &inspection->check.failure;

    if (failure->err != OTA_OK) {
        if (failure->err != OTA_ERR_IMAGE_MAGIC) {
            snprintf(facts->problem, sizeof facts->problem, "no valid image: %s (at byte %u)",
                     ota_err_text(failure->err), (unsigned)failure->offset);
        }
        return;
    }
    if (image->form == OTA_IMAGE_DATA || image->length == 0 || image->length > facts->plain_size) {
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
    while (cut_suffix(stem, ".gz") || cut_suffix(stem, ".signed")) {
    }
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
