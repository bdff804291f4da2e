/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PORTS_POSIX_BOARD_H
#define UPDRAFT_PORTS_POSIX_BOARD_H

/*
 * The virtual board: a directory that holds all that a board is made of.
 *
 *     board.json     name, flash geometry, where the partition table is or which profile takes its
 *                    place, who boots, rollback on or off
 *     trust.json     whose signatures it demands, if any (board_trust.h)
 *     flash.bin      the flash chip's memory
 *     wear.bin       how often each sector was erased
 *     fuses.bin      MAC, chip, revisions, the secure-version floor: bits that only ever burn
 *     retained.bin   memory that keeps its content over a reset and loses it with the power
 *     state.bin      counters, the reason of the last reset, a power cut that was asked for
 *
 * All but the two of JSON is mapped and shared: the runner (runner.h) boots the board and starts its
 * firmware as a child process, which attaches to the same board:
 *
 *     static struct board board;
 *     if (!board_attach(&board)) return 1;
 *     board_open_device(&board, NULL);
 *     board.platform.platform.log(&board.platform.platform, OTA_LOG_INFO, "blinky", "hello");
 */

#include <stdbool.h>
#include <stdint.h>

#include <updraft/device.h>
#include <updraft/eboot.h>
#include <updraft/esp8266.h>
#include <updraft/platform.h>
#include <updraft/update.h>

#include "posix/board_trust.h"
#include "posix/nor.h"
#include "posix/platform.h"
#include "posix/profile.h"

#define BOARD_NAME_MAX 32
#define BOARD_MAC_SIZE 6
#define BOARD_RETAINED_SIZE 4096u
#define BOARD_HOLD_SIZE 96u
#define BOARD_TROUBLE_SIZE 320u
#define BOARD_PORTS 3u                /* espota, esphome, http */
#define BOARD_SECURE_VERSION_MAX 256u /* as many bits as the fuses have for it */

/* What the runner tells its child by the environment. */
#define BOARD_ENV_DIRECTORY "UPDRAFT_BOARD" /* absolute path of the board */
#define BOARD_ENV_PULL "UPDRAFT_PULL"       /* URL to pull updates from; absent: none */
#define BOARD_ENV_WAYS "UPDRAFT_WAYS" /* further ways in, as ways_write has it; absent: none */

enum board_reset_reason {
    BOARD_RESET_POWER_ON = 0,
    BOARD_RESET_EXTERNAL,  /* the reset button: `board run` on a board that kept its power */
    BOARD_RESET_UPDATE,    /* the firmware restarted into a new image */
    BOARD_RESET_REJECTED,  /* the firmware rejected itself */
    BOARD_RESET_REQUESTED, /* the firmware restarted for a reason of its own */
    BOARD_RESET_PANIC,     /* the firmware crashed */
};

/* What a board is, once and for all. */
struct board_settings {
    char name[BOARD_NAME_MAX + 1];
    uint32_t flash_size;                       /* bytes */
    uint32_t erase_sizes[NOR_ERASE_UNITS_MAX]; /* rising; 0 ends them */
    uint32_t write_size;
    bool program_once;                  /* see nor.h */
    uint32_t table_offset;              /* of the partition table */
    char profile[PROFILE_NAME_MAX + 1]; /* in place of a table (profile.h); "": there is one */
    bool by_eboot;                      /* of an ESP8266: eboot boots it, and copies updates */
    bool rollback;                      /* new images boot on trial */
    bool anti_rollback;                 /* the secure-version floor in the fuses counts */
    uint8_t trial_boots;    /* how often an image boots that has not confirmed itself, from 1 */
    struct board_keys keys; /* whose signatures it demands; none: it demands none */

    /* In the fuses. */
    struct ota_chip chip;
    uint8_t mac[BOARD_MAC_SIZE];
};

/* What changes, besides flash, fuses and retained memory. Shared by runner and firmware. */
struct board_state {
    char magic[8];
    uint32_t size; /* of this struct: one made by another version is not understood */
    uint32_t boots;
    uint32_t boots_since_power_on; /* 0: the next boot is a power-on */
    uint32_t reset_reason;         /* enum board_reset_reason, of the last boot */
    int32_t running_slot;          /* OTA_SLOT_NONE while nothing runs */
    uint32_t restart; /* enum ota_restart_reason that the firmware asked for; 0: none */
    int32_t user;     /* process that has the board open to run it, for messages */
    bool idle;        /* the firmware waits, and has no update under way */
    bool real_time;   /* see nor.h */

    char trouble[BOARD_TROUBLE_SIZE]; /* what the firmware could not do in this boot; "": nothing */

    /* Of the runner's standard input, which comes once and not once for each boot. */
    bool input_was_read;
    uint32_t input_item; /* of the upgrade list that was made of it, from 1; 0: none */

    /* Where it listens, where any free port would do: the same after each restart. */
    uint16_t ports[BOARD_PORTS];

