/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PORTS_POSIX_BOARD_TRUST_H
#define UPDRAFT_PORTS_POSIX_BOARD_TRUST_H

/*
 * Whom a virtual board trusts, as its bootloader and its firmware see it (updraft/trust.h), and the
 * file that keeps it in the board's directory: trust.json, which people may read and edit.
 *
 *     {
 *         "arduino": [{"modulus": "c0ff…", "exponent": 65537}],
 *         "arduino_legacy": false,
 *         "secure_boot_v1": ["04a1…"],        points on P-256
 *         "secure_boot_v2": ["cb27…"],        digests of keys, as a chip's fuses hold them
 *         "revoked": [0],                     which of these count no longer
 *         "only_report": false,
 *         "at_boot": true
 *     }
 *
 * Keys of "arduino" may have "bits_min" and "weak_exponent", see struct ota_public_key. A board
 * without the file asks for no signatures.
 */

#include <stdbool.h>
#include <stdint.h>

#include <updraft/trust.h>

#define BOARD_ARDUINO_KEYS_MAX 4u
#define BOARD_V1_KEYS_MAX 4u
#define BOARD_DIGESTS_MAX 8u

struct board;

/* What is kept. Copy it freely. */
struct board_keys {
    struct ota_public_key arduino[BOARD_ARDUINO_KEYS_MAX]; /* `bytes` is not: it is the next */
    uint8_t moduli[BOARD_ARDUINO_KEYS_MAX][OTA_RSA_SIZE_MAX];
    uint8_t arduino_count;
    bool arduino_legacy; /* their signatures are of the legacy form */
    uint8_t points[BOARD_V1_KEYS_MAX][OTA_P256_POINT_SIZE];
    uint8_t v1_count;
    uint8_t digests[BOARD_DIGESTS_MAX][OTA_SHA256_SIZE];
    uint8_t digest_count;
    uint8_t revoked; /* bits */
    bool only_report;
    bool at_boot;
};

/* What the library is given. Points into itself and at the keys. */
struct board_trust {
    struct ota_trust trust;
    struct ota_arduino_trust arduino;
    struct ota_public_key arduino_keys[BOARD_ARDUINO_KEYS_MAX];
    struct ota_public_key v1_keys[BOARD_V1_KEYS_MAX];
    struct ota_seal_v1 v1;
    struct ota_secure_trust secure;
    struct ota_seal_v2 v2;
    const struct ota_seal *list[3];
    struct ota_seals seals;
};

/* Adds a key. Returns false if there is no room for another, or it is of another kind. */
bool board_keys_add_arduino(struct board_keys *keys, const struct ota_public_key *key);
bool board_keys_add_v1(struct board_keys *keys, const struct ota_public_key *key);
bool board_keys_add_digest(struct board_keys *keys, const uint8_t digest[OTA_SHA256_SIZE]);

/* Whether there is any. */
bool board_keys_exist(const struct board_keys *keys);

/* Makes a trust of the keys, which must stay. Returns it, or NULL if there are none. */
const struct ota_trust *board_trust_make(struct board_trust *trust, const struct board_keys *keys);

/* Write board->settings.keys to trust.json, if there are any, and read them from there. Return
   false with board->error. */
bool board_write_trust(struct board *board, int directory_descriptor);
bool board_read_trust(struct board *board, int directory_descriptor);

#endif
