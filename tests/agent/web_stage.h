/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_WEB_STAGE_H
#define AGENT_WEB_STAGE_H

/*
 * A web server made of memory behind a platform whose clock only waiting moves: it has one file,
 * knows ranges, and misbehaves as a test says. A device of RAM with an intake is there to take what
 * comes.
 */

#include <updraft/intake.h>
#include <updraft/platform.h>

#include "proto/ram_device.h"

#define WEB_FILE_MAX 0x10800u
#define WEB_REPLY_MAX (WEB_FILE_MAX * 4)

/* What the server does wrong, or otherwise than usual. */
struct web_habits {
    unsigned status;          /* instead of serving; 0: serves */
    const char *status_lines; /* header lines beside it */
    const char *needs;        /* Authorization's value; others get 401 */
    bool no_ranges;
    bool no_if_range; /* gives a range whatever If-Range says */
    bool chunked;
    bool no_length; /* neither a length nor chunks: the end is the end */
    bool http_1_0;
    bool closes;                  /* says so and does, after each answer */
    bool drops;                   /* likewise without a word, which is noticed only later */
    int32_t length_lie;           /* added to the length it states */
    int32_t start_lie, total_lie; /* likewise, of a part that does not begin the file */
    uint32_t more;                /* bytes that a part has beyond what was asked for */
    uint32_t less;                /* bytes that a chunked answer lacks of what it says */
    uint32_t part_max;            /* gives at most so many bytes of a range; 0: as asked */
    uint32_t cut;          /* bytes of each reply, its head included, before it breaks; 0: all */
    uint32_t silent_after; /* likewise, after which nothing comes any more */
    bool endless_head, endless_body;
    uint32_t answers_after;    /* bytes of a request, not its end; 0: its end */
    uint32_t byte_every_ms;    /* trickles; 0: does not */
    uint32_t other_file_after; /* requests after which the file is another; 0: never */
    const char *extra_lines;   /* in every answer that serves */
    unsigned redirects;        /* how many requests are sent on, to `location` */
    unsigned redirect_status;
    const char *location;
    enum ota_err connect_error;
};

struct web {
    struct ota_platform platform; /* first: a cast gets the stage back */
    struct ota_stream stream;
    struct ram_device ram;
    struct ota_intake intake;
    uint8_t buffer[4096];
    char text[1024];

    struct web_habits habits;
    uint8_t file[WEB_FILE_MAX];
    size_t file_len;
    const char *etag; /* NULL: none */

    uint32_t now;
    size_t piece; /* most bytes that one read or write moves; 0: any number */
    bool is_open;
    char request[2048];
    size_t request_len;
    uint8_t *reply;
    size_t reply_len, reply_at;
    bool reply_ends; /* the connection, with its last byte */
    uint32_t next_byte_ms;

    unsigned connections, requests;
    char host[128]; /* connected to last */
    uint16_t port;
    char last_request[2048];
    char ranges[4096]; /* each request's Range value and a blank; "-" where it had none */
    char log[2048];
};

/* Set-up and tear-down functions for cmocka: a server with an image 1.1.0 of 20000 bytes, and a
   device that runs 1.0.0 from its factory app. */
int web_set_up(void **state);
int web_tear_down(void **state);

/* Makes the file an image of this version. */
void web_make_file(struct web *web, uint32_t size, const char *version);

/* The slot ota_0 holds the file. */
void web_assert_installed(const struct web *web);

#endif
