/* SPDX-License-Identifier: Apache-2.0 */
/* The device of the boot tests. Its flash keeps to the rules of NOR and counts what breaks them. */
#include "boot/stage.h"

#include <string.h>

#include "support/images.h"

#define IMAGE_CAPACITY 512u
#define APP 0x00
#define DATA 0x01

static enum ota_err flash_read(struct ota_flash *flash, uint32_t offset, void *data, uint32_t len)
{
    struct stage *stage = (struct stage *)flash;

    if (stage->faults.read > 0 && --stage->faults.read == 0) {
        return OTA_ERR_FLASH_READ;
    }
    if (offset >= STAGE_FACTORY) {
        stage->bytes_read += len;
    }
    memcpy(data, stage->memory + offset, len);
    return OTA_OK;
}

static bool is_in_otadata(uint32_t offset, uint32_t len)
{
    return offset >= STAGE_OTADATA && offset + len <= STAGE_FACTORY;
}

static enum ota_err flash_write(struct ota_flash *flash, uint32_t offset, const void *data,
                                uint32_t len)
{
    struct stage *stage = (struct stage *)flash;

    if (stage->faults.write > 0 && --stage->faults.write == 0) {
        return OTA_ERR_FLASH_WRITE;
    }
    stage->changes++;
    stage->misplaced += !is_in_otadata(offset, len);
    for (uint32_t i = 0; i < len; i++) {
        stage->misplaced += stage->memory[offset + i] != 0xFF;
    }
    memcpy(stage->memory + offset, data, len);
    return OTA_OK;
}

static enum ota_err flash_erase(struct ota_flash *flash, uint32_t offset, uint32_t len)
{
    struct stage *stage = (struct stage *)flash;

    if (stage->faults.erase > 0 && --stage->faults.erase == 0) {
        return OTA_ERR_FLASH_ERASE;
    }
    stage->changes++;
    stage->misplaced += !is_in_otadata(offset, len);
    memset(stage->memory + offset, 0xFF, len);
    return OTA_OK;
}

static uint32_t fuses_version(struct ota_fuses *fuses)
{
    return ((struct stage_fuses *)fuses)->version;
}

static enum ota_err fuses_raise(struct ota_fuses *fuses, uint32_t version)
{
    struct stage_fuses *self = (struct stage_fuses *)fuses;

    if (self->broken) {
        return OTA_ERR_FLASH_WRITE;
    }
    if (version > self->version) {
        self->version = version;
    }
    return OTA_OK;
}

uint32_t stage_offset(int slot)
{
    if (slot == MODEL_FACTORY) {
        return STAGE_FACTORY;
    }
    return slot == MODEL_TEST ? STAGE_TEST : STAGE_OTA + (uint32_t)slot * STAGE_UNIT;
}

static void put_image(struct stage *stage, int slot, const struct model_place *place)
{
    uint8_t *memory = stage->memory + stage_offset(slot);

    if (place->content == MODEL_DAMAGED || place->content == MODEL_VALID) {
        const struct image_facts facts = {.size = IMAGE_CAPACITY - 96,
                                          .secure_version = place->secure_version,
                                          .seed = (uint32_t)slot};
        (void)image_make(memory, IMAGE_CAPACITY, &facts);
    }
    if (place->content == MODEL_DAMAGED) {
        memory[320] ^= 0x10;
    }
}

static size_t put_row(struct table_row *rows, size_t count, uint8_t subtype, const char *label,
                      int slot, const struct model_place *place)
{
    if (place->content == MODEL_ABSENT) {
        return count;
    }
    rows[count] = (struct table_row){APP, subtype, stage_offset(slot), STAGE_UNIT, label, 0};
    return count + 1;
}

static void put_table(struct stage *stage, const struct model_device *model)
{
    static const char *const labels[MODEL_SLOTS] = {
        "ota_0", "ota_1", "ota_2",  "ota_3",  "ota_4",  "ota_5",  "ota_6",  "ota_7",
        "ota_8", "ota_9", "ota_10", "ota_11", "ota_12", "ota_13", "ota_14", "ota_15"};
    struct table_row rows[MODEL_SLOTS + 4];
    size_t count = 0;

    rows[count++] = (struct table_row){DATA, 0x82, STAGE_DATA, STAGE_UNIT, "data", 0};
    if (model->otadata != MODEL_OTADATA_ABSENT) {
        uint32_t size = model->otadata == MODEL_OTADATA_SMALL ? STAGE_UNIT : 2 * STAGE_UNIT;
        rows[count++] = (struct table_row){DATA, 0x00, STAGE_OTADATA, size, "otadata", 0};
    }
    count = put_row(rows, count, 0x00, "factory", MODEL_FACTORY, &model->factory);
    count = put_row(rows, count, 0x20, "test", MODEL_TEST, &model->test);
    for (int i = 0; i < MODEL_SLOTS; i++) {
        count = put_row(rows, count, (uint8_t)(0x10 + i), labels[i], i, &model->ota[i]);
    }
    table_make(stage->memory, rows, count, false);
}

