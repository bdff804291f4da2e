/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_AGENT_PRIVATE_H
#define UPDRAFT_AGENT_PRIVATE_H

/* Between the files of the agent: agent.c checks and updates, trial.c confirms and rejects,
   device_facts.c says who asks, report.c puts it all into log lines. */

#include <updraft/agent.h>

/* ---- device_facts.c --------------------------------------------------------------------------- */

/* Fills in agent->facts and agent->running from the flash. What cannot be read stays
   unknown. */
void ota__agent_gather_facts(struct ota_agent *agent);

/* Tells whether the offer is a version that was rejected or taken back on this device, and still lies
   in its slot. Else a bad image would be fetched again for ever. */
bool ota__agent_was_rejected(const struct ota_agent *agent);

/* ---- trial.c ---------------------------------------------------------------------------------- */

/* Looks whether the running image is on trial, and confirms it if the policy is AT_ONCE. */
void ota__trial_begin(struct ota_agent *agent, uint32_t now_ms);

/* The server has answered as a server of updates does. */
void ota__trial_contact(struct ota_agent *agent);

/* Rejects the image when its time is over. Returns milliseconds until then, UINT32_MAX if not on
   trial. */
uint32_t ota__trial_watch(struct ota_agent *agent, uint32_t now_ms);

/* ---- agent.c ---------------------------------------------------------------------------------- */

void ota__agent_tell(const struct ota_agent *agent, enum ota_agent_event event);
void ota__agent_restart(struct ota_agent *agent, enum ota_restart_reason reason);

/* ---- report.c --------------------------------------------------------------------------------- */

/* Write a log line: `text` followed, where it is not NULL, by ": " and what `err` says. */
void ota__report(const struct ota_agent *agent, enum ota_log_level level, const char *tag,
                 const char *text);
void ota__report_error(const struct ota_agent *agent, enum ota_log_level level, const char *tag,
                       const char *text, enum ota_err err);

/* The lines of a check and of an update. */
void ota__report_offer(const struct ota_agent *agent, const char *verdict);
void ota__report_start(const struct ota_agent *agent, uint32_t done);
void ota__report_proven(const struct ota_agent *agent);
void ota__report_activated(const struct ota_agent *agent);
void ota__report_retry(const struct ota_agent *agent, const struct ota_pull *pull);
void ota__report_redirect(const struct ota_agent *agent, const struct ota_pull *pull);
void ota__report_failure(const struct ota_agent *agent);
void ota__report_current(const struct ota_agent *agent);

/* The running image's version, or "an image without a version". */
const char *ota__report_version(const struct ota_agent *agent);

#endif
