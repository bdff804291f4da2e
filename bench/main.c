/* SPDX-License-Identifier: Apache-2.0 */
/* updraft-bench: the figures that the project watches. `--short` measures less often; `--json FILE`
   writes them there; power cuts are taken from the last run of the power harness, if any. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "chains.h"
#include "decode.h"
#include "figures.h"
#include "network.h"
#include "rig.h"

/* The floor of flash time: largest erase blocks for what they cover whole, sectors for the rest,
   and a program of each page. */
static double flash_floor_ns(void)
{
    uint32_t blocks = RIG_IMAGE_SIZE / RIG_BLOCK;
    uint32_t sectors = (RIG_IMAGE_SIZE % RIG_BLOCK + RIG_SECTOR - 1) / RIG_SECTOR;
    uint32_t pages = (RIG_IMAGE_SIZE + 255) / 256;

    return (double)blocks * (double)nor_erase_time_ns(RIG_BLOCK) +
           (double)sectors * (double)nor_erase_time_ns(RIG_SECTOR) + (double)pages * 0.4e6;
}

static double flash_time_ns(uint32_t buffer_size, bool unknown)
{
    struct rig rig;
    static struct ota_update update;
    uint64_t before;
    double spent;

    rig_init(&rig);
    before = rig.state.statistics.time_ns;
    rig_update(&rig, 1, buffer_size, unknown, &update);
    spent = (double)(rig.state.statistics.time_ns - before);
    rig_free(&rig);
    return spent;
}

static void measure_flash_time(struct figures *figures)
{
    double known = flash_time_ns(RIG_SECTOR, false) / flash_floor_ns();
    double page = flash_time_ns(256, false) / flash_floor_ns();
    double sectors = flash_time_ns(RIG_SECTOR, true) / flash_floor_ns();

    figures_add(figures,
                &(struct figure){"flash_time_ratio", known, "",
                                 "flash time of an update over the floor", 1.05, false, false});
    figures_add(figures,
                &(struct figure){"flash_time_ratio_page_buffer", page, "",
                                 "the same with a buffer of 256 bytes", 1.05, false, false});
    figures_add(figures, &(struct figure){"flash_time_ratio_sector_erase", sectors, "",
                                          "the same, erasing 4 KiB at a time", 0, false, false});
}

static double hash_seconds(const struct rig *rig)
{
    struct ota_hash hash;
    uint8_t digest[OTA_SHA256_SIZE];
    double start = rig_seconds();

    (void)rig->device.crypto->hash_begin(&hash, OTA_HASH_SHA256);
    for (uint32_t at = 0; at < RIG_IMAGE_SIZE; at += RIG_SECTOR) {
        uint32_t left = RIG_IMAGE_SIZE - at;
        (void)rig->device.crypto->hash_update(&hash, rig->image[0] + at,
                                              left < RIG_SECTOR ? left : RIG_SECTOR);
    }
    (void)rig->device.crypto->hash_finish(&hash, digest);
    return rig_seconds() - start;
}

/* The least of several runs each, taken in turns: what the machine does besides hits both. */
static void measure_pipeline(struct figures *figures, int runs)
{
    struct rig rig;
    static struct ota_update update;
    double hash = 1e9;
    double whole = 1e9;

    rig_init(&rig);
    for (int i = 0; i < runs; i++) {
        double seconds = hash_seconds(&rig);
        hash = seconds < hash ? seconds : hash;
        seconds = rig_seconds();
        rig_update(&rig, (i + 1) & 1, RIG_SECTOR, false, &update);
        seconds = rig_seconds() - seconds;
        whole = seconds < whole ? seconds : whole;
    }
    rig_free(&rig);
    figures_add(figures, &(struct figure){"pipeline_over_hash", hash / whole, "",
                                          "update throughput over hashing alone", 0.8, true, true});
    figures_add(figures,
                &(struct figure){"pipeline_mb_per_second", RIG_IMAGE_SIZE / whole / 1e6, "MB/s",
                                 "update throughput, untimed flash", 0, false, false});
}

