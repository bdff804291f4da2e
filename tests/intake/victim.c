/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/victim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* What cannot be compressed grows by less than an eighth, and a signature is short. */
#define ENOUGH (SLOT_SIZE + SLOT_SIZE / 8 + OTA_ARDUINO_TAIL_MAX)
#define PIECE 1000u

static void on_event(void *context, const struct ota_intake *intake, enum ota_intake_event event)
{
    struct victim *victim = context;
    const size_t n = strlen(victim->events);

    (void)intake;
    assert_true(n + 1 < sizeof victim->events);
    victim->events[n] = "SRFPHA"[event];
}

/* ---- What it demands ------------------------------------------------------------------------- */

static void demand_trailer(struct victim *victim)
{
    victim->arduino = (struct ota_arduino_trust){
        .keys = &victim->key, .key_count = 1, .verifier = &ota_verify_rsa_pkcs1_bearssl};
    victim->trust.arduino = &victim->arduino;
}

static void demand_seal(struct victim *victim, const struct signer *trusted)
{
    static const struct ota_verifier *const verifiers[] = {&ota_verify_p256_bearssl,
                                                           &ota_verify_rsa_pss_bearssl, NULL};

    seals_key_digest(trusted, victim->digest[0]);
    victim->secure =
        (struct ota_secure_trust){.digests = (const uint8_t(*)[OTA_SHA256_SIZE])victim->digest,
                                  .digest_count = 1,
                                  .verifiers = verifiers};
    victim->seal = (struct ota_seal_v2){.seal = {ota_seal_v2_check}, .trust = &victim->secure};
    victim->list[0] = &victim->seal.seal;
    victim->seals = (struct ota_seals){.ask = ota_seals_ask, .list = victim->list};
    victim->trust.seals = &victim->seals;
    victim->trust.at_boot = true;
}

static void demand_it(struct victim *victim, enum victim_demand demand,
                      const struct signer *trusted)
{
    victim->device->trust = &victim->trust;
    victim->key = trusted->key;
    if (demand == VICTIM_WANTS_TRAILER) {
        demand_trailer(victim);
    } else if (demand == VICTIM_WANTS_SEAL) {
        demand_seal(victim, trusted);
    } else {
        victim->device->trust = NULL;
    }
}

/* ---- Made ------------------------------------------------------------------------------------ */

static void make_device(struct victim *victim)
{
    if (victim->layout == VICTIM_HAS_SLOTS) {
        fixture_open(&victim->slots);
        fixture_burn(&victim->slots, VICTIM_FLOOR);
        victim->device = &victim->slots.device;
        victim->chip = victim->slots.chip;
        victim->place = (struct ota_extent){OTA_0, SLOT_SIZE};
        return;
    }
    const bool swaps = victim->layout == VICTIM_SWAPS;
    staged_device_open(&victim->staged,
                       &(struct staged_facts){.swap = swaps, .rollback = swaps, .fuses = true});
    victim->staged.fuses.version = VICTIM_FLOOR;
    victim->device = &victim->staged.device;
    victim->chip = victim->staged.chip;
    victim->place = (struct ota_extent){STAGED_APP, STAGED_APP_SIZE};
}

/* It was there for long. */
static void put_image(struct victim *victim, struct signer *sealed_by)
{
    const struct image_facts facts = {.size = VICTIM_IMAGE_SIZE,
                                      .seed = 1,
                                      .version = "1.0.0",
                                      .project = VICTIM_PROJECT,
                                      .secure_version = VICTIM_FLOOR};
    uint8_t *place = victim->chip->memory + victim->place.offset;
    const size_t len = image_make(place, victim->place.size, &facts);

    assert_true(len > 0);
    memset(place + len, 0xFF, victim->place.size - len);
    if (sealed_by != NULL) {
        (void)seals_put_v2(place, len, &sealed_by, 1);
    }
    memcpy(victim->before, place, victim->place.size);
}

