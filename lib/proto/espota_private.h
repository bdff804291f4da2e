/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROTO_ESPOTA_PRIVATE_H
#define PROTO_ESPOTA_PRIVATE_H

/*
 * Between the files of espota's device side: espota_invitation.c reads datagrams, espota_login.c
 * asks for logins and espota_auth.c judges them, espota.c leads from an invitation to a connection
 * and espota_transfer.c from there to the last word, and espota_words.c says things.
 */

#include <updraft/espota.h>

#include <updraft/text.h>

/* ---- espota_invitation.c --------------------------------------------------------------------- */

enum ota__espota_message {
    OTA__ESPOTA_NOTHING = 0, /* none of this protocol */
    OTA__ESPOTA_INVITATION,
    OTA__ESPOTA_LOGIN,
};

/* An answer to a nonce; both parts lie in the datagram. */
struct ota__espota_answer {
    const char *cnonce;
    const char *response;
    size_t digits; /* of each: 32 or 64 */
};

/* Reads a datagram, and fills in one of the two. docs/formats/espota.md sections 3 and 5. */
enum ota__espota_message ota__espota_read(const void *data, size_t len,
                                          struct ota_espota_invitation *invitation,
                                          struct ota__espota_answer *answer);

/* ---- espota_auth.c --------------------------------------------------------------------------- */

/* Tells whether the strong login is possible with these options. */
bool ota__espota_allows_sha256(const struct ota_espota_options *options);

/* Makes a new nonce: espota->challenge begins with its digits. Returns how random went. */
enum ota_err ota__espota_make_nonce(struct ota_espota *espota);
size_t ota__espota_nonce_digits(const struct ota_espota *espota);

/* Notes an answer whose form is allowed: it is judged next. Returns false if it can only be
   wrong. */
bool ota__espota_take_answer(struct ota_espota *espota, const struct ota__espota_answer *answer);

/* Judges it in the MD5 form. Returns OTA_OK or OTA_ERR_CRYPTO. */
enum ota_err ota__espota_check_md5(struct ota_espota *espota, bool *is_right);

/* Begin to judge it in the PBKDF2 form; go on with that for a slice, until `*is_done`. Return
   OTA_OK or OTA_ERR_CRYPTO. */
enum ota_err ota__espota_check_begin(struct ota_espota *espota);
enum ota_err ota__espota_check_run(struct ota_espota *espota, bool *is_done, bool *is_right);

/* Forgets the nonce, and what was made of it. */
void ota__espota_forget(struct ota_espota *espota);

/* ---- espota_words.c -------------------------------------------------------------------------- */

/* Compose the datagram that is to be sent, and what is being told over the connection. */
void ota__espota_put_reply(const struct ota_espota *espota, struct ota_text *text);
void ota__espota_put_told(const struct ota_espota *espota, struct ota_text *text);

/* ---- espota.c -------------------------------------------------------------------------------- */

void ota__espota_tell(const struct ota_espota *espota, enum ota_espota_event event);

/* Changes the state, from now on. */
void ota__espota_enter(struct ota_espota *espota, enum ota_espota_state state);

/* Note why the push fails, and tell of it: what the intake said, or what it knows nothing of. The
   state is the caller's business. */
void ota__espota_note_intake(struct ota_espota *espota, enum ota_espota_error error,
                             enum ota_err err);
void ota__espota_note(struct ota_espota *espota, enum ota_espota_error error, enum ota_err err);

/* Says no before anything has begun. */
void ota__espota_refuse(struct ota_espota *espota, enum ota_err err);

/* The invitation is good and, where that is asked for, the password too: begins the update. */
void ota__espota_start(struct ota_espota *espota);

void ota__espota_reply_to(struct ota_espota *espota, const struct ota_address *from,
                          enum ota_espota_reply reply);

/* Tells whether the host was told OK and has sent nothing yet: then that may have been lost. */
bool ota__espota_is_awaited(const struct ota_espota *espota);

/* ---- espota_login.c -------------------------------------------------------------------------- */

/* Who has invited must log in: sends a nonce, now or after a pause. */
void ota__espota_ask(struct ota_espota *espota);

/* Milliseconds of that pause. */
uint32_t ota__espota_pause_left(const struct ota_espota *espota);

/* Somebody answers a nonce. */
void ota__espota_log_in(struct ota_espota *espota, const struct ota_address *from,
                        const struct ota__espota_answer *answer);

/* What the clock means in PAUSING, OFFERED and VERIFYING. */
void ota__espota_login_tick(struct ota_espota *espota);

/* ---- espota_transfer.c ----------------------------------------------------------------------- */

/* What the clock means for a state from CONNECTING on. */
void ota__espota_transfer_tick(struct ota_espota *espota);

/* How long after since_ms the clock means something for such a state. */
uint32_t ota__espota_transfer_wait(const struct ota_espota *espota);

#endif
