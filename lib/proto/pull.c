/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP pull: from one exchange to the next, with redirects, ranges and retries, until the image is
 * proven or there is a reason why not. States and answers are drawn in updraft/pull.h.
 *
 * P1 Bytes go to the update only after a head that was judged TAKE, and only while EXCHANGING.
 * P2 The first of them goes where the update stands: 0 after begin, range_start after resume.
 * P3 The update is the pull's only from an offer taken to the end of the try, and RECEIVING for it
 * only
 *    while EXCHANGING or SETTLING: every way out suspends, ends or aborts it. At other times it may
 *    be another's, and is not touched.
 */

#include "proto/pull_private.h"

#include "base/mem.h"

static uint32_t or_default(uint32_t value, uint32_t fallback)
{
    return value != 0 ? value : fallback;
}

void ota__pull_tell(const struct ota_pull *pull, enum ota_pull_event event)
{
    const struct ota_pull_options *options = &pull->options;

    if (options->on_event != NULL) {
        options->on_event(options->context, pull, event);
    }
}

static bool is_receiving(const struct ota_pull *pull)
{
    return pull->took && pull->options.update->state == OTA_UPDATE_RECEIVING;
}

static void done(struct ota_pull *pull, enum ota_pull_result result)
{
    pull->state = OTA_PULL_DONE;
    pull->result = result;
    if (result != OTA_PULL_FAILED && result != OTA_PULL_DECLINED) {
        pull->failure = (struct ota_failure){OTA_OK, 0}; /* an earlier try's, made up for */
    }
}

/* Notes what struck; the offset is in the image. */
static void note(struct ota_pull *pull, enum ota_err err)
{
    const struct ota_update *update = pull->options.update;

    pull->failure.err = err;
    pull->failure.offset = 0;
    if (pull->took && update->state == OTA_UPDATE_FAILED && update->failure.err == err) {
        pull->failure.offset = update->failure.offset;
    } else if (is_receiving(pull)) {
        pull->failure.offset = update->received;
    }
}

/* ---- The way out of a try -------------------------------------------------------------------- */

/* xorshift32: spreads a fleet, nothing more. */
static uint32_t next_random(struct ota_pull *pull)
{
    pull->random ^= pull->random << 13;
    pull->random ^= pull->random >> 17;
    pull->random ^= pull->random << 5;
    return pull->random;
}

/* The n-th wait is between half and all of backoff_ms * 2^n, at most OTA_PULL_BACKOFF_MAX_MS; what
   the server asked for comes on top. */
static uint32_t backoff(struct ota_pull *pull)
{
    uint32_t wait = or_default(pull->options.backoff_ms, OTA_PULL_BACKOFF_MS);

    for (unsigned i = 1; i < pull->retries && wait < OTA_PULL_BACKOFF_MAX_MS; i++) {
        wait *= 2;
    }
    wait = wait < OTA_PULL_BACKOFF_MAX_MS ? wait : OTA_PULL_BACKOFF_MAX_MS;
    wait -= next_random(pull) % (wait / 2 + 1);
    return wait + pull->retry_after_s * 1000;
}

/* Tries again later, or gives up with what was noted. */
static void retry(struct ota_pull *pull)
{
    uint32_t limit = or_default(pull->options.retry_limit, OTA_PULL_RETRIES);

    if (pull->options.no_retry || pull->retries >= limit ||
        pull->retry_after_s > OTA_PULL_RETRY_AFTER_MAX_S) {
        done(pull, OTA_PULL_FAILED);
        return;
    }
    pull->took = false;
    pull->retries++;
    pull->wait_ms = backoff(pull);
    pull->retry_after_s = 0;
    pull->since_ms = pull->now_ms;
    pull->state = OTA_PULL_WAITING;
    ota__pull_tell(pull, OTA_PULL_RETRY_PLANNED);
}

static bool is_transport_error(enum ota_err err)
{
    return err == OTA_ERR_CONNECT || err == OTA_ERR_CONNECTION_LOST || err == OTA_ERR_TIMEOUT ||
           err == OTA_ERR_INCOMPLETE;
}

/* The exchange broke off with `err`. */
static void broken(struct ota_pull *pull, enum ota_err err)
{
    struct ota_update *update = pull->options.update;

    note(pull, err);
    if (is_receiving(pull)) {
        /* Some bytes more than ever before: the line is bad, but not hopeless. */
        if (update->received > pull->reached) {
            pull->reached = update->received;
            pull->retries = 0;
        }
        pull->prefer_plain = pull->prefer_plain || update->is_compressed;
        if (err == OTA_ERR_TOO_LARGE) {
            ota_update_abort(update); /* what came was not what was announced */
        } else {
            ota_update_suspend(update);
        }
    }
    if (is_transport_error(err)) {
        retry(pull);
    } else {
        done(pull, OTA_PULL_FAILED);
    }
}

