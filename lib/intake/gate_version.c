/* SPDX-License-Identifier: Apache-2.0 */
/* The gate that compares what an image says of itself with what runs. */
#include <updraft/gate.h>
#include <updraft/version.h>

#include "base/mem.h"

static enum ota_err compare_project(const struct ota_gate_version *gate,
                                    const struct ota_gate_question *question)
{
    const char *project = gate->project;

    if (project == NULL && question->running != NULL) {
        project = question->running->project;
    }
    if (!gate->refuse_other_project || project == NULL ||
        ota__same_text(project, question->incoming->project)) {
        return OTA_OK;
    }
    return OTA_ERR_PROJECT;
}

static enum ota_err compare_version(const struct ota_gate_version *gate,
                                    const struct ota_gate_question *question)
{
    if (question->running == NULL) {
        return OTA_OK;
    }
    switch (ota_version_compare(question->incoming->version, question->running->version)) {
    case OTA_VERSION_SAME:
        return gate->refuse_same ? OTA_ERR_SAME_VERSION : OTA_OK;
    case OTA_VERSION_OLDER:
        return gate->refuse_older ? OTA_ERR_OLDER_VERSION : OTA_OK;
    default:
        return OTA_OK;
    }
}

enum ota_err ota_gate_version_ask(struct ota_gate *gate, const struct ota_gate_question *question,
                                  struct ota_gate_answer *answer)
{
    const struct ota_gate_version *version = (const struct ota_gate_version *)gate;

    (void)answer;
    if (question->stage != OTA_GATE_DESCRIBED || question->is_data) {
        return OTA_OK;
    }
    if (question->incoming == NULL) {
        return version->demand_descriptor ? OTA_ERR_IMAGE_DESCRIPTOR : OTA_OK;
    }
    enum ota_err err = compare_project(version, question);
    return err == OTA_OK ? compare_version(version, question) : err;
}
