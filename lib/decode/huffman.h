/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_DECODE_HUFFMAN_H
#define UPDRAFT_DECODE_HUFFMAN_H

/*
 * The prefix codes of DEFLATE (RFC 1951, section 3.2.2): told by the length of each symbol's code,
 * and then read from a stream of bits, the first bit lowest.
 *
 * Short codes are found by one look into a table; longer ones bit by bit, by how many codes there
 * are of each length.
 */

#include <stdbool.h>
#include <stdint.h>

#define OTA__CODE_LENGTH_MAX 15u

/* A view of the arrays that a code lies in. */
struct ota__code {
    uint16_t *counts;  /* [16]: how many codes there are of each length */
    uint16_t *symbols; /* in the order of their codes */
    uint16_t *table;   /* [1 << table_bits]: symbol << 4 | length of its code; 0: none that short */
    unsigned table_bits;
};

/* Of a code's set of lengths. */
enum ota__code_set {
    OTA__CODE_WHOLE,      /* each sequence of bits is the beginning of a symbol's */
    OTA__CODE_SINGLE,     /* there is one code, of one bit, or none at all */
    OTA__CODE_INCOMPLETE, /* some sequences mean nothing */
    OTA__CODE_TOO_MANY,   /* some would mean two things: no code was made */
};

/* Counts and orders the codes of these symbols by their lengths (0: a symbol has no code). */
enum ota__code_set ota__code_order(const struct ota__code *code, const uint8_t *lengths,
                                   unsigned count);

/* Makes the table, after ota__code_order. */
void ota__code_tabulate(const struct ota__code *code);

/* Reads a symbol that is not in the table out of 15 bits, the first one lowest. Returns as the
   table does: symbol << 4 | length; OTA__CODE_NONE, which says a length of 15 too, if these bits
   mean nothing. */
#define OTA__CODE_NONE 0xFFFFu
unsigned ota__code_walk(const struct ota__code *code, uint32_t bits);

#endif