/* As its firmware begins. */
static void start(struct victim *victim)
{
    const struct ota_intake_options options = {
        .device = victim->device,
        .buffer = victim->buffer,
        .buffer_size = sizeof victim->buffer,
        .gates = &victim->gate.gate,
        .data_label = victim->layout == VICTIM_HAS_SLOTS ? "storage" : "fs",
        .unwrap = &victim->unwrap,
        .on_event = on_event,
        .context = victim};

    victim->gate = (struct ota_gate_version){.gate = {.ask = ota_gate_version_ask},
                                             .refuse_older = true,
                                             .refuse_other_project = true,
                                             .demand_descriptor = true};
    victim->decoders[0] = &victim->gunzip.decoder;
    ota_gunzip_decoder_init(&victim->gunzip);
    ota_unwrap_init(&victim->unwrap, victim->decoders);
    assert_int_equal(ota_intake_init(&victim->intake, &options), OTA_OK);
}

void victim_open(struct victim *victim, enum victim_layout layout, enum victim_demand demand,
                 const struct signer *trusted, struct signer *sealed_by)
{
    memset(victim, 0, sizeof *victim);
    victim->layout = layout;
    make_device(victim);
    put_image(victim, demand == VICTIM_WANTS_SEAL ? sealed_by : NULL);
    demand_it(victim, demand, trusted);
}

void victim_close(struct victim *victim)
{
    assert_int_equal(victim->intake.state, OTA_INTAKE_FREE);
    if (victim->layout == VICTIM_HAS_SLOTS) {
        fixture_close(&victim->slots);
    } else {
        staged_device_close(&victim->staged);
    }
}

/* ---- What happens to it ---------------------------------------------------------------------- */

/* The byte at that place of what is sent. */
static uint8_t byte_at(const struct delivery *delivery, uint32_t at)
{
    const uint32_t once = delivery->len - delivery->endless;

    return delivery->bytes[at < delivery->len ? at : once + (at - once) % delivery->endless];
}

static enum ota_err write_all(struct victim *victim, const struct delivery *delivery)
{
    uint8_t piece[PIECE];
    enum ota_err err = OTA_OK;

    for (uint32_t at = 0; err == OTA_OK && (delivery->endless > 0 || at < delivery->len);) {
        uint32_t n = 0;
        while (n < PIECE && (delivery->endless > 0 || at + n < delivery->len)) {
            piece[n] = byte_at(delivery, at + n);
            n++;
        }
        err = ota_intake_write(&victim->intake, piece, n);
        at += n;
        assert_true(err != OTA_OK || at <= ENOUGH);
    }
    return err;
}

enum ota_err victim_receive(struct victim *victim, const struct delivery *delivery)
{
    const struct ota_arrival arrival = {
        .way = "test", .size = delivery->announced, .is_data = delivery->is_data};
    enum ota_err err;

    memset(victim->events, 0, sizeof victim->events);
    err = ota_intake_begin(&victim->intake, &arrival);
    if (err == OTA_OK) {
        err = write_all(victim, delivery);
    }
    if (err == OTA_OK) {
        err = ota_intake_end(&victim->intake);
    }
    return err == OTA_OK ? ota_intake_activate(&victim->intake) : err;
}

const char *victim_boot(struct victim *victim)
{
    enum ota_err err;

    if (victim->layout == VICTIM_HAS_SLOTS) {
        victim->boot = (struct ota_boot){.device = victim->device, .read = ota_image_read};
        err = ota_boot_decide(&victim->boot, victim->buffer, sizeof victim->buffer);
    } else {
        err = staged_device_boot(&victim->staged);
        victim->boot = victim->staged.boot;
    }
    if (err != OTA_OK || !ota_boot_is_proven(&victim->boot) ||
        !ota_image_app_descriptor(&victim->boot.check.image, &victim->booted)) {
        return "";
    }
    start(victim);
    return victim->booted.version;
}

bool victim_is_unharmed(const struct victim *victim)
{
    return memcmp(victim->chip->memory + victim->place.offset, victim->before,
                  victim->place.size) == 0;
}
