/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PORTS_POSIX_TLS_STORE_H
#define UPDRAFT_PORTS_POSIX_TLS_STORE_H

/*
 * Certificates from files: a CA of one's own, or the ones that this system trusts.
 *
 *     char *pem = tls_store_load(NULL);
 *     const struct ota_tls_options options = {.ca_pem = pem};
 *     ota_tls_begin(&tls, &options);
 *     ... ota_tls_end(&tls); free(pem);
 */

/* Reads a file of certificates in PEM; `path` NULL: what SSL_CERT_FILE names, or else the system's
   own store. Returns the text, to be freed, or NULL if there is none that can be read (errno says
   why). */
char *tls_store_load(const char *path);

/* The path that tls_store_load(NULL) reads; NULL if this system has no store where one is
   usually. */
const char *tls_store_path(void);

#endif
