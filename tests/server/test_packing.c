/* SPDX-License-Identifier: Apache-2.0 */
/* Compressed images over loopback: who gets them, what the headers say of them, and where they are
   kept. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <curl/curl.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include <updraft/chip.h>

#include "base/bytes.h"
#include "server/gzip.h"
#include "server/packed.h"
#include "server/world.h"
#include "support/images.h"
#include "support/scratch.h"

#define IMAGE_LEN 60000u
#define TRAILER_LEN 260u
#define FILE_MAX 0x80000u

#define UPDRAFT_HEADERS                                                                      \
    "Host: x\r\nConnection: close\r\nUser-Agent: Updraft-http-Update\r\nx-Updraft-STA-MAC: " \
    "02:00:00:00:00:01\r\n"                                                                  \
    "x-Updraft-free-space: 1048576\r\nx-Updraft-sketch-size: 49152\r\n"                      \
    "x-Updraft-chip-size: 4194304\r\nx-Updraft-mode: sketch\r\nx-Updraft-version: 0.9.0\r\n"
#define TAKES_GZIP "x-Updraft-accept: gzip\r\n"
#define PULL "GET /pull HTTP/1.1\r\n"

/* ------------------------------------------------------------------ files */

struct file {
    uint8_t bytes[FILE_MAX];
    size_t len;
};

/* An image of ours that packs well. */
static void make_image(struct file *file, const char *version)
{
    file->len = image_make(file->bytes, sizeof file->bytes,
                           &(struct image_facts){.chip = OTA_CHIP_HOST,
                                                 .size = IMAGE_LEN,
                                                 .project = "garden",
                                                 .version = version,
                                                 .period = 700});
    assert_true(file->len > 0);
}

static void put(struct world *world, const char *name, const struct file *file)
{
    scratch_replace(&world->folder, name, file->bytes, file->len);
    world_wait_listed(world, name, file->len);
}

/* What looks like a signature of Arduino's to those who do not hold the key. */
static void sign(struct file *file)
{
    memset(file->bytes + file->len, 0x5A, TRAILER_LEN - 4);
    ota__put_le32(file->bytes + file->len + TRAILER_LEN - 4, TRAILER_LEN - 4);
    file->len += TRAILER_LEN;
}

static bool keep(void *context, const void *data, size_t len)
{
    struct file *file = context;
    assert_true(file->len + len <= sizeof file->bytes);
    memcpy(file->bytes + file->len, data, len);
    file->len += len;
    return true;
}

static void pack(struct file *packed, const struct file *file)
{
    struct gzip_packer packer;
    packed->len = 0;
    assert_true(gzip_pack_begin(&packer, keep, packed));
    assert_true(gzip_pack(&packer, file->bytes, file->len));
    assert_true(gzip_pack_end(&packer));
}

static void put_hex(enum ota_hash_algorithm algorithm, const void *data, size_t len, char *text)
{
    const struct ota_crypto *crypto = &ota_crypto_psa;
    struct ota_hash hash;
    uint8_t digest[OTA_SHA256_SIZE];
    assert_int_equal(crypto->hash_begin(&hash, algorithm), OTA_OK);
    assert_int_equal(crypto->hash_update(&hash, data, len), OTA_OK);
    assert_int_equal(crypto->hash_finish(&hash, digest), OTA_OK);
    for (size_t i = 0; i < ota_digest_size(algorithm); i++) {
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    }
}

/* Where the packed form of a file is kept. */
static const char *packed_path(struct world *world, const struct file *file)
{
    char hex[2 * OTA_SHA256_SIZE + 1];
    char name[sizeof PACKED_FOLDER + sizeof hex + 8];
    put_hex(OTA_HASH_SHA256, file->bytes, file->len, hex);
    snprintf(name, sizeof name, "%s/%s.gz", PACKED_FOLDER, hex);
    return scratch_path(&world->folder, name);
}

/* ------------------------------------------------------------------ answers */

