/* SPDX-License-Identifier: Apache-2.0 */
/* The datagrams of the Arduino update protocol's sender: the invitation and the proof that go out,
   and the device's words that come (docs/formats/espota.md). */

#include <updraft/text.h>

#include "base/mem.h"
#include "proto/espota_host_private.h"

#define COMMAND_APP 0u
#define COMMAND_DATA 100u
#define COMMAND_PROOF 200u

/* ---- What goes out --------------------------------------------------------------------------- */

static void put_invitation(const struct ota_espota_host_options *options, struct ota_text *text)
{
    ota_text_put_decimal(text, options->is_data ? COMMAND_DATA : COMMAND_APP);
    ota_text_put(text, " ");
    ota_text_put_decimal(text, options->host_port);
    ota_text_put(text, " ");
    ota_text_put_decimal(text, options->size);
    ota_text_put(text, " ");
    ota_text_put_hex(text, options->md5, OTA_MD5_SIZE, 0, false);
    ota_text_put(text, "\n");
}

static void put_proof(const struct ota_espota_host *host, struct ota_text *text)
{
    ota_text_put_decimal(text, COMMAND_PROOF);
    ota_text_put(text, " ");
    ota_text_put_bytes(text, host->challenge + host->digits + 1, host->digits);
    ota_text_put(text, " ");
    ota_text_put_bytes(text, host->response, host->digits);
    ota_text_put(text, "\n");
}

size_t ota_espota_host_datagram(struct ota_espota_host *host, void *buffer, size_t capacity)
{
    struct ota_text text;

    if (!host->is_due) {
        return 0;
    }
    ota_text_window(&text, buffer, capacity, 0);
    host->is_due = false;
    host->repeat_ms = host->now_ms;
    if (host->state == OTA_ESPOTA_HOST_INVITING) {
        put_invitation(host->options, &text);
        host->tries++;
        ota__espota_host_tell(host, OTA_ESPOTA_HOST_INVITED);
    } else {
        put_proof(host, &text);
    }
    return ota_text_stored(&text);
}

/* ---- What comes ------------------------------------------------------------------------------ */

bool ota__espota_host_is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n' || byte == '\0';
}

static bool begins_with(const char *text, size_t len, const char *start)
{
    size_t start_len = strlen(start);

    return len >= start_len && memcmp(text, start, start_len) == 0;
}

bool ota__espota_host_is_text(const char *text, size_t len, const char *wanted)
{
    return len == strlen(wanted) && begins_with(text, len, wanted);
}

/* Keeps what the device said, as much as fits, without blanks in front. */
static void keep_reply(struct ota_espota_host *host, const char *text, size_t len)
{
    while (len > 0 && ota__espota_host_is_blank(*text)) {
        text++;
        len--;
    }
    host->reply_len = (uint16_t)(len < sizeof host->reply ? len : sizeof host->reply - 1);
    memcpy(host->reply, text, host->reply_len);
    host->reply[host->reply_len] = '\0';
}

static enum ota_err refused(struct ota_espota_host *host, enum ota_err err, const char *text,
                            size_t len)
{
    keep_reply(host, text, len);
    return ota__espota_host_fail(host, err);
}

void ota__espota_host_let_in(struct ota_espota_host *host)
{
    ota__espota_host_forget(host);
    ota__espota_host_enter(host, OTA_ESPOTA_HOST_WAITING);
    ota__espota_host_tell(host, OTA_ESPOTA_HOST_LET_IN);
}

/* A word that is none of the protocol's. While the proof is out the device may give its reasons in
   any words; late words from before are passed over. */
static enum ota_err strange(struct ota_espota_host *host, const char *text, size_t len)
{
    static const char failed[] = "Authentication Failed";
    bool is_refusal = ota__espota_host_is_text(text, len, failed);

    switch (host->state) {
    case OTA_ESPOTA_HOST_INVITING:
        return is_refusal ? OTA_OK : refused(host, OTA_ERR_PROTOCOL, text, len);
    case OTA_ESPOTA_HOST_PROVING:
        if (!is_refusal) {
            return refused(host, OTA_ERR_PEER, text, len);
        }
        keep_reply(host, text, len);
        return ota__espota_host_wrong(host);
    default:
        return OTA_OK;
    }
}

enum ota_err ota_espota_host_answer(struct ota_espota_host *host, const void *data, size_t len)
{
    const char *text = data;
    bool asks = host->state == OTA_ESPOTA_HOST_INVITING || host->state == OTA_ESPOTA_HOST_PROVING;

    if (host->state < OTA_ESPOTA_HOST_INVITING || host->state > OTA_ESPOTA_HOST_WAITING) {
        return ota__espota_host_standing(host);
    }
    while (len > 0 && ota__espota_host_is_blank(text[len - 1])) {
        len--;
    }
    if (len == 0) {
        return OTA_OK;
    }
    host->has_answered = true;
    if (ota__espota_host_is_text(text, len, "OK")) {
        if (asks) {
            ota__espota_host_let_in(host);
        }
        return OTA_OK;
    }
    if (begins_with(text, len, "ERR:")) {
        return refused(host, OTA_ERR_PEER, text + 4, len - 4);
    }
    if (!begins_with(text, len, "AUTH ")) {
        return strange(host, text, len);
    }
    if (host->state == OTA_ESPOTA_HOST_WAITING) {
        return OTA_OK;
    }
    enum ota_err err = ota__espota_host_challenged(host, text + 5, len - 5);
    if (err == OTA_ERR_PROTOCOL) {
        keep_reply(host, text, len);
    }
    return err;
}
