/* SPDX-License-Identifier: Apache-2.0 */
/* A board's trust: from keys to the library's objects, and between keys and trust.json. */

#include "posix/board_trust.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/public_key.h"
#include "posix/board_files.h"

#define FILE_NAME "trust.json"

/* ---- Keys ------------------------------------------------------------------------------------ */

bool board_keys_add_arduino(struct board_keys *keys, const struct ota_public_key *key)
{
    const unsigned i = keys->arduino_count;
    if (key->type != OTA_KEY_RSA || key->len > OTA_RSA_SIZE_MAX || i == BOARD_ARDUINO_KEYS_MAX) {
        return false;
    }
    keys->arduino[i] = *key;
    keys->arduino[i].bytes = NULL;
    memcpy(keys->moduli[i], key->bytes, key->len);
    keys->arduino_count++;
    return true;
}

bool board_keys_add_v1(struct board_keys *keys, const struct ota_public_key *key)
{
    if (key->type != OTA_KEY_P256 || key->len != OTA_P256_POINT_SIZE ||
        keys->v1_count == BOARD_V1_KEYS_MAX) {
        return false;
    }
    memcpy(keys->points[keys->v1_count++], key->bytes, key->len);
    return true;
}

bool board_keys_add_digest(struct board_keys *keys, const uint8_t digest[OTA_SHA256_SIZE])
{
    if (keys->digest_count == BOARD_DIGESTS_MAX) {
        return false;
    }
    memcpy(keys->digests[keys->digest_count++], digest, OTA_SHA256_SIZE);
    return true;
}

bool board_keys_exist(const struct board_keys *keys)
{
    return keys->arduino_count + keys->v1_count + keys->digest_count > 0;
}

/* ---- Trust ----------------------------------------------------------------------------------- */

static void make_arduino(struct board_trust *trust, const struct board_keys *keys)
{
    for (unsigned i = 0; i < keys->arduino_count; i++) {
        trust->arduino_keys[i] = keys->arduino[i];
        trust->arduino_keys[i].bytes = keys->moduli[i];
    }
    trust->arduino = (struct ota_arduino_trust){
        .keys = trust->arduino_keys,
        .key_count = keys->arduino_count,
        .verifier = keys->arduino_legacy ? &ota_verify_rsa_pkcs1_raw_openssl
                                         : &ota_verify_rsa_pkcs1_openssl,
    };
    trust->trust.arduino = &trust->arduino;
}

static const struct ota_seal *make_v1(struct board_trust *trust, const struct board_keys *keys)
{
    for (unsigned i = 0; i < keys->v1_count; i++) {
        trust->v1_keys[i] = (struct ota_public_key){
            .type = OTA_KEY_P256, .bytes = keys->points[i], .len = OTA_P256_POINT_SIZE};
    }
    trust->v1 = (struct ota_seal_v1){.seal = {ota_seal_v1_check},
                                     .keys = trust->v1_keys,
                                     .key_count = keys->v1_count,
                                     .verifier = &ota_verify_p256_openssl};
    return &trust->v1.seal;
}

static const struct ota_seal *make_v2(struct board_trust *trust, const struct board_keys *keys)
{
    static const struct ota_verifier *const verifiers[] = {
        &ota_verify_rsa_pss_openssl, &ota_verify_p256_openssl, &ota_verify_p384_openssl, NULL};
    trust->secure = (struct ota_secure_trust){.digests = keys->digests,
                                              .digest_count = keys->digest_count,
                                              .revoked = keys->revoked,
                                              .verifiers = verifiers};
    trust->v2 = (struct ota_seal_v2){.seal = {ota_seal_v2_check}, .trust = &trust->secure};
    return &trust->v2.seal;
}

const struct ota_trust *board_trust_make(struct board_trust *trust, const struct board_keys *keys)
{
    unsigned seals = 0;
    *trust = (struct board_trust){
        .trust = {.only_report = keys->only_report, .at_boot = keys->at_boot},
    };
    if (!board_keys_exist(keys)) {
        return NULL;
    }
    if (keys->arduino_count > 0) {
        make_arduino(trust, keys);
    }
    if (keys->v1_count > 0) {
        trust->list[seals++] = make_v1(trust, keys);
    }
    if (keys->digest_count > 0) {
        trust->list[seals++] = make_v2(trust, keys);
    }
    if (seals > 0) {
        trust->seals = (struct ota_seals){.ask = ota_seals_ask, .list = trust->list};
        trust->trust.seals = &trust->seals;
    }
    return &trust->trust;
}

/* ---- To JSON --------------------------------------------------------------------------------- */

