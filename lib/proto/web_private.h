/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PROTO_WEB_PRIVATE_H
#define UPDRAFT_PROTO_WEB_PRIVATE_H

/* Between the files of the web server: web_update.c knows the routes, web_guard.c who may,
   web_login.c and web_digest.c ask for the password, web_upload.c takes the file, web_elegant.c
   what ElegantOTA says before it, web_dialect.c chooses how and web_words.c and web_reply.c say
   what came of it, web_info.c tells what there is. */

#include <updraft/web_update.h>

#define OTA__WEB_WAY "http" /* for the gates and the log */

enum ota__web_route {
    OTA__WEB_NOWHERE = 0,
    OTA__WEB_PAGE,
    OTA__WEB_UPLOAD,
    OTA__WEB_ELEGANT_START,
    OTA__WEB_ELEGANT_UPLOAD,
    OTA__WEB_INFO,
    OTA__WEB_ROLLBACK,
    OTA__WEB_RESTART,
};

enum ota__web_dialect {
    OTA__WEB_PLAIN = 0, /* not known yet */
    OTA__WEB_ARDUINO,
    OTA__WEB_PSYCHIC,
    OTA__WEB_RAW,
    OTA__WEB_ELEGANT,
    OTA__WEB_ESPHOME,
};

/* What the answer is. */
enum ota__web_say {
    OTA__WEB_SAY_TEXT = 0,       /* connection->text, that something is wrong with the request */
    OTA__WEB_SAY_ORIGINAL,       /* the same in an original's words, which have no line end */
    OTA__WEB_SAY_START_FAILED,   /* ElegantOTA's start would come to nothing: err */
    OTA__WEB_SAY_FAILED,         /* the upload failed: err */
    OTA__WEB_SAY_FAILED_AT_END,  /* the same, when all of it was there */
    OTA__WEB_SAY_PROTOCOL_ERROR, /* the same, because the rest did not come */
    OTA__WEB_SAY_DONE,           /* the upload is in place */
    OTA__WEB_SAY_STARTED,        /* ElegantOTA's start */
    OTA__WEB_SAY_RESTARTING,
    OTA__WEB_SAY_ROLLED_BACK,
    OTA__WEB_SAY_INFO,
    OTA__WEB_SAY_FORM,
    OTA__WEB_SAY_PAGE,
    OTA__WEB_SAY_NOTHING, /* OPTIONS */
};

/* What the name of a file says of what it is. */
enum ota__web_kind {
    OTA__WEB_KIND_NONE = 0,
    OTA__WEB_KIND_CODE,     /* …code.bin */
    OTA__WEB_KIND_LITTLEFS, /* …littlefs.bin */
    OTA__WEB_KIND_DATA,     /* another file system's */
};

/* ---- web_guard.c ----------------------------------------------------------------------------- */

/* Look at Host, Origin, Sec-Fetch-Site, Referer. */
void ota__web_guard_host(struct ota_web_connection *connection, const char *value);
void ota__web_guard_origin(struct ota_web_connection *connection, const char *value);
void ota__web_guard_fetch(struct ota_web_connection *connection, const char *value);
void ota__web_guard_referer(struct ota_web_connection *connection, const char *value);

/* Refuses the request if it may not; then returns false. */
bool ota__web_guard_passes(struct ota_web_connection *connection);

/* ---- web_login.c ----------------------------------------------------------------------------- */

#define OTA__WEB_REALM "Login Required"

enum {
    OTA__WEB_LOGIN_NONE = 0,
    OTA__WEB_LOGIN_RIGHT,
    OTA__WEB_LOGIN_STALE, /* right, for a challenge that is over */
    OTA__WEB_LOGIN_WRONG,
};

/* The user's name that a login must have. */
const char *ota__web_user(const struct ota_web_options *options);

bool ota__web_needs_login(const struct ota_web *web);

/* Looks at Authorization. */
void ota__web_login_take(struct ota_web_connection *connection, const char *value);

/* Refuses the request if its login is not right; then returns false. */
bool ota__web_login_passes(struct ota_web_connection *connection);

/* Adds the header lines of a 401. */
void ota__web_login_put_challenges(const struct ota_web_connection *connection,
                                   struct ota_text *text);

