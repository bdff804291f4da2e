/* SPDX-License-Identifier: Apache-2.0 */
/* `updraft serve DIR`: the images of a folder for devices that ask, until a signal comes. */

#include "cli/commands.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/files.h"
#include "cli/output.h"
#include "posix/stop_signals.h"
#include "server/facts.h"
#include "server/hex.h"
#include "server/server.h"

#define GRACE_MS 5000u

/* What the server's threads print. */
struct journal {
    pthread_mutex_t lock;
    bool quiet;
    bool json;
    bool begun;   /* the list of all images has been printed: from here on, changes are news */
    char **early; /* lines that came before it */
    size_t early_count;
};

/* --- facts of an image ---------------------------------------------------------------------- */

/* "blinky 1.1.0", or the name of a file that says nothing of itself. */
static char *image_title(const struct catalog_image *image)
{
    char safe[1024];
    const struct file_facts *facts = &image->facts;
    if (facts->kind == FILE_PLAIN || facts->project[0] == '\0') {
        return output_copy(output_escape(image->name, safe, sizeof safe));
    }
    return output_format("%s%s%s", output_escape(facts->project, safe, sizeof safe),
                         facts->version[0] == '\0' ? "" : " ", facts->version);
}

/* "blinky 1.1.0 (host, 48.2 KB, sha256 5b1c2f90…)". */
static char *image_line(const struct catalog_image *image)
{
    const struct file_facts *facts = &image->facts;
    char digest[9];
    char *title = image_title(image);
    const char *what = facts->kind == FILE_FILE_SYSTEM ? "file system"
                       : facts->kind == FILE_APP       ? inspect_chip_name(facts->chip)
                                                       : "not offered";
    char *line = output_format(
        "%s (%s, %s%s, sha256 %s…)%s%s", title, what, output_size(image->size).text,
        facts->is_packed && facts->kind != FILE_PLAIN ? " compressed" : "",
        hex_of(facts->sha256, 4, digest), facts->problem[0] == '\0' ? "" : ": ", facts->problem);
    free(title);
    return line;
}

/* --- lines as they come --------------------------------------------------------------------- */

static void print_line(char *line)
{
    puts(line);
    free(line);
}

/* Prints a line, and frees it; before the beginning it is kept for then. */
static void put(struct journal *journal, char *line)
{
    pthread_mutex_lock(&journal->lock);
    if (journal->begun) {
        print_line(line);
        fflush(stdout);
    } else {
        journal->early =
            output_reallocate(journal->early, (journal->early_count + 1) * sizeof *journal->early);
        journal->early[journal->early_count++] = line;
    }
    pthread_mutex_unlock(&journal->lock);
}

/* "LABEL  TEXT"; frees the text. */
static char *labelled(const char *label, char *text)
{
    char *line = output_format("%s%-9s%s %s", output_begin(stdout, OUTPUT_DIM), label,
                               output_end(stdout), text);
    free(text);
    return line;
}

static void put_line(struct journal *journal, const char *label, char *text)
{
    put(journal, labelled(label, text));
}

/* One JSON object on a line of its own, which is deleted. */
static char *json_line(cJSON *json)
{
    char *text = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    return text != NULL ? text : output_copy("{}");
}

static void on_change(void *context, enum catalog_change change, const struct catalog_image *image)
{
    struct journal *journal = context;
    pthread_mutex_lock(&journal->lock);
    const bool wanted = journal->begun && !journal->quiet;
    pthread_mutex_unlock(&journal->lock);
    if (!wanted) {
        return;
    }
    if (journal->json) {
        cJSON *json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "event", change == CATALOG_ADDED ? "added" : "removed");
        cJSON_AddItemToObject(json, "image", facts_json(image));
        put(journal, json_line(json));
        return;
    }
    char *line = change == CATALOG_ADDED ? image_line(image) : image_title(image);
    put_line(journal, "folder", output_format("%c %s", change == CATALOG_ADDED ? '+' : '-', line));
    free(line);
}

