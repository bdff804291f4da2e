/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent says in the log: one line for each thing that a person would want to know. */

#include "agent/agent_private.h"

#include <updraft/otadata.h>

#define LINE_SIZE 160u

void ota__report(const struct ota_agent *agent, enum ota_log_level level, const char *tag,
                 const char *text)
{
    struct ota_platform *platform = agent->options.platform;

    if (platform->log != NULL) {
        platform->log(platform, level, tag, text);
    }
}

void ota__report_error(const struct ota_agent *agent, enum ota_log_level level, const char *tag,
                       const char *text, enum ota_err err)
{
    char line[LINE_SIZE];
    struct ota_text out;

    ota_text_begin(&out, line, sizeof line);
    ota_text_put(&out, text);
    ota_text_put(&out, ": ");
    ota_text_put(&out, ota_err_text(err));
    ota__report(agent, level, tag, ota_text_end(&out));
}

void ota__report_no_password(const struct ota_agent *agent, const char *tag)
{
    ota__report(agent, OTA_LOG_WARNING, tag,
                "no password is set: whoever reaches this board can update it");
}

const char *ota__report_version(const struct ota_agent *agent)
{
    return agent->running.version[0] != '\0' ? agent->running.version : "the running image";
}

/* "48.2 KB", of 1024 bytes */
static void put_size(struct ota_text *out, uint32_t bytes)
{
    uint32_t tenths = bytes / 1024 * 10 + (bytes % 1024 * 10 + 512) / 1024;

    ota_text_put_decimal(out, tenths / 10);
    ota_text_put(out, ".");
    ota_text_put_decimal(out, tenths % 10);
    ota_text_put(out, " KB");
}

/* "867,072" */
static void put_grouped(struct ota_text *out, uint32_t number)
{
    uint32_t unit = 1;

    while (number / unit >= 1000) {
        unit *= 1000;
    }
    ota_text_put_decimal(out, number / unit);
    for (unit /= 1000; unit > 0; unit /= 1000) {
        uint32_t group = number / unit % 1000;
        ota_text_put(out, group < 10 ? ",00" : group < 100 ? ",0" : ",");
        ota_text_put_decimal(out, group);
    }
}

static void put_count(struct ota_text *out, uint32_t count, const char *one, const char *many)
{
    put_grouped(out, count);
    ota_text_put(out, " ");
    ota_text_put(out, count == 1 ? one : many);
}

/* Where the update goes: "ota_0", or the label of what is updated: data, or the one place of an app. */
static void put_target(struct ota_text *out, const struct ota_update *update)
{
    bool has_slots = update->options.device->staging == NULL;
    char name[OTA_SLOT_NAME_SIZE];

    ota_text_put(out, has_slots && update->slot != OTA_SLOT_NONE ? ota_slot_name(update->slot, name)
                                                                 : update->partition.label);
}

void ota__report_offer(const struct ota_agent *agent, const char *verdict)
{
    const struct ota_pull_offer *offer = &agent->pull.offer;
    char line[LINE_SIZE];
    struct ota_text out;

    ota_text_begin(&out, line, sizeof line);
    ota_text_put(&out, "server has ");
    ota_text_put(&out, offer->version[0] != '\0' ? offer->version : "another image");
    if (verdict == NULL) {
        ota_text_put(&out, ", I run ");
        verdict = ota__report_version(agent);
    } else {
        ota_text_put(&out, ", ");
    }
    ota_text_put(&out, verdict);
    ota__report(agent, OTA_LOG_INFO, "pull", ota_text_end(&out));
}

/* Whether what is at the intake now came by the pull. */
static bool is_pull(const struct ota_agent *agent)
{
    return ota_text_same(agent->intake.arrival.way, OTA__WAY_PULL);
}

void ota__report_start(const struct ota_agent *agent, uint32_t done)
{
    const struct ota_update *update = &agent->intake.update;
    uint32_t size = update->options.size;
    char line[LINE_SIZE];
    struct ota_text out;

    ota_text_begin(&out, line, sizeof line);
    put_target(&out, update);
    if (done > 0) {
        ota_text_put(&out, " resumes at ");
        put_grouped(&out, done);
        ota_text_put(&out, " of ");
        put_grouped(&out, size);
        ota_text_put(&out, " (proven)");
    } else {
        ota_text_put(&out, " <- ");
        if (size == OTA_SIZE_UNKNOWN) {
            ota_text_put(&out, "an unknown size");
        } else {
            put_size(&out, size);
        }
        ota_text_put(&out, is_pull(agent) ? " from " : " by ");
        ota_text_put(&out, is_pull(agent) ? agent->pull.host : agent->intake.arrival.way);
    }
    ota__report(agent, OTA_LOG_INFO, "update", ota_text_end(&out));
}

