/* SPDX-License-Identifier: Apache-2.0 */
/* Upgrade lists as files: any text is a list or an error that says why. */
#include <string.h>

#include <posix/upgrade_file.h>

#include "fuzz/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct upgrade_file file;

    if (size > UPGRADE_FILE_SIZE_MAX) {
        return 0;
    }
    /* Certificates would be read from the machine that fuzzes. */
    if (memmem(data, size, "\"ca\"", 4) != NULL || memmem(data, size, "\\u", 2) != NULL) {
        return 0;
    }
    if (upgrade_file_parse(&file, "list", (const char *)data, size)) {
        REQUIRE(file.count > 0 && file.count <= OTA_UPGRADE_ITEMS_MAX);
        for (size_t i = 0; i < file.count; i++) {
            const struct ota_upgrade_item *item = &file.items[i];
            REQUIRE(item->uri != NULL && strlen(item->uri) > 0);
            REQUIRE((item->kind == OTA_UPGRADE_DATA) == (item->label != NULL));
            REQUIRE(item->label == NULL || strlen(item->label) <= OTA_PARTITION_LABEL_MAX);
        }
    } else {
        REQUIRE(file.error[0] != '\0' && strlen(file.error) < sizeof file.error);
    }
    upgrade_file_free(&file);
    return 0;
}
