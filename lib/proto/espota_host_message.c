/* SPDX-License-Identifier: Apache-2.0 */
/* What went wrong with a push over the Arduino update protocol, in words for whoever pushes. */

#include <updraft/espota_host.h>
#include <updraft/text.h>

#include "base/mem.h"

/* What is known of the words in which devices refuse (docs/formats/espota.md section 7), and what
   to do. The first that is found in them counts. */
static const struct {
    const char *words, *advice;
} advices[] = {
    {"Not Enough Space", "the image is larger than the room that the device has for it"},
    {"Bad Size", "the image is larger than the room that the device has for it"},
    {"No Filesystem", "it has no file system: its firmware was built without one"},
    {"Partition", "its partition table has no room for this kind of image"},
    {"MD5", "the image was damaged on its way, or the device's flash is: try again"},
    {"Magic", "this is no image for its chip"},
    {"Chip", "this is no image for its chip"},
    {"Bin Doesn't Match", "this is no image for its chip"},
    {"lash config wrong", "the image was built for another flash size than the device has"},
    {"ignature", "the image is not signed with a key that the device trusts"},
    {"Stream Read", "the connection is too slow or breaks off: bring the device nearer, try again"},
    {"No data supplied", "the connection broke before anything arrived: try again"},
    {"Flash", "its flash could not be erased or written: restart it and try again"},
};

static bool contains(const char *text, const char *words)
{
    size_t text_len = strlen(text), len = strlen(words);

    for (size_t i = 0; i + len <= text_len; i++) {
        if (memcmp(text + i, words, len) == 0) {
            return true;
        }
    }
    return false;
}

bool ota_espota_host_is_restarting(const struct ota_espota_host *host)
{
    return host->state == OTA_ESPOTA_HOST_FAILED && host->failure.err == OTA_ERR_PEER &&
           contains(host->reply, ota_err_text(OTA_ERR_RESTARTING));
}

static void put_quoted(struct ota_text *text, const struct ota_espota_host *host)
{
    ota_text_put(text, "\"");
    ota_text_put(text, host->reply);
    ota_text_put(text, "\"");
}

static void put_refused(struct ota_text *text, const struct ota_espota_host *host)
{
    ota_text_put(text, "the device says ");
    put_quoted(text, host);
    for (size_t i = 0; i < sizeof advices / sizeof *advices; i++) {
        if (contains(host->reply, advices[i].words)) {
            ota_text_put(text, ": ");
            ota_text_put(text, advices[i].advice);
            return;
        }
    }
}

static void put_auth(struct ota_text *text, const struct ota_espota_host *host)
{
    if (host->options->password == NULL) {
        ota_text_put(text, "the device wants a password, and none was given");
    } else if (host->failed_in != OTA_ESPOTA_HOST_PROVING) {
        ota_text_put(text, "the device asks for the password by MD5, which is refused here: it can "
                           "be guessed from what is heard on the network; update its firmware to "
                           "one that asks by SHA-256, or allow the weak form");
    } else {
        ota_text_put(text, "the password is wrong: the device says ");
        put_quoted(text, host);
    }
}

static void put_seconds(struct ota_text *text, uint32_t chosen_ms, uint32_t usual_ms)
{
    ota_text_put_decimal(text, (chosen_ms != 0 ? chosen_ms : usual_ms) / 1000);
    ota_text_put(text, " s");
}

static void put_how_much(struct ota_text *text, const struct ota_espota_host *host)
{
    ota_text_put_decimal(text, host->sent);
    ota_text_put(text, " of ");
    ota_text_put_decimal(text, host->options->size);
    ota_text_put(text, " bytes");
}

static void put_timeout(struct ota_text *text, const struct ota_espota_host *host)
{
    switch (host->failed_in) {
    case OTA_ESPOTA_HOST_INVITING:
        if (host->has_answered) {
            ota_text_put(text, "the device has stopped answering: restart it and try again");
            return;
        }
        ota_text_put(text, "no answer to ");
        ota_text_put_decimal(text, host->tries);
        ota_text_put(text, " invitations: is the device on, in the same network, and does its "
                           "firmware take updates at this port?");
        return;
    case OTA_ESPOTA_HOST_PROVING:
        ota_text_put(text, "the device asked for the password and never answered to it");
        return;
    case OTA_ESPOTA_HOST_FINISHING:
        ota_text_put(text, "the device has the whole image and did not say within ");
        put_seconds(text, host->options->finish_timeout_ms, OTA_ESPOTA_HOST_FINISH_TIMEOUT_MS);
        ota_text_put(text, " whether it accepts it: look at what it runs");
        return;
    default:
        ota_text_put(text, "nothing moved for ");
        put_seconds(text, host->options->stall_timeout_ms, OTA_ESPOTA_HOST_STALL_TIMEOUT_MS);
        ota_text_put(text, " after ");
        put_how_much(text, host);
        ota_text_put(text, ": the device hangs, or the connection to it is gone");
        return;
    }
}

static void put_connect_back(struct ota_text *text, const struct ota_espota_host *host)
{
    ota_text_put(text, "the device said OK and did not connect back within ");
    put_seconds(text, host->options->connect_timeout_ms, OTA_ESPOTA_HOST_CONNECT_TIMEOUT_MS);
    ota_text_put(text, ". A firewall on this computer probably keeps it out: allow incoming TCP "
                       "connections to port ");
    ota_text_put_decimal(text, host->options->host_port);
    ota_text_put(text, ". An ESP32 also falls silent here when it has no room for ");
    ota_text_put_decimal(text, host->options->size);
    ota_text_put(text, " bytes");
}

static void put_protocol(struct ota_text *text, const struct ota_espota_host *host)
{
    if (host->failed_in == OTA_ESPOTA_HOST_SENDING) {
        ota_text_put(text, "the device said OK after ");
        put_how_much(text, host);
        ota_text_put(text, ", before it can have had them all");
        return;
    }
    ota_text_put(text, "the answer ");
    put_quoted(text, host);
    ota_text_put(text, " is not of this protocol: is it the right port?");
}

static void put_lost(struct ota_text *text, const struct ota_espota_host *host)
{
    if (host->failed_in == OTA_ESPOTA_HOST_FINISHING) {
        ota_text_put(text, "the device closed the connection without saying that it accepts the "
                           "image: take it for refused, and look at its log");
        return;
    }
    ota_text_put(text, "the connection broke after ");
    put_how_much(text, host);
    ota_text_put(text, ": try again; if it breaks again, look at the device's log");
}

const char *ota_espota_host_message(const struct ota_espota_host *host, char *buffer, size_t size)
{
    struct ota_text text;

    ota_text_begin(&text, buffer, size);
    switch (host->failure.err) {
    case OTA_OK:
        break;
    case OTA_ERR_PEER:
        put_refused(&text, host);
        break;
    case OTA_ERR_AUTH:
        put_auth(&text, host);
        break;
    case OTA_ERR_TIMEOUT:
        put_timeout(&text, host);
        break;
    case OTA_ERR_CONNECT_BACK:
        put_connect_back(&text, host);
        break;
    case OTA_ERR_PROTOCOL:
        put_protocol(&text, host);
        break;
    case OTA_ERR_CONNECTION_LOST:
        put_lost(&text, host);
        break;
    case OTA_ERR_CRYPTO:
        ota_text_put(&text, "the proof of the password could not be computed");
        break;
    default:
        ota_text_put(&text, "the image could not be read any more");
        break;
    }
    return ota_text_end(&text);
}
