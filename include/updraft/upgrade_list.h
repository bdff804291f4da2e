/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_UPGRADE_LIST_H
#define UPDRAFT_UPGRADE_LIST_H

/*
 * The upgrade list: what a device should have, as items that are worked through in order, each a
 * partition and where its content comes from (docs/formats/upgrade-list.md; the model is ESP-ADF's
 * OTA service). One restart follows, at the end, if every item that was needed succeeded and one of
 * those that were upgraded asks for it.
 *
 *     static const struct ota_upgrade_item items[] = {
 *         {.kind = OTA_UPGRADE_DATA, .label = "flash_tone", .uri = "file://sdcard/tone.bin"},
 *         {.kind = OTA_UPGRADE_APP, .uri = "https://host/app.bin", .ca_pem = ca, .restart = true},
 *     };
 *     static struct ota_upgrade_list list;
 *     const struct ota_upgrade_list_options options = {
 *         .items = items, .count = 2, .schemes = &files.scheme,
 *         .platform = &platform, .intake = &intake,
 *     };
 *     if (ota_upgrade_list_init(&list, &options) == OTA_OK) ota_upgrade_list_start(&list);
 *     ...
 *     wait_ms = ota_upgrade_list_poll(&list, now_ms);
 *
 * With an agent, struct ota_upgrade_service (upgrade_service.h) does the last three lines.
 *
 *     IDLE --start--> RUNNING --every item done--> FINISHED --start--> RUNNING
 *                      |   ^
 *            held, busy|   |wait over: the item begins again
 *                      v   |
 *                     HOLDING
 *
 * Each item goes through four steps, none of which waits; each can be replaced:
 *
 *     step            default for an app                  default for data
 *     prepare         a slot to go to? opens the source   that partition? opens the source
 *     need_upgrade    reads the descriptor: project and   reads the head: of a tone image, mark,
 *                     version against what runs           project and version against what is there
 *     execute         source -> intake, checked there     source -> intake; a tone image is proven
 *     finished_check  proves and activates, or gives up; closes the source; called in any case
 *
 * What is received from the source: any bytes (fetch.h). Nothing is sent but what its scheme sends.
 * Nothing on the flash changes before execute, and the first cause of an error is what is reported:
 * a later step can add one and never take one away.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <updraft/crypto.h>
#include <updraft/error.h>
#include <updraft/fetch.h>
#include <updraft/intake.h>
#include <updraft/platform.h>
#include <updraft/tone.h>

#define OTA_UPGRADE_ITEMS_MAX 16u
#define OTA_UPGRADE_HEAD_SIZE 288u  /* what can be looked at: an app's descriptor ends there */
#define OTA_UPGRADE_STALL_MS 30000u /* nothing came for so long: the item has failed */

struct ota_upgrade;

/*
 * A step of one item. It does what can be done without waiting; `*pending`, which comes false, set
 * true says "not done: call me again". Returns OTA_OK; OTA_ERR_SAME_VERSION or
 * OTA_ERR_OLDER_VERSION if the item is not needed; OTA_ERR_BUSY, OTA_ERR_RESTARTING or OTA_ERR_HELD
 * to have the item begun again later; or another error, with which it has failed. After anything
 * but OTA_OK finished_check is next.
 */
typedef enum ota_err ota_upgrade_step_fn(struct ota_upgrade *upgrade, bool *pending);

/* The last step: `err` is what the others came to, and is kept if it is an error. Releases what
   they took. */
typedef enum ota_err ota_upgrade_finish_fn(struct ota_upgrade *upgrade, enum ota_err err,
                                           bool *pending);

/* NULL: the default of the item's kind. */
struct ota_upgrade_steps {
    ota_upgrade_step_fn *prepare, *need_upgrade, *execute;
    ota_upgrade_finish_fn *finished_check;
};

enum ota_upgrade_kind {
    OTA_UPGRADE_APP = 0, /* the next OTA slot */
    OTA_UPGRADE_DATA,    /* the data partition of the item's label */
};

/* When the default need_upgrade takes what is offered. An app is compared with the one that runs, a
   tone image with the one in the partition; the very image that runs is never taken, nor a version
   that was rejected here before. Data without a version is always taken. */
enum ota_upgrade_check {
    OTA_UPGRADE_BY_KIND = 0,  /* an app: DIFFERENT; data: NEWER */
    OTA_UPGRADE_DIFFERENT,    /* another version, also an older one */
    OTA_UPGRADE_NEWER,        /* a later one (version.h); one without an order has failed */
    OTA_UPGRADE_NEWER_NUMBER, /* a later one of the form vA.B.C, ESP-ADF's rule; others have failed
                               */
    OTA_UPGRADE_ALWAYS,       /* whatever its version */
};