void stage_set(struct stage *stage, const struct model_device *model)
{
    memset(stage, 0, sizeof *stage);
    stage->flash = (struct ota_flash){.size = STAGE_SIZE,
                                      .erase_size = STAGE_UNIT,
                                      .write_size = 1,
                                      .read = flash_read,
                                      .write = flash_write,
                                      .erase = flash_erase};
    stage->fuses.fuses.secure_version = fuses_version;
    stage->fuses.fuses.raise_secure_version = fuses_raise;
    stage->device = (struct ota_device){.flash = &stage->flash,
                                        .crypto = &ota_crypto_bearssl,
                                        .table_offset = 0,
                                        .form = OTA_IMAGE_ESP32,
                                        .chip = {.id = OTA_CHIP_ESP32}};

    memset(stage->memory, 0xFF, sizeof stage->memory);
    put_table(stage, model);
    put_image(stage, MODEL_FACTORY, &model->factory);
    put_image(stage, MODEL_TEST, &model->test);
    for (int i = 0; i < MODEL_SLOTS; i++) {
        put_image(stage, i, &model->ota[i]);
    }
    stage_set_entries(stage, model);
}

static void put32(uint8_t *p, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        p[i] = (uint8_t)(value >> 8 * i);
    }
}

/* The CRC of a sequence number, bit by bit. */
static uint32_t crc_of(uint32_t sequence)
{
    uint32_t crc = 0;

    for (int bit = 0; bit < 32; bit++) {
        crc = (crc ^ sequence >> bit) & 1 ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
    }
    return ~crc;
}

void stage_encode(const struct model_entry *entry, uint8_t label, uint8_t bytes[32])
{
    memset(bytes, label, 32);
    put32(bytes, entry->sequence);
    put32(bytes + 24, entry->state);
    put32(bytes + 28, entry->crc_good ? crc_of(entry->sequence) : crc_of(entry->sequence) ^ 0x400);
}

void stage_set_entries(struct stage *stage, const struct model_device *model)
{
    stage_encode(&model->entry[0], STAGE_LABEL, stage->memory + STAGE_OTADATA);
    stage_encode(&model->entry[1], STAGE_LABEL, stage->memory + STAGE_OTADATA + STAGE_UNIT);
    stage->device.rollback = model->rollback;
    stage->device.fuses = model->floor == MODEL_NO_FUSES ? NULL : &stage->fuses.fuses;
    stage->fuses.version = model->floor;
    stage->misplaced = 0;
    stage->changes = 0;
    stage->bytes_read = 0;
}

enum ota_err stage_boot(struct stage *stage, struct ota_boot *boot, bool test_pin)
{
    uint8_t buffer[256];

    memset(boot, 0, sizeof *boot);
    boot->device = &stage->device;
    boot->read = ota_image_read;
    boot->test_app = test_pin;
    return ota_boot_decide(boot, buffer, sizeof buffer);
}

static int count_places(const struct model_device *model)
{
    int count = (model->factory.content != MODEL_ABSENT) + (model->test.content != MODEL_ABSENT);

    for (int i = 0; i < MODEL_SLOTS; i++) {
        count += model->ota[i].content != MODEL_ABSENT;
    }
    return count;
}

static bool entries_are(const struct stage *stage, const struct model_decision *decision)
{
    for (int i = 0; i < 2; i++) {
        uint8_t expected[32];
        stage_encode(&decision->entry[i], decision->renewed[i] ? 0xFF : STAGE_LABEL, expected);
        if (memcmp(stage->memory + STAGE_OTADATA + (uint32_t)i * STAGE_UNIT, expected, 32) != 0) {
            return false;
        }
    }
    return true;
}

const char *stage_compare(struct stage *stage, const struct model_device *model)
{
    const struct model_decision expected = model_boot(model);
    struct ota_boot boot;
    enum ota_err err = stage_boot(stage, &boot, model->test_pin);

    if (boot.slot != expected.slot) {
        return "another slot is chosen";
    }
    if (err != (expected.slot == MODEL_NOTHING ? OTA_ERR_NOTHING_BOOTABLE : OTA_OK)) {
        return "another result is returned";
    }
    if (err == OTA_OK &&
        (stage->device.running_slot != expected.slot ||
         boot.region.offset != stage_offset(expected.slot) || boot.region.size != STAGE_UNIT)) {
        return "the region or the running slot is not that of the choice";
    }
    if (err == OTA_OK && boot.on_trial != expected.on_trial) {
        return "on_trial differs";
    }
    if (stage->misplaced != 0) {
        return "flash was changed outside otadata, or without an erase";
    }
    if (!entries_are(stage, &expected)) {
        return "otadata is left differently";
    }
    if (model->floor != MODEL_NO_FUSES && stage->fuses.version != expected.floor) {
        return "the fuses are left differently";
    }
    /* Each image once; with fuses also the descriptors that the entries are weighed by. */
    uint32_t descriptors = model->floor == MODEL_NO_FUSES ? 0 : 4 * 256;
    if (stage->bytes_read > (uint32_t)count_places(model) * (IMAGE_CAPACITY - 96) + descriptors) {
        return "an image is read more than once";
    }
    return NULL;
}
