/* SPDX-License-Identifier: Apache-2.0 */
/* A sector with up to three signatures and their keys, of which the bootloader has the digests. */
#include "boot_trust.h"

/* tests/skip puts another here. */
const uint8_t boot_digests[1][OTA_SHA256_SIZE] = {{1}};

static const struct ota_verifier *const verifiers[] = {&BOOT_VERIFIER, NULL};
static const struct ota_secure_trust secure = {
    .digests = boot_digests, .digest_count = 1, .verifiers = verifiers};
static const struct ota_seal_v2 v2 = {.seal = {ota_seal_v2_check}, .trust = &secure};
static const struct ota_seal *const list[] = {&v2.seal, NULL};
static const struct ota_seals seals = {.ask = ota_seals_ask, .list = list};
const struct ota_trust boot_trust = {.seals = &seals, .at_boot = true};
