/* SPDX-License-Identifier: Apache-2.0 */
#include "transfer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <bearssl.h>
#include <cmocka.h>

struct fixture fixture;
struct ota_update update;
struct ota_update_options options;
uint8_t image[IMAGE_MAX + 4096];
uint32_t len;

static uint8_t buffer[SECTOR];

void transfer_open(uint32_t size, const char *version)
{
    const struct image_facts facts = {.size = size, .seed = 5, .version = version};

    fixture_open(&fixture);
    memset(&update, 0, sizeof update);
    options = (struct ota_update_options){
        .device = &fixture.device, .buffer = buffer, .buffer_size = sizeof buffer};
    transfer_make(&facts);
}

void transfer_make(const struct image_facts *facts)
{
    len = (uint32_t)image_make(image, sizeof image, facts);
    assert_true(len >= facts->size && len > 0);
    options.size = len;
}

int transfer_close(void **state)
{
    (void)state;
    ota_update_abort(&update);
    assert_true(fixture_running_is_whole(&fixture));
    fixture_close(&fixture);
    return 0;
}

void transfer_begin(void)
{
    assert_int_equal(ota_update_begin(&update, &options), OTA_OK);
    assert_int_equal(update.state, OTA_UPDATE_RECEIVING);
}

void transfer_prove(void)
{
    transfer_begin();
    assert_int_equal(ota_update_write(&update, image, len), OTA_OK);
    assert_int_equal(ota_update_end(&update), OTA_OK);
    assert_int_equal(update.state, OTA_UPDATE_PROVEN);
}

void transfer_expect(enum ota_hash_algorithm algorithm)
{
    uint8_t *digest = options.expected.bytes;

    options.expected.algorithm = algorithm;
    if (algorithm == OTA_HASH_SHA256) {
        br_sha256_context sha;
        br_sha256_init(&sha);
        br_sha256_update(&sha, image, len);
        br_sha256_out(&sha, digest);
    } else {
        br_md5_context md5;
        br_md5_init(&md5);
        br_md5_update(&md5, image, len);
        br_md5_out(&md5, digest);
    }
}
