/* SPDX-License-Identifier: Apache-2.0 */
/* Devices that fetch: HTTP pull, the update from one URL, and the upgrade list. */
#include <stddef.h>
#include <string.h>

#include <updraft/https_update.h>

#include "power/server.h"

static struct server server;
static char text[2048];

/* ---- HTTP pull ------------------------------------------------------------------------------- */

static struct ota_pull pull;

static void leave_door(struct transfer *transfer)
{
    if (transfer->intake.state == OTA_INTAKE_TAKEN) {
        ota_intake_suspend(&transfer->intake);
    }
}

static enum ota_err on_offer(void *context, const struct ota_pull *offering)
{
    struct transfer *transfer = context;
    const struct ota_arrival arrival = {
        .way = "pull",
        .is_data = transfer->image < 0,
        .size = offering->offer.size,
    };

    leave_door(transfer); /* it may be the pull's from the answer before this one */
    return ota_intake_reserve(&transfer->intake, &arrival, &pull.options.update_options);
}

static void exchange(struct transfer *transfer)
{
    char piece[TRANSFER_PIECE];
    size_t len = ota_pull_output(&pull, piece, sizeof piece);

    if (len > 0) {
        server_hear(&server, piece, len);
        ota_pull_sent(&pull, len);
        return;
    }
    len = server_say(&server, piece, sizeof piece);
    if (len > 0) {
        ota_pull_input(&pull, piece, len);
        return;
    }
    ota_pull_closed(&pull, transfer->is_broken ? OTA_ERR_CONNECTION_LOST : OTA_OK);
}

static void pull_step(struct transfer *transfer)
{
    ota_pull_tick(&pull, transfer->now_ms);
    switch (pull.state) {
    case OTA_PULL_CONNECTING:
        server_open(&server, transfer);
        ota_pull_connected(&pull);
        break;
    case OTA_PULL_EXCHANGING:
        exchange(transfer);
        break;
    case OTA_PULL_SETTLING:
        ota_pull_closed(&pull, OTA_OK);
        break;
    case OTA_PULL_WAITING:
        if (transfer->is_broken) {
            ota_pull_stop(&pull); /* the story goes on after a restart */
        }
        transfer->now_ms += ota_pull_wait_ms(&pull);
        break;
    default:
        break;
    }
}

enum ota_err transfer_by_pull(struct transfer *transfer)
{
    static const struct ota_pull_facts facts = {.chip = "esp32", .version = "0.0.0"};
    const struct ota_pull_options options = {
        .url = "http://server/update",
        .facts = &facts,
        .mode = transfer->image < 0 ? OTA_PULL_FILE_SYSTEM : OTA_PULL_FIRMWARE,
        .update = &transfer->intake.update,
        .update_options = {.device = &transfer->board->device,
                           .label = transfer->image < 0 ? "storage" : NULL},
        .text = text,
        .text_size = sizeof text,
        .on_offer = on_offer,
        .context = transfer,
    };
    enum ota_err err = ota_pull_begin(&pull, &options, 0);

    while (err == OTA_OK && pull.state != OTA_PULL_DONE) {
        pull_step(transfer);
    }
    if (err == OTA_OK && pull.result != OTA_PULL_UPDATED) {
        leave_door(transfer);
        err = pull.failure.err;
    } else if (err == OTA_OK) {
        err = ota_intake_end(&transfer->intake);
        err = err == OTA_OK ? ota_intake_activate(&transfer->intake) : err;
    }
    return err == OTA_ERR_HELD ? OTA_OK : err;
}

/* ---- A platform with one connection ---------------------------------------------------------- */

static enum ota_err stream_read(struct ota_stream *stream, void *data, size_t capacity, size_t *len,
                                bool *ended)
{
    (void)stream;
    *len = server_say(&server, data, capacity);
    *ended = false;
    return *len == 0 && server.transfer->is_broken ? OTA_ERR_CONNECTION_LOST : OTA_OK;
}

static enum ota_err stream_write(struct ota_stream *stream, const void *data, size_t len,
                                 size_t *sent)
{
    (void)stream;
    server_hear(&server, data, len);
    *sent = len;
    return OTA_OK;
}

static void stream_close(struct ota_stream *stream)
{
    (void)stream;
}

struct network {
    struct ota_platform platform; /* first: the object gets itself back by a cast */
    struct ota_scheme scheme;
    struct transfer *transfer;

    /* An open fetch. */
    struct ota_fetch fetch;
    int image;
    uint32_t at;
};

static struct network network;

static uint32_t network_now(struct ota_platform *platform)
{
    return ((struct network *)platform)->transfer->now_ms;
}

static void network_wait(struct ota_platform *platform, uint32_t timeout_ms)
{
    ((struct network *)platform)->transfer->now_ms += timeout_ms;
}

static enum ota_err network_connect(struct ota_platform *platform, const char *host, uint16_t port,
                                    struct ota_stream **stream)
{
    static struct ota_stream connection = {
        .read = stream_read, .write = stream_write, .close = stream_close};

    (void)host;
    (void)port;
    server_open(&server, ((struct network *)platform)->transfer);
    *stream = &connection;
    return OTA_OK;
}

