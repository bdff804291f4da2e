/* SPDX-License-Identifier: Apache-2.0 */
/* What reasons and outcomes of an upgrade list are called: docs/formats/upgrade-list.md section
   3. */
#include <updraft/upgrade_list.h>

static const char *const reason_names[] = {
    "NULL_POINTER",          "URL_PARSE_FAIL",     "ERROR_VERSION",    "NO_HIGHER_VERSION",
    "ERROR_MAGIC_WORD",      "ERROR_PROJECT_NAME", "FILE_NOT_FOUND",   "PARTITION_NOT_FOUND",
    "PARTITION_WT_FAIL",     "PARTITION_RD_FAIL",  "STREAM_INIT_FAIL", "STREAM_RD_FAIL",
    "GET_NEW_APP_DESC_FAIL",
};

const char *ota_upgrade_reason_name(int32_t reason)
{
    if (reason == OTA_UPGRADE_SUCCESS) {
        return "SUCCESS";
    }
    if (reason < OTA_UPGRADE_NULL_POINTER || reason > OTA_UPGRADE_GET_NEW_APP_DESC_FAIL) {
        return "UNKNOWN";
    }
    return reason_names[reason - OTA_UPGRADE_NULL_POINTER];
}

const char *ota_upgrade_outcome_name(enum ota_upgrade_outcome outcome)
{
    switch (outcome) {
    case OTA_UPGRADE_DONE:
        return "upgraded";
    case OTA_UPGRADE_NOT_NEEDED:
        return "not needed";
    case OTA_UPGRADE_FAILED:
        return "failed";
    case OTA_UPGRADE_LEFT_OUT:
        return "left out";
    default:
        return "waiting";
    }
}

/* Of an error that means the same in every step. */
static int32_t plain_reason(enum ota_err err)
{
    switch (err) {
    case OTA_OK:
        return OTA_UPGRADE_SUCCESS;
    case OTA_ERR_ARGUMENT:
        return OTA_UPGRADE_NULL_POINTER;
    case OTA_ERR_URL:
        return OTA_UPGRADE_URL_PARSE_FAIL;
    case OTA_ERR_VERSION:
        return OTA_UPGRADE_ERROR_VERSION;
    case OTA_ERR_SAME_VERSION:
    case OTA_ERR_OLDER_VERSION:
        return OTA_UPGRADE_NO_HIGHER_VERSION;
    case OTA_ERR_IMAGE_MAGIC:
    case OTA_ERR_COMPRESSED:
    case OTA_ERR_COMPRESSION:
        return OTA_UPGRADE_ERROR_MAGIC_WORD;
    case OTA_ERR_PROJECT:
        return OTA_UPGRADE_ERROR_PROJECT_NAME;
    case OTA_ERR_HTTP_NOT_FOUND:
        return OTA_UPGRADE_FILE_NOT_FOUND;
    case OTA_ERR_NO_PARTITION:
        return OTA_UPGRADE_PARTITION_NOT_FOUND;
    case OTA_ERR_READ_ONLY:
    case OTA_ERR_FLASH_WRITE:
    case OTA_ERR_FLASH_ERASE:
    case OTA_ERR_FLASH_VERIFY:
    case OTA_ERR_TOO_LARGE:
        return OTA_UPGRADE_PARTITION_WT_FAIL;
    case OTA_ERR_FLASH_READ:
        return OTA_UPGRADE_PARTITION_RD_FAIL;
    case OTA_ERR_IMAGE_DESCRIPTOR:
        return OTA_UPGRADE_GET_NEW_APP_DESC_FAIL;
    default:
        return OTA_UPGRADE_UNKNOWN;
    }
}

/* Tells whether the fault lies with the source and what it delivers. */
static bool is_the_sources(enum ota_err err)
{
    switch (err) {
    case OTA_ERR_SOURCE:
    case OTA_ERR_INCOMPLETE:
    case OTA_ERR_NO_DATA:
    case OTA_ERR_IMAGE_TRUNCATED:
    case OTA_ERR_PROTOCOL:
    case OTA_ERR_AUTH:
    case OTA_ERR_NO_MEMORY:
        return true;
    default:
        return (err >= OTA_ERR_CONNECT && err <= OTA_ERR_HTTP_RANGE) ||
               (err >= OTA_ERR_TLS && err <= OTA_ERR_TLS_EXPIRED);
    }
}

int32_t ota_upgrade_reason(enum ota_err err, enum ota_upgrade_step step)
{
    int32_t reason = plain_reason(err);

    if (reason != OTA_UPGRADE_UNKNOWN) {
        return reason;
    }
    if (err == OTA_ERR_IMAGE_TRUNCATED && step == OTA_UPGRADE_NEED_UPGRADE) {
        return OTA_UPGRADE_GET_NEW_APP_DESC_FAIL;
    }
    if (is_the_sources(err)) {
        return step == OTA_UPGRADE_PREPARE || err == OTA_ERR_HTTP_NO_LENGTH
                   ? OTA_UPGRADE_STREAM_INIT_FAIL
                   : OTA_UPGRADE_STREAM_RD_FAIL;
    }
    return OTA_UPGRADE_UNKNOWN;
}
