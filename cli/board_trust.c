/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/board_trust.h"

#include <stdio.h>
#include <string.h>

#include <updraft/slot.h>

#include "cli/key_file.h"
#include "cli/output.h"
#include "cli/signing.h"
#include "server/hex.h"

#define BUFFER_SIZE 4096u

/* ---- Options --------------------------------------------------------------------------------- */

static int fail_full(const char *option, const char *word)
{
    return fail("--%s %s: a board has no room for so many keys", option, word);
}

static int read_digest(const struct command_call *call, const char *word,
                       uint8_t digest[OTA_SHA256_SIZE])
{
    struct key_file key;
    if (key_file_read(&key, call, word, KEY_FILE_TRUST) != 0) {
        return COMMAND_FAILED;
    }
    int status = COMMAND_GOOD;
    if (key.has_digest) {
        memcpy(digest, key.digest, OTA_SHA256_SIZE);
    } else {
        status = signing_fail_key(SIGNING_V2, &key);
    }
    key_file_close(&key);
    return status;
}

static int add_digests(const struct command_call *call, const char *option, bool is_revoked,
                       struct board_keys *keys)
{
    const char *const *words;
    const size_t count = command_values(call, option, &words);
    for (size_t i = 0; i < count; i++) {
        uint8_t digest[OTA_SHA256_SIZE];
        const int status = read_digest(call, words[i], digest);
        if (status != COMMAND_GOOD) {
            return status;
        }
        if (!board_keys_add_digest(keys, digest)) {
            return fail_full(option, words[i]);
        }
        if (is_revoked) {
            keys->revoked = (uint8_t)(keys->revoked | 1u << (keys->digest_count - 1));
        }
    }
    return COMMAND_GOOD;
}

static int add_keys(const struct command_call *call, const char *option, enum signing_scheme scheme,
                    struct board_keys *keys)
{
    const char *const *words;
    const size_t count = command_values(call, option, &words);
    int status = COMMAND_GOOD;
    for (size_t i = 0; i < count && status == COMMAND_GOOD; i++) {
        struct key_file key;
        if (key_file_read(&key, call, words[i], KEY_FILE_PUBLIC) != 0) {
            return COMMAND_FAILED;
        }
        if (signing_verifier(scheme, &key.public_key) == NULL) {
            status = signing_fail_key(scheme, &key);
        } else if (key_file_strong(&key, command_flag(call, "weak")) != 0) {
            status = COMMAND_FAILED;
        } else if (scheme == SIGNING_V1 ? !board_keys_add_v1(keys, &key.public_key)
                                        : !board_keys_add_arduino(keys, &key.public_key)) {
            status = fail_full(option, words[i]);
        }
        key_file_close(&key);
    }
    return status;
}

/* What says how signatures are dealt with, where none is asked for, is a mistake. */
static int check_flags(const struct command_call *call, const struct board_keys *keys)
{
    static const char *const flags[] = {"report-signatures", "verify-at-boot"};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (command_flag(call, flags[i]) && !board_keys_exist(keys)) {
            return command_usage(call, "--%s: name a key with --trust-…", flags[i]);
        }
    }
    if (keys->at_boot && keys->v1_count + keys->digest_count == 0) {
        return command_usage(call, "--verify-at-boot: Arduino's signature is not stored with the "
                                   "image; name a key with --trust-secure-boot");
    }
    return COMMAND_GOOD;
}

int board_trust_read(const struct command_call *call, struct board_settings *settings)
{
    struct board_keys *keys = &settings->keys;
    uint64_t trial_boots = 1;
    if (!command_number(call, "trial-boots", 1, UINT8_MAX, &trial_boots)) {
        return COMMAND_USAGE;
    }
    settings->trial_boots = (uint8_t)trial_boots;
    keys->arduino_legacy = command_flag(call, "arduino-legacy");
    keys->only_report = command_flag(call, "report-signatures");
    keys->at_boot = command_flag(call, "verify-at-boot");
    int status = add_keys(call, "trust-arduino",
                          keys->arduino_legacy ? SIGNING_ARDUINO_LEGACY : SIGNING_ARDUINO, keys);
    if (status == COMMAND_GOOD) {
        status = add_keys(call, "trust-secure-boot-v1", SIGNING_V1, keys);
    }
    if (status == COMMAND_GOOD) {
        status = add_digests(call, "trust-secure-boot", false, keys);
    }
    if (status == COMMAND_GOOD) {
        status = add_digests(call, "revoked", true, keys);
    }
    return status == COMMAND_GOOD ? check_flags(call, keys) : status;
}

