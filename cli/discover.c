/* SPDX-License-Identifier: Apache-2.0 */
/* `updraft discover`: which devices of the local network can be updated, and what they want. */

#include "cli/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/found_devices.h"
#include "cli/output.h"

#define NONE "–"
#define DEFAULT_SECONDS 3u

static const char *const default_types[] = {"_arduino._tcp", "_esphomelib._tcp", "_http._tcp",
                                            NULL};

/* --- text ----------------------------------------------------------------------------------- */

/* "espota :3232, password". */
static char *way_text(const struct found_way *way)
{
    char safe[1024] = "";
    char name[256];
    char port[8] = "";
    const char *path = way->kind == FOUND_WEB ? mdns_txt(way->service, "path") : NULL;
    if (path != NULL && path[0] == '/') {
        output_escape(path, safe, sizeof safe);
    }
    if (way->port != 0) {
        snprintf(port, sizeof port, " :%u", way->port);
    }
    return output_format("%s%s%s%s", output_escape(found_way_name(way), name, sizeof name), port,
                         safe, way->password ? ", password" : "");
}

static char *wants_text(const struct found_device *device)
{
    char *text = output_copy("");
    for (size_t i = 0; i < device->way_count; i++) {
        char *way = way_text(&device->ways[i]);
        char *longer = output_format("%s%s%s", text, i > 0 ? "; " : "", way);
        free(way);
        free(text);
        text = longer;
    }
    return text;
}

static void print_devices(const struct found_devices *found)
{
    struct output_table table;
    output_table_begin(&table, "llll");
    output_table_row(&table, "NAME", "ADDRESS", "BOARD", "WANTS");
    for (size_t i = 0; i < found->count; i++) {
        const struct found_device *device = &found->devices[i];
        char host[1024];
        char board[1024];
        char *wants = wants_text(device);
        output_escape(device->host, host, sizeof host);
        output_escape(device->board != NULL ? device->board : NONE, board, sizeof board);
        output_table_row(&table, host, device->address, board, wants);
        free(wants);
    }
    output_table_print(&table, stdout, "");
}

/* --- JSON ----------------------------------------------------------------------------------- */

static cJSON *txt_json(const struct mdns_service *service)
{
    cJSON *json = cJSON_CreateObject();
    for (size_t i = 0; i < service->txt_count; i++) {
        char key[1024];
        char *entry = output_copy(service->txt[i]);
        char *value = strchr(entry, '=');
        if (value != NULL) {
            *value++ = '\0';
        }
        output_escape(entry, key, sizeof key);
        if (value != NULL) {
            output_json_add_text(json, key, value);
        } else {
            cJSON_AddTrueToObject(json, key);
        }
        free(entry);
    }
    return json;
}

static cJSON *way_json(const struct found_way *way)
{
    cJSON *json = cJSON_CreateObject();
    output_json_add_text(json, "type", way->service->type);
    output_json_add_text(json, "instance", way->service->name);
    cJSON_AddNumberToObject(json, "port", way->service->port);
    if (way->kind != FOUND_OTHER) {
        cJSON_AddStringToObject(json, "way", found_way_name(way));
        if (way->port != 0) {
            cJSON_AddNumberToObject(json, "update_port", way->port);
        }
    }
    if (way->kind == FOUND_ESPOTA) {
        cJSON_AddBoolToObject(json, "password", way->password);
    }
    cJSON_AddItemToObject(json, "txt", txt_json(way->service));
    return json;
}

static cJSON *device_json(const struct found_device *device)
{
    const struct mdns_service *first = device->ways[0].service;
    char text[MDNS_ADDRESS_SIZE];
    cJSON *json = cJSON_CreateObject();
    output_json_add_text(json, "name", device->host);
    cJSON *addresses = cJSON_AddArrayToObject(json, "addresses");
    for (size_t i = 0; i < first->address_count; i++) {
        cJSON_AddItemToArray(addresses,
                             cJSON_CreateString(mdns_address_text(&first->addresses[i], text)));
    }
    if (device->board != NULL) {
        output_json_add_text(json, "board", device->board);
    }
    cJSON *services = cJSON_AddArrayToObject(json, "services");
    for (size_t i = 0; i < device->way_count; i++) {
        cJSON_AddItemToArray(services, way_json(&device->ways[i]));
    }
    return json;
}

