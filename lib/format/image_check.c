/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The image check: a state machine over the bytes of an image. A stage is a run of bytes that
 * belong together; short ones are collected and judged when whole, long ones are summed as they
 * pass.
 */
#include "format/image_check.h"

#include "base/bytes.h"
#include "base/mem.h"

#define COMMON_HEADER 8u
#define EXTENDED_HEADER 24u
#define SEGMENT_HEADER 8u
#define CHECKSUM_SEED 0xEFu
#define MAGIC_GZIP 0x1Fu

enum ota_err ota__image_fail(struct ota_image_check *check, enum ota_err err, uint32_t offset)
{
    if (check->failure.err == OTA_OK) {
        check->failure.err = err;
        check->failure.offset = offset;
    }
    return check->failure.err;
}

enum ota_err ota__image_enter(struct ota_image_check *check, enum ota__stage stage, uint32_t len)
{
    check->stage = (uint8_t)stage;
    check->stage_left = len;
    check->scratch_len = 0;
    if (len > check->rules->size_max - check->offset) {
        return ota__image_fail(check, OTA_ERR_TOO_LARGE, check->offset);
    }
    return OTA_OK;
}

static enum ota_err enter_first(struct ota_image_check *check)
{
    switch (check->image.form) {
    case OTA_IMAGE_DATA:
        check->stage = STAGE_ANY;
        check->stage_left = check->rules->size_max;
        return OTA_OK;
    case OTA_IMAGE_ESP8266:
    case OTA_IMAGE_ESP8266_RTOS:
        return ota__image_enter(check, STAGE_HEADER, COMMON_HEADER);
    case OTA_IMAGE_ESP32:
    case OTA_IMAGE_DETECT:
        break;
    }
    return ota__image_enter(check, STAGE_HEADER, EXTENDED_HEADER);
}

enum ota_err ota_image_check_begin(struct ota_image_check *check,
                                   const struct ota_image_rules *rules,
                                   const struct ota_crypto *crypto)
{
    enum ota_err err;

    memset(check, 0, sizeof *check);
    check->rules = rules;
    check->crypto = crypto;
    check->image.form = rules->form;
    check->sum = CHECKSUM_SEED;
    err = crypto->hash_begin(&check->hash, OTA_HASH_SHA256);
    if (err != OTA_OK) {
        return ota__image_fail(check, err, 0);
    }
    check->hash_begun = true;
    if (enter_first(check) != OTA_OK) {
        ota_image_check_abort(check);
    }
    return check->failure.err;
}

void ota_image_check_abort(struct ota_image_check *check)
{
    if (check->hash_begun) {
        check->hash_begun = false;
        check->crypto->hash_abort(&check->hash);
    }
}

/* Judging what was collected. */

static enum ota_err judge_header(struct ota_image_check *check)
{
    const uint8_t *header = check->scratch;
    struct ota_image *image = &check->image;

    image->segment_count = header[1];
    image->spi_mode = header[2];
    image->spi_speed_size = header[3];
    image->entry = ota__get_le32(header + 4);
    check->segment = 0;
    if (image->form == OTA_IMAGE_ESP32) {
        return ota__image_esp32_header(check);
    }
    if (image->form == OTA_IMAGE_ESP8266) {
        return ota__image_esp8266_header(check);
    }
    image->has_digest = true; /* OTA_IMAGE_ESP8266_RTOS: always, though no byte says so */
    return ota__image_next_segment(check);
}

enum ota_err ota__image_next_segment(struct ota_image_check *check)
{
    struct ota_image *image = &check->image;

    if (image->segment_count > OTA_IMAGE_SEGMENTS_MAX) {
        return ota__image_fail(check, OTA_ERR_IMAGE_SEGMENT_COUNT, 1);
    }
    if (image->segment_count == 0 && image->form != OTA_IMAGE_ESP8266 &&
        check->rules->role == OTA_ROLE_APP && ota__image_needs_descriptor(check->rules)) {
        return ota__image_fail(check, OTA_ERR_IMAGE_DESCRIPTOR, check->offset);
    }
    if (check->segment < image->segment_count) {
        return ota__image_enter(check, STAGE_SEGMENT, SEGMENT_HEADER);
    }
    image->data_end = check->offset;
    return ota__image_enter(check, STAGE_PADDING, 16 - (check->offset & 15));
}

