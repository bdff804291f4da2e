/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_ADDRESS_H
#define UPDRAFT_ADDRESS_H

/* The address of a peer on the network, for protocols whose answers must reach whoever asked. */

#include <stdbool.h>
#include <stdint.h>

struct ota_address {
    uint8_t ip[16]; /* IPv6; an IPv4 address is ::ffff:a.b.c.d */
    uint32_t scope; /* interface of a link-local IPv6 address; else 0 */
    uint16_t port;  /* 1 to 65535 */
};

/* Tell whether two addresses are of the same host; and of the same port of it. */
bool ota_address_same_host(const struct ota_address *a, const struct ota_address *b);
bool ota_address_same(const struct ota_address *a, const struct ota_address *b);

/* Writes the host in the usual form, "192.168.1.50" or "fe80::1", terminated, and returns
   `text`. */
#define OTA_ADDRESS_TEXT_SIZE 46u
const char *ota_address_host_text(const struct ota_address *address,
                                  char text[OTA_ADDRESS_TEXT_SIZE]);

#endif
