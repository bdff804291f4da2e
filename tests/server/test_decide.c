/* SPDX-License-Identifier: Apache-2.0 */

/* The decision: each row of its table (docs/formats/http-pull.md section 7), each fault of the
   published script (section 10) shown absent, and the choice among several images. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <cmocka.h>

#include <updraft/chip.h>

#include "server/decide.h"

#define MD5_OF_RUNNING "a56f8ef78a0bebd812f62067daf1408a"
#define SHA_OF_RUNNING "8DFFB149E1859BD81A0DF868C868F7127257065ED234C8D58247C347D416D758"

/* ------------------------------------------------------------------ requests */

struct field {
    const char *name;
    const char *value;
};

struct request {
    struct field fields[24];
    const char *project; /* of the URL */
    const char *chip;
};

static const char *find_field(void *context, const char *name)
{
    const struct request *request = context;
    for (const struct field *field = request->fields; field->name != NULL; field++) {
        if (strcasecmp(field->name, name) == 0) {
            return field->value;
        }
    }
    return NULL;
}

static struct device read_request(struct request *request)
{
    struct device device;
    device_read(&(struct device_request){.header = find_field,
                                         .context = request,
                                         .project = request->project,
                                         .chip = request->chip},
                &device);
    return device;
}

/* Sets, or with NULL takes away, one header. */
static void set(struct request *request, const char *name, const char *value)
{
    struct field *field = request->fields;
    while (field->name != NULL && strcasecmp(field->name, name) != 0) {
        field++;
    }
    if (value != NULL) {
        *field = (struct field){name, value};
        return;
    }
    for (; field->name != NULL; field++) {
        field[0] = field[1];
    }
}

/* What the ESP8266 core sends (docs/formats/http-pull.md section 1). */
static const struct request esp8266 = {.fields = {{"Host", "192.168.0.2"},
                                                  {"User-Agent", "ESP8266-http-Update"},
                                                  {"Connection", "close"},
                                                  {"x-ESP8266-Chip-ID", "11189196"},
                                                  {"x-ESP8266-STA-MAC", "18:FE:AA:AA:AA:AA"},
                                                  {"x-ESP8266-AP-MAC", "1A:FE:AA:AA:AA:AA"},
                                                  {"x-ESP8266-free-space", "671744"},
                                                  {"x-ESP8266-sketch-size", "373940"},
                                                  {"x-ESP8266-sketch-md5", MD5_OF_RUNNING},
                                                  {"x-ESP8266-chip-size", "4194304"},
                                                  {"x-ESP8266-sdk-version", "1.3.0"},
                                                  {"x-ESP8266-mode", "sketch"},
                                                  {"x-ESP8266-version", "1.0.0"},
                                                  {"Content-Length", "0"}}};

static const struct request esp32 = {
    .fields = {{"User-Agent", "ESP32-http-Update"},
               {"x-ESP32-STA-MAC", "34:85:18:41:EB:78"},
               {"x-ESP32-AP-MAC", "36:85:18:41:EB:78"},
               {"x-ESP32-free-space", "1310720"},
               {"x-ESP32-sketch-size", "1006448"},
               {"x-ESP32-sketch-md5", "d16dcda8e86f2bb80a68480a84db6460"},
               {"x-ESP32-sketch-sha256", SHA_OF_RUNNING},
               {"x-ESP32-chip-size", "8388608"},
               {"x-ESP32-sdk-version", "v4.4.5"},
               {"x-ESP32-mode", "sketch"},
               {"x-ESP32-version", "0.0.1"}}};

static const struct request pico = {.fields = {{"User-Agent", "Pico-HTTP-Update"},
                                               {"x-Pico-Chip-ID", "E66"},
                                               {"x-Pico-STA-MAC", "28:CD:C1:00:00:01"},
                                               {"x-Pico-AP-MAC", "28:CD:C1:00:00:01"},
                                               {"x-Pico-Mode", "sketch"},
                                               {"x-Pico-Version", "1.0.0"}}};