/* "folder    ! blinky.bin is not offered: Permission denied"; under --quiet an error like others. */
static void put_problem(struct journal *journal, const char *name, char *text)
{
    if (journal->quiet) {
        pthread_mutex_lock(&journal->lock);
        fail("%s %s", name, text);
        pthread_mutex_unlock(&journal->lock);
    } else if (journal->json) {
        cJSON *json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "event", "problem");
        output_json_add_text(json, "name", name);
        output_json_add_text(json, "problem", text);
        put(journal, json_line(json));
    } else {
        put_line(journal, "folder", output_format("! %s %s", name, text));
    }
    free(text);
}

static void on_skipped(void *context, const char *name, const char *reason)
{
    put_problem(context, name, output_format("is not offered: %s", reason));
}

/* "folder    = blinky 1.1.0 compressed: 48.2 KB of 89.1 KB". */
static void on_packed(void *context, const struct catalog_image *image, const char *problem)
{
    struct journal *journal = context;
    const struct packed_image *packed = catalog_packed(image);
    if (packed == NULL) {
        put_problem(journal, image->name,
                    output_format("cannot be compressed in the folder, so images go as they are: "
                                  "%s",
                                  problem != NULL ? problem : "no memory"));
    } else if (!journal->quiet && !journal->json) {
        char *title = image_title(image);
        put_line(journal, "folder",
                 output_format("= %s compressed: %s of %s", title, output_size(packed->size).text,
                               output_size(image->size).text));
        free(title);
    }
}

/* "sent blinky.bin, 48.2 KB in 12 ms", "nothing newer: ...", "refused, 403: ...". */
static char *answer_text(const struct server_request *request)
{
    char image[1024];
    char reason[1024];
    output_escape(request->image, image, sizeof image);
    output_escape(request->reason, reason, sizeof reason);
    switch (request->status) {
    case 200:
    case 206:
        if (request->image[0] == '\0') {
            return output_format("%u", request->status);
        }
        if (request->platform[0] != '\0' && strcmp(request->mode, "version") == 0) {
            return output_format("told: %s", reason);
        }
        if (strcmp(request->method, "HEAD") == 0) {
            return output_format("%u, facts of %s", request->status, image);
        }
        return output_format(
            "%s %s%s%s, %s in %u ms", request->complete ? "sent" : "broke off while sending", image,
            request->compressed ? ", compressed" : "", request->status == 206 ? ", a part" : "",
            output_size(request->length).text, request->duration_ms);
    case 304:
        return output_format("304%s%s", reason[0] == '\0' ? ", nothing newer" : ": ", reason);
    default:
        return output_format("%u%s%s", request->status, reason[0] == '\0' ? "" : ": ", reason);
    }
}

static void put_request(struct journal *journal, const struct server_request *request)
{
    char first[1200];
    char second[300];
    char *answer = answer_text(request);
    if (request->platform[0] == '\0') {
        char method[80];
        put_line(journal, "request",
                 output_format("%s %s %s: %s", request->peer,
                               output_escape(request->method, method, sizeof method),
                               output_escape(request->path, first, sizeof first), answer));
    } else {
        put_line(journal, "pull",
                 output_format(
                     "%s %s (%s)%s%s: %s", output_escape(request->device, first, sizeof first),
                     request->platform, request->peer, request->version[0] == '\0' ? "" : " runs ",
                     output_escape(request->version, second, sizeof second), answer));
    }
    free(answer);
}

static void add_text(cJSON *json, const char *name, const char *text)
{
    if (text[0] != '\0') {
        output_json_add_text(json, name, text);
    }
}

static void put_request_json(struct journal *journal, const struct server_request *request)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "event", "request");
    add_text(json, "peer", request->peer);
    add_text(json, "method", request->method);
    add_text(json, "path", request->path);
    add_text(json, "platform", request->platform);
    add_text(json, "device", request->device);
    add_text(json, "mode", request->mode);
    add_text(json, "version", request->version);
    cJSON_AddNumberToObject(json, "status", request->status);
    add_text(json, "image", request->image);
    add_text(json, "reason", request->reason);
    cJSON_AddNumberToObject(json, "first", (double)request->first);
    cJSON_AddNumberToObject(json, "length", (double)request->length);
    cJSON_AddBoolToObject(json, "complete", request->complete);
    cJSON_AddBoolToObject(json, "compressed", request->compressed);
    cJSON_AddNumberToObject(json, "ms", request->duration_ms);
    put(journal, json_line(json));
}