/* What was erased and programmed. */
static void report_written(const struct ota_agent *agent)
{
    const struct ota_update *update = &agent->intake.update;
    const struct ota_writer_stats *stats = &update->writer.stats;
    char line[LINE_SIZE];
    struct ota_text out;

    ota_text_begin(&out, line, sizeof line);
    put_target(&out, update);
    ota_text_put(&out, "  ");
    put_size(&out, update->received);
    if (update->is_compressed && !update->keeps_packed) {
        ota_text_put(&out, " unpacked to ");
        put_size(&out, update->stored);
    }
    ota_text_put(&out, "  100 %  erase ");
    if (stats->block_erases > 0) {
        put_count(&out, stats->block_erases, "block", "blocks");
    }
    if (stats->sector_erases > 0 || stats->block_erases == 0) {
        ota_text_put(&out, stats->block_erases > 0 ? " + " : "");
        put_count(&out, stats->sector_erases, "sector", "sectors");
    }
    ota_text_put(&out, ", ");
    put_count(&out, stats->pages, "page", "pages");
    ota_text_put(&out, ", ");
    put_grouped(&out, stats->sectors_same + stats->sectors_blank);
    ota_text_put(&out, " skipped");
    ota__report(agent, OTA_LOG_INFO, "update", ota_text_end(&out));
}

/* Who signed it, where somebody must have. */
static void put_signature(struct ota_text *out, const struct ota_signature_report *signature)
{
    if (signature->err == OTA_OK) {
        ota_text_put(out, ", signature (");
        ota_text_put(out, ota_signature_kind_name(signature->kind));
        ota_text_put(out, ", ");
        ota_text_put(out, ota_signature_scheme_name(signature->scheme));
        ota_text_put(out, ", key ");
        ota_text_put_decimal(out, signature->key);
        ota_text_put(out, ")");
    }
}

/* What was proven. */
static void report_proven(const struct ota_agent *agent)
{
    const struct ota_update *update = &agent->intake.update;
    bool is_image = update->check.image.form != OTA_IMAGE_DATA;
    bool is_digested = update->options.expected.algorithm != OTA_HASH_NONE;
    char line[LINE_SIZE];
    struct ota_text out;

    ota_text_begin(&out, line, sizeof line);
    ota_text_put(&out, "proven: size");
    ota_text_put(&out, is_image ? ", structure, checksum" : "");
    ota_text_put(&out, is_image && update->check.image.has_digest ? ", sha256" : "");
    ota_text_put(&out, is_digested ? ", the " : "");
    ota_text_put(&out, is_digested ? is_pull(agent) ? "server" : "sender" : "");
    ota_text_put(&out, is_digested ? "'s digest" : "");
    ota_text_put(&out, is_image ? ", chip, version" : "");
    if (agent->options.device->trust != NULL) {
        put_signature(&out, &update->signature);
    }
    ota__report(agent, OTA_LOG_INFO, "update", ota_text_end(&out));
    if (agent->options.device->trust != NULL && update->signature.err != OTA_OK) {
        ota__report_error(agent, OTA_LOG_WARNING, "update", "taken all the same",
                          update->signature.err);
    }
}

/* What boots now. */
static void report_choice(const struct ota_agent *agent)
{
    const struct ota_device *device = agent->options.device;
    const struct ota_extent *extent = &device->layout.otadata;
    struct ota_region region;
    struct ota_otadata otadata;
    char line[LINE_SIZE];
    struct ota_text out;

    if (ota_region_init(&region, device->flash, extent->offset, extent->size) != OTA_OK ||
        ota_otadata_read(&otadata, &region) != OTA_OK) {
        return;
    }
    int active = ota_otadata_active(&otadata);
    if (active < 0) {
        return;
    }
    ota_text_begin(&out, line, sizeof line);
    ota_text_put(&out, "sector ");
    ota_text_put_decimal(&out, (uint32_t)active);
    ota_text_put(&out, " <- seq ");
    ota_text_put_decimal(&out, otadata.entry[active].sequence);
    ota_text_put(&out, ", ");
    ota_text_put(&out, ota_image_state_name(otadata.entry[active].state));
    ota_text_put(&out, agent->options.stay || !is_pull(agent) ? "" : "        restart");
    ota__report(agent, OTA_LOG_INFO, "otadata", ota_text_end(&out));
}

static void report_activated(const struct ota_agent *agent)
{
    const struct ota_update *update = &agent->intake.update;
    bool is_staged = update->region.offset != update->partition.offset;
    char line[LINE_SIZE];
    struct ota_text out;

    if (update->slot != OTA_SLOT_NONE && !is_staged) {
        report_choice(agent);
        return;
    }
    ota_text_begin(&out, line, sizeof line);
    put_target(&out, update);
    ota_text_put(&out,
                 is_staged ? " is staged: the next boot brings it to its place" : " is in place");
    ota__report(agent, OTA_LOG_INFO, "update", ota_text_end(&out));
}

/* "espota refused: the image has the version that runs already"; where it struck, if it is an
   error. */