static const struct request updraft = {.fields = {{"User-Agent", "Updraft-http-Update"},
                                                  {"x-Updraft-Chip", "host"},
                                                  {"x-Updraft-Project", "blinky"},
                                                  {"x-Updraft-STA-MAC", "02:00:00:00:00:01"},
                                                  {"x-Updraft-free-space", "1048576"},
                                                  {"x-Updraft-sketch-size", "49152"},
                                                  {"x-Updraft-chip-size", "4194304"},
                                                  {"x-Updraft-mode", "sketch"},
                                                  {"x-Updraft-version", "1.0.0"}}};

/* ------------------------------------------------------------------ images */

static struct catalog_image app(uint16_t chip, const char *project, const char *version)
{
    struct catalog_image image = {.name = "app.bin", .size = 300000};
    image.facts = (struct file_facts){.kind = FILE_APP, .chip = chip, .md5 = {1}, .sha256 = {2}};
    image.facts.image_md5[0] = 1;
    image.facts.image_sha256[0] = 2;
    snprintf(image.facts.project, sizeof image.facts.project, "%s", project);
    snprintf(image.facts.version, sizeof image.facts.version, "%s", version);
    return image;
}

static struct catalog_image file_system(const char *project, const char *version)
{
    struct catalog_image image = app(FILE_CHIP_NONE, project, version);
    image.name = "fs.littlefs.bin";
    image.facts.kind = FILE_FILE_SYSTEM;
    return image;
}

static void set_hex(uint8_t *bytes, const char *text)
{
    for (; *text != '\0'; text += 2, bytes++) {
        const char digits[3] = {text[0], text[1], '\0'};
        *bytes = (uint8_t)strtoul(digits, NULL, 16);
    }
}

#define LIST(...)              \
    (struct catalog_image *[]) \
    {                          \
        __VA_ARGS__            \
    }
#define DECIDE(request, ...) \
    decide_on((request), LIST(__VA_ARGS__), sizeof(LIST(__VA_ARGS__)) / sizeof(void *))

static struct decision decide_on(const struct request *request, struct catalog_image **images,
                                 size_t count)
{
    struct request copy = *request;
    const struct device device = read_request(&copy);
    return decide(&device, images, count);
}

static void expect(struct decision decision, unsigned status, const struct catalog_image *image,
                   const char *word)
{
    if (decision.status != status || (image != NULL && decision.image != image) ||
        (word != NULL && strstr(decision.reason, word) == NULL)) {
        fail_msg("%u \"%s\", not %u %s", decision.status, decision.reason, status,
                 word == NULL ? "" : word);
    }
    assert_null(strchr(decision.reason, '\n'));
}

/* ------------------------------------------------------------------ rows of the table */

static void test_row_user_agent(void **state)
{
    (void)state;
    struct catalog_image image = app(OTA_CHIP_ESP8266, "door", "2.0.0");
    static const char *const others[] = {"Mozilla/5.0", "ESP8266-http-UpdateX",
                                         "esp8266-http-update", "", "Updraft"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct request request = esp8266;
        set(&request, "User-Agent", others[i]);
        expect(DECIDE(&request, &image), 403, NULL, others[i]);
    }
    /* Published fault 7: nothing is said about a User-Agent that is not there but that. */
    struct request request = esp8266;
    set(&request, "User-Agent", NULL);
    expect(DECIDE(&request, &image), 403, NULL, "missing");
    set(&request, "User-Agent", "ESP8266-http-Update/3.1");
    expect(DECIDE(&request, &image), 200, &image, NULL);
}