static void network_begin(struct transfer *transfer)
{
    network = (struct network){
        .platform = {.now_ms = network_now, .wait = network_wait, .connect = network_connect},
        .transfer = transfer,
    };
}

/* ---- The update from one URL ----------------------------------------------------------------- */

static struct ota_https_update update;

static struct ota_https_update_options url_options(struct transfer *transfer)
{
    network_begin(transfer);
    return (struct ota_https_update_options){
        .platform = &network.platform,
        .intake = &transfer->intake,
        .url = "http://server/update",
        .is_data = transfer->image < 0,
        .resume = true,
        .allow_http = true,
        .text = text,
        .text_size = sizeof text,
    };
}

static enum ota_err url_result(enum ota_err err)
{
    return err == OTA_ERR_HELD && update.state == OTA_HTTPS_UPDATE_DONE ? OTA_OK : err;
}

enum ota_err transfer_by_https(struct transfer *transfer)
{
    const struct ota_https_update_options options = url_options(transfer);

    return url_result(ota_https_update(&update, &options));
}

enum ota_err transfer_by_ranges(struct transfer *transfer)
{
    struct ota_https_update_options options = url_options(transfer);

    options.max_request = 3 * TRANSFER_PIECE;
    options.bulk_erase = transfer->board->scenario->ahead;
    enum ota_err err = ota_https_update_begin(&update, &options);
    while (err == OTA_OK && !ota_https_update_is_complete(&update)) {
        err = ota_https_update_perform(&update);
    }
    if (err == OTA_OK) {
        err = ota_https_update_finish(&update);
    } else {
        ota_https_update_abort(&update);
    }
    return url_result(err);
}

/* ---- The upgrade list ------------------------------------------------------------------------ */

static struct ota_upgrade_list list;

static enum ota_err fetch_read(struct ota_fetch *fetch, void *data, size_t capacity, size_t *len,
                               bool *ended)
{
    const struct board_image *image = &network.transfer->board->images[network.image];
    const uint32_t limit = network.transfer->limit;
    const uint32_t end = limit < image->size ? limit : image->size;

    (void)fetch;
    *len = end - network.at < TRANSFER_PIECE ? end - network.at : TRANSFER_PIECE;
    *len = *len < capacity ? *len : capacity;
    memcpy(data, image->bytes + network.at, *len);
    network.at += (uint32_t)*len;
    *ended = network.at == image->size;
    network.transfer->is_broken = *len == 0 && !*ended;
    return network.transfer->is_broken ? OTA_ERR_CONNECTION_LOST : OTA_OK;
}

static void fetch_close(struct ota_fetch *fetch)
{
    (void)fetch;
}

static bool serves(const struct ota_scheme *scheme, const char *name)
{
    (void)scheme;
    return strcmp(name, "mem") == 0;
}

/* "mem:2" is image 2. */
static enum ota_err open_fetch(struct ota_scheme *scheme, struct ota_platform *platform,
                               const struct ota_fetch_request *request, struct ota_fetch **fetch)
{
    struct network *of = (struct network *)platform;

    (void)scheme;
    of->image = request->uri[4] - '0';
    of->at = 0;
    of->fetch = (struct ota_fetch){.size = of->transfer->board->images[of->image].size,
                                   .read = fetch_read,
                                   .close = fetch_close};
    *fetch = &of->fetch;
    return OTA_OK;
}

/* The first failure of the items. */
static enum ota_err list_result(void)
{
    for (size_t i = 0; i < list.options.count; i++) {
        if (list.results[i].outcome == OTA_UPGRADE_FAILED) {
            return list.results[i].err;
        }
    }
    return OTA_OK;
}

enum ota_err transfer_by_list(struct transfer *transfer)
{
    static const char *const uris[BOARD_IMAGES_MAX] = {"mem:0", "mem:1", "mem:2", "mem:3"};
    const struct board_image *images = transfer->board->images;
    const bool app_first = transfer->board->scenario->app_first;
    struct ota_upgrade_item items[2];

    items[app_first ? 0 : 1] = (struct ota_upgrade_item){
        .kind = OTA_UPGRADE_APP,
        .uri = uris[transfer->image],
        .expected = images[transfer->image].digest,
        .restart = true,
        .break_after_fail = true,
    };
    items[app_first ? 1 : 0] = (struct ota_upgrade_item){
        .kind = OTA_UPGRADE_DATA,
        .label = "storage",
        .uri = uris[transfer->data],
        .break_after_fail = true,
    };
    network_begin(transfer);
    network.scheme = (struct ota_scheme){.serves = serves, .open = open_fetch};
    const struct ota_upgrade_list_options options = {
        .items = items,
        .count = 2,
        .schemes = &network.scheme,
        .platform = &network.platform,
        .intake = &transfer->intake,
    };
    enum ota_err err = ota_upgrade_list_init(&list, &options);
    err = err == OTA_OK ? ota_upgrade_list_start(&list) : err;
    while (err == OTA_OK && list.state != OTA_UPGRADE_FINISHED) {
        transfer->now_ms += ota_upgrade_list_poll(&list, transfer->now_ms);
    }
    return err == OTA_OK ? list_result() : err;
}
