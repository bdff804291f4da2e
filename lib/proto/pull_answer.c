/* SPDX-License-Identifier: Apache-2.0 */
/* How HTTP pull judges an answer when its head is whole: take it, follow it, ask again, wait,
   stop. */

#include "proto/pull_private.h"

#include "base/mem.h"
#include "proto/http_answer.h"

enum wanted {
    WANTED_CONTENT_RANGE,
    WANTED_LOCATION,
    WANTED_MD5,
    WANTED_SHA256,
    WANTED_ETAG,
    WANTED_VERSION,
    WANTED_RETRY_AFTER,
    WANTED_CONTENT_ENCODING,
};

const char *const ota__pull_wanted[] = {
    [WANTED_CONTENT_RANGE] = "Content-Range",
    [WANTED_LOCATION] = "Location",
    [WANTED_MD5] = "x-MD5",
    [WANTED_SHA256] = "x-SHA256",
    [WANTED_ETAG] = "ETag",
    [WANTED_VERSION] = "x-version",
    [WANTED_RETRY_AFTER] = "Retry-After",
    [WANTED_CONTENT_ENCODING] = "Content-Encoding",
    NULL,
};

/* What a status leads to where no body is taken. The first row that has it counts. */
static const struct answer {
    uint16_t first, last;
    uint8_t verdict; /* enum ota_pull_verdict */
    uint8_t result;  /* enum ota_pull_result, for STOP */
} answers[] = {
    {301, 303, OTA_PULL_FOLLOW, 0}, {304, 304, OTA_PULL_STOP, OTA_PULL_CURRENT},
    {307, 308, OTA_PULL_FOLLOW, 0}, {408, 408, OTA_PULL_LATER, 0},
    {416, 416, OTA_PULL_AGAIN, 0},  {429, 429, OTA_PULL_LATER, 0},
    {500, 599, OTA_PULL_LATER, 0},  {0, UINT16_MAX, OTA_PULL_STOP, OTA_PULL_FAILED},
};

static const struct answer *answer_for(uint16_t status)
{
    const struct answer *answer = answers;

    while (status < answer->first || status > answer->last) {
        answer++;
    }
    return answer;
}

/* ---- Headers --------------------------------------------------------------------------------- */

void ota__pull_forget_answer(struct ota_pull *pull)
{
    memset(&pull->offer, 0, sizeof pull->offer);
    pull->seen = 0;
    pull->content_total = 0; /* fits nothing */
    pull->retry_after_s = 0;
    pull->verdict = OTA_PULL_TAKE;
    pull->verdict_result = OTA_PULL_UNDECIDED;
    pull->verdict_err = OTA_OK;
}

static bool has_seen(const struct ota_pull *pull, enum wanted header)
{
    return (pull->seen & 1u << header) != 0;
}

static void copy_string(char *to, size_t size, const char *from)
{
    struct ota_text text;

    ota_text_begin(&text, to, size);
    ota_text_put(&text, from);
    (void)ota_text_end(&text);
}

enum ota_err ota__pull_on_header(void *context, unsigned index, const char *value)
{
    struct ota_pull *pull = context;
    struct ota_pull_offer *offer = &pull->offer;
    uint16_t status = pull->http.response.status;
    bool is_image = status == 200 || status == 206;
    struct ota__content_range range;

    if (has_seen(pull, (enum wanted)index)) {
        return OTA_ERR_HTTP_HEADER;
    }
    pull->seen = (uint16_t)(pull->seen | 1u << index);
    switch ((enum wanted)index) {
    case WANTED_CONTENT_RANGE:
        (void)ota__http_read_content_range(value, &range);
        pull->content_start = range.first;
        pull->content_end = range.last;
        pull->content_total = range.total;
        return OTA_OK;
    case WANTED_LOCATION:
        return answer_for(status)->verdict == OTA_PULL_FOLLOW &&
                       ota__url_resolve(pull->url, pull->url_size, value) != OTA_OK
                   ? OTA_ERR_HTTP_REDIRECT
                   : OTA_OK;
    case WANTED_MD5:
        offer->has_md5 = ota_text_read_hex(value, offer->md5, sizeof offer->md5);
        return is_image && !offer->has_md5 ? OTA_ERR_HTTP_HEADER : OTA_OK;
    case WANTED_SHA256:
        offer->has_sha256 = ota_text_read_hex(value, offer->sha256, sizeof offer->sha256);
        return is_image && !offer->has_sha256 ? OTA_ERR_HTTP_HEADER : OTA_OK;
    case WANTED_ETAG:
        if (strlen(value) < sizeof offer->etag) {
            copy_string(offer->etag, sizeof offer->etag, value);
        }
        return OTA_OK;
    case WANTED_VERSION:
        copy_string(offer->version, sizeof offer->version, value);
        return OTA_OK;
    case WANTED_RETRY_AFTER:
        /* A date needs a clock that knows the day: then the back-off alone counts. */
        (void)ota_text_read_decimal(value, strlen(value), &pull->retry_after_s);
        return OTA_OK;
    case WANTED_CONTENT_ENCODING:
        return is_image && !ota_text_same(value, "identity") ? OTA_ERR_HTTP_HEADER : OTA_OK;
    }
    return OTA_OK;
}