/* Strings are the caller's while the list is in use. */
struct ota_upgrade_item {
    enum ota_upgrade_kind kind;
    const char *label;  /* of the data partition; an app has none */
    const char *uri;    /* "https://…", "file://sdcard/tone.bin", …: the schemes decide */
    const char *ca_pem; /* certificates to trust for this item; NULL: the scheme's own */
    enum ota_upgrade_check check;
    bool any_project;           /* an app of another project than the one that runs is taken, too */
    bool tone_only;             /* data must be a tone image */
    uint32_t size;              /* bytes; 0: not known beforehand */
    struct ota_digest expected; /* of all bytes; OTA_HASH_NONE: not checked */
    bool restart;               /* once it was upgraded, the device should restart */
    bool break_after_fail;      /* once it has failed, the items after it are left alone */
    const struct ota_upgrade_steps *steps; /* NULL: all defaults */
    void *context;                         /* for steps of the caller's */
};

/* What became of an item. */
enum ota_upgrade_outcome {
    OTA_UPGRADE_WAITING = 0, /* not begun, or not over */
    OTA_UPGRADE_DONE,        /* upgraded */
    OTA_UPGRADE_NOT_NEEDED,  /* nothing newer, or the partition holds just these bytes */
    OTA_UPGRADE_FAILED,
    OTA_UPGRADE_LEFT_OUT, /* the list was broken off before it */
};

struct ota_upgrade_result {
    enum ota_upgrade_outcome outcome;
    enum ota_err err; /* why it failed, or was not needed; else OTA_OK */
    uint32_t offset;  /* at which byte of its content, where that has a meaning */
    int32_t reason;   /* the same as one of the numbers below */
};

/* ESP-ADF's numbers of reasons (docs/formats/upgrade-list.md section 3). */
enum ota_upgrade_reason {
    OTA_UPGRADE_UNKNOWN = -1,
    OTA_UPGRADE_SUCCESS = 0,
    OTA_UPGRADE_NULL_POINTER = 0x90001,
    OTA_UPGRADE_URL_PARSE_FAIL,
    OTA_UPGRADE_ERROR_VERSION,
    OTA_UPGRADE_NO_HIGHER_VERSION,
    OTA_UPGRADE_ERROR_MAGIC_WORD,
    OTA_UPGRADE_ERROR_PROJECT_NAME,
    OTA_UPGRADE_FILE_NOT_FOUND,
    OTA_UPGRADE_PARTITION_NOT_FOUND,
    OTA_UPGRADE_PARTITION_WT_FAIL,
    OTA_UPGRADE_PARTITION_RD_FAIL,
    OTA_UPGRADE_STREAM_INIT_FAIL,
    OTA_UPGRADE_STREAM_RD_FAIL,
    OTA_UPGRADE_GET_NEW_APP_DESC_FAIL,
};

enum ota_upgrade_step {
    OTA_UPGRADE_PREPARE = 0,
    OTA_UPGRADE_NEED_UPGRADE,
    OTA_UPGRADE_EXECUTE,
    OTA_UPGRADE_FINISHED_CHECK,
};

/* The reason of an error that struck in this step, and its name ("NO_HIGHER_VERSION"; "UNKNOWN"
   for numbers that are none). */
int32_t ota_upgrade_reason(enum ota_err err, enum ota_upgrade_step step);
const char *ota_upgrade_reason_name(int32_t reason);

/* The word for an outcome: "upgraded", "not needed", … */
const char *ota_upgrade_outcome_name(enum ota_upgrade_outcome outcome);

/* The number of a version of the form vA.B.C or VA.B.C, each 0 to 255, in at most 32 characters:
   A << 16 | B << 8 | C. -1 for anything else. */
int32_t ota_upgrade_version_number(const char *version);

struct ota_upgrade_list;

enum ota_upgrade_event {
    OTA_UPGRADE_EVENT_STEP,   /* upgrade.step of upgrade.item begins */
    OTA_UPGRADE_EVENT_HELD,   /* the item must wait: list->intake's answer may say why */
    OTA_UPGRADE_EVENT_RESULT, /* results[upgrade.index] is there */
    OTA_UPGRADE_EVENT_FINISH, /* the list is through. Always comes, and before any restart */
};

