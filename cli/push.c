/* SPDX-License-Identifier: Apache-2.0 */
/* `updraft push`: gives a file to devices that listen for one. */

#include "cli/commands.h"

#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/output.h"
#include "cli/push_device.h"
#include "cli/push_image.h"
#include "cli/password.h"
#include "cli/push_show.h"
#include "cli/push_target.h"
#include "posix/socket.h"
#include "posix/stop_signals.h"

/* All that one call of the command is about. */
struct push {
    const struct command_call *call;
    const char *file;
    struct push_image image;
    struct password password;
    struct push_devices devices;
    struct push_job job;
    struct push_show show;
    struct posix_platform platform;
    struct ota_address local; /* for platform.local */
    bool force;
};

/* ---- Ctrl-C ---------------------------------------------------------------------------------- */

static volatile bool stopped;
static volatile sig_atomic_t stop_signal;

static void on_signal(int number)
{
    stop_signal = number;
    stopped = true;
}

static void handle_signals(const sigset_t *signals, const struct sigaction *action)
{
    for (int number = 1; number < NSIG; number++) {
        if (sigismember(signals, number) == 1) {
            sigaction(number, action, NULL);
        }
    }
}

/* What waits is interrupted, and the loop ends in order. A second signal ends the program at
   once. */
static void catch_signals(sigset_t *signals)
{
    stopped = false;
    stop_signal = 0;
    stop_signals(signals);
    handle_signals(signals,
                   &(struct sigaction){.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND});
}

/* Puts things back; ends the program by the signal that came, so that a shell sees it. */
static void release_signals(const sigset_t *signals)
{
    handle_signals(signals, &(struct sigaction){.sa_handler = SIG_DFL});
    if (stop_signal != 0) {
        fflush(NULL);
        raise(stop_signal);
    }
}

/* ---- The command line ------------------------------------------------------------------------ */

static int read_dialect(const struct command_call *call, const struct push_dialect **dialect)
{
    const char *name = command_value(call, "protocol");

    *dialect = NULL;
    if (name == NULL) {
        return COMMAND_GOOD;
    }
    if (strcmp(name, "espota") == 0) {
        *dialect = &push_espota;
    } else if (strcmp(name, "esphome") == 0) {
        *dialect = &push_esphome;
    } else {
        return command_usage(call, "--protocol is espota or esphome, not '%s'", name);
    }
    return COMMAND_GOOD;
}

static int read_weak(const struct command_call *call, bool *refuse)
{
    const char *text = command_value(call, "weak");

    *refuse = text != NULL && strcmp(text, "no") == 0;
    if (text != NULL && !*refuse && strcmp(text, "yes") != 0) {
        return command_usage(call, "--weak is yes or no, not '%s'", text);
    }
    return COMMAND_GOOD;
}

/* Checks how many arguments there are: devices, unless --all names them, and the file. */
static int read_arguments(struct push *push)
{
    const size_t count = command_count(push->call);
    const char *all = command_value(push->call, "all");

    if (all != NULL && count != 1) {
        return command_usage(push->call, "--all names the devices; only the file is to follow");
    }
    if (all == NULL && count < 2) {
        return command_usage(push->call, "name a device, and the file to push to it");
    }
    push->file = command_argument(push->call, count - 1);
    return COMMAND_GOOD;
}

