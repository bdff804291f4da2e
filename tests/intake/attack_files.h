/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INTAKE_ATTACK_FILES_H
#define INTAKE_ATTACK_FILES_H

/*
 * What the attack table sends: a file, put together from what is right and what is not.
 *
 *     attack_make_image(&(struct image_facts){.chip = 9});     the good one but for this
 *     attack_sign(MAKER);                                      as this device demands it
 *     attack_append("garbage", 7);
 */

#include "intake/victim.h"

enum who {
    MAKER,
    STRANGER,
    WEAK, /* its RSA exponent is 3 */
    TINY, /* its RSA key has 1024 bits */
    WHO
};

/* Keys for trailers, and for seals (TINY: none, seals have keys of one length). */
extern struct signer *attack_signers[VICTIM_DEMANDS][WHO];
void attack_make_keys(void);
void attack_free_keys(void);

#define ATTACK_FILE_MAX 0x10000u

struct attack_file {
    uint8_t bytes[ATTACK_FILE_MAX];
    uint32_t len;
    uint32_t signed_len; /* of what was signed last */
    enum victim_demand demand;
    struct delivery delivery; /* but for bytes and len */
};

extern struct attack_file attack_file;

/* Begins an empty file for a device that demands this. */
void attack_begin(enum victim_demand demand);

/* The file becomes the image that the device takes, but for what the facts say: version 2.0.0. */
void attack_make_image(const struct image_facts *facts);

/* Signs what is there, in the form that the device demands; does nothing if it demands none. */
void attack_sign(enum who who);

/* The good image, signed. */
void attack_make_good(void);

/* Puts another image in place of the one that was signed, under its signature. */
void attack_replace_image(const struct image_facts *facts);

/* Changes the file. */
void attack_append(const void *bytes, uint32_t len);
void attack_append_le32(uint32_t number);
void attack_cut(uint32_t len);
void attack_compress(void); /* so many zeros behind it, too */
void attack_compress_with_zeros(uint32_t zeros);

/* What is sent in the end. */
struct delivery attack_delivery(void);

#endif
