/* SPDX-License-Identifier: Apache-2.0 */
/* The virtual board's serial monitor. */

#include <stdarg.h>
#include <string.h>

#include <updraft/sink.h>

#include "posix/console.h"
#include "posix/platform.h"

#define TEXT_SIZE 2048
#define BAR_WIDTH 30u

static double seconds(struct console *console)
{
    return (double)(platform_clock_ms() - console->power_on_ms) / 1000.0;
}

/* Prints text from outside so that it cannot harm a terminal. */
static void print_escaped(FILE *out, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        const unsigned char byte = (unsigned char)*c;
        if ((byte < ' ' && byte != '\t') || byte == 0x7F) {
            fprintf(out, "\\x%02x", byte);
        } else {
            putc(byte, out);
        }
    }
}

/* Prints the object on a line of its own, with who and when in front, and deletes it. */
static void print_json(struct console *console, cJSON *facts)
{
    cJSON *line = cJSON_CreateObject();
    cJSON_AddStringToObject(line, "board", console->name);
    cJSON_AddNumberToObject(line, "time", seconds(console));
    while (facts != NULL && facts->child != NULL) {
        cJSON *item = cJSON_DetachItemViaPointer(facts, facts->child);
        cJSON_AddItemToObject(line, item->string, item);
    }
    cJSON_Delete(facts);
    char *text = cJSON_PrintUnformatted(line);
    cJSON_Delete(line);
    if (text != NULL) {
        fprintf(console->out, "%s\n", text);
        cJSON_free(text);
    }
    fflush(console->out);
}

static void print_prefix(struct console *console, const char *tag)
{
    fprintf(console->out, "%-6s |%10.3f ", console->name, seconds(console));
    print_escaped(console->out, tag);
    fprintf(console->out, "%*s ", strlen(tag) < 7 ? (int)(7 - strlen(tag)) : 0, "");
}

/* Makes room for another line: one of the bar's own tag takes its place, others go below it. */
static void leave_bar(struct console *console, const char *tag)
{
    if (console->bar[0] != '\0') {
        fputs(strcmp(console->bar, tag) == 0 ? "\r\033[K" : "\n", console->out);
        console->bar[0] = '\0';
    }
}

static void print_share(FILE *out, uint32_t done, uint32_t total)
{
    const uint32_t percent = total != 0 ? (uint32_t)(100ull * done / total) : 0;
    for (uint32_t i = 0; i < BAR_WIDTH; i++) {
        fputs(i < percent * BAR_WIDTH / 100 ? "█" : "░", out);
    }
    fprintf(out, "  %u %%", (unsigned)percent);
}

static void draw_bar(struct console *console, const char *tag, const char *name, uint32_t done,
                     uint32_t total)
{
    leave_bar(console, tag);
    print_prefix(console, tag);
    print_escaped(console->out, name);
    fputs("  ", console->out);
    if (total == OTA_SIZE_UNKNOWN) {
        fprintf(console->out, "%u KB", (unsigned)(done / 1024));
    } else {
        print_share(console->out, done, total);
    }
    fflush(console->out);
    snprintf(console->bar, sizeof console->bar, "%s", tag);
}

void console_progress(struct console *console, const char *tag, const char *name, uint32_t done,
                      uint32_t total)
{
    if (console->json) {
        cJSON *facts = cJSON_CreateObject();
        cJSON_AddStringToObject(facts, "tag", tag);
        cJSON_AddStringToObject(facts, "name", name);
        cJSON_AddNumberToObject(facts, "done", done);
        if (total != OTA_SIZE_UNKNOWN) {
            cJSON_AddNumberToObject(facts, "total", total);
        }
        console_facts(console, "progress", facts);
    } else if (console->live && !console->quiet) {
        draw_bar(console, tag, name, done, total);
    }
}

void console_line(struct console *console, enum ota_log_level level, const char *tag,
                  const char *format, ...)
{
    static const char *const levels[] = {"error", "warning", "info", "debug"};
    char text[TEXT_SIZE];
    if (console->quiet) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (console->json) {
        cJSON *facts = cJSON_CreateObject();
        cJSON_AddStringToObject(facts, "event", "log");
        cJSON_AddStringToObject(facts, "level", levels[level]);
        cJSON_AddStringToObject(facts, "tag", tag);
        cJSON_AddStringToObject(facts, "text", text);
        print_json(console, facts);
        return;
    }
    leave_bar(console, tag);
    print_prefix(console, tag);
    print_escaped(console->out, text);
    putc('\n', console->out);
    fflush(console->out);
}

void console_event(struct console *console, const char *event, cJSON *facts, const char *format,
                   ...)
{
    char text[TEXT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (console->json) {
        facts = facts != NULL ? facts : cJSON_CreateObject();
        cJSON_AddStringToObject(facts, "text", text);
        console_facts(console, event, facts);
        return;
    }
    if (!console->quiet) {
        leave_bar(console, "");
        print_escaped(console->out, text);
        putc('\n', console->out);
        fflush(console->out);
    }
    cJSON_Delete(facts);
}

void console_facts(struct console *console, const char *event, cJSON *facts)
{
    if (console->json && !console->quiet) {
        cJSON *line = cJSON_CreateObject();
        cJSON_AddStringToObject(line, "event", event);
        while (facts->child != NULL) {
            cJSON *item = cJSON_DetachItemViaPointer(facts, facts->child);
            cJSON_AddItemToObject(line, item->string, item);
        }
        print_json(console, line);
    }
    cJSON_Delete(facts);
}
