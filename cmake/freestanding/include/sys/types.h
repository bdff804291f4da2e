/* SPDX-License-Identifier: Apache-2.0 */
/* http_parser.h includes <sys/types.h> for size_t. See ../../README.md. */
#ifndef UPDRAFT_FREESTANDING_SYS_TYPES_H
#define UPDRAFT_FREESTANDING_SYS_TYPES_H

#include <stddef.h>

#endif
