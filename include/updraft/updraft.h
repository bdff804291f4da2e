/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_UPDRAFT_H
#define UPDRAFT_UPDRAFT_H

/* The whole device library. Each header stands alone; read them in this order. */

#include <updraft/error.h>
#include <updraft/flash.h>
#include <updraft/sink.h>
#include <updraft/crypto.h>
#include <updraft/partition.h>
#include <updraft/layout.h>
#include <updraft/otadata.h>
#include <updraft/chip.h>
#include <updraft/image.h>
#include <updraft/device.h>
#include <updraft/slot.h>
#include <updraft/writer.h>
#include <updraft/journal.h>
#include <updraft/update.h>
#include <updraft/boot.h>
#include <updraft/platform.h>
#include <updraft/text.h>
#include <updraft/http_client.h>
#include <updraft/pull.h>
#include <updraft/agent.h>

#endif
