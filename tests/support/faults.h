/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_FAULTS_H
#define SUPPORT_FAULTS_H

/*
 * Faults on demand: a flash driver layered over another, and a crypto backend layered over BearSSL,
 * each of which fails its k-th call. One loop fails the first, then the second, and so on, until a
 * run is over before its fault was reached:
 *
 *     static void scenario(void *context)
 *     {
 *         struct bench *bench = context;
 *         bench_set_up(bench);
 *         check(bench, run(bench), faults_struck());
 *     }
 *
 *     unsigned places = faults_everywhere(FAULT_READ, scenario, &bench);
 *
 * There is one fault at a time in the whole program.
 */

#include <stdbool.h>

#include <updraft/crypto.h>
#include <updraft/flash.h>

enum fault_kind {
    FAULT_NONE = 0,
    FAULT_READ,   /* the flash's read fails; what was asked for is not there */
    FAULT_WRITE,  /* the flash's write fails, nothing done */
    FAULT_ERASE,  /* the flash's erase fails, nothing done */
    FAULT_VERIFY, /* the flash's write drops one bit and says that all is well */
    FAULT_IDLE,   /* the flash's erase does nothing and says that all is well */
    FAULT_CRYPTO, /* a call of the crypto backend fails */
};

/* Asks for the `number`-th call of that kind from now on (1 is the next) to fail, and no other. */
void faults_set(enum fault_kind kind, unsigned number);

/* Takes the fault back. */
void faults_clear(void);

/* Tells whether the fault that was asked for has struck. */
bool faults_struck(void);

/* The error that a call of this kind returns when it fails. */
enum ota_err faults_error(enum fault_kind kind);

/* Runs `scenario` once for each call of that kind that it makes, failing that call, and once
   without a fault. Returns in how many places it failed one. */
unsigned faults_everywhere(enum fault_kind kind, void (*scenario)(void *context), void *context);

struct faulty_flash {
    struct ota_flash flash; /* first: the driver gets itself back by a cast */
    struct ota_flash *under;
};

/* Makes `faulty` a driver with the geometry of `under`, which must outlive it. */
void faulty_flash_init(struct faulty_flash *faulty, struct ota_flash *under);

/* BearSSL with all its hashes, but for the faults. It counts the hashes that are begun and not yet ended: a test that
   ends with some left has found a leak. */
extern const struct ota_crypto faulty_crypto;
int faulty_crypto_running(void);

#endif
