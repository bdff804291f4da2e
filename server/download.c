/* SPDX-License-Identifier: Apache-2.0 */

/* Files as answers. */

#include "server/download.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/decide.h"
#include "server/hex.h"
#include "server/packed.h"
#include "server/transfer.h"

/* The bytes that travel: an image's file, or its packed form. */
struct cargo {
    const struct catalog_image *image;
    const struct packed_image *packed; /* NULL: the file */
    uint64_t size;
    const uint8_t *md5;
    const uint8_t *sha256;
};

static struct cargo cargo_of(const struct catalog_image *image, const struct packed_image *packed)
{
    return packed != NULL
               ? (struct cargo){image, packed, packed->size, packed->md5, packed->sha256}
               : (struct cargo){image, NULL, image->size, image->facts.md5, image->facts.sha256};
}

/* It has 192 of the SHA-256's bits, so that with its quotes it fits the 64 bytes that a device keeps
   of it. */
#define ETAG_SIZE 51u
static const char *put_etag(const struct cargo *cargo, char etag[ETAG_SIZE])
{
    etag[0] = '"';
    hex_of(cargo->sha256, (ETAG_SIZE - 3) / 2, etag + 1);
    memcpy(etag + ETAG_SIZE - 2, "\"", 2);
    return etag;
}

/* RFC 4648 section 4; `text` holds 4 * ((len + 2) / 3) + 1. */
static const char *base64(const uint8_t *bytes, size_t len, char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *to = text;
    for (size_t i = 0; i < len; i += 3) {
        const uint32_t second = i + 1 < len ? bytes[i + 1] : 0u;
        const uint32_t third = i + 2 < len ? bytes[i + 2] : 0u;
        const uint32_t group = (uint32_t)bytes[i] << 16 | second << 8 | third;
        *to++ = digits[group >> 18];
        *to++ = digits[group >> 12 & 63];
        *to++ = i + 1 < len ? digits[group >> 6 & 63] : '=';
        *to++ = i + 2 < len ? digits[group & 63] : '=';
    }
    *to = '\0';
    return text;
}

/* Headers that say which bytes there are, whatever part of them is sent. */
static void add_facts(struct MHD_Response *response, const struct cargo *cargo)
{
    const char *project = cargo->image->facts.project;
    char text[128];
    char hex[2 * OTA_SHA256_SIZE + 1];

    MHD_add_response_header(response, "x-MD5", hex_of(cargo->md5, OTA_MD5_SIZE, hex));
    MHD_add_response_header(response, "x-SHA256", hex_of(cargo->sha256, OTA_SHA256_SIZE, hex));
    snprintf(text, sizeof text, "sha-256=:%s:", base64(cargo->sha256, OTA_SHA256_SIZE, hex));
    MHD_add_response_header(response, "Repr-Digest", text); /* RFC 9530 */
    MHD_add_response_header(response, "x-version", decide_version_text(cargo->image, hex));
    if (project[0] != '\0') {
        MHD_add_response_header(response, "x-Updraft-Project", project);
    }
}

/* RFC 9110 section 15.4.5: also a 304 has these. */
static void add_validators(struct MHD_Response *response, const struct cargo *cargo)
{
    char etag[ETAG_SIZE];
    char date[TRANSFER_DATE_SIZE];
    MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, put_etag(cargo, etag));
    MHD_add_response_header(response, MHD_HTTP_HEADER_LAST_MODIFIED,
                            transfer_date(cargo->image->modified.tv_sec, date));
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache");
    MHD_add_response_header(response, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
}

/* RFC 6266: the plain form for what every client reads, the extended one for other names. */
static void add_file_name(struct MHD_Response *response, const struct cargo *cargo)
{
    char full[256 + sizeof ".gz"];
    char plain[sizeof full];
    char extended[3 * sizeof full];
    char text[sizeof plain + sizeof extended + 64];
    size_t plain_len = 0;
    size_t extended_len = 0;
    bool is_plain = true;
    snprintf(full, sizeof full, "%s%s", cargo->image->name, cargo->packed != NULL ? ".gz" : "");
    const char *name = full;
    for (; *name != '\0' && plain_len + 1 < sizeof plain && extended_len + 3 < sizeof extended;
         name++) {
        const unsigned char c = (unsigned char)*name;
        const bool harmless = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                              (c >= 'a' && c <= 'z') || strchr("-._ ", c) != NULL;
        is_plain = is_plain && harmless;
        plain[plain_len++] = harmless ? (char)c : '_';
        if (harmless && c != ' ') {
            extended[extended_len++] = (char)c;
        } else {
            snprintf(extended + extended_len, 4, "%%%02X", c);
            extended_len += 3;
        }
    }
    plain[plain_len] = '\0';
    extended[extended_len] = '\0';
    if (is_plain) {
        snprintf(text, sizeof text, "attachment; filename=\"%s\"", plain);
    } else {
        snprintf(text, sizeof text, "attachment; filename=\"%s\"; filename*=UTF-8''%s", plain,
                 extended);
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_DISPOSITION, text);
}