static void test_row_required_headers(void **state)
{
    (void)state;
    static const struct {
        const struct request *request;
        const char *prefix;
        const char *names[9];
    } required[] = {
        {&esp8266,
         "x-ESP8266-",
         {"mode", "STA-MAC", "AP-MAC", "free-space", "sketch-size", "sketch-md5", "chip-size",
          "sdk-version"}},
        {&esp32,
         "x-ESP32-",
         {"mode", "STA-MAC", "AP-MAC", "free-space", "sketch-size", "chip-size", "sdk-version"}},
        {&pico, "x-Pico-", {"mode", "STA-MAC", "AP-MAC"}},
        {&updraft, "x-Updraft-", {"mode", "STA-MAC", "free-space", "chip-size"}},
    };
    struct catalog_image image = app(OTA_CHIP_ESP8266, "door", "2.0.0");
    for (size_t i = 0; i < sizeof required / sizeof required[0]; i++) {
        for (const char *const *name = required[i].names; *name != NULL; name++) {
            char full[64];
            snprintf(full, sizeof full, "%s%s", required[i].prefix, *name);
            struct request request = *required[i].request;
            set(&request, full, NULL);
            expect(DECIDE(&request, &image), 403, NULL, full);
            set(&request, full, "");
            expect(DECIDE(&request, &image), 403, NULL, full);
        }
    }
}

static void test_row_numbers(void **state)
{
    (void)state;
    struct catalog_image image = app(OTA_CHIP_ESP8266, "door", "2.0.0");
    static const char *const bad[] = {"-1",  "1e6", "0x100000", " 5", "99999999999999999999",
                                      "many"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct request request = esp8266;
        set(&request, "x-ESP8266-free-space", bad[i]);
        expect(DECIDE(&request, &image), 403, NULL, "x-ESP8266-free-space is not a number");
        request = esp8266;
        set(&request, "x-ESP8266-chip-size", bad[i]);
        expect(DECIDE(&request, &image), 403, NULL, "x-ESP8266-chip-size is not a number");
    }
}

static void test_row_mode(void **state)
{
    (void)state;
    struct catalog_image image = app(OTA_CHIP_ESP8266, "door", "2.0.0");
    struct request request = esp8266;
    set(&request, "x-ESP8266-mode", "bootloader");
    expect(DECIDE(&request, &image), 404, NULL, "mode bootloader is not supported");
}

static void test_row_no_image(void **state)
{
    (void)state;
    struct catalog_image image = app(OTA_CHIP_ESP32C3, "door", "2.0.0");
    struct catalog_image plain = app(OTA_CHIP_ESP8266, "door", "2.0.0");
    plain.facts.kind = FILE_PLAIN;
    expect(decide_on(&esp8266, NULL, 0), 404, NULL, "no app for esp8266 here");
    expect(DECIDE(&esp8266, &image, &plain), 404, NULL, "no app for esp8266 here");
    struct request request = esp32;
    request.project = "window";
    expect(DECIDE(&request, &image), 404, NULL, "no app of project window for esp32");
    request.project = NULL;
    request.chip = "esp32-s3";
    expect(DECIDE(&request, &image), 404, NULL, "no app for esp32-s3 here");
    request.chip = "z80";
    expect(DECIDE(&request, &image), 404, NULL, "there is no chip z80");
}

static void test_row_version_mode(void **state)
{
    (void)state;
    struct catalog_image image = app(OTA_CHIP_ESP8266, "door", "2.0.0");
    struct catalog_image nameless = app(OTA_CHIP_ESP8266, "door", "");
    struct request request = esp8266;
    char md5[33];
    set(&request, "x-ESP8266-mode", "version");
    const struct decision decision = DECIDE(&request, &image);
    expect(decision, 200, &image, "2.0.0");
    assert_int_equal(decision.kind, DECISION_TELL_VERSION);
    /* Also where nothing is newer, or nothing would fit. */
    set(&request, "x-ESP8266-version", "2.0.0");
    set(&request, "x-ESP8266-free-space", "1");
    expect(DECIDE(&request, &image), 200, &image, "2.0.0");
    expect(DECIDE(&request, &nameless), 200, &nameless, "01000000000000000000000000000000");
    assert_string_equal(decide_version_text(&image, md5), "2.0.0");
}

