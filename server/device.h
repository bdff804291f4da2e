/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_SERVER_DEVICE_H
#define UPDRAFT_SERVER_DEVICE_H

/*
 * Who asks for an update, and what it says of itself: the request headers of the pull protocols of
 * ESP8266, ESP32 and Pico (docs/formats/http-pull.md sections 1 and 2), and of Updraft's own
 * client, which says the same under names of its own and adds its chip and project. All of it is an
 * unauthenticated claim.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <updraft/crypto.h>

enum device_platform {
    DEVICE_NONE = 0, /* the User-Agent is no updater's */
    DEVICE_ESP8266,
    DEVICE_ESP32,
    DEVICE_PICO,
    DEVICE_UPDRAFT,
};

#define DEVICE_NOT_SAID UINT64_MAX

/* Texts are the request's, valid as long as it is; NULL where the device said nothing. */
struct device {
    enum device_platform platform;
    const char *user_agent;
    const char *station_mac;
    const char *mode;
    const char *version;
    const char *project;  /* asked for: in the URL, or by x-Updraft-Project */
    const char *chip;     /* likewise */
    uint64_t free_space;  /* bytes, or DEVICE_NOT_SAID */
    uint64_t sketch_size; /* likewise */
    uint64_t chip_size;   /* likewise */
    bool takes_gzip;      /* it unpacks apps: see device.c */
    bool prefers_plain;   /* though it unpacks: it resumes, or would like to be able to */
    bool has_md5;
    uint8_t md5[OTA_MD5_SIZE]; /* of the running image */
    bool has_sha256;
    uint8_t sha256[OTA_SHA256_SIZE];

    char problem
        [128]; /* why the request cannot be answered: a header is missing or makes no sense */
};

/* Where the request's headers are looked up. Names are compared without regard to case. */
struct device_request {
    const char *(*header)(void *context, const char *name); /* NULL: not there */
    void *context;
    const char *project; /* of the URL, or NULL */
    const char *chip;    /* of the URL, or NULL */
};

/* Reads the request's headers into `device`. */
void device_read(const struct device_request *request, struct device *device);

/* Returns the platform's name: "esp8266", "esp32", "pico", "updraft"; "" for DEVICE_NONE. */
const char *device_platform_name(enum device_platform platform);

#endif