static void on_request(void *context, const struct server_request *request)
{
    struct journal *journal = context;
    if (journal->quiet) {
        return;
    }
    if (journal->json) {
        put_request_json(journal, request);
    } else {
        put_request(journal, request);
    }
}

/* --- the beginning -------------------------------------------------------------------------- */

static void print_start_json(struct server *server, const struct catalog_snapshot *snapshot)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "event", "serving");
    cJSON_AddStringToObject(json, "url", server_url(server));
    cJSON_AddNumberToObject(json, "port", server_port(server));
    cJSON *images = cJSON_AddArrayToObject(json, "images");
    for (size_t i = 0; i < snapshot->count; i++) {
        cJSON_AddItemToArray(images, facts_json(snapshot->images[i]));
    }
    print_line(json_line(json));
}

static void print_start(struct server *server, const char *folder,
                        const struct catalog_snapshot *snapshot)
{
    const char *url = server_url(server);
    char *text;
    if (snapshot->count == 0) {
        text = output_format("%s  nothing to serve yet: put an image into %s", url, folder);
    } else if (snapshot->count == 1) {
        char *line = image_line(snapshot->images[0]);
        text = output_format("%s  serving 1 image: %s", url, line);
        free(line);
    } else {
        text = output_format("%s  serving %zu files:", url, snapshot->count);
    }
    print_line(labelled("server", text));
    for (size_t i = 0; snapshot->count > 1 && i < snapshot->count; i++) {
        print_line(labelled("", image_line(snapshot->images[i])));
    }
}

/* Nobody else prints until the list stands, so that what a script reads first is the address, and
   no change falls between the list and the news. */
static void announce(struct journal *journal, struct server *server, const char *folder)
{
    pthread_mutex_lock(&journal->lock);
    struct catalog_snapshot *snapshot = catalog_take(server_catalog(server));
    if (journal->json && !journal->quiet) {
        print_start_json(server, snapshot);
    } else if (!journal->quiet) {
        print_start(server, folder, snapshot);
    }
    catalog_release(snapshot);
    for (size_t i = 0; i < journal->early_count; i++) {
        print_line(journal->early[i]);
    }
    journal->early_count = 0;
    journal->begun = true;
    fflush(stdout);
    pthread_mutex_unlock(&journal->lock);
}

static void journal_free(struct journal *journal)
{
    for (size_t i = 0; i < journal->early_count; i++) {
        free(journal->early[i]);
    }
    free(journal->early);
    pthread_mutex_destroy(&journal->lock);
}