static void test_row_newer(void **state)
{
    (void)state;
    static const struct {
        const char *runs, *has;
        unsigned status;
    } rows[] = {
        {"1.0.0", "1.0.1", 200},
        {"1.0.0", "1.0.0", 304},
        {"1.0.1", "1.0.0", 304}, /* published fault 4: an older one is not news */
        {"1.9.0", "1.10.0", 200},
        {"v1.0.0", "1.0.0", 304},
        {"1", "1.0.0", 304},
        {"1.0.0-rc.1", "1.0.0", 200},
        {"1.0.0", "1.0.0-rc.1", 304},
        {"1.0.0", "1.0.0-2-gabcdef1", 200},
        {"DOOR-7-g14f53a19", "2.0.0", 200},
        {"DOOR-7-g14f53a19", "DOOR-7-g14f53a19", 304},
        {"DOOR-7-g14f53a19", "door-7-G14F53A19", 304},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct catalog_image image = app(OTA_CHIP_ESP8266, "door", rows[i].has);
        struct request request = esp8266;
        set(&request, "x-ESP8266-version", rows[i].runs);
        const struct decision decision = DECIDE(&request, &image);
        expect(decision, rows[i].status, &image, NULL);
        assert_int_equal(decision.kind,
                         rows[i].status == 200 ? DECISION_SEND : DECISION_NOTHING_NEWER);
    }
}

static void test_digest_decides_without_version(void **state)
{
    (void)state;
    struct catalog_image image = app(OTA_CHIP_ESP8266, "door", "2.0.0");
    struct request request = esp8266;
    set(&request, "x-ESP8266-version", NULL);
    /* Published fault 3: a device without a version does get an update ... */
    expect(DECIDE(&request, &image), 200, &image, NULL);
    /* ... unless it runs this very image. */
    set_hex(image.facts.image_md5, MD5_OF_RUNNING);
    expect(DECIDE(&request, &image), 304, &image, NULL);
    /* A signed file is not what a device runs; its image is. */
    set_hex(image.facts.md5, "00112233445566778899aabbccddeeff");
    expect(DECIDE(&request, &image), 304, &image, NULL);

    struct catalog_image other = app(OTA_CHIP_ESP32, "door", "2.0.0");
    struct request without = esp32;
    set(&without, "x-ESP32-version", NULL);
    set(&without, "x-ESP32-sketch-md5", NULL);
    expect(DECIDE(&without, &other), 200, &other, NULL);
    other.facts.has_image_digest = true;
    set_hex(other.facts.image_digest, SHA_OF_RUNNING);
    expect(DECIDE(&without, &other), 304, &other, NULL);
    other.facts.has_image_digest = false;
    expect(DECIDE(&without, &other), 200, &other, NULL);
    set_hex(other.facts.image_sha256, SHA_OF_RUNNING);
    expect(DECIDE(&without, &other), 304, &other, NULL);
}

/* A sketch that forgot to change its version would else update itself for ever. */
static void test_running_image_is_never_news(void **state)
{
    (void)state;
    struct catalog_image image = app(OTA_CHIP_ESP8266, "door", "2.0.0");
    set_hex(image.facts.image_md5, MD5_OF_RUNNING);
    expect(DECIDE(&esp8266, &image), 304, &image, NULL);
}

static void test_image_without_version(void **state)
{
    (void)state;
    struct catalog_image image = app(OTA_CHIP_ESP8266, "door", "");
    expect(DECIDE(&esp8266, &image), 200, &image, NULL);
    struct request request = esp8266;
    set(&request, "x-ESP8266-version", "01000000000000000000000000000000");
    expect(DECIDE(&request, &image), 304, &image, NULL);
    set_hex(image.facts.image_md5, MD5_OF_RUNNING);
    expect(DECIDE(&esp8266, &image), 304, &image, NULL);
}

static void test_row_nothing_to_compare(void **state)
{
    (void)state;
    struct catalog_image image = app(FILE_CHIP_PICO, "door", "2.0.0");
    struct catalog_image nameless = app(FILE_CHIP_PICO, "door", "");
    struct request request = pico;
    expect(DECIDE(&request, &image), 200, &image, NULL);
    expect(DECIDE(&request, &nameless), 403, &nameless, "nobody can say");
    set(&request, "x-Pico-Version", NULL);
    expect(DECIDE(&request, &image), 403, &image, "nobody can say");
}