static cJSON *hex_to_json(const uint8_t *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    char text[2 * OTA_RSA_SIZE_MAX + 1];
    for (size_t i = 0; i < len; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    text[2 * len] = '\0';
    return cJSON_CreateString(text);
}

static cJSON *rsa_to_json(const struct board_keys *keys, unsigned i)
{
    const struct ota_public_key *key = &keys->arduino[i];
    cJSON *json = cJSON_CreateObject();
    cJSON_AddItemToObject(json, "modulus", hex_to_json(keys->moduli[i], key->len));
    cJSON_AddNumberToObject(json, "exponent", key->exponent);
    if (key->bits_min != 0) {
        cJSON_AddNumberToObject(json, "bits_min", key->bits_min);
    }
    if (key->weak_exponent) {
        cJSON_AddTrueToObject(json, "weak_exponent");
    }
    return json;
}

static cJSON *keys_to_json(const struct board_keys *keys)
{
    cJSON *json = cJSON_CreateObject();
    cJSON *arduino = cJSON_AddArrayToObject(json, "arduino");
    for (unsigned i = 0; i < keys->arduino_count; i++) {
        cJSON_AddItemToArray(arduino, rsa_to_json(keys, i));
    }
    cJSON_AddBoolToObject(json, "arduino_legacy", keys->arduino_legacy);
    cJSON *v1 = cJSON_AddArrayToObject(json, "secure_boot_v1");
    for (unsigned i = 0; i < keys->v1_count; i++) {
        cJSON_AddItemToArray(v1, hex_to_json(keys->points[i], OTA_P256_POINT_SIZE));
    }
    cJSON *v2 = cJSON_AddArrayToObject(json, "secure_boot_v2");
    cJSON *revoked = cJSON_AddArrayToObject(json, "revoked");
    for (unsigned i = 0; i < keys->digest_count; i++) {
        cJSON_AddItemToArray(v2, hex_to_json(keys->digests[i], OTA_SHA256_SIZE));
        if ((keys->revoked >> i & 1) != 0) {
            cJSON_AddItemToArray(revoked, cJSON_CreateNumber(i));
        }
    }
    cJSON_AddBoolToObject(json, "only_report", keys->only_report);
    cJSON_AddBoolToObject(json, "at_boot", keys->at_boot);
    return json;
}

bool board_write_trust(struct board *board, int directory_descriptor)
{
    if (!board_keys_exist(&board->settings.keys)) {
        return true;
    }
    cJSON *json = keys_to_json(&board->settings.keys);
    const bool written = board_write_json_file(board, directory_descriptor, FILE_NAME, json);
    cJSON_Delete(json);
    return written;
}

/* ---- From JSON ------------------------------------------------------------------------------- */

static int digit_of(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c != '\0' ? strchr(digits, c) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

/* Returns how many bytes the text stands for; 0 if it is none, or stands for more than `most`. */
static size_t hex_from_json(const cJSON *json, uint8_t *bytes, size_t most)
{
    const char *text = cJSON_GetStringValue(json);
    const size_t len = text != NULL ? strlen(text) : 0;
    if (len % 2 != 0 || len / 2 > most) {
        return 0;
    }
    for (size_t i = 0; i < len; i += 2) {
        const int high = digit_of(text[i]);
        const int low = digit_of(text[i + 1]);
        if (high < 0 || low < 0) {
            return 0;
        }
        bytes[i / 2] = (uint8_t)(high << 4 | low);
    }
    return len / 2;
}

/* A number of the object, up to `most`; `absent` if there is none of that name. */
static bool number_from_json(const cJSON *object, const char *key, uint32_t most, uint32_t absent,
                             uint32_t *value)
{
    const cJSON *json = cJSON_GetObjectItemCaseSensitive(object, key);
    *value = absent;
    if (json == NULL) {
        return true;
    }
    if (!cJSON_IsNumber(json) || !(json->valuedouble >= 0 && json->valuedouble <= most)) {
        return false;
    }
    *value = (uint32_t)json->valuedouble;
    return true;
}

/* Says which key of the list cannot be trusted, and what to do about it. */
static bool fail_arduino(struct board *board, const struct ota_public_key *key)
{
    const unsigned place = board->settings.keys.arduino_count;
    if (key->bytes[0] == 0 || (key->bytes[key->len - 1] & key->exponent & 1) == 0) {
        return board_fail(board, "%s/" FILE_NAME ": \"arduino\": key %u is no RSA key",
                          board->directory, place);
    }
    return board_fail(board,
                      "%s/" FILE_NAME ": \"arduino\": key %u is weak: RSA-%lu with the exponent "
                      "%lu, and boards demand %u bits and %u; give it a stronger key, or say with "
                      "\"bits_min\" and \"weak_exponent\" that this board allows it",
                      board->directory, place, (unsigned long)ota__rsa_key_bits(key),
                      (unsigned long)key->exponent,
                      key->bits_min != 0 ? key->bits_min : OTA_RSA_BITS_MIN, OTA_RSA_EXPONENT_MIN);
}

static bool read_arduino(const cJSON *list, struct board *board)
{
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, list)
    {
        uint8_t modulus[OTA_RSA_SIZE_MAX];
        uint32_t exponent;
        uint32_t bits_min;
        const size_t len = hex_from_json(cJSON_GetObjectItemCaseSensitive(item, "modulus"), modulus,
                                         sizeof modulus);
        if (len == 0 || !number_from_json(item, "exponent", UINT32_MAX, 65537, &exponent) ||
            !number_from_json(item, "bits_min", OTA_RSA_BITS_MAX, 0, &bits_min)) {
            return false;
        }
        const struct ota_public_key key = {
            .type = OTA_KEY_RSA,
            .bytes = modulus,
            .len = len,
            .exponent = exponent,
            .bits_min = (uint16_t)bits_min,
            .weak_exponent = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(item, "weak_exponent")),
        };
        if (ota_public_key_check(&key) != OTA_OK) {
            return fail_arduino(board, &key);
        }
        if (!board_keys_add_arduino(&board->settings.keys, &key)) {
            return false;
        }
    }
    return true;
}