static void report_end(const struct ota_agent *agent, enum ota_log_level level, const char *what)
{
    const struct ota_intake *intake = &agent->intake;
    char line[LINE_SIZE];
    struct ota_text out;

    ota_text_begin(&out, line, sizeof line);
    ota_text_put(&out, intake->arrival.way);
    ota_text_put(&out, what);
    ota_text_put(&out, ota_intake_reason(intake));
    if (level == OTA_LOG_ERROR && intake->failure.offset > 0) {
        ota_text_put(&out, " (at byte ");
        put_grouped(&out, intake->failure.offset);
        ota_text_put(&out, ")");
    }
    ota__report(agent, level, "update", ota_text_end(&out));
}

void ota__report_intake(const struct ota_agent *agent, enum ota_intake_event event)
{
    switch (event) {
    case OTA_INTAKE_STARTED: /* said when the update begins: ota__report_start */
        break;
    case OTA_INTAKE_REFUSED:
        if (agent->intake.failure.err == OTA_ERR_HELD) {
            report_end(agent, OTA_LOG_INFO, " put off: ");
        } else {
            report_end(agent, OTA_LOG_WARNING, " refused: ");
        }
        break;
    case OTA_INTAKE_FAILED:
        report_end(agent, OTA_LOG_ERROR, " failed: ");
        break;
    case OTA_INTAKE_PROVEN:
        report_written(agent);
        report_proven(agent);
        break;
    case OTA_INTAKE_HOLDING:
        report_end(agent, OTA_LOG_INFO, " is proven, and waits: ");
        break;
    case OTA_INTAKE_ACTIVATED:
        report_activated(agent);
        break;
    }
}

void ota__report_redirect(const struct ota_agent *agent, const struct ota_pull *pull)
{
    char line[LINE_SIZE];
    struct ota_text out;

    ota_text_begin(&out, line, sizeof line);
    ota_text_put(&out, "the server sends me on to ");
    ota_text_put(&out, pull->host);
    ota_text_put(&out, " port ");
    ota_text_put_decimal(&out, pull->port);
    ota__report(agent, OTA_LOG_INFO, "pull", ota_text_end(&out));
}

/* A gate's own words, if one ended the pull's update. */
static const char *reason_of(const struct ota_agent *agent)
{
    const struct ota_intake *intake = &agent->intake;
    const struct ota_pull *pull = &agent->pull;
    bool is_gates = intake->state == OTA_INTAKE_TAKEN && is_pull(agent) &&
                    intake->update.state == OTA_UPDATE_FAILED && intake->answer.reason != NULL;

    return is_gates ? intake->answer.reason : ota_err_text(pull->failure.err);
}

void ota__report_put_status(struct ota_text *out, enum ota_err err, unsigned status)
{
    switch (err) {
    case OTA_ERR_HTTP_NOT_FOUND:
    case OTA_ERR_HTTP_FORBIDDEN:
    case OTA_ERR_HTTP_CREDENTIALS:
        return;
    default:
        ota_text_put(out, " (HTTP ");
        ota_text_put_decimal(out, status);
        ota_text_put(out, ")");
    }
}

static void put_failure(struct ota_text *out, const struct ota_agent *agent)
{
    const struct ota_pull *pull = &agent->pull;

    ota_text_put(out, reason_of(agent));
    if (pull->failure.err >= OTA_ERR_HTTP_STATUS && pull->offer.status != 0) {
        ota__report_put_status(out, pull->failure.err, pull->offer.status);
    } else if (pull->failure.offset > 0) {
        ota_text_put(out, " (at byte ");
        put_grouped(out, pull->failure.offset);
        ota_text_put(out, ")");
    }
}

void ota__report_retry(const struct ota_agent *agent, const struct ota_pull *pull)
{
    char line[LINE_SIZE];
    struct ota_text out;

    ota_text_begin(&out, line, sizeof line);
    put_failure(&out, agent);
    ota_text_put(&out, "; again in ");
    ota_text_put_decimal(&out, (pull->wait_ms + 999) / 1000);
    ota_text_put(&out, " s");
    ota__report(agent, OTA_LOG_WARNING, "pull", ota_text_end(&out));
}

void ota__report_failure(const struct ota_agent *agent)
{
    char line[LINE_SIZE];
    struct ota_text out;

    ota_text_begin(&out, line, sizeof line);
    put_failure(&out, agent);
    ota__report(agent, OTA_LOG_ERROR, agent->pull.offer.size > 0 ? "update" : "pull",
                ota_text_end(&out));
}

void ota__report_current(const struct ota_agent *agent)
{
    char line[LINE_SIZE];
    struct ota_text out;

    ota_text_begin(&out, line, sizeof line);
    ota_text_put(&out, "server has nothing newer than ");
    ota_text_put(&out, ota__report_version(agent));
    ota__report(agent, OTA_LOG_INFO, "pull", ota_text_end(&out));
}
