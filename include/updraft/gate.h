/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_GATE_H
#define UPDRAFT_GATE_H

/*
 * Gates: policy that may refuse or hold an update, whatever way it comes. Each is asked up to three
 * times, and an update goes on only if all say OTA_OK:
 *
 *     OTA_GATE_BEGIN      someone wants to send: who, what kind, how many bytes
 *     OTA_GATE_DESCRIBED  what the image says of itself is known; nothing on the flash has changed
 *     OTA_GATE_ACTIVATE   the image is proven, and would boot next
 *
 * OTA_ERR_HELD means "not now". At the first two the sender is told so, and may come again. At the
 * third the update waits, proven, and is activated as soon as no gate holds it any more. Any other
 * error refuses. A reason, in words for people, travels to the sender in its protocol's form and
 * into the log.
 *
 *     static struct ota_gate_armed button = OTA_GATE_ARMED(NULL, 60 * 1000);
 *     static struct ota_gate_schedule night =
 *         OTA_GATE_SCHEDULE(&button.gate, 2 * 60, 4 * 60, 0x7f);
 *     intake_options.gates = &night.gate;           a chain: each gate names the next
 *     ...
 *     ota_gate_arm(&button, now_ms);                when the button is pressed
 */

#include <stdbool.h>
#include <stdint.h>

#include <updraft/error.h>
#include <updraft/image.h>

enum ota_gate_stage {
    OTA_GATE_BEGIN = 0,
    OTA_GATE_DESCRIBED,
    OTA_GATE_ACTIVATE,
};

/* What is asked. Nothing of it outlives the call. */
struct ota_gate_question {
    enum ota_gate_stage stage;
    const char *way;   /* how it comes: "pull", "espota", "esphome", "http", "list", … */
    const char *label; /* of the target partition if one was named; NULL: the next OTA slot */
    bool is_data;      /* a data partition: no descriptor, no slot */
    uint32_t size;     /* bytes to come; OTA_SIZE_UNKNOWN if not known */
    uint32_t now_ms;   /* of the platform's clock */
    bool time_is_known;
    uint32_t minute_of_week; /* local time, 0 to 10079 from Monday 00:00; only if time_is_known */

    /* From DESCRIBED on, and never for data; NULL where the image has no descriptor. */
    const struct ota_app_descriptor *incoming;
    const struct ota_app_descriptor *running; /* NULL if the running image has none */
};

struct ota_gate_answer {
    const char *reason; /* a sentence without a full stop, the gate's; NULL: the error's own */
    uint32_t retry_ms;  /* HELD: when it may be worth asking again; 0: not known */
};

struct ota_gate {
    /* Returns OTA_OK to let it pass, OTA_ERR_HELD or another error; may fill in `answer`, which
       comes empty. It must not call the update. */
    enum ota_err (*ask)(struct ota_gate *gate, const struct ota_gate_question *question,
                        struct ota_gate_answer *answer);
    struct ota_gate *next; /* asked if this one lets it pass; NULL: the last */
};

/* Asks a chain (`gate` may be NULL). Returns the first answer that is not OTA_OK. */
enum ota_err ota_gate_ask(struct ota_gate *gate, const struct ota_gate_question *question,
                          struct ota_gate_answer *answer);

/* ---- Gates to use as they are. Each goes into a chain by its first member. ------------------- */

/* Schedule: only in a window of local time, on some days. Asked when something begins and before it
   is activated. While the time is not known it holds. Its reason says when the window is: "updates
   are taken here only Mon-Fri 02:00-04:00; it is Tue 13:37". */
#define OTA_GATE_SCHEDULE_REASON_SIZE 96u
struct ota_gate_schedule {
    struct ota_gate gate;
    uint16_t from_minute, to_minute; /* of the day, 0 to 1440; from > to runs over midnight, and
                                        belongs to the day on which it begins */
    uint8_t days;                    /* bit 0 Monday … bit 6 Sunday */
    char reason[OTA_GATE_SCHEDULE_REASON_SIZE]; /* private: what it last answered */
};
enum ota_err ota_gate_schedule_ask(struct ota_gate *gate, const struct ota_gate_question *question,
                                   struct ota_gate_answer *answer);
#define OTA_GATE_SCHEDULE(next, from, to, days)                \
    {                                                          \
        {ota_gate_schedule_ask, (next)}, (from), (to), (days), \
        {                                                      \
            0                                                  \
        }                                                      \
    }

/* Button: updates may begin only for a time after someone was there and armed it. It is when it is
   asked that it notices that the time is over. A clock of 32 bits wraps after 49 days: one that was
   armed and is not asked for so long opens once more, for window_ms. Where that can be, disarm it
   when the time is over, or arm it again, within 24 days. */
struct ota_gate_armed {
    struct ota_gate gate;
    uint32_t window_ms; /* at most 0x7fffffff */
    bool is_armed;
    uint32_t since_ms;
};
enum ota_err ota_gate_armed_ask(struct ota_gate *gate, const struct ota_gate_question *question,
                                struct ota_gate_answer *answer);
#define OTA_GATE_ARMED(next, window_ms)                     \
    {                                                       \
        {ota_gate_armed_ask, (next)}, (window_ms), false, 0 \
    }
void ota_gate_arm(struct ota_gate_armed *gate, uint32_t now_ms);
void ota_gate_disarm(struct ota_gate_armed *gate);

/* Version and project: compares what the image says of itself with what runs. Versions are compared
   as Semantic Versioning orders them where both read as such ("v" before them allowed); two that do
   not are the same only if they are equal, and neither is older. An image without a descriptor
   passes unless `demand_descriptor`. */
struct ota_gate_version {
    struct ota_gate gate;
    bool refuse_same, refuse_older, refuse_other_project, demand_descriptor;
    const char *project; /* NULL: the running image's */
};
enum ota_err ota_gate_version_ask(struct ota_gate *gate, const struct ota_gate_question *question,
                                  struct ota_gate_answer *answer);

/* Battery, safe state and the like: any function of the product's. */
struct ota_gate_hook {
    struct ota_gate gate;
    enum ota_err (*decide)(void *context, const struct ota_gate_question *question,
                           struct ota_gate_answer *answer);
    void *context;
};
enum ota_err ota_gate_hook_ask(struct ota_gate *gate, const struct ota_gate_question *question,
                               struct ota_gate_answer *answer);
#define OTA_GATE_HOOK(next, decide, context)             \
    {                                                    \
        {ota_gate_hook_ask, (next)}, (decide), (context) \
    }

#endif
