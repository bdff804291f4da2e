/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_SERVER_FACTS_H
#define UPDRAFT_SERVER_FACTS_H

/* What is said of an image to people and programs. */

#include <cjson/cJSON.h>
#include <stdio.h>

#include "server/catalog.h"

/* "file", "app" or "file system". */
const char *facts_kind(enum file_kind kind);

/* Writes the path that the file is served at, as a URL has it: "/files/gr%C3%BCn.bin". */
void facts_put_path(FILE *page, const struct catalog_image *image);

/* {"url": ..., "name": ..., "kind": ..., ...}, without what is not known. The caller's. */
cJSON *facts_json(const struct catalog_image *image);

#endif
