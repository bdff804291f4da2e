/* SPDX-License-Identifier: Apache-2.0 */
/* The headers of a part, byte by byte: of Content-Disposition the two names, of Content-Type
   whether it is text, of Content-Transfer-Encoding that there is none. */

#include "proto/multipart_private.h"

#include <updraft/text.h>

#include "base/mem.h"

enum line {
    LINE_OTHER = 0,
    LINE_DISPOSITION,
    LINE_TYPE,
    LINE_ENCODING,
};

/* Where in a line the next byte is. */
enum at {
    AT_START = 0, /* of a line */
    AT_NAME,      /* in a header's name */
    AT_WORD,      /* in its value, of which the first word counts */
    AT_REST,      /* in its value, of which nothing more counts */
    AT_SEMICOLON, /* behind a parameter, or the disposition's type */
    AT_PARAMETER, /* in a parameter's name, or blanks before it */
    AT_VALUE,     /* at the first byte of its value */
    AT_QUOTED,    /* in quotes */
    AT_ESCAPED,   /* behind a backslash in quotes */
    AT_TOKEN,     /* in a value without quotes */
};

enum target {
    TO_NOTHING = 0,
    TO_NAME,
    TO_FILE,
    TO_FILE_STAR,
};

#define SEEN(what) ((uint8_t)(1u << (what)))
#define SEEN_DISPOSITION SEEN(4)

void ota__part_head_begin(struct ota_multipart *form)
{
    form->head_bytes = 0;
    form->at = AT_START;
    form->folded = AT_START;
    form->line = LINE_OTHER;
    form->seen = 0;
    form->word_len = form->name_len = form->file_len = 0;
    form->has_file_name = form->has_type = form->type_is_text = false;
}

