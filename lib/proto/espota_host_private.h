/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PROTO_ESPOTA_HOST_PRIVATE_H
#define UPDRAFT_PROTO_ESPOTA_HOST_PRIVATE_H

/* Between the files of the sender: espota_host.c has the states and the connection,
   espota_host_datagram.c what is said by datagrams, espota_host_login.c the proof of the
   password. */

#include <updraft/espota_host.h>

#include "proto/espota_proof.h"

/* Moves on at the present time; a datagram is then due where the state has one. */
void ota__espota_host_enter(struct ota_espota_host *host, enum ota_espota_host_state state);

/* Ends the push with its first cause, which it returns. */
enum ota_err ota__espota_host_fail(struct ota_espota_host *host, enum ota_err err);

void ota__espota_host_tell(struct ota_espota_host *host, enum ota_espota_host_event event);

/* What a call returns that has nothing to do in this state. */
enum ota_err ota__espota_host_standing(const struct ota_espota_host *host);

/* The device takes the image: it connects next. */
void ota__espota_host_let_in(struct ota_espota_host *host);

/* Tell whether a byte is none of a word; and whether what came is this word. */
bool ota__espota_host_is_blank(char byte);
bool ota__espota_host_is_text(const char *text, size_t len, const char *wanted);

/* The device asks for the password by this nonce: begins the proof, unless it is at work on
   that. */
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
