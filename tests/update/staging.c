/* SPDX-License-Identifier: Apache-2.0 */
#include "update/staging.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct staged_device device;
uint8_t data[STAGED_BIG_SIZE + 1];

void staging_open(const struct staged_facts *facts)
{
    staged_device_open(&device, facts);
    for (uint32_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)noise(9, i);
    }
}

int staging_set_up_copy(void **state)
{
    (void)state;
    staging_open(&(struct staged_facts){.rollback = true});
    return 0;
}

int staging_set_up_swap(void **state)
{
    (void)state;
    staging_open(&(struct staged_facts){.swap = true, .rollback = true});
    return 0;
}

int staging_set_up_swap_without_trial(void **state)
{
    (void)state;
    staging_open(&(struct staged_facts){.swap = true});
    return 0;
}

int staging_tear_down(void **state)
{
    (void)state;
    staged_device_close(&device);
    return 0;
}

enum ota_err staging_begin(const char *label, uint32_t size)
{
    device.options.label = label;
    device.options.size = size;
    const enum ota_err err = ota_update_begin(&device.update, &device.options);
    ota_update_abort(&device.update);
    return err;
}

void staging_update_to(int image)
{
    assert_int_equal(staged_device_send_app(&device, image), OTA_OK);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), image);
}

bool staging_is_incomplete(const char *label)
{
    bool incomplete = true;

    assert_int_equal(ota_data_is_incomplete(&device.device, label, &incomplete), OTA_OK);
    return incomplete;
}