void ota__part_head_result(struct ota_multipart *form, struct ota_multipart_part *part)
{
    form->name[form->name_len] = '\0';
    form->file_name[form->file_len] = '\0';
    part->name = form->name;
    part->file_name = form->file_name;
    part->is_file = form->has_file_name || (form->has_type && !form->type_is_text);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Adds to the word, which is cut off one byte before it is full. */
static void add_to_word(struct ota_multipart *form, char byte)
{
    if (form->word_len < sizeof form->word) {
        form->word[form->word_len++] = lower(byte);
    }
}

static bool word_is(const struct ota_multipart *form, const char *word)
{
    return ota_text_same_bytes(form->word, form->word_len, word);
}

/* ---- Values ---------------------------------------------------------------------------------- */

/* Adds to the file name, whose end matters more than its beginning. */
static void add_to_file(struct ota_multipart *form, char byte)
{
    if (form->file_len == OTA_MULTIPART_FILE_MAX) {
        memmove(form->file_name, form->file_name + 1, OTA_MULTIPART_FILE_MAX - 1);
        form->file_len--;
    }
    form->file_name[form->file_len++] = byte == '\0' ? '?' : byte;
}

static int hex(char c)
{
    c = lower(c);
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A byte of filename*: charset ' language ' text with %XX (RFC 8187). */
static enum ota_err add_extended(struct ota_multipart *form, char byte)
{
    if (form->quotes < 2) {
        form->quotes = (uint8_t)(form->quotes + (byte == '\'' ? 1 : 0));
        return OTA_OK;
    }
    if (form->escape == 0) {
        if (byte == '%') {
            form->escape = 1;
        } else {
            add_to_file(form, byte);
        }
        return OTA_OK;
    }
    int digit = hex(byte);
    if (digit < 0) {
        return OTA_ERR_PROTOCOL;
    }
    if (form->escape == 1) {
        form->escape = (uint8_t)(2 + digit);
    } else {
        add_to_file(form, (char)(uint8_t)((form->escape - 2) << 4 | digit));
        form->escape = 0;
    }
    return OTA_OK;
}

static enum ota_err add_to_value(struct ota_multipart *form, char byte)
{
    switch (form->target) {
    case TO_NAME:
        if (form->name_len < OTA_MULTIPART_NAME_MAX) {
            form->name[form->name_len++] = byte == '\0' ? '?' : byte;
        }
        return OTA_OK;
    case TO_FILE:
        add_to_file(form, byte);
        return OTA_OK;
    case TO_FILE_STAR:
        return add_extended(form, byte);
    default:
        return OTA_OK;
    }
}

/* The name of a parameter is whole: where its value goes. A plain filename counts more than
   filename*. */
static enum ota_err begin_value(struct ota_multipart *form)
{
    uint8_t target = TO_NOTHING;

    if (word_is(form, "name")) {
        target = TO_NAME;
    } else if (word_is(form, "filename")) {
        target = TO_FILE;
    } else if (word_is(form, "filename*")) {
        target = TO_FILE_STAR;
    }
    form->at = AT_VALUE;
    form->target = target;
    if (target == TO_NOTHING) {
        return OTA_OK;
    }
    if ((form->seen & SEEN(target)) != 0) {
        return OTA_ERR_PROTOCOL; /* which of the two would count? */
    }
    form->seen |= SEEN(target);
    form->has_file_name = form->has_file_name || target != TO_NAME;
    if (target == TO_FILE) {
        form->file_len = 0;
    } else if (target == TO_FILE_STAR) {
        form->quotes = form->escape = 0;
        form->target = (form->seen & SEEN(TO_FILE)) != 0 ? TO_NOTHING : TO_FILE_STAR;
    }
    return OTA_OK;
}

static enum ota_err end_value(struct ota_multipart *form)
{
    bool is_cut = form->target == TO_FILE_STAR && (form->quotes < 2 || form->escape != 0);

    form->target = TO_NOTHING;
    return is_cut ? OTA_ERR_PROTOCOL : OTA_OK;
}

/* ---- Lines ----------------------------------------------------------------------------------- */

/* A header's name is whole. */
static enum ota_err begin_header(struct ota_multipart *form)
{
    form->line = LINE_OTHER;
    form->at = AT_REST;
    if (word_is(form, "content-disposition")) {
        if ((form->seen & SEEN_DISPOSITION) != 0) {
            return OTA_ERR_PROTOCOL;
        }
        form->seen |= SEEN_DISPOSITION;
        form->line = LINE_DISPOSITION;
        form->at = AT_SEMICOLON;
    } else if (word_is(form, "content-type")) {
        form->line = LINE_TYPE;
        form->at = AT_WORD;
    } else if (word_is(form, "content-transfer-encoding")) {
        form->line = LINE_ENCODING;
        form->at = AT_WORD;
    }
    form->word_len = 0;
    return OTA_OK;
}

/* The first word of a value is whole. */
static enum ota_err end_word(struct ota_multipart *form)
{
    form->at = AT_REST;
    if (form->line == LINE_TYPE) {
        form->has_type = form->word_len > 0;
        form->type_is_text = form->word_len >= 5 && ota_text_same_bytes(form->word, 5, "text/");
        return OTA_OK;
    }
    return word_is(form, "binary") || word_is(form, "8bit") || word_is(form, "7bit")
               ? OTA_OK
               : OTA_ERR_PROTOCOL;
}

/* A line end; the next line may go on with this one. */
static enum ota_err end_line(struct ota_multipart *form)
{
    enum ota_err err = OTA_OK;
    uint8_t folded = form->at;

    switch (form->at) {
    case AT_NAME: /* a line without a colon */
    case AT_QUOTED:
    case AT_ESCAPED:
        return OTA_ERR_PROTOCOL;
    case AT_WORD:
        /* An empty word may still come in the next line. */
        if (form->word_len > 0) {
            err = end_word(form);
            folded = AT_REST;
        }
        break;
    case AT_VALUE:
    case AT_TOKEN:
        err = end_value(form);
        folded = AT_SEMICOLON;
        break;
    default:
        break;
    }
    form->folded = folded;
    form->at = AT_START;
    return err;
}

static enum ota_err take_name(struct ota_multipart *form, char byte)
{
    if (byte == ':') {
        return begin_header(form);
    }
    if ((byte <= ' ' && byte != '\t' && byte != ' ') || byte > '~') {
        return OTA_ERR_PROTOCOL;
    }
    if (byte != ' ' && byte != '\t') {
        add_to_word(form, byte);
    }
    return OTA_OK;
}

static enum ota_err take_parameter(struct ota_multipart *form, char byte)
{
    if (byte == '=') {
        return begin_value(form);
    }
    if (byte == ';') {
        form->word_len = 0;
    } else if (byte != ' ' && byte != '\t') {
        add_to_word(form, byte);
    }
    return OTA_OK;
}

static enum ota_err take_quoted(struct ota_multipart *form, char byte)
{
    enum ota_err err = OTA_OK;

    if (form->at == AT_ESCAPED) {
        form->at = AT_QUOTED;
        /* Some write paths with backslashes in them: only quotes and backslashes are escaped. */
        if (byte != '"' && byte != '\\') {
            err = add_to_value(form, '\\');
        }
        return err == OTA_OK ? add_to_value(form, byte) : err;
    }
    if (byte == '"') {
        form->at = AT_SEMICOLON;
        return end_value(form);
    }
    if (byte == '\\') {
        form->at = AT_ESCAPED;
        return OTA_OK;
    }
    return add_to_value(form, byte);
}

static enum ota_err take_token(struct ota_multipart *form, char byte)
{
    if (byte == ';') {
        form->at = AT_PARAMETER;
        form->word_len = 0;
        return end_value(form);
    }
    if (byte == ' ' || byte == '\t') {
        form->at = AT_SEMICOLON;
        return end_value(form);
    }
    return add_to_value(form, byte);
}

static enum ota_err take_value(struct ota_multipart *form, char byte)
{
    if (byte == ' ' || byte == '\t') {
        return OTA_OK;
    }
    if (byte == '"') {
        form->at = AT_QUOTED;
        return OTA_OK;
    }
    form->at = AT_TOKEN;
    return take_token(form, byte);
}

static enum ota_err take(struct ota_multipart *form, char byte)
{
    switch (form->at) {
    case AT_START:
        form->at = AT_NAME;
        form->word_len = 0;
        return take_name(form, byte);
    case AT_NAME:
        return take_name(form, byte);
    case AT_WORD:
        if (byte == ' ' || byte == '\t' || byte == ';') {
            return form->word_len > 0 || byte == ';' ? end_word(form) : OTA_OK;
        }
        add_to_word(form, byte);
        return OTA_OK;
    case AT_SEMICOLON:
        if (byte == ';') {
            form->at = AT_PARAMETER;
            form->word_len = 0;
        }
        return OTA_OK;
    case AT_PARAMETER:
        return take_parameter(form, byte);
    case AT_VALUE:
        return take_value(form, byte);
    case AT_QUOTED:
    case AT_ESCAPED:
        return take_quoted(form, byte);
    case AT_TOKEN:
        return take_token(form, byte);
    default:
        return OTA_OK;
    }
}

enum ota_err ota__part_head_input(struct ota_multipart *form, char byte, bool *done)
{
    if (++form->head_bytes > OTA_MULTIPART_PART_HEAD_MAX) {
        return OTA_ERR_PROTOCOL;
    }
    if (byte == '\r') {
        return OTA_OK; /* before the line end, which counts */
    }
    if (byte == '\n') {
        *done = form->at == AT_START;
        return *done ? OTA_OK : end_line(form);
    }
    if (form->at == AT_START && (byte == ' ' || byte == '\t')) {
        form->at = form->folded;
        if (form->at == AT_START) {
            return OTA_ERR_PROTOCOL;
        }
        return OTA_OK;
    }
    return take(form, byte);
}
