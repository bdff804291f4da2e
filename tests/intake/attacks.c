/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/attacks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Places in a seal's block: docs/formats/signatures.md section 3. */
#define SEAL_DIGEST_AT 4u
#define SEAL_CURVE_AT 36u
#define SEAL_P256_SIGNATURE_AT 101u

struct victim attack_victim;

/* ---- Signatures ------------------------------------------------------------------------------ */

static void make_unsigned(void)
{
    attack_make_image(&(struct image_facts){0});
}

static void make_unsigned_compressed(void)
{
    attack_make_image(&(struct image_facts){0});
    attack_compress();
}

static void make_by_another(void)
{
    attack_make_image(&(struct image_facts){0});
    attack_sign(STRANGER);
}

static void make_changed(void)
{
    attack_make_good();
    attack_file.bytes[VICTIM_IMAGE_SIZE / 2] ^= 1;
}

static uint8_t *seal_of_file(void)
{
    return attack_file.bytes + seals_sector(attack_file.signed_len);
}

/* Whoever changes an image can make all but the signature right again: its checksum and its digest,
   and the digest and the checksum in the seal. */
static void make_changed_with_care(void)
{
    attack_make_good();
    attack_replace_image(&(struct image_facts){.blank_from = 5000, .blank_to = 5001});
    if (attack_file.demand == VICTIM_WANTS_SEAL) {
        uint8_t digest[OTA_SHA384_SIZE];
        uint8_t *seal = seal_of_file();
        signer_digest(OTA_SIGNATURE_ECDSA_P256, attack_file.bytes,
                      (size_t)(seal - attack_file.bytes), digest);
        memcpy(seal + SEAL_DIGEST_AT, digest, OTA_SHA256_SIZE);
        seals_renew_crc(seal);
    }
}

static void make_changed_signature(void)
{
    attack_make_good();
    if (attack_file.demand == VICTIM_WANTS_SEAL) {
        seal_of_file()[SEAL_P256_SIGNATURE_AT] ^= 1;
        seals_renew_crc(seal_of_file());
    } else {
        attack_file.bytes[attack_file.signed_len + 100] ^= 1;
    }
}

static void make_signature_of_another(void)
{
    attack_make_good();
    attack_replace_image(&(struct image_facts){.seed = 77, .version = "2.0.1"});
}

static void make_by_weak(void)
{
    attack_make_image(&(struct image_facts){0});
    attack_sign(WEAK);
}

/* A seal's key is of one length; but it may say that it lies on a smaller curve, P-192. */
static void make_by_tiny(void)
{
    attack_make_image(&(struct image_facts){0});
    if (attack_file.demand == VICTIM_WANTS_TRAILER) {
        attack_sign(TINY);
    } else if (attack_file.demand == VICTIM_WANTS_SEAL) {
        attack_sign(MAKER);
        uint8_t *block = seal_of_file();
        block[SEAL_CURVE_AT] = 1;
        seals_renew_crc(block);
    }
}

/* Somebody burned the digest of such a key into the fuses. */
static void make_by_trusted_p192(void)
{
    struct ota_secure_block block;
    uint8_t bytes[OTA_SECURE_BLOCK_SIZE];

    make_by_tiny();
    memcpy(bytes, seal_of_file(), sizeof bytes);
    assert_int_equal(ota_secure_block_decode(&block, bytes, attack_victim.device->crypto), OTA_OK);
    memcpy(attack_victim.digest[0], block.key_digest, OTA_SHA256_SIZE);
}

/* ---- Lengths --------------------------------------------------------------------------------- */

static void make_half(void)
{
    attack_make_good();
    attack_cut(VICTIM_IMAGE_SIZE / 2);
}

static void make_without_last_byte(void)
{
    attack_make_good();
    attack_cut(attack_file.len - 1);
}

static void make_less_than_announced(void)
{
    attack_make_good();
    attack_file.delivery.announced = attack_file.len;
    attack_cut(attack_file.len - 1);
}

static void make_announced_too_large(void)
{
    attack_make_good();
    attack_file.delivery.announced = OTA_SIZE_UNKNOWN - 1;
}

/* Makes the length of the first segment another one. */
static void lengthen_segment(uint32_t length)
{
    attack_make_image(&(struct image_facts){0});
    for (unsigned i = 0; i < 4; i++) {
        attack_file.bytes[28 + i] = (uint8_t)(length >> 8 * i);
    }
    attack_sign(MAKER);
}

static void make_segment_wraps(void)
{
    lengthen_segment(UINT32_MAX - 31 + 1); /* with what precedes it, 0 */
}

static void make_segment_too_large(void)
{
    lengthen_segment(0x7FFFFFF0);
}

static void make_segment_of_slot(void)
{
    lengthen_segment(SLOT_SIZE);
}