/* The lengths that docs/formats/image.md section 11 allows. */
static bool is_length_possible(const struct ota_image_check *check, uint32_t len)
{
    bool app = check->rules->role == OTA_ROLE_APP;
    bool limited = check->chip == NULL || !check->chip->large_flash;

    switch (check->image.form) {
    case OTA_IMAGE_ESP32:
        return (len & 3) == 0 && !(limited && len >= 0x1000000u) &&
               !(app && check->segment == 0 && len < OTA_APP_DESCRIPTOR_SIZE);
    case OTA_IMAGE_ESP8266_RTOS:
        return (len & 3) == 0;
    default:
        return true;
    }
}

static enum ota_err judge_segment(struct ota_image_check *check)
{
    const struct ota_image_rules *rules = check->rules;
    uint32_t header_offset = check->offset - SEGMENT_HEADER;
    uint32_t len = ota__get_le32(check->scratch + 4);
    uint32_t kept = 0;

    check->load_address = ota__get_le32(check->scratch);
    check->data_len = len;
    check->data_offset = check->offset;
    if (rules->on_segment != NULL) {
        rules->on_segment(rules->context, check->segment, header_offset, check->load_address, len);
    }
    if (!is_length_possible(check, len)) {
        return ota__image_fail(check, OTA_ERR_IMAGE_SEGMENT, header_offset + 4);
    }
    if (len > rules->size_max - check->offset) {
        return ota__image_fail(check, OTA_ERR_TOO_LARGE, check->offset);
    }
    if (check->segment == 0) {
        kept = ota__min(len, OTA_DESCRIPTOR_KEPT);
        check->image.descriptor_len = (uint8_t)kept;
        return ota__image_enter(check, STAGE_DESCRIPTOR, kept);
    }
    if (ota__image_check_mapping(check) != OTA_OK) {
        return check->failure.err;
    }
    return ota__image_enter(check, STAGE_DATA, len);
}

static enum ota_err judge_descriptor(struct ota_image_check *check)
{
    enum ota_err err = ota__image_esp32_descriptor(check);

    if (err == OTA_OK) {
        err = ota__image_check_mapping(check);
    }
    if (err == OTA_OK) {
        err = ota__image_enter(check, STAGE_DATA, check->data_len - check->image.descriptor_len);
    }
    return err;
}

enum ota_err ota__image_enter_end(struct ota_image_check *check)
{
    const struct ota_image_rules *rules = check->rules;

    check->image.length = check->offset;
    return ota__image_enter(check, STAGE_END,
                            rules->allow_trailer ? rules->size_max - check->offset : 0);
}

static enum ota_err judge_padding(struct ota_image_check *check)
{
    struct ota_image *image = &check->image;
    uint8_t stored = check->scratch[check->scratch_len - 1];
    enum ota_err err;

    image->checksum = check->sum;
    if (image->form == OTA_IMAGE_ESP8266) {
        return ota__image_esp8266_end(check, stored);
    }
    if (stored != check->sum) {
        return ota__image_fail(check, OTA_ERR_IMAGE_CHECKSUM, check->offset - 1);
    }
    if (!image->has_digest) {
        return ota__image_enter_end(check);
    }
    err = ota_image_check_digest(check, image->digest);
    if (err != OTA_OK) {
        return ota__image_fail(check, err, check->offset);
    }
    return ota__image_enter(check, STAGE_DIGEST, OTA_SHA256_SIZE);
}

bool ota__image_looks_rtos(const struct ota_image *image)
{
    return image->descriptor_len >= 4 &&
           ota__get_le32(image->descriptor) == OTA_APP_DESCRIPTOR_MAGIC;
}

static enum ota_err judge_digest(struct ota_image_check *check)
{
    /* Flash tools patch the header of bootloaders and not their digest, so there it proves
       nothing. */
    if (check->rules->role == OTA_ROLE_APP &&
        memcmp(check->scratch, check->image.digest, OTA_SHA256_SIZE) != 0) {
        /* The SDK's own early images have no descriptor either, but their digest fits. */
        if (check->image.form == OTA_IMAGE_ESP8266_RTOS && !ota__image_looks_rtos(&check->image)) {
            return ota__image_fail(check, OTA_ERR_IMAGE_FORM, 0);
        }
        return ota__image_fail(check, OTA_ERR_IMAGE_HASH, check->offset - OTA_SHA256_SIZE);
    }
    return ota__image_enter_end(check);
}

