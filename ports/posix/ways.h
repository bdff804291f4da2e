/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PORTS_POSIX_WAYS_H
#define UPDRAFT_PORTS_POSIX_WAYS_H

/*
 * The ways into a virtual board, as `updraft board run` was asked for them: which are open, who may
 * use them and when. The runner hands them to the firmware as text, in an environment variable.
 *
 *     struct ways ways;
 *     ways_init(&ways);
 *     ways.espota = 0;                                  any free port
 *     char *text = ways_write(&ways);
 *     ...
 *     if (ways_read(&ways, text)) ...                   in the firmware, see ways_kit.h
 */

#include <stdbool.h>
#include <stdint.h>

#define WAYS_CLOSED (-1)

struct cJSON;

struct ways {
    /* Ports; 0: any that is free; WAYS_CLOSED: not open. */
    int32_t espota, esphome, http;

    const char *host_name;    /* advertised as NAME.local; NULL: not */
    const char *password;     /* of all three; NULL: none is asked for */
    bool refuse_md5;          /* a login that is proven by MD5 is not enough */
    bool restart_by_hand;     /* after an upload by HTTP; neither: as its dialect has it */
    bool restart_at_once;     /* likewise */
    bool exclusive;           /* while one way in updates, the others' connections are closed */
    const char *ca_file;      /* certificates to trust for https, PEM; NULL: the system's */
    const char *fingerprint;  /* of the server's certificate; NULL: not looked at */
    const char *update_url;   /* an image to update to, once, when the power comes; NULL: none */
    const char *upgrade_list; /* path of a list (upgrade_file.h); NULL: none */
    const char *sdcard;       /* folder that is mounted as "sdcard"; NULL: none */

    /* Policy. */
    int32_t window_from, window_to; /* minutes of the day, local time; WAYS_CLOSED: always */
    int32_t armed_s;                /* after the button; 0: no button is needed */
    bool refuse_same, refuse_older, refuse_project;

    struct cJSON *json; /* holds the strings that ways_read read */
};

/* Fills in a board without any of them. */
void ways_init(struct ways *ways);

/* Tells whether one is open through which an update could come. */
bool ways_any(const struct ways *ways);

/* Writes them as text, to be freed by the caller; NULL if there is no memory. */
char *ways_write(const struct ways *ways);

/* Reads that back; `text` may be NULL for none. Returns false if it is not that. End with
   ways_free. */
bool ways_read(struct ways *ways, const char *text);
void ways_free(struct ways *ways);

#endif
