/* SPDX-License-Identifier: Apache-2.0 */
/* A digest that is told after the update has begun. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "transfer.h"

#define LEN 9000u

static struct ota_digest none, md5, sha256;

static int set_up(void **state)
{
    (void)state;
    transfer_open(LEN, NULL);
    none = (struct ota_digest){.algorithm = OTA_HASH_NONE};
    transfer_expect(OTA_HASH_MD5);
    md5 = options.expected;
    transfer_expect(OTA_HASH_SHA256);
    sha256 = options.expected;
    options.expected = none;
    return 0;
}

static enum ota_err whole(void)
{
    assert_int_equal(ota_update_write(&update, image, len), OTA_OK);
    return ota_update_end(&update);
}

/* Whatever was expected before, the last word counts. */
static void expect_again(const struct ota_digest *first, struct ota_digest last, int wrong)
{
    bool is_some = last.algorithm != OTA_HASH_NONE;

    last.bytes[0] ^= (uint8_t)wrong;
    options.expected = *first;
    assert_int_equal(ota_update_begin(&update, &options), OTA_OK);
    assert_int_equal(ota_update_expect(&update, &last), OTA_OK);
    assert_int_equal(whole(), wrong != 0 && is_some ? OTA_ERR_DIGEST : OTA_OK);
    if (is_some) { /* what came, to be told back */
        last.bytes[0] ^= (uint8_t)wrong;
        assert_memory_equal(update.digest, last.bytes, ota_digest_size(last.algorithm));
    }
    ota_update_abort(&update);
    assert_int_equal(faulty_crypto_running(), 0);
}

static void test_the_last_word_counts(void **state)
{
    const struct ota_digest *const words[] = {&none, &md5, &sha256};
    static const char *const labels[] = {NULL, "storage"}; /* an app, and data */

    (void)state;
    for (size_t i = 0; i < 2 * 3 * 3; i++) {
        options.label = labels[i / 9];
        for (int wrong = 0; wrong < 2; wrong++) {
            expect_again(words[i / 3 % 3], *words[i % 3], wrong);
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
#define WITH_DEVICE(test) cmocka_unit_test_setup_teardown(test, set_up, transfer_close)
    const struct CMUnitTest tests[] = {
        WITH_DEVICE(test_the_last_word_counts),
        WITH_DEVICE(test_only_before_the_first_byte),
        WITH_DEVICE(test_crypto_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
