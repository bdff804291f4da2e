/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_UPDRAFT_H
#define UPDRAFT_UPDRAFT_H

/* The whole device library. Each header stands alone; read them in this order. */

#include <updraft/error.h>
#include <updraft/flash.h>
#include <updraft/sink.h>
#include <updraft/crypto.h>
#include <updraft/signature.h>
#include <updraft/partition.h>
#include <updraft/layout.h>
#include <updraft/otadata.h>
#include <updraft/chip.h>
#include <updraft/image.h>
#include <updraft/arduino_signature.h>
#include <updraft/secure_boot.h>
#include <updraft/trust.h>
#include <updraft/device.h>
#include <updraft/slot.h>
#include <updraft/writer.h>
#include <updraft/journal.h>
#include <updraft/history.h>
#include <updraft/decoder.h>
#include <updraft/inflate.h>
#include <updraft/window.h>
#include <updraft/gunzip.h>
#include <updraft/heatshrink.h>
#include <updraft/unwrap.h>
#include <updraft/update.h>
#include <updraft/version.h>
#include <updraft/gate.h>
#include <updraft/intake.h>
#include <updraft/boot.h>
#include <updraft/staging.h>
#include <updraft/staged_gzip.h>
#include <updraft/staged_boot.h>
#include <updraft/address.h>
#include <updraft/platform.h>
#include <updraft/secure.h>
#include <updraft/fetch.h>
#include <updraft/tone.h>
#include <updraft/upgrade_list.h>
#include <updraft/text.h>
#include <updraft/http_client.h>
#include <updraft/http_server.h>
#include <updraft/multipart.h>
#include <updraft/pull.h>
#include <updraft/espota.h>
#include <updraft/esphome.h>
#include <updraft/esphome_host.h>
#include <updraft/espota_host.h>
#include <updraft/web_update.h>
#include <updraft/agent.h>
#include <updraft/http_transfer.h>
#include <updraft/http_fetch.h>
#include <updraft/https_update.h>
#include <updraft/tls.h>
#include <updraft/espota_service.h>
#include <updraft/esphome_service.h>
#include <updraft/web_service.h>
#include <updraft/upgrade_service.h>
#include <updraft/https_service.h>

#endif