/* The trailer's length; of a device that wants none, or a seal, garbage. */
static void end_with_length(uint32_t length)
{
    attack_make_good();
    if (attack_file.demand == VICTIM_WANTS_TRAILER) {
        attack_cut(attack_file.len - OTA_ARDUINO_LENGTH_SIZE);
    }
    attack_append_le32(length);
}

static void make_trailer_wraps(void)
{
    end_with_length(UINT32_MAX - OTA_ARDUINO_LENGTH_SIZE + 1); /* with its own length, 0 */
}

static void make_trailer_longer_than_file(void)
{
    end_with_length(2 * VICTIM_IMAGE_SIZE);
}

/* Nothing but a signature, which would begin before the file does. */
static void make_only_half_a_trailer(void)
{
    attack_sign(MAKER);
    memmove(attack_file.bytes, attack_file.bytes + 100, attack_file.len);
    attack_cut(attack_file.len > 100 ? attack_file.len - 100 : 0);
    attack_append_le32(256);
}

/* An optional field of the header that is longer than the file. */
static void make_gzip_field_too_long(void)
{
    static const uint8_t header[] = {0x1F, 0x8B, 8, 4, 0, 0, 0, 0, 0, 3, 0xFF, 0xFF, 1, 2, 3};

    attack_append(header, sizeof header);
    attack_sign(MAKER);
}

static void make_gzip_length_wrong(void)
{
    attack_make_image(&(struct image_facts){0});
    attack_compress();
    attack_cut(attack_file.len - 4);
    attack_append_le32(UINT32_MAX);
    attack_sign(MAKER);
}

/* ---- Too much -------------------------------------------------------------------------------- */

static void make_garbage_behind(void)
{
    attack_make_good();
    attack_append("garbage", 7);
}

static void make_garbage_before_signature(void)
{
    attack_make_image(&(struct image_facts){0});
    attack_append("garbage", 7);
    attack_sign(MAKER);
}

static void make_garbage_behind_gzip(void)
{
    attack_make_good();
    attack_compress();
    attack_append("garbage", 7);
}

static void make_endless(void)
{
    attack_make_good();
    attack_file.delivery.endless = attack_file.len;
}

static void make_endless_data(void)
{
    attack_append("data that is no app ", 20);
    attack_file.delivery.endless = 20;
    attack_file.delivery.is_data = true;
}

/* Compressed blocks in which there is nothing. */
static void make_endless_gzip(void)
{
    static const uint8_t stream[] = {0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0xFF, 0xFF};

    attack_append(stream, sizeof stream);
    attack_file.delivery.endless = 5;
}

/* The name of the file, which ends with a zero byte that does not come. */
static void make_endless_gzip_name(void)
{
    static const uint8_t header[] = {0x1F, 0x8B, 8, 8, 0, 0, 0, 0, 0, 3, 'n'};

    attack_append(header, sizeof header);
    attack_file.delivery.endless = 1;
}

static void make_bomb(void)
{
    attack_make_image(&(struct image_facts){0});
    attack_compress_with_zeros(16u << 20);
    attack_sign(MAKER);
}

static void make_data_bomb(void)
{
    attack_append("data", 4);
    attack_compress_with_zeros(16u << 20);
    if (attack_file.demand == VICTIM_WANTS_TRAILER) {
        attack_sign(MAKER);
    }
    attack_file.delivery.is_data = true;
}

/* ---- Whole and signed, and not for this device ----------------------------------------------- */

static void make_signed(const struct image_facts *facts)
{
    attack_make_image(facts);
    attack_sign(MAKER);
}

static void make_below_floor(void)
{
    make_signed(&(struct image_facts){.secure_version = VICTIM_FLOOR - 1});
}

static void make_older(void)
{
    make_signed(&(struct image_facts){.version = "0.9.0"});
}

static void make_for_other_chip(void)
{
    make_signed(&(struct image_facts){.chip = OTA_CHIP_ESP32S3});
}

static void make_of_other_project(void)
{
    make_signed(&(struct image_facts){.project = "kitchen"});
}

/* ---- The table ------------------------------------------------------------------------------- */

#define ALL(err)      \
    {                 \
        err, err, err \
    }

