/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PROTO_PULL_PRIVATE_H
#define UPDRAFT_PROTO_PULL_PRIVATE_H

/*
 * Between the three files of HTTP pull: pull_request.c spells requests, pull_answer.c judges the
 * heads of answers, pull.c runs from one to the other.
 */

#include <updraft/pull.h>

#include "proto/url.h"

/* Write the request's target and header lines (ota_http_request). `context` is the pull. */
void ota__pull_write_target(void *context, struct ota_text *text);
void ota__pull_write_headers(void *context, struct ota_text *text);

/* Checks that nothing in the facts would break a header line, and that credentials fit. Returns
   OTA_OK, OTA_ERR_ARGUMENT or OTA_ERR_URL. */
enum ota_err ota__pull_check_request(const struct ota_pull_options *options);

/* The headers that count, and what they say (ota_http_request). */
extern const char *const ota__pull_wanted[];
enum ota_err ota__pull_on_header(void *context, unsigned index, const char *value);

/* Forgets the last answer before the next request. */
void ota__pull_forget_answer(struct ota_pull *pull);

/* Judges a head: sets pull->verdict, and for an image begins or resumes the update. Returns OTA_OK
   if the body is wanted. */
enum ota_err ota__pull_on_head(void *context, const struct ota_http_response *response);

/* Tells whether the digest that the caller expects lets the interrupted update go on. */
bool ota__pull_may_resume(const struct ota_pull *pull);

void ota__pull_tell(const struct ota_pull *pull, enum ota_pull_event event);

#endif
