/* SPDX-License-Identifier: Apache-2.0 */
/* Reading what people type: numbers with units, and names that are nearly right. */

#include "cli/command.h"

#include <ctype.h>
#include <string.h>

static bool parse_suffix(const char *suffix, unsigned *shift)
{
    static const char units[] = "kmg";
    if (suffix[0] == 0) {
        *shift = 0;
        return true;
    }
    const char *unit = strchr(units, tolower((unsigned char)suffix[0]));
    if (unit == NULL) {
        return false;
    }
    *shift = 10 * (unsigned)(unit - units + 1);
    const char *rest = suffix + 1;
    return rest[0] == 0 || strcasecmp(rest, "b") == 0 || strcasecmp(rest, "ib") == 0;
}

/* The value of a digit, or one that no base has. */
static unsigned digit_value(char letter)
{
    if (isdigit((unsigned char)letter)) {
        return (unsigned)(letter - '0');
    }
    return isxdigit((unsigned char)letter) ? (unsigned)(tolower((unsigned char)letter) - 'a' + 10)
                                           : UINT_MAX;
}

bool command_parse_number(const char *text, uint64_t *value)
{
    bool hexadecimal = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    const char *digits = hexadecimal ? text + 2 : text;
    unsigned base = hexadecimal ? 16 : 10;
    uint64_t number = 0;
    const char *p = digits;
    for (; digit_value(*p) < base; p++) {
        if (number > (UINT64_MAX - digit_value(*p)) / base) {
            return false;
        }
        number = number * base + digit_value(*p);
    }
    unsigned shift;
    if (p == digits || !parse_suffix(p, &shift) || number > UINT64_MAX >> shift) {
        return false;
    }
    *value = number << shift;
    return true;
}

#define NAME_MAX_COMPARED 31u

/* How many letters must be added, dropped, changed or swapped with their neighbour. */
static unsigned distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    unsigned d[NAME_MAX_COMPARED + 1][NAME_MAX_COMPARED + 1];
    for (size_t i = 0; i <= a_len; i++) {
        for (size_t j = 0; j <= b_len; j++) {
            if (i == 0 || j == 0) {
                d[i][j] = (unsigned)(i + j);
                continue;
            }
            unsigned best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            best = d[i - 1][j] + 1 < best ? d[i - 1][j] + 1 : best;
            best = d[i][j - 1] + 1 < best ? d[i][j - 1] + 1 : best;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                best = d[i - 2][j - 2] + 1 < best ? d[i - 2][j - 2] + 1 : best;
            }
            d[i][j] = best;
        }
    }
    return d[a_len][b_len];
}

const char *command_nearest(const char *typed, const char *const *names)
{
    size_t len = strlen(typed);
    if (len == 0 || len > NAME_MAX_COMPARED) {
        return NULL;
    }
    const char *nearest = NULL;
    unsigned least = UINT_MAX;
    for (size_t i = 0; names[i] != NULL; i++) {
        size_t name_len = strlen(names[i]);
        if (name_len > NAME_MAX_COMPARED) {
            continue;
        }
        bool begins = len >= 3 && strncmp(names[i], typed, len) == 0;
        unsigned edits = begins ? 1 : distance(typed, len, names[i], name_len);
        if (edits < least) {
            least = edits;
            nearest = names[i];
        }
    }
    return least <= (len < 7 ? 1 : 2) && least < len ? nearest : NULL;
}
