/* SPDX-License-Identifier: Apache-2.0 */
/* Which scheme fetches a URI. */
#include <updraft/fetch.h>

#define NAME_SIZE 16u

static char to_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* RFC 3986 section 3.1, after the first character. */
static bool is_scheme_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
}

/* Copies what stands before the first colon, in lower case. Returns false if that is no scheme. */
static bool read_scheme(const char *uri, char name[NAME_SIZE])
{
    size_t len = 0;

    while (len < NAME_SIZE - 1 && is_scheme_character(to_lower(uri[len]))) {
        name[len] = to_lower(uri[len]);
        len++;
    }
    name[len] = '\0';
    return uri[len] == ':' && name[0] >= 'a';
}

enum ota_err ota_fetch_open(struct ota_scheme *schemes, struct ota_platform *platform,
                            const struct ota_fetch_request *request, struct ota_fetch **fetch)
{
    char name[NAME_SIZE];

    *fetch = NULL;
    if (request->uri == NULL || !read_scheme(request->uri, name)) {
        return OTA_ERR_URL;
    }
    for (struct ota_scheme *scheme = schemes; scheme != NULL; scheme = scheme->next) {
        if (scheme->serves(scheme, name)) {
            return scheme->open(scheme, platform, request, fetch);
        }
    }
    return OTA_ERR_URL;
}
