/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDATE_UNWRAP_PRIVATE_H
#define UPDATE_UNWRAP_PRIVATE_H

/* What the end of what arrives is to prove: unwrap_trailer.c, for unwrap.c. */

#include <updraft/trust.h>

#include "update/update_private.h"

/* Whose trailers the device believes; NULL: it asks for none. */
const struct ota_arduino_trust *ota__unwrap_trust(const struct ota_update *update);

/* Compares all that arrived, the tail included, with the expected digest. */
enum ota_err ota__unwrap_check_expected(struct ota_update *update);

/* Looks whether what ends the tail is a trusted key's signature over all before it. Notes in
   update->signature what it found, and says how long that trailer is; 0: there is none. Returns
   OTA_OK, or why it is refused. */
enum ota_err ota__unwrap_judge_trailer(struct ota_update *update, uint32_t *trailer_len);

#endif
