/* SPDX-License-Identifier: Apache-2.0 */
/* The scheme for http and https: each fetch is one transfer. */

#include <updraft/http_fetch.h>

#include <string.h>

static enum ota_err fetch_read(struct ota_fetch *self, void *data, size_t capacity, size_t *len,
                               bool *ended)
{
    struct ota_http_fetch *fetch = (struct ota_http_fetch *)self;
    enum ota_err err = ota_http_transfer_read(&fetch->transfer, data, capacity, len);

    self->size = fetch->transfer.size;
    *ended = fetch->transfer.state == OTA_TRANSFER_DONE;
    return err;
}

static void fetch_close(struct ota_fetch *self)
{
    struct ota_http_fetch *fetch = (struct ota_http_fetch *)self;

    ota_http_transfer_end(&fetch->transfer);
    fetch->is_open = false;
}

static bool serves(const struct ota_scheme *self, const char *name)
{
    const struct ota_http_scheme *scheme = (const struct ota_http_scheme *)self;

    return strcmp(name, "http") == 0 || (scheme->secure != NULL && strcmp(name, "https") == 0);
}

static struct ota_http_fetch *free_fetch(struct ota_http_scheme *scheme)
{
    for (size_t i = 0; i < OTA_HTTP_FETCHES; i++) {
        if (!scheme->fetches[i].is_open) {
            return &scheme->fetches[i];
        }
    }
    return NULL;
}

static enum ota_err begin(const struct ota_http_scheme *scheme, struct ota_platform *platform,
                          const struct ota_fetch_request *request, struct ota_http_fetch *fetch)
{
    const struct ota_http_transfer_options options = {
        .platform = platform,
        .secure = scheme->secure,
        .ca_pem = request->ca_pem,
        .url = request->uri,
        .allow_downgrade = scheme->allow_downgrade,
        .redirect_limit = scheme->redirect_limit,
        .head_timeout_ms = scheme->head_timeout_ms,
        .body_timeout_ms = scheme->body_timeout_ms,
        .body_least = scheme->body_least,
        .text = fetch->text,
        .text_size = sizeof fetch->text,
    };
    enum ota_err err = ota_http_transfer_begin(&fetch->transfer, &options);

    return err == OTA_OK
               ? ota_http_transfer_get(&fetch->transfer, request->offset, OTA_SIZE_UNKNOWN, NULL)
               : err;
}

static enum ota_err scheme_open(struct ota_scheme *self, struct ota_platform *platform,
                                const struct ota_fetch_request *request, struct ota_fetch **opened)
{
    struct ota_http_scheme *scheme = (struct ota_http_scheme *)self;
    struct ota_http_fetch *fetch = free_fetch(scheme);

    if (fetch == NULL) {
        return OTA_ERR_BUSY;
    }
    fetch->fetch = (struct ota_fetch){
        .size = OTA_SIZE_UNKNOWN,
        .read = fetch_read,
        .close = fetch_close,
    };
    enum ota_err err = begin(scheme, platform, request, fetch);
    if (err != OTA_OK) {
        return err;
    }
    fetch->is_open = true;
    *opened = &fetch->fetch;
    return OTA_OK;
}

void ota_http_scheme_init(struct ota_http_scheme *scheme, struct ota_secure *secure,
                          struct ota_scheme *next)
{
    memset(scheme, 0, sizeof *scheme);
    scheme->scheme = (struct ota_scheme){.serves = serves, .open = scheme_open, .next = next};
    scheme->secure = secure;
}
