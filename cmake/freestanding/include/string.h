/* SPDX-License-Identifier: Apache-2.0 */
/* The five functions that every freestanding GCC target must be given anyway. See ../README.md. */
#ifndef UPDRAFT_FREESTANDING_STRING_H
#define UPDRAFT_FREESTANDING_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t length);
void *memmove(void *to, const void *from, size_t length);
void *memset(void *at, int byte, size_t length);
int memcmp(const void *left, const void *right, size_t length);
size_t strlen(const char *text);

#endif
