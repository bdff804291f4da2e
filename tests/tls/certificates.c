/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates for tests. */

#include "tls/certificates.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include <mbedtls/ecp.h>
#include <mbedtls/md.h>
#include <mbedtls/oid.h>
#include <mbedtls/rsa.h>

#include "support/images.h"

#define TAG_DNS_NAME 0x82
#define TAG_ADDRESS 0x87

static uint64_t random_at;

int test_random(void *context, unsigned char *data, size_t len)
{
    (void)context;
    for (size_t i = 0; i < len; i++) {
        data[i] = (unsigned char)noise(7, random_at++);
    }
    return 0;
}

void test_random_restart(void)
{
    random_at = 0;
}

static size_t add_name(unsigned char *to, unsigned char tag, const void *bytes, size_t len)
{
    to[0] = tag;
    to[1] = (unsigned char)len;
    memcpy(to + 2, bytes, len);
    return len + 2;
}

static void set_names(mbedtls_x509write_cert *writer, const struct certificate_facts *facts)
{
    unsigned char names[200];
    size_t len = 0;

    if (facts->dns_name != NULL) {
        len += add_name(names + 2 + len, TAG_DNS_NAME, facts->dns_name, strlen(facts->dns_name));
    }
    if (facts->dns_name_2 != NULL) {
        len +=
            add_name(names + 2 + len, TAG_DNS_NAME, facts->dns_name_2, strlen(facts->dns_name_2));
    }
    if (facts->address != NULL) {
        len += add_name(names + 2 + len, TAG_ADDRESS, facts->address, facts->address_len);
    }
    if (len > 0) {
        names[0] = 0x30; /* SEQUENCE */
        names[1] = (unsigned char)len;
        assert_int_equal(mbedtls_x509write_crt_set_extension(
                             writer, MBEDTLS_OID_SUBJECT_ALT_NAME,
                             MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_ALT_NAME), 0, names, len + 2),
                         0);
    }
}

static void make_key(mbedtls_pk_context *key, bool rsa)
{
    mbedtls_pk_type_t type = rsa ? MBEDTLS_PK_RSA : MBEDTLS_PK_ECKEY;
    int code = mbedtls_pk_setup(key, mbedtls_pk_info_from_type(type));

    assert_int_equal(code, 0);
    code =
        rsa ? mbedtls_rsa_gen_key(mbedtls_pk_rsa(*key), test_random, NULL, 2048, 65537)
            : mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(*key), test_random, NULL);
    assert_int_equal(code, 0);
}

void certificate_make(struct certificate *certificate, const struct certificate_facts *facts)
{
    struct certificate *issuer = facts->issuer != NULL ? facts->issuer : certificate;
    mbedtls_x509write_cert writer;
    mbedtls_mpi serial;

    memset(certificate, 0, sizeof *certificate);
    snprintf(certificate->subject, sizeof certificate->subject, "%s", facts->subject);
    mbedtls_pk_init(&certificate->key);
    mbedtls_x509_crt_init(&certificate->parsed);
    make_key(&certificate->key, facts->rsa);
    mbedtls_x509write_crt_init(&writer);
    mbedtls_mpi_init(&serial);
    mbedtls_mpi_lset(&serial, 1);
    mbedtls_x509write_crt_set_version(&writer, MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(&writer, MBEDTLS_MD_SHA256);
    mbedtls_x509write_crt_set_subject_key(&writer, &certificate->key);
    mbedtls_x509write_crt_set_issuer_key(&writer, &issuer->key);
    assert_int_equal(mbedtls_x509write_crt_set_serial(&writer, &serial), 0);
    assert_int_equal(mbedtls_x509write_crt_set_subject_name(&writer, facts->subject), 0);
    assert_int_equal(mbedtls_x509write_crt_set_issuer_name(&writer, issuer->subject), 0);
    assert_int_equal(mbedtls_x509write_crt_set_validity(
                         &writer, facts->from != NULL ? facts->from : "20200101000000",
                         facts->to != NULL ? facts->to : "20400101000000"),
                     0);
    assert_int_equal(mbedtls_x509write_crt_set_basic_constraints(&writer, facts->is_ca, -1), 0);
    set_names(&writer, facts);
    assert_int_equal(mbedtls_x509write_crt_pem(&writer, (unsigned char *)certificate->pem,
                                               sizeof certificate->pem, test_random, NULL),
                     0);
    mbedtls_mpi_free(&serial);
    mbedtls_x509write_crt_free(&writer);
    assert_int_equal(mbedtls_x509_crt_parse(&certificate->parsed,
                                            (const unsigned char *)certificate->pem,
                                            strlen(certificate->pem) + 1),
                     0);
}

void certificate_free(struct certificate *certificate)
{
    mbedtls_x509_crt_free(&certificate->parsed);
    mbedtls_pk_free(&certificate->key);
}

void certificate_fingerprint(const struct certificate *certificate, bool sha1, char text[96])
{
    const mbedtls_md_info_t *md =
        mbedtls_md_info_from_type(sha1 ? MBEDTLS_MD_SHA1 : MBEDTLS_MD_SHA256);
    unsigned char digest[32];
    size_t size = sha1 ? 20 : 32;

    assert_int_equal(mbedtls_md(md, certificate->parsed.raw.p, certificate->parsed.raw.len, digest),
                     0);
    for (size_t i = 0; i < size; i++) {
        snprintf(text + 3 * i, 4, "%02X%s", digest[i], i + 1 < size ? ":" : "");
    }
}