static int print_json(const struct found_devices *found)
{
    cJSON *json = cJSON_CreateObject();
    cJSON *devices = cJSON_AddArrayToObject(json, "devices");
    for (size_t i = 0; i < found->count; i++) {
        cJSON_AddItemToArray(devices, device_json(&found->devices[i]));
    }
    return output_json(json);
}

/* --- the command ---------------------------------------------------------------------------- */

/* "_arduino._tcp": a name behind a "_", and one of the two protocols. */
static bool is_service_type(const char *type)
{
    const size_t len = strlen(type);
    const char *protocol = len > 6 ? type + len - 5 : "";
    return type[0] == '_' && len < 64 &&
           (strcmp(protocol, "._tcp") == 0 || strcmp(protocol, "._udp") == 0) &&
           strspn(type, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == len;
}

/* The types to ask for, ended by NULL; the caller frees it. NULL, having said why, if one is
   wrong. */
static const char **choose_types(const struct command_call *call)
{
    const char *const *values = default_types;
    size_t count = command_values(call, "type", &values);
    if (count == 0) {
        values = default_types;
        count = sizeof default_types / sizeof *default_types - 1;
    }
    const char **types = output_allocate((count + 1) * sizeof(*types));
    for (size_t i = 0; i < count; i++) {
        types[i] = values[i];
        if (!is_service_type(values[i])) {
            command_usage(call, "'%s' is no type of service; one looks like _arduino._tcp",
                          values[i]);
            free(types);
            return NULL;
        }
    }
    types[count] = NULL;
    return types;
}

static int report_nothing(uint64_t seconds)
{
    fail("no device answered within %u s. Devices are seen only from the same network, and where "
         "UDP "
         "port 5353 is not blocked. One whose address is known needs no discovery: "
         "updraft push ADDRESS FILE",
         (unsigned)seconds);
    return COMMAND_FAILED;
}

static int print_found(const struct command_call *call, const struct mdns_list *list,
                       uint64_t seconds)
{
    struct found_devices found;
    int status = COMMAND_GOOD;
    found_devices_make(&found, list);
    if (command_flag(call, "json")) {
        status = print_json(&found);
    } else if (found.count > 0) {
        print_devices(&found);
    }
    if (found.count == 0 && status == COMMAND_GOOD) {
        status = report_nothing(seconds);
    }
    found_devices_free(&found);
    return status;
}

static int run(const struct command_call *call)
{
    uint64_t seconds = DEFAULT_SECONDS;
    struct mdns_list list;
    if (!command_number(call, "timeout", 1, 3600, &seconds)) {
        return COMMAND_USAGE;
    }
    const char **types = choose_types(call);
    if (types == NULL) {
        return COMMAND_USAGE;
    }
    const bool waits_visibly = output_can_redraw(stderr);
    if (waits_visibly) {
        fprintf(stderr, "listening for %u s …", (unsigned)seconds);
    }
    const struct mdns_query query = {.types = types, .timeout_ms = (uint32_t)seconds * 1000};
    const bool asked = mdns_browse(&query, &list);
    if (waits_visibly) {
        fputs("\r\033[K", stderr);
    }
    const int status = asked ? print_found(call, &list, seconds) : fail("%s", list.why);
    mdns_list_free(&list);
    free(types);
    return status;
}

static const struct command_option options[] = {
    {"type", 't', "TYPE", "ask for this type of service, as _arduino._tcp; may be repeated"},
    {"timeout", 0, "SECONDS", "how long to listen (default 3)"},
    COMMAND_OPTION_JSON,
    {0},
};

static const char *const examples[] = {
    "# What is there?",
    "updraft discover",
    "# Only what the Arduino tools can push to, for a script",
    "updraft discover --type _arduino._tcp --json",
    NULL,
};

const struct command command_discover = {
    .noun = "discover",
    .summary = "List the devices of the local network that take updates",
    .description =
        "Asks by multicast DNS for devices that the Arduino tools can push to (_arduino._tcp), for "
        "those of ESPHome (_esphomelib._tcp) and for web pages (_http._tcp), which many devices "
        "take updates through, and lists who answered: name, address, board, and what each wants "
        "for an update. No daemon is needed, and one that runs is not disturbed.\n\n"
        "Devices are heard only from the same network segment, and where no firewall blocks UDP "
        "port 5353. Whether a device of ESPHome wants a password it does not say.\n\n"
        "Exits with 1 if nobody answered.",
    .options = options,
    .examples = examples,
    .run = run,
};
