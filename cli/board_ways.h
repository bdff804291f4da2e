/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_CLI_BOARD_WAYS_H
#define UPDRAFT_CLI_BOARD_WAYS_H

/* The options of `updraft board run` that open ways into the board, and say who may use them. */

#include "cli/command.h"
#include "posix/ways.h"

#define BOARD_WAYS_PASSWORD_ENV "UPDRAFT_BOARD_PASSWORD"

/* For the command's table of options. */
#define BOARD_WAYS_OPTIONS                                                                       \
    {"espota", 0, "PORT", "take pushes from the Arduino IDE and espota.py; 0: any free port"},   \
        {"esphome", 0, "PORT", "take pushes from ESPHome; 0: any free port"},                    \
        {"http", 0, "PORT", "serve the update page and take uploads; 0: any free port"},         \
        {"update", 0, "URL", "update once from this URL, over https or http"},                   \
        {"upgrade-list", 0, "FILE", "work through an upgrade list (JSON)"},                      \
        {"sdcard", 0, "DIR", "the folder that file://sdcard/ means; default: DIR/sdcard"},       \
        {"name", 0, "HOST", "answer for HOST.local and advertise the ways in by multicast DNS"}, \
        {"password-file", 0, "FILE", "demand the password in this file (its first line)"},       \
        {"md5-login", 0, "WORD",                                                                 \
         "accept a password that is only proven by MD5: yes (default) or no"},                   \
        {"restart", 0, "WHO",                                                                    \
         "after an upload by HTTP: auto restarts at once, user by POST /restart; default: as "   \
         "the tool expects whose form or address was used"},                                     \
        {"exclusive", 0, NULL, "while one way in updates, close the connections of the others"}, \
        {"ca", 0, "FILE", "trust these certificates (PEM) for https, in place of the system's"}, \
        {"fingerprint", 0, "HEX", "trust only the certificate with this SHA-256 (or SHA-1)"},    \
        {"window", 0, "HH:MM-HH:MM", "take updates only in this time of the day"},               \
        {"armed", 0, "SECONDS", "take updates only so long after power-on or `board press`"},    \
        {"refuse", 0, "WHAT",                                                                    \
         "refuse some of: same,older (versions than the one that runs),project (another)"},      \
    {                                                                                            \
        "hold", 0, "REASON", "hold all updates until `board release`"                            \
    }

/* Reads them. The strings live as long as the call and `ways`, which ways_free ends. Returns
   COMMAND_GOOD, or another status after saying what is wrong. */
int board_ways_read(const struct command_call *call, struct ways *ways);

/* A part of the command's description. */
#define BOARD_WAYS_HELP                                                                            \
    "--pull asks a server, again and again, whether it has something newer; the server must say "  \
    "how long the image is. --update takes one image from where it lies, on any web server: what " \
    "comes is said before a byte is written, and an interrupted update goes on at the next try. "  \
    "It is done once, when the board gets its power. For https, --ca or --fingerprint say whom "   \
    "to trust.\n"                                                                                  \
    "\n"                                                                                           \
    "A board can also be updated by whoever pushes to it (--espota, --esphome, "                   \
    "--http) and by an upgrade list (--upgrade-list). The lines \"listening at ... port N\" say "  \
    "where it is reached. --password-file, or " BOARD_WAYS_PASSWORD_ENV " in the environment, "    \
    "sets one password for all of them.\n"                                                         \
    "\n"                                                                                           \
    "--window, --armed, --refuse and --hold set a policy that every way in obeys. While the "      \
    "board runs, `updraft board press` arms it, and `updraft board hold` and `release` hold "      \
    "updates and let them go on."

#endif
