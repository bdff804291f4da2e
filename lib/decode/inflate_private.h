/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DECODE_INFLATE_PRIVATE_H
#define DECODE_INFLATE_PRIVATE_H

/*
 * What inflate.c and inflate_codes.c share.
 *
 * A step is a function that takes what it needs from the input and says what is next; or it takes
 * nothing, because not all of it has come. Each returns OTA_OK or an error of ota_inflate_write.
 */

#include <updraft/inflate.h>

#include "decode/bits.h"
#include "decode/huffman.h"

#define OTA__END_OF_BLOCK 256u

enum ota__inflate_step {
    OTA__BLOCK,
    OTA__STORED_LENGTH,
    OTA__STORED_CHECK,
    OTA__STORED,
    OTA__COUNTS,
    OTA__CODE_LENGTHS,
    OTA__LENGTHS,
    OTA__SYMBOL,
    OTA__COPY_LENGTH,
    OTA__COPY_DISTANCE,
    OTA__COPY_OFFSET,
};

static inline struct ota__code ota__literal_code(struct ota_inflate *inflate)
{
    return (struct ota__code){inflate->literal_counts, inflate->literal_symbols,
                              inflate->literal_table, OTA_INFLATE_LITERAL_BITS};
}

/* Before a block's codes are made, the code of their lengths lies here. */
static inline struct ota__code ota__distance_code(struct ota_inflate *inflate)
{
    return (struct ota__code){inflate->distance_counts, inflate->distance_symbols,
                              inflate->distance_table, OTA_INFLATE_DISTANCE_BITS};
}

/* The codes of a block (inflate_codes.c); the step after them is OTA__SYMBOL. */
enum ota_err ota__read_counts(struct ota_inflate *inflate, struct ota__bits *in);
enum ota_err ota__read_code_lengths(struct ota_inflate *inflate, struct ota__bits *in);
enum ota_err ota__read_lengths(struct ota_inflate *inflate, struct ota__bits *in);
enum ota_err ota__use_fixed_codes(struct ota_inflate *inflate);

#endif
