/* SPDX-License-Identifier: Apache-2.0 */
/* Errors: each has a name, a sentence and the numbers that other systems use for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <updraft/error.h>

#define ESP32_TEXTS 15
#define ESP8266_TEXTS 17

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(ota_err_name(OTA_OK), "OK");
    assert_string_equal(ota_err_name(OTA_ERR_IMAGE_CHECKSUM), "IMAGE_CHECKSUM");
    assert_string_equal(ota_err_name(OTA_ERR_HTTP_RANGE), "HTTP_RANGE");
    for (int i = 0; i < OTA_ERR_COUNT; i++) {
        const char *name = ota_err_name((enum ota_err)i);
        assert_true(strlen(name) >= 2);
        assert_int_equal(strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"), strlen(name));
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(name, ota_err_name((enum ota_err)j));
        }
    }
}

static void test_sentences(void **state)
{
    (void)state;
    for (int i = 0; i < OTA_ERR_COUNT; i++) {
        const char *text = ota_err_text((enum ota_err)i);
        size_t len = strlen(text);
        assert_true(len >= 8);
        assert_int_not_equal(text[len - 1], '.');
        assert_null(strchr(text, '\n'));
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(text, ota_err_text((enum ota_err)j));
        }
    }
}

/* A number from elsewhere, cast to the enumeration, is an error without a name, and no crash. */
static void test_unknown(void **state)
{
    static const int strange[] = {OTA_ERR_COUNT, OTA_ERR_COUNT + 1, 1000000, -1};

    (void)state;
    for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++) {
        enum ota_err err = (enum ota_err)strange[i];
        assert_string_equal(ota_err_name(err), "UNKNOWN");
        assert_true(strlen(ota_err_text(err)) > 0);
        assert_int_equal(ota_err_esp_idf(err), -1);
        assert_int_not_equal(ota_err_arduino_esp8266(err), 0);
        assert_int_not_equal(ota_err_arduino_esp32(err), 0);
    }
}

