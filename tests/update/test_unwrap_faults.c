/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every call of the flash and of the crypto backend while a wrapping is taken off, failed once
 * each: the first cause is told, once; the running slot and the choice of it stand; no hash is left
 * begun; and what is proven is what was sent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "wrapping.h"

#define LEN 40000u

static struct signer *maker;
static unsigned errors;

static void count_errors(void *context, const struct ota_update *u, enum ota_update_event event,
                         uint32_t done, uint32_t total)
{
    (void)context, (void)u, (void)done, (void)total;
    errors += event == OTA_EVENT_ERROR;
}

static void scenario(void *context)
{
    const enum fault_kind *kind = context;

    errors = 0;
    ram_flash_fill(fixture.chip, OTA_1, SLOT_SIZE, 77);
    const enum ota_err err = send_in_pieces(5000); /* which looks for hashes that are left */
    const bool struck = faults_struck();
    assert_true(fixture_running_is_whole(&fixture));
    assert_true(fixture_is_named(&fixture, 0));
    assert_false(fixture_is_named(&fixture, 1));
    assert_int_equal(errors, err != OTA_OK);
    if (err == OTA_OK) { /* it did not matter, or there was none */
        is_stored();
        assert_int_equal(update.signature.err, OTA_OK);
    } else {
        assert_int_equal(err, faults_error(*kind));
    }
    ota_update_abort(&update);
    if (!struck) {
        assert_int_equal(err, OTA_OK);
        return;
    }

    /* The next one succeeds. */
    assert_int_equal(send_in_pieces(5000), OTA_OK);
    is_stored();
    ota_update_abort(&update);
}

static void run(enum fault_kind kind, unsigned least)
{
    static const enum ota_hash_algorithm algorithms[] = {OTA_HASH_MD5, OTA_HASH_SHA256};

    for (unsigned form = PLAIN; form < FORMS; form++) {
        for (unsigned a = 0; a < 2; a++) {
            options.buffer_size = a == 0 ? SECTOR : 256;
            sent_as((enum form)form);
            sent_sign(maker, OTA_SIGNATURE_RSA_PKCS1);
            sent_expect(algorithms[a]);
            assert_true(faults_everywhere(kind, scenario, &kind) >= least);
        }
    }
}

static void test_reads(void **state)
{
    (void)state;
    run(FAULT_READ, 50);
}

static void test_writes(void **state)
{
    (void)state;
    run(FAULT_WRITE, 50);
}

static void test_erases(void **state)
{
    (void)state;
    run(FAULT_ERASE, 3);
}

static void test_verifies(void **state)
{
    (void)state;
    run(FAULT_VERIFY, 50);
}

static void test_crypto(void **state)
{
    (void)state;
    run(FAULT_CRYPTO, 15);
}

static int set_up(void **state)
{
    (void)state;
    maker = signer_new_rsa(2048, 65537);
    wrapping_open(LEN);
    trust_keys(&maker->key, 1, &ota_verify_rsa_pkcs1_openssl);
    options.on_event = count_errors;
    return 0;
}

static int tear_down(void **state)
{
    signer_free(maker);
    return transfer_close(state);
}

int main(void)
{
#define WITH_DEVICE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_DEVICE(test_reads),    WITH_DEVICE(test_writes), WITH_DEVICE(test_erases),
        WITH_DEVICE(test_verifies), WITH_DEVICE(test_crypto),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
