/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an update was cut short: of any form, and also where it cannot be resumed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/faults.h"
#include "wrapping.h"

#define LEN 70000u
#define PART 60000u /* of what is sent: enough to have changed the flash */

static int set_up(void **state)
{
    (void)state;
    wrapping_open(LEN);
    return 0;
}

static void expect_cut_short(const char *label, bool expected)
{
    bool cut_short = !expected;

    assert_int_equal(ota_update_was_cut_short(&fixture.device, label, &cut_short), OTA_OK);
    assert_int_equal(cut_short, expected);
}

static void begin_part(enum form form)
{
    sent_as(form);
    transfer_begin();
    expect_cut_short(NULL, false); /* nothing was changed yet */
    assert_int_equal(ota_update_write(&update, sent, PART < sent_len ? PART : sent_len / 2),
                     OTA_OK);
    ota_update_suspend(&update);
}

static void test_every_form(void **state)
{
    (void)state;
    for (unsigned form = 0; form < FORMS; form++) {
        expect_cut_short(NULL, false);
        begin_part((enum form)form);
        expect_cut_short(NULL, true);
        expect_cut_short("storage", false);
        assert_int_equal(send_in_pieces(1000), OTA_OK);
        is_stored();
        expect_cut_short(NULL, false);
    }
}

static void test_given_up(void **state)
{
    (void)state;
    sent_as(GZIP);
    transfer_begin();
    assert_int_equal(ota_update_write(&update, sent, sent_len / 2), OTA_OK);
    ota_update_abort(&update);
    expect_cut_short(NULL, false);
}

static void test_no_target(void **state)
{
    bool cut_short = true;

    (void)state;
    assert_int_equal(ota_update_was_cut_short(&fixture.device, "nowhere", &cut_short),
                     OTA_ERR_NO_PARTITION);
    assert_false(cut_short);
}

static void test_read_errors(void **state)
{
    unsigned told = 0;

    (void)state;
    begin_part(GZIP);
    for (unsigned k = 1; k < 10; k++) {
        bool cut_short = true;
        faults_set(FAULT_READ, k);
        if (ota_update_was_cut_short(&fixture.device, NULL, &cut_short) == OTA_ERR_FLASH_READ) {
            assert_false(cut_short);
            told++;
        }
    }
    faults_clear();
    assert_true(told > 0);
    expect_cut_short(NULL, true);
}

int main(void)
{
#define WITH_DEVICE(test) cmocka_unit_test_setup_teardown(test, set_up, transfer_close)
    const struct CMUnitTest tests[] = {
        WITH_DEVICE(test_every_form),
        WITH_DEVICE(test_given_up),
        WITH_DEVICE(test_no_target),
        WITH_DEVICE(test_read_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
