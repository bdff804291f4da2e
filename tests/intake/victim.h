/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INTAKE_VICTIM_H
#define INTAKE_VICTIM_H

/*
 * Devices for the attack table: of each layout, with each kind of signature demanded, all behind an
 * intake with a gate for project and version, a floor in the fuses, and a bootloader. Version 1.0.0
 * of "garden" runs.
 *
 *     victim_open(&victim, VICTIM_SWAPS, VICTIM_WANTS_SEAL, signer);
 *     err = victim_receive(&victim, &delivery);
 *     assert_string_equal(victim_boot(&victim), "1.0.0");
 *     victim_close(&victim);
 */

#include <updraft/intake.h>

#include "support/seals.h"
#include "support/staged_device.h"
#include "update/fixture.h"

#define VICTIM_FLOOR 3u /* secure version */
#define VICTIM_PROJECT "garden"
#define VICTIM_IMAGE_SIZE 9000u

enum victim_layout {
    VICTIM_HAS_SLOTS,
    VICTIM_COPIES,
    VICTIM_SWAPS,
    VICTIM_LAYOUTS
};

enum victim_demand {
    VICTIM_TAKES_ANY, /* no signature is asked for */
    VICTIM_WANTS_TRAILER,
    VICTIM_WANTS_SEAL, /* and its bootloader, too */
    VICTIM_DEMANDS
};

/* What is sent to it. */
struct delivery {
    const uint8_t *bytes;
    uint32_t len;
    uint32_t announced; /* or OTA_SIZE_UNKNOWN */
    uint32_t endless;   /* so many bytes at its end come again and again; 0: it ends */
    bool is_data;
};

struct victim {
    enum victim_layout layout;
    struct fixture slots; /* one of the two */
    struct staged_device staged;
    struct ota_device *device;
    struct ram_flash *chip;
    struct ota_extent place; /* of what runs */
    uint8_t before[SLOT_SIZE];

    struct ota_public_key key;
    struct ota_arduino_trust arduino;
    uint8_t digest[1][OTA_SHA256_SIZE];
    struct ota_secure_trust secure;
    struct ota_seal_v2 seal;
    const struct ota_seal *list[2];
    struct ota_seals seals;
    struct ota_trust trust;

    struct ota_gunzip_decoder gunzip;
    struct ota_decoder *decoders[2];
    struct ota_unwrap unwrap;
    struct ota_gate_version gate;
    struct ota_intake intake;
    struct ota_boot boot;
    struct ota_app_descriptor booted;
    uint8_t buffer[SECTOR];
    char events[16]; /* of the intake, a letter each: Started, Refused, Failed, Proven, Holding,
                        Activated */
};

/* Makes it, switched off. It trusts this key alone; where seals are demanded its own image has one by
   `sealed_by`. */
void victim_open(struct victim *victim, enum victim_layout layout, enum victim_demand demand,
                 const struct signer *trusted, struct signer *sealed_by);
void victim_close(struct victim *victim);

/* Sends it something, up to and with the activation. Returns the first error. */
enum ota_err victim_receive(struct victim *victim, const struct delivery *delivery);

/* Restarts it. Returns the version that then runs; empty if nothing does. */
const char *victim_boot(struct victim *victim);

/* Tells whether the place of what runs is as it was when the victim was made. */
bool victim_is_unharmed(const struct victim *victim);

#endif
