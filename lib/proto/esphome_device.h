/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROTO_ESPHOME_DEVICE_H
#define PROTO_ESPHOME_DEVICE_H

/* Between the two files of the device: esphome.c has the connection, the image and the ends,
   esphome_talk.c what is said up to the image. */

#include <updraft/esphome.h>

#include "proto/esphome_private.h"

/* ---- esphome.c ------------------------------------------------------------------------------- */

void ota__esphome_tell(const struct ota_esphome *esphome, enum ota_esphome_event event);

/* Forgets what the proof was made of. */
void ota__esphome_forget(struct ota_esphome *esphome);

/* Give the update up, tell the host, and close: with the byte for this error, or with `answer`; and
   when the intake has given it up by itself. Each returns `err`. */
enum ota_err ota__esphome_fail(struct ota_esphome *esphome, enum ota_err err);
enum ota_err ota__esphome_fail_with(struct ota_esphome *esphome, enum ota_err err, uint8_t answer);
enum ota_err ota__esphome_intake_failed(struct ota_esphome *esphome, enum ota_err err);

/* ---- esphome_talk.c -------------------------------------------------------------------------- */

/* The conversation begins. */
void ota__esphome_await_magic(struct ota_esphome *esphome);

/* Takes the next byte of it. */
void ota__esphome_talk(struct ota_esphome *esphome, uint8_t byte);

/* The nonce is held back: how much longer, and its time has come. */
uint32_t ota__esphome_pause_left(const struct ota_esphome *esphome);
void ota__esphome_pause_over(struct ota_esphome *esphome);

#endif