/* The update refused: for good, unless it stood on what an earlier transfer left in the flash. */
static void refused(struct ota_pull *pull, enum ota_err err)
{
    note(pull, err);
    if (pull->resumed) {
        pull->resumed = false;
        pull->no_range = true;
        retry(pull);
    } else {
        done(pull, OTA_PULL_FAILED);
    }
}

/* ---- The way into a try ---------------------------------------------------------------------- */

static bool may_go(const struct ota_pull *pull, const struct ota__url *url)
{
    if (url->host.len > OTA_PULL_HOST_MAX) {
        return false;
    }
    if (url->secure) {
        return pull->options.may_secure;
    }
    return pull->redirects == 0 || !pull->is_secure || pull->options.allow_downgrade;
}

/* Goes to where the present URL points. */
static void go(struct ota_pull *pull)
{
    struct ota__url url, first;
    enum ota_err err = ota__url_parse(&url, pull->url);

    if (err != OTA_OK || !may_go(pull, &url)) {
        note(pull, pull->redirects > 0 ? OTA_ERR_HTTP_REDIRECT : OTA_ERR_URL);
        done(pull, OTA_PULL_FAILED);
        return;
    }
    memcpy(pull->host, url.host.at, url.host.len);
    pull->host[url.host.len] = '\0';
    pull->port = url.port;
    pull->is_secure = url.secure;
    (void)ota__url_parse(&first, pull->options.url);
    pull->away = !ota__url_keeps_trust(&first, &url);
    pull->since_ms = pull->now_ms;
    pull->state = OTA_PULL_CONNECTING;
}

/* Asks the journal how much of an interrupted update is there. */
static void choose_range(struct ota_pull *pull)
{
    const struct ota_update_options *target = &pull->options.update_options;
    uint32_t offset = 0;

    pull->range_start = 0;
    if (pull->no_range || pull->options.mode == OTA_PULL_VERSION ||
        ota_update_pending(target->device, target->label, &pull->pending, &pull->pending_size,
                           &offset) != OTA_OK ||
        !ota__pull_may_resume(pull)) {
        return;
    }
    if (offset < pull->pending_size) {
        pull->range_start = offset;
    }
}

static void start_try(struct ota_pull *pull)
{
    size_t len = strlen(pull->options.url);

    memcpy(pull->url, pull->options.url, len + 1);
    pull->redirects = 0;
    pull->took = false;
    choose_range(pull);
    go(pull);
}

enum ota_err ota_pull_begin(struct ota_pull *pull, const struct ota_pull_options *options,
                            uint32_t now_ms)
{
    struct ota__url url;

    if (options->url == NULL || options->facts == NULL || options->text == NULL ||
        options->text_size < OTA_PULL_TEXT_MIN ||
        (options->mode != OTA_PULL_VERSION &&
         (options->update == NULL || options->update_options.device == NULL))) {
        return OTA_ERR_ARGUMENT;
    }
    memset(pull, 0, sizeof *pull);
    pull->options = *options;
    if (options->dialect == NULL) {
        pull->options.dialect = &ota_pull_updraft;
    }
    pull->url = options->text;
    pull->url_size = options->text_size / 2 < UINT16_MAX ? options->text_size / 2 : UINT16_MAX;
    enum ota_err err = ota__url_parse(&url, options->url);
    if (err != OTA_OK || !may_go(pull, &url) || strlen(options->url) >= pull->url_size) {
        return OTA_ERR_URL;
    }
    err = ota__pull_check_request(&pull->options);
    if (err != OTA_OK) {
        return err;
    }
    pull->now_ms = now_ms;
    pull->random = or_default(options->random, 1);
    pull->prefer_plain = options->prefer_plain;
    start_try(pull);
    return OTA_OK;
}

static enum ota_err on_body(void *context, const void *data, size_t len)
{
    struct ota_pull *pull = context;

    return ota_update_write(pull->options.update, data, len);
}

void ota_pull_connected(struct ota_pull *pull)
{
    if (pull->state != OTA_PULL_CONNECTING) {
        return;
    }
    ota__pull_forget_answer(pull);
    pull->request = (struct ota_http_request){
        .method = "GET",
        .minor_version = pull->options.dialect->minor_version,
        .write_target = ota__pull_write_target,
        .write_headers = ota__pull_write_headers,
        .wanted = ota__pull_wanted,
        .on_header = ota__pull_on_header,
        .on_head = ota__pull_on_head,
        .on_body = on_body,
        .context = pull,
        .buffer = pull->options.text + pull->url_size,
        .buffer_size = pull->url_size,
    };
    (void)ota_http_client_begin(&pull->http, &pull->request, pull->now_ms);
    pull->state = OTA_PULL_EXCHANGING;
}

/* ---- The exchange ---------------------------------------------------------------------------- */

/* The whole body is there and nothing came behind it. */
static void finish(struct ota_pull *pull)
{
    struct ota_update *update = pull->options.update;

    if (update->received < pull->offer.size) {
        broken(pull, OTA_ERR_INCOMPLETE); /* a chunked rest that ended early */
        return;
    }
    enum ota_err err = ota_update_end(update);
    if (err != OTA_OK) {
        refused(pull, err);
        return;
    }
    done(pull, OTA_PULL_UPDATED);
}

