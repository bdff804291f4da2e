/* SPDX-License-Identifier: Apache-2.0 */
/* All seals of a trust, one after the other. */
#include "format/sealed.h"

/* Whether the signature was looked for and judged, and is not good. */
static bool is_refused(enum ota_err err)
{
    return err == OTA_ERR_SIGNATURE_MISSING || ota__is_bad_signature(err);
}

/* What is said in the end is what the first seal said that is there at all. */
static enum ota_err ask_list(const struct ota_seal *const *list, const struct ota_sealed *sealed,
                             struct ota_signature_report *report)
{
    struct ota_signature_report own = {.err = OTA_ERR_SIGNATURE_MISSING};

    *report = own;
    for (; *list != NULL; list++) {
        enum ota_err err = (*list)->check(*list, sealed, &own);
        if (report->err == OTA_ERR_SIGNATURE_MISSING || !is_refused(err)) {
            *report = own;
        }
        if (!is_refused(err)) {
            return err;
        }
    }
    return report->err;
}

enum ota_err ota_seals_ask(const struct ota_trust *trust, const struct ota_sealed *sealed,
                           struct ota_signature_report *report)
{
    enum ota_err err = ask_list(trust->seals->list, sealed, report);

    return trust->only_report && is_refused(err) ? OTA_OK : err;
}
