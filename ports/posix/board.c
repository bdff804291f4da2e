/* SPDX-License-Identifier: Apache-2.0 */
/* The directory of a virtual board: made whole or not at all, mapped, shared by the runner and the
   firmware it runs, and locked against a second runner. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <updraft/staging_by_eboot.h>

#include "posix/board.h"
#include "posix/board_files.h"

#define STATE_MAGIC "UPDRSTAT"
#define FLASH_SIZE_MAX (1u << 30)
#define PROGRESS_UNIT 65536u

/* What of the directory is mapped into memory, in the order of parts[]. */
enum part {
    PART_FLASH,
    PART_WEAR,
    PART_FUSES,
    PART_RETAINED,
    PART_STATE,
    PART_COUNT,
};

static const char *const part_names[PART_COUNT] = {
    "flash.bin", "wear.bin", "fuses.bin", "retained.bin", "state.bin",
};

static size_t part_size(const struct board *board, enum part part)
{
    const struct board_settings *settings = &board->settings;
    const size_t sizes[PART_COUNT] = {
        [PART_FLASH] = settings->flash_size,
        [PART_WEAR] = settings->flash_size / settings->erase_sizes[0] * sizeof(uint32_t),
        [PART_FUSES] = BOARD_FUSES_SIZE,
        [PART_RETAINED] = BOARD_RETAINED_SIZE,
        [PART_STATE] = sizeof(struct board_state),
    };
    return sizes[part];
}

enum ota_image_form board_image_form(uint16_t chip)
{
    return chip == OTA_CHIP_ESP8266 ? OTA_IMAGE_ESP8266_RTOS : OTA_IMAGE_ESP32;
}

const char *board_reset_reason_text(uint32_t reason)
{
    static const char *const texts[] = {
        [BOARD_RESET_POWER_ON] = "power on",   [BOARD_RESET_EXTERNAL] = "reset button",
        [BOARD_RESET_UPDATE] = "update",       [BOARD_RESET_REJECTED] = "image rejected itself",
        [BOARD_RESET_REQUESTED] = "requested", [BOARD_RESET_PANIC] = "crash",
    };
    return reason < sizeof texts / sizeof *texts ? texts[reason] : "unknown";
}

void board_default_settings(struct board_settings *settings)
{
    *settings = (struct board_settings){
        .flash_size = 4u << 20,
        .erase_sizes = {4096, 32768, 65536},
        .write_size = 1,
        .table_offset = OTA_PARTITION_TABLE_OFFSET,
        .rollback = true,
        .trial_boots = 1,
        .chip = {.id = OTA_CHIP_HOST},
    };
    if (getrandom(settings->mac, BOARD_MAC_SIZE, 0) != BOARD_MAC_SIZE) {
        memset(settings->mac, 0, BOARD_MAC_SIZE);
    }
    settings->mac[0] = (uint8_t)((settings->mac[0] & 0xFC) | 0x02); /* local, one station's */
}

void board_name_from_path(const char *directory, char *name)
{
    size_t end = strlen(directory);
    while (end > 1 && directory[end - 1] == '/') {
        end--;
    }
    size_t start = end;
    while (start > 0 && directory[start - 1] != '/') {
        start--;
    }
    const size_t len = end - start < BOARD_NAME_MAX ? end - start : BOARD_NAME_MAX;
    memcpy(name, directory + start, len);
    name[len] = '\0';
}

/* The chip as the settings describe it, without its memory. */
static struct nor_config chip_config(const struct board_settings *settings)
{
    struct nor_config config = {
        .size = settings->flash_size,
        .write_size = settings->write_size,
        .program_once = settings->program_once,
    };
    for (int i = 0; i < NOR_ERASE_UNITS_MAX; i++) {
        config.erase[i].size = settings->erase_sizes[i];
    }
    return config;
}

/* Finds the profile that the settings name, and says whether it fits them. */
static bool check_profile(struct board *board)
{
    const struct board_settings *settings = &board->settings;
    if (settings->profile[0] == '\0') {
        return true;
    }
    if (!profile_find(settings->profile, &board->profile)) {
        return board_fail(board, "there is no profile \"%s\"", settings->profile);
    }
    if (settings->flash_size != board->profile.flash_size ||
        settings->erase_sizes[0] != board->profile.erase_sizes[0]) {
        return board_fail(board, "the profile %s is for a flash chip of %u bytes that erases %u",
                          settings->profile, board->profile.flash_size,
                          board->profile.erase_sizes[0]);
    }
    return !settings->by_eboot || board->profile.esp8266 != NULL ||
           board_fail(board, "eboot boots boards of the profiles esp8266-... only");
}

