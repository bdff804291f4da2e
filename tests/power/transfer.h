/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POWER_TRANSFER_H
#define POWER_TRANSFER_H

/* One transfer by a way in: what the drivers of the ways share. */

#include <updraft/updraft.h>

#include "power/ways.h"

#define TRANSFER_PIECE 1000u /* bytes that arrive at once */
#define TRANSFER_TURNS 100u  /* after so many without progress a peer loses its patience */

struct transfer {
    struct board *board;
    int sent;            /* the image that was asked for */
    int image;           /* the app of it; -1: none */
    int data;            /* the image that is the data partition's content; -1: none */
    uint32_t limit;      /* bytes of the image after which the connection breaks */
    bool refuses, holds; /* the gate */
    struct ota_intake intake;
    struct ota_gate_hook gate;
    unsigned operations; /* when the door was knocked at */
    uint32_t now_ms;
    bool is_broken;   /* the limit was reached */
    char heard[4096]; /* what the peer heard from the device; the first part if it is more */
    size_t heard_len;
};

/* A driver plays the peer and carries the bytes until the transfer is over. Returns OTA_OK if the
   image is activated or held, else the first cause. */
typedef enum ota_err transfer_fn(struct transfer *transfer);

transfer_fn transfer_by_espota, transfer_by_esphome, transfer_by_form, transfer_by_raw,
    transfer_by_pull, transfer_by_https, transfer_by_ranges, transfer_by_list;

/* What is sent by a way that carries one image. */
const struct board_image *transfer_sent(const struct transfer *transfer);

/* Where its transmission ends: its end, or the limit. */
uint32_t transfer_end(const struct transfer *transfer);

/* The device said something. */
void transfer_hear(struct transfer *transfer, const void *data, size_t len);

/* Whether the device said this. */
bool transfer_heard(const struct transfer *transfer, const char *text);

/* The device told the peer that all is well: then it must be. */
void transfer_told(struct transfer *transfer);

/* The device asked for the image from this byte on: what it had is not to be sent again. */
void transfer_asked(struct transfer *transfer, uint32_t offset);

/* The last byte is being sent: behind it the journal goes, and nothing is left to go on from. */
void transfer_is_all(struct transfer *transfer);

/* Why a push came to nothing. */
enum ota_err transfer_failure(const struct transfer *transfer);

#endif
