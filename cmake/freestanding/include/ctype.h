/* SPDX-License-Identifier: Apache-2.0 */
/* http_parser.c includes <ctype.h> and calls nothing from it. See ../README.md. */
#ifndef UPDRAFT_FREESTANDING_CTYPE_H
#define UPDRAFT_FREESTANDING_CTYPE_H
#endif