/* Blocks the signals that end the server, so that all its threads leave them to wait_for_end. */
static void block_signals(sigset_t *ends)
{
    stop_signals(ends);
    pthread_sigmask(SIG_BLOCK, ends, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void wait_for_end(const sigset_t *ends)
{
    int received = 0;
    while (sigwait(ends, &received) != 0) {
    }
    /* A second signal ends the program at once. */
    pthread_sigmask(SIG_UNBLOCK, ends, NULL);
}

#define PORT_TEXT_SIZE 8u

static size_t port_text(uint16_t port, char text[PORT_TEXT_SIZE])
{
    return (size_t)snprintf(text, PORT_TEXT_SIZE, "%u\n", port);
}

static int write_port(const char *path, uint16_t port)
{
    char text[PORT_TEXT_SIZE];
    const size_t len = port_text(port, text);
    return files_write_atomically(path, text, len);
}

/* A pipe or a link was there before, and another server may have written its own port since. */
static void remove_port(const char *path, uint16_t port)
{
    char text[PORT_TEXT_SIZE];
    char found[PORT_TEXT_SIZE];
    struct stat status;
    const size_t len = port_text(port, text);
    if (strcmp(path, "-") == 0 || lstat(path, &status) != 0 || !S_ISREG(status.st_mode)) {
        return;
    }
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    const bool is_own =
        fd >= 0 && read(fd, found, sizeof found) == (ssize_t)len && memcmp(found, text, len) == 0;
    if (fd >= 0) {
        close(fd);
    }
    if (is_own) {
        unlink(path);
    }
}

static int run(const struct command_call *call)
{
    const char *folder = command_argument(call, 0);
    const char *port_file = command_value(call, "port-file");
    struct journal journal = {
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .quiet = command_flag(call, "quiet"),
        .json = command_flag(call, "json"),
    };
    uint64_t port = 8266;
    if (!command_number(call, "port", 0, 65535, &port)) {
        return COMMAND_USAGE;
    }
    const struct server_options options = {
        .folder = folder,
        .address = command_value(call, "address"),
        .port = (uint16_t)port,
        .crypto = &ota_crypto_psa,
        .on_request = on_request,
        .plain_only = command_flag(call, "no-compress"),
        .on_change = on_change,
        .on_skipped = on_skipped,
        .on_packed = on_packed,
        .context = &journal,
    };
    sigset_t ends;
    block_signals(&ends);
    char why[512];
    struct server *server = server_start(&options, why, sizeof why);
    if (server == NULL) {
        journal_free(&journal);
        return fail("%s", why);
    }
    if (port_file != NULL && write_port(port_file, server_port(server)) != 0) {
        server_stop(server, 0);
        journal_free(&journal);
        return COMMAND_FAILED;
    }
    announce(&journal, server, folder);
    wait_for_end(&ends);
    if (!journal.quiet && !journal.json) {
        put_line(&journal, "server", output_copy("stopping; what is being sent gets 5 s to end"));
    }
    port = server_port(server);
    server_stop(server, GRACE_MS);
    if (port_file != NULL) {
        remove_port(port_file, (uint16_t)port);
    }
    journal_free(&journal);
    return COMMAND_GOOD;
}

static const struct command_option options[] = {
    {"port", 'p', "N", "listen at this port; 0 takes a free one (default 8266)"},
    {"address", 'a', "A", "listen at this address of the machine (default 0.0.0.0: all)"},
    {"port-file", 0, "FILE",
     "write the port to this file once it is listened on; it is removed at the end"},
    {"no-compress", 0, NULL, "send every image as it is, and write nothing into the folder"},
    {"quiet", 'q', NULL, "print nothing but errors"},
    {"json", 0, NULL, "print JSON, one object a line, as things happen"},
    {0},
};

static const char *const examples[] = {
    "# Serve what is in ./images to the boards of the local network",
    "updraft serve images",
    "# Only for this machine, at a free port that a script can read",
    "updraft serve images --address 127.0.0.1 --port 0 --port-file port.txt",
    NULL,
};

const struct command command_serve = {
    .noun = "serve",
    .summary = "Serve the images of a folder to devices",
    .synopsis = "DIR",
    .description =
        "Answers devices that ask for an update over HTTP as the ESP8266, ESP32 and Pico cores of "
        "Arduino and Updraft's own client do, from the images in the folder. Files may come, go "
        "and "
        "be replaced while it runs; one that is still being written is not offered. A link is "
        "followed "
        "only to a file inside the folder; that one leads out of it, or that a file may not be "
        "read, "
        "is said once.\n\n"
        "A device gets the image with the highest version for its chip and project, if that is "
        "newer "
        "than what it runs: at /pull, or any other path that its sketch has; at /pull/PROJECT "
        "where "
        "the folder holds several projects. Images that state no project and version, as those of "
        "the ESP8266 and of Arduino, are named for it: garden-2.3.1.bin, "
        "garden-2.3.1.littlefs.bin.\n\n"
        "Devices that unpack gzip get images compressed; each is compressed once and kept in "
        "DIR/.updraft. Images that are compressed already, as \"updraft image compress\" makes "
        "them, "
        "are offered to those devices alone: garden-2.3.1.bin.gz. What carries Arduino's signature "
        "goes as it is.\n\n"
        "Every file can also be downloaded at /files/NAME, whole or in part; / lists them for "
        "people "
        "and /api/v1/images for programs.\n\n"
        "Listens at all addresses of the machine, since boards must reach it, and prints one of "
        "the "
        "local network. Anyone who reaches it can read the folder; --address 127.0.0.1 keeps it to "
        "this machine. Ends in order at Ctrl-C.",
    .options = options,
    .examples = examples,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