/* The answer's headers are of the bytes that came. */
static void assert_proven(const struct answer *answer)
{
    char hex[2 * OTA_SHA256_SIZE + 1];
    char etag[64];
    char len[24];
    assert_int_equal(answer->status, 200);
    assert_false(answer->broken);
    put_hex(OTA_HASH_MD5, answer->body, answer->len, hex);
    assert_header(answer, "x-MD5", hex);
    put_hex(OTA_HASH_SHA256, answer->body, answer->len, hex);
    assert_header(answer, "x-SHA256", hex);
    snprintf(etag, sizeof etag, "\"%.48s\"", hex);
    assert_header(answer, "ETag", etag);
    snprintf(len, sizeof len, "%zu", answer->len);
    assert_header(answer, "Content-Length", len);
    assert_header(answer, "Content-Encoding", NULL);
    assert_header(answer, "Content-Type", "application/octet-stream");
}

static void assert_plain(struct answer answer, const struct file *file)
{
    assert_proven(&answer);
    assert_body(&answer, file->bytes, file->len);
    answer_free(&answer);
}

/* It came packed, and unpacks to the file. */
static void assert_packed(struct answer answer, const struct file *file)
{
    static uint8_t plain[IMAGE_LEN + 4096];
    struct gzip_unpacker unpacker;
    size_t total = 0;
    size_t got = 0;
    assert_proven(&answer);
    assert_true(answer.len < file->len / 2);
    gzip_unpack_begin(&unpacker);
    gzip_unpack(&unpacker, answer.body, answer.len);
    while (gzip_unpack_next(&unpacker, plain + total, sizeof plain - total, &got)) {
        total += got;
    }
    gzip_unpack_end(&unpacker);
    assert_int_equal(unpacker.state, GZIP_WHOLE);
    assert_int_equal(unpacker.taken, answer.len);
    assert_int_equal(total, file->len);
    assert_memory_equal(plain, file->bytes, total);
    answer_free(&answer);
}

static void assert_status(struct answer answer, long status, const char *word)
{
    assert_int_equal(answer.status, status);
    assert_non_null(strstr((char *)answer.body, word));
    answer_free(&answer);
}

/* ------------------------------------------------------------------ who gets them */

static void test_own_client(void **state)
{
    struct world *world = *state;
    static struct file file;
    make_image(&file, "1.0.0");
    put(world, "garden.bin", &file);
    world_wait_packed(world, 1, 0);

    assert_plain(world_ask(world, PULL UPDRAFT_HEADERS "\r\n"), &file);
    assert_plain(world_ask(world, PULL UPDRAFT_HEADERS "x-Updraft-accept: zstd, gzipp\r\n\r\n"),
                 &file);
    assert_plain(world_ask(world, PULL UPDRAFT_HEADERS "x-Updraft-accept: plain, gzip\r\n\r\n"),
                 &file);
    assert_packed(world_ask(world, PULL UPDRAFT_HEADERS TAKES_GZIP "\r\n"), &file);
    const struct server_request entry = world_wait_logged(world, 4);
    assert_true(entry.compressed);
    assert_true(entry.complete);
    assert_string_equal(entry.image, "garden.bin");
    struct answer answer =
        world_ask(world, PULL UPDRAFT_HEADERS "X-UPDRAFT-ACCEPT: heatshrink, GZIP\r\n\r\n");
    assert_header(&answer, "Content-Disposition", "attachment; filename=\"garden.bin.gz\"");
    assert_header(&answer, "x-version", "1.0.0");
    assert_packed(answer, &file);
    answer = world_ask(world, "HEAD /pull HTTP/1.0\r\n" UPDRAFT_HEADERS TAKES_GZIP "\r\n");
    assert_int_equal(answer.status, 200);
    assert_true(strtoul(answer_header(&answer, "Content-Length"), NULL, 10) < IMAGE_LEN / 2);
    answer_free(&answer);
    /* By its name it is what it is. */
    answer = client_get(world->port, "/files/garden.bin", NULL);
    assert_plain(answer, &file);
}

/* Who goes on with what he has begun has begun with plain bytes. */
static void test_resuming(void **state)
{
    struct world *world = *state;
    static struct file file;
    char request[1024];
    char etag[80];
    make_image(&file, "1.0.0");
    put(world, "garden.bin", &file);
    world_wait_packed(world, 1, 0);
    struct answer answer = world_ask(world, PULL UPDRAFT_HEADERS "\r\n");
    snprintf(etag, sizeof etag, "%s", answer_header(&answer, "ETag"));
    answer_free(&answer);
    snprintf(request, sizeof request, "%sRange: bytes=5000-\r\nIf-Range: %s\r\n\r\n",
             PULL UPDRAFT_HEADERS TAKES_GZIP, etag);
    answer = world_ask(world, request);
    assert_int_equal(answer.status, 206);
    assert_body(&answer, file.bytes + 5000, file.len - 5000);
    assert_header(&answer, "ETag", etag);
    answer_free(&answer);
    assert_plain(world_ask(world, PULL UPDRAFT_HEADERS TAKES_GZIP
                           "Range: bytes=5000-\r\nIf-Range: \"another\"\r\n\r\n"),
                 &file);
}

