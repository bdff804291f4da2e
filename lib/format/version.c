/* SPDX-License-Identifier: Apache-2.0 */

/* Order of version texts: a parser for the one shape that has an order, and the comparison. */

#include <updraft/version.h>

#include "base/mem.h"

/* A stretch of the text that is parsed; not terminated. */
struct span {
    const char *start;
    const char *end;
};

struct version {
    struct span numbers;     /* "1.2.0" */
    struct span pre_release; /* "rc.1"; empty for a release */
    struct span commits;     /* "14" of "-14-g1a2b3c4"; empty for the tagged commit itself */
    struct span hash;        /* "1a2b3c4" */
    bool dirty;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_empty(struct span span)
{
    return span.start == span.end;
}

static size_t length(struct span span)
{
    return (size_t)(span.end - span.start);
}

/* Finds the first `c` of the span; NULL if it has none. */
static const char *find(struct span span, char c)
{
    for (const char *at = span.start; at < span.end; at++) {
        if (*at == c) {
            return at;
        }
    }
    return NULL;
}

static bool all(struct span span, bool (*accept)(char))
{
    for (const char *at = span.start; at < span.end; at++) {
        if (!accept(*at)) {
            return false;
        }
    }
    return !is_empty(span);
}

/* Cuts the identifier up to the next dot off the front of `rest`. */
static struct span next_part(struct span *rest)
{
    struct span part = *rest;
    const char *dot = find(*rest, '.');
    if (dot != NULL) {
        part.end = dot;
        rest->start = dot + 1;
    } else {
        rest->start = rest->end;
    }
    return part;
}

static bool is_identifier_character(char c)
{
    return is_digit(c) || is_letter(c) || c == '-';
}

/* Dot-separated, none empty, each only of accepted characters. */
static bool is_dotted(struct span span, bool (*accept)(char))
{
    if (is_empty(span) || span.end[-1] == '.') {
        return false;
    }
    while (!is_empty(span)) {
        if (!all(next_part(&span), accept)) {
            return false;
        }
    }
    return true;
}

/* Finds the last '-' of the span; NULL if it has none. */
static const char *last_dash(struct span span)
{
    for (const char *at = span.end; at > span.start; at--) {
        if (at[-1] == '-') {
            return at - 1;
        }
    }
    return NULL;
}

/* Takes "-dirty" and "-14-g1a2b3c4" off the end of a tail that starts with '-', if they are
   there. */
static void take_describe(struct span *tail, struct version *version)
{
    const char *dash = last_dash(*tail);
    if (dash != NULL && tail->end - dash == 6 && memcmp(dash, "-dirty", 6) == 0) {
        version->dirty = true;
        tail->end = dash;
        dash = last_dash(*tail);
    }
    if (dash == NULL || tail->end - dash < 6 || dash[1] != 'g') {
        return;
    }
    struct span hash = {dash + 2, tail->end};
    struct span before = {tail->start, dash};
    const char *commits_dash = last_dash(before);
    if (commits_dash == NULL || !all(hash, is_hex)) {
        return;
    }
    struct span commits = {commits_dash + 1, dash};
    if (all(commits, is_digit)) {
        version->hash = hash;
        version->commits = commits;
        tail->end = commits_dash;
    }
}

static bool parse(const char *text, struct version *version)
{
    static const char nothing[] = "";
    const struct span empty = {nothing, nothing};
    *version = (struct version){.pre_release = empty, .commits = empty, .hash = empty};

    if ((*text == 'v' || *text == 'V') && is_digit(text[1])) {
        text++;
    }
    version->numbers.start = text;
    while (is_digit(*text) || *text == '.') {
        text++;
    }
    version->numbers.end = text;
    if (!is_dotted(version->numbers, is_digit)) {
        return false;
    }

    struct span tail = {text, text + strlen(text)};
    const char *plus = find(tail, '+');
    if (plus != NULL) {
        const struct span build = {plus + 1, tail.end};
        tail.end = plus;
        if (!is_dotted(build, is_identifier_character)) {
            return false;
        }
    }
    take_describe(&tail, version);
    if (is_empty(tail)) {
        return true;
    }
    if (*tail.start != '-') {
        return false;
    }
    version->pre_release = (struct span){tail.start + 1, tail.end};
    return is_dotted(version->pre_release, is_identifier_character);
}

static int sign_of(bool positive)
{
    return positive ? 1 : -1;
}

/* Compares two runs of digits of any length by value; an empty run is 0. */
static int compare_numbers(struct span a, struct span b)
{
    while (a.start < a.end && *a.start == '0') {
        a.start++;
    }
    while (b.start < b.end && *b.start == '0') {
        b.start++;
    }
    if (length(a) != length(b)) {
        return sign_of(length(a) > length(b));
    }
    return memcmp(a.start, b.start, length(a));
}

static int compare_texts(struct span a, struct span b)
{
    const size_t shorter = length(a) < length(b) ? length(a) : length(b);
    const int order = memcmp(a.start, b.start, shorter);
    if (order != 0 || length(a) == length(b)) {
        return order;
    }
    return sign_of(length(a) > length(b));
}

static int compare_dotted_numbers(struct span a, struct span b)
{
    while (!is_empty(a) || !is_empty(b)) {
        const int order = compare_numbers(next_part(&a), next_part(&b));
        if (order != 0) {
            return order;
        }
    }
    return 0;
}

/* Identifiers of digits compare by value and come before others; a prefix comes before the
   longer. */
static int compare_pre_releases(struct span a, struct span b)
{
    if (is_empty(a) || is_empty(b)) {
        return is_empty(a) == is_empty(b) ? 0 : sign_of(is_empty(a));
    }
    while (!is_empty(a) && !is_empty(b)) {
        const struct span part_a = next_part(&a);
        const struct span part_b = next_part(&b);
        const bool number_a = all(part_a, is_digit);
        const bool number_b = all(part_b, is_digit);
        if (number_a != number_b) {
            return sign_of(number_b);
        }
        const int order =
            number_a ? compare_numbers(part_a, part_b) : compare_texts(part_a, part_b);
        if (order != 0) {
            return order;
        }
    }
    return is_empty(a) == is_empty(b) ? 0 : sign_of(is_empty(b));
}

static bool is_same_text(const char *a, const char *b)
{
    size_t len = strlen(a);

    return strlen(b) == len && memcmp(a, b, len) == 0;
}

/* Of hexadecimal digits in either case. */
static bool is_same_hash(const char *a, const char *b, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char x = is_digit(a[i]) ? a[i] : (char)(a[i] | 0x20);
        char y = is_digit(b[i]) ? b[i] : (char)(b[i] | 0x20);
        if (x != y) {
            return false;
        }
    }
    return true;
}

