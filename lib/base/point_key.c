/* SPDX-License-Identifier: Apache-2.0 */
/* The form of a curve's point. */
#include "base/public_key.h"

#define UNCOMPRESSED 0x04

enum ota_err ota__point_check(const struct ota_public_key *key, enum ota_key_type type, size_t len)
{
    bool good = key->type == type && key->len == len && key->bytes[0] == UNCOMPRESSED;

    return good ? OTA_OK : OTA_ERR_KEY;
}
