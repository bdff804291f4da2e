/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_UPDATE_H
#define UPDRAFT_UPDATE_H

/*
 * One update from begin to end: bytes go in at ota_update_write, are checked and written to a
 * partition that does not run, are proven by ota_update_end, and only then does ota_update_activate
 * change what boots.
 *
 *     static struct ota_update update;
 *     static uint8_t buffer[4096];
 *     const struct ota_update_options options = {
 *         .device = &device, .size = length, .buffer = buffer, .buffer_size = sizeof buffer,
 *     };
 *     err = ota_update_begin(&update, &options);
 *     while (err == OTA_OK && (len = receive(data)) > 0)
 *         err = ota_update_write(&update, data, len);
 *     if (err == OTA_OK) err = ota_update_end(&update);
 *     if (err == OTA_OK) err = ota_update_activate(&update);
 *     if (err == OTA_OK) restart();
 *
 * Which call is legal in which state, and the state after it. Anything else returns OTA_ERR_STATE
 * and changes nothing. A call that fails goes to FAILED unless said otherwise.
 *
 *     call        IDLE        RECEIVING   PROVEN      FAILED
 *     begin       RECEIVING   -           RECEIVING   RECEIVING
 *     resume      RECEIVING   -           RECEIVING   RECEIVING
 *     expect      -           RECEIVING   -           -
 *     write       -           RECEIVING   -           - (returns the first cause)
 *     end         -           PROVEN      -           - (returns the first cause)
 *     activate    -           -           IDLE        -
 *     suspend     IDLE        IDLE        IDLE        IDLE
 *     abort       IDLE        IDLE        IDLE        IDLE
 *
 * RECEIVING has two parts. Up to the point where the image has said what it is (the first 216 bytes
 * at the latest; 8 of an ESP8266's, the first byte of data) the flash is only read. Then may_write
 * is asked, the target withdrawn from otadata, and the journal begun; from there on the flash
 * changes.
 * An update that ends before that point, however it ends, leaves everything as it was: the target's
 * old content, a choice of it, and the journal of an interrupted transfer.
 *
 * Invariants, argued in DESIGN.md: U1 otadata never names a slot whose content is not
 * proven: the first change to the flash withdraws it, activate alone sets it. U2 activate is
 * reached only through end. U3 the running slot is never erased or written. U4 an update that fails
 * after its first change to the flash leaves no journal. U5 the first failure stays until the next
 * begin. U6 nothing changes before may_write has said OTA_OK.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <updraft/crypto.h>
#include <updraft/device.h>
#include <updraft/error.h>
#include <updraft/image.h>
#include <updraft/journal.h>
#include <updraft/sink.h>
#include <updraft/trust.h>
#include <updraft/unwrap.h>
#include <updraft/writer.h>

enum ota_update_state {
    OTA_UPDATE_IDLE = 0, /* also the state of a zeroed object */
    OTA_UPDATE_RECEIVING,
    OTA_UPDATE_PROVEN,
    OTA_UPDATE_FAILED,
};

enum ota_update_event {
    OTA_EVENT_START,     /* begun or resumed; `done` bytes are there already */
    OTA_EVENT_PROGRESS,  /* `done` of `total` bytes have arrived */
    OTA_EVENT_PROVEN,    /* ended: all checks passed */
    OTA_EVENT_ACTIVATED, /* what boots has changed (or, for data, is in place) */
    OTA_EVENT_ERROR,     /* failed: see update->failure. Once per update */
};

struct ota_update;

/* Called for each event. `total` is OTA_SIZE_UNKNOWN when it is. It may read the update, and not
   call it. */
typedef void ota_update_event_fn(void *context, const struct ota_update *update,
                                 enum ota_update_event event, uint32_t done, uint32_t total);

struct ota_update_options {
    struct ota_device *device;  /* opened; used until the update is over */
    const char *label;          /* NULL: the next OTA slot. Else the partition of that label: a data
                                  partition, or an OTA slot that does not run */
    uint32_t size;              /* bytes to come, or OTA_SIZE_UNKNOWN; 0 is OTA_ERR_ARGUMENT */
    struct ota_digest expected; /* of all bytes; algorithm OTA_HASH_NONE: not checked */
    const char *etag;           /* NULL, or the transfer's entity tag: its identity where no digest
                                  is expected. Copied */
    bool erase_ahead;           /* erase all that will be written before the first byte is */
    bool allow_trailer;         /* bytes after the image's end are written and not checked */
    bool in_place;              /* data goes where it belongs at once, also on a device that could
                                   stage it (staging.h) */
    struct ota_unwrap *unwrap;  /* takes compression and signatures off what arrives (unwrap.h);
                                   the caller's until the update is over. NULL: what arrives is
                                   stored. Demanded where the device's trust asks for trailers */
    uint8_t *buffer;      /* the caller's until the update is over; at least write_size bytes, */
    uint32_t buffer_size; /* 256 is good; erase_size saves wear (writer.h). A device whose trust has
                             seals demands OTA_SECURE_BLOCK_SIZE */
    ota_update_event_fn *on_event; /* NULL: none */

    /* Asked once, before anything on the flash is changed: what the image says of itself is then
       known (check.image), or it has nothing to say. An update that is resumed asks within
       ota_update_resume, any other within ota_update_write. Anything but OTA_OK ends the update
       with that. It may read the update, and not call it. With a buffer below 256 bytes it is asked
       too late for "before"; gzip that is staged needs more (staged_gzip.h). NULL: go on. */
    enum ota_err (*may_write)(void *context, const struct ota_update *update);
    void *context; /* for both */
};

