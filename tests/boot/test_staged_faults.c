/* SPDX-License-Identifier: Apache-2.0 */
/* Every access of a staged update and of the boots after it fails once: whatever was told, the next
   boots run a whole image, the old one or the new one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "support/gzip_file.h"
#include "support/staged_device.h"

static const enum fault_kind kinds[] = {FAULT_READ, FAULT_WRITE, FAULT_ERASE, FAULT_VERIFY,
                                        FAULT_CRYPTO};

static struct staged_device device;
static uint8_t file[STAGED_IMAGE_MAX + 1024];

struct story {
    struct staged_facts facts;
    void (*tell)(void); /* what is done while the fault may strike */
};

/* Afterwards: no fault, and as many boots as it takes. */
static void see_that_it_runs(void)
{
    faults_clear();
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    const int n = staged_device_runs(&device);
    assert_true(n == 0 || n == 1);
    if (device.boot.on_trial) {
        assert_int_equal(n, 1);
        assert_int_equal(ota_slot_confirm(&device.device), OTA_OK);
    }
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), n);
}

static unsigned fail_everywhere(const struct story *story)
{
    unsigned places = 0;

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        for (unsigned number = 1;; number++) {
            staged_device_open(&device, &story->facts);
            faults_set(kinds[i], number);
            story->tell();
            const bool struck = faults_struck();
            see_that_it_runs();
            staged_device_close(&device);
            if (!struck) {
                break;
            }
            places++;
        }
    }
    return places;
}

static void update_and_boot(void)
{
    if (staged_device_send_app(&device, 1) == OTA_OK) {
        (void)staged_device_boot(&device);
    }
}

static void update_and_boot_twice(void)
{
    update_and_boot();
    (void)staged_device_boot(&device);
}

static void update_compressed(void)
{
    const struct staged_image *image = &device.images[1];
    const size_t len = gzip_file_make(file, sizeof file, image->bytes, image->len);

    if (staged_device_send(&device, NULL, file, (uint32_t)len) == OTA_OK) {
        (void)staged_device_boot(&device);
    }
}

static void test_copy(void **state)
{
    const struct story story = {.tell = update_and_boot};

    (void)state;
    assert_true(fail_everywhere(&story) > 200);
}

static void test_compressed(void **state)
{
    const struct story story = {.facts = {.inflates = true}, .tell = update_compressed};

    (void)state;
    assert_true(fail_everywhere(&story) > 200);
}

static void test_swap(void **state)
{
    const struct story story = {.facts = {.swap = true, .rollback = true}, .tell = update_and_boot};

    (void)state;
    assert_true(fail_everywhere(&story) > 300);
}

/* There, and back since nobody confirms it. */
static void test_swap_back(void **state)
{
    const struct story story = {.facts = {.swap = true, .rollback = true},
                                .tell = update_and_boot_twice};

    (void)state;
    assert_true(fail_everywhere(&story) > 500);
}

static void test_swap_without_trial(void **state)
{
    const struct story story = {.facts = {.swap = true}, .tell = update_and_boot};

    (void)state;
    assert_true(fail_everywhere(&story) > 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_compressed),
        cmocka_unit_test(test_swap),
        cmocka_unit_test(test_swap_back),
        cmocka_unit_test(test_swap_without_trial),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