static bool read_v1(const cJSON *list, struct board *board)
{
    struct board_keys *keys = &board->settings.keys;
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, list)
    {
        uint8_t point[OTA_P256_POINT_SIZE];
        const struct ota_public_key key = {
            .type = OTA_KEY_P256, .bytes = point, .len = hex_from_json(item, point, sizeof point)};
        if (!board_keys_add_v1(keys, &key)) {
            return false;
        }
    }
    return true;
}

static bool read_v2(const cJSON *list, struct board *board)
{
    struct board_keys *keys = &board->settings.keys;
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, list)
    {
        uint8_t digest[OTA_SHA256_SIZE];
        if (hex_from_json(item, digest, sizeof digest) != sizeof digest ||
            !board_keys_add_digest(keys, digest)) {
            return false;
        }
    }
    return true;
}

static bool read_revoked(const cJSON *list, struct board *board)
{
    struct board_keys *keys = &board->settings.keys;
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, list)
    {
        if (!cJSON_IsNumber(item) || item->valueint < 0 || item->valueint >= keys->digest_count) {
            return false;
        }
        keys->revoked = (uint8_t)(keys->revoked | 1u << item->valueint);
    }
    return true;
}

/* Returns NULL, or the key whose value cannot be, with board->error if more can be said. A damaged
   file must not make a board that asks for
   nothing: what is not understood is an error. */
static const char *keys_from_json(const cJSON *json, struct board *board)
{
    struct board_keys *keys = &board->settings.keys;
    static const struct {
        const char *key;
        bool (*read)(const cJSON *list, struct board *board);
    } lists[] = {{"arduino", read_arduino},
                 {"secure_boot_v1", read_v1},
                 {"secure_boot_v2", read_v2},
                 {"revoked", read_revoked}};
    const struct {
        const char *key;
        bool *value;
    } flags[] = {{"arduino_legacy", &keys->arduino_legacy},
                 {"only_report", &keys->only_report},
                 {"at_boot", &keys->at_boot}};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, lists[i].key);
        if (!cJSON_IsArray(list) || !lists[i].read(list, board)) {
            return lists[i].key;
        }
    }
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        const cJSON *flag = cJSON_GetObjectItemCaseSensitive(json, flags[i].key);
        if (!cJSON_IsBool(flag)) {
            return flags[i].key;
        }
        *flags[i].value = cJSON_IsTrue(flag) != 0;
    }
    return NULL;
}

bool board_read_trust(struct board *board, int directory_descriptor)
{
    cJSON *json = NULL;
    if (faccessat(directory_descriptor, FILE_NAME, F_OK, 0) != 0 && errno == ENOENT) {
        return true;
    }
    if (!board_read_json_file(board, directory_descriptor, FILE_NAME, &json)) {
        return false;
    }
    board->error[0] = '\0';
    const char *wrong = keys_from_json(json, board);
    cJSON_Delete(json);
    if (wrong == NULL || board->error[0] != '\0') {
        return wrong == NULL;
    }
    return board_fail(board, "%s/" FILE_NAME ": \"%s\" is missing, or has a value that cannot be",
                      board->directory, wrong);
}
