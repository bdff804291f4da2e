/* SPDX-License-Identifier: Apache-2.0 */
/* updraft-chain NAME: one update through one chain, to be run under a counter of instructions that
   looks at `chain_run` and at nothing that goes before. Prints the bytes of the image, and the RAM
   that the chain takes on this machine: its objects, and the deepest that the stack has been. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <updraft/gunzip.h>
#include <updraft/heatshrink.h>
#include <updraft/staged_boot.h>
#include <updraft/updraft.h>

#include "base/bytes.h"
#include "cli/heatshrink.h"
#include "firmware.h"
#include "rig.h"
#include "support/gzip_file.h"
#include "support/images.h"
#include "support/signer.h"

#define PIECE 1460u /* bytes at a time, as a network has them */
#define BUFFER 4096u
#define FILE_SIZE (RIG_IMAGE_SIZE + OTA_ARDUINO_TAIL_MAX)
#define STACK (256u << 10)
#define PAINT 0xA5
#define WINDOW_BITS 11
#define LOOKAHEAD_BITS 4

/* What the counter is told to look for. */
void chain_run(void);

enum packing {
    PLAIN,
    GZIP,
    SHRUNK,
};

static const struct chain {
    const char *name;
    enum packing packing;
    bool is_signed;
    bool is_staged;
} chains[] = {
    {"plain", PLAIN, false, false},       {"gzip", GZIP, false, false},
    {"heatshrink", SHRUNK, false, false}, {"signed", PLAIN, true, false},
    {"gzip_signed", GZIP, true, false},   {"staged", PLAIN, false, true},
};

static const struct chain *chain;
static struct rig rig;
static uint8_t file[FILE_SIZE];
static uint32_t file_len;

static struct ota_update update;
static uint8_t buffer[BUFFER];
static struct ota_unwrap unwrap;
static struct ota_gunzip_decoder gunzip;
static struct ota_heatshrink_decoder heatshrink;
static struct ota_boot boot;

static void need(const char *what, enum ota_err err)
{
    if (err != OTA_OK) {
        rig_fail(what, err);
    }
}

/* ---- The file that is sent ------------------------------------------------------------------- */

static void make_image(void)
{
    static uint8_t payload[RIG_IMAGE_SIZE];
    const struct image_facts facts = {
        .chip = OTA_CHIP_ESP32S3, .size = RIG_IMAGE_SIZE, .version = "1.1.0", .payload = payload};

    firmware_make(payload, sizeof payload);
    if (image_make(rig.image[1], RIG_IMAGE_SIZE, &facts) != RIG_IMAGE_SIZE) {
        rig_fail("making an image", OTA_ERR_ARGUMENT);
    }
}

static void pack(void)
{
    if (chain->packing == GZIP) {
        file_len = (uint32_t)gzip_file_make(file, RIG_IMAGE_SIZE, rig.image[1], RIG_IMAGE_SIZE);
    } else if (chain->packing == SHRUNK) {
        size_t len;
        uint8_t *packed =
            heatshrink_pack(rig.image[1], RIG_IMAGE_SIZE, WINDOW_BITS, LOOKAHEAD_BITS, &len);
        file_len = len <= RIG_IMAGE_SIZE ? (uint32_t)len : 0;
        memcpy(file, packed, file_len);
        free(packed);
    } else {
        file_len = RIG_IMAGE_SIZE;
        memcpy(file, rig.image[1], file_len);
    }
    if (file_len == 0) {
        rig_fail("compressing", OTA_ERR_NO_MEMORY);
    }
}

/* By a key that is made for it: how many steps a proof takes does not depend on the key. */
static void sign(void)
{
    static struct ota_arduino_trust arduino;
    static const struct ota_trust trust = {.arduino = &arduino};
    const struct signer *signer = signer_new_rsa(2048, 65537);
    uint8_t digest[OTA_SHA384_SIZE];

    signer_digest(OTA_SIGNATURE_RSA_PKCS1, file, file_len, digest);
    const size_t len = signer_sign(signer, OTA_SIGNATURE_RSA_PKCS1, digest, file + file_len);
    ota__put_le32(file + file_len + len, (uint32_t)len);
    file_len += (uint32_t)len + OTA_ARDUINO_LENGTH_SIZE;
    arduino = (struct ota_arduino_trust){
        .keys = &signer->key, .key_count = 1, .verifier = &ota_verify_rsa_pkcs1_bearssl};
    rig.device.trust = &trust;
}

/* ---- The chain ------------------------------------------------------------------------------- */

