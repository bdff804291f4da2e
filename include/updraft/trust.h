/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_TRUST_H
#define UPDRAFT_TRUST_H

/*
 * Whom a device believes: the keys whose signatures it takes, and what it demands. A device that
 * names a trust refuses, in every way in, whatever none of its keys has signed.
 *
 *     static const struct ota_public_key key = {.type = OTA_KEY_RSA, ...};
 *     static const struct ota_arduino_trust arduino = {
 *         .keys = &key, .key_count = 1, .verifier = &ota_verify_rsa_pkcs1_bearssl};
 *     static const struct ota_trust trust = {.arduino = &arduino};
 *     device.trust = &trust;
 *
 * There are two kinds of signatures. A trailer (Arduino's) is over what travels, compressed or not,
 * is checked as it comes and never gets to the flash (unwrap.h). A seal (Secure Boot's) is a part of
 * what is stored: it is checked on the flash before an image is activated, and by the bootloader at
 * each boot if the trust says so. One good signature of either kind suffices; but what the
 * bootloader will ask for, the update asks for, too.
 *
 *     static const struct ota_secure_trust digests = {...};          (secure_boot.h)
 *     static const struct ota_seal_v2 v2 = {.seal = {ota_seal_v2_check}, .trust = &digests};
 *     static const struct ota_seal *const list[] = {&v2.seal, NULL};
 *     static const struct ota_seals seals = {.ask = ota_seals_ask, .list = list};
 *     static const struct ota_trust trust = {.seals = &seals, .at_boot = true};
 *
 * A seal is an object, and the list of them another, so that a program which names none links none
 * of it. docs/formats/signatures.md has the formats.
 */

#include <stdbool.h>
#include <stdint.h>

#include <updraft/crypto.h>
#include <updraft/error.h>
#include <updraft/flash.h>
#include <updraft/secure_boot.h>
#include <updraft/signature.h>

struct ota_trust;

/* ---- How a signature stood ------------------------------------------------------------------- */

enum ota_signature_kind {
    OTA_SIGNED_NOT = 0, /* no signature was found, or none was looked for */
    OTA_SIGNED_ARDUINO, /* a trailer */
    OTA_SIGNED_SECURE_BOOT_V1,
    OTA_SIGNED_SECURE_BOOT_V2,
};

/* Returns its name: "none", "Arduino", "secure boot v2". */
const char *ota_signature_kind_name(enum ota_signature_kind kind);

/* For people and logs; nothing is decided by it. Zeroed: nothing was asked for. */
struct ota_signature_report {
    enum ota_err err; /* OTA_OK: a trusted key has signed, if `kind` says which way */
    enum ota_signature_kind kind;
    enum ota_signature_scheme scheme; /* with OTA_OK */
    uint8_t key;  /* with OTA_OK: which of the trust's keys or digests, counted from 0 */
    uint32_t end; /* of a seal, with OTA_OK: where it ends in the region */
};

/* ---- Seals ----------------------------------------------------------------------------------- */

/* What lies in a region, for a seal to check. Nothing in it is changed but the buffer. */
struct ota_sealed {
    const struct ota_region *region;
    uint32_t length; /* of the image, or of the data, seal included, if it has no structure */
    bool is_data;    /* it has no structure: the seal ends it */
    const struct ota_hash *hash; /* NULL, or a running SHA-256 that has taken the first `length`
                                    bytes: what the seal is over need not be read again */
    const struct ota_crypto *crypto;
    uint8_t *buffer; /* for reading */
    uint32_t buffer_size;
};

struct ota_seal {
    /* Returns OTA_OK if a trusted key has signed what lies there; OTA_ERR_SIGNATURE_MISSING,
       OTA_ERR_SIGNATURE_KEY, OTA_ERR_SIGNATURE or OTA_ERR_KEY if not; OTA_ERR_ARGUMENT if the
       buffer is too small; or the flash's or the library's error. Fills in the report, its error
       too. */
    enum ota_err (*check)(const struct ota_seal *seal, const struct ota_sealed *sealed,
                          struct ota_signature_report *report);
};

/* Secure Boot version 1: docs/formats/signatures.md section 2. One of the keys (on P-256) suffices.
   Any buffer will do. */
struct ota_seal_v1 {
    struct ota_seal seal; /* ota_seal_v1_check. First: it gets its object back by a cast */
    const struct ota_public_key *keys;
    uint8_t key_count;
    const struct ota_verifier *verifier;
};

enum ota_err ota_seal_v1_check(const struct ota_seal *seal, const struct ota_sealed *sealed,
                               struct ota_signature_report *report);

/* Secure Boot version 2: section 3. The buffer has OTA_SECURE_BLOCK_SIZE bytes at least. A
   signature on P-384 is over SHA-384, for which the image is read once more. */
struct ota_seal_v2 {
    struct ota_seal seal; /* first: ota_seal_v2_check */
    const struct ota_secure_trust *trust;
};

enum ota_err ota_seal_v2_check(const struct ota_seal *seal, const struct ota_sealed *sealed,
                               struct ota_signature_report *report);

/* Those that are asked for, in this order. */
struct ota_seals {
    enum ota_err (*ask)(const struct ota_trust *trust, const struct ota_sealed *sealed,
                        struct ota_signature_report *report); /* ota_seals_ask */
    const struct ota_seal *const *list;                       /* ends with NULL */
};

/*
 * Asks the seals of a trust whether one of its keys has signed what lies there: one that does
 * suffices. Returns OTA_OK; what the first seal said that is there at all;
 * OTA_ERR_SIGNATURE_MISSING if none is; or the flash's or the library's error. With
 * trust->only_report it returns only the latter, and the report alone has the rest.
 */
enum ota_err ota_seals_ask(const struct ota_trust *trust, const struct ota_sealed *sealed,
                           struct ota_signature_report *report);

/* ---- Trust ----------------------------------------------------------------------------------- */

/* Trailers: section 1. */
struct ota_arduino_trust {
    const struct ota_public_key *keys; /* RSA; any of them may have signed */
    uint8_t key_count;
    const struct ota_verifier *verifier; /* of the present form, or of the legacy one */
};

struct ota_trust {
    const struct ota_arduino_trust *arduino; /* NULL: trailers are not asked for */
    const struct ota_seals *seals;           /* NULL: seals are not asked for */
    bool only_report; /* a signature that is missing or wrong is told, and stops nothing */
    bool at_boot;     /* the bootloader checks the seals, too */
};

#endif