static void test_esp32_never(void **state)
{
    struct world *world = *state;
    static struct file file;
    file.len = image_make(
        file.bytes, sizeof file.bytes,
        &(struct image_facts){
            .chip = OTA_CHIP_ESP32, .size = IMAGE_LEN, .project = "garden", .period = 700});
    put(world, "garden.bin", &file);
    world_wait_packed(world, 1, 0);
    assert_plain(world_ask(world,
                           "GET /pull HTTP/1.0\r\nUser-Agent: ESP32-http-Update\r\n"
                           "x-ESP32-STA-MAC: 34:85:18:41:EB:78\r\n"
                           "x-ESP32-AP-MAC: 36:85:18:41:EB:78\r\n"
                           "x-ESP32-free-space: 1310720\r\nx-ESP32-sketch-size: 1006448\r\n"
                           "x-ESP32-chip-size: 8388608\r\nx-ESP32-sdk-version: v4.4.5\r\n"
                           "x-ESP32-mode: sketch\r\nx-ESP32-version: 0.1\r\n"
                           "Content-Length: 0\r\nAccept-Encoding: gzip\r\n" TAKES_GZIP "\r\n"),
                 &file);
}

static void test_pico(void **state)
{
    struct world *world = *state;
    static const char headers[] =
        "User-Agent: Pico-HTTP-Update\r\nx-Pico-STA-MAC: 28:CD:C1:00:00:01\r\n"
        "x-Pico-AP-MAC: 28:CD:C1:00:00:01\r\nx-Pico-Version: 1.0.0\r\n";
    static struct file file;
    char request[512];
    file.len = 20000;
    memset(file.bytes, 0x11, file.len);
    put(world, "lamp-2.0.0.pico.bin", &file);
    put(world, "lamp-2.0.0.littlefs.bin", &file);
    world_wait_packed(world, 2, 0);
    snprintf(request, sizeof request, "GET / HTTP/1.0\r\n%sx-Pico-Mode: sketch\r\n\r\n", headers);
    assert_packed(world_ask(world, request), &file);
    snprintf(request, sizeof request, "GET / HTTP/1.0\r\n%sx-Pico-Mode: spiffs\r\n\r\n", headers);
    assert_plain(world_ask(world, request), &file);
}

/* ------------------------------------------------------------------ the ESP8266 */

/* A version 1 image (docs/formats/image.md) that packs well. */
static void make_esp8266(struct file *file, uint8_t version, uint8_t wiring)
{
    uint8_t sum = 0xEF;
    file->len = 16 + 20000 + 16;
    memset(file->bytes, 0, file->len);
    memcpy(file->bytes, (const uint8_t[]){0xE9, 1, wiring, 0x40, 0, 0, 0x10, 0x40}, 8);
    ota__put_le32(file->bytes + 8, 0x40100000);
    ota__put_le32(file->bytes + 12, 20000);
    for (size_t i = 16; i < 16 + 20000; i++) {
        file->bytes[i] = (uint8_t)(i / 500 + version);
        sum ^= file->bytes[i];
    }
    file->bytes[file->len - 1] = sum;
}

static struct answer ask_as_esp8266(struct world *world, const struct file *running,
                                    unsigned free_space, const char *rest)
{
    char md5[2 * OTA_MD5_SIZE + 1];
    char request[1024];
    put_hex(OTA_HASH_MD5, running->bytes, running->len, md5);
    snprintf(request, sizeof request,
             "GET / HTTP/1.0\r\nUser-Agent: ESP8266-http-Update\r\n"
             "x-ESP8266-STA-MAC: 18:FE:AA:AA:AA:AA\r\nx-ESP8266-AP-MAC: 1A:FE:AA:AA:AA:AA\r\n"
             "x-ESP8266-free-space: %u\r\nx-ESP8266-sketch-size: %zu\r\n"
             "x-ESP8266-sketch-md5: %s\r\nx-ESP8266-chip-size: 4194304\r\n"
             "x-ESP8266-sdk-version: 2.2.2\r\nx-ESP8266-mode: sketch\r\n%s\r\n",
             free_space, running->len, md5, rest);
    return world_ask(world, request);
}