/* docs/formats/errors.md section 7: one cause, three numbers; 0 where the table has none. */
static const struct numbers {
    enum ota_err err;
    int32_t esp_idf;
    int esp8266, esp32;
} numbers_of_the_table[] = {
    {OTA_ERR_FLASH_WRITE, 0, 1, 1},
    {OTA_ERR_FLASH_ERASE, 0, 2, 2},
    {OTA_ERR_FLASH_READ, 0, 3, 3},
    {OTA_ERR_TOO_LARGE, 0x104, 4, 4},
    {OTA_ERR_INCOMPLETE, 0, 0, 12},
    {OTA_ERR_NO_DATA, 0x102, 13, 12},
    {OTA_ERR_IMAGE_MAGIC, 0x1503, 10, 8},
    {OTA_ERR_IMAGE_SEGMENT_COUNT, 0x1503, 0, 9},
    {OTA_ERR_IMAGE_SEGMENT, 0x1503, 0, 9},
    {OTA_ERR_IMAGE_MAPPING, 0x1503, 0, 9},
    {OTA_ERR_IMAGE_CHECKSUM, 0x1503, 0, 9},
    {OTA_ERR_IMAGE_HASH, 0x1503, 0, 9},
    {OTA_ERR_IMAGE_LAYOUT, 0x1503, 0, 9},
    {OTA_ERR_IMAGE_FORM, 0x1503, 0, 9},
    {OTA_ERR_IMAGE_FLASH_SIZE, 0x1503, 9, 9},
    {OTA_ERR_IMAGE_TRUNCATED, 0x1503, 0, 0},
    {OTA_ERR_IMAGE_CHIP, 0x10A, 0, 9},
    {OTA_ERR_IMAGE_REVISION, 0x10A, 0, 9},
    {OTA_ERR_DIGEST, 0, 7, 7},
    {OTA_ERR_SIGNATURE, 0x1503, 12, 14},
    {OTA_ERR_SIGNATURE_MISSING, 0x1503, 12, 14},
    {OTA_ERR_SIGNATURE_KEY, 0x1503, 12, 14},
    {OTA_ERR_KEY, 0x1503, 12, 14},
    {OTA_ERR_RUNNING_SLOT, 0x1501, 0, 10},
    {OTA_ERR_NO_PARTITION, 0x105, 0, 10},
    {OTA_ERR_UNCONFIRMED, 0x1506, 0, 0},
    {OTA_ERR_SECURE_VERSION, 0x1504, 0, 9},
    {OTA_ERR_TIMEOUT, 0x107, 6, 6},
    {OTA_ERR_READ_ONLY, 0x10D, 0, 0},
    {OTA_ERR_NO_ROLLBACK, 0x1505, 0, 0},
    {OTA_ERR_NO_OTADATA, 0x105, 0, 0},
    {OTA_ERR_NO_ACTIVE_ENTRY, -1, 0, 0},
    {OTA_ERR_TABLE_BOUNDS, 0x104, 0, 0},
    {OTA_ERR_TABLE_ROW, 0x103, 0, 0},
    {OTA_ERR_TABLE_EMPTY, 0x103, 0, 0},
    {OTA_ERR_TABLE_NO_END, 0x103, 0, 0},
    {OTA_ERR_TABLE_MD5, 0x103, 0, 0},
    {OTA_ERR_ARGUMENT, 0x102, 0, 11},
    {OTA_ERR_STATE, 0x103, 15, 0},
    {OTA_ERR_HTTP_REDIRECT, 0x7001, 0, 0},
    {OTA_ERR_CONNECT, 0x7002, 0, 0},
    {OTA_ERR_CONNECTION_LOST, 0x7008, 0, 0},
    {OTA_ERR_HTTP_RANGE, 0x700A, 0, 0},
    {OTA_ERR_HTTP_HEADER, 0x700E, 0, 0},
};

static void test_numbers_of_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof numbers_of_the_table / sizeof *numbers_of_the_table; i++) {
        const struct numbers *row = &numbers_of_the_table[i];
        if (row->esp_idf != 0) {
            assert_int_equal(ota_err_esp_idf(row->err), row->esp_idf);
        }
        if (row->esp8266 != 0) {
            assert_int_equal(ota_err_arduino_esp8266(row->err), row->esp8266);
        }
        if (row->esp32 != 0) {
            assert_int_equal(ota_err_arduino_esp32(row->err), row->esp32);
        }
    }
}

/* docs/formats/errors.md section 8: what the originals have no cause for. */
static void test_numbers_of_policy_and_peers(void **state)
{
    static const struct {
        enum ota_err err;
        int32_t esp_idf;
        int esp8266, esp32;
    } rows[] = {
        {OTA_ERR_BUSY, 0x1507, 15, 12},
        {OTA_ERR_RESTARTING, 0x1507, 15, 12},
        {OTA_ERR_PORT, -1, 6, 6},
        {OTA_ERR_HELD, 0x10D, 15, 12},
        {OTA_ERR_REFUSED, 0x10D, 6, 12},
        {OTA_ERR_SAME_VERSION, 0x10A, 6, 12},
        {OTA_ERR_OLDER_VERSION, 0x10A, 6, 12},
        {OTA_ERR_VERSION, 0x10A, 6, 12},
        {OTA_ERR_PROJECT, 0x10A, 6, 12},
        {OTA_ERR_AUTH, 0x10D, 6, 12},
        {OTA_ERR_PROTOCOL, 0x108, 6, 6},
        {OTA_ERR_PEER, -1, 6, 6},
        {OTA_ERR_TLS, -1, 6, 6},
        {OTA_ERR_TLS_UNTRUSTED, -1, 6, 6},
        {OTA_ERR_TLS_NAME, -1, 6, 6},
        {OTA_ERR_TLS_EXPIRED, -1, 6, 6},
        {OTA_ERR_CONNECT_BACK, 0x7002, 6, 6},
        {OTA_ERR_NO_MEMORY, 0x101, 14, 12},
        {OTA_ERR_COMPRESSED, 0x106, 10, 8},
        {OTA_ERR_COMPRESSION, 0x106, 10, 8},
        {OTA_ERR_COMPRESSED_DATA, 0x1503, 10, 9},
        {OTA_ERR_COMPRESSED_SUM, 0x109, 10, 9},
        {OTA_ERR_COMPRESSED_TRAILER, 0x104, 5, 5},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(ota_err_esp_idf(rows[i].err), rows[i].esp_idf);
        assert_int_equal(ota_err_arduino_esp8266(rows[i].err), rows[i].esp8266);
        assert_int_equal(ota_err_arduino_esp32(rows[i].err), rows[i].esp32);
    }
}

