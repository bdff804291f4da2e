/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_AGENT_WEB_CONNECTION_H
#define UPDRAFT_AGENT_WEB_CONNECTION_H

/* One connection of the web service, which knows who comes and goes. */

#include <updraft/web_service.h>

/* Moves a connection on. Returns how long it can be left alone. */
uint32_t ota__web_connection_carry(struct ota_web_service_connection *connection, uint32_t now_ms);

/* Closes it, whatever is under way; its place is free then. */
void ota__web_connection_drop(struct ota_web_service_connection *connection);

#endif