/* Published fault 8. */
static void test_row_does_not_fit(void **state)
{
    (void)state;
    struct catalog_image image = app(OTA_CHIP_ESP8266, "door", "2.0.0");
    image.size = 671744;
    expect(DECIDE(&esp8266, &image), 200, &image, NULL);
    image.size = 671745;
    expect(DECIDE(&esp8266, &image), 403, &image, "671745 bytes, the device has room for 671744");
    /* What is current needs no room. */
    struct request request = esp8266;
    set(&request, "x-ESP8266-version", "2.0.0");
    expect(DECIDE(&request, &image), 304, &image, NULL);

    image.size = 300000;
    image.facts.flash_size = 4194304;
    expect(DECIDE(&esp8266, &image), 200, &image, NULL);
    image.facts.flash_size = 8388608;
    expect(DECIDE(&esp8266, &image), 403, &image, "8388608 bytes of flash, the device has 4194304");

    struct catalog_image data = file_system("door", "2.0.0");
    data.size = 1000000; /* larger than the room for a sketch: it has a partition of its own */
    request = esp8266;
    set(&request, "x-ESP8266-mode", "spiffs");
    expect(DECIDE(&request, &data), 200, &data, NULL);
    data.size = 4194305;
    expect(DECIDE(&request, &data), 403, &data, "4194305 bytes");
    request = esp32;
    struct catalog_image other = app(OTA_CHIP_ESP32, "door", "2.0.0");
    set(&request, "x-ESP32-free-space", "0");
    expect(DECIDE(&request, &other), 403, &other, "room for 0");
}

/* Published fault 1. */
static void test_header_names_in_any_case(void **state)
{
    (void)state;
    struct catalog_image image = app(OTA_CHIP_ESP8266, "door", "2.0.0");
    struct request request = {.fields = {{"user-agent", "ESP8266-http-Update"},
                                         {"X-Esp8266-Sta-Mac", "18:FE:AA:AA:AA:AA"},
                                         {"X-Esp8266-Ap-Mac", "1A:FE:AA:AA:AA:AA"},
                                         {"X-ESP8266-FREE-SPACE", "671744"},
                                         {"x-esp8266-sketch-size", "373940"},
                                         {"X-Esp8266-Sketch-Md5", MD5_OF_RUNNING},
                                         {"X-Esp8266-Chip-Size", "4194304"},
                                         {"X-Esp8266-Sdk-Version", "1.3.0"},
                                         {"X-Esp8266-Mode", "sketch"},
                                         {"X-Esp8266-Version", "1.0.0"}}};
    expect(DECIDE(&request, &image), 200, &image, NULL);
}

/* Published fault 5. */
static void test_file_systems(void **state)
{
    (void)state;
    struct catalog_image image = app(OTA_CHIP_ESP8266, "door", "9.0.0");
    struct catalog_image data = file_system("door", "2.0.0");
    struct catalog_image anyones = file_system("", "");
    static const char *const names[] = {"spiffs", "littlefs", "fatfs"};
    for (size_t i = 0; i < 3; i++) {
        struct request request = esp8266;
        set(&request, "x-ESP8266-mode", names[i]);
        expect(DECIDE(&request, &image, &data), 200, &data, NULL);
        set(&request, "x-ESP8266-version", "2.0.0");
        expect(DECIDE(&request, &image, &data), 304, &data, NULL);
        set(&request, "x-ESP8266-version", NULL);
        expect(DECIDE(&request, &image, &data), 200, &data, NULL);
        expect(DECIDE(&request, &image), 404, NULL, "no file system image");
        request.project = "window";
        expect(DECIDE(&request, &data, &anyones), 200, &anyones, NULL);
    }
}

/* ------------------------------------------------------------------ which image */

