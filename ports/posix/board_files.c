/* SPDX-License-Identifier: Apache-2.0 */
/* board.json, which people may read and edit, and fuses.bin, which nobody can unburn:
 *
 *     0   "UPDRFUSE"
 *     8   chip id, revision, fuse block revision: three 16-bit numbers, little-endian
 *     14  flags: bit 0 switches off the check of the highest revision
 *     16  MAC, six bytes
 *     32  256 bits of the secure version; the floor is how many of them are burned
 */

#include <cjson/cJSON.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "posix/board_files.h"

#define JSON_SIZE_MAX 65536u
#define FUSES_MAGIC "UPDRFUSE"
#define FUSES_CHIP 8
#define FUSES_FLAGS 14
#define FUSES_MAC 16
#define FUSES_SECURE_VERSION 32
#define FUSES_IGNORE_MAX_REVISION 1u

bool board_fail(struct board *board, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(board->error, sizeof board->error, format, arguments);
    va_end(arguments);
    return false;
}

static cJSON *settings_to_json(const struct board_settings *settings)
{
    cJSON *json = cJSON_CreateObject();
    cJSON *erase_sizes = cJSON_CreateArray();
    for (int i = 0; i < NOR_ERASE_UNITS_MAX && settings->erase_sizes[i] != 0; i++) {
        cJSON_AddItemToArray(erase_sizes, cJSON_CreateNumber(settings->erase_sizes[i]));
    }
    cJSON_AddStringToObject(json, "name", settings->name);
    cJSON_AddNumberToObject(json, "flash_size", settings->flash_size);
    cJSON_AddItemToObject(json, "erase_sizes", erase_sizes);
    cJSON_AddNumberToObject(json, "write_size", settings->write_size);
    cJSON_AddBoolToObject(json, "program_once", settings->program_once);
    if (settings->profile[0] != '\0') {
        cJSON_AddStringToObject(json, "profile", settings->profile);
        cJSON_AddStringToObject(json, "boot", settings->by_eboot ? "eboot" : "updraft");
    }
    cJSON_AddNumberToObject(json, "table_offset", settings->table_offset);
    cJSON_AddBoolToObject(json, "rollback", settings->rollback);
    cJSON_AddBoolToObject(json, "anti_rollback", settings->anti_rollback);
    cJSON_AddNumberToObject(json, "trial_boots", settings->trial_boots);
    return json;
}

static bool write_all(int descriptor, const char *text, size_t len)
{
    while (len > 0) {
        const ssize_t written = write(descriptor, text, len);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return false;
        }
        text += written;
        len -= (size_t)written;
    }
    return true;
}

bool board_write_json_file(struct board *board, int directory_descriptor, const char *name,
                           const cJSON *json)
{
    char *text = cJSON_Print(json);
    if (text == NULL) {
        return board_fail(board, "there is not enough memory to write %s", name);
    }
    const int file =
        openat(directory_descriptor, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    const bool written = file >= 0 && write_all(file, text, strlen(text)) &&
                         write_all(file, "\n", 1) && fsync(file) == 0;
    const int error = errno;
    if (file >= 0) {
        close(file);
    }
    free(text);
    return written || board_fail(board, "%s/%s cannot be written: %s", board->directory, name,
                                 strerror(error));
}

bool board_write_json(struct board *board, int directory_descriptor)
{
    cJSON *json = settings_to_json(&board->settings);
    const bool written = board_write_json_file(board, directory_descriptor, "board.json", json);
    cJSON_Delete(json);
    return written;
}

/* A whole number of the object. Returns false if it is absent or none. */
static bool get_number(const cJSON *json, uint32_t *value)
{
    if (!cJSON_IsNumber(json) || json->valuedouble < 0 || json->valuedouble > UINT32_MAX ||
        json->valuedouble != floor(json->valuedouble)) {
        return false;
    }
    *value = (uint32_t)json->valuedouble;
    return true;
}

static bool get_bool(const cJSON *json, bool *value)
{
    *value = cJSON_IsTrue(json) != 0;
    return cJSON_IsBool(json) != 0;
}

static bool get_erase_sizes(const cJSON *json, uint32_t sizes[NOR_ERASE_UNITS_MAX])
{
    int count = 0;
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, json)
    {
        if (count == NOR_ERASE_UNITS_MAX || !get_number(item, &sizes[count++])) {
            return false;
        }
    }
    return cJSON_IsArray(json) && count > 0;
}

