/* SPDX-License-Identifier: Apache-2.0 */
/* What a driver's numbers may be: each rule of updraft/flash.h, broken alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <updraft/flash.h>

static enum ota_err some_read(struct ota_flash *flash, uint32_t offset, void *data, uint32_t len)
{
    (void)flash, (void)offset, (void)data, (void)len;
    return OTA_OK;
}

static enum ota_err some_write(struct ota_flash *flash, uint32_t offset, const void *data,
                               uint32_t len)
{
    (void)flash, (void)offset, (void)data, (void)len;
    return OTA_OK;
}

static enum ota_err some_erase(struct ota_flash *flash, uint32_t offset, uint32_t len)
{
    (void)flash, (void)offset, (void)len;
    return OTA_OK;
}

static const struct ota_flash good = {
    .size = 4u << 20,
    .erase_size = 4096,
    .block_erase_size = 65536,
    .write_size = 1,
    .read = some_read,
    .write = some_write,
    .erase = some_erase,
};

static void test_good(void **state)
{
    struct ota_flash flash = good;

    (void)state;
    assert_int_equal(ota_flash_check(&flash), OTA_OK);
    for (uint32_t write_size = 1; write_size <= OTA_WRITE_SIZE_MAX; write_size *= 2) {
        for (uint32_t erase_size = write_size; erase_size <= 131072; erase_size *= 2) {
            flash.write_size = write_size;
            flash.erase_size = erase_size;
            flash.block_erase_size = 0;
            assert_int_equal(ota_flash_check(&flash), OTA_OK);
            flash.block_erase_size = erase_size; /* the same size is no contradiction */
            assert_int_equal(ota_flash_check(&flash), OTA_OK);
        }
    }
}

#define REFUSED(...)                                                 \
    do {                                                             \
        struct ota_flash flash = good;                               \
        __VA_ARGS__;                                                 \
        assert_int_equal(ota_flash_check(&flash), OTA_ERR_ARGUMENT); \
    } while (0)

static void test_functions(void **state)
{
    (void)state;
    REFUSED(flash.read = NULL);
    REFUSED(flash.write = NULL);
    REFUSED(flash.erase = NULL);
}

static void test_write_size(void **state)
{
    (void)state;
    REFUSED(flash.write_size = 0);
    REFUSED(flash.write_size = 3);
    REFUSED(flash.write_size = 512);
}

static void test_erase_size(void **state)
{
    (void)state;
    REFUSED(flash.erase_size = 0);
    REFUSED(flash.erase_size = 4095);
    REFUSED(flash.erase_size = 4097);
    REFUSED(flash.erase_size = 128; flash.write_size = 256);
}

static void test_size(void **state)
{
    (void)state;
    REFUSED(flash.size = 0);
    REFUSED(flash.size = 4095);
    REFUSED(flash.size = (4u << 20) + 2048);
}

static void test_block(void **state)
{
    (void)state;
    REFUSED(flash.block_erase_size = 2048);
    REFUSED(flash.block_erase_size = 65535);
    REFUSED(flash.block_erase_size = 12288);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),       cmocka_unit_test(test_functions),
        cmocka_unit_test(test_write_size), cmocka_unit_test(test_erase_size),
        cmocka_unit_test(test_size),       cmocka_unit_test(test_block),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