const struct attack attacks[] = {
    {"unsigned", make_unsigned, {OTA_OK, OTA_ERR_SIGNATURE_MISSING, OTA_ERR_SIGNATURE_MISSING}, 0},
    {"unsigned, compressed",
     make_unsigned_compressed,
     {OTA_OK, OTA_ERR_SIGNATURE_MISSING, OTA_ERR_SIGNATURE_MISSING},
     0},
    {"signed by another key",
     make_by_another,
     {OTA_OK, OTA_ERR_SIGNATURE, OTA_ERR_SIGNATURE_KEY},
     0},
    {"signed, then changed",
     make_changed,
     {OTA_ERR_IMAGE_CHECKSUM, OTA_ERR_SIGNATURE, OTA_ERR_IMAGE_CHECKSUM},
     0},
    {"signed, then changed with care",
     make_changed_with_care,
     {OTA_OK, OTA_ERR_SIGNATURE, OTA_ERR_SIGNATURE},
     0},
    {"signature of another image",
     make_signature_of_another,
     {OTA_OK, OTA_ERR_SIGNATURE, OTA_ERR_SIGNATURE},
     0},
    {"changed signature",
     make_changed_signature,
     {OTA_OK, OTA_ERR_SIGNATURE, OTA_ERR_SIGNATURE},
     0},
    {"trusted key with exponent 3", make_by_weak, {OTA_OK, OTA_ERR_KEY, OTA_ERR_KEY}, WEAK},
    {"trusted key of 1024 bits", make_by_tiny, {OTA_OK, OTA_ERR_KEY, OTA_OK}, TINY},
    {"trusted key on P-192", make_by_trusted_p192, {OTA_OK, OTA_OK, OTA_ERR_KEY}, WEAK},
    {"tiny key", make_by_tiny, {OTA_OK, OTA_ERR_SIGNATURE_MISSING, OTA_ERR_SIGNATURE_KEY}, 0},

    {"half of it",
     make_half,
     {OTA_ERR_IMAGE_TRUNCATED, OTA_ERR_SIGNATURE_MISSING, OTA_ERR_IMAGE_TRUNCATED},
     0},
    {"all but the last byte",
     make_without_last_byte,
     {OTA_ERR_IMAGE_TRUNCATED, OTA_ERR_SIGNATURE_MISSING, OTA_ERR_SIGNATURE_MISSING},
     0},
    {"less than announced", make_less_than_announced, ALL(OTA_ERR_INCOMPLETE), 0},
    {"4 GB announced", make_announced_too_large, ALL(OTA_ERR_TOO_LARGE), 0},
    {"segment that wraps", make_segment_wraps, ALL(OTA_ERR_IMAGE_SEGMENT), 0},
    {"segment of 2 GB", make_segment_too_large, ALL(OTA_ERR_IMAGE_SEGMENT), 0},
    {"segment larger than the slot", make_segment_of_slot, ALL(OTA_ERR_TOO_LARGE), 0},
    {"trailer that wraps",
     make_trailer_wraps,
     {OTA_ERR_TOO_LARGE, OTA_ERR_SIGNATURE_MISSING, OTA_ERR_TOO_LARGE},
     0},
    {"trailer longer than the file",
     make_trailer_longer_than_file,
     {OTA_ERR_TOO_LARGE, OTA_ERR_SIGNATURE_MISSING, OTA_ERR_TOO_LARGE},
     0},
    {"half a trailer alone",
     make_only_half_a_trailer,
     {OTA_ERR_IMAGE_MAGIC, OTA_ERR_SIGNATURE_MISSING, OTA_ERR_IMAGE_MAGIC},
     0},
    {"gzip field longer than the file", make_gzip_field_too_long, ALL(OTA_ERR_IMAGE_TRUNCATED), 0},
    {"gzip length that lies", make_gzip_length_wrong, ALL(OTA_ERR_COMPRESSED_SUM), 0},

    {"garbage behind it",
     make_garbage_behind,
     {OTA_ERR_TOO_LARGE, OTA_ERR_SIGNATURE_MISSING, OTA_ERR_TOO_LARGE},
     0},
    {"garbage before the signature", /* before a seal it is padding */
     make_garbage_before_signature,
     {OTA_ERR_TOO_LARGE, OTA_ERR_TOO_LARGE, OTA_OK},
     0},
    {"garbage behind gzip",
     make_garbage_behind_gzip,
     {OTA_ERR_COMPRESSED_TRAILER, OTA_ERR_SIGNATURE_MISSING, OTA_ERR_COMPRESSED_TRAILER},
     0},
    {"endless", make_endless, ALL(OTA_ERR_TOO_LARGE), 0},
    {"endless data", make_endless_data, ALL(OTA_ERR_TOO_LARGE), 0},
    {"endless gzip", make_endless_gzip, ALL(OTA_ERR_TOO_LARGE), 0},
    {"endless gzip name", make_endless_gzip_name, ALL(OTA_ERR_TOO_LARGE), 0},
    {"gzip bomb", make_bomb, ALL(OTA_ERR_TOO_LARGE), 0},
    {"gzip bomb of data", make_data_bomb, ALL(OTA_ERR_TOO_LARGE), 0},

    {"older than the floor", make_below_floor, ALL(OTA_ERR_SECURE_VERSION), 0},
    {"older version", make_older, ALL(OTA_ERR_OLDER_VERSION), 0},
    {"other chip", make_for_other_chip, ALL(OTA_ERR_IMAGE_CHIP), 0},
    {"other project", make_of_other_project, ALL(OTA_ERR_PROJECT), 0},
};

const size_t attack_count = sizeof attacks / sizeof attacks[0];
