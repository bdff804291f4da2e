/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDATE_UPDATE_PRIVATE_H
#define UPDATE_UPDATE_PRIVATE_H

/* What the update's files share. */

#include <updraft/trust.h>
#include <updraft/update.h>

/* Within so many bytes an image says what it is, if it ever does. */
#define OTA__HEAD 256u

/* Where an image says how its flash is wired. */
#define OTA__MODE_OFFSET 2u

/* ---- update.c -------------------------------------------------------------------------------- */

/* Ends the update with its first cause, which it returns; a later one changes nothing. */
enum ota_err ota__update_fail(struct ota_update *update, enum ota_err err, uint32_t offset);

/* ---- update_hash.c --------------------------------------------------------------------------- */

/* Begin and end the check of what is stored, and the MD5 of what arrives. */
enum ota_err ota__update_begin_check(struct ota_update *update);
void ota__update_release(struct ota_update *update);

/* Passes what is about to be stored. */
enum ota_err ota__update_check(struct ota_update *update, const void *data, uint32_t len);

/* The digest of what is stored so far that proves a checkpoint: MD5 if that is expected, else
   SHA-256. */
enum ota_err ota__update_digest_so_far(const struct ota_update *update,
                                       uint8_t digest[OTA_SHA256_SIZE]);

/* Compares what arrived with the expected digest, where there is one: what the hashes have seen, or
   a SHA-256 that is not theirs. */
enum ota_err ota__update_check_expected(struct ota_update *update);
enum ota_err ota__update_match(struct ota_update *update, const uint8_t digest[OTA_SHA256_SIZE]);

/* ---- update_start.c -------------------------------------------------------------------------- */

/* Finds the target, and where in it to go on. Reads only. */
enum ota_err ota__update_find_start(struct ota_update *update, bool resume);

/* What arrives is stored as it is: an app of which less was announced than it says of itself is cut
   short, and not too large for a staging region that was measured by the announcement. */
void ota__update_takes_plain(struct ota_update *update);

/* ---- update_store.c -------------------------------------------------------------------------- */

/* Asks may_write. */
enum ota_err ota__update_ask(struct ota_update *update);

/* Withdraws the target from otadata, and makes it ready to be written. */
enum ota_err ota__update_open_target(struct ota_update *update, bool resumed);

/* Checks and writes what is to be stored, past the gate. Fails the update if that goes wrong. */
enum ota_err ota__update_store(struct ota_update *update, const void *data, size_t len);

/* Puts down how far it has come. */
enum ota_err ota__update_append_checkpoint(struct ota_update *update);

/* ---- update_seals.c -------------------------------------------------------------------------- */

/* Whether the device asks for seals: then one may follow what is stored. */
static inline bool ota__update_has_seals(const struct ota_update *update)
{
    const struct ota_trust *trust = update->options.device->trust;

    return trust != NULL && trust->seals != NULL;
}

/* Asks the seals of device->trust about what was stored, and reports into update->signature.
   Returns OTA_OK if they have nothing against it. */
enum ota_err ota__update_ask_seals(struct ota_update *update);

/* ---- unwrap.c, by pointer -------------------------------------------------------------------- */

struct ota__unwrap_methods {
    /* Begins with an update that has found its target. Returns how much may arrive. */
    uint32_t (*begin)(struct ota_update *update);

    /* Takes what arrives, and counts it. Fails the update if that goes wrong. */
    enum ota_err (*write)(struct ota_update *update, const void *data, size_t len);

    /* No more comes: stores the rest; judges the signature, and what arrived by its expected
       digest. Fails the update as above. */
    enum ota_err (*end)(struct ota_update *update);

    /* Ends its hash, in any state. */
    void (*release)(struct ota_update *update);
};

#endif
