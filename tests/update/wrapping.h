/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDATE_WRAPPING_H
#define UPDATE_WRAPPING_H

/*
 * What is sent to the fixture's device when it is not the image itself: compressed by zlib or in
 * heatshrink's format, signed by OpenSSL, or spoiled. transfer.h has the device and the image.
 *
 *     set-up: wrapping_open(70000);
 *     test:   sent_gzip(); sent_sign(signer, scheme); …
 *             assert_int_equal(send_in_pieces(100), OTA_OK); is_stored();
 */

#include <updraft/gunzip.h>
#include <updraft/heatshrink.h>
#include <updraft/trust.h>
#include <updraft/unwrap.h>

#include "support/signer.h"
#include "transfer.h"

#define WINDOW_BITS 11
#define LOOKAHEAD_BITS 4
#define SENT_MAX (2u * IMAGE_MAX)

enum form {
    PLAIN,
    GZIP,
    SHRUNK,
    FORMS,
};

extern struct ota_unwrap unwrap; /* of gzip and heatshrink */
extern uint8_t sent[SENT_MAX];
extern uint32_t sent_len;

/* As transfer_open, with an image whose second half says again what the first one did, at 30,000
   bytes if it is as large, and with `unwrap`. What is sent is the image. */
void wrapping_open(uint32_t size);

/* Makes the image data instead: for the partition "storage", of another kind of bytes than a
   program's. */
void wrapping_make_data(uint32_t size);

/* Make what is sent anew: from the image, in that form; or from any bytes. They set the options'
   size. */
void sent_as(enum form form);
void sent_bytes(const void *bytes, uint32_t size);

/* Change what is sent, and the options' size with it. */
void sent_sign(const struct signer *signer, enum ota_signature_scheme scheme);
void sent_append(const void *bytes, uint32_t size);
void sent_cut(uint32_t size);

/* Expects what is sent. */
void sent_expect(enum ota_hash_algorithm algorithm);

/* Send all of it in pieces of that size; 0: of 1 to 3000. End the update. Return the first error,
   which the update has, too. */
enum ota_err send_in_pieces(uint32_t size);
enum ota_err send_in_two(uint32_t first);

/* Sees that the update was proven, and that the target holds the image. */
void is_stored(void);

/* Trusts these keys: until the device is closed. */
void trust_keys(const struct ota_public_key *keys, uint8_t count,
                const struct ota_verifier *verifier);
extern struct ota_trust trust; /* of the device, once keys are trusted */

/* The power goes: the update is gone, the flash stays. */
void lose_power(void);

#endif
