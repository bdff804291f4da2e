/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_FETCH_H
#define UPDRAFT_FETCH_H

/*
 * Fetching: bytes named by a URI, pulled without waiting. Which URIs can be fetched is a chain of
 * schemes; a program adds one of its own by putting it in front.
 *
 *     static struct ota_http_scheme web;         "http" and "https" (http_fetch.h)
 *     static struct file_scheme files;           "file" (a port's)
 *     enum ota_err err = ota_fetch_open(&files.scheme, platform, &request, &fetch);
 *     while (err == OTA_OK && !ended) err = fetch->read(fetch, data, sizeof data, &len, &ended);
 *     fetch->close(fetch);
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <updraft/error.h>
#include <updraft/platform.h>
#include <updraft/sink.h>

/* What is wanted. Strings are the caller's until the fetch is closed. */
struct ota_fetch_request {
    const char *uri;    /* "https://host/path", "file://sdcard/tone.bin", … */
    const char *ca_pem; /* certificates that are trusted, as PEM; NULL: the scheme's own */
    uint32_t offset;    /* first byte wanted */
};

/* One fetch, open. The scheme's until closed. */
struct ota_fetch {
    /* Bytes of the whole, the offset's included; OTA_SIZE_UNKNOWN until (or if never) told. */
    uint32_t size;

    /* Reads what is there now, as ota_stream's read: `*len` is 0 if nothing is, `*ended` says that
       all has come. Returns OTA_OK or why no more will come; a source that ends early is
       OTA_ERR_INCOMPLETE or OTA_ERR_CONNECTION_LOST, never an end. */
    enum ota_err (*read)(struct ota_fetch *fetch, void *data, size_t capacity, size_t *len,
                         bool *ended);

    void (*close)(struct ota_fetch *fetch);
};

struct ota_scheme {
    /* Tells whether it fetches URIs of this scheme, given in lower case ("https"). */
    bool (*serves)(const struct ota_scheme *scheme, const char *name);

    /* Opens one; whether it comes about may show only in its first reads. Returns OTA_OK,
       OTA_ERR_URL, OTA_ERR_BUSY if it can have no more fetches, OTA_ERR_CONNECT, OTA_ERR_SOURCE. */
    enum ota_err (*open)(struct ota_scheme *scheme, struct ota_platform *platform,
                         const struct ota_fetch_request *request, struct ota_fetch **fetch);
    struct ota_scheme *next; /* NULL: the last */
};

/* Opens a fetch by the first scheme of the chain that serves the URI. Returns OTA_ERR_URL if none
   does, or what that one returns. */
enum ota_err ota_fetch_open(struct ota_scheme *schemes, struct ota_platform *platform,
                            const struct ota_fetch_request *request, struct ota_fetch **fetch);

#endif