static enum ota_err judge(struct ota_image_check *check)
{
    switch ((enum ota__stage)check->stage) {
    case STAGE_HEADER:
        return judge_header(check);
    case STAGE_SEGMENT:
        return judge_segment(check);
    case STAGE_DESCRIPTOR:
        return judge_descriptor(check);
    case STAGE_DATA:
        check->segment++;
        return ota__image_next_segment(check);
    case STAGE_PADDING:
        return judge_padding(check);
    case STAGE_DIGEST:
        return judge_digest(check);
    case STAGE_IROM_HEADER:
        return ota__image_esp8266_irom_header(check);
    case STAGE_IROM:
        return ota__image_enter(check, STAGE_HEADER, COMMON_HEADER);
    case STAGE_CRC:
        return ota__image_esp8266_crc(check);
    case STAGE_FILLER:
        return ota__image_enter(check, STAGE_HEADER, COMMON_HEADER);
    case STAGE_END:
    case STAGE_ANY:
        break;
    }
    return OTA_OK;
}

/* Passing bytes through a stage. */

static uint8_t xor_of(const uint8_t *data, uint32_t len)
{
    size_t words = 0; /* as wide as the processor reads */
    uint8_t sum = 0;
    uint32_t i = 0;

    for (; i + sizeof words <= len; i += (uint32_t)sizeof words) {
        size_t word;
        memcpy(&word, data + i, sizeof word);
        words ^= word;
    }
    for (; i < len; i++) {
        sum ^= data[i];
    }
    for (; words != 0; words >>= 8) {
        sum ^= (uint8_t)words;
    }
    return sum;
}

/* The first byte of a header tells what follows, before anything is erased for it. */
static enum ota_err check_magic(struct ota_image_check *check, uint8_t magic)
{
    bool esp8266 = check->image.form == OTA_IMAGE_ESP8266;

    if (esp8266 && check->offset == 0) {
        check->image.variant = magic == OTA__MAGIC_V2 ? OTA_VARIANT_V2 : OTA_VARIANT_V1;
        if (magic == OTA__MAGIC_V2) {
            return OTA_OK;
        }
    }
    if (magic == OTA__MAGIC) {
        return OTA_OK;
    }
    if (esp8266 && check->image.variant == OTA_VARIANT_V1 && check->offset != 0) {
        return ota__image_esp8266_no_sketch(check);
    }
    bool is_gzip = check->offset == 0 && magic == MAGIC_GZIP;
    return ota__image_fail(check, is_gzip ? OTA_ERR_COMPRESSED : OTA_ERR_IMAGE_MAGIC,
                           check->offset);
}

static enum ota_err collect(struct ota_image_check *check, const uint8_t *data, uint32_t len)
{
    if (check->stage == STAGE_HEADER && check->scratch_len == 0 &&
        (check_magic(check, data[0]) != OTA_OK || check->stage != STAGE_HEADER)) {
        return check->failure.err;
    }
    memcpy(check->scratch + check->scratch_len, data, len);
    check->scratch_len = (uint8_t)(check->scratch_len + len);
    return OTA_OK;
}

/* Takes bytes that lie wholly in the present stage. */
static enum ota_err pass(struct ota_image_check *check, const uint8_t *data, uint32_t len)
{
    switch ((enum ota__stage)check->stage) {
    case STAGE_DESCRIPTOR:
        memcpy(check->image.descriptor + (check->image.descriptor_len - check->stage_left), data,
               len);
        check->sum ^= xor_of(data, len);
        return OTA_OK;
    case STAGE_DATA:
        check->sum ^= xor_of(data, len);
        return OTA_OK;
    case STAGE_IROM:
    case STAGE_FILLER:
    case STAGE_ANY:
    case STAGE_END:
        return OTA_OK;
    default:
        return collect(check, data, len);
    }
}

static enum ota_err hash(struct ota_image_check *check, const uint8_t *data, uint32_t len)
{
    enum ota_err err =
        check->rules->unhashed ? OTA_OK : check->crypto->hash_update(&check->hash, data, len);

    return err == OTA_OK ? OTA_OK : ota__image_fail(check, err, check->offset);
}

/* Takes bytes stage by stage. `hashed` says that the hash has seen them already. */
static void take(struct ota_image_check *check, const uint8_t *data, uint32_t len, bool hashed)
{
    while (len > 0 && check->failure.err == OTA_OK) {
        uint32_t n = ota__min(len, check->stage_left);

        if (n == 0) { /* the end, and no trailer allowed, or no room for it */
            (void)ota__image_fail(check, OTA_ERR_TOO_LARGE, check->offset);
            return;
        }
        if ((!hashed && hash(check, data, n) != OTA_OK) || pass(check, data, n) != OTA_OK) {
            return;
        }
        if (check->image.form == OTA_IMAGE_ESP8266) {
            ota__image_esp8266_sum(check, data, n);
        }
        check->offset += n;
        check->stage_left -= n;
        data += n;
        len -= n;
        while (check->failure.err == OTA_OK && check->stage_left == 0 &&
               check->stage != STAGE_END && check->stage != STAGE_ANY) {
            (void)judge(check);
        }
    }
}

