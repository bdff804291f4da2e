/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_AGENT_HTTP_TRANSFER_PRIVATE_H
#define UPDRAFT_AGENT_HTTP_TRANSFER_PRIVATE_H

/* Between the two files of a transfer: http_transfer.c asks and carries, http_transfer_answer.c
   judges the head of an answer. */

#include <updraft/http_transfer.h>

#include "proto/url.h"

/* The headers that count, and what they say (ota_http_request). `context` is the transfer. */
extern const char *const ota__transfer_wanted[];
enum ota_err ota__transfer_on_header(void *context, unsigned index, const char *value);

/* Judges a head. Returns OTA_OK if the body is wanted; an error that only ends the exchange if
   transfer->is_redirected. */
enum ota_err ota__transfer_on_head(void *context, const struct ota_http_response *response);

/* Forgets the last answer before the next request. */
void ota__transfer_forget_answer(struct ota_http_transfer *transfer);

#endif
