/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding the delimiters of a multipart body. A delimiter begins with CR and has no other CR in it,
 * so when bytes that looked like one turn out to be none, only the present byte can begin another:
 * what was held back is a beginning of the delimiter and needs no buffer.
 */

#include "proto/multipart_private.h"

#include <updraft/text.h>

#include "base/mem.h"

/* ---- The boundary ---------------------------------------------------------------------------- */

bool ota_multipart_is(const char *content_type)
{
    return strlen(content_type) > 10 && ota_text_same_bytes(content_type, 10, "multipart/");
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_boundary_byte(char c)
{
    return c >= ' ' && c <= '~';
}

/* The value of a parameter at `at`, quoted or not; `out` NULL: passes over it. Returns what follows
   it, or NULL if it is not well formed. */
static const char *read_value(const char *at, char *out, size_t size)
{
    bool quoted = *at == '"';
    size_t len = 0;

    at += quoted ? 1 : 0;
    while (*at != '\0' && (quoted ? *at != '"' : *at != ';' && !is_blank(*at))) {
        if (quoted && *at == '\\' && at[1] != '\0') {
            at++;
        }
        if (out != NULL) {
            if (len + 1 >= size || !is_boundary_byte(*at)) {
                return NULL;
            }
            out[len++] = *at;
        }
        at++;
    }
    if (quoted && *at != '"') {
        return NULL;
    }
    if (out != NULL) {
        out[len] = '\0';
    }
    return at + (quoted ? 1 : 0);
}

enum ota_err ota_multipart_boundary(const char *content_type, char boundary[OTA_BOUNDARY_SIZE])
{
    const char *at = content_type;
    bool found = false;

    if (!ota_multipart_is(content_type)) {
        return OTA_ERR_PROTOCOL;
    }
    while (*at != '\0' && *at != ';') {
        at++;
    }
    while (*at != '\0') {
        at++; /* the semicolon, or a blank */
        while (is_blank(*at)) {
            at++;
        }
        const char *name = at;
        while (*at != '\0' && *at != '=' && *at != ';') {
            at++;
        }
        if (*at != '=') {
            continue;
        }
        bool is_it = ota_text_same_bytes(name, (size_t)(at - name), "boundary");
        if (is_it && found) {
            return OTA_ERR_PROTOCOL;
        }
        found = found || is_it;
        at = read_value(at + 1, is_it ? boundary : NULL, OTA_BOUNDARY_SIZE);
        if (at == NULL) {
            return OTA_ERR_PROTOCOL;
        }
        while (*at != '\0' && *at != ';') {
            at++;
        }
    }
    return found && boundary[0] != '\0' ? OTA_OK : OTA_ERR_PROTOCOL;
}

/* ---- The delimiters -------------------------------------------------------------------------- */

void ota_multipart_begin(struct ota_multipart *form, const char *boundary,
                         const struct ota_multipart_events *events, void *context)
{
    size_t len = strlen(boundary);

    memset(form, 0, sizeof *form);
    form->events = events;
    form->context = context;
    len = len < OTA_BOUNDARY_MAX ? len : OTA_BOUNDARY_MAX;
    memcpy(form->delimiter, "\r\n--", 4);
    memcpy(form->delimiter + 4, boundary, len);
    form->delimiter_len = (uint8_t)(4 + len);
    form->state = OTA_MULTIPART_PREAMBLE;
    form->matched = 2; /* the first line needs no line end before it */
}

static enum ota_err emit(const struct ota_multipart *form, const char *data, size_t len)
{
    if (len == 0 || !form->in_part) {
        return OTA_OK;
    }
    return form->events->on_data(form->context, data, len);
}

/* Where from `at` on the next CR is, or `len`. A file has few: words without one are passed
   over. */
static size_t find_return(const char *data, size_t at, size_t len)
{
    const size_t ones = (size_t)-1 / 0xFF; /* 1 in each byte */
    size_t word;

    for (; len - at >= sizeof word; at += sizeof word) {
        memcpy(&word, data + at, sizeof word);
        word ^= ones * '\r';
        if (((word - ones) & ~word & (ones << 7)) != 0) {
            break; /* one of its bytes is 0 now */
        }
    }
    while (at < len && data[at] != '\r') {
        at++;
    }
    return at;
}

/* Looks for the delimiter; what is not of it is data, or preamble. */
static enum ota_err search(struct ota_multipart *form, const char *data, size_t len, size_t *taken)
{
    size_t held = form->matched; /* bytes of a possible delimiter that came before `data` */
    size_t start = 0, at = 0;
    enum ota_err err = OTA_OK;

    while (at < len) {
        if (form->matched == 0) {
            at = find_return(data, at, len);
            if (at == len) {
                break;
            }
        }
        if (data[at] == form->delimiter[form->matched]) {
            at++;
            if (++form->matched < form->delimiter_len) {
                continue;
            }
            *taken = at;
            form->state = OTA_MULTIPART_DELIMITER;
            form->tail = 0;
            form->is_padded = false;
            return emit(form, data + start, at - (form->matched - held) - start);
        }
        if (held > 0) {
            err = emit(form, form->delimiter, held);
            if (err != OTA_OK) {
                return err;
            }
            held = 0;
        }
        form->matched = 0;
    }
    *taken = len;
    return emit(form, data + start, len - (form->matched - held) - start);
}

/* What looked like a delimiter is none: gives its bytes back, and `tail_len` of those behind it. */
static enum ota_err take_back(struct ota_multipart *form, size_t tail_len)
{
    enum ota_err err = emit(form, form->delimiter, form->delimiter_len);

    form->state = form->in_part ? OTA_MULTIPART_DATA : OTA_MULTIPART_PREAMBLE;
    form->matched = 0;
    return err == OTA_OK ? emit(form, "-", tail_len) : err;
}

/* The delimiter is one: the part before it is whole. */
static enum ota_err end_part(struct ota_multipart *form, bool closing)
{
    bool was_in_part = form->in_part;

    form->in_part = false;
    form->matched = 0;
    if (closing) {
        form->state = OTA_MULTIPART_EPILOGUE;
    } else if (form->parts == OTA_MULTIPART_PARTS_MAX) {
        return OTA_ERR_PROTOCOL;
    } else {
        form->parts++;
        form->state = OTA_MULTIPART_PART_HEAD;
        ota__part_head_begin(form);
    }
    return was_in_part ? form->events->on_part_end(form->context) : OTA_OK;
}

/* Takes a byte behind a delimiter: dashes, or blanks and a line end. `*used` false: it is to be
   looked at again in the state that this led to. */
static enum ota_err follow_delimiter(struct ota_multipart *form, char byte, bool *used)
{
    char tail = (char)form->tail;

    *used = true;
    if (tail == '-' && byte == '-') {
        return end_part(form, true);
    }
    if (tail != '-' && byte == '\n') {
        return end_part(form, false);
    }
    if (tail == 0 || tail == ' ') {
        if (byte == '\r' || is_blank(byte) || (byte == '-' && tail == 0)) {
            form->is_padded = form->is_padded || is_blank(byte);
            form->tail = (uint8_t)(is_blank(byte) ? ' ' : byte);
            return OTA_OK;
        }
    }
    if (form->is_padded) {
        return OTA_ERR_PROTOCOL; /* how many blanks of which kind is not known any more */
    }
    *used = false;
    enum ota_err err = take_back(form, tail == '-' ? 1 : 0);
    form->matched = tail == '\r' ? 1 : 0;
    return err;
}

static enum ota_err begin_part(struct ota_multipart *form)
{
    struct ota_multipart_part part;

    ota__part_head_result(form, &part);
    part.start = form->taken + 1; /* the line end's last byte is looked at now */
    form->state = OTA_MULTIPART_DATA;
    form->in_part = true;
    form->matched = 0;
    return form->events->on_part(form->context, &part);
}

/* Takes some bytes of `data`, at least one. */
static enum ota_err step(struct ota_multipart *form, const char *data, size_t len, size_t *taken)
{
    bool flag = false;
    enum ota_err err;

    *taken = 1;
    switch (form->state) {
    case OTA_MULTIPART_PREAMBLE:
    case OTA_MULTIPART_DATA:
        return search(form, data, len, taken);
    case OTA_MULTIPART_DELIMITER:
        err = follow_delimiter(form, data[0], &flag);
        *taken = flag ? 1 : 0;
        return err;
    case OTA_MULTIPART_PART_HEAD:
        err = ota__part_head_input(form, data[0], &flag);
        return err == OTA_OK && flag ? begin_part(form) : err;
    default:
        *taken = len;
        return OTA_OK;
    }
}

enum ota_err ota_multipart_input(struct ota_multipart *form, const void *data, size_t len)
{
    const char *bytes = data;
    size_t at = 0, taken;

    while (at < len && form->state != OTA_MULTIPART_FAILED) {
        enum ota_err err = step(form, bytes + at, len - at, &taken);
        if (err != OTA_OK) {
            form->state = OTA_MULTIPART_FAILED;
            form->err = err;
        }
        at += taken;
        form->taken += (uint32_t)taken;
    }
    return form->state == OTA_MULTIPART_FAILED ? form->err : OTA_OK;
}

enum ota_err ota_multipart_finish(struct ota_multipart *form)
{
    switch (form->state) {
    case OTA_MULTIPART_EPILOGUE:
        return OTA_OK;
    case OTA_MULTIPART_FAILED:
        return form->err;
    default:
        form->state = OTA_MULTIPART_FAILED;
        form->err = OTA_ERR_INCOMPLETE;
        return form->err;
    }
}
