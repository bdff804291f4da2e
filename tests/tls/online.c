/* SPDX-License-Identifier: Apache-2.0 */
/* A device that updates itself from servers of other make. */

#include "tls/online.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "posix/tls_store.h"
#include "support/images.h"

struct online online;

/* ---- Set-up ---------------------------------------------------------------------------------- */

/* As in the documentation that people copy from: openssl req -x509, the address as common name. */
static const char make_certificates[] =
    "openssl req -x509 -newkey rsa:2048 -keyout ca_key.pem -out ca_cert.pem -days 365 -nodes"
    " -subj /CN=127.0.0.1 && "
    "openssl req -x509 -newkey rsa:2048 -keyout other_key.pem -out other_cert.pem -days 365 -nodes"
    " -subj /CN=elsewhere.example && "
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -keyout ec_key.pem"
    " -out ec_cert.pem -days 365 -nodes -subj /CN=x -addext"
    " subjectAltName=IP:127.0.0.1,DNS:localhost && "
    "openssl req -newkey rsa:2048 -nodes -keyout old_key.pem -out old.csr -subj /CN=127.0.0.1 && "
    "openssl x509 -req -in old.csr -signkey old_key.pem -days -1 -out old_cert.pem && "
    "ec='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365' && "
    "openssl req -x509 $ec -keyout root_key.pem -out root_cert.pem -subj /CN=Root && "
    "openssl req -x509 $ec -keyout mid_key.pem -out mid_cert.pem -subj /CN=Between"
    " -CA root_cert.pem -CAkey root_key.pem -addext basicConstraints=critical,CA:true && "
    "openssl req -x509 $ec -keyout leaf_key.pem -out leaf_cert.pem -subj /CN=x"
    " -CA mid_cert.pem -CAkey mid_key.pem -addext basicConstraints=CA:false"
    " -addext subjectAltName=IP:127.0.0.1,DNS:localhost && "
    "cat mid_cert.pem >>leaf_cert.pem && "
    "openssl x509 -in ca_cert.pem -noout -fingerprint -sha256 | sed 's/.*=//' >sha256.txt && "
    "openssl x509 -in ca_cert.pem -noout -fingerprint -sha1 | sed 's/.*=//' >sha1.txt";

int online_set_up_group(void **state)
{
    (void)state;
    if (!servers_have("openssl")) {
        return 0;
    }
    scratch_make(&online.scratch);
    servers_run(&online.scratch, make_certificates);
    online.file = malloc(ONLINE_FILE_SIZE + 64);
    assert_non_null(online.file);
    online.file_len =
        image_make(online.file, ONLINE_FILE_SIZE + 64,
                   &(struct image_facts){
                       .chip = OTA_CHIP_ESP32S3, .size = ONLINE_FILE_SIZE, .version = "1.1.0"});
    scratch_write(&online.scratch, "app.bin", online.file, online.file_len);
    return 0;
}

int online_tear_down_group(void **state)
{
    (void)state;
    if (online.file != NULL) {
        scratch_remove(&online.scratch);
    }
    free(online.file);
    return 0;
}

int online_set_up(void **state)
{
    (void)state;
    platform_init(&online.platform);
    ram_device_make(&online.ram);
    assert_int_equal(ota_intake_init(&online.intake,
                                     &(struct ota_intake_options){
                                         .device = &online.ram.device,
                                         .buffer = online.buffer,
                                         .buffer_size = sizeof online.buffer,
                                     }),
                     OTA_OK);
    return 0;
}

int online_tear_down(void **state)
{
    (void)state;
    ota_tls_end(&online.tls);
    assert_int_equal(online.tls.open_streams, 0);
    memset(&online.tls, 0, sizeof online.tls);
    platform_close(&online.platform);
    free(online.certificates);
    online.certificates = NULL;
    return 0;
}

void online_trust(const char *name, struct ota_tls_options options)
{
    if (name != NULL) {
        online.certificates = tls_store_load(scratch_path(&online.scratch, name));
        assert_non_null(online.certificates);
        options.ca_pem = online.certificates;
    }
    assert_int_equal(ota_tls_begin(&online.tls, &options), OTA_OK);
}

void online_serve(struct server *server, const char *name, bool files, const char *more,
                  const char *more_2, const char *more_3)
{
    char cert[64], key[64];
    const char *arguments[16] = {"-cert", cert, "-key", key};
    size_t count = 4;

    snprintf(cert, sizeof cert, "%s_cert.pem", name);
    snprintf(key, sizeof key, "%s_key.pem", name);
    if (files) {
        arguments[count++] = "-WWW";
    }
    if (more != NULL) {
        arguments[count++] = more;
    }
    if (more_2 != NULL) {
        arguments[count++] = more_2;
    }
    if (more_3 != NULL) {
        arguments[count++] = more_3;
    }
    server_openssl(server, &online.scratch, arguments);
}

/* ---- Updating -------------------------------------------------------------------------------- */

struct ota_https_update_options online_options_for(const char *host, uint16_t port, char url[128])
{
    snprintf(url, 128, "https://%s:%u/app.bin", host, (unsigned)port);
    return (struct ota_https_update_options){
        .platform = &online.platform.platform,
        .intake = &online.intake,
        .secure = &online.tls.secure,
        .url = url,
        .head_timeout_ms = ONLINE_HEAD_MS,
        .body_timeout_ms = ONLINE_BODY_MS,
        .body_least = ONLINE_BODY_LEAST,
        .text = online.text,
        .text_size = sizeof online.text,
    };
}

enum ota_err online_update_from(const char *host, uint16_t port)
{
    char url[128];
    const struct ota_https_update_options options = online_options_for(host, port, url);
    const enum ota_err err = ota_https_update(&online.update, &options);

    assert_true(ota_intake_is_free(&online.intake));
    assert_int_equal(online.tls.open_streams, 0);
    if (err == OTA_OK) {
        assert_memory_equal(online.ram.memory + RAM_OTA_0, online.file, online.file_len);
        assert_int_equal(online.intake.accepted, 1);
    } else {
        assert_int_equal(online.intake.accepted, 0);
    }
    return err;
}

/* One update from s_server with these online.certificates and no more than the usual options. */
enum ota_err online_update_from_openssl(const char *name, const char *host, const char *more,
                                        const char *more_2, const char *more_3)
{
    struct server server;

    online_serve(&server, name, true, more, more_2, more_3);
    const enum ota_err err = online_update_from(host, server.port);
    server_stop(&server);
    return err;
}

void online_need(const char *program)
{
    if (!servers_have("openssl") || !servers_have(program)) {
        print_message("%s is not installed: skipped\n", program);
        skip();
    }
}
