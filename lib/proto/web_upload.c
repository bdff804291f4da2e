/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking the file. It is let in at its first byte (raw: before it), proven when its end has come
 * for certain, and activated only when the whole request is there: the form's closing delimiter,
 * the body's last byte.
 */

#include "proto/web_private.h"

#include "base/mem.h"

/* Nobody uploads any more. What was begun and not brought to its end is given up. */
static void release(struct ota_web *web)
{
    struct ota_web_upload *upload = &web->upload;

    if (upload->is_begun) {
        ota_intake_abort(web->options.intake);
    }
    upload->owner = NULL;
    upload->is_begun = upload->is_proven = false;
}

/* The upload failed, and the intake is free again: tells the sender. */
static enum ota_err fail(struct ota_web_connection *connection, enum ota__web_say say,
                         enum ota_err err)
{
    struct ota_web *web = connection->web;

    connection->err = err;
    connection->text = ota_intake_reason(web->options.intake);
    if (err == OTA_ERR_TOO_LARGE) {
        connection->limit = ota__web_room(web, connection->is_data);
    }
    web->upload.is_begun = false;
    release(web);
    ota__web_say(connection, say);
    return err;
}

static enum ota_err turn_away(struct ota_web_connection *connection, unsigned status,
                              const char *word, const char *text)
{
    release(connection->web);
    ota__web_refuse(connection, status, word, text);
    return OTA_ERR_PROTOCOL;
}

/* Something is wrong with the request, not with the file: the intake does not know of it. */
static enum ota_err refuse(struct ota_web_connection *connection, unsigned status, const char *word,
                           const char *text)
{
    connection->web->refused = text;
    ota__web_tell(connection->web, OTA_WEB_UPLOAD_REFUSED);
    return turn_away(connection, status, word, text);
}

static const char *note_size(struct ota_web_connection *connection)
{
    connection->err = OTA_ERR_TOO_LARGE;
    connection->limit = ota__web_room(connection->web, connection->is_data);
    return "the file does not fit";
}

static enum ota_err refuse_size(struct ota_web_connection *connection)
{
    return refuse(connection, 413, "TOO_LARGE", note_size(connection));
}

static enum ota_err begin(struct ota_web_connection *connection)
{
    struct ota_web *web = connection->web;
    const struct ota_arrival arrival = {
        .way = OTA__WEB_WAY,
        .is_data = connection->is_data,
        .size = connection->size,
        .expected = connection->expected,
    };
    enum ota_err err = ota_intake_begin(web->options.intake, &arrival);

    if (err == OTA_ERR_TOO_LARGE && !connection->is_form) {
        (void)turn_away(connection, 413, "TOO_LARGE", note_size(connection));
        return err;
    }
    if (err == OTA_ERR_BUSY || err == OTA_ERR_RESTARTING) {
        return refuse(connection, 409, ota_err_name(err), ota_err_text(err));
    }
    if (err != OTA_OK) {
        return fail(connection, OTA__WEB_SAY_FAILED, err);
    }
    web->upload.is_begun = true;
    return OTA_OK;
}

static enum ota_err write(struct ota_web_connection *connection, const void *data, size_t len)
{
    enum ota_err err = ota_intake_write(connection->web->options.intake, data, len);

    return err == OTA_OK ? OTA_OK : fail(connection, OTA__WEB_SAY_FAILED, err);
}

/* All bytes of the file are there: proves them. */
static enum ota_err prove(struct ota_web_connection *connection)
{
    enum ota_err err = ota_intake_end(connection->web->options.intake);

    if (err != OTA_OK) {
        return fail(connection, OTA__WEB_SAY_FAILED_AT_END, err);
    }
    connection->web->upload.is_proven = true;
    return OTA_OK;
}

/* The request is whole, and the file proven. */
static void activate(struct ota_web_connection *connection)
{
    struct ota_web *web = connection->web;
    enum ota_err err = ota_intake_activate(web->options.intake);

    if (err != OTA_OK && err != OTA_ERR_HELD) {
        (void)fail(connection, OTA__WEB_SAY_FAILED_AT_END, err);
        return;
    }
    connection->is_held = err == OTA_ERR_HELD;
    connection->text = connection->is_held ? ota_intake_reason(web->options.intake) : NULL;
    connection->restarts = !connection->is_held && ota__web_restarts(connection);
    if (connection->restarts) {
        connection->reason = connection->is_data ? OTA_RESTART_REQUESTED : OTA_RESTART_UPDATE;
    }
    web->upload.is_begun = false; /* it is the intake's now */
    release(web);
    ota__web_say(connection, OTA__WEB_SAY_DONE);
}

/* ---- The form -------------------------------------------------------------------------------- */

static enum ota_err on_part(void *context, const struct ota_multipart_part *part)
{
    struct ota_web_connection *connection = context;
    struct ota_web_upload *upload = &connection->web->upload;

