/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLASH_JOURNAL_HEADER_H
#define FLASH_JOURNAL_HEADER_H

/* The journal's header: docs/formats/journal.md section 2. */

#include <updraft/journal.h>

#define OTA__JOURNAL_MAGIC 0x4A445055u /* "UPDJ" */
#define OTA__JOURNAL_VERSION 1u

#define OTA__JOURNAL_AT_VERSION 4u
#define OTA__JOURNAL_AT_KIND 5u
#define OTA__JOURNAL_AT_LEN 6u
#define OTA__JOURNAL_AT_MODE 7u
#define OTA__JOURNAL_AT_SIZE 8u
#define OTA__JOURNAL_AT_IDENTITY 16u
#define OTA__JOURNAL_AT_CRC (OTA__JOURNAL_AT_IDENTITY + OTA_IDENTITY_MAX)
#define OTA__JOURNAL_HEADER (OTA__JOURNAL_AT_CRC + 4u)

#endif
