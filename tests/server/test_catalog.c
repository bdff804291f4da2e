/* SPDX-License-Identifier: Apache-2.0 */

/* The catalogue while files come, go, grow and are replaced; and what it says of real files. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include <updraft/chip.h>

#include "server/catalog.h"
#include "support/images.h"
#include "support/scratch.h"

#define WAIT_MS 20000u
#define SETTLE_MS 300u

struct world {
    struct scratch folder;
    struct catalog *catalog;
    atomic_int added, removed, overwritten, skipped;
};

static void count_change(void *context, enum catalog_change change,
                         const struct catalog_image *image)
{
    struct world *world = context;
    (void)image;
    atomic_fetch_add(change == CATALOG_ADDED     ? &world->added
                     : change == CATALOG_REMOVED ? &world->removed
                                                 : &world->overwritten,
                     1);
}

static void count_skipped(void *context, const char *name, const char *reason)
{
    struct world *world = context;
    assert_non_null(strstr("absolute.bin relative.bin magic.bin inside.bin link.bin", name));
    assert_string_equal(reason, "it leads out of the folder");
    atomic_fetch_add(&world->skipped, 1);
}

static void start(struct world *world)
{
    char why[256] = "";
    world->catalog = catalog_start(&(struct catalog_options){.folder = world->folder.path,
                                                             .crypto = &ota_crypto_psa,
                                                             .settle_ms = SETTLE_MS,
                                                             .rescan_ms = 60000,
                                                             .on_change = count_change,
                                                             .on_skipped = count_skipped,
                                                             .context = world},
                                   why, sizeof why);
    if (world->catalog == NULL) {
        fail_msg("%s", why);
    }
}

static int set_up(void **state)
{
    static struct world world;
    memset(&world, 0, sizeof world);
    scratch_make(&world.folder);
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    if (world->catalog != NULL) {
        catalog_stop(world->catalog);
    }
    scratch_remove(&world->folder);
    return 0;
}

/* Waits until `holds` does, told of each change, and returns that snapshot. */
static struct catalog_snapshot *wait_for(struct world *world,
                                         bool (*holds)(const struct catalog_snapshot *,
                                                       const char *),
                                         const char *name)
{
    for (;;) {
        struct catalog_snapshot *snapshot = catalog_take(world->catalog);
        if (holds(snapshot, name)) {
            return snapshot;
        }
        const uint64_t generation = snapshot->generation;
        catalog_release(snapshot);
        if (!catalog_wait(world->catalog, generation, WAIT_MS)) {
            fail_msg("nothing changed for %u ms while waiting for %s", WAIT_MS, name);
        }
    }
}

static bool is_there(const struct catalog_snapshot *snapshot, const char *name)
{
    return catalog_find(snapshot, name) != NULL;
}

static bool is_gone(const struct catalog_snapshot *snapshot, const char *name)
{
    return catalog_find(snapshot, name) == NULL;
}

static bool has_version_2(const struct catalog_snapshot *snapshot, const char *name)
{
    const struct catalog_image *image = catalog_find(snapshot, name);
    return image != NULL && strcmp(image->facts.version, "2.0.0") == 0;
}

/* A file that the catalogue offers after all that was done before it. */
static void fence(struct world *world, const char *name)
{
    scratch_image(&world->folder, name, OTA_CHIP_ESP32, "fence", "1.0.0", 1000);
    catalog_release(wait_for(world, is_there, name));
}

static void test_start_reads_what_is_there(void **state)
{
    struct world *world = *state;
    scratch_image(&world->folder, "b.bin", OTA_CHIP_ESP32S3, "blinky", "1.2.3", 5000);
    scratch_image(&world->folder, "a.bin", OTA_CHIP_HOST, "other", "v9", 0);
    start(world);
    struct catalog_snapshot *snapshot = catalog_take(world->catalog);
    assert_int_equal(snapshot->count, 2);
    assert_string_equal(snapshot->images[0]->name, "a.bin");
    const struct catalog_image *image = catalog_find(snapshot, "b.bin");
    assert_non_null(image);
    assert_int_equal(image->facts.kind, FILE_APP);
    assert_int_equal(image->facts.chip, OTA_CHIP_ESP32S3);
    assert_string_equal(image->facts.project, "blinky");
    assert_string_equal(image->facts.version, "1.2.3");
    assert_int_equal(image->facts.image_length, image->size);
    assert_string_equal(inspect_chip_name(snapshot->images[0]->facts.chip), "host");
    assert_int_equal(atomic_load(&world->added), 2);
    catalog_release(snapshot);
}

