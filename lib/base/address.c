/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of peers: comparing them and writing them down (RFC 5952). */
#include <updraft/address.h>

#include "base/mem.h"

#define GROUPS 8u

static const uint8_t ipv4_prefix[12] = {[10] = 0xFF, [11] = 0xFF};

bool ota_address_same_host(const struct ota_address *a, const struct ota_address *b)
{
    return a->scope == b->scope && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

bool ota_address_same(const struct ota_address *a, const struct ota_address *b)
{
    return a->port == b->port && ota_address_same_host(a, b);
}

/* Writes a number without leading zeros; returns what follows it. */
static char *put_number(char *text, unsigned value, unsigned base)
{
    static const char digits[] = "0123456789abcdef";
    unsigned place = 1;

    while (value / place >= base) {
        place *= base;
    }
    for (; place > 0; place /= base) {
        *text++ = digits[value / place % base];
    }
    return text;
}

static unsigned group(const struct ota_address *address, unsigned index)
{
    return (unsigned)address->ip[2 * index] << 8 | address->ip[2 * index + 1];
}

/* Finds the longest run of two or more zero groups, the first of several. */
static unsigned find_zeros(const struct ota_address *address, unsigned *count)
{
    unsigned best = GROUPS;

    *count = 1;
    for (unsigned start = 0; start < GROUPS; start++) {
        unsigned end = start;
        while (end < GROUPS && group(address, end) == 0) {
            end++;
        }
        if (end - start > *count) {
            best = start;
            *count = end - start;
        }
    }
    return best;
}

static void put_ipv6(const struct ota_address *address, char *text)
{
    unsigned count;
    unsigned zeros = find_zeros(address, &count);

    for (unsigned i = 0; i < GROUPS; i++) {
        if (i == zeros) {
            *text++ = ':';
            *text++ = ':';
            i += count - 1;
            continue;
        }
        if (i > 0 && text[-1] != ':') {
            *text++ = ':';
        }
        text = put_number(text, group(address, i), 16);
    }
    *text = '\0';
}

const char *ota_address_host_text(const struct ota_address *address,
                                  char text[OTA_ADDRESS_TEXT_SIZE])
{
    char *at = text;

    if (memcmp(address->ip, ipv4_prefix, sizeof ipv4_prefix) != 0) {
        put_ipv6(address, text);
        return text;
    }
    for (unsigned i = sizeof ipv4_prefix; i < sizeof address->ip; i++) {
        at = put_number(at, address->ip[i], 10);
        *at++ = '.';
    }
    at[-1] = '\0';
    return text;
}
