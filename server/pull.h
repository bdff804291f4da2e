/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_SERVER_PULL_H
#define UPDRAFT_SERVER_PULL_H

/* A device's question over HTTP, decided (server/decide.h) and answered. */

#include "server/catalog.h"
#include "server/http.h"

/* Answers a pull request. `project` is the one that the path names; "" or NULL if it names none. */
enum MHD_Result pull_answer(struct http_request *request, struct catalog *catalog,
                            const char *project);

/* Says whether the request comes from an updater, whatever its path. */
bool pull_is_updater(struct http_request *request);

#endif