static void test_files_come_and_go(void **state)
{
    struct world *world = *state;
    start(world);
    scratch_image(&world->folder, "one.bin", OTA_CHIP_ESP32, "one", "1.0.0", 1000);
    catalog_release(wait_for(world, is_there, "one.bin"));
    scratch_image(&world->folder, "two.bin", OTA_CHIP_ESP32, "two", "1.0.0", 1000);
    catalog_release(wait_for(world, is_there, "two.bin"));
    scratch_delete(&world->folder, "one.bin");
    catalog_release(wait_for(world, is_gone, "one.bin"));
    assert_int_equal(
        rename(scratch_path(&world->folder, "two.bin"), scratch_path(&world->folder, "three.bin")),
        0);
    catalog_release(wait_for(world, is_gone, "two.bin"));
    catalog_release(wait_for(world, is_there, "three.bin"));
    fence(world, "fence.bin");
    assert_int_equal(atomic_load(&world->overwritten), 0);
}

static void test_replaced_file_stays_whole_for_its_readers(void **state)
{
    struct world *world = *state;
    scratch_image(&world->folder, "x.bin", OTA_CHIP_ESP32, "x", "1.0.0", 200000);
    start(world);
    struct catalog_snapshot *before = catalog_take(world->catalog);
    struct catalog_image *old = catalog_find(before, "x.bin");
    const int fd = catalog_open_image(before, old);
    assert_true(fd >= 0);

    scratch_image(&world->folder, "x.bin", OTA_CHIP_ESP32, "x", "2.0.0", 100000);
    struct catalog_snapshot *after = wait_for(world, has_version_2, "x.bin");
    assert_int_equal(atomic_load(&world->overwritten), 0);

    /* The open file still has all the old bytes; opened anew, it is another one, and that is
       said. */
    struct file_facts facts;
    atomic_bool stop = false;
    assert_int_equal(inspect_file(fd, "x.bin", old->size, &ota_crypto_psa, &stop, &facts),
                     INSPECT_DONE);
    assert_memory_equal(facts.sha256, old->facts.sha256, sizeof facts.sha256);
    assert_int_equal(catalog_open_image(before, old), -1);
    assert_int_equal(errno, ESTALE);
    const int fresh = catalog_open_image(after, catalog_find(after, "x.bin"));
    assert_true(fresh >= 0);
    close(fresh);
    close(fd);
    catalog_release(before);
    catalog_release(after);
}