/* Says whether there can be such a board at all, before files are made or mapped by its numbers. */
static bool check_settings(struct board *board)
{
    const struct board_settings *settings = &board->settings;
    const struct nor_config config = chip_config(settings);
    struct nor nor;
    if (settings->name[0] == '\0' || strspn(settings->name, " ") == strlen(settings->name)) {
        return board_fail(board, "a board needs a name");
    }
    for (const char *c = settings->name; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7F) {
            return board_fail(board, "the board's name holds a control character");
        }
    }
    if (settings->flash_size > FLASH_SIZE_MAX) {
        return board_fail(board, "a flash chip of %u bytes is too large; 1 GB is the limit",
                          settings->flash_size);
    }
    if (nor_init(&nor, &config, NULL, NULL, NULL) != OTA_OK) {
        return board_fail(board,
                          "there is no flash chip of %u bytes that erases %u and programs %u: the "
                          "erase and program sizes are powers of two, the program size is at most "
                          "256, and the chip holds whole erase units",
                          settings->flash_size, settings->erase_sizes[0], settings->write_size);
    }
    if (settings->table_offset % settings->erase_sizes[0] != 0 ||
        settings->table_offset >= settings->flash_size) {
        return board_fail(board,
                          "the partition table cannot be at 0x%x: that is no sector of the flash",
                          settings->table_offset);
    }
    return check_profile(board);
}

/* Maps a file of exactly the size that it must have; NULL with board->error if that cannot be. */
static void *map_part(struct board *board, enum part part, int open_flags, int map_flags)
{
    const char *name = part_names[part];
    const size_t size = part_size(board, part);
    const int file = openat(board->descriptor, name, open_flags | O_CLOEXEC, 0666);
    struct stat facts;
    if (file < 0 || fstat(file, &facts) != 0) {
        board_fail(board, "%s/%s cannot be opened: %s", board->directory, name, strerror(errno));
        if (file >= 0) {
            close(file);
        }
        return NULL;
    }
    void *memory = MAP_FAILED;
    if ((open_flags & O_CREAT) != 0 && posix_fallocate(file, 0, (off_t)size) != 0) {
        board_fail(board, "there is no room for %s/%s of %zu bytes", board->directory, name, size);
    } else if ((open_flags & O_CREAT) == 0 && facts.st_size != (off_t)size) {
        board_fail(board,
                   "%s/%s has %lld bytes instead of %zu: it is damaged, or not of this board",
                   board->directory, name, (long long)facts.st_size, size);
    } else {
        memory = mmap(NULL, size, PROT_READ | PROT_WRITE, map_flags, file, 0);
        if (memory == MAP_FAILED) {
            board_fail(board, "%s/%s cannot be mapped: %s", board->directory, name,
                       strerror(errno));
        }
    }
    close(file);
    return memory != MAP_FAILED ? memory : NULL;
}

static bool map_parts(struct board *board, int open_flags, int map_flags)
{
    void *maps[PART_COUNT] = {NULL};
    bool mapped = true;
    for (int part = 0; part < PART_COUNT && mapped; part++) {
        maps[part] = map_part(board, (enum part)part, open_flags, map_flags);
        mapped = maps[part] != NULL;
    }
    board->flash_map = maps[PART_FLASH];
    board->wear_map = maps[PART_WEAR];
    board->fuses_map = maps[PART_FUSES];
    board->retained = maps[PART_RETAINED];
    board->state = maps[PART_STATE];
    return mapped;
}

/* What a device without a partition table has in its place. */
static void use_profile(struct board *board)
{
    struct ota_device *device = &board->device;
    if (board->settings.profile[0] == '\0') {
        return;
    }
    device->staging = &board->profile.staging;
    if (board->profile.esp8266 != NULL) {
        device->form = OTA_IMAGE_ESP8266;
        device->esp8266 = &board->esp8266;
        (void)ota_esp8266_init(&board->esp8266, device->flash);
        board->esp8266.layout = board->profile.esp8266;
        board->esp8266.eboot_command = (volatile uint32_t *)(void *)board_eboot_command(board);
    }
    if (board->settings.by_eboot) {
        board->profile.staging.way = &ota_staging_by_eboot;
    }
}

/* Puts the mapped parts together: the chip, the fuses and the device. */
static bool assemble(struct board *board)
{
    struct board_state *state = board->state;
    if (memcmp(state->magic, STATE_MAGIC, sizeof state->magic) != 0 ||
        state->size != sizeof *state) {
        return board_fail(
            board, "%s/state.bin was made by another version of updraft: make the board anew",
            board->directory);
    }
    struct nor_config config = chip_config(&board->settings);
    config.real_time = state->real_time;
    if (nor_init(&board->nor, &config, board->flash_map, board->wear_map, &state->nor) != OTA_OK ||
        !board_use_fuses(board, board->fuses_map)) {
        return false;
    }
    const struct board_settings *settings = &board->settings;
    board->device = (struct ota_device){
        .flash = &board->nor.flash,
        .crypto = &ota_crypto_openssl,
        .fuses = settings->anti_rollback ? &board->fuses.fuses : NULL,
        .table_offset = settings->table_offset,
        .form = board_image_form(settings->chip.id),
        .chip = settings->chip,
        .rollback = settings->rollback,
        .running_slot = state->running_slot,
        .trust = board_trust_make(&board->trust, &settings->keys),
    };
    use_profile(board);
    return true;
}