/* The slots of the rig, as the place to run from and a place to stage in. */
static void stage(void)
{
    static const struct ota_staging staging = {
        .app = {RIG_SLOT_0, RIG_SLOT_SIZE},
        .staging = {RIG_SLOT_1, RIG_SLOT_SIZE},
        .way = &ota_staging_in_flash,
    };

    rig.device.staging = &staging;
    need("opening the staging device", ota_staging_open(&rig.device));
}

static bool is_wrapped(void)
{
    return chain->packing != PLAIN || chain->is_signed;
}

static void update_through_chain(void)
{
    static struct ota_decoder *const decoders[] = {&gunzip.decoder, &heatshrink.decoder, NULL};
    const struct ota_update_options options = {
        .device = &rig.device,
        .size = file_len,
        .unwrap = is_wrapped() ? &unwrap : NULL,
        .buffer = buffer,
        .buffer_size = sizeof buffer,
    };

    ota_gunzip_decoder_init(&gunzip);
    ota_heatshrink_decoder_init(&heatshrink, WINDOW_BITS, LOOKAHEAD_BITS);
    ota_unwrap_init(&unwrap, decoders);
    need("beginning", ota_update_begin(&update, &options));
    for (uint32_t at = 0; at < file_len; at += PIECE) {
        need("writing", ota_update_write(&update, file + at, ota__min(PIECE, file_len - at)));
    }
    need("ending", ota_update_end(&update));
    need("activating", ota_update_activate(&update));
}

/* The bootloader's part of a staged update: it proves what is staged, copies it, and proves it. */
static void copy_at_boot(void)
{
    static const struct ota_staged_move *const moves[] = {&ota_staged_copy, NULL};

    boot = (struct ota_boot){.device = &rig.device, .read = ota_image_read};
    need("booting", ota_staged_boot(&boot, moves, buffer, sizeof buffer));
}

__attribute__((noinline)) void chain_run(void)
{
    update_through_chain();
    if (chain->is_staged) {
        copy_at_boot();
    }
}

/* ---- Its memory ------------------------------------------------------------------------------ */

static uint8_t *stack_top;

static void *run_on_stack(void *context)
{
    stack_top = __builtin_frame_address(0);
    chain_run();
    return context;
}

/* Returns how deep the stack has been: painted before, and looked at afterwards. */
static size_t run_and_measure_stack(void)
{
    static _Alignas(4096) uint8_t stack[STACK];
    pthread_attr_t attributes;
    pthread_t thread;
    size_t untouched = 0;

    memset(stack, PAINT, sizeof stack);
    if (pthread_attr_init(&attributes) != 0 ||
        pthread_attr_setstack(&attributes, stack, sizeof stack) != 0 ||
        pthread_create(&thread, &attributes, run_on_stack, NULL) != 0 ||
        pthread_join(thread, NULL) != 0) {
        rig_fail("running on a stack", OTA_ERR_NO_MEMORY);
    }
    (void)pthread_attr_destroy(&attributes);
    while (stack[untouched] == PAINT) {
        untouched++;
    }
    return (size_t)(stack_top - stack) - untouched;
}

static size_t objects_size(void)
{
    return sizeof update + sizeof buffer + (is_wrapped() ? sizeof unwrap : 0) +
           (chain->packing == GZIP ? sizeof gunzip : 0) +
           (chain->packing == SHRUNK ? sizeof heatshrink : 0);
}

static void see_that_it_is_stored(void)
{
    const uint32_t offset = chain->is_staged ? RIG_SLOT_0 : RIG_SLOT_1;

    if (memcmp(rig.memory + offset, rig.image[1], RIG_IMAGE_SIZE) != 0) {
        rig_fail("comparing what was stored", OTA_ERR_FLASH_VERIFY);
    }
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < sizeof chains / sizeof *chains; i++) {
        chain = strcmp(argv[1], chains[i].name) == 0 ? &chains[i] : chain;
    }
    if (chain == NULL) {
        fprintf(stderr, "usage: updraft-chain plain|gzip|heatshrink|signed|gzip_signed|staged\n");
        return 2;
    }
    rig_init(&rig);
    rig.device.crypto = &ota_crypto_bearssl_sha256;
    make_image();
    pack();
    if (chain->is_signed) {
        sign();
    }
    if (chain->is_staged) {
        stage();
    }
    const size_t stack_size = run_and_measure_stack();
    see_that_it_is_stored();
    printf("bytes %u\nram %zu\n", RIG_IMAGE_SIZE, objects_size() + stack_size);
    rig_free(&rig);
    return 0;
}
