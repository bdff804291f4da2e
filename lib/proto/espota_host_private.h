/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PROTO_ESPOTA_HOST_PRIVATE_H
#define UPDRAFT_PROTO_ESPOTA_HOST_PRIVATE_H

/* What the sender's machine and its login share. */

#include <updraft/espota_host.h>

#include "proto/espota_proof.h"

/* Moves on at the present time; a datagram is then due where the state has one. */
void ota__espota_host_enter(struct ota_espota_host *host, enum ota_espota_host_state state);

/* Ends the push with its first cause, which it returns. */
enum ota_err ota__espota_host_fail(struct ota_espota_host *host, enum ota_err err);

void ota__espota_host_tell(struct ota_espota_host *host, enum ota_espota_host_event event);

/* The device asks for the password by this nonce: begins the proof, unless it is at work on that. */
enum ota_err ota__espota_host_challenged(struct ota_espota_host *host, const char *nonce,
                                         size_t len);

/* Does a piece of the proof; when it is done it is due to be sent. */
enum ota_err ota__espota_host_compute(struct ota_espota_host *host);

/* The proof was wrong; it was not answered: invites again where another one may help. */
enum ota_err ota__espota_host_wrong(struct ota_espota_host *host);
enum ota_err ota__espota_host_unanswered(struct ota_espota_host *host);

/* Wipes what was made of the password. */
void ota__espota_host_forget(struct ota_espota_host *host);

#endif
