/* SPDX-License-Identifier: Apache-2.0 */
#include "feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "support/images.h"

struct ota_image_rules feed_rules(enum ota_image_form form)
{
    struct ota_image_rules rules = {
        .form = form, .chip = {.id = OTA_CHIP_ANY}, .size_max = FORGE_MAX};

    return rules;
}

enum ota_err feed(struct ota_image_check *check, const struct ota_image_rules *rules,
                  const uint8_t *bytes, uint32_t len, uint32_t piece, uint32_t seed)
{
    enum ota_err err = ota_image_check_begin(check, rules, &faulty_crypto);
    uint32_t done = 0;

    for (uint64_t n = 0; err == OTA_OK && done < len; n++) {
        uint32_t next = piece != 0 ? piece : noise(seed, n) % 200;
        next = next < len - done ? next : len - done;
        err = ota_image_check_write(check, bytes + done, next);
        done += next;
    }
    if (err != OTA_OK) { /* it stays */
        assert_int_equal(check->failure.err, err);
        assert_int_equal(ota_image_check_write(check, bytes, 1), err);
    }
    err = ota_image_check_finish(check);
    assert_int_equal(check->failure.err, err);
    assert_int_equal(faulty_crypto_running(), 0);
    return err;
}

void feed_ends(const struct ota_image_rules *rules, const struct forge *forge, enum ota_err err,
               uint32_t offset)
{
    static const uint32_t pieces[] = {FORGE_MAX, 1, 0};

    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        struct ota_image_check check;
        assert_int_equal(feed(&check, rules, forge->bytes, forge->len, pieces[i], 7), err);
        if (err != OTA_OK) {
            assert_int_equal(check.failure.offset, offset);
        } else {
            assert_int_equal(check.image.length, offset);
        }
    }
}
