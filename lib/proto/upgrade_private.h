/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PROTO_UPGRADE_PRIVATE_H
#define UPDRAFT_PROTO_UPGRADE_PRIVATE_H

/* Between the files of the upgrade list: upgrade_list.c goes through the items, upgrade_app.c and
   upgrade_data.c hold the defaults, upgrade_source.c what both do with the source. */

#include <updraft/text.h>
#include <updraft/upgrade_list.h>

#define OTA__UPGRADE_LINE_SIZE 176u

/* ---- upgrade_source.c ------------------------------------------------------------------------ */

/* Opens the item's source. Returns what ota_fetch_open returns. */
enum ota_err ota__upgrade_open(struct ota_upgrade *upgrade);

/* The default execute: the source, and before it the head, into the intake. Pending while more is
   to come. */
enum ota_err ota__upgrade_receive(struct ota_upgrade *upgrade, bool *pending);

/* The default finished_check: proves and activates if `err` is OTA_OK, else gives up; closes the
   source. Pending while a gate holds the activation. */
enum ota_err ota__upgrade_finish(struct ota_upgrade *upgrade, enum ota_err err, bool *pending);

/* ---- upgrade_app.c --------------------------------------------------------------------------- */

/* Whether an app is to be taken: for the intake, of one that came compressed. */
enum ota_err ota__upgrade_judge_app(void *context, const struct ota_app_descriptor *incoming);

/* ---- upgrade_version.c ----------------------------------------------------------------------- */

/* Compares the versions as the check demands and logs both; `present` is NULL if there is none.
   Returns OTA_OK if it should be taken, OTA_ERR_SAME_VERSION, OTA_ERR_OLDER_VERSION or
   OTA_ERR_VERSION. */
enum ota_err ota__upgrade_compare(const struct ota_upgrade *upgrade, enum ota_upgrade_check check,
                                  const char *incoming, const char *present);

#endif
