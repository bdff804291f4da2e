/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The RAM of each thing a program does, as the size of an array of that name: a cross compiler
 * tells it without running anything, and scripts/footprint reads it from the object file. A name
 * that begins with ram_ becomes a row of the table and a key of build/footprint.json.
 */
#include <updraft/esphome_service.h>
#include <updraft/espota_service.h>
#include <updraft/https_service.h>
#include <updraft/updraft.h>
#include <updraft/upgrade_service.h>
#include <updraft/web_service.h>

#define RAM(name, bytes)           \
    extern const char name[bytes]; \
    const char name[bytes] = {0}

/* An update with the smallest sensible buffer, and with a whole sector's, which saves wear. */
RAM(ram_update, sizeof(struct ota_update) + 256);
RAM(ram_update_sector_buffer, sizeof(struct ota_update) + 4096);

/* What stays for as long as the program runs, and what the bootloader needs. */
RAM(ram_device, sizeof(struct ota_device));
RAM(ram_boot, sizeof(struct ota_boot));

/* The bootloader of a device with one place to run from: with the smallest buffer; and what it takes
   besides to unpack what is staged as gzip, the window included. The update there has what any has;
   to stage gzip as it comes it takes what unwraps, and looks at the beginning only. */
RAM(ram_boot_staged, sizeof(struct ota_boot) + 256);
RAM(ram_boot_inflate, sizeof(struct ota_staged_inflate) + OTA_WINDOW_GZIP);
RAM(ram_staged_gzip, sizeof(struct ota_unwrap) + sizeof(struct ota_staged_gzip));

/* What all ways in share; the update is in it. */
RAM(ram_intake, sizeof(struct ota_intake));

/* The ways in, each without the intake: the protocol's object, and with all that the agent's
   service holds besides. A web server has as many connections as its header recommends; a pull, and
   the update from one URL, their text. */
RAM(ram_espota, sizeof(struct ota_espota));
RAM(ram_espota_service, sizeof(struct ota_espota_service));
RAM(ram_esphome, sizeof(struct ota_esphome));
RAM(ram_esphome_service, sizeof(struct ota_esphome_service));
RAM(ram_http_upload, sizeof(struct ota_web_service) +
                         OTA_WEB_SERVICE_CONNECTIONS * sizeof(struct ota_web_service_connection));
RAM(ram_http_upload_connection, sizeof(struct ota_web_service_connection));
RAM(ram_multipart, sizeof(struct ota_multipart));
RAM(ram_pull, sizeof(struct ota_pull) + 2048);
RAM(ram_https_service, sizeof(struct ota_https_service) + 2048);
RAM(ram_upgrade_list, sizeof(struct ota_upgrade_list));
RAM(ram_upgrade_service, sizeof(struct ota_upgrade_service));

/* Senders. */
RAM(ram_espota_host, sizeof(struct ota_espota_host));
RAM(ram_esphome_host, sizeof(struct ota_esphome_host));

/* What compressed and signed images take on top of an update: what unwraps them, and a decoder. */
RAM(ram_gunzip, sizeof(struct ota_unwrap) + sizeof(struct ota_gunzip_decoder));
RAM(ram_heatshrink, sizeof(struct ota_unwrap) + sizeof(struct ota_heatshrink_decoder));

/* Each chain of an update with a sector's buffer, as `make bench` counts its instructions. */
#define CHAIN (sizeof(struct ota_update) + 4096)
RAM(ram_chain_plain, CHAIN);
RAM(ram_chain_gzip, CHAIN + sizeof(struct ota_unwrap) + sizeof(struct ota_gunzip_decoder));
RAM(ram_chain_heatshrink,
    CHAIN + sizeof(struct ota_unwrap) + sizeof(struct ota_heatshrink_decoder));
RAM(ram_chain_signed, CHAIN + sizeof(struct ota_unwrap));
RAM(ram_chain_gzip_signed, CHAIN + sizeof(struct ota_unwrap) + sizeof(struct ota_gunzip_decoder));
RAM(ram_chain_staged, CHAIN);
