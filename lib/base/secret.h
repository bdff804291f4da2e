/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

/* What is done with secrets: comparing them without telling by the time it takes how much was
   right, and forgetting them for good. */

#include <stdbool.h>
#include <stddef.h>

/* Tells whether two secrets of `len` bytes are the same. Looks at every byte, whatever the first
   ones are. */
bool ota__same_secret(const void *a, const void *b, size_t len);

/* Overwrites with zeros, in a way that no compiler leaves out. */
void ota__wipe(void *data, size_t len);

#endif