/* Does what the head of the answer asked for. */
static void obey(struct ota_pull *pull)
{
    switch (pull->verdict) {
    case OTA_PULL_FOLLOW:
        pull->redirects++;
        go(pull);
        if (pull->state == OTA_PULL_CONNECTING) {
            ota__pull_tell(pull, OTA_PULL_REDIRECTED);
        }
        break;
    case OTA_PULL_AGAIN:
        note(pull, pull->verdict_err);
        ota__pull_tell(pull, OTA_PULL_ASKED_AGAIN);
        start_try(pull);
        break;
    case OTA_PULL_LATER:
        note(pull, pull->verdict_err);
        retry(pull);
        break;
    default:
        note(pull, pull->verdict_err);
        done(pull, pull->verdict_result);
        break;
    }
}

/* Looks at what the exchange has come to. */
static void consider(struct ota_pull *pull, enum ota_err err)
{
    const struct ota_update *update = pull->options.update;

    if (pull->verdict != OTA_PULL_TAKE) {
        obey(pull);
    } else if (err != OTA_OK && pull->took && update->state == OTA_UPDATE_FAILED) {
        refused(pull, err);
    } else if (err != OTA_OK) {
        broken(pull, err);
    } else if (pull->http.state == OTA_HTTP_DONE && pull->state == OTA_PULL_EXCHANGING) {
        pull->state = OTA_PULL_SETTLING;
        pull->since_ms = pull->now_ms;
    }
}

size_t ota_pull_output(const struct ota_pull *pull, void *buffer, size_t capacity)
{
    /* An answer that begins before the request is out has overtaken it. */
    if (pull->state != OTA_PULL_EXCHANGING || pull->seen != 0) {
        return 0;
    }
    return ota_http_client_output(&pull->http, buffer, capacity);
}

void ota_pull_sent(struct ota_pull *pull, size_t len)
{
    if (pull->state == OTA_PULL_EXCHANGING) {
        ota_http_client_sent(&pull->http, len);
    }
}

void ota_pull_input(struct ota_pull *pull, const void *data, size_t len)
{
    if (pull->state == OTA_PULL_EXCHANGING || pull->state == OTA_PULL_SETTLING) {
        consider(pull, ota_http_client_input(&pull->http, data, len));
    }
}

void ota_pull_closed(struct ota_pull *pull, enum ota_err err)
{
    switch (pull->state) {
    case OTA_PULL_CONNECTING:
        broken(pull, err != OTA_OK ? err : OTA_ERR_CONNECT);
        break;
    case OTA_PULL_EXCHANGING:
        if (err == OTA_OK) {
            err = ota_http_client_closed(&pull->http);
        }
        consider(pull, err);
        if (pull->state == OTA_PULL_SETTLING) {
            finish(pull);
        }
        break;
    case OTA_PULL_SETTLING:
        finish(pull);
        break;
    default:
        break;
    }
}

void ota_pull_tick(struct ota_pull *pull, uint32_t now_ms)
{
    pull->now_ms = now_ms;
    if (pull->state == OTA_PULL_EXCHANGING) {
        enum ota_err err = ota_http_client_tick(&pull->http, now_ms);
        if (err != OTA_OK) {
            broken(pull, err);
        }
        return;
    }
    if (ota_pull_wait_ms(pull) > 0) {
        return;
    }
    switch (pull->state) {
    case OTA_PULL_WAITING:
        start_try(pull);
        break;
    case OTA_PULL_CONNECTING:
        broken(pull, OTA_ERR_TIMEOUT);
        break;
    case OTA_PULL_SETTLING:
        finish(pull);
        break;
    default:
        break;
    }
}

uint32_t ota_pull_wait_ms(const struct ota_pull *pull)
{
    uint32_t limit;

    switch (pull->state) {
    case OTA_PULL_WAITING:
        limit = pull->wait_ms;
        break;
    case OTA_PULL_CONNECTING:
        limit = OTA_PULL_CONNECT_TIMEOUT_MS;
        break;
    case OTA_PULL_SETTLING:
        limit = OTA_PULL_LINGER_MS;
        break;
    case OTA_PULL_EXCHANGING:
        return ota_http_client_wait_ms(&pull->http);
    default:
        return UINT32_MAX;
    }
    uint32_t passed = pull->now_ms - pull->since_ms;
    return passed < limit ? limit - passed : 0;
}

void ota_pull_stop(struct ota_pull *pull)
{
    if (pull->state == OTA_PULL_DONE || pull->state == OTA_PULL_IDLE) {
        return;
    }
    note(pull, OTA_ERR_ABORTED);
    if (is_receiving(pull)) {
        ota_update_suspend(pull->options.update);
    }
    done(pull, OTA_PULL_FAILED);
}
