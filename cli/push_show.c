/* SPDX-License-Identifier: Apache-2.0 */
/* Bars, lines and results of a push. */

#include "cli/push_show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output.h"
#include "cli/progress.h"

#define REDRAWN_EVERY_MS 100
#define NAME_SIZE 256u

static const char *name_of(const struct push_device *device, char name[NAME_SIZE])
{
    return output_escape(device->name, name, NAME_SIZE);
}

void push_show_begin(struct push_show *show, const struct push_device *devices, size_t count)
{
    show->devices = devices;
    show->count = count;
    show->lines = 0;
    for (size_t i = 0; i < count; i++) {
        char name[NAME_SIZE];
        const size_t width = output_width(name_of(&devices[i], name));
        show->name_width = width > show->name_width ? width : show->name_width;
    }
    show->bars = output_can_redraw(stderr);
}

/* "garden.local (192.168.1.50:3232)": for messages, where the address may be the reason. */
static char *place_of(const struct push_device *device)
{
    char name[NAME_SIZE];
    char address[OTA_ADDRESS_TEXT_SIZE];

    name_of(device, name);
    ota_address_host_text(&device->address, address);
    if (strcmp(name, address) == 0) {
        return output_format("%s, port %u", name, device->address.port);
    }
    return output_format("%s (%s, port %u)", name, address, device->address.port);
}

static double seconds_of(const struct push_device *device)
{
    return (double)(device->ended_ms - device->begun_ms) / 1000;
}

/* ---- Bars ------------------------------------------------------------------------------------ */

void push_show_clear(struct push_show *show)
{
    if (show->lines > 0) {
        fprintf(stderr, "\r\033[%uA\033[J", show->lines);
        show->lines = 0;
    }
}

/* "garden 2.3.1 -> garden.local", or of many only the name, filled up so that their bars stand below
   each other. */
static char *label_of(const struct push_show *show, const struct push_device *device,
                      unsigned columns)
{
    char name[NAME_SIZE];
    const size_t most = columns / 3;
    const size_t width = show->name_width < most ? show->name_width : most;

    name_of(device, name);
    if (show->count == 1) {
        return output_format("%s -> %s", show->title, name);
    }
    char *shortened = output_shorten(name, width);
    char *label = output_format("%s%*s", shortened, (int)(width - output_width(shortened)), "");
    free(shortened);
    return label;
}

/* Each bar is one line of the terminal, so that push_show_clear knows how far to go up. */
static void draw_bar(struct push_show *show, const struct push_device *device, unsigned columns)
{
    char *label = label_of(show, device, columns);
    const struct progress progress = {.label = label, .total = show->total, .done = device->sent};
    char *line =
        device->sent == show->total
            ? progress_fit(label, "all sent; the device checks it", columns)
            : progress_line(&progress, columns, (double)(show->drawn_ms - device->begun_ms) / 1000);

    fprintf(stderr, "%s\n", line);
    show->lines++;
    free(line);
    free(label);
}

void push_show_draw(struct push_show *show)
{
    const uint32_t now = show->platform->now_ms(show->platform);
    unsigned columns, rows;

    if (!show->bars || now - show->drawn_ms < REDRAWN_EVERY_MS) {
        return;
    }
    show->drawn_ms = now;
    output_terminal_size(stderr, &columns, &rows);
    push_show_clear(show);
    for (size_t i = 0; i < show->count && show->lines + 1 < rows; i++) {
        if (show->devices[i].is_sending) {
            draw_bar(show, &show->devices[i], columns);
        }
    }
    fflush(stderr);
}

/* ---- Lines ----------------------------------------------------------------------------------- */

/* "garden.local  esp32  sha256 login ok" */
static void say(const struct push_device *device, const char *text)
{
    char name[NAME_SIZE];
    char board[NAME_SIZE] = "";

    if (device->board != NULL) {
        output_escape(device->board, board, sizeof board);
    }
    fprintf(stderr, "%s  %s%s%s\n", name_of(device, name), board, board[0] != '\0' ? "  " : "",
            text);
}

static void say_login(const struct push_device *device)
{
    char *text = output_format("%s login ok", device->login);

    say(device, text);
    free(text);
}

static void say_again(const struct push_device *device)
{
    char *text = output_format("is not ready; it seems to restart: trying again for %u s",
                               PUSH_AGAIN_MS / 1000);

    say(device, text);
    free(text);
}

static void say_started(const struct push_show *show, const struct push_device *device)
{
    if (!show->bars) {
        char *text = output_format("receives %s bytes", output_thousands(show->total).text);
        say(device, text);
        free(text);
    }
}

