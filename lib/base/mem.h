/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

/*
 * The five functions that the library takes from the C library. Declared here because a
 * freestanding compiler has no <string.h>; every linker that makes firmware finds them.
 */

#include <stdbool.h>
#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t len);
void *memmove(void *to, const void *from, size_t len);
void *memset(void *to, int value, size_t len);
int memcmp(const void *a, const void *b, size_t len);
size_t strlen(const char *text);

/* Tells whether two strings are the same. */
static inline bool ota__same_text(const char *a, const char *b)
{
    size_t len = strlen(a);

    return strlen(b) == len && memcmp(a, b, len) == 0;
}

#endif
