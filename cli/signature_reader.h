/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_CLI_SIGNATURE_READER_H
#define UPDRAFT_CLI_SIGNATURE_READER_H

/*
 * Finds the signature of a file that is read from front to back, in constant memory: hashes lag
 * behind the last bytes, among which a signature may be, and stop at the places where one may
 * begin.
 *
 *     signature_reader_begin(&reader);
 *     while (more) {
 *         if (the image's length is known now) signature_reader_image_ends(&reader, length, true);
 *         signature_reader_take(&reader, data, len);
 *     }
 *     signature_reader_find(&reader, &found);
 *     signature_reader_end(&reader);
 */

#include <stdbool.h>
#include <stdint.h>

#include <updraft/crypto.h>
#include <updraft/secure_boot.h>

enum signature_kind {
    SIGNATURE_NONE = 0,
    SIGNATURE_ARDUINO, /* ends the file */
    SIGNATURE_V1,      /* of Secure Boot: directly behind the image */
    SIGNATURE_V2,      /* of Secure Boot: in a sector behind the padded image */
};

struct signature_block {
    enum ota_err
        err; /* OTA_OK: it fits, by the key that it carries; OTA_ERR_SIGNATURE_MISSING: none;
                         OTA_ERR_KEY: cannot be checked here */
    bool is_decoded; /* below */
    struct ota_secure_block block;
    uint8_t original[OTA_SECURE_BLOCK_SIZE]; /* as in the file */
    uint8_t turned[OTA_SECURE_BLOCK_SIZE];   /* what the decoded block points into */
};

/* What a file is signed with. Not to be copied: it points into itself. */
struct signature_found {
    enum signature_kind kind;
    uint64_t data_len; /* bytes from the start that are signed */
    uint8_t sha256[OTA_SHA256_SIZE];
    uint8_t sha384[OTA_SHA384_SIZE]; /* of these bytes, both */
    uint8_t bytes[OTA_RSA_SIZE_MAX]; /* Arduino: the signature; V1: the trailer */
    size_t len;
    struct signature_block blocks[OTA_SECURE_BLOCKS_MAX]; /* V2 */
    unsigned count;                                       /* of those that are there */
};

#define SIGNATURE_TAIL (2 * OTA_SECURE_SECTOR_SIZE)

/* Bytes of interest that may pass early: what follows the image. */
struct signature_window {
    uint64_t offset; /* in the file; UINT64_MAX: not known yet */
    bool is_hashed;  /* the digests of all bytes before it are below */
    uint8_t sha256[OTA_SHA256_SIZE];
    uint8_t sha384[OTA_SHA384_SIZE];
    uint8_t bytes[OTA_SECURE_SECTOR_SIZE];
};

struct signature_reader {
    struct ota_hash sha256, sha384; /* of the bytes before `hashed` */
    bool good;                      /* the crypto library has done all that was asked */
    uint64_t hashed;
    uint64_t image_len;             /* 0: not known, or no image */
    size_t rsa_len;                 /* bytes of the RSA key that is expected; 0: none */
    struct signature_window v1, v2; /* where these would begin */
    uint8_t tail[SIGNATURE_TAIL];   /* what is not hashed yet */
    size_t tail_len;
};

void signature_reader_begin(struct signature_reader *reader);

/* Says how long the image is, when that is known and before the bytes behind it are taken, and
   whether it is of a form that Secure Boot is for. Without it the file is taken for other data,
   whose signature ends it. */
void signature_reader_image_ends(struct signature_reader *reader, uint64_t length,
                                 bool has_secure_boot);

void signature_reader_take(struct signature_reader *reader, const void *data, size_t len);

/* Finds the signature once all bytes are taken. Returns false if the crypto library failed. */
bool signature_reader_find(struct signature_reader *reader, struct signature_found *found);
void signature_reader_end(struct signature_reader *reader);

/* All of it for bytes in memory. */
struct signature_subject {
    const void *data;
    size_t size;
    uint64_t image_len; /* 0: other data than an image */
    bool has_secure_boot;
    size_t rsa_len; /* as the reader's */
};
bool signature_find(const struct signature_subject *subject, struct signature_found *found);

/* The signature in words: "none", "secure boot v2, RSA-3072, 1 block". */
#define SIGNATURE_TEXT_SIZE 64u
const char *signature_text(const struct signature_found *found, char text[SIGNATURE_TEXT_SIZE]);

#endif
