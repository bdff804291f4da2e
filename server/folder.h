/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_SERVER_FOLDER_H
#define UPDRAFT_SERVER_FOLDER_H

/* Access to the files of one folder, and to nothing outside it. */

#include <stdbool.h>

/* Opens the file `name` of `folder` for reading. Follows a link only to a place inside the folder,
   and does not wait for a pipe's other end. Returns the descriptor, or -1 with errno. */
int folder_open_file(int folder, const char *name);

/* Says whether a file of this name may be offered at all. */
bool folder_offers_name(const char *name);

#endif
