/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_CERTIFICATES_H
#define TLS_CERTIFICATES_H

/* Certificates for tests, made by Mbed TLS from a few facts: P-256 keys unless said otherwise,
   signed with SHA-256. */

#include <stdbool.h>
#include <stddef.h>

#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>

struct certificate {
    char pem[2048];
    mbedtls_pk_context key;
    mbedtls_x509_crt parsed;
    char subject[128];
};

struct certificate_facts {
    const char *subject;        /* "CN=host" */
    struct certificate *issuer; /* NULL: self-signed */
    bool is_ca;
    bool rsa;              /* 2048 bits, in place of P-256 */
    const char *from, *to; /* "YYYYMMDDhhmmss"; NULL: 2020 and 2040 */
    const char *dns_name;  /* of the subject alternative names; NULL: none */
    const char *dns_name_2;
    const unsigned char *address; /* likewise, 4 or 16 bytes */
    size_t address_len;
};

void certificate_make(struct certificate *certificate, const struct certificate_facts *facts);
void certificate_free(struct certificate *certificate);

/* The digest of its DER as text with ':' between the bytes, of SHA-1 or SHA-256. */
void certificate_fingerprint(const struct certificate *certificate, bool sha1, char text[96]);

/* Random bytes for Mbed TLS from a fixed seed, so that a failing test fails again. */
int test_random(void *context, unsigned char *data, size_t len);

/* Begins the bytes of test_random anew. */
void test_random_restart(void);

#endif
