/* SPDX-License-Identifier: Apache-2.0 */

/* The index page and the list of images. */

#include "server/pages.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/decide.h"
#include "server/facts.h"
#include "server/hex.h"
#include "server/transfer.h"

static enum MHD_Result send_page(struct http_request *request, const char *type, char *page,
                                 size_t size)
{
    struct MHD_Response *response =
        page == NULL ? NULL : MHD_create_response_from_buffer(size, page, MHD_RESPMEM_MUST_FREE);
    if (response == NULL) {
        free(page);
        return MHD_NO;
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    MHD_add_response_header(response, "Content-Security-Policy",
                            "default-src 'none'; style-src 'unsafe-inline'");
    request->record.length = size;
    return http_send(request, MHD_HTTP_OK, response);
}

/* ------------------------------------------------------------------ HTML */

static void put_html(FILE *page, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '<':
            fputs("&lt;", page);
            break;
        case '>':
            fputs("&gt;", page);
            break;
        case '&':
            fputs("&amp;", page);
            break;
        case '"':
            fputs("&quot;", page);
            break;
        default:
            fputc(*text, page);
        }
    }
}

static void put_cell(FILE *page, const char *text)
{
    fputs("<td>", page);
    put_html(page, text);
}

static void put_row(FILE *page, const struct catalog_image *image)
{
    const struct file_facts *facts = &image->facts;
    char hex[2 * OTA_SHA256_SIZE + 1];
    char date[TRANSFER_DATE_SIZE];
    fputs("<tr><td><a href=\"", page);
    facts_put_path(page, image);
    fputs("\">", page);
    put_html(page, image->name);
    fputs("</a>", page);
    put_cell(page, facts->project);
    put_cell(page, facts->version);
    put_cell(page, inspect_chip_name(facts->chip));
    fprintf(page, "<td class=n>%" PRIu64, image->size);
    put_cell(page, transfer_date(image->modified.tv_sec, date));
    fprintf(page, "<td><code title=\"%s\">%.12s…</code>",
            hex_of(facts->sha256, OTA_SHA256_SIZE, hex), hex);
    put_cell(page, facts->problem[0] != '\0' ? facts->problem : facts_kind(facts->kind));
    fputc('\n', page);
}

static const char page_head[] =
    "<!doctype html>\n<html lang=en><meta charset=utf-8><title>Updraft</title>\n"
    "<meta name=viewport content=\"width=device-width\">\n"
    "<style>body{font:16px/1.5 system-ui,sans-serif;margin:2em auto;max-width:72em;padding:0 1em}"
    "table{border-collapse:collapse}td,th{text-align:left;padding:.2em 1em .2em 0;"
    "border-bottom:1px solid #8884}.n{text-align:right}:root{color-scheme:light dark}</style>\n"
    "<h1>Updraft</h1>\n";

static const char page_foot[] =
    "<p>Devices ask at <code>/pull</code>, or <code>/pull/PROJECT</code> where there are several. "
    "Files are at <code>/files/NAME</code>, this list as JSON at "
    "<a href=\"/api/v1/images\">/api/v1/images</a>.\n";

enum MHD_Result pages_index(struct http_request *request, struct catalog *catalog)
{
    char *text = NULL;
    size_t size = 0;
    FILE *page = open_memstream(&text, &size);
    if (page == NULL) {
        return MHD_NO;
    }
    struct catalog_snapshot *snapshot = catalog_take(catalog);
    fputs(page_head, page);
    if (snapshot->count == 0) {
        fputs("<p>The folder is empty. Put an image into it, and it appears here.\n", page);
    } else {
        fputs("<table><tr><th>File<th>Project<th>Version<th>Chip<th class=n>Bytes<th>Changed"
              "<th>SHA-256<th>What\n",
              page);
        for (size_t i = 0; i < snapshot->count; i++) {
            put_row(page, snapshot->images[i]);
        }
        fputs("</table>\n", page);
    }
    fputs(page_foot, page);
    catalog_release(snapshot);
    const bool is_whole = ferror(page) == 0;
    if (fclose(page) != 0 || !is_whole) {
        free(text);
        return MHD_NO;
    }
    return send_page(request, "text/html; charset=utf-8", text, size);
}

/* ------------------------------------------------------------------ JSON */

enum MHD_Result pages_images(struct http_request *request, struct catalog *catalog)
{
    cJSON *list = cJSON_CreateObject();
    struct catalog_snapshot *snapshot = catalog_take(catalog);
    cJSON_AddNumberToObject(list, "generation", (double)snapshot->generation);
    cJSON *images = cJSON_AddArrayToObject(list, "images");
    for (size_t i = 0; i < snapshot->count; i++) {
        cJSON_AddItemToArray(images, facts_json(snapshot->images[i]));
    }
    catalog_release(snapshot);
    char *text = cJSON_Print(list);
    cJSON_Delete(list);
    return send_page(request, "application/json", text, text == NULL ? 0 : strlen(text));
}
