/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_CLI_IMAGE_VERDICT_H
#define UPDRAFT_CLI_IMAGE_VERDICT_H

/* What `updraft image verify` has found out and says, line by line or as JSON; and what it says of
   the signature. */

#include <stdint.h>

#include <cjson/cJSON.h>

#include "cli/command.h"
#include "cli/image_reader.h"
#include "cli/signature_check.h"

struct image_verdict {
    const struct command_call *call;
    const struct image_report *report; /* of an image */
    const struct signature_keys *keys;
    uint64_t size;       /* bytes that go into a slot */
    uint64_t flash_size; /* of the chip, or 0 */
    cJSON *json;         /* NULL: lines for people */
};

/* Say it, and free the text. Warnings are also listed in the JSON. */
void image_say_good(const struct image_verdict *verdict, char *text);
void image_say_warning(const struct image_verdict *verdict, char *text);

/* Judges the signature of the file `name`: by the keys that were given, or without any, as far as
   that goes. Returns COMMAND_GOOD, or COMMAND_FAILED after a message. */
int image_check_signature(const struct image_verdict *verdict, const char *name,
                          const struct signature_found *found);

#endif