static void warn_of(const struct push_device *device, const char *text)
{
    char name[NAME_SIZE];

    warn("%s: %s", name_of(device, name), text);
}

static void say_ended(const struct push_show *show, const struct push_device *device)
{
    char name[NAME_SIZE];

    if (device->phase == PUSH_ACCEPTED) {
        if (!show->json) {
            printf("%s accepted %s bytes in %.1f s and restarts.\n", name_of(device, name),
                   output_thousands(show->total).text, seconds_of(device));
            fflush(stdout);
        }
    } else if (!device->lacks_password) { /* for that there may be a remedy: see push.c */
        push_show_failure(device);
    }
}

void push_show_failure(const struct push_device *device)
{
    char *place = place_of(device);
    char message[4 * PUSH_MESSAGE_SIZE];

    fail("%s: %s", place, output_escape(device->message, message, sizeof message));
    free(place);
}

void push_show_note(struct push_show *show, const struct push_device *device, enum push_note note)
{
    if (note != PUSH_NOTE_ALL_SENT) {
        push_show_clear(show);
    }
    switch (note) {
    case PUSH_NOTE_LOGIN:
        say_login(device);
        break;
    case PUSH_NOTE_WEAK:
        warn_of(device, "asks for the password by MD5. Who listens on the network can guess it; "
                        "newer firmware asks by SHA-256. --weak no refuses this");
        break;
    case PUSH_NOTE_MD5_HASH:
        warn_of(device,
                "seems to keep its password as an MD5, from which it is soon guessed by who "
                "reads the device's flash; newer firmware keeps a SHA-256");
        break;
    case PUSH_NOTE_AGAIN:
        say_again(device);
        break;
    case PUSH_NOTE_STARTED:
        say_started(show, device);
        break;
    case PUSH_NOTE_ENDED:
        say_ended(show, device);
        break;
    default:
        break;
    }
}

/* ---- Results --------------------------------------------------------------------------------- */

static size_t count_phase(const struct push_show *show, enum push_phase phase)
{
    size_t found = 0;

    for (size_t i = 0; i < show->count; i++) {
        found += show->devices[i].phase == phase;
    }
    return found;
}

void push_show_summary(const struct push_show *show)
{
    const size_t failed = count_phase(show, PUSH_FAILED);
    const size_t skipped = count_phase(show, PUSH_SKIPPED);

    if (show->count < 2 || show->json) {
        return;
    }
    printf("%zu of %zu accepted", count_phase(show, PUSH_ACCEPTED), show->count);
    if (failed > 0) {
        printf(", %zu failed", failed);
    }
    if (skipped > 0) {
        printf(", %zu skipped", skipped);
    }
    puts(".");
}

static const char *phase_name(enum push_phase phase)
{
    switch (phase) {
    case PUSH_ACCEPTED:
        return "accepted";
    case PUSH_SKIPPED:
        return "skipped";
    default:
        return "failed";
    }
}

static cJSON *device_json(const struct push_device *device)
{
    cJSON *json = cJSON_CreateObject();
    char address[OTA_ADDRESS_TEXT_SIZE];

    output_json_add_text(json, "name", device->name);
    cJSON_AddStringToObject(json, "address", ota_address_host_text(&device->address, address));
    cJSON_AddNumberToObject(json, "port", device->address.port);
    cJSON_AddStringToObject(json, "protocol", device->dialect->name);
    if (device->board != NULL) {
        output_json_add_text(json, "board", device->board);
    }
    cJSON_AddStringToObject(json, "result", phase_name(device->phase));
    if (device->login != NULL) {
        cJSON_AddStringToObject(json, "login", device->login);
    }
    cJSON_AddNumberToObject(json, "sent", device->sent);
    if (device->phase == PUSH_ACCEPTED) {
        cJSON_AddNumberToObject(json, "seconds", seconds_of(device));
    } else {
        cJSON_AddStringToObject(json, "error", ota_err_name(device->err));
        output_json_add_text(json, "message", device->message);
    }
    return json;
}

cJSON *push_show_json(const struct push_show *show, const char *file)
{
    cJSON *json = cJSON_CreateObject();

    output_json_add_text(json, "file", file);
    cJSON_AddNumberToObject(json, "bytes", show->total);
    cJSON *devices = cJSON_AddArrayToObject(json, "devices");
    for (size_t i = 0; i < show->count; i++) {
        cJSON_AddItemToArray(devices, device_json(&show->devices[i]));
    }
    return json;
}
