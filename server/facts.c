/* SPDX-License-Identifier: Apache-2.0 */
#include "server/facts.h"

#include <string.h>

#include "server/hex.h"
#include "server/transfer.h"

const char *facts_kind(enum file_kind kind)
{
    static const char *const names[] = {"file", "app", "file system"};
    return names[kind];
}

void facts_put_path(FILE *page, const struct catalog_image *image)
{
    fputs("/files/", page);
    for (const char *text = image->name; *text != '\0'; text++) {
        const unsigned char c = (unsigned char)*text;
        if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
            strchr("-._~", c) != NULL) {
            fputc(c, page);
        } else {
            fprintf(page, "%%%02X", c);
        }
    }
}

static void add_text(cJSON *object, const char *name, const char *text)
{
    if (text[0] != '\0') {
        cJSON_AddStringToObject(object, name, text);
    }
}

cJSON *facts_json(const struct catalog_image *image)
{
    const struct file_facts *facts = &image->facts;
    char hex[2 * OTA_SHA256_SIZE + 1];
    char date[TRANSFER_DATE_SIZE];
    char url[3 * 255 + 16];
    cJSON *object = cJSON_CreateObject();
    FILE *to = fmemopen(url, sizeof url, "w");
    if (to != NULL) {
        facts_put_path(to, image);
        fclose(to);
        cJSON_AddStringToObject(object, "url", url);
    }
    cJSON_AddStringToObject(object, "name", image->name);
    cJSON_AddStringToObject(object, "kind", facts_kind(facts->kind));
    cJSON_AddNumberToObject(object, "size", (double)image->size);
    cJSON_AddBoolToObject(object, "compressed", facts->is_packed);
    add_text(object, "project", facts->project);
    add_text(object, "version", facts->version);
    add_text(object, "chip", inspect_chip_name(facts->chip));
    cJSON_AddStringToObject(object, "modified", transfer_date(image->modified.tv_sec, date));
    cJSON_AddStringToObject(object, "md5", hex_of(facts->md5, OTA_MD5_SIZE, hex));
    cJSON_AddStringToObject(object, "sha256", hex_of(facts->sha256, OTA_SHA256_SIZE, hex));
    add_text(object, "problem", facts->problem);
    return object;
}
