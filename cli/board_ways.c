/* SPDX-License-Identifier: Apache-2.0 */
/* The ways into a virtual board, from the command line. */

#include "cli/board_ways.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <updraft/error.h>
#include <updraft/text.h>
#include <updraft/tls.h>

#include "cli/output.h"
#include "cli/password.h"
#include "posix/platform.h"
#include "posix/tls_store.h"
#include "posix/upgrade_file.h"
#include "proto/url.h"

#define HOST_NAME_MAX_LEN 63u
#define MINUTES_OF_DAY 1440

/* ---- Ports and names ------------------------------------------------------------------------- */

static bool read_port(const struct command_call *call, const char *option, int32_t *port)
{
    uint64_t number = 0;
    if (!command_flag(call, option)) {
        return true;
    }
    if (!command_number(call, option, 0, UINT16_MAX, &number)) {
        return false;
    }
    *port = (int32_t)number;
    return true;
}

static int read_name(const struct command_call *call, struct ways *ways)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
    const char *name = command_value(call, "name");
    ways->host_name = name;
    if (name == NULL) {
        return COMMAND_GOOD;
    }
    if (name[0] == '\0' || name[0] == '-' || strlen(name) > HOST_NAME_MAX_LEN ||
        strspn(name, letters) != strlen(name)) {
        return command_usage(call, "--name %s: write letters, digits and '-', without \".local\"",
                             name);
    }
    return COMMAND_GOOD;
}

/* ---- Who may update -------------------------------------------------------------------------- */

static int read_login(const struct command_call *call, struct ways *ways)
{
    static struct password password; /* lives as long as the board runs */
    const char *file = command_value(call, "password-file");
    const char *md5 = command_value(call, "md5-login");
    const char *restart = command_value(call, "restart");
    if (md5 != NULL && strcmp(md5, "yes") != 0 && strcmp(md5, "no") != 0) {
        return command_usage(call, "--md5-login %s: write yes or no", md5);
    }
    if (restart != NULL && strcmp(restart, "auto") != 0 && strcmp(restart, "user") != 0) {
        return command_usage(call, "--restart %s: write auto or user", restart);
    }
    ways->refuse_md5 = md5 != NULL && strcmp(md5, "no") == 0;
    ways->restart_by_hand = restart != NULL && strcmp(restart, "user") == 0;
    ways->restart_at_once = restart != NULL && strcmp(restart, "auto") == 0;
    ways->exclusive = command_flag(call, "exclusive");
    ways->password = getenv(BOARD_WAYS_PASSWORD_ENV);
    if (file == NULL) {
        return COMMAND_GOOD;
    }
    ways->password = password.text;
    return password_read(file, &password);
}

/* ---- What is fetched ------------------------------------------------------------------------- */

/* Tells whether the board's TLS will take them. */
static bool is_good_trust(const char *pem, const char *fingerprint)
{
    struct ota_tls tls;
    const struct ota_tls_options options = {.ca_pem = pem, .fingerprint = fingerprint};
    const bool good = ota_tls_begin(&tls, &options) == OTA_OK;
    ota_tls_end(&tls);
    return good;
}

static int check_trust(const struct command_call *call, const struct ways *ways)
{
    if (ways->fingerprint != NULL && !is_good_trust(NULL, ways->fingerprint)) {
        return command_usage(call,
                             "--fingerprint %s: write the certificate's SHA-256, 64 hexadecimal "
                             "digits, or its SHA-1, 40; ':' may be between bytes",
                             ways->fingerprint);
    }
    if (ways->ca_file == NULL) {
        return COMMAND_GOOD;
    }
    char *pem = tls_store_load(ways->ca_file);
    if (pem == NULL) {
        return fail("%s: cannot be read: %s", ways->ca_file, strerror(errno));
    }
    const bool good = is_good_trust(pem, NULL);
    free(pem);
    return good ? COMMAND_GOOD
                : fail("%s: there are no certificates in it that can be read (PEM)", ways->ca_file);
}

static int check_list(const struct ways *ways)
{
    static struct upgrade_file list;
    int status = COMMAND_GOOD;
    if (ways->upgrade_list != NULL && !upgrade_file_load(&list, ways->upgrade_list)) {
        status = fail("%s", list.error);
    }
    upgrade_file_free(&list);
    return status;
}

/* Looks at what the board will look at, so that a mistake is told before the board boots. */
static int check_files(const struct command_call *call, const struct ways *ways)
{
    const int status = check_trust(call, ways);
    return status == COMMAND_GOOD ? check_list(ways) : status;
}

static int read_sources(const struct command_call *call, struct ways *ways)
{
    static char folder[4096];
    struct stat facts;
    struct ota__url url;
    ways->ca_file = command_value(call, "ca");
    ways->fingerprint = command_value(call, "fingerprint");
    ways->update_url = command_value(call, "update");
    ways->upgrade_list = command_value(call, "upgrade-list");
    ways->sdcard = command_value(call, "sdcard");
    if (ways->update_url != NULL && ota__url_parse(&url, ways->update_url) != OTA_OK) {
        return command_usage(call, "--update takes http[s]://HOST[:PORT]/PATH, not \"%s\"",
                             ways->update_url);
    }
    if (ways->sdcard == NULL) {
        snprintf(folder, sizeof folder, "%s/sdcard", command_argument(call, 0));
        ways->sdcard = folder;
    } else if (stat(ways->sdcard, &facts) != 0 || !S_ISDIR(facts.st_mode)) {
        return fail("%s: is no folder", ways->sdcard);
    }
    return check_files(call, ways);
}