static void measure_boot(struct figures *figures)
{
    struct rig rig;
    static struct ota_boot boot;
    static uint8_t buffer[1024];
    uint64_t before;
    double seconds;

    rig_init(&rig);
    boot.device = &rig.device;
    boot.read = ota_image_read;
    before = rig.state.statistics.bytes_read;
    seconds = rig_seconds();
    if (ota_boot_decide(&boot, buffer, sizeof buffer) != OTA_OK) {
        rig_fail("booting", boot.failure.err);
    }
    seconds = rig_seconds() - seconds;
    figures_add(figures, &(struct figure){
                             "boot_read_ratio",
                             (double)(rig.state.statistics.bytes_read - before) / RIG_IMAGE_SIZE,
                             "", "flash bytes read by a boot over image size", 1.02, false, false});
    figures_add(figures,
                &(struct figure){"boot_ms", seconds * 1e3, "ms",
                                 "a boot of 867,072 bytes on this machine", 0, false, false});
    rig_free(&rig);
}

static const char *const power_names[] = {"power_cuts", "power_cuts_per_second", NULL};
static const char *const skip_names[] = {"skips", "boot_ms_900k", NULL};

/* What another program wrote on its last run. */
static void take_file(struct figures *figures, const char *path, const char *const *names,
                      const char *about)
{
    static char text[65536];
    FILE *file = fopen(path, "r");
    cJSON *object = NULL;

    if (file != NULL) {
        text[fread(text, 1, sizeof text - 1, file)] = '\0';
        fclose(file);
        object = cJSON_Parse(text);
    }
    for (; *names != NULL; names++) {
        const cJSON *item = cJSON_GetObjectItem(object, *names);
        if (cJSON_IsNumber(item)) {
            figures_add(figures,
                        &(struct figure){*names, item->valuedouble, "", about, 0, false, false});
        }
    }
    if (object == NULL) {
        printf("(no figures %s yet)\n", about);
    }
    cJSON_Delete(object);
}

/* What the test of TLS's memory counts, where it could be built. */
static void take_tls_memory(struct figures *figures)
{
#ifdef TLS_MEMORY_TEST
    static const char start[] = "tls memory, P-256: peak ";
    /* NOLINTNEXTLINE(cert-env33-c): a program of this build, no words of anybody else */
    FILE *test = popen("'" TLS_MEMORY_TEST "' 2>&1", "r");
    char line[512];

    while (test != NULL && fgets(line, sizeof line, test) != NULL) {
        if (strncmp(line, start, sizeof start - 1) == 0) {
            figures_add(figures, &(struct figure){"ram_tls_connection",
                                                  strtod(line + sizeof start - 1, NULL), "bytes",
                                                  "peak heap of a TLS connection, in its handshake",
                                                  0, false, false});
        }
    }
    if (test == NULL || pclose(test) != 0) {
        fprintf(stderr, "updraft-bench: %s failed\n", TLS_MEMORY_TEST);
    }
#else
    (void)figures;
#endif
}

int main(int argc, char **argv)
{
    static struct figures figures;
    const char *json = NULL;
    int runs = 200;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--short") == 0) {
            runs = 20;
        } else if (strcmp(argv[i], "--json") == 0 && i + 1 < argc) {
            json = argv[++i];
        } else {
            fprintf(stderr, "usage: updraft-bench [--short] [--json FILE]\n");
            return 2;
        }
    }
    measure_flash_time(&figures);
    measure_pipeline(&figures, runs);
    measure_boot(&figures);
    decode_measure(&figures, runs);
    chains_measure(&figures);
    network_measure(&figures, runs / 5);
    take_tls_memory(&figures);
    take_file(&figures, "build/power.json", power_names, "from the last run of make test-power");
    take_file(&figures, "build/skips.json", skip_names, "from the last run of make test-skips");
    if (json != NULL && !figures_write_json(&figures, json)) {
        return 1;
    }
    return figures_print(&figures) == 0 ? 0 : 1;
}
