/* SPDX-License-Identifier: Apache-2.0 */
/* What the device knows of itself and tells the server: read from the flash once, at start. */

#include "agent/agent_private.h"

#include <string.h>

/* MD5 over the running image, through the update's buffer, which nobody uses yet. */
static bool hash_running(struct ota_agent *agent, const struct ota_region *region, uint32_t length)
{
    const struct ota_crypto *crypto = agent->options.device->crypto;
    struct ota_hash hash;
    enum ota_err err = crypto->hash_begin(&hash, OTA_HASH_MD5);

    if (err != OTA_OK) {
        return false;
    }
    for (uint32_t offset = 0; err == OTA_OK && offset < length;) {
        uint32_t left = length - offset;
        uint32_t len = left < agent->options.buffer_size ? left : agent->options.buffer_size;
        err = ota_region_read(region, offset, agent->options.buffer, len);
        if (err == OTA_OK) {
            err = crypto->hash_update(&hash, agent->options.buffer, len);
        }
        offset += len;
    }
    if (err != OTA_OK) {
        crypto->hash_abort(&hash);
        return false;
    }
    return crypto->hash_finish(&hash, agent->md5) == OTA_OK;
}

static void gather_running_image(struct ota_agent *agent)
{
    const struct ota_device *device = agent->options.device;
    struct ota_pull_facts *facts = &agent->facts;
    struct ota_image_check check;
    struct ota_region region;

    (void)ota_slot_describe(device, device->running_slot, &agent->running);
    facts->project = agent->running.project;
    facts->version = agent->running.version;
    if (ota_slot_verify(device, device->running_slot, &check) != OTA_OK ||
        ota_layout_region(&device->layout, device->flash, device->running_slot, &region) !=
            OTA_OK) {
        return;
    }
    facts->sketch_size = check.image.length;
    if (check.image.has_digest) {
        memcpy(agent->sha256, check.image.digest, sizeof agent->sha256);
        facts->sketch_sha256 = agent->sha256;
    }
    if (hash_running(agent, &region, check.image.length)) {
        facts->sketch_md5 = agent->md5;
    }
}

/* Room for what will be downloaded: the next slot, or the data partition of that label. */
static uint32_t free_space(const struct ota_agent *agent)
{
    const struct ota_device *device = agent->options.device;
    struct ota_partition partition;

    if (agent->options.label == NULL) {
        return ota_slot_room(device);
    }
    return ota_partition_find(&device->table, OTA_PARTITION_ANY, OTA_SUBTYPE_ANY,
                              agent->options.label, &partition) == OTA_OK
               ? partition.size
               : 0;
}

void ota__agent_gather_facts(struct ota_agent *agent)
{
    const struct ota_agent_options *options = &agent->options;
    const struct ota_device *device = options->device;
    const struct ota_chip_facts *chip = ota_chip_facts(device->chip.id);
    struct ota_pull_facts *facts = &agent->facts;

    gather_running_image(agent);
    facts->chip = chip != NULL ? chip->name : NULL;
    facts->chip_id = options->chip_id;
    facts->sdk_version =
        options->sdk_version != NULL ? options->sdk_version : agent->running.idf_version;
    memcpy(facts->sta_mac, options->sta_mac, sizeof facts->sta_mac);
    memcpy(facts->ap_mac, options->ap_mac, sizeof facts->ap_mac);
    if (options->unwrap != NULL && ota_decoders_take_gzip(options->unwrap->decoders)) {
        facts->accept = "gzip";
    }
    facts->free_space = free_space(agent);
    facts->chip_size = device->flash->size;
}

bool ota__agent_was_rejected(const struct ota_agent *agent)
{
    return agent->options.label == NULL &&
           ota_slot_was_rejected(agent->options.device, agent->pull.offer.version);
}