static void test_highest_version_wins(void **state)
{
    (void)state;
    struct catalog_image a = app(OTA_CHIP_ESP8266, "door", "1.9.0");
    struct catalog_image b = app(OTA_CHIP_ESP8266, "Door", "1.10.0");
    struct catalog_image c = app(OTA_CHIP_ESP8266, "door", "2.0.0-rc.1");
    struct catalog_image d = app(OTA_CHIP_ESP8266, "door", "blue");
    struct catalog_image e = app(OTA_CHIP_ESP8266, "door", "green");
    a.modified.tv_sec = 50;
    d.modified.tv_sec = 99;
    e.modified.tv_sec = 100;
    expect(DECIDE(&esp8266, &a, &b), 200, &b, NULL);
    expect(DECIDE(&esp8266, &b, &a), 200, &b, NULL);
    expect(DECIDE(&esp8266, &d, &e, &a, &b, &c), 200, &c, NULL);
    expect(DECIDE(&esp8266, &e, &d, &a), 200, &a, NULL);
    expect(DECIDE(&esp8266, &d, &e), 200, &e, NULL);
    expect(DECIDE(&esp8266, &e, &d), 200, &e, NULL);
    /* The same version twice: the younger file; of the same age, by name. */
    struct catalog_image f = app(OTA_CHIP_ESP8266, "door", "v1.9");
    f.modified.tv_sec = 51;
    expect(DECIDE(&esp8266, &a, &f), 200, &f, NULL);
    f.modified = a.modified;
    f.modified.tv_nsec = 1;
    expect(DECIDE(&esp8266, &a, &f), 200, &f, NULL);
    f.modified = a.modified;
    f.name = "a.bin";
    expect(DECIDE(&esp8266, &a, &f), 200, &f, NULL);
    expect(DECIDE(&esp8266, &f, &a), 200, &f, NULL);
}

static void test_project(void **state)
{
    (void)state;
    struct catalog_image door = app(OTA_CHIP_ESP8266, "door", "2.0.0");
    struct catalog_image lamp = app(OTA_CHIP_ESP8266, "lamp", "3.0.0");
    struct request request = esp8266;
    expect(DECIDE(&request, &door, &lamp), 404, NULL,
           "several projects for esp8266 here (door, lamp)");
    request.project = "LAMP";
    expect(DECIDE(&request, &door, &lamp), 200, &lamp, NULL);
    set(&request, "x-Updraft-Project", "door");
    expect(DECIDE(&request, &door, &lamp), 200, &lamp, NULL);
    request.project = NULL;
    expect(DECIDE(&request, &door, &lamp), 200, &door, NULL);
    /* What it runs says which it is. */
    struct catalog_image running = app(OTA_CHIP_ESP8266, "lamp", "1.0.0");
    set_hex(running.facts.image_md5, MD5_OF_RUNNING);
    expect(DECIDE(&esp8266, &door, &lamp, &running), 200, &lamp, NULL);
}

/* An image of Arduino's core, served by the name of its file, asks for the next one by the name and
   version of the core's libraries. */
static void test_a_project_that_means_nothing(void **state)
{
    (void)state;
    struct catalog_image door = app(OTA_CHIP_HOST, "door", "2.0.0");
    struct catalog_image lamp = app(OTA_CHIP_HOST, "lamp", "3.0.0");
    struct request request = updraft;
    set(&request, "x-Updraft-Project", "arduino-lib-builder");
    set(&request, "x-Updraft-version", "esp-idf: v5.5");
    set(&request, "x-Updraft-sketch-md5", MD5_OF_RUNNING);
    expect(DECIDE(&request, &door), 200, &door, NULL);
    set_hex(door.facts.image_md5, MD5_OF_RUNNING);
    expect(DECIDE(&request, &door), 304, &door, NULL);
    request.project = "lamp";
    expect(DECIDE(&request, &door, &lamp), 200, &lamp, NULL);
}

