/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_AGENT_PRIVATE_H
#define UPDRAFT_AGENT_PRIVATE_H

/* Between the files of the agent: agent.c has the loop, check.c asks the server and carries the
   pull, services.c gives the further ways in their turns, trial.c confirms and rejects,
   device_facts.c says who asks, report.c puts it all into log lines. */

#include <updraft/agent.h>

/* ---- device_facts.c -------------------------------------------------------------------------- */

/* Fills in agent->facts and agent->running from the flash. What cannot be read stays
   unknown. */
void ota__agent_gather_facts(struct ota_agent *agent);

/* Tells whether the offer is a version that was rejected or taken back on this device, and still
   lies in its slot. Else a bad image would be fetched again for ever. */
bool ota__agent_was_rejected(const struct ota_agent *agent);

/* ---- trial.c --------------------------------------------------------------------------------- */

/* Looks whether the running image is on trial, and confirms it if the policy is AT_ONCE. */
void ota__trial_begin(struct ota_agent *agent, uint32_t now_ms);

/* The server has answered as a server of updates does. */
void ota__trial_contact(struct ota_agent *agent);

/* Rejects the image when its time is over. Returns milliseconds until then, UINT32_MAX if not on
   trial. */
uint32_t ota__trial_watch(struct ota_agent *agent, uint32_t now_ms);

/* ---- agent.c --------------------------------------------------------------------------------- */

void ota__agent_tell(const struct ota_agent *agent, enum ota_agent_event event);
uint32_t ota__agent_random_below(const struct ota_agent *agent, uint32_t bound);

/* Restarts now, or at the end of the poll that is going on. */
void ota__agent_restart(struct ota_agent *agent, enum ota_restart_reason reason);

/* ---- check.c --------------------------------------------------------------------------------- */

#define OTA__WAY_PULL "pull"

/* Tries the pull's options. Returns OTA_OK, also without a URL, or what is wrong with them. */
enum ota_err ota__check_begin(struct ota_agent *agent, uint32_t now_ms);

/* Plans the first check; the trial is known. */
void ota__check_plan_first(struct ota_agent *agent);

/* Starts a check that is due, or moves on the present one. Returns milliseconds until the next
   call, UINT32_MAX if no check will come by itself. */
uint32_t ota__check_poll(struct ota_agent *agent, uint32_t now_ms);

/* Ends a check under way; what it has received can be resumed. */
void ota__check_end(struct ota_agent *agent);

/* ---- services.c ------------------------------------------------------------------------------ */

/* Begins the services in order and tells the network of them. Returns the first error; then none is
   left begun. */
enum ota_err ota__services_begin(struct ota_agent *agent);

/* Gives each its turn. Returns the least of what they want to wait. */
uint32_t ota__services_poll(struct ota_agent *agent, uint32_t now_ms);

/* options.exclusive: pauses all but the way that updates now, or lets all go on. Returns true if
   that changed anything. To be called after every turn, which may have begun an update, or ended
   one. */
bool ota__services_settle(struct ota_agent *agent);

void ota__services_end(struct ota_agent *agent);

/* ---- report.c -------------------------------------------------------------------------------- */

/* Write a log line: `text` followed, where it is not NULL, by ": " and what `err` says. */
void ota__report(const struct ota_agent *agent, enum ota_log_level level, const char *tag,
                 const char *text);
void ota__report_error(const struct ota_agent *agent, enum ota_log_level level, const char *tag,
                       const char *text, enum ota_err err);

/* Adds " (HTTP 410)", where the sentence about `err` does not say the status already. */
void ota__report_put_status(struct ota_text *out, enum ota_err err, unsigned status);

/* Warns, once at the start of a way in, that everybody who reaches it may update. */
void ota__report_no_password(const struct ota_agent *agent, const char *tag);

/* The lines of an update, whatever way it comes. What happens at the intake is all said there: a
   service says only what belongs to its protocol. */
void ota__report_start(const struct ota_agent *agent, uint32_t done);
void ota__report_intake(const struct ota_agent *agent, enum ota_intake_event event);

/* The lines of a check. */
void ota__report_offer(const struct ota_agent *agent, const char *verdict);
void ota__report_retry(const struct ota_agent *agent, const struct ota_pull *pull);
void ota__report_redirect(const struct ota_agent *agent, const struct ota_pull *pull);
void ota__report_failure(const struct ota_agent *agent);
void ota__report_current(const struct ota_agent *agent);

/* The running image's version, or "an image without a version". */
const char *ota__report_version(const struct ota_agent *agent);

#endif