/* ---- Policy ---------------------------------------------------------------------------------- */

/* Reads "HH:MM" at `*text` and moves past it; -1 if it is none. */
static int32_t read_time(const char **text)
{
    uint32_t hours;
    uint32_t minutes;
    if (strnlen(*text, 5) < 5 || !ota_text_read_decimal(*text, 2, &hours) || (*text)[2] != ':' ||
        !ota_text_read_decimal(*text + 3, 2, &minutes) || minutes > 59 ||
        hours * 60 + minutes > MINUTES_OF_DAY) {
        return -1;
    }
    *text += 5;
    return (int32_t)(hours * 60 + minutes);
}

static int read_window(const struct command_call *call, struct ways *ways)
{
    const char *window = command_value(call, "window");
    const char *text = window;
    if (window == NULL) {
        return COMMAND_GOOD;
    }
    ways->window_from = read_time(&text);
    const bool parted = ways->window_from >= 0 && *text == '-';
    if (parted) {
        text++;
        ways->window_to = read_time(&text);
    }
    if (!parted || ways->window_to < 0 || *text != '\0') {
        return command_usage(call, "--window %s: write HH:MM-HH:MM, such as 02:00-04:30", window);
    }
    return COMMAND_GOOD;
}

static int read_refusals(const struct command_call *call, struct ways *ways)
{
    const struct {
        const char *word;
        bool *flag;
    } words[] = {
        {"same", &ways->refuse_same},
        {"older", &ways->refuse_older},
        {"project", &ways->refuse_project},
    };
    const char *list = command_value(call, "refuse");
    for (const char *at = list; at != NULL && *at != '\0';) {
        const size_t len = strcspn(at, ",");
        bool known = false;
        for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
            if (strlen(words[i].word) == len && memcmp(words[i].word, at, len) == 0) {
                *words[i].flag = known = true;
            }
        }
        if (!known) {
            return command_usage(call, "--refuse %s: write same, older or project, parted by ','",
                                 list);
        }
        at += len + (at[len] == ',');
    }
    return COMMAND_GOOD;
}

static int read_policy(const struct command_call *call, struct ways *ways)
{
    uint64_t seconds = 0;
    if (!command_number(call, "armed", 1, 86400, &seconds)) {
        return COMMAND_USAGE;
    }
    ways->armed_s = (int32_t)seconds;
    const int status = read_window(call, ways);
    return status == COMMAND_GOOD ? read_refusals(call, ways) : status;
}

/* ---- Whether the ports are free -------------------------------------------------------------- */

/* Opens what the board will open. Returns the first error, with the option and the port that it is
   of. */
static enum ota_err try_ports(const struct ways *ways, struct ota_platform *platform,
                              const char **option, int32_t *port)
{
    const struct {
        const char *option;
        int32_t port;
        bool is_datagram;
    } wanted[] = {
        {"espota", ways->espota, true},
        {"esphome", ways->esphome, false},
        {"http", ways->http, false},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        struct ota_datagrams *datagrams;
        struct ota_listener *listener;
        if (wanted[i].port <= 0) {
            continue;
        }
        *option = wanted[i].option;
        *port = wanted[i].port;
        const enum ota_err err =
            wanted[i].is_datagram ? platform->open_datagrams(platform, (uint16_t)*port, &datagrams)
                                  : platform->listen(platform, (uint16_t)*port, &listener);
        if (err != OTA_OK) {
            return err;
        }
    }
    return OTA_OK;
}

/* Told before the board boots; its firmware could only end, and be started again. */
static int check_ports(const struct ways *ways)
{
    static struct posix_platform platform;
    const char *option = NULL;
    int32_t port = 0;
    platform_init(&platform);
    const enum ota_err err = try_ports(ways, &platform.platform, &option, &port);
    platform_close(&platform); /* and what was opened for the trial */
    return err == OTA_OK
               ? COMMAND_GOOD
               : fail("--%s %d: %s", option, (int)port,
                      err == OTA_ERR_PORT ? ota_err_text(err) : "this port cannot be opened here");
}

int board_ways_read(const struct command_call *call, struct ways *ways)
{
    ways_init(ways);
    if (!read_port(call, "espota", &ways->espota) || !read_port(call, "esphome", &ways->esphome) ||
        !read_port(call, "http", &ways->http)) {
        return COMMAND_USAGE;
    }
    int status = read_name(call, ways);
    if (status == COMMAND_GOOD) {
        status = read_policy(call, ways);
    }
    if (status == COMMAND_GOOD) {
        status = read_login(call, ways);
    }
    if (status == COMMAND_GOOD) {
        status = read_sources(call, ways);
    }
    return status == COMMAND_GOOD ? check_ports(ways) : status;
}