/* Success is 0 in each system, and nothing else is. */
static void test_numbers_of_all(void **state)
{
    (void)state;
    assert_int_equal(ota_err_esp_idf(OTA_OK), 0);
    assert_int_equal(ota_err_arduino_esp8266(OTA_OK), 0);
    assert_int_equal(ota_err_arduino_esp32(OTA_OK), 0);
    for (int i = 1; i < OTA_ERR_COUNT; i++) {
        enum ota_err err = (enum ota_err)i;
        assert_int_not_equal(ota_err_esp_idf(err), 0);
        assert_in_range(ota_err_arduino_esp8266(err), 1, ESP8266_TEXTS - 1);
        assert_in_range(ota_err_arduino_esp32(err), 1, ESP32_TEXTS - 1);
    }
}

/* docs/formats/errors.md sections 2 and 3; where the original puts numbers in, the words before. */
static void test_arduino_texts(void **state)
{
    static const char *const esp8266[ESP8266_TEXTS] = {
        "No Error",
        "Flash Write Failed",
        "Flash Erase Failed",
        "Flash Read Failed",
        "Not Enough Space",
        "Bad Size Given",
        "Stream Read Timeout",
        "MD5 verification failed",
        "Flash config wrong",
        "new Flash config wrong",
        "Magic byte is not 0xE9",
        "Invalid bootstrapping state, reset ESP8266 before updating",
        "Signature verification failed",
        "No data supplied",
        "Out of memory",
        "Update already running",
        "Unknown update command",
    };
    static const char *const esp32[ESP32_TEXTS] = {
        "No Error",
        "Flash Write Failed",
        "Flash Erase Failed",
        "Flash Read Failed",
        "Not Enough Space",
        "Bad Size Given",
        "Stream Read Timeout",
        "MD5 Check Failed",
        "Wrong Magic Byte",
        "Could Not Activate The Firmware",
        "Partition Could Not be Found",
        "Bad Argument",
        "Aborted",
        "Decryption error",
        "Signature Verification Failed",
    };

    (void)state;
    for (int i = 0; i < ESP8266_TEXTS; i++) {
        assert_string_equal(ota_arduino_esp8266_text(i), esp8266[i]);
    }
    for (int i = 0; i < ESP32_TEXTS; i++) {
        assert_string_equal(ota_arduino_esp32_text(i), esp32[i]);
    }
    assert_string_equal(ota_arduino_esp8266_text(ESP8266_TEXTS), "UNKNOWN");
    assert_string_equal(ota_arduino_esp32_text(ESP32_TEXTS), "UNKNOWN");
    assert_string_equal(ota_arduino_esp8266_text(-1), "UNKNOWN");
    assert_string_equal(ota_arduino_esp32_text(-1), "UNKNOWN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_sentences),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_numbers_of_the_table),
        cmocka_unit_test(test_numbers_of_policy_and_peers),
        cmocka_unit_test(test_numbers_of_all),
        cmocka_unit_test(test_arduino_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