    upload->in_file = part->is_file;
    upload->in_md5 = !part->is_file && !upload->had_file && ota_text_same(part->name, "MD5");
    upload->md5_len = 0;
    upload->is_unnamed = part->file_name[0] == '\0';
    if (part->is_file && !upload->had_file) {
        ota__web_choose_for_part(connection, part);
        upload->file_max =
            upload->body_len != OTA_SIZE_UNKNOWN ? upload->body_len - part->start : 0;
    }
    return OTA_OK;
}

/* Whether `length` bytes are more than any file for `room` bytes and all that may stand round it. A
   compressed file may be larger than what comes out of it (unwrap.h). */
static bool is_beyond(uint32_t length, uint32_t room, uint32_t around, bool is_compressed)
{
    return length > room && length - room > around + (is_compressed ? room / 8 : 0);
}

/* Whether a file that begins so may be compressed. */
static bool may_be_compressed(const struct ota_web_connection *connection, const uint8_t *head,
                              size_t len)
{
    const struct ota_unwrap *unwrap = connection->web->options.intake->options.unwrap;

    return unwrap != NULL &&
           (len < OTA_DECODER_HEAD || ota_decoder_find(unwrap->decoders, head, OTA_DECODER_HEAD,
                                                       !connection->is_data) != NULL);
}

/* Whether the file cannot fit where its part's name says that it goes. */
static bool is_too_large(const struct ota_web_connection *connection, const uint8_t *head,
                         size_t len)
{
    const struct ota_web *web = connection->web;

    return is_beyond(web->upload.file_max, ota__web_room(web, connection->is_data), OTA_WEB_TAIL,
                     may_be_compressed(connection, head, len));
}

/* The first bytes of a file. */
static enum ota_err begin_file(struct ota_web_connection *connection, const uint8_t *head,
                               size_t len)
{
    struct ota_web_upload *upload = &connection->web->upload;

    if (upload->had_file) {
        return refuse(connection, 400, "FORM", "more than one file: one at a time, please");
    }
    upload->had_file = true;
    return is_too_large(connection, head, len) ? refuse_size(connection) : begin(connection);
}

static enum ota_err on_data(void *context, const void *data, size_t len)
{
    struct ota_web_connection *connection = context;
    struct ota_web_upload *upload = &connection->web->upload;

    if (upload->in_md5) {
        size_t room = sizeof upload->md5 - upload->md5_len;
        size_t taken = len < room ? len : room;
        memcpy(upload->md5 + upload->md5_len, data, taken);
        upload->md5_len = (uint8_t)(upload->md5_len + taken);
    }
    if (!upload->in_file) {
        return OTA_OK;
    }
    if (!upload->is_begun || upload->is_proven) {
        enum ota_err err = begin_file(connection, data, len);
        if (err != OTA_OK) {
            return err;
        }
    }
    return write(connection, data, len);
}

/* A text part has said what the MD5 is; another that was said must be the same. */
static enum ota_err take_md5(struct ota_web_connection *connection)
{
    struct ota_web_upload *upload = &connection->web->upload;
    struct ota_digest *expected = &connection->expected;
    uint8_t md5[OTA_MD5_SIZE];

    upload->in_md5 = false;
    bool has_digits = upload->md5_len == 2 * sizeof md5;
    upload->md5[2 * sizeof md5] = '\0';
    if (!has_digits || !ota_text_read_hex(upload->md5, md5, sizeof md5)) {
        release(connection->web);
        ota__web_refuse_as_original(connection, "MD5 parameter invalid");
        return OTA_ERR_PROTOCOL;
    }
    if (expected->algorithm == OTA_HASH_MD5 && memcmp(expected->bytes, md5, sizeof md5) != 0) {
        return refuse(connection, 400, "FORM", "two different MD5 for one file");
    }
    if (expected->algorithm == OTA_HASH_NONE) {
        expected->algorithm = OTA_HASH_MD5;
        memcpy(expected->bytes, md5, sizeof md5);
    }
    return OTA_OK;
}

static enum ota_err on_part_end(void *context)
{
    struct ota_web_connection *connection = context;
    struct ota_web_upload *upload = &connection->web->upload;

    if (upload->in_md5) {
        return take_md5(connection);
    }
    if (!upload->in_file) {
        return OTA_OK;
    }
    upload->in_file = false;
    if (upload->is_begun && !upload->is_proven) {
        return prove(connection);
    }
    if (upload->is_unnamed) {
        return OTA_OK; /* a form's field in which no file was chosen */
    }
    return refuse(connection, 400, "NO_DATA", "the file is empty");
}

static const struct ota_multipart_events form_events = {
    .on_part = on_part,
    .on_data = on_data,
    .on_part_end = on_part_end,
};

/* ---- The request ----------------------------------------------------------------------------- */

/* Refuses a form that fits nowhere. Returns whether it did. */
static bool refuse_large_form(struct ota_web_connection *connection, uint32_t length)
{
    const struct ota_web *web = connection->web;
    uint32_t app = ota__web_room(web, false), data = ota__web_room(web, true);

    if (!is_beyond(length, app > data ? app : data, OTA_WEB_SLACK,
                   web->options.intake->options.unwrap != NULL)) {
        return false;
    }
    connection->is_data = data > app;
    (void)refuse_size(connection);
    return true;
}

