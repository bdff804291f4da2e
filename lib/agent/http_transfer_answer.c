/* SPDX-License-Identifier: Apache-2.0 */
/* How a transfer judges an answer when its head is whole: take it, follow it, or stop. */

#include <string.h>

#include "agent/http_transfer_private.h"
#include "proto/http_answer.h"

enum wanted {
    WANTED_CONTENT_RANGE,
    WANTED_LOCATION,
    WANTED_ETAG,
    WANTED_CONTENT_ENCODING,
    WANTED_CONNECTION,
};

const char *const ota__transfer_wanted[] = {
    [WANTED_CONTENT_RANGE] = "Content-Range",
    [WANTED_LOCATION] = "Location",
    [WANTED_ETAG] = "ETag",
    [WANTED_CONTENT_ENCODING] = "Content-Encoding",
    [WANTED_CONNECTION] = "Connection",
    NULL,
};

void ota__transfer_forget_answer(struct ota_http_transfer *transfer)
{
    transfer->status = 0;
    transfer->etag[0] = '\0';
    transfer->seen = 0;
    transfer->content_start = 0;
    transfer->content_end = 0;
    transfer->content_total = 0;
    transfer->body_end = OTA_SIZE_UNKNOWN;
    transfer->closes = false;
    transfer->is_asked = false;
    transfer->is_answered = false;
    transfer->is_redirected = false;
}

/* Tells whether one of the words of a list is `word`, in whatever case. */
static bool has_word(const char *list, const char *word)
{
    while (*list != '\0') {
        size_t skipped = strspn(list, ", \t");
        size_t len = strcspn(list + skipped, ", \t");
        if (len > 0 && ota_text_same_bytes(list + skipped, len, word)) {
            return true;
        }
        list += skipped + len;
    }
    return false;
}

static void note_range(struct ota_http_transfer *transfer, const char *value)
{
    struct ota__content_range range;

    if (ota__http_read_content_range(value, &range)) {
        transfer->content_start = range.first;
        transfer->content_end = range.last + 1;
        transfer->content_total = range.total;
    }
}

enum ota_err ota__transfer_on_header(void *context, unsigned index, const char *value)
{
    struct ota_http_transfer *transfer = context;
    uint16_t status = transfer->http.response.status;
    uint16_t bit = (uint16_t)(1u << index);

    if ((transfer->seen & bit) != 0 && index != WANTED_CONNECTION) {
        return OTA_ERR_HTTP_HEADER;
    }
    transfer->seen = (uint16_t)(transfer->seen | bit);
    switch ((enum wanted)index) {
    case WANTED_CONTENT_RANGE:
        note_range(transfer, value);
        return OTA_OK;
    case WANTED_LOCATION:
        return ota__http_is_redirect(status) &&
                       ota__url_resolve(transfer->url, transfer->url_size, value) != OTA_OK
                   ? OTA_ERR_HTTP_REDIRECT
                   : OTA_OK;
    case WANTED_ETAG:
        if (strlen(value) < sizeof transfer->etag) {
            memcpy(transfer->etag, value, strlen(value) + 1);
        }
        return OTA_OK;
    case WANTED_CONTENT_ENCODING:
        return (status == 200 || status == 206) && !ota_text_same(value, "identity")
                   ? OTA_ERR_HTTP_HEADER
                   : OTA_OK;
    case WANTED_CONNECTION:
        transfer->closes = transfer->closes || has_word(value, "close");
        return OTA_OK;
    }
    return OTA_OK;
}

static enum ota_err take_whole(struct ota_http_transfer *transfer,
                               const struct ota_http_response *response)
{
    if (transfer->range_from > 0) {
        return OTA_ERR_HTTP_RANGE;
    }
    transfer->size = response->length;
    transfer->body_end = response->length;
    return OTA_OK;
}

/* A part must begin where asked, and not end beyond; it may be shorter. */
static enum ota_err take_part(struct ota_http_transfer *transfer,
                              const struct ota_http_response *response)
{
    bool was_asked = transfer->range_from > 0 || transfer->range_to != OTA_SIZE_UNKNOWN;
    bool is_same_file = transfer->size == OTA_SIZE_UNKNOWN || transfer->range_from == 0 ||
                        transfer->size == transfer->content_total;

    if (!was_asked || transfer->content_total == 0 ||
        transfer->content_start != transfer->range_from ||
        transfer->content_end > transfer->range_to || !is_same_file ||
        (response->length != OTA_SIZE_UNKNOWN &&
         response->length != transfer->content_end - transfer->content_start)) {
        return OTA_ERR_HTTP_RANGE;
    }
    transfer->size = transfer->content_total;
    transfer->body_end = transfer->content_end;
    return OTA_OK;
}

static enum ota_err follow(struct ota_http_transfer *transfer)
{
    uint8_t limit = transfer->options.redirect_limit;

    limit = limit != 0 ? limit : OTA_HTTP_REDIRECTS;
    transfer->is_redirected = limit != OTA_HTTP_NO_REDIRECTS && transfer->redirects < limit &&
                              (transfer->seen & 1u << WANTED_LOCATION) != 0;
    return OTA_ERR_HTTP_REDIRECT;
}

enum ota_err ota__transfer_on_head(void *context, const struct ota_http_response *response)
{
    struct ota_http_transfer *transfer = context;
    enum ota_err err = ota__http_status_error(response->status);

    transfer->status = response->status;
    transfer->closes = transfer->closes || response->minor_version == 0;
    if (response->status == 200) {
        err = take_whole(transfer, response);
    } else if (response->status == 206) {
        err = take_part(transfer, response);
    } else if (ota__http_is_redirect(response->status)) {
        err = follow(transfer);
    } else if (err == OTA_OK) {
        err = OTA_ERR_HTTP_STATUS; /* 304: nothing was asked that it answers, or the caller knows */
    }
    if (err == OTA_OK) {
        transfer->state = OTA_TRANSFER_RECEIVING;
    }
    return err;
}