struct ota_update {
    /* To be read by anyone. */
    enum ota_update_state state;
    struct ota_failure failure;     /* the first cause, and the offset in what arrived; if what was
                                       unpacked is at fault, in that */
    struct ota_partition partition; /* the target */
    int slot;                       /* the target, or OTA_SLOT_NONE for a data partition */
    uint32_t received;              /* bytes so far, those found by resume included */
    uint32_t stored;                /* bytes that were checked and given to the writer: as many,
                                       unless something is taken off what arrives */
    struct ota_signature_report signature; /* OTA_OK: one that device->trust names has signed it.
                                              Else, at the end, why not */
    struct ota_image_check check;          /* check.image: what is known of the image so far */
    struct ota_writer writer;              /* writer.stats: erases and writes */
    bool is_compressed;                    /* what arrives: known once its first bytes are there */
    union {
        uint8_t digest[OTA_SHA256_SIZE]; /* once ended: of all bytes, where one was expected */
        struct ota_hash md5;             /* private: until then */
    };

    /* Private. */
    struct ota_update_options options;
    struct ota_image_rules rules;
    struct ota_region region; /* the target, in whole sectors */
    uint32_t limit;           /* bytes that may be stored */
    bool keeps_packed;        /* what is stored is as compressed as what arrives (staged_gzip.h) */
    bool md5_begun;
    bool was_asked; /* may_write */
    bool is_open;   /* the target: changes to the flash have begun */
    struct ota_journal journal;
    uint32_t next_checkpoint; /* offset */
};

/*
 * Starts an update. Checks the target: OTA_ERR_NO_PARTITION; OTA_ERR_RUNNING_SLOT for the running
 * one (the factory app and partitions of other types than app and data: OTA_ERR_ARGUMENT);
 * OTA_ERR_READ_ONLY; OTA_ERR_UNCONFIRMED if the running image is on trial (an app only: its
 * fallback would be overwritten); OTA_ERR_NO_OTADATA for a slot that no otadata entry could make
 * boot; OTA_ERR_TOO_LARGE if the size is known and larger than the partition (with `unwrap`: than
 * that allows); OTA_ERR_ARGUMENT if the device's trust asks for a trailer that nothing looks for.
 * Changes nothing on the flash: the writes do, which first forget an otadata entry that names the
 * target, and, where size and identity are known and the last sector is free, begin a journal.
 */
enum ota_err ota_update_begin(struct ota_update *update, const struct ota_update_options *options);

/*
 * As begin, but goes on where an interrupted update of the same size and identity left off:
 * `*offset` is the first byte that is still wanted, 0 if there was nothing to go on from. What is
 * there has been read, hashed and checked like the rest. A journal of another identity is dropped
 * with the first change to the flash. Returns also what may_write says, if there was something to
 * go on from.
 */
enum ota_err ota_update_resume(struct ota_update *update, const struct ota_update_options *options,
                               uint32_t *offset);

/*
 * Finds out, before a connection is made, whether an interrupted update waits in the target that
 * `label` names (as in the options), in place or staged: its identity and size, and the offset it
 * claims to have reached. Returns OTA_ERR_NO_DATA if there is none, or the error that begin would
 * give.
 */
enum ota_err ota_update_pending(struct ota_device *device, const char *label,
                                struct ota_identity *identity, uint32_t *size, uint32_t *offset);

/*
 * Finds out whether an update of that target was cut short: also one that cannot be resumed, such
 * as of a compressed image. Who fetches it again asks for the plain one, so that the next cut loses
 * less. Returns OTA_OK, the error that begin would give for the target, or the flash's.
 */
enum ota_err ota_update_was_cut_short(const struct ota_device *device, const char *label,
                                      bool *cut_short);

/* Says which digest is expected, for a sender that tells it after its size: any time before the
   first byte. Such an update cannot be resumed. Returns OTA_OK, OTA_ERR_STATE or OTA_ERR_CRYPTO. */
enum ota_err ota_update_expect(struct ota_update *update, const struct ota_digest *expected);

/* Takes the next bytes, any number. Returns OTA_OK or the first cause, may_write's answer
   included. */
enum ota_err ota_update_write(struct ota_update *update, const void *data, size_t len);

/* Proves the whole: size, structure, checksum, hash, chip, versions, expected digest; writes what
   is buffered; removes the journal. OTA_ERR_NO_DATA if nothing came, OTA_ERR_INCOMPLETE if too
   little. */
enum ota_err ota_update_end(struct ota_update *update);

/* Makes the proven image the one that boots next. For a data partition there is nothing to do. On
   failure the state stays PROVEN and the old choice stands, so that it can be tried again. */
enum ota_err ota_update_activate(struct ota_update *update);

/* Stops for now: the journal stays, a later resume goes on. Never fails. */
void ota_update_suspend(struct ota_update *update);

/* Gives up: the journal is erased (as far as the flash lets it) if this update began it; what was
   written stays, inert. */
void ota_update_abort(struct ota_update *update);

/* Drains a source into an update that is RECEIVING, through `buffer` (any size > 0), and ends it:
   returns as write and end do, or the source's error (the update is then suspended). */
enum ota_err ota_update_from_source(struct ota_update *update, struct ota_source *source,
                                    uint8_t *buffer, size_t buffer_size);

#endif
