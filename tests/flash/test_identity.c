/* SPDX-License-Identifier: Apache-2.0 */
/* Identities of transfers: when two are the same one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <updraft/journal.h>

static void test_from_digest(void **state)
{
    struct ota_digest digest = {.algorithm = OTA_HASH_NONE};
    struct ota_identity identity;

    (void)state;
    memset(digest.bytes, 0x3C, sizeof digest.bytes);
    assert_int_equal(ota_identity_from_digest(&digest).kind, OTA_IDENTITY_NONE);

    digest.algorithm = OTA_HASH_SHA256;
    identity = ota_identity_from_digest(&digest);
    assert_int_equal(identity.kind, OTA_IDENTITY_SHA256);
    assert_int_equal(identity.len, 32);
    assert_memory_equal(identity.bytes, digest.bytes, 32);

    digest.algorithm = OTA_HASH_MD5;
    identity = ota_identity_from_digest(&digest);
    assert_int_equal(identity.kind, OTA_IDENTITY_MD5);
    assert_int_equal(identity.len, 16);
    assert_memory_equal(identity.bytes, digest.bytes, 16);
}

static void test_from_etag(void **state)
{
    char tag[OTA_IDENTITY_MAX + 2];
    struct ota_identity identity = ota_identity_from_etag("\"abc\"");

    (void)state;
    assert_int_equal(identity.kind, OTA_IDENTITY_ETAG);
    assert_int_equal(identity.len, 5);
    assert_memory_equal(identity.bytes, "\"abc\"", 5);

    assert_int_equal(ota_identity_from_etag(NULL).kind, OTA_IDENTITY_NONE);
    assert_int_equal(ota_identity_from_etag("").kind, OTA_IDENTITY_NONE);
    assert_int_equal(ota_identity_from_etag("W/\"abc\"").kind, OTA_IDENTITY_NONE);
    assert_int_equal(ota_identity_from_etag("abc").kind, OTA_IDENTITY_NONE);

    memset(tag, 'x', sizeof tag);
    tag[0] = '"';
    tag[OTA_IDENTITY_MAX] = '\0';
    assert_int_equal(ota_identity_from_etag(tag).len, OTA_IDENTITY_MAX);
    tag[OTA_IDENTITY_MAX] = '"';
    tag[OTA_IDENTITY_MAX + 1] = '\0';
    assert_int_equal(ota_identity_from_etag(tag).kind, OTA_IDENTITY_NONE);
}

static void test_equal(void **state)
{
    struct ota_identity a = ota_identity_from_etag("\"abc\"");
    struct ota_identity b = ota_identity_from_etag("\"abc\"");
    const struct ota_identity none = {.kind = OTA_IDENTITY_NONE};

    (void)state;
    assert_true(ota_identity_equal(&a, &b));
    memset(b.bytes + b.len, 0xFF, sizeof b.bytes - b.len); /* as read back from erased flash */
    assert_true(ota_identity_equal(&a, &b));
    b.bytes[2] ^= 1;
    assert_false(ota_identity_equal(&a, &b));
    b = ota_identity_from_etag("\"abcd\"");
    assert_false(ota_identity_equal(&a, &b));
    b = a;
    b.kind = OTA_IDENTITY_MD5;
    assert_false(ota_identity_equal(&a, &b));
    assert_false(ota_identity_equal(&none, &none)); /* nothing known is not the same */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_from_digest),
        cmocka_unit_test(test_from_etag),
        cmocka_unit_test(test_equal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
