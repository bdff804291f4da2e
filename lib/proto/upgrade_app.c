/* SPDX-License-Identifier: Apache-2.0 */
/* The default steps of an app: docs/formats/upgrade-list.md section 4. */
#include <updraft/slot.h>
#include <updraft/version.h>

#include "base/mem.h"
#include "format/image_check.h"
#include "proto/upgrade_private.h"

static const struct ota_device *device_of(const struct ota_upgrade *upgrade)
{
    return upgrade->options->intake->options.device;
}

static void log_target(const struct ota_upgrade *upgrade, int slot)
{
    char line[OTA__UPGRADE_LINE_SIZE];
    char name[OTA_SLOT_NAME_SIZE];
    struct ota_text text;

    ota_text_begin(&text, line, sizeof line);
    ota_text_put(&text, ota_slot_name(slot, name));
    ota_text_put(&text, " <- ");
    ota_text_put(&text, upgrade->item->uri);
    ota_upgrade_log(upgrade, OTA_LOG_INFO, ota_text_end(&text));
}

static enum ota_err prepare(struct ota_upgrade *upgrade, bool *pending)
{
    int slot = ota_slot_next(device_of(upgrade));

    *pending = false;
    if (slot == OTA_SLOT_NONE) {
        return OTA_ERR_NO_PARTITION;
    }
    enum ota_err err = ota_intake_availability(upgrade->options->intake);
    if (err != OTA_OK) {
        return err;
    }
    log_target(upgrade, slot);
    return ota__upgrade_open(upgrade);
}

/* Is it in a form that the intake unpacks? */
static bool is_compressed(const struct ota_upgrade *upgrade)
{
    const struct ota_unwrap *unwrap = upgrade->options->intake->options.unwrap;

    return unwrap != NULL &&
           ota_decoder_find(unwrap->decoders, upgrade->head, upgrade->head_len, true) != NULL;
}

/* Reads the descriptor; pending while it has not come. Of what is compressed it reads nothing. */
static enum ota_err read_descriptor(struct ota_upgrade *upgrade,
                                    struct ota_app_descriptor *descriptor, bool *pending)
{
    enum ota_image_form form = device_of(upgrade)->form;
    uint32_t offset = ota__app_descriptor_offset(form);
    enum ota_err err = ota_upgrade_peek(upgrade, offset + OTA_DESCRIPTOR_KEPT, pending);

    if (*pending) {
        return OTA_OK;
    }
    upgrade->is_compressed = is_compressed(upgrade);
    if (upgrade->is_compressed) {
        return OTA_OK;
    }
    if (ota_is_gzip(upgrade->head, upgrade->head_len)) {
        return OTA_ERR_COMPRESSED;
    }
    if (upgrade->head_len > 0 && upgrade->head[0] != OTA__MAGIC) {
        return OTA_ERR_IMAGE_MAGIC;
    }
    if (err != OTA_OK) {
        enum ota_err short_of = upgrade->head_len > 0 ? OTA_ERR_IMAGE_TRUNCATED : OTA_ERR_NO_DATA;
        return upgrade->ended ? short_of : err;
    }
    return ota_app_descriptor_decode(upgrade->head + offset, descriptor) ? OTA_OK
                                                                         : OTA_ERR_IMAGE_DESCRIPTOR;
}

static enum ota_err judge(const struct ota_upgrade *upgrade,
                          const struct ota_app_descriptor *incoming)
{
    const struct ota_intake *intake = upgrade->options->intake;
    const struct ota_app_descriptor *running = intake->has_running ? &intake->running : NULL;
    const struct ota_upgrade_item *item = upgrade->item;

    if (running != NULL && !item->any_project &&
        !ota__same_text(incoming->project, running->project)) {
        return OTA_ERR_PROJECT;
    }
    if (running != NULL && ota_app_descriptor_is_same_build(incoming, running)) {
        ota_upgrade_log(upgrade, OTA_LOG_INFO, "this very image runs already");
        return OTA_ERR_SAME_VERSION;
    }
    if (ota_slot_was_rejected(device_of(upgrade), incoming->version)) {
        ota_upgrade_log(upgrade, OTA_LOG_WARNING,
                        "this version did not prove itself here before: not taken");
        return OTA_ERR_REFUSED;
    }
    return ota__upgrade_compare(upgrade, item->check, incoming->version,
                                running != NULL ? running->version : NULL);
}

enum ota_err ota__upgrade_judge_app(void *context, const struct ota_app_descriptor *incoming)
{
    return incoming != NULL ? judge(context, incoming) : OTA_ERR_IMAGE_DESCRIPTOR;
}

static enum ota_err need_upgrade(struct ota_upgrade *upgrade, bool *pending)
{
    struct ota_app_descriptor incoming;

    if (device_of(upgrade)->form == OTA_IMAGE_ESP8266) { /* its images say nothing of themselves */
        return upgrade->item->check == OTA_UPGRADE_ALWAYS ? OTA_OK : OTA_ERR_IMAGE_DESCRIPTOR;
    }
    enum ota_err err = read_descriptor(upgrade, &incoming, pending);
    return err != OTA_OK || *pending || upgrade->is_compressed ? err : judge(upgrade, &incoming);
}

const struct ota_upgrade_steps ota_upgrade_app_steps = {
    prepare,
    need_upgrade,
    ota__upgrade_receive,
    ota__upgrade_finish,
};