static void test_growing_file_is_not_offered(void **state)
{
    struct world *world = *state;
    uint8_t *bytes = scratch_noise(1, 8000);
    start(world);
    const int fd = open(scratch_path(&world->folder, "grow.littlefs.bin"),
                        O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    char name[32];
    for (int i = 0; i < 4; i++) {
        assert_int_equal(write(fd, bytes + (size_t)i * 2000, 2000), 2000);
        snprintf(name, sizeof name, "fence%d.bin", i);
        fence(world, name);
        struct catalog_snapshot *snapshot = catalog_take(world->catalog);
        assert_null(catalog_find(snapshot, "grow.littlefs.bin"));
        catalog_release(snapshot);
    }
    assert_int_equal(close(fd), 0);
    struct catalog_snapshot *snapshot = wait_for(world, is_there, "grow.littlefs.bin");
    const struct catalog_image *image = catalog_find(snapshot, "grow.littlefs.bin");
    assert_int_equal(image->size, 8000);
    assert_int_equal(image->facts.kind, FILE_FILE_SYSTEM);
    catalog_release(snapshot);
    free(bytes);
}

/* An image proves itself whole, so it need not wait; half of one never does. */
static void test_half_an_image_is_not_offered(void **state)
{
    struct world *world = *state;
    static uint8_t bytes[20000];
    const size_t len = image_make(bytes, sizeof bytes,
                                  &(struct image_facts){.chip = OTA_CHIP_ESP32, .size = 10000});
    scratch_write(&world->folder, "half.bin", bytes, len / 2);
    scratch_write(&world->folder, "whole.bin", bytes, len);
    start(world);
    struct catalog_snapshot *snapshot = catalog_take(world->catalog);
    assert_int_equal(catalog_find(snapshot, "whole.bin")->facts.kind, FILE_APP);
    assert_null(catalog_find(snapshot, "half.bin"));
    catalog_release(snapshot);
    /* When it has not changed for a while it is a plain file, with the reason. */
    snapshot = wait_for(world, is_there, "half.bin");
    const struct catalog_image *image = catalog_find(snapshot, "half.bin");
    assert_int_equal(image->facts.kind, FILE_PLAIN);
    assert_non_null(strstr(image->facts.problem, "no valid image"));
    catalog_release(snapshot);
}

static void test_overwritten_in_place_is_told(void **state)
{
    struct world *world = *state;
    static uint8_t bytes[20000];
    scratch_image(&world->folder, "x.bin", OTA_CHIP_ESP32, "x", "1.0.0", 10000);
    start(world);
    struct catalog_snapshot *before = catalog_take(world->catalog);
    const size_t len =
        image_make(bytes, sizeof bytes,
                   &(struct image_facts){
                       .chip = OTA_CHIP_ESP32, .size = 9000, .project = "x", .version = "2.0.0"});
    scratch_write(&world->folder, "x.bin", bytes, len);
    catalog_release(wait_for(world, has_version_2, "x.bin"));
    fence(world, "fence.bin"); /* told by now */
    assert_int_equal(atomic_load(&world->overwritten), 1);
    assert_int_equal(catalog_open_image(before, catalog_find(before, "x.bin")), -1);
    assert_int_equal(errno, ESTALE);
    catalog_release(before);
}

static void test_names_that_are_left_out(void **state)
{
    struct world *world = *state;
    static const char *const hidden[] = {
        ".hidden.bin",    "a.bin~",        "a.bin.part",           "a.bin.tmp",
        "a.bin.partial",  "a.bin.swp",     "b.crdownload",         "new\nline.bin",
        "esc\x1b[2J.bin", "latin\xe4.bin", "next\xc2\x85line.bin", "overlong\xc0\xaf.bin",
    };
    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++) {
        scratch_image(&world->folder, hidden[i], OTA_CHIP_ESP32, "h", "1.0.0", 1000);
    }
    assert_int_equal(mkdir(scratch_path(&world->folder, "folder.bin"), 0755), 0);
    assert_int_equal(mkfifo(scratch_path(&world->folder, "pipe.bin"), 0644), 0);
    scratch_image(&world->folder, "gr\xc3\xbc\xc3\x9f dich.bin", OTA_CHIP_ESP32, "g", "1.0.0",
                  1000);
    start(world);
    struct catalog_snapshot *snapshot = catalog_take(world->catalog);
    assert_int_equal(snapshot->count, 1);
    assert_string_equal(snapshot->images[0]->name, "gr\xc3\xbc\xc3\x9f dich.bin");
    catalog_release(snapshot);
}

static void test_links(void **state)
{
    struct world *world = *state;
    struct scratch outside;
    scratch_make(&outside);
    scratch_image(&outside, "secret.bin", OTA_CHIP_ESP32, "s", "1.0.0", 1000);
    scratch_image(&world->folder, "inside.bin", OTA_CHIP_ESP32, "i", "1.0.0", 1000);
    char up[128];
    snprintf(up, sizeof up, "..%s/secret.bin", strrchr(outside.path, '/'));
    assert_int_equal(
        symlink(scratch_path(&outside, "secret.bin"), scratch_path(&world->folder, "absolute.bin")),
        0);
    assert_int_equal(symlink(up, scratch_path(&world->folder, "relative.bin")), 0);
    assert_int_equal(symlink("/proc/self/exe", scratch_path(&world->folder, "magic.bin")), 0);
    assert_int_equal(symlink("nowhere", scratch_path(&world->folder, "broken.bin")), 0);
    assert_int_equal(symlink("inside.bin", scratch_path(&world->folder, "link.bin")), 0);
    start(world);
    struct catalog_snapshot *snapshot = catalog_take(world->catalog);
    assert_int_equal(snapshot->count, 2);
    assert_non_null(catalog_find(snapshot, "inside.bin"));
    assert_non_null(catalog_find(snapshot, "link.bin"));
    assert_int_equal(atomic_load(&world->skipped), 3);

    /* A file that becomes such a link later is not followed either. */
    struct catalog_image *image = catalog_find(snapshot, "inside.bin");
    scratch_delete(&world->folder, "inside.bin");
    assert_int_equal(
        symlink(scratch_path(&outside, "secret.bin"), scratch_path(&world->folder, "inside.bin")),
        0);
    assert_int_equal(catalog_open_image(snapshot, image), -1);
    catalog_release(snapshot);

    /* Each is told once, until it has been a file in between; so is the link to the link. */
    fence(world, "fence.bin");
    assert_int_equal(atomic_load(&world->skipped), 5);
    scratch_delete(&world->folder, "inside.bin");
    scratch_image(&world->folder, "inside.bin", OTA_CHIP_ESP32, "i", "1.0.0", 1000);
    catalog_release(wait_for(world, is_there, "link.bin"));
    scratch_delete(&world->folder, "inside.bin");
    assert_int_equal(
        symlink(scratch_path(&outside, "secret.bin"), scratch_path(&world->folder, "inside.bin")),
        0);
    fence(world, "second.bin");
    assert_int_equal(atomic_load(&world->skipped), 7);
    scratch_remove(&outside);
}

