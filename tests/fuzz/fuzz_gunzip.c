/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a gzip file, against zlib: as they are, and with a sum and length that are right. */
#include <string.h>

#include <updraft/crypto.h>

#include "decode/zlib_judge.h"
#include "fuzz/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t sealed[1 << 16];
    const uint32_t seed = ota_crc32(0, data, size);

    (void)judge_gzip(data, size, seed, NULL);
    if (size <= sizeof sealed) {
        memcpy(sealed, data, size);
        judge_seal(sealed, size);
        if (memcmp(sealed, data, size) != 0) {
            (void)judge_gzip(sealed, size, seed, NULL);
        }
    }
    return 0;
}