static void test_chip(void **state)
{
    (void)state;
    struct catalog_image s3 = app(OTA_CHIP_ESP32S3, "door", "2.0.0");
    struct catalog_image c3 = app(OTA_CHIP_ESP32C3, "door", "2.0.0");
    struct catalog_image host = app(OTA_CHIP_HOST, "door", "2.0.0");
    struct catalog_image small = app(OTA_CHIP_ESP8266, "door", "2.0.0");
    struct request request = esp32;
    expect(DECIDE(&request, &host, &small, &s3), 200, &s3, NULL);
    expect(DECIDE(&request, &s3, &c3), 404, NULL, "several chips here (esp32-s3, esp32-c3)");
    request.chip = "ESP32C3";
    expect(DECIDE(&request, &s3, &c3), 200, &c3, NULL);
    request.chip = NULL;
    set(&request, "x-Updraft-Chip", "esp32-s3");
    expect(DECIDE(&request, &s3, &c3), 200, &s3, NULL);
    struct catalog_image running = app(OTA_CHIP_ESP32C3, "door", "0.0.1");
    set_hex(running.facts.image_md5, "d16dcda8e86f2bb80a68480a84db6460");
    expect(DECIDE(&esp32, &s3, &c3, &running), 200, &c3, NULL);
    expect(DECIDE(&esp32, &host, &small), 404, NULL, "no app for esp32");
}

static void test_own_client(void **state)
{
    (void)state;
    struct catalog_image image = app(OTA_CHIP_HOST, "blinky", "1.1.0");
    struct catalog_image other = app(OTA_CHIP_ESP32, "blinky", "1.2.0");
    struct request request = updraft;
    expect(DECIDE(&request, &other, &image), 200, &image, "blinky 1.1.0");
    set(&request, "x-Updraft-version", "1.1.0");
    expect(DECIDE(&request, &other, &image), 304, &image, NULL);
    set(&request, "x-Updraft-Chip", "esp32");
    expect(DECIDE(&request, &other, &image), 200, &other, NULL);
}

static void test_hostile_values(void **state)
{
    (void)state;
    static char longest[20000];
    memset(longest, 'A', sizeof longest - 1);
    struct catalog_image image = app(OTA_CHIP_ESP8266, "door", "2.0.0");
    static const char *const names[] = {
        "User-Agent",           "x-ESP8266-mode",    "x-ESP8266-version", "x-ESP8266-free-space",
        "x-ESP8266-sketch-md5", "x-Updraft-Project", "x-Updraft-Chip",    "x-ESP8266-STA-MAC"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct request request = esp8266;
        set(&request, names[i], longest);
        const struct decision decision = DECIDE(&request, &image);
        assert_in_range(strlen(decision.reason), 1, sizeof decision.reason - 1);
    }
    /* A digest that is none is none: the version decides. */
    struct request request = esp8266;
    set(&request, "x-ESP8266-sketch-md5", "zz6f8ef78a0bebd812f62067daf1408a");
    expect(DECIDE(&request, &image), 200, &image, NULL);
    set(&request, "x-ESP8266-version", NULL);
    expect(DECIDE(&request, &image), 403, &image, "nobody can say");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_row_user_agent),
        cmocka_unit_test(test_row_required_headers),
        cmocka_unit_test(test_row_numbers),
        cmocka_unit_test(test_row_mode),
        cmocka_unit_test(test_row_no_image),
        cmocka_unit_test(test_row_version_mode),
        cmocka_unit_test(test_row_newer),
        cmocka_unit_test(test_digest_decides_without_version),
        cmocka_unit_test(test_running_image_is_never_news),
        cmocka_unit_test(test_image_without_version),
        cmocka_unit_test(test_row_nothing_to_compare),
        cmocka_unit_test(test_row_does_not_fit),
        cmocka_unit_test(test_header_names_in_any_case),
        cmocka_unit_test(test_file_systems),
        cmocka_unit_test(test_highest_version_wins),
        cmocka_unit_test(test_project),
        cmocka_unit_test(test_a_project_that_means_nothing),
        cmocka_unit_test(test_chip),
        cmocka_unit_test(test_own_client),
        cmocka_unit_test(test_hostile_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