/* A board that was made before there was such a number has one trial boot. */
static bool get_trial_boots(const cJSON *json, uint8_t *trial_boots)
{
    uint32_t number = 1;
    const bool good = json == NULL || (get_number(json, &number) && number <= UINT8_MAX);
    *trial_boots = (uint8_t)number;
    return good;
}

/* The profile and who boots it, which a board with a partition table does not have. Returns as
   below. */
static const char *get_profile(const cJSON *json, struct board_settings *settings)
{
    const cJSON *profile = cJSON_GetObjectItemCaseSensitive(json, "profile");
    const cJSON *boot = cJSON_GetObjectItemCaseSensitive(json, "boot");
    if (profile == NULL) {
        return NULL;
    }
    if (!cJSON_IsString(profile) || strlen(profile->valuestring) > PROFILE_NAME_MAX) {
        return "profile";
    }
    if (!cJSON_IsString(boot) ||
        (strcmp(boot->valuestring, "eboot") != 0 && strcmp(boot->valuestring, "updraft") != 0)) {
        return "boot";
    }
    strcpy(settings->profile, profile->valuestring);
    settings->by_eboot = strcmp(boot->valuestring, "eboot") == 0;
    return NULL;
}

/* Returns NULL, or the key whose value is absent or wrong. */
static const char *settings_from_json(const cJSON *json, struct board_settings *settings)
{
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(json, "name");
    if (!cJSON_IsString(name) || name->valuestring[0] == '\0' ||
        strlen(name->valuestring) > BOARD_NAME_MAX) {
        return "name";
    }
    strcpy(settings->name, name->valuestring);
    if (!get_erase_sizes(cJSON_GetObjectItemCaseSensitive(json, "erase_sizes"),
                         settings->erase_sizes)) {
        return "erase_sizes";
    }
    const struct {
        const char *key;
        uint32_t *value;
    } numbers[] = {
        {"flash_size", &settings->flash_size},
        {"write_size", &settings->write_size},
        {"table_offset", &settings->table_offset},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (!get_number(cJSON_GetObjectItemCaseSensitive(json, numbers[i].key), numbers[i].value)) {
            return numbers[i].key;
        }
    }
    const struct {
        const char *key;
        bool *value;
    } flags[] = {
        {"program_once", &settings->program_once},
        {"rollback", &settings->rollback},
        {"anti_rollback", &settings->anti_rollback},
    };
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (!get_bool(cJSON_GetObjectItemCaseSensitive(json, flags[i].key), flags[i].value)) {
            return flags[i].key;
        }
    }
    if (!get_trial_boots(cJSON_GetObjectItemCaseSensitive(json, "trial_boots"),
                         &settings->trial_boots)) {
        return "trial_boots";
    }
    return get_profile(json, settings);
}

/* Reads the file into `text` and terminates it. Returns false with errno. */
static bool read_text(int directory_descriptor, const char *name, char *text, size_t capacity)
{
    const int file = openat(directory_descriptor, name, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return false;
    }
    size_t len = 0;
    ssize_t got = 1;
    while (got > 0 && len < capacity - 1) {
        got = read(file, text + len, capacity - 1 - len);
        len += got > 0 ? (size_t)got : 0;
    }
    const int error = got > 0 ? EFBIG : errno;
    close(file);
    text[len] = '\0';
    errno = error;
    return got == 0;
}

