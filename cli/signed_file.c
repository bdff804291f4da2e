/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/signed_file.h"

#include <stdlib.h>
#include <string.h>

#include <updraft/chip.h>
#include <updraft/gunzip.h>
#include <updraft/image.h>

#include "base/bytes.h"
#include "cli/output.h"

#define INPUT_LIMIT (UINT64_C(256) << 20)
#define DESCRIPTOR_AT 32u

/* An app says so by its descriptor; anything else may be a bootloader, for which fewer
   rules hold. */
static enum ota_image_role role_of(const struct files_content *content)
{
    bool app = content->size >= DESCRIPTOR_AT + 4 &&
               ota__get_le32(content->data + DESCRIPTOR_AT) == OTA_APP_DESCRIPTOR_MAGIC;
    return app ? OTA_ROLE_APP : OTA_ROLE_BOOTLOADER;
}

static int measure(struct signed_file *file)
{
    const struct files_content *content = &file->content;
    const struct ota_image_rules rules = {
        .form = OTA_IMAGE_DETECT,
        .role = role_of(content),
        .chip = {.id = OTA_CHIP_ANY, .ignore_revisions = true},
        .size_max = UINT32_MAX,
        .allow_trailer = true,
    };
    struct ota_image_check check;
    enum ota_err err = ota_image_check_begin(&check, &rules, &ota_crypto_openssl);
    if (err == OTA_OK) {
        ota_image_check_write(&check, content->data, content->size);
        err = ota_image_check_finish(&check);
    }
    if (err != OTA_OK) {
        return fail(
            "%s: is no whole firmware image (at byte %s: %s); \"updraft image verify\" says "
            "more, and --data takes it for other data",
            file->name, output_thousands(check.failure.offset).text, ota_err_text(err));
    }
    file->image_len = check.image.length;
    file->has_secure_boot = check.image.form == OTA_IMAGE_ESP32;
    return 0;
}

int signed_file_open(struct signed_file *file, const char *path, bool is_data, size_t rsa_len)
{
    *file = (struct signed_file){.name = files_name(path)};
    if (files_map(path, INPUT_LIMIT, &file->content) != 0) {
        return 1;
    }
    const struct files_content *content = &file->content;
    file->is_gzip = ota_is_gzip(content->data, content->size);
    if (!is_data && !file->is_gzip && measure(file) != 0) {
        signed_file_close(file);
        return 1;
    }
    struct signature_subject subject = {.data = content->data,
                                        .size = content->size,
                                        .image_len = file->image_len,
                                        .has_secure_boot = file->has_secure_boot,
                                        .rsa_len = rsa_len};
    file->found = output_allocate(sizeof(*file->found));
    if (!signature_find(&subject, file->found)) {
        signed_file_close(file);
        return fail("%s: %s", file->name, ota_err_text(OTA_ERR_CRYPTO));
    }
    return 0;
}

void signed_file_close(struct signed_file *file)
{
    free(file->found);
    file->found = NULL;
    files_release(&file->content);
}
