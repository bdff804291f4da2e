/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_ONLINE_H
#define TLS_ONLINE_H

/*
 * A device of RAM on this machine's network, and servers of other make with certificates as their
 * users make them, in a scratch folder that also holds the file to serve: an image as app.bin.
 *
 *     ca_cert.pem     self-signed, CN=127.0.0.1, no other names
 *     other_cert.pem  self-signed, CN=elsewhere.example
 *     ec_cert.pem     self-signed, P-256, for 127.0.0.1 and localhost
 *     old_cert.pem    self-signed, CN=127.0.0.1, expired
 *     root_cert.pem   self-signed, P-256, signs what signs what is in
 *     leaf_cert.pem   for localhost and 127.0.0.1, followed by the one between
 *     sha256.txt, sha1.txt   fingerprints of ca_cert.pem
 */

#include <updraft/https_update.h>
#include <updraft/tls.h>

#include "posix/platform.h"
#include "proto/ram_device.h"
#include "tls/servers.h"

#define ONLINE_FILE_SIZE 30000u

/* The limits that updates have here. */
#define ONLINE_HEAD_MS 1500u
#define ONLINE_BODY_MS 800u
#define ONLINE_BODY_LEAST 500u

struct online {
    struct scratch scratch;
    struct posix_platform platform;
    struct ram_device ram;
    struct ota_intake intake;
    struct ota_tls tls;
    struct ota_https_update update;
    uint8_t buffer[4096];
    char text[2048];
    uint8_t *file; /* what app.bin holds */
    size_t file_len;
    char *certificates; /* that are trusted, as PEM */
};

extern struct online online;

/* Set-up and tear-down functions for cmocka: the folder with all that is in it; and for each test,
   a device that has never been updated. */
int online_set_up_group(void **state);
int online_tear_down_group(void **state);
int online_set_up(void **state);
int online_tear_down(void **state);

/* Skips the test if this program, or openssl, is not installed. */
void online_need(const char *program);

/* Begins TLS, trusting what is in this file of the folder; NULL: nothing but the options say. */
void online_trust(const char *name, struct ota_tls_options options);

/* Starts s_server with these certificates, serving the folder's files or else what the test writes
   to it, with up to three more arguments. */
void online_serve(struct server *server, const char *name, bool files, const char *more,
                  const char *more_2, const char *more_3);

/* The options of an update from https://host:port/app.bin. */
struct ota_https_update_options online_options_for(const char *host, uint16_t port, char url[128]);

/* One update; nothing may stay open, and what was accepted must be what app.bin holds. From a
   server that runs; and from s_server, started for it as online_serve does. */
enum ota_err online_update_from(const char *host, uint16_t port);
enum ota_err online_update_from_openssl(const char *name, const char *host, const char *more,
                                        const char *more_2, const char *more_3);

#endif
