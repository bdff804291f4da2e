/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_SERVER_PAGES_H
#define UPDRAFT_SERVER_PAGES_H

/* What the server says of itself: a page for people, a list for programs. */

#include "server/catalog.h"
#include "server/http.h"

/* GET /: a table of the files, as HTML. */
enum MHD_Result pages_index(struct http_request *request, struct catalog *catalog);

/* GET /api/v1/images: {"generation": n, "images": [{...}]}. */
enum MHD_Result pages_images(struct http_request *request, struct catalog *catalog);

#endif