/* What is wrong with the request whatever its body will be. Returns false after refusing it. */
static bool is_well_formed(struct ota_web_connection *connection,
                           const struct ota_http_asked *asked)
{
    bool elegant = connection->route == OTA__WEB_ELEGANT_UPLOAD;

    if (!asked->has_length && !asked->chunked) {
        ota__web_refuse(connection, 411, "LENGTH", "the length of the upload is missing");
    } else if (asked->length == 0) {
        ota__web_refuse(connection, 400, "NO_DATA", "there is no file in this request");
    } else if (connection->is_bad_digest) {
        ota__web_refuse(connection, 400, "FORM", "x-MD5, x-SHA256 or X-Size is malformed");
    } else if (connection->is_form && connection->boundary == NULL) {
        ota__web_refuse_as_original(connection, "No multipart boundary found.");
    } else if (elegant && !connection->is_form) {
        ota__web_refuse(connection, 400, "FORM", "this address takes a form with a file");
    } else if (elegant && !ota__web_elegant_go_on(connection)) {
        ota__web_refuse(connection, 400, "FORM", "no upload was started");
    } else {
        return true;
    }
    return false;
}

void ota__web_upload_head(struct ota_web_connection *connection, const struct ota_http_asked *asked)
{
    struct ota_web *web = connection->web;

    if (web->upload.owner != NULL || !ota_intake_is_free(web->options.intake)) {
        ota__web_refuse_busy(connection);
        return;
    }
    if (!is_well_formed(connection, asked)) {
        return;
    }
    memset(&web->upload, 0, sizeof web->upload);
    web->upload.owner = connection;
    if (connection->is_form) {
        /* Which of the two places it is for shows in the body. */
        if (asked->has_length && refuse_large_form(connection, asked->length)) {
            return;
        }
        web->upload.body_len = asked->length;
        ota_multipart_begin(&web->upload.form, connection->boundary, &form_events, connection);
        return;
    }
    ota__web_choose_for_raw(connection);
    if (asked->has_length && connection->size != OTA_SIZE_UNKNOWN &&
        connection->size != asked->length) {
        (void)refuse(connection, 400, "FORM", "X-Size is not the length of the upload");
        return;
    }
    if (asked->has_length) {
        connection->size = asked->length;
    }
    (void)begin(connection);
}

void ota__web_upload_body(struct ota_web_connection *connection, const void *data, size_t len)
{
    if (!connection->is_form) {
        (void)write(connection, data, len);
        return;
    }
    enum ota_err err = ota_multipart_input(&connection->web->upload.form, data, len);
    if (err != OTA_OK && !ota_http_server_is_answered(&connection->http)) {
        (void)refuse(connection, 400, "FORM", "the form is malformed");
    }
}

void ota__web_upload_end(struct ota_web_connection *connection)
{
    struct ota_web_upload *upload = &connection->web->upload;

    if (!connection->is_form) {
        if (connection->web->options.intake->update.received == 0) {
            (void)refuse(connection, 400, "NO_DATA", "there is no file in this request");
        } else if (prove(connection) == OTA_OK) {
            activate(connection);
        }
    } else if (ota_multipart_finish(&upload->form) != OTA_OK) {
        (void)refuse(connection, 400, "FORM", "the form is cut off: its last delimiter is missing");
    } else if (!upload->is_proven) {
        (void)refuse(connection, 400, "NO_DATA", "there is no file in this form");
    } else {
        activate(connection);
    }
}

/* Why a form has come to nothing. */
static const char *form_fault(enum ota_err why)
{
    switch (why) {
    case OTA_ERR_INCOMPLETE:
    case OTA_ERR_CONNECTION_LOST:
        return "the form is cut off: the connection ended in the middle";
    case OTA_ERR_TIMEOUT:
        return "the form is cut off: nothing came for too long";
    default:
        return "the request is malformed";
    }
}

/* What comes behind the closing delimiter is of no importance, also when it does not come. */
void ota__web_upload_gone(struct ota_web_connection *connection, enum ota_err why)
{
    struct ota_web *web = connection->web;
    struct ota_web_upload *upload = &web->upload;

    if (upload->owner != connection) {
        return;
    }
    if (connection->is_form && upload->is_proven && upload->form.state == OTA_MULTIPART_EPILOGUE &&
        (why == OTA_ERR_TIMEOUT || why == OTA_ERR_INCOMPLETE || why == OTA_ERR_CONNECTION_LOST)) {
        activate(connection);
        return;
    }
    if (connection->is_form) {
        (void)refuse(connection, why == OTA_ERR_TIMEOUT ? 408 : 400, "FORM", form_fault(why));
        return;
    }
    release(web);
    connection->err = why;
    connection->text = ota_err_text(why);
    ota__web_say(connection, OTA__WEB_SAY_PROTOCOL_ERROR);
}