#define CORE_3 "x-ESP8266-version: 1.0.0\r\nContent-Length: 0\r\n"
#define CORE_2 "x-ESP8266-version: 1.0.0\r\n"

static void test_esp8266(void **state)
{
    struct world *world = *state;
    static struct file one;
    static struct file two;
    static struct file other;
    make_esp8266(&one, 1, 2);
    make_esp8266(&two, 2, 2);
    make_esp8266(&other, 3, 0);
    put(world, "door-1.0.0.bin", &one);
    put(world, "door-2.0.0.bin", &two);
    put(world, "door-0.5.0.bin", &other);
    world_wait_packed(world, 3, 0);
    assert_packed(ask_as_esp8266(world, &one, 600000, CORE_3), &two);
    /* The older core, which may not unpack. */
    assert_plain(ask_as_esp8266(world, &one, 600000, CORE_2), &two);
    /* Another wiring of its flash than the image's; one that nobody knows. */
    assert_plain(ask_as_esp8266(world, &other, 600000, CORE_3), &two);
    make_esp8266(&other, 9, 2);
    assert_plain(ask_as_esp8266(world, &other, 600000, CORE_3), &two);
    /* So little room that it would overwrite what it reads: 20,480 for the sketch, 20,480 for what it
       unpacks to, and a sector for what is packed. */
    assert_packed(ask_as_esp8266(world, &one, 4096, CORE_3), &two);
    assert_status(ask_as_esp8266(world, &one, 4095, CORE_3), 403, "the device has room for 4095");
}

/* A maker's own packed file is sent wherever it does no known harm. */
static void test_esp8266_packed_file(void **state)
{
    struct world *world = *state;
    static struct file one;
    static struct file two;
    static struct file packed;
    make_esp8266(&one, 1, 2);
    make_esp8266(&two, 2, 2);
    pack(&packed, &two);
    put(world, "door-2.0.0.bin.gz", &packed);
    assert_plain(ask_as_esp8266(world, &one, 600000, CORE_3), &packed);
    assert_status(ask_as_esp8266(world, &one, 600000, CORE_2), 404,
                  "no app for esp8266 here but compressed, which the device does not unpack");
    assert_status(ask_as_esp8266(world, &one, 4095, CORE_3), 403,
                  "is compressed, and would overwrite itself");
    make_esp8266(&one, 1, 3);
    put(world, "door-1.0.0.bin", &one);
    assert_status(ask_as_esp8266(world, &one, 600000, CORE_3), 403, "is wired in another way");
}

/* ------------------------------------------------------------------ signatures */

/* A signature over what travels: never packed on the way. */
static void test_signed(void **state)
{
    struct world *world = *state;
    static struct file file;
    static struct file packed;
    make_image(&file, "1.0.0");
    pack(&packed, &file);
    sign(&file);
    put(world, "garden.bin.signed", &file);
    assert_plain(world_ask(world, PULL UPDRAFT_HEADERS TAKES_GZIP "\r\n"), &file);
    /* Packed first, signed then: as it is, and only to who unpacks. */
    sign(&packed);
    scratch_delete(&world->folder, "garden.bin.signed");
    put(world, "garden.bin.gz.signed", &packed);
    assert_plain(world_ask(world, PULL UPDRAFT_HEADERS TAKES_GZIP "\r\n"), &packed);
    assert_plain(world_ask(world, PULL UPDRAFT_HEADERS "x-Updraft-accept: plain,gzip\r\n\r\n"),
                 &packed);
    assert_status(world_ask(world, PULL UPDRAFT_HEADERS "\r\n"), 404,
                  "but compressed, which the device does not unpack");
    /* What runs is known also by a packed and signed file. */
    char digest[2 * OTA_SHA256_SIZE + 1];
    char request[1024];
    put_hex(OTA_HASH_SHA256, file.bytes, file.len - TRAILER_LEN, digest);
    snprintf(request, sizeof request, "%sx-Updraft-sketch-sha256: %s\r\n\r\n",
             PULL UPDRAFT_HEADERS TAKES_GZIP, digest);
    struct answer answer = world_ask(world, request);
    assert_int_equal(answer.status, 304);
    answer_free(&answer);
    assert_int_not_equal(access(scratch_path(&world->folder, PACKED_FOLDER), F_OK), 0);
}