static void test_facts_from_names(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum file_kind kind;
        uint16_t chip;
        const char *project, *version;
    } rows[] = {
        {"door-1.2.0.littlefs.bin", FILE_FILE_SYSTEM, FILE_CHIP_NONE, "door", "1.2.0"},
        {"door_v2.spiffs.bin", FILE_FILE_SYSTEM, FILE_CHIP_NONE, "door", "v2"},
        {"garden-gate-1.0.0-rc.1.FATFS.BIN", FILE_FILE_SYSTEM, FILE_CHIP_NONE, "garden-gate",
         "1.0.0-rc.1"},
        {"littlefs.bin", FILE_FILE_SYSTEM, FILE_CHIP_NONE, "", ""},
        {"door-littlefs.bin", FILE_FILE_SYSTEM, FILE_CHIP_NONE, "door", ""},
        {"esp-32-littlefs.bin", FILE_FILE_SYSTEM, FILE_CHIP_NONE, "esp-32", ""},
        {"Blink.ino.pico.bin", FILE_APP, FILE_CHIP_PICO, "Blink", ""},
        {"blink-1.0.rp2350.bin", FILE_APP, FILE_CHIP_PICO, "blink", "1.0"},
        {"door-1.2.0.littlefs.bin.gz", FILE_FILE_SYSTEM, FILE_CHIP_NONE, "door", "1.2.0"},
        {"door-1.2.0.rp2040.bin.gz.signed", FILE_APP, FILE_CHIP_PICO, "door", "1.2.0"},
        {"door-1.2.0.pico.bin.signed.gz", FILE_APP, FILE_CHIP_PICO, "door", "1.2.0"},
        {"littlefs.gz", FILE_PLAIN, FILE_CHIP_NONE, "", ""},
        {"notlittlefs.bin", FILE_PLAIN, FILE_CHIP_NONE, "", ""},
        {"notes-1.0.txt", FILE_PLAIN, FILE_CHIP_NONE, "", ""},
        {"door-1.2.0.bin", FILE_PLAIN, FILE_CHIP_NONE, "", ""},
        {".bin", FILE_PLAIN, FILE_CHIP_NONE, "", ""},
        {"bin", FILE_PLAIN, FILE_CHIP_NONE, "", ""},
    };
    struct world *world = *state;
    uint8_t *bytes = scratch_noise(7, 1000);
    bytes[0] = 'x';
    scratch_write(&world->folder, "data", bytes, 1000);
    free(bytes);
    const int fd = open(scratch_path(&world->folder, "data"), O_RDONLY | O_CLOEXEC);
    atomic_bool stop = false;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct file_facts facts;
        assert_int_equal(inspect_file(fd, rows[i].name, 1000, &ota_crypto_psa, &stop, &facts),
                         INSPECT_DONE);
        if (facts.kind != rows[i].kind || facts.chip != rows[i].chip ||
            strcmp(facts.project, rows[i].project) != 0 ||
            strcmp(facts.version, rows[i].version) != 0) {
            fail_msg("%s: kind %d chip %u \"%s\" \"%s\"", rows[i].name, (int)facts.kind, facts.chip,
                     facts.project, facts.version);
        }
        assert_string_equal(facts.problem, "");
    }
    close(fd);
}

static void inspect_vector(const char *path, const char *name, struct file_facts *facts)
{
    char full[512];
    struct stat status;
    atomic_bool stop = false;
    snprintf(full, sizeof full, "%s/%s", UPDRAFT_VECTORS, path);
    const int fd = open(full, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && access(UPDRAFT_VECTORS, F_OK) != 0) {
        skip();
    }
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &status), 0);
    assert_int_equal(
        inspect_file(fd, name, (uint64_t)status.st_size, &ota_crypto_psa, &stop, facts),
        INSPECT_DONE);
    close(fd);
}

