/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A push over the Arduino update protocol to a device that says anything. The input is a script: a
 * byte says what happens next, and brings bytes of its own. Whatever happens: the host reads
 * nothing but the image, sends it in order, takes it for accepted only if it was sent whole, and
 * comes to an end.
 */
#include <string.h>

#include <updraft/espota_host.h>

#include "fuzz/input.h"

#define IMAGE_SIZE 3000u

enum happening {
    DATAGRAM, /* the host sends what is due */
    ANSWER,   /* length, bytes */
    ASKED,    /* a question of the right form, and which */
    CONNECTED,
    SENT,  /* count: as many times 16 bytes go out, or are offered and do not */
    INPUT, /* length, bytes */
    CLOSED,
    LATER, /* count: as many times 100 ms pass */
    HAPPENINGS,
};

static struct stage {
    struct ota_espota_host host;
    struct ota_espota_host_options options;
    uint32_t now;
    uint32_t next; /* byte of the image that must be read next */
} stage;

static enum ota_err read_image(void *context, uint32_t offset, void *data, size_t len)
{
    (void)context;
    REQUIRE(offset == stage.next && len <= IMAGE_SIZE - offset);
    memset(data, 'i', len);
    return OTA_OK;
}

static enum ota_err give_random(void *context, void *data, size_t len)
{
    (void)context;
    memset(data, 7, len);
    return OTA_OK;
}

static bool is_over(void)
{
    return stage.host.state >= OTA_ESPOTA_HOST_DONE;
}

static void check(void)
{
    const struct ota_espota_host *host = &stage.host;

    REQUIRE((host->state == OTA_ESPOTA_HOST_FAILED) == (host->failure.err != OTA_OK));
    REQUIRE(host->state != OTA_ESPOTA_HOST_DONE || host->sent == IMAGE_SIZE);
    REQUIRE((ota_espota_host_wait_ms(host) == UINT32_MAX) == is_over());
    REQUIRE(memchr(host->reply, '\0', sizeof host->reply) != NULL);
    REQUIRE(host->sent == stage.next);
    char text[512];
    ota_espota_host_message(host, text, sizeof text);
    REQUIRE((text[0] == '\0') == (host->failure.err == OTA_OK));
}

static void set_up(struct input *input)
{
    const uint8_t kind = input_byte(input);

    stage.now = 0;
    stage.next = 0;
    stage.options = (struct ota_espota_host_options){
        .crypto = &ota_crypto_bearssl,
        .size = IMAGE_SIZE,
        .host_port = 43211,
        .is_data = (kind & 1) != 0,
        .password = (kind & 2) != 0 ? "secret" : NULL,
        .refuse_md5 = (kind & 4) != 0,
        .read = read_image,
        .random = give_random,
    };
    REQUIRE(ota_espota_host_begin(&stage.host, &stage.options, stage.now) == OTA_OK);
}

static void take_datagram(void)
{
    char data[160];
    const size_t len = ota_espota_host_datagram(&stage.host, data, sizeof data);

    REQUIRE(len <= 134 && (len == 0 || data[len - 1] == '\n'));
}

static void ask(uint8_t which)
{
    char text[5 + 64];

    memcpy(text, "AUTH ", 5);
    memset(text + 5, 'a' + which % 4, 64);
    ota_espota_host_answer(&stage.host, text, (which & 64) != 0 ? 5 + 32 : 5 + 64);
}

static void send_bytes(uint8_t count)
{
    char piece[16];

    for (unsigned i = 0; i < count; i++) {
        const size_t len = ota_espota_host_output(&stage.host, piece, sizeof piece);
        REQUIRE(len == 0 || stage.host.state == OTA_ESPOTA_HOST_SENDING);
        if (i % 7 != 6) { /* else nothing of it went out */
            stage.next += (uint32_t)len;
            ota_espota_host_sent(&stage.host, len);
        }
    }
}

/* Gives the host a piece of the script itself, in memory of its own so that reading past it
   shows. */
static void speak(struct input *input,
                  enum ota_err (*tell)(struct ota_espota_host *, const void *, size_t))
{
    const size_t wanted = input_byte(input);
    const size_t len = wanted < input->left ? wanted : input->left;
    void *copy = malloc(len > 0 ? len : 1);

    REQUIRE(copy != NULL);
    if (len > 0) {
        memcpy(copy, input->data, len);
    }
    input->data += len;
    input->left -= len;
    tell(&stage.host, copy, len);
    free(copy);
}

static void play(struct input *input)
{
    switch ((enum happening)(input_byte(input) % HAPPENINGS)) {
    case DATAGRAM:
        take_datagram();
        break;
    case ANSWER:
        speak(input, ota_espota_host_answer);
        break;
    case ASKED:
        ask(input_byte(input));
        break;
    case CONNECTED:
        ota_espota_host_connected(&stage.host);
        break;
    case SENT:
        send_bytes(input_byte(input));
        break;
    case INPUT:
        speak(input, ota_espota_host_input);
        break;
    case CLOSED:
        ota_espota_host_closed(&stage.host, OTA_OK);
        break;
    default:
        stage.now += 100u * input_byte(input);
        ota_espota_host_tick(&stage.host, stage.now);
        break;
    }
}

/* From here on the device is silent: the host must come to an end by itself. */
static void run_out(void)
{
    for (unsigned i = 0; !is_over(); i++) {
        REQUIRE(i < 1000);
        take_datagram();
        stage.now += ota_espota_host_wait_ms(&stage.host);
        ota_espota_host_tick(&stage.host, stage.now);
        check();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};

    set_up(&input);
    check();
    while (input.left > 0 && !is_over()) {
        play(&input);
        check();
    }
    run_out();
    return 0;
}
