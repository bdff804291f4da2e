/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_CLI_BOARD_TRUST_H
#define UPDRAFT_CLI_BOARD_TRUST_H

/* Whose signatures a virtual board demands: the options of `board new`, and the words of `board
   info`. */

#include <cjson/cJSON.h>

#include "cli/command.h"
#include "cli/key_file.h"
#include "posix/board.h"

#define BOARD_TRUST_OPTIONS                                                                 \
    {"trust-arduino", 0, "KEY",                                                             \
     "demand Arduino's signature by this RSA key; may be repeated: any of them will do"},   \
        {"arduino-legacy", 0, NULL, "in the form of ESP8266 cores up to 2.5.2"},            \
        {"trust-secure-boot", 0, "KEY|DIGEST",                                              \
         "demand a Secure Boot v2 signature by this key; may be repeated"},                 \
        {"revoked", 0, "KEY|DIGEST", "a key of Secure Boot v2 that is trusted no longer"},  \
        {"trust-secure-boot-v1", 0, "KEY",                                                  \
         "demand a Secure Boot v1 signature by this key; may be repeated"},                 \
        {"weak", 0, NULL, "allow RSA keys from 1024 bits on, and exponents from 3 on"},     \
        KEY_FILE_PASSWORD_OPTION,                                                           \
        {"report-signatures", 0, NULL, "demand none of them: only say how they stand"},     \
        {"verify-at-boot", 0, NULL, "the bootloader looks at Secure Boot signatures, too"}, \
    {                                                                                       \
        "trial-boots", 0, "NUMBER",                                                         \
            "boots after which an image that has not confirmed itself is taken back "       \
            "(default 1)"                                                                   \
    }

/* Reads these options into the settings. Returns COMMAND_GOOD, or another status after a
   message. */
int board_trust_read(const struct command_call *call, struct board_settings *settings);

/* Says so and returns COMMAND_FAILED if the bootloader of this board would refuse the image in
   `slot` for want of a signature. `path` is where it came from. */
int board_trust_check(struct board *board, int slot, const char *path);

/* Tells whom the board trusts: lines of `board info`, and its JSON. */
void board_trust_print(const struct board_settings *settings);
cJSON *board_trust_json(const struct board_settings *settings);

#endif
