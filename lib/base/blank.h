/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BLANK_H
#define BASE_BLANK_H

/* Whether bytes are all as erased flash reads. */

#include <stdbool.h>
#include <stddef.h>

bool ota__is_blank(const void *data, size_t len);

#endif