/* docs/formats/image.md section 17. Arduino's file shows itself later. */
static enum ota_image_form form_of(const uint8_t *header)
{
    uint16_t chip_id = ota__get_le16(header + 12);

    if (header[0] == OTA__MAGIC_V2) {
        return OTA_IMAGE_ESP8266;
    }
    if (ota__get_le32(header + 16) == OTA_APP_DESCRIPTOR_MAGIC) {
        return OTA_IMAGE_ESP8266_RTOS;
    }
    if (header[23] <= 1 && ota_chip_facts(chip_id) != NULL) {
        return OTA_IMAGE_ESP32;
    }
    return OTA_IMAGE_ESP8266;
}

/* Collects the bytes that tell the form, then takes them as that form. Returns how many of `len`
   were used. */
static uint32_t detect(struct ota_image_check *check, const uint8_t *data, uint32_t len)
{
    uint8_t header[EXTENDED_HEADER];
    uint32_t n = ota__min(len, EXTENDED_HEADER - check->scratch_len);

    if (check->scratch_len == 0 && data[0] != OTA__MAGIC && data[0] != OTA__MAGIC_V2) {
        (void)ota__image_fail(check, OTA_ERR_IMAGE_MAGIC, 0);
        return 0;
    }
    if (hash(check, data, n) != OTA_OK) {
        return 0;
    }
    memcpy(check->scratch + check->scratch_len, data, n);
    check->scratch_len = (uint8_t)(check->scratch_len + n);
    if (check->scratch_len == EXTENDED_HEADER) {
        memcpy(header, check->scratch, sizeof header);
        check->image.form = form_of(header);
        if (enter_first(check) == OTA_OK) {
            take(check, header, sizeof header, true);
        }
    }
    return n;
}

enum ota_err ota_image_check_write(struct ota_image_check *check, const void *data, size_t len)
{
    const uint8_t *bytes = data;

    if (check->failure.err == OTA_OK && len > UINT32_MAX - check->offset) {
        return ota__image_fail(check, OTA_ERR_TOO_LARGE, check->offset);
    }
    if (check->failure.err == OTA_OK && check->image.form == OTA_IMAGE_DETECT && len > 0) {
        uint32_t used = detect(check, bytes, (uint32_t)len);
        bytes += used;
        len -= used;
    }
    take(check, bytes, (uint32_t)len, false);
    return check->failure.err;
}

/* The end. */

/* Whether the image could end here: it did, or it is a version 1 image that no sketch follows
   yet. */
static bool may_end(const struct ota_image_check *check)
{
    bool before_sketch =
        check->image.length != 0 && check->stage == STAGE_HEADER && check->scratch_len == 0;

    return check->stage == STAGE_END || check->stage == STAGE_FILLER || before_sketch;
}

bool ota_image_check_is_described(const struct ota_image_check *check)
{
    enum ota_image_form form = check->image.form;
    bool is_silent =
        form == OTA_IMAGE_DATA || (form == OTA_IMAGE_ESP8266 && check->offset >= COMMON_HEADER);

    return is_silent || check->segment > 0 || check->stage > STAGE_DESCRIPTOR;
}

uint32_t ota_image_check_wanted(const struct ota_image_check *check)
{
    return may_end(check) || check->failure.err != OTA_OK ? 0 : check->stage_left;
}

enum ota_err ota_image_check_digest(const struct ota_image_check *check,
                                    uint8_t digest[OTA_SHA256_SIZE])
{
    struct ota_hash copy;
    enum ota_err err = check->crypto->hash_clone(&check->hash, &copy);

    return err == OTA_OK ? check->crypto->hash_finish(&copy, digest) : err;
}

enum ota_err ota_image_check_finish(struct ota_image_check *check)
{
    if (check->stage == STAGE_ANY) {
        check->image.length = check->offset;
    } else if (!may_end(check)) {
        (void)ota__image_fail(check, OTA_ERR_IMAGE_TRUNCATED, check->offset);
    } else if (check->offset != check->image.length && !check->rules->allow_trailer) {
        (void)ota__image_fail(check, OTA_ERR_TOO_LARGE, check->image.length);
    }
    ota_image_check_abort(check);
    return check->failure.err;
}