static enum ota_version_order order_of(int order)
{
    if (order == 0) {
        return OTA_VERSION_SAME;
    }
    return order > 0 ? OTA_VERSION_NEWER : OTA_VERSION_OLDER;
}

enum ota_version_order ota_version_compare(const char *candidate, const char *present)
{
    struct version a, b;
    if (is_same_text(candidate, present)) {
        return OTA_VERSION_SAME;
    }
    if (!parse(candidate, &a) || !parse(present, &b)) {
        return OTA_VERSION_DIFFERENT;
    }
    int order = compare_dotted_numbers(a.numbers, b.numbers);
    if (order == 0) {
        order = compare_pre_releases(a.pre_release, b.pre_release);
    }
    if (order == 0) {
        order = compare_numbers(a.commits, b.commits);
    }
    if (order != 0) {
        return order_of(order);
    }
    /* As many commits after the same tag, and yet other ones: two branches. */
    if (length(a.hash) != 0 && length(b.hash) != 0) {
        const size_t shorter = length(a.hash) < length(b.hash) ? length(a.hash) : length(b.hash);
        if (!is_same_hash(a.hash.start, b.hash.start, shorter)) {
            return OTA_VERSION_DIFFERENT;
        }
    }
    return order_of((int)a.dirty - (int)b.dirty);
}

bool ota_version_is_ordered(const char *text)
{
    struct version version;
    return parse(text, &version);
}

bool ota_app_descriptor_is_same_build(const struct ota_app_descriptor *a,
                                      const struct ota_app_descriptor *b)
{
    static const uint8_t none[OTA_SHA256_SIZE];

    return memcmp(a->elf_sha256, none, sizeof none) != 0 &&
           memcmp(a->elf_sha256, b->elf_sha256, sizeof none) == 0;
}