bool board_read_json_file(struct board *board, int directory_descriptor, const char *name,
                          cJSON **json)
{
    char *text = malloc(JSON_SIZE_MAX);
    if (text == NULL) {
        return board_fail(board, "there is not enough memory to read %s", name);
    }
    if (!read_text(directory_descriptor, name, text, JSON_SIZE_MAX)) {
        const int error = errno;
        free(text);
        return board_fail(board, "%s/%s cannot be read: %s%s", board->directory, name,
                          strerror(error),
                          error == ENOENT ? ". Is this the directory of a board?" : "");
    }
    *json = cJSON_Parse(text);
    if (*json == NULL) {
        const char *at = cJSON_GetErrorPtr();
        const size_t offset = at != NULL ? (size_t)(at - text) : 0;
        free(text);
        return board_fail(board, "%s/%s is not JSON from byte %zu on", board->directory, name,
                          offset);
    }
    free(text);
    return true;
}

bool board_read_json(struct board *board, int directory_descriptor)
{
    cJSON *json = NULL;
    if (!board_read_json_file(board, directory_descriptor, "board.json", &json)) {
        return false;
    }
    const char *wrong = settings_from_json(json, &board->settings);
    cJSON_Delete(json);
    return wrong == NULL ||
           board_fail(board, "%s/board.json: \"%s\" is missing, or has a value that cannot be",
                      board->directory, wrong);
}

static void put16(uint8_t *bytes, uint16_t value)
{
    bytes[0] = (uint8_t)value;
    bytes[1] = (uint8_t)(value >> 8);
}

static uint16_t get16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static uint32_t fuses_secure_version(struct ota_fuses *self)
{
    const struct board_fuses *fuses = (const struct board_fuses *)self;
    uint32_t burned = 0;
    for (uint32_t i = 0; i < BOARD_SECURE_VERSION_MAX / 8; i++) {
        burned += (uint32_t)__builtin_popcount(fuses->bits[i]);
    }
    return burned;
}

static enum ota_err fuses_raise_secure_version(struct ota_fuses *self, uint32_t version)
{
    const struct board_fuses *fuses = (const struct board_fuses *)self;
    if (version > BOARD_SECURE_VERSION_MAX) {
        return OTA_ERR_FLASH_WRITE;
    }
    uint32_t burned = fuses_secure_version(self);
    for (uint32_t i = 0; burned < version; i++) {
        const uint8_t bit = (uint8_t)(1u << i % 8);
        burned += (fuses->bits[i / 8] & bit) == 0 ? 1 : 0;
        fuses->bits[i / 8] |= bit;
    }
    return OTA_OK;
}

void board_burn_fuses(struct board *board, uint8_t fuses[BOARD_FUSES_SIZE])
{
    const struct ota_chip *chip = &board->settings.chip;
    memset(fuses, 0, BOARD_FUSES_SIZE);
    memcpy(fuses, FUSES_MAGIC, FUSES_CHIP);
    put16(fuses + FUSES_CHIP, chip->id);
    put16(fuses + FUSES_CHIP + 2, chip->revision);
    put16(fuses + FUSES_CHIP + 4, chip->efuse_block_revision);
    fuses[FUSES_FLAGS] = chip->ignore_max_revision ? FUSES_IGNORE_MAX_REVISION : 0;
    memcpy(fuses + FUSES_MAC, board->settings.mac, BOARD_MAC_SIZE);
}

bool board_use_fuses(struct board *board, uint8_t fuses[BOARD_FUSES_SIZE])
{
    if (memcmp(fuses, FUSES_MAGIC, FUSES_CHIP) != 0) {
        return board_fail(board, "%s/fuses.bin does not hold a board's fuses", board->directory);
    }
    board->settings.chip = (struct ota_chip){
        .id = get16(fuses + FUSES_CHIP),
        .revision = get16(fuses + FUSES_CHIP + 2),
        .efuse_block_revision = get16(fuses + FUSES_CHIP + 4),
        .ignore_max_revision = (fuses[FUSES_FLAGS] & FUSES_IGNORE_MAX_REVISION) != 0,
    };
    memcpy(board->settings.mac, fuses + FUSES_MAC, BOARD_MAC_SIZE);
    board->fuses = (struct board_fuses){
        .fuses = {.secure_version = fuses_secure_version,
                  .raise_secure_version = fuses_raise_secure_version},
        .bits = fuses + FUSES_SECURE_VERSION,
    };
    return true;
}