/* ---- Verdicts -------------------------------------------------------------------------------- */

static enum ota_err decide(struct ota_pull *pull, enum ota_pull_verdict verdict,
                           enum ota_pull_result result, enum ota_err err)
{
    pull->verdict = verdict;
    pull->verdict_result = result;
    pull->verdict_err = err;
    return verdict == OTA_PULL_TAKE ? OTA_OK : OTA_ERR_ABORTED;
}

static enum ota_err stop(struct ota_pull *pull, enum ota_err err)
{
    return decide(pull, OTA_PULL_STOP, OTA_PULL_FAILED, err);
}

/* The digest by which the offer is recognised and proven: the caller's, or the answer's; where an
   interrupted update waits, of the kind that recognises that. */
static struct ota_digest digest_of(const struct ota_pull *pull, enum ota_identity_kind kind)
{
    const struct ota_pull_offer *offer = &pull->offer;
    struct ota_digest digest = pull->options.update_options.expected;

    if (digest.algorithm != OTA_HASH_NONE || kind == OTA_IDENTITY_ETAG) {
        return digest;
    }
    if (offer->has_sha256 && kind != OTA_IDENTITY_MD5) {
        digest.algorithm = OTA_HASH_SHA256;
        memcpy(digest.bytes, offer->sha256, OTA_SHA256_SIZE);
    } else if (offer->has_md5 && kind != OTA_IDENTITY_SHA256) {
        digest.algorithm = OTA_HASH_MD5;
        memcpy(digest.bytes, offer->md5, OTA_MD5_SIZE);
    }
    return digest;
}

static struct ota_identity identity_of(const struct ota_digest *digest, const char *etag)
{
    return digest->algorithm != OTA_HASH_NONE ? ota_identity_from_digest(digest)
                                              : ota_identity_from_etag(etag);
}

bool ota__pull_may_resume(const struct ota_pull *pull)
{
    const struct ota_digest *expected = &pull->options.update_options.expected;

    if (expected->algorithm != OTA_HASH_NONE) {
        struct ota_identity identity = ota_identity_from_digest(expected);
        return ota_identity_equal(&identity, &pull->pending);
    }
    if (pull->pending.kind == OTA_IDENTITY_ETAG) {
        return ota__http_is_etag(pull->pending.bytes, pull->pending.len);
    }
    return pull->pending.kind != OTA_IDENTITY_NONE;
}

/* Tells whether the answer's digest contradicts the one that the caller expects. */
static bool is_another_image(const struct ota_pull *pull)
{
    const struct ota_digest *expected = &pull->options.update_options.expected;
    const struct ota_pull_offer *offer = &pull->offer;

    return (expected->algorithm == OTA_HASH_MD5 && offer->has_md5 &&
            memcmp(expected->bytes, offer->md5, OTA_MD5_SIZE) != 0) ||
           (expected->algorithm == OTA_HASH_SHA256 && offer->has_sha256 &&
            memcmp(expected->bytes, offer->sha256, OTA_SHA256_SIZE) != 0);
}

static enum ota_err ask(struct ota_pull *pull)
{
    const struct ota_pull_options *options = &pull->options;
    enum ota_err err =
        options->on_offer == NULL ? OTA_OK : options->on_offer(options->context, pull);

    pull->took = err == OTA_OK;
    return err;
}

static struct ota_update_options update_options(const struct ota_pull *pull,
                                                const struct ota_digest *digest)
{
    struct ota_update_options options = pull->options.update_options;

    options.size = pull->offer.size;
    options.expected = *digest;
    options.etag = pull->offer.etag[0] != '\0' ? pull->offer.etag : NULL;
    return options;
}

static enum ota_err take_whole(struct ota_pull *pull, const struct ota_http_response *response)
{
    struct ota_digest digest = digest_of(pull, OTA_IDENTITY_NONE);