/* ---- web_digest.c ---------------------------------------------------------------------------- */

/* What is in connection->proof. */
enum {
    OTA__WEB_PROOF_NONE = 0,
    OTA__WEB_PROOF_TARGET, /* the MD5 of method and target */
    OTA__WEB_PROOF_NONCE,
};

/* Draws the key for this boot. */
void ota__web_digest_init(struct ota_web *web);

/* Notes what is asked for, which an answer to a challenge must be about. */
void ota__web_digest_note(struct ota_web_connection *connection, const char *target);

/* Judges what stands behind "Digest ": RIGHT, STALE or WRONG. */
uint8_t ota__web_digest_judge(struct ota_web_connection *connection, const char *given);

/* Makes a nonce for a 401, and adds it to the head. */
void ota__web_digest_challenge(struct ota_web_connection *connection);
void ota__web_digest_put_challenge(const struct ota_web_connection *connection,
                                   struct ota_text *text);

/* ---- web_dialect.c --------------------------------------------------------------------------- */

enum ota__web_kind ota__web_kind_of(const char *file_name, size_t len);

/* Chooses for the part of a form that has the file, and for a raw body. */
void ota__web_choose_for_part(struct ota_web_connection *connection,
                              const struct ota_multipart_part *part);
void ota__web_choose_for_raw(struct ota_web_connection *connection);

/* Tells whether the board restarts by itself after an upload in the present dialect. */
bool ota__web_restarts(const struct ota_web_connection *connection);

/* ---- web_upload.c ---------------------------------------------------------------------------- */

void ota__web_upload_head(struct ota_web_connection *connection,
                          const struct ota_http_asked *asked);
void ota__web_upload_body(struct ota_web_connection *connection, const void *data, size_t len);
void ota__web_upload_end(struct ota_web_connection *connection);
void ota__web_upload_gone(struct ota_web_connection *connection, enum ota_err why);

/* ---- web_elegant.c --------------------------------------------------------------------------- */

/* ElegantOTA's first request: notes what the upload will be, if one would be let in. */
void ota__web_elegant_start(struct ota_web_connection *connection);

/* Its upload goes on with what the start has said, and uses that up. Returns false if there was
   none. */
bool ota__web_elegant_go_on(struct ota_web_connection *connection);

/* ---- web_words.c ----------------------------------------------------------------------------- */

/* What is said is bad news. */
bool ota__web_is_failure(const struct ota_web_connection *connection);

/* Policy's refusals have reasons of their own, which the updater's lines do not know. */
bool ota__web_is_policy(enum ota_err err);

/* Adds what is said to a connection (`context`). */
void ota__web_write_body(void *context, struct ota_text *text);

/* ---- web_reply.c ----------------------------------------------------------------------------- */

/* Answers that something is wrong with the request: `word` for programs, `text` for people. In an
   original's words it is 400. */
void ota__web_refuse(struct ota_web_connection *connection, unsigned status, const char *word,
                     const char *text);
void ota__web_refuse_as_original(struct ota_web_connection *connection, const char *text);
void ota__web_refuse_slowly(struct ota_web_connection *connection, unsigned status,
                            const char *word, const char *text, uint32_t pause_ms);

/* Answers that this is not the time: another update is under way, or a restart is due. */
void ota__web_refuse_busy(struct ota_web_connection *connection);

/* Answers with the fate of an upload, which connection->err and text describe. */
void ota__web_say(struct ota_web_connection *connection, enum ota__web_say say);

/* ---- web_update.c ---------------------------------------------------------------------------- */

void ota__web_tell(const struct ota_web *web, enum ota_web_event event);

/* ---- web_info.c ------------------------------------------------------------------------------ */

void ota__web_write_info(const struct ota_web_connection *connection, struct ota_text *text);

/* Finds the file system that an upload goes to. Returns OTA_ERR_NO_PARTITION or a read's error. */
enum ota_err ota__web_data_partition(const struct ota_web *web, struct ota_partition *partition);

/* How many bytes fit where an upload of this kind goes; OTA_SIZE_UNKNOWN if nobody can say. */
uint32_t ota__web_room(const struct ota_web *web, bool is_data);

#endif