/* ---- What is put there ----------------------------------------------------------------------- */

int board_trust_check(struct board *board, int slot, const char *path)
{
    static uint8_t buffer[BUFFER_SIZE];
    const struct ota_device *device = &board->device;
    const struct ota_trust *trust = device->trust;
    struct ota_signature_report report;
    struct ota_image_check check;
    struct ota_region region;
    if (trust == NULL || trust->seals == NULL || !trust->at_boot) {
        return COMMAND_GOOD;
    }
    enum ota_err err = ota_layout_region(&device->layout, device->flash, slot, &region);
    if (err == OTA_OK) {
        err = ota_slot_verify(device, slot, &check);
    }
    if (err == OTA_OK) {
        const struct ota_sealed sealed = {.region = &region,
                                          .length = check.image.length,
                                          .crypto = device->crypto,
                                          .buffer = buffer,
                                          .buffer_size = sizeof buffer};
        err = trust->seals->ask(trust, &sealed, &report);
    }
    return err == OTA_OK ? COMMAND_GOOD : fail("%s: would not boot: %s", path, ota_err_text(err));
}

/* ---- Words ----------------------------------------------------------------------------------- */

static void print_keys(const char *what, unsigned count, unsigned revoked, const char **before)
{
    if (count == 0) {
        return;
    }
    printf("%s%s, %u key%s", *before, what, count, count == 1 ? "" : "s");
    if (revoked > 0) {
        printf(" (%u revoked)", revoked);
    }
    *before = "; ";
}

void board_trust_print(const struct board_settings *settings)
{
    const struct board_keys *keys = &settings->keys;
    const char *before = "  trusts   ";
    if (!board_keys_exist(keys)) {
        printf("  trusts   anybody: it asks for no signatures\n");
    } else {
        print_keys(keys->arduino_legacy ? "Arduino (legacy)" : "Arduino", keys->arduino_count, 0,
                   &before);
        print_keys("secure boot v1", keys->v1_count, 0, &before);
        print_keys("secure boot v2", keys->digest_count,
                   (unsigned)__builtin_popcount(keys->revoked), &before);
        printf(": %s%s\n", keys->only_report ? "only reported" : "demanded",
               keys->at_boot ? ", at boot too" : "");
    }
    if (settings->rollback && settings->trial_boots > 1) {
        printf("  trials   %u boots, after which an image that has not confirmed itself is taken "
               "back\n",
               settings->trial_boots);
    }
}

cJSON *board_trust_json(const struct board_settings *settings)
{
    const struct board_keys *keys = &settings->keys;
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "arduino", keys->arduino_count);
    cJSON_AddNumberToObject(json, "secure_boot_v1", keys->v1_count);
    cJSON *digests = cJSON_AddArrayToObject(json, "secure_boot_v2");
    for (unsigned i = 0; i < keys->digest_count; i++) {
        char text[2 * OTA_SHA256_SIZE + 1];
        cJSON *digest = cJSON_CreateObject();
        cJSON_AddStringToObject(digest, "digest", hex_of(keys->digests[i], OTA_SHA256_SIZE, text));
        cJSON_AddBoolToObject(digest, "revoked", (keys->revoked >> i & 1) != 0);
        cJSON_AddItemToArray(digests, digest);
    }
    cJSON_AddBoolToObject(json, "only_report", keys->only_report);
    cJSON_AddBoolToObject(json, "at_boot", keys->at_boot);
    cJSON_AddNumberToObject(json, "trial_boots", settings->trial_boots);
    return json;
}
