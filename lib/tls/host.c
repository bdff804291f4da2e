/* SPDX-License-Identifier: Apache-2.0 */
/* Names: whether a certificate is for a host (RFC 6125, and RFC 2818 for the common name). */

#include <string.h>

#include <mbedtls/oid.h>

#include "tls/tls_private.h"

/* GeneralName's tags (RFC 5280 section 4.2.1.6). */
#define TAG_MASK 0x1Fu
#define TAG_DNS_NAME 2u
#define TAG_ADDRESS 7u

/* ---- Addresses ------------------------------------------------------------------------------- */

/* Four numbers up to 255 with dots between them, all `len` characters of it. */
static bool read_ipv4(const char *text, size_t len, uint8_t address[4])
{
    const char *end = text + len;

    for (unsigned i = 0; i < 4; i++) {
        const char *dot = i < 3 ? memchr(text, '.', (size_t)(end - text)) : end;
        uint32_t number;
        if (dot == NULL || dot - text > 3 ||
            !ota_text_read_decimal(text, (size_t)(dot - text), &number) || number > 255) {
            return false;
        }
        address[i] = (uint8_t)number;
        text = dot + 1;
    }
    return true;
}

/* One to four hexadecimal digits. Returns how many, 0 if it is none. */
static size_t read_group(const char *text, size_t len, uint8_t group[2])
{
    char digits[5] = "0000";
    size_t count = 0;

    while (count < len && count < 5 && text[count] != ':') {
        count++;
    }
    if (count == 0 || count > 4) {
        return 0;
    }
    memcpy(digits + 4 - count, text, count);
    return ota_text_read_hex(digits, group, 2) ? count : 0;
}

/* RFC 4291 section 2.2: groups with colons between them, one run of zeros as "::", IPv4 as the last
   two. */
static bool read_ipv6(const char *text, size_t len, uint8_t address[16])
{
    size_t at = 0, filled = 0, gap = SIZE_MAX;

    memset(address, 0, 16);
    if (len >= 2 && text[0] == ':' && text[1] == ':') {
        gap = 0;
        at = 2;
    }
    while (at < len) {
        if (filled <= 12 && read_ipv4(text + at, len - at, address + filled)) {
            filled += 4;
            break;
        }
        size_t digits = filled <= 14 ? read_group(text + at, len - at, address + filled) : 0;
        if (digits == 0) {
            return false;
        }
        filled += 2;
        at += digits;
        if (at == len) {
            break;
        }
        at++; /* read_group has stopped at a colon */
        if (at < len && text[at] == ':' && gap == SIZE_MAX) {
            gap = filled;
            at++;
        } else if (at == len) {
            return false; /* a colon at the end */
        }
    }
    if (gap == SIZE_MAX) {
        return filled == 16;
    }
    if (filled > 14) {
        return false;
    }
    memmove(address + 16 - (filled - gap), address + gap, filled - gap);
    memset(address + gap, 0, 16 - filled);
    return true;
}

size_t ota__tls_host_address(const char *host, uint8_t address[16])
{
    if (read_ipv4(host, strlen(host), address)) {
        return 4;
    }
    return strchr(host, ':') != NULL && read_ipv6(host, strcspn(host, "%"), address) ? 16 : 0;
}

/* ---- Names ----------------------------------------------------------------------------------- */

static size_t without_last_dot(const char *name, size_t len)
{
    return len > 0 && name[len - 1] == '.' ? len - 1 : len;
}

static bool is_same(const char *a, size_t a_len, const char *b, size_t b_len)
{
    if (a_len != b_len) {
        return false;
    }
    for (size_t i = 0; i < a_len; i++) {
        const char other[2] = {b[i], '\0'};
        if (b[i] == '\0' || !ota_text_same_bytes(&a[i], 1, other)) {
            return false;
        }
    }
    return true;
}

bool ota__tls_host_matches(const char *host, const char *name, size_t len)
{
    size_t host_len = without_last_dot(host, strlen(host));

    len = without_last_dot(name, len);
    if (len < 2 || name[0] != '*' || name[1] != '.') {
        return len > 0 && is_same(host, host_len, name, len);
    }
    const char *rest = memchr(host, '.', host_len);
    if (rest == NULL || rest == host || memchr(name + 2, '.', len - 2) == NULL) {
        return false;
    }
    return is_same(rest, host_len - (size_t)(rest - host), name + 1, len - 1);
}

/* Tells whether the certificate's common name is the host's. */
static bool is_common_name(const char *host, bool is_address, const mbedtls_x509_crt *certificate)
{
    for (const mbedtls_x509_name *part = &certificate->subject; part != NULL; part = part->next) {
        const char *name = (const char *)part->val.p;
        size_t len = part->val.len;
        if (MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &part->oid) == 0 && name != NULL &&
            (is_address ? is_same(host, strlen(host), name, len)
                        : ota__tls_host_matches(host, name, len))) {
            return true;
        }
    }
    return false;
}

bool ota__tls_host_is_in(const char *host, const mbedtls_x509_crt *certificate)
{
    uint8_t address[16];
    size_t address_len = ota__tls_host_address(host, address);
    bool has_names = false;

    for (const mbedtls_x509_sequence *item = &certificate->subject_alt_names; item != NULL;
         item = item->next) {
        const mbedtls_x509_buf *name = &item->buf;
        unsigned tag = (unsigned)name->tag & TAG_MASK;
        if (name->p == NULL || (tag != TAG_DNS_NAME && tag != TAG_ADDRESS)) {
            continue;
        }
        has_names = true;
        if (tag == TAG_ADDRESS && address_len > 0 && name->len == address_len &&
            memcmp(name->p, address, address_len) == 0) {
            return true;
        }
        if (tag == TAG_DNS_NAME && address_len == 0 &&
            ota__tls_host_matches(host, (const char *)name->p, name->len)) {
            return true;
        }
    }
    return !has_names && is_common_name(host, address_len > 0, certificate);
}