static void test_real_files(void **state)
{
    (void)state;
    struct file_facts facts;
    struct file_facts signed_facts;
    /* Arduino's core for the ESP32 names its own libraries: the file name says what it is. */
    inspect_vector("arduino/psychichttp/code.bin", "garden-2.3.1.bin", &facts);
    assert_int_equal(facts.kind, FILE_APP);
    assert_int_equal(facts.chip, OTA_CHIP_ESP32S3);
    assert_string_equal(facts.project, "garden");
    assert_string_equal(facts.version, "2.3.1");
    assert_true(facts.has_image_digest);
    assert_int_equal(facts.flash_size, 8u << 20);

    inspect_vector("arduino/psychichttp/littlefs.bin", "littlefs.bin", &facts);
    assert_int_equal(facts.kind, FILE_FILE_SYSTEM);

    inspect_vector("arduino/signing/sketch.bin", "Door.ino.bin", &facts);
    assert_int_equal(facts.kind, FILE_APP);
    assert_int_equal(facts.chip, OTA_CHIP_ESP8266);
    assert_string_equal(facts.project, "Door");
    assert_int_equal(facts.image_length, 18896);
    /* Signed, it is another file with the same image in it. */
    inspect_vector("arduino/signing/sketch.bin.signed", "Door.bin", &signed_facts);
    assert_int_equal(signed_facts.kind, FILE_APP);
    assert_memory_not_equal(signed_facts.md5, facts.md5, sizeof facts.md5);
    assert_memory_equal(signed_facts.image_md5, facts.md5, sizeof facts.md5);
    assert_memory_equal(signed_facts.image_sha256, facts.sha256, sizeof facts.sha256);

    assert_true(signed_facts.has_trailer && signed_facts.is_whole);
    assert_false(signed_facts.is_packed);
    /* Packed, and packed and signed, likewise. */
    static const char *const packed[] = {"arduino/signing/sketch.bin.gz",
                                         "arduino/signing/sketch.bin.gz.signed"};
    for (size_t i = 0; i < 2; i++) {
        inspect_vector(packed[i], "Door.bin.gz", &signed_facts);
        assert_int_equal(signed_facts.kind, FILE_APP);
        assert_string_equal(signed_facts.project, "Door");
        assert_true(signed_facts.is_packed && signed_facts.is_whole);
        assert_int_equal(signed_facts.has_trailer, i == 1);
        assert_int_equal(signed_facts.plain_size, 18896);
        assert_int_equal(signed_facts.image_length, 18896);
        assert_memory_equal(signed_facts.image_sha256, facts.sha256, sizeof facts.sha256);
    }

    /* A bootloader beside the app must not be offered as one. */
    inspect_vector("esp/images/bootloader_esp32.bin", "door-9.9.9.bin", &facts);
    assert_int_equal(facts.kind, FILE_PLAIN);
    inspect_vector("esp/images/bootloader_esp32_v5_2.bin", "door-9.9.9.bin", &facts);
    assert_int_equal(facts.kind, FILE_PLAIN);
}

static void test_no_folder(void **state)
{
    (void)state;
    char why[256] = "";
    assert_null(catalog_start(
        &(struct catalog_options){.folder = "/nowhere/at/all", .crypto = &ota_crypto_psa}, why,
        sizeof why));
    assert_non_null(strstr(why, "/nowhere/at/all: cannot be read as a folder: No such file"));
}

/* The folder itself is moved away and another takes its name, as deployment tools do. */
static void test_folder_is_replaced(void **state)
{
    struct world *world = *state;
    struct scratch old;
    scratch_image(&world->folder, "one.bin", OTA_CHIP_ESP32, "one", "1.0.0", 1000);
    start(world);
    scratch_make(&old); /* a rename may replace an empty folder */
    assert_int_equal(rename(world->folder.path, old.path), 0);
    catalog_release(wait_for(world, is_gone, "one.bin"));
    assert_int_equal(mkdir(world->folder.path, 0755), 0);
    scratch_image(&world->folder, "two.bin", OTA_CHIP_ESP32, "two", "1.0.0", 1000);
    catalog_refresh(world->catalog);
    catalog_release(wait_for(world, is_there, "two.bin"));
    fence(world, "three.bin"); /* the new folder is watched */
    scratch_remove(&old);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_start_reads_what_is_there),
        TEST(test_files_come_and_go),
        TEST(test_replaced_file_stays_whole_for_its_readers),
        TEST(test_growing_file_is_not_offered),
        TEST(test_half_an_image_is_not_offered),
        TEST(test_overwritten_in_place_is_told),
        TEST(test_names_that_are_left_out),
        TEST(test_links),
        TEST(test_facts_from_names),
        cmocka_unit_test(test_real_files),
        cmocka_unit_test(test_no_folder),
        TEST(test_folder_is_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