struct ota_upgrade_list_options {
    const struct ota_upgrade_item *items; /* the caller's while the list is in use */
    size_t count;                         /* 1 to OTA_UPGRADE_ITEMS_MAX */
    struct ota_scheme *schemes;           /* a chain; a program adds its own in front */
    struct ota_platform *platform;
    struct ota_intake *intake;
    uint32_t stall_ms; /* 0: OTA_UPGRADE_STALL_MS; UINT32_MAX: none */
    /* Called for each event; it may read the list and not call it. NULL: none. */
    void (*on_event)(void *context, const struct ota_upgrade_list *list,
                     enum ota_upgrade_event event);
    void *context;
};

/* The item that is being worked on, as its steps see it. Steps of the caller's may use `fetch` and
   `state`; the rest is to be read. */
struct ota_upgrade {
    const struct ota_upgrade_item *item;
    const struct ota_upgrade_list_options *options;
    size_t index;
    enum ota_upgrade_step step;
    uint32_t now_ms;
    struct ota_fetch *fetch;             /* open from prepare to finished_check */
    uint32_t received;                   /* bytes taken from it */
    bool ended;                          /* all of them */
    uint8_t head[OTA_UPGRADE_HEAD_SIZE]; /* the first of them, as far as they were looked at */
    uint16_t head_len;
    uint32_t state; /* for steps of the caller's; 0 when an item begins */

    /* Private. */
    enum ota_err err; /* the first cause */
    enum ota_upgrade_step err_step;
    uint32_t err_offset;
    uint32_t stirred_ms; /* when something last came */
    bool has_begun;      /* the intake is this item's */
    bool is_activating;
    bool is_unchanged;    /* the partition held these bytes already */
    uint32_t last_sector; /* of the target, its checksum before the item came */
    bool is_tone;
    bool is_compressed; /* an app: it is judged once its description has come out */
    struct ota_tone_check tone;
};

enum ota_upgrade_state {
    OTA_UPGRADE_IDLE = 0,
    OTA_UPGRADE_RUNNING,
    OTA_UPGRADE_HOLDING,
    OTA_UPGRADE_FINISHED,
};

struct ota_upgrade_list {
    /* To be read by anyone. */
    enum ota_upgrade_state state;
    struct ota_upgrade upgrade; /* the item under way */
    struct ota_upgrade_result results[OTA_UPGRADE_ITEMS_MAX];
    bool wants_restart; /* known once FINISHED */

    /* Private. */
    struct ota_upgrade_list_options options;
    uint32_t held_ms, hold_ms; /* since when, and how long */
};

/* Prepares a list. Returns OTA_OK; OTA_ERR_ARGUMENT if there are no items or too many, one without
   a URI, data without a label, or a part of the options that is missing. */
enum ota_err ota_upgrade_list_init(struct ota_upgrade_list *list,
                                   const struct ota_upgrade_list_options *options);

/* Begins with the first item. Returns OTA_OK, or OTA_ERR_STATE if it is at work. */
enum ota_err ota_upgrade_list_start(struct ota_upgrade_list *list);

/* Does what can be done now without waiting. Returns after how many milliseconds it wants to be
   called again at the latest, also before when the network stirs; UINT32_MAX: not at all. */
uint32_t ota_upgrade_list_poll(struct ota_upgrade_list *list, uint32_t now_ms);

/* Gives up the item under way, which has then failed with OTA_ERR_ABORTED, and leaves out the rest.
   The finish event comes, and no restart is wanted. */
void ota_upgrade_list_stop(struct ota_upgrade_list *list);

/* ---- For steps of the caller's --------------------------------------------------------------- */

/* The defaults, so that a step of the caller's can do more than they do. */
extern const struct ota_upgrade_steps ota_upgrade_app_steps;
extern const struct ota_upgrade_steps ota_upgrade_data_steps;

/* Looks at the first `len` bytes (at most OTA_UPGRADE_HEAD_SIZE) of the source, in upgrade->head:
   execute sees them again, so nothing of them is lost. Returns OTA_OK, also while pending;
   OTA_ERR_INCOMPLETE if it has fewer (upgrade->ended is then true); OTA_ERR_TIMEOUT; or the
   source's error. */
enum ota_err ota_upgrade_peek(struct ota_upgrade *upgrade, size_t len, bool *pending);

/* The region of the item's data partition, to read what is there. Returns OTA_ERR_NO_PARTITION. */
enum ota_err ota_upgrade_partition(const struct ota_upgrade *upgrade, struct ota_region *region);

/* Writes a line to the log, in the list's name. */
void ota_upgrade_log(const struct ota_upgrade *upgrade, enum ota_log_level level, const char *text);

#endif