    /* What people do to the board while it runs (`board press`, `hold`, `release`). */
    int64_t pressed_ms;         /* when the button was last pressed, by platform_clock_ms */
    char hold[BOARD_HOLD_SIZE]; /* why no update may come now; "": it may */
    struct nor_state nor;
};

struct board_fuses {
    struct ota_fuses fuses; /* first: a cast gets the board's back */
    uint8_t *bits;          /* of the secure version: the floor is how many are burned */
};

struct board {
    /* To be read by anyone. */
    struct board_settings settings;
    struct nor nor;
    struct board_fuses fuses;
    struct board_trust trust;       /* what device.trust points at */
    struct ota_device device;       /* filled in, not opened */
    struct profile profile;         /* if settings name one */
    struct ota_esp8266 esp8266;     /* likewise, if it is of this chip: device.esp8266 */
    struct posix_platform platform; /* what the firmware runs on */
    struct board_state *state;
    uint8_t *retained;    /* BOARD_RETAINED_SIZE bytes */
    const char *pull_url; /* attached boards: where to pull from, or NULL */
    const char *ways;     /* likewise: the further ways in, for ways_read, or NULL */
    char error[512];      /* why the last call failed: a sentence */

    /* Private. */
    uint32_t shown;  /* how far an update under way was, when it was last shown */
    char *directory; /* absolute */
    char *published; /* a board being created: where it will be */
    int descriptor;  /* of the directory, or -1; carries the lock */
    uint8_t *flash_map;
    uint32_t *wear_map;
    uint8_t *fuses_map;
};

/* How a board is opened. */
enum board_access {
    BOARD_LOOK,  /* what is read is the board's; what is written is forgotten. Takes no lock */
    BOARD_RUN,   /* for changing it; fails while another process has it open so */
    BOARD_TOUCH, /* for what people do while it runs: hold and pressed_ms of its state. No lock */
};

/* Fills in what most boards have: 4 MB of flash that erases 4, 32 and 64 KiB, chip `host`, rollback
   on, a MAC drawn at random. */
void board_default_settings(struct board_settings *settings);

/* Begins a new board that will be at `directory`, which must not exist: blank flash, no wear. Until
   board_publish it is in a temporary place, and the caller may write its flash by `nor.flash`.
   Returns false, with the reason in board->error. End with board_publish or board_close. */
bool board_create(struct board *board, const char *directory,
                  const struct board_settings *settings);

/* Puts a created board in its place, its counters at zero: all of it appears at once, or nothing.
   The board stays open. Returns false with the reason. */
bool board_publish(struct board *board);

/* Opens a board. Returns false with the reason in board->error. End with board_close, also after a
   failure. */
bool board_open(struct board *board, const char *directory, enum board_access access);

/* Closes; throws away a board that was created and not published. */
void board_close(struct board *board);

/* Called by firmware: opens the board that the runner has started it on, and makes board->device
   and board->platform ready for use. Returns false after writing the reason to standard error. */
bool board_attach(struct board *board);

/* The same for firmware that has no program of its own: the child of the runner's process that
   stands in for it. Power cuts and restarts then end the process. */
void board_become_firmware(struct board *board);

/* Opens board->device by its partition table or its profile. `failure` (may be NULL) says where in
   the table. Returns as ota_device_open and ota_staging_open. */
enum ota_err board_open_device(struct board *board, struct ota_failure *failure);

/* What people call a slot of this board: as ota_slot_name, but "app" and "staged" on one that runs
   from one place. */
const char *board_slot_name(const struct board *board, int slot, char name[OTA_SLOT_NAME_SIZE]);

/* Where an ESP8266 keeps the command for eboot: OTA_EBOOT_COMMAND_SIZE bytes of retained memory. */
uint8_t *board_eboot_command(const struct board *board);

/* Called by firmware: tells whoever runs the board that it waits and has nothing to do, or that it
   has again. Scripts wait for it (`board run --until idle`). */
void board_set_idle(struct board *board, bool idle);

/* Called by firmware: tells whoever runs the board what it was asked for and could not do; the
   first such sentence of this boot is kept. `board run --until idle` then fails with it. */
void board_set_trouble(struct board *board, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* An ota_update_event_fn for firmware, with the board as context: shows an update's progress on the
   board's serial monitor, a percent at a time; where nobody knows the length, 64 KiB. */
void board_show_progress(void *context, const struct ota_update *update,
                         enum ota_update_event event, uint32_t done, uint32_t total);

/* Takes the power away: retained memory is forgotten, the next boot is a power-on. */
void board_forget_power(struct board *board);

/* The board's name as a path's last part, for settings that give none; `name` holds
   BOARD_NAME_MAX + 1. */
void board_name_from_path(const char *directory, char *name);

/* The words for a reset reason, such as "update". */
const char *board_reset_reason_text(uint32_t reason);

/* The form of images that a chip with a partition table boots. */
enum ota_image_form board_image_form(uint16_t chip);

#endif
