/* SPDX-License-Identifier: Apache-2.0 */
/* The default steps of data: docs/formats/upgrade-list.md sections 4 and 5. */
#include "base/mem.h"
#include "proto/upgrade_private.h"

static enum ota_err find_partition(const struct ota_upgrade *upgrade,
                                   struct ota_partition *partition)
{
    const struct ota_device *device = upgrade->options->intake->options.device;

    return ota_partition_find(&device->table, OTA_PARTITION_DATA, OTA_SUBTYPE_ANY,
                              upgrade->item->label, partition);
}

enum ota_err ota_upgrade_partition(const struct ota_upgrade *upgrade, struct ota_region *region)
{
    const struct ota_device *device = upgrade->options->intake->options.device;
    struct ota_partition partition;
    enum ota_err err = find_partition(upgrade, &partition);

    return err == OTA_OK ? ota_partition_region(&device->table, &partition, region) : err;
}

static void log_target(const struct ota_upgrade *upgrade)
{
    char line[OTA__UPGRADE_LINE_SIZE];
    struct ota_text text;

    ota_text_begin(&text, line, sizeof line);
    ota_text_put(&text, upgrade->item->label);
    ota_text_put(&text, " <- ");
    ota_text_put(&text, upgrade->item->uri);
    ota_upgrade_log(upgrade, OTA_LOG_INFO, ota_text_end(&text));
}

static enum ota_err prepare(struct ota_upgrade *upgrade, bool *pending)
{
    struct ota_partition partition;
    enum ota_err err = find_partition(upgrade, &partition);

    *pending = false;
    if (err != OTA_OK) {
        return err;
    }
    if (partition.subtype == OTA_SUBTYPE_DATA_OTA) {
        return OTA_ERR_ARGUMENT; /* otadata is not for content */
    }
    err = ota_intake_availability(upgrade->options->intake);
    if (err != OTA_OK) {
        return err;
    }
    log_target(upgrade);
    return ota__upgrade_open(upgrade);
}

/* Looks at as much of the source as says what it is; pending while that has not come. */
static enum ota_err read_head(struct ota_upgrade *upgrade, struct ota_tone_head *head,
                              bool *is_tone, bool *pending)
{
    enum ota_err err = ota_upgrade_peek(upgrade, OTA_TONE_HEADER_SIZE, pending);

    *is_tone = ota_tone_is(upgrade->head, upgrade->head_len);
    if (*pending || (err != OTA_OK && !upgrade->ended)) {
        return err;
    }
    if (!*is_tone) {
        return OTA_OK; /* however short it is */
    }
    err = ota_tone_head_decode(head, upgrade->head, upgrade->head_len);
    if (err != OTA_ERR_IMAGE_TRUNCATED) {
        return err;
    }
    err = ota_upgrade_peek(upgrade, OTA_TONE_HEAD_SIZE, pending);
    if (*pending) {
        return OTA_OK;
    }
    if (err != OTA_OK) {
        return upgrade->ended ? OTA_ERR_IMAGE_TRUNCATED : err;
    }
    return ota_tone_head_decode(head, upgrade->head, upgrade->head_len);
}

/* Proves what is in the partition now. Returns the flash's errors only. */
static enum ota_err read_present(const struct ota_upgrade *upgrade, struct ota_tone_check *present,
                                 bool *is_tone)
{
    struct ota_region region;
    enum ota_err err = ota_upgrade_partition(upgrade, &region);

    if (err == OTA_OK) {
        err = ota_tone_verify(present, &region);
    }
    *is_tone = err == OTA_OK;
    return err == OTA_ERR_FLASH_READ || err == OTA_ERR_NO_PARTITION ? err : OTA_OK;
}

/* The incoming bytes are no tone image. */
static enum ota_err judge_other(const struct ota_upgrade *upgrade, bool holds_tones)
{
    if (upgrade->item->tone_only) {
        ota_upgrade_log(upgrade, OTA_LOG_ERROR, "what comes is not a tone image");
        return OTA_ERR_IMAGE_MAGIC;
    }
    if (holds_tones && upgrade->item->check != OTA_UPGRADE_ALWAYS) {
        ota_upgrade_log(upgrade, OTA_LOG_ERROR,
                        "the partition holds a tone image, and what comes is none");
        return OTA_ERR_IMAGE_MAGIC;
    }
    return OTA_OK;
}

static enum ota_err judge_tone(const struct ota_upgrade *upgrade,
                               const struct ota_tone_head *incoming,
                               const struct ota_tone_head *present)
{
    enum ota_upgrade_check check = upgrade->item->check;

    if (incoming->format == 0) {
        return OTA_OK; /* it has no version */
    }
    if (!ota__same_text(incoming->project, OTA_TONE_PROJECT)) {
        return OTA_ERR_PROJECT;
    }
    return ota__upgrade_compare(upgrade, check == OTA_UPGRADE_BY_KIND ? OTA_UPGRADE_NEWER : check,
                                incoming->version,
                                present != NULL && present->format == 1 ? present->version : NULL);
}

static enum ota_err need_upgrade(struct ota_upgrade *upgrade, bool *pending)
{
    struct ota_tone_check present;
    struct ota_tone_head incoming;
    bool is_tone;
    bool holds_tones = false;
    enum ota_err err = read_head(upgrade, &incoming, &is_tone, pending);

    if (err != OTA_OK || *pending) {
        return err;
    }
    err = read_present(upgrade, &present, &holds_tones);
    if (err != OTA_OK) {
        return err;
    }
    if (!is_tone) {
        return judge_other(upgrade, holds_tones);
    }
    return judge_tone(upgrade, &incoming, holds_tones ? &present.head : NULL);
}

const struct ota_upgrade_steps ota_upgrade_data_steps = {
    prepare,
    need_upgrade,
    ota__upgrade_receive,
    ota__upgrade_finish,
};