/* ------------------------------------------------------------------ packed files that are wrong */

static void assert_problem(struct world *world, const char *name, const char *problem)
{
    struct catalog_snapshot *snapshot = catalog_take(server_catalog(world->server));
    const struct catalog_image *image = catalog_find(snapshot, name);
    assert_non_null(image);
    assert_int_equal(image->facts.kind, FILE_PLAIN);
    assert_string_equal(image->facts.problem, problem);
    catalog_release(snapshot);
}

static void test_wrong_files(void **state)
{
    struct world *world = *state;
    static struct file file;
    static struct file packed;
    static struct file wrong;
    make_image(&file, "1.0.0");
    pack(&packed, &file);
    wrong = packed;
    wrong.len -= 9;
    put(world, "short.bin.gz", &wrong);
    assert_problem(world, "short.bin.gz", "compressed, and damaged: it ends too early");
    wrong = packed;
    wrong.bytes[wrong.len - 1] ^= 1;
    put(world, "length.bin.gz", &wrong);
    assert_problem(world, "length.bin.gz", "compressed, and damaged: incorrect length check");
    wrong = packed;
    memset(wrong.bytes + wrong.len, 0, TRAILER_LEN);
    wrong.len += TRAILER_LEN;
    put(world, "more.bin.gz", &wrong);
    assert_problem(world, "more.bin.gz",
                   "compressed, and followed by something that is no signature");
    file.bytes[5000] ^= 1;
    pack(&wrong, &file);
    put(world, "image.bin.gz", &wrong);
    struct answer answer = client_get(world->port, "/api/v1/images", NULL);
    assert_non_null(strstr((char *)answer.body, "no valid image"));
    answer_free(&answer);
    assert_status(world_ask(world, PULL UPDRAFT_HEADERS TAKES_GZIP "\r\n"), 404, "no app");
    /* What is no image is nobody's business. */
    memcpy(file.bytes, "notes", 5);
    file.len = 5;
    pack(&wrong, &file);
    wrong.len -= 3;
    put(world, "notes.txt.gz", &wrong);
    assert_problem(world, "notes.txt.gz", "");
}

static void bomb(struct file *file, const struct file *image)
{
    static const uint8_t zeros[65536];
    struct gzip_packer packer;
    bool good = true;
    file->len = 0;
    assert_true(gzip_pack_begin(&packer, keep, file));
    good = gzip_pack(&packer, image->bytes, image->len);
    for (uint64_t len = 0; good && len <= GZIP_PLAIN_MAX; len += sizeof zeros) {
        good = gzip_pack(&packer, zeros, sizeof zeros);
    }
    assert_true(gzip_pack_end(&packer) && good);
}

/* However much it unpacks to. */
static void test_bomb(void **state)
{
    struct world *world = *state;
    static struct file file;
    static struct file packed;
    make_image(&file, "1.0.0");
    bomb(&packed, &file);
    put(world, "bomb.bin.gz", &packed);
    assert_problem(world, "bomb.bin.gz",
                   "compressed, and damaged: unpacks to more than any flash holds");
}

/* ------------------------------------------------------------------ where they are kept */

static ino_t inode_of(const char *path)
{
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return status.st_ino;
}

static void test_made_once(void **state)
{
    struct world *world = *state;
    static struct file file;
    make_image(&file, "1.0.0");
    put(world, "garden.bin", &file);
    world_wait_packed(world, 1, 0);
    const ino_t first = inode_of(packed_path(world, &file));
    world_restart(world, false);
    world_wait_packed(world, 1, 0);
    assert_int_equal(inode_of(packed_path(world, &file)), first);
    assert_packed(world_ask(world, PULL UPDRAFT_HEADERS TAKES_GZIP "\r\n"), &file);
    /* The same bytes under another name need no second one. */
    put(world, "again.bin", &file);
    world_wait_packed(world, 2, 0);
    assert_int_equal(inode_of(packed_path(world, &file)), first);
}

