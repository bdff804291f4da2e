/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates from files. */

#include "posix/tls_store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A store of all public authorities has about 200 KiB. */
#define SIZE_MAX_ALLOWED (4L * 1024 * 1024)

const char *tls_store_path(void)
{
    static const char *const usual[] = {
        "/etc/ssl/certs/ca-certificates.crt",     /* Debian, Alpine, Arch */
        "/etc/pki/tls/certs/ca-bundle.crt",       /* Fedora */
        "/etc/ssl/ca-bundle.pem",                 /* openSUSE */
        "/etc/ssl/cert.pem",                      /* the BSDs, macOS */
        "/usr/local/share/certs/ca-root-nss.crt", /* FreeBSD */
    };
    const char *named = getenv("SSL_CERT_FILE");

    if (named != NULL && *named != '\0') {
        return named;
    }
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        if (access(usual[i], R_OK) == 0) {
            return usual[i];
        }
    }
    errno = ENOENT;
    return NULL;
}

static char *read_all(FILE *file)
{
    long size = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;

    if (size < 0 || size > SIZE_MAX_ALLOWED || fseek(file, 0, SEEK_SET) != 0) {
        errno = size > SIZE_MAX_ALLOWED ? EFBIG : errno;
        return NULL;
    }
    char *text = malloc((size_t)size + 1);
    if (text != NULL) {
        text[fread(text, 1, (size_t)size, file)] = '\0';
    }
    return text;
}

char *tls_store_load(const char *path)
{
    path = path != NULL ? path : tls_store_path();
    FILE *file = path != NULL ? fopen(path, "re") : NULL;

    if (file == NULL) {
        return NULL;
    }
    char *text = read_all(file);
    fclose(file);
    return text;
}