static struct MHD_Response *empty_response(void)
{
    return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
}

enum MHD_Result download_send_facts(struct http_request *request, const struct catalog_image *image)
{
    const struct cargo cargo = cargo_of(image, NULL);
    struct MHD_Response *response = empty_response();
    if (response != NULL) {
        add_validators(response, &cargo);
        add_facts(response, &cargo);
    }
    return http_send(request, MHD_HTTP_OK, response);
}

/* 304, 412 and 416. */
static enum MHD_Result send_without_file(struct http_request *request, unsigned status,
                                         const struct cargo *cargo)
{
    struct MHD_Response *response =
        status == MHD_HTTP_NOT_MODIFIED ? http_not_modified() : empty_response();
    if (response == NULL) {
        return MHD_NO;
    }
    add_validators(response, cargo);
    if (status == MHD_HTTP_RANGE_NOT_SATISFIABLE) {
        char text[48];
        snprintf(text, sizeof text, "bytes */%" PRIu64, cargo->size);
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_RANGE, text);
    }
    return http_send(request, status, response);
}

static void add_part(struct MHD_Response *response, const struct transfer_plan *plan,
                     const struct cargo *cargo)
{
    char text[80];
    if (plan->status == MHD_HTTP_PARTIAL_CONTENT) {
        snprintf(text, sizeof text, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, plan->first,
                 plan->first + plan->length - 1, cargo->size);
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_RANGE, text);
    } else {
        /* RFC 2616 section 14.15 means the bytes of this answer, so it has no place in a 206. */
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_MD5,
                                base64(cargo->md5, OTA_MD5_SIZE, text));
    }
}

static struct transfer_plan plan_for(const struct http_request *request, const struct cargo *cargo)
{
    char etag[ETAG_SIZE];
    const struct transfer_file file = {
        .etag = put_etag(cargo, etag),
        .modified = cargo->image->modified.tv_sec,
        .size = cargo->size,
    };
    const struct transfer_request wanted = {
        .is_head = request->is_head,
        .if_match = http_header(request, MHD_HTTP_HEADER_IF_MATCH),
        .if_none_match = http_header(request, MHD_HTTP_HEADER_IF_NONE_MATCH),
        .if_modified_since = http_header(request, MHD_HTTP_HEADER_IF_MODIFIED_SINCE),
        .if_unmodified_since = http_header(request, MHD_HTTP_HEADER_IF_UNMODIFIED_SINCE),
        .if_range = http_header(request, MHD_HTTP_HEADER_IF_RANGE),
        .range = http_header(request, MHD_HTTP_HEADER_RANGE),
    };
    return transfer_plan(&wanted, &file);
}

static enum MHD_Result fail_to_open(struct http_request *request, struct catalog *catalog,
                                    const struct catalog_image *image)
{
    if (errno == ESTALE || errno == ENOENT) {
        catalog_refresh(catalog);
        return http_send_text(request, MHD_HTTP_SERVICE_UNAVAILABLE,
                              "%s has just been changed; ask again", image->name);
    }
    return http_send_text(request, MHD_HTTP_NOT_FOUND, "%s cannot be read: %s", image->name,
                          strerror(errno));
}

/* Sends from the file, which is taken over. */
static enum MHD_Result send_file(struct http_request *request, int fd, const struct cargo *cargo,
                                 const struct transfer_plan *plan)
{
    struct MHD_Response *response =
        MHD_create_response_from_fd_at_offset64(plan->length, fd, plan->first);
    if (response == NULL) {
        close(fd);
        return MHD_NO;
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/octet-stream");
    add_file_name(response, cargo);
    add_validators(response, cargo);
    add_facts(response, cargo);
    add_part(response, plan, cargo);
    request->record.first = plan->first;
    request->record.length = plan->length;
    request->record.compressed = cargo->packed != NULL;
    return http_send(request, plan->status, response);
}

enum MHD_Result download_send(struct http_request *request, struct catalog *catalog,
                              const struct catalog_snapshot *snapshot, struct catalog_image *image,
                              const struct packed_image *packed)
{
    int fd = packed != NULL ? packed_open(snapshot, image, packed) : -1;
    const struct cargo cargo = cargo_of(image, fd >= 0 ? packed : NULL);
    const struct transfer_plan plan = plan_for(request, &cargo);
    snprintf(request->record.image, sizeof request->record.image, "%s", image->name);
    if (plan.status != MHD_HTTP_OK && plan.status != MHD_HTTP_PARTIAL_CONTENT) {
        if (fd >= 0) {
            close(fd);
        }
        return send_without_file(request, plan.status, &cargo);
    }
    if (fd < 0) {
        /* Said before the file is looked at, so that no change falls between the two. */
        http_sends_image(request, image);
        fd = catalog_open_image(snapshot, image);
    }
    return fd >= 0 ? send_file(request, fd, &cargo, &plan) : fail_to_open(request, catalog, image);
}