/* What is in the folder is believed only when it is proven. */
static void test_damaged(void **state)
{
    struct world *world = *state;
    static struct file file;
    static struct file other;
    static struct file packed;
    make_image(&file, "1.0.0");
    make_image(&other, "1.0.1");
    put(world, "garden.bin", &file);
    world_wait_packed(world, 1, 0);
    world_stop(world);
    pack(&packed, &other);
    const char *path = packed_path(world, &file);
    const int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, packed.bytes, packed.len), (ssize_t)packed.len);
    close(fd);
    world_restart(world, false);
    world_wait_packed(world, 1, 0);
    assert_packed(world_ask(world, PULL UPDRAFT_HEADERS TAKES_GZIP "\r\n"), &file);
    /* Changed or gone while the server runs: the plain file is there. */
    const int again = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(write(again, "x", 1), 1);
    close(again);
    assert_plain(world_ask(world, PULL UPDRAFT_HEADERS TAKES_GZIP "\r\n"), &file);
    assert_int_equal(unlink(path), 0);
    assert_plain(world_ask(world, PULL UPDRAFT_HEADERS TAKES_GZIP "\r\n"), &file);
}

static void test_cleaned_up(void **state)
{
    struct world *world = *state;
    static struct file file;
    static struct file next;
    make_image(&file, "1.0.0");
    make_image(&next, "1.1.0");
    put(world, "garden.bin", &file);
    world_wait_packed(world, 1, 0);
    scratch_write(&world->folder, PACKED_FOLDER "/notes", "mine", 4);
    put(world, "garden.bin", &next);
    world_wait_packed(world, 2, 0);
    world_stop(world); /* the packer has ended its round */
    world_restart(world, false);
    world_wait_packed(world, 1, 0);
    world_stop(world);
    assert_int_equal(access(packed_path(world, &next), F_OK), 0);
    assert_int_not_equal(access(packed_path(world, &file), F_OK), 0);
    assert_int_equal(access(scratch_path(&world->folder, PACKED_FOLDER "/notes"), F_OK), 0);
}

static void test_nowhere_to_keep(void **state)
{
    struct world *world = *state;
    static struct file file;
    make_image(&file, "1.0.0");
    scratch_write(&world->folder, PACKED_FOLDER, "in the way", 10);
    put(world, "garden.bin", &file);
    world_wait_packed(world, 0, 1);
    assert_plain(world_ask(world, PULL UPDRAFT_HEADERS TAKES_GZIP "\r\n"), &file);
}

static void test_not_asked_for(void **state)
{
    struct world *world = *state;
    static struct file file;
    world_restart(world, true);
    make_image(&file, "1.0.0");
    put(world, "garden.bin", &file);
    assert_plain(world_ask(world, PULL UPDRAFT_HEADERS TAKES_GZIP "\r\n"), &file);
    world_stop(world);
    assert_int_not_equal(access(scratch_path(&world->folder, PACKED_FOLDER), F_OK), 0);
}

/* What does not become smaller goes as it is. */
static void test_not_worth_it(void **state)
{
    struct world *world = *state;
    static struct file noisy;
    static struct file file;
    noisy.len = image_make(noisy.bytes, sizeof noisy.bytes,
                           &(struct image_facts){.chip = OTA_CHIP_HOST,
                                                 .project = "garden",
                                                 .version = "2.0.0",
                                                 .size = IMAGE_LEN,
                                                 .seed = 3});
    noisy.bytes[noisy.len++] =
        0; /* filler behind it: a file that is not known to be whole at once */
    put(world, "a.bin", &noisy);
    make_image(&file, "1.0.0");
    put(world, "b.bin", &file);
    world_wait_packed(world, 1, 0); /* in the order of their names */
    const struct answer answer = world_ask(world, PULL UPDRAFT_HEADERS TAKES_GZIP "\r\n");
    assert_plain(answer, &noisy);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_own_client),
        TEST(test_resuming),
        TEST(test_esp32_never),
        TEST(test_pico),
        TEST(test_esp8266),
        TEST(test_esp8266_packed_file),
        TEST(test_signed),
        TEST(test_wrong_files),
        TEST(test_bomb),
        TEST(test_made_once),
        TEST(test_damaged),
        TEST(test_cleaned_up),
        TEST(test_nowhere_to_keep),
        TEST(test_not_asked_for),
        TEST(test_not_worth_it),
    };
    curl_global_init(CURL_GLOBAL_DEFAULT);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
