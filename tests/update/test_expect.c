/* SPDX-License-Identifier: Apache-2.0 */
/* A digest that is told after the update has begun. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <bearssl.h>
#include <cmocka.h>

#include "fixture.h"

#define LEN 9000u

static struct fixture fixture;
static struct ota_update update;
static struct ota_update_options options;
static uint8_t buffer[SECTOR];
static uint8_t image[LEN + 64];
static uint32_t len;
static struct ota_digest none, md5, sha256;

static void hash_image(void)
{
    br_md5_context md5_context;
    br_sha256_context sha256_context;

    br_md5_init(&md5_context);
    br_md5_update(&md5_context, image, len);
    br_md5_out(&md5_context, md5.bytes);
    br_sha256_init(&sha256_context);
    br_sha256_update(&sha256_context, image, len);
    br_sha256_out(&sha256_context, sha256.bytes);
}

static int set_up(void **state)
{
    const struct image_facts facts = {.size = LEN, .seed = 5};

    (void)state;
    fixture_open(&fixture);
    memset(&update, 0, sizeof update);
    len = (uint32_t)image_make(image, sizeof image, &facts);
    none = (struct ota_digest){.algorithm = OTA_HASH_NONE};
    md5 = (struct ota_digest){.algorithm = OTA_HASH_MD5};
    sha256 = (struct ota_digest){.algorithm = OTA_HASH_SHA256};
    hash_image();
    options = (struct ota_update_options){
        .device = &fixture.device, .size = len, .buffer = buffer, .buffer_size = sizeof buffer};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ota_update_abort(&update);
    fixture_close(&fixture);
    return 0;
}

static enum ota_err whole(void)
{
    assert_int_equal(ota_update_write(&update, image, len), OTA_OK);
    return ota_update_end(&update);
}

/* Whatever was expected before, the last word counts. */
static void test_the_last_word_counts(void **state)
{
    const struct ota_digest *const words[] = {&none, &md5, &sha256};

    (void)state;
    for (size_t first = 0; first < 3; first++) {
        for (size_t last = 0; last < 3; last++) {
            for (int wrong = 0; wrong < 2; wrong++) {
                struct ota_digest digest = *words[last];
                digest.bytes[0] ^= (uint8_t)wrong;
                options.expected = *words[first];
                assert_int_equal(ota_update_begin(&update, &options), OTA_OK);
                assert_int_equal(ota_update_expect(&update, &digest), OTA_OK);
                bool fails = wrong != 0 && last != 0;
                assert_int_equal(whole(), fails ? OTA_ERR_DIGEST : OTA_OK);
                if (last != 0) { /* what came, to be told back */
                    digest.bytes[0] ^= (uint8_t)wrong;
                    assert_memory_equal(update.digest, digest.bytes,
                                        ota_digest_size(digest.algorithm));
                }
                ota_update_abort(&update);
                assert_int_equal(faulty_crypto_running(), 0);
            }
        }
    }
}

static void test_only_before_the_first_byte(void **state)
{
    (void)state;
    assert_int_equal(ota_update_expect(&update, &md5), OTA_ERR_STATE);
    assert_int_equal(ota_update_begin(&update, &options), OTA_OK);
    assert_int_equal(ota_update_write(&update, image, 1), OTA_OK);
    assert_int_equal(ota_update_expect(&update, &md5), OTA_ERR_STATE);
    assert_int_equal(update.state, OTA_UPDATE_RECEIVING);
    assert_int_equal(ota_update_write(&update, image + 1, len - 1), OTA_OK);
    assert_int_equal(ota_update_end(&update), OTA_OK);
    assert_int_equal(ota_update_expect(&update, &md5), OTA_ERR_STATE);
}

static void test_crypto_fails(void **state)
{
    (void)state;
    assert_int_equal(ota_update_begin(&update, &options), OTA_OK);
    faults_set(FAULT_CRYPTO, 1);
    assert_int_equal(ota_update_expect(&update, &md5), OTA_ERR_CRYPTO);
    faults_clear();
    assert_int_equal(update.state, OTA_UPDATE_FAILED);
    assert_int_equal(update.failure.err, OTA_ERR_CRYPTO);
    assert_int_equal(ota_update_expect(&update, &md5), OTA_ERR_STATE);
}

int main(void)
{
#define WITH_DEVICE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_DEVICE(test_the_last_word_counts),
        WITH_DEVICE(test_only_before_the_first_byte),
        WITH_DEVICE(test_crypto_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