/* The address of this computer that devices are asked from, and connect back to. */
static int read_bind(struct push *push)
{
    const char *text = command_value(push->call, "bind");
    const struct addrinfo wanted = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    struct sockaddr_storage system = {0};

    if (text == NULL) {
        return COMMAND_GOOD;
    }
    if (getaddrinfo(text, NULL, &wanted, &found) != 0) {
        return command_usage(push->call, "--bind wants an address of this computer, not '%s'",
                             text);
    }
    memcpy(&system, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    socket_to_address(&system, &push->local);
    push->platform.local = &push->local;
    return COMMAND_GOOD;
}

static int read_options(struct push *push, struct push_wish *wish)
{
    const struct command_call *call = push->call;
    uint64_t port = 0;
    uint64_t host_port = 0;
    uint64_t seconds = 0;

    if (!command_number(call, "port", 1, 65535, &port) ||
        !command_number(call, "host-port", 1, 65535, &host_port) ||
        !command_number(call, "timeout", 1, 3600, &seconds) ||
        read_dialect(call, &wish->dialect) != COMMAND_GOOD ||
        read_weak(call, &push->job.refuse_weak) != COMMAND_GOOD ||
        read_bind(push) != COMMAND_GOOD || read_arguments(push) != COMMAND_GOOD) {
        return COMMAND_USAGE;
    }
    wish->port = (uint16_t)port;
    wish->stop = &stopped;
    push->job.host_port = (uint16_t)host_port;
    push->job.timeout_ms = (uint32_t)seconds * 1000;
    push->job.is_data = command_flag(call, "data");
    push->force = command_flag(call, "force");
    static const struct password_places places = {"password-file", "password", "UPDRAFT_PASSWORD"};
    return password_find(call, &places, &push->password);
}

/* ---- What is pushed, and to whom ------------------------------------------------------------- */

/* A signed copy beside the file is what other tools send in its place, without a word. */
static void note_signed_copy(const char *file)
{
    char *path = output_format("%s.signed", file);

    if (strcmp(file, "-") != 0 && access(path, R_OK) == 0) {
        fprintf(stderr, "note: %s lies beside it and is not sent; name it to send that\n", path);
    }
    free(path);
}

static int open_image(struct push *push)
{
    if (push_image_open(&push->image, push->file, push->job.is_data) != 0) {
        return COMMAND_FAILED;
    }
    note_signed_copy(push->file);
    push->job.image = push->image.content.data;
    push->job.size = (uint32_t)push->image.content.size;
    memcpy(push->job.md5, push->image.md5, sizeof push->job.md5);
    return COMMAND_GOOD;
}

static int find_devices(struct push *push, const struct push_wish *wish)
{
    const char *all = command_value(push->call, "all");
    int status = all != NULL ? push_target_add_all(&push->devices, all, wish) : COMMAND_GOOD;

    for (size_t i = 0; all == NULL && i + 1 < command_count(push->call) && !stopped; i++) {
        status |= push_target_add(&push->devices, command_argument(push->call, i), wish);
    }
    return status;
}

/* What is no firmware that is known here may be one for an RP2040, and is for none of the
   others. */
static int judge_file(const struct push *push)
{
    char text[PUSH_IMAGE_TEXT_SIZE];
    const char *problem = push->force ? NULL : push_image_problem(&push->image, text);
    bool any_pico = false;

    for (size_t i = 0; i < push->devices.count; i++) {
        const struct push_device *device = &push->devices.devices[i];
        any_pico = any_pico || push_board_is_pico(device->board, device->address.port);
    }
    if (problem != NULL && !any_pico) {
        return fail("%s. Nothing was sent. To send it all the same: --force", problem);
    }
    if (problem != NULL) {
        fprintf(
            stderr,
            "note: %s is not checked here, but for its size: the form of firmware for an RP2040 "
            "is not known\n",
            push->image.name);
    }
    return COMMAND_GOOD;
}

/* Sets aside the devices that the file is not for. */
static void skip_misfits(struct push *push)
{
    for (size_t i = 0; i < push->devices.count && !push->force; i++) {
        struct push_device *device = &push->devices.devices[i];
        char text[PUSH_IMAGE_TEXT_SIZE];
        const char *misfit = push_image_misfit(&push->image, device->board, device->address.port,
                                               device->takes_gzip, text);
        if (misfit != NULL) {
            device->phase = PUSH_SKIPPED;
            device->err =
                push->image.failure.err != OTA_OK ? push->image.failure.err : OTA_ERR_IMAGE_CHIP;
            snprintf(device->message, sizeof device->message,
                     "%s. Nothing was sent. To send it all the same: --force", misfit);
            push_show_failure(device);
        }
    }
}

/* ---- Pushing --------------------------------------------------------------------------------- */

static void on_note(void *context, const struct push_device *device, enum push_note note)
{
    struct push *push = context;
    push_show_note(&push->show, device, note);
}

static void on_turn(void *context)
{
    struct push *push = context;
    push_show_draw(&push->show);
}

static void run_once(struct push *push)
{
    const struct push_watcher watcher = {
        .on_note = on_note, .on_turn = on_turn, .context = push, .stop = &stopped};

    push->job.password = push->password.is_known ? push->password.text : NULL;
    push_run(push->devices.devices, push->devices.count, &push->job, &push->platform, &watcher);
    push_show_clear(&push->show);
}

/* Asks for the password if a device says beforehand that it wants one. */
static void ask_beforehand(struct push *push)
{
    for (size_t i = 0; i < push->devices.count && !push->password.is_known; i++) {
        const struct push_device *device = &push->devices.devices[i];
        if (device->wants_password && device->phase == PUSH_QUEUED) {
            password_ask(device->name, &push->password);
            return;
        }
    }
}

/* Asks for the password after devices turned out to want one, and lines those up once more. Returns
   false, having said what they lack, if there is none to be had. */
static bool ask_afterwards(struct push *push)
{
    bool asked = push->password.is_known;
    bool again = false;

    for (size_t i = 0; i < push->devices.count; i++) {
        struct push_device *device = &push->devices.devices[i];
        if (device->phase != PUSH_FAILED || !device->lacks_password) {
            continue;
        }
        if (!asked && !stopped) {
            password_ask(device->name, &push->password);
            asked = true;
        }
        if (push->password.is_known && !stopped) {
            device->phase = PUSH_QUEUED;
            again = true;
        } else {
            push_show_failure(device);
        }
    }
    return again;
}

static void push_to_all(struct push *push)
{
    char title[PUSH_IMAGE_TEXT_SIZE];

    push->show.platform = &push->platform.platform;
    push->show.total = push->job.size;
    push->show.title = push_image_title(&push->image, title);
    push->show.json = command_flag(push->call, "json");
    push_show_begin(&push->show, push->devices.devices, push->devices.count);
    ask_beforehand(push);
    do {
        run_once(push);
    } while (ask_afterwards(push));
    push_show_summary(&push->show);
}

/* One device that was not asked is a failure; of many, those that the image is not for are not. */
static int judge(const struct push *push)
{
    size_t accepted = 0;
    size_t failed = 0;

    for (size_t i = 0; i < push->devices.count; i++) {
        accepted += push->devices.devices[i].phase == PUSH_ACCEPTED;
        failed += push->devices.devices[i].phase == PUSH_FAILED;
    }
    return failed == 0 && accepted > 0 ? COMMAND_GOOD : COMMAND_FAILED;
}

static int push_file(struct push *push, struct push_wish *wish)
{
    int status = open_image(push);

    if (status != COMMAND_GOOD) {
        return status;
    }
    wish->usual_port = push_image_usual_port(&push->image);
    status = find_devices(push, wish);
    if (status != COMMAND_GOOD || stopped || judge_file(push) != COMMAND_GOOD) {
        return COMMAND_FAILED;
    }
    skip_misfits(push);
    push_to_all(push);
    if (push->show.json &&
        output_json(push_show_json(&push->show, push->image.name)) != COMMAND_GOOD) {
        return COMMAND_FAILED;
    }
    return judge(push);
}

static int run(const struct command_call *call)
{
    struct push push = {.call = call};
    struct push_wish wish = {0};
    sigset_t ends;

    platform_init(&push.platform);
    int status = read_options(&push, &wish);
    if (status != COMMAND_GOOD) {
        return status;
    }
    catch_signals(&ends);
    status = push_file(&push, &wish);
    platform_close(&push.platform);
    push_devices_free(&push.devices);
    push_image_close(&push.image);
    password_wipe(&push.password);
    release_signals(&ends);
    return status;
}

static const struct command_option options[] = {
    {"data", 0, NULL, "the file is for the file system, not a firmware"},
    {"password-file", 0, "FILE", "take the password from the first line of this file"},
    {"password", 0, "TEXT", "the password itself; others on this computer can see it"},
    {"all", 0, "TYPE", "push to all devices that offer this service, as _arduino._tcp"},
    {"port", 'p', "N",
     "the device's port (default: as it says, or 8266 or 3232 by the image; an RP2040 has 2040)"},
    {"protocol", 0, "NAME", "espota or esphome (default: as the device says, or espota)"},
    {"bind", 0, "ADDRESS", "the address of this computer to use (default: any)"},
    {"host-port", 0, "N", "the port here that devices connect back to (default: any)"},
    {"timeout", 0, "SECONDS",
     "how long to wait for a device to answer, and to connect back (default 10)"},
    {"weak", 0, "yes|no", "whether to prove the password by MD5 if asked (default yes)"},
    {"force", 'f', NULL, "push what seems to be the wrong file for the board all the same"},
    COMMAND_OPTION_JSON,
    {0},
};

static const char *const examples[] = {
    "# A device by its name, the password from a file",
    "updraft push garden.local garden.bin --password-file ~/.garden",
    "# By its address, and its file system",
    "updraft push 192.168.1.50 littlefs.bin --data",
    "# All that the Arduino tools can push to, at once",
    "updraft push --all _arduino._tcp garden.bin",
    "# A device of ESPHome",
    "updraft push kitchen.local kitchen.bin --protocol esphome",
    NULL,
};

const struct command command_push = {
    .noun = "push",
    .summary = "Send a firmware to devices that listen for one",
    .synopsis = "DEVICE... FILE",
    .description =
        "Sends a file to one device or many, as the Arduino IDE and PlatformIO do (espota), or as "
        "ESPHome does. A device is NAME, NAME.local or an address, with :PORT if it has another "
        "one than it says. Its port, its board and whether it wants a password are asked of it by "
        "multicast DNS where it has a name; \"updraft discover\" lists who is there.\n\n"
        "A file that is damaged, or not for the board that the device says it is, is not sent "
        "without --force. Of firmware for an RP2040 only the size can be checked; a device with "
        "one is known by its board's name, or by port 2040.\n\n"
        "The password comes from --password-file, the environment variable UPDRAFT_PASSWORD, or is "
        "asked for at the terminal. --password is there for tests: everyone on this computer can "
        "see the arguments of a program. The strongest proof that the device asks for is used; one "
        "by MD5, which older firmware asks for, can be guessed by who listens on the network: "
        "there is a warning, and --weak no refuses it.\n\n"
        "With espota the device connects back to this computer. Where a firewall stands in the "
        "way, --host-port chooses the port to open; many devices at once use the ports after it, "
        "too.\n\n"
        "Exits with 0 when every device that the file is for has accepted it.",
    .options = options,
    .examples = examples,
    .arguments_min = 1,
    .arguments_max = COMMAND_ANY,
    .run = run,
};
