/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_SECURE_H
#define UPDRAFT_SECURE_H

/* The seam between a client and TLS: something that wraps a stream into a secure one. A program
   that names none speaks only http, and links no TLS (tls.h has one on Mbed TLS). */

#include <updraft/error.h>
#include <updraft/platform.h>

struct ota_secure {
    /*
     * Wraps `inner`, a stream that connects to `host` or has, into `*outer`. From then on `inner`
     * is the wrapper's, which closes it with itself; on failure it stays the caller's. The
     * handshake happens in the outer stream's reads and writes, which return OTA_ERR_TLS and its
     * kin beside a stream's own errors. `ca_pem` are the certificates to trust in place of the
     * wrapper's own; NULL: those. Returns OTA_OK, OTA_ERR_NO_MEMORY, OTA_ERR_BUSY if it can wrap no
     * more, OTA_ERR_ARGUMENT for certificates that cannot be read.
     */
    enum ota_err (*wrap)(struct ota_secure *secure, struct ota_platform *platform, const char *host,
                         const char *ca_pem, struct ota_stream *inner, struct ota_stream **outer);
};

#endif
