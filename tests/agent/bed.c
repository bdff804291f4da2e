/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/bed.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <updraft/slot.h>

#include "support/images.h"

#define PORT_FIRST 12000u
#define PORT_COUNT 20000u /* below those of outgoing connections */
#define PORTS_APART 7u    /* of tests that run beside this one */
#define TURN_MS 5u        /* the longest wait: programs are looked after as well */

/* ---- The agent ------------------------------------------------------------------------------- */

static void log_line(struct ota_platform *platform, enum ota_log_level level, const char *tag,
                     const char *text)
{
    struct bed *bed = (struct bed *)platform;
    size_t len = strlen(bed->log);

    (void)snprintf(bed->log + len, sizeof bed->log - len, "%d %s: %s\n", (int)level, tag, text);
}

void bed_make(struct bed *bed)
{
    memset(bed, 0, sizeof *bed);
    scratch_make(&bed->folder);
    ram_device_make(&bed->ram);
    platform_init(&bed->platform);
    bed->platform.platform.log = log_line;
    bed->agent.options.platform = &bed->platform.platform; /* so that it can be ended */
}

void bed_remove(struct bed *bed)
{
    ota_agent_end(&bed->agent);
    assert_int_equal(bed->platform.watch_count, 0);
    platform_close(&bed->platform);
    scratch_remove(&bed->folder);
}

void bed_make_image(struct bed *bed, const char *name, uint16_t chip)
{
    const struct image_facts facts = {.chip = chip, .size = BED_IMAGE_SIZE, .version = "1.1.0"};

    bed->image_len = image_make(bed->image, sizeof bed->image, &facts);
    assert_true(bed->image_len > 0);
    scratch_write(&bed->folder, name, bed->image, bed->image_len);
}

/* The system gives no such port to who connects: it is still free when the agent after this one
   begins. */
uint16_t bed_find_port(struct bed *bed)
{
    struct ota_platform *platform = &bed->platform.platform;
    const unsigned first = (unsigned)getpid() * PORTS_APART;
    struct ota_listener *listener;

    for (unsigned i = 0; i < PORT_COUNT; i++) {
        const uint16_t port = (uint16_t)(PORT_FIRST + (first + i) % PORT_COUNT);
        if (platform->listen(platform, port, &listener) == OTA_OK) {
            listener->close(listener);
            return port;
        }
    }
    fail_msg("no port is free");
    return 0;
}

void bed_begin(struct bed *bed, struct ota_service *service, const char *data_label)
{
    const struct ota_agent_options options = {
        .platform = &bed->platform.platform,
        .device = &bed->ram.device,
        .services = service,
        .data_label = data_label,
        .buffer = bed->buffer,
        .buffer_size = sizeof bed->buffer,
        .stay = true,
    };

    bed->log[0] = '\0';
    bed->wait_ms = 0;
    assert_int_equal(ota_agent_begin(&bed->agent, &options), OTA_OK);
}

void bed_work(struct bed *bed)
{
    struct ota_platform *platform = &bed->platform.platform;

    platform->wait(platform, bed->wait_ms < TURN_MS ? bed->wait_ms : TURN_MS);
    bed->wait_ms = ota_agent_poll(&bed->agent);
}

void bed_assert_in_place(struct bed *bed)
{
    int slot = OTA_SLOT_NONE;

    assert_memory_equal(bed->ram.memory + RAM_OTA_0, bed->image, bed->image_len);
    assert_int_equal(ota_slot_boot(&bed->ram.device, &slot), OTA_OK);
    assert_int_equal(slot, 0);
}

/* ---- Programs beside it ---------------------------------------------------------------------- */

pid_t bed_start(struct bed *bed, const char *command, int *output)
{
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        if (chdir(bed->folder.path) == 0) {
            execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        }
        _exit(127);
    }
    close(ends[1]);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    *output = ends[0];
    return child;
}

static void read_output(struct bed *bed, int output)
{
    size_t len = strlen(bed->said);
    ssize_t more = read(output, bed->said + len, sizeof bed->said - 1 - len);

    bed->said[len + (size_t)(more > 0 ? more : 0)] = '\0';
}

int bed_run(struct bed *bed, const char *command)
{
    int output, status;
    pid_t child = bed_start(bed, command, &output);

    bed->said[0] = '\0';
    while (waitpid(child, &status, WNOHANG) == 0) {
        bed_work(bed);
        read_output(bed, output);
    }
    read_output(bed, output);
    close(output);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

unsigned bed_count_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    unsigned count = 0;

    assert_non_null(folder);
    while (readdir(folder) != NULL) {
        count++;
    }
    closedir(folder);
    return count;
}

bool bed_has_python(void)
{
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        execlp("python3", "python3", "-c", "", (char *)NULL);
        _exit(127);
    }
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}