static void reset_state(struct board_state *state)
{
    memset(state, 0, sizeof *state);
    memcpy(state->magic, STATE_MAGIC, sizeof state->magic);
    state->size = sizeof *state;
    state->running_slot = OTA_SLOT_NONE;
}

/* The temporary place of a new board, beside the one where it will be. */
static bool make_temporary(struct board *board, const char *directory)
{
    struct stat facts;
    if (lstat(directory, &facts) == 0) {
        return board_fail(board, "%s exists already; choose another name, or remove it first",
                          directory);
    }
    size_t len = strlen(directory);
    while (len > 1 && directory[len - 1] == '/') {
        len--;
    }
    char *temporary = NULL;
    board->published = strndup(directory, len);
    if (board->published == NULL ||
        asprintf(&temporary, "%s.new-%d", board->published, (int)getpid()) < 0) {
        return board_fail(board, "there is not enough memory to make a board");
    }
    if (mkdir(temporary, 0777) != 0) {
        board_fail(board, "%s cannot be made: %s", directory,
                   errno == ENOENT ? "its folder does not exist" : strerror(errno));
        free(temporary);
        return false;
    }
    board->directory = realpath(temporary, NULL);
    free(temporary);
    return board->directory != NULL ||
           board_fail(board, "%s cannot be made: %s", directory, strerror(errno));
}

