/* SPDX-License-Identifier: Apache-2.0 */
/* What a datagram to an espota device says: an invitation, or the answer to a nonce. */

#include "proto/espota_private.h"

#include "base/mem.h"

#define COMMAND_SKETCH 0u
#define COMMAND_FILE_SYSTEM 100u
#define COMMAND_LOGIN 200u
#define DIGITS_MAX 15u /* of a number; a longer one is larger than all that mean anything */
#define SIZE_MAX_SAID 0x7FFFFFFFu
#define MD5_DIGITS 32u
#define SHA256_DIGITS 64u

struct cursor {
    const char *at;
    size_t left;
};

static void skip(struct cursor *cursor, size_t count)
{
    cursor->at += count;
    cursor->left -= count;
}

/* The text goes up to a line end, a zero byte, or the end of the datagram. */
static struct cursor first_line(const void *data, size_t len)
{
    const char *text = data;
    size_t line = 0;

    while (line < len && text[line] != '\n' && text[line] != '\0') {
        line++;
    }
    return (struct cursor){text, line};
}

/* Reads spaces and a number; stops at what is no digit. */
static bool read_number(struct cursor *cursor, uint64_t *value)
{
    size_t digits = 0;

    while (cursor->left > 0 && *cursor->at == ' ') {
        skip(cursor, 1);
    }
    *value = 0;
    while (digits < cursor->left && cursor->at[digits] >= '0' && cursor->at[digits] <= '9') {
        if (digits < DIGITS_MAX) {
            *value = *value * 10 + (uint64_t)(cursor->at[digits] - '0');
        }
        digits++;
    }
    if (digits > DIGITS_MAX) {
        *value = UINT64_MAX;
    }
    skip(cursor, digits);
    return digits > 0;
}

static bool is_blank(char character)
{
    return character == ' ' || (character >= '\t' && character <= '\r');
}

static void trim(struct cursor *cursor)
{
    while (cursor->left > 0 && is_blank(*cursor->at)) {
        skip(cursor, 1);
    }
    while (cursor->left > 0 && is_blank(cursor->at[cursor->left - 1])) {
        cursor->left--;
    }
}

static enum ota__espota_message read_invitation(struct cursor *cursor, bool is_data,
                                                struct ota_espota_invitation *invitation)
{
    char digits[MD5_DIGITS + 1] = "";
    uint64_t port, size;

    if (!read_number(cursor, &port) || !read_number(cursor, &size) || cursor->left == 0) {
        return OTA__ESPOTA_NOTHING;
    }
    skip(cursor, 1);
    trim(cursor);
    if (cursor->left != MD5_DIGITS) {
        return OTA__ESPOTA_NOTHING;
    }
    memcpy(digits, cursor->at, MD5_DIGITS);
    memset(invitation, 0, sizeof *invitation);
    invitation->is_data = is_data;
    invitation->port = port <= UINT16_MAX ? (uint16_t)port : 0;
    invitation->size = size <= SIZE_MAX_SAID ? (uint32_t)size : SIZE_MAX_SAID;
    invitation->has_md5 = ota_text_read_hex(digits, invitation->md5, OTA_MD5_SIZE);
    return OTA__ESPOTA_INVITATION;
}

static enum ota__espota_message read_login(struct cursor *cursor, struct ota__espota_answer *answer)
{
    size_t digits = 0;

    if (cursor->left == 0) {
        return OTA__ESPOTA_NOTHING;
    }
    skip(cursor, 1);
    while (digits < cursor->left && cursor->at[digits] != ' ') {
        digits++;
    }
    if ((digits != MD5_DIGITS && digits != SHA256_DIGITS) || cursor->left != 2 * digits + 1) {
        return OTA__ESPOTA_NOTHING;
    }
    answer->cnonce = cursor->at;
    answer->response = cursor->at + digits + 1;
    answer->digits = digits;
    return OTA__ESPOTA_LOGIN;
}

enum ota__espota_message ota__espota_read(const void *data, size_t len,
                                          struct ota_espota_invitation *invitation,
                                          struct ota__espota_answer *answer)
{
    struct cursor cursor = first_line(data, len);
    uint64_t command;

    if (!read_number(&cursor, &command)) {
        return OTA__ESPOTA_NOTHING;
    }
    switch (command) {
    case COMMAND_SKETCH:
    case COMMAND_FILE_SYSTEM:
        return read_invitation(&cursor, command == COMMAND_FILE_SYSTEM, invitation);
    case COMMAND_LOGIN:
        return read_login(&cursor, answer);
    default:
        return OTA__ESPOTA_NOTHING;
    }
}