    if (response->length == OTA_SIZE_UNKNOWN || response->length == 0) {
        return stop(pull, OTA_ERR_HTTP_NO_LENGTH);
    }
    pull->offer.size = response->length;
    if (is_another_image(pull)) {
        return stop(pull, OTA_ERR_DIGEST);
    }
    enum ota_err err = ask(pull);
    if (err != OTA_OK) {
        return decide(pull, OTA_PULL_STOP, OTA_PULL_DECLINED, err);
    }
    struct ota_update_options options = update_options(pull, &digest);
    err = ota_update_begin(pull->options.update, &options);
    if (err != OTA_OK) {
        return stop(pull, err);
    }
    pull->no_range = false;
    pull->resumed = false;
    return decide(pull, OTA_PULL_TAKE, OTA_PULL_UPDATED, OTA_OK);
}

static enum ota_err again_without_range(struct ota_pull *pull)
{
    pull->no_range = true;
    return decide(pull, OTA_PULL_AGAIN, OTA_PULL_UNDECIDED, OTA_ERR_HTTP_RANGE);
}

/* Tells whether a 206 carries bytes that the interrupted update wants next. It may be fewer than
   all that is left: the rest is then asked for when these are there. */
static bool fits(const struct ota_pull *pull, const struct ota_http_response *response,
                 const struct ota_digest *digest)
{
    struct ota_identity identity = identity_of(digest, pull->offer.etag);

    return pull->content_start == pull->range_start && pull->content_total == pull->pending_size &&
           pull->content_end >= pull->content_start && pull->content_end < pull->content_total &&
           (response->length == OTA_SIZE_UNKNOWN ||
            response->length == pull->content_end - pull->content_start + 1) &&
           !is_another_image(pull) && ota_identity_equal(&identity, &pull->pending);
}

static enum ota_err take_rest(struct ota_pull *pull, const struct ota_http_response *response)
{
    struct ota_update *update = pull->options.update;
    struct ota_digest digest = digest_of(pull, (enum ota_identity_kind)pull->pending.kind);
    uint32_t offset;

    if (pull->range_start == 0) {
        return stop(pull, OTA_ERR_HTTP_RANGE);
    }
    if (!fits(pull, response, &digest)) {
        return again_without_range(pull);
    }
    pull->offer.size = pull->pending_size;
    pull->offer.offset = pull->range_start;
    enum ota_err err = ask(pull);
    if (err != OTA_OK) {
        return decide(pull, OTA_PULL_STOP, OTA_PULL_DECLINED, err);
    }
    struct ota_update_options options = update_options(pull, &digest);
    err = ota_update_resume(update, &options, &offset);
    if (err != OTA_OK) {
        return stop(pull, err);
    }
    if (offset != pull->range_start) {
        /* The flash does not hold what the journal claimed: what comes now does not belong
           there. */
        ota_update_suspend(update);
        return again_without_range(pull);
    }
    pull->resumed = true;
    ota__pull_tell(pull, OTA_PULL_RESUMED);
    return decide(pull, OTA_PULL_TAKE, OTA_PULL_UPDATED, OTA_OK);
}

static enum ota_err follow(struct ota_pull *pull, enum ota_err err)
{
    uint8_t limit = pull->options.redirect_limit;

    limit = limit != 0 ? limit : OTA_PULL_REDIRECTS;
    if (limit == OTA_PULL_NO_REDIRECTS || pull->redirects >= limit ||
        !has_seen(pull, WANTED_LOCATION)) {
        return stop(pull, err);
    }
    return decide(pull, OTA_PULL_FOLLOW, OTA_PULL_UNDECIDED, err);
}

enum ota_err ota__pull_on_head(void *context, const struct ota_http_response *response)
{
    struct ota_pull *pull = context;

    pull->offer.status = response->status;
    if (response->status == 200 && pull->options.mode == OTA_PULL_VERSION) {
        return pull->offer.version[0] != '\0'
                   ? decide(pull, OTA_PULL_STOP, OTA_PULL_ANSWERED, OTA_OK)
                   : stop(pull, OTA_ERR_HTTP_HEADER);
    }
    if (response->status == 200) {
        return take_whole(pull, response);
    }
    if (response->status == 206) {
        return take_rest(pull, response);
    }
    const struct answer *answer = answer_for(response->status);
    enum ota_err err = ota__http_status_error(response->status);
    if (answer->verdict == OTA_PULL_FOLLOW) {
        return follow(pull, err);
    }
    if (answer->verdict == OTA_PULL_AGAIN) {
        return pull->range_start > 0 ? again_without_range(pull) : stop(pull, err);
    }
    return decide(pull, (enum ota_pull_verdict)answer->verdict,
                  (enum ota_pull_result)answer->result, err);
}