static bool open_directory(struct board *board)
{
    board->descriptor = open(board->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return board->descriptor >= 0 ||
           board_fail(board, "%s cannot be opened: %s", board->directory, strerror(errno));
}

bool board_create(struct board *board, const char *directory, const struct board_settings *settings)
{
    *board = (struct board){.settings = *settings, .descriptor = -1};
    if (!check_settings(board) || !make_temporary(board, directory) || !open_directory(board) ||
        !map_parts(board, O_RDWR | O_CREAT | O_EXCL, MAP_SHARED)) {
        return false;
    }
    flock(board->descriptor, LOCK_EX | LOCK_NB);
    memset(board->flash_map, 0xFF, settings->flash_size);
    board_burn_fuses(board, board->fuses_map);
    reset_state(board->state);
    return board_write_json(board, board->descriptor) &&
           board_write_trust(board, board->descriptor) && assemble(board);
}

bool board_publish(struct board *board)
{
    reset_state(board->state);
    memset(board->wear_map, 0, part_size(board, PART_WEAR));
    if (msync(board->flash_map, part_size(board, PART_FLASH), MS_SYNC) != 0 ||
        renameat2(AT_FDCWD, board->directory, AT_FDCWD, board->published, RENAME_NOREPLACE) != 0) {
        return board_fail(board, "%s cannot be made: %s", board->published, strerror(errno));
    }
    char *directory = realpath(board->published, NULL);
    if (directory != NULL) {
        free(board->directory);
        board->directory = directory;
    }
    free(board->published);
    board->published = NULL;
    return true;
}

/* How firmware opens the board that its runner holds. */
static bool open_shared(struct board *board, const char *directory, int open_flags, int map_flags)
{
    *board = (struct board){.descriptor = -1};
    board->directory = realpath(directory, NULL);
    if (board->directory == NULL) {
        return board_fail(board, "%s: there is no such board; `updraft board new` makes one",
                          directory);
    }
    return open_directory(board) && board_read_json(board, board->descriptor) &&
           board_read_trust(board, board->descriptor) && check_settings(board) &&
           map_parts(board, open_flags, map_flags) && assemble(board);
}

bool board_open(struct board *board, const char *directory, enum board_access access)
{
    if (access == BOARD_LOOK) {
        return open_shared(board, directory, O_RDONLY, MAP_PRIVATE);
    }
    if (access == BOARD_TOUCH) {
        return open_shared(board, directory, O_RDWR, MAP_SHARED);
    }
    if (!open_shared(board, directory, O_RDWR, MAP_SHARED)) {
        return false;
    }
    if (flock(board->descriptor, LOCK_EX | LOCK_NB) != 0) {
        return board_fail(board,
                          "%s is in use by another updraft (process %d); stop that one first",
                          directory, (int)board->state->user);
    }
    board->state->user = (int32_t)getpid();
    if (board->state->nor.off) { /* the run before was killed just after a power cut */
        board_forget_power(board);
        nor_power_up(&board->nor);
    }
    return true;
}

/* Throws away what board_create made. */
static void remove_files(const struct board *board)
{
    for (int part = 0; part < PART_COUNT; part++) {
        unlinkat(board->descriptor, part_names[part], 0);
    }
    unlinkat(board->descriptor, "board.json", 0);
    unlinkat(board->descriptor, "trust.json", 0);
    rmdir(board->directory);
}

void board_close(struct board *board)
{
    void *maps[PART_COUNT] = {
        [PART_FLASH] = board->flash_map, [PART_WEAR] = board->wear_map,
        [PART_FUSES] = board->fuses_map, [PART_RETAINED] = board->retained,
        [PART_STATE] = board->state,
    };
    for (int part = 0; part < PART_COUNT; part++) {
        if (maps[part] != NULL) {
            munmap(maps[part], part_size(board, (enum part)part));
        }
    }
    if (board->published != NULL && board->directory != NULL) {
        remove_files(board);
    }
    if (board->descriptor >= 0) {
        close(board->descriptor);
    }
    free(board->directory);
    free(board->published);
    *board = (struct board){.descriptor = -1};
}

enum ota_err board_open_device(struct board *board, struct ota_failure *failure)
{
    return board->device.staging != NULL ? ota_staging_open(&board->device)
                                         : ota_device_open(&board->device, failure);
}

const char *board_slot_name(const struct board *board, int slot, char name[OTA_SLOT_NAME_SIZE])
{
    if (board->device.staging != NULL && (slot == 0 || slot == 1)) {
        return strcpy(name, slot == 0 ? "app" : "staged");
    }
    return ota_slot_name(slot, name);
}

uint8_t *board_eboot_command(const struct board *board)
{
    return board->retained;
}

void board_set_idle(struct board *board, bool idle)
{
    board->state->idle = idle;
}

void board_set_trouble(struct board *board, const char *format, ...)
{
    va_list arguments;
    if (board->state->trouble[0] != '\0') {
        return;
    }
    va_start(arguments, format);
    vsnprintf(board->state->trouble, sizeof board->state->trouble, format, arguments);
    va_end(arguments);
}

void board_show_progress(void *context, const struct ota_update *update,
                         enum ota_update_event event, uint32_t done, uint32_t total)
{
    struct board *board = context;
    char name[OTA_SLOT_NAME_SIZE];
    const uint32_t step = total != OTA_SIZE_UNKNOWN && total != 0
                              ? (uint32_t)(100ull * done / total)
                              : done / PROGRESS_UNIT;
    if ((event != OTA_EVENT_START && event != OTA_EVENT_PROGRESS) || step == board->shown) {
        return;
    }
    board->shown = step;
    platform_log_progress(&board->platform, "update",
                          board->device.staging == NULL && update->slot != OTA_SLOT_NONE
                              ? ota_slot_name(update->slot, name)
                              : update->partition.label,
                          done, total);
}

void board_forget_power(struct board *board)
{
    memset(board->retained, 0, BOARD_RETAINED_SIZE);
    board->state->boots_since_power_on = 0;
}

/* Power fails under the firmware's hands: nothing more of it runs. */
static void end_without_power(void *context)
{
    (void)context;
    _exit(EXIT_SUCCESS);
}

static void end_for_restart(void *context, enum ota_restart_reason reason)
{
    const struct board *board = context;
    board->state->restart = reason;
    _exit(EXIT_SUCCESS);
}

void board_become_firmware(struct board *board)
{
    const size_t taken = board->profile.esp8266 != NULL ? OTA_EBOOT_COMMAND_SIZE : 0;
    board->nor.config.power_lost = end_without_power;
    platform_init(&board->platform);
    board->platform.platform.retained = board->retained + taken;
    board->platform.platform.retained_size = BOARD_RETAINED_SIZE - taken;
    board->platform.on_restart = end_for_restart;
    board->platform.context = board;
    board->platform.marked_log = true;
    board->device.running_slot = board->state->running_slot;
    use_profile(board);
}

bool board_attach(struct board *board)
{
    const char *directory = getenv(BOARD_ENV_DIRECTORY);
    if (directory == NULL) {
        fputs("this is firmware of a virtual board: put it on one (updraft image make --chip host, "
              "updraft board new) and start that (updraft board run)\n",
              stderr);
        return false;
    }
    if (!open_shared(board, directory, O_RDWR, MAP_SHARED)) {
        fprintf(stderr, "%s\n", board->error);
        return false;
    }
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    board->pull_url = getenv(BOARD_ENV_PULL);
    board->ways = getenv(BOARD_ENV_WAYS);
    board_become_firmware(board);
    return true;
}
