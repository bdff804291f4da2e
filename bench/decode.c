/* SPDX-License-Identifier: Apache-2.0 */
#include "decode.h"

#include <string.h>
#include <time.h>

#include <zlib.h>

#include <updraft/gunzip.h>

#include "decode/store.h"
#include "firmware.h"
#include "rig.h"

#define SIZE 1572864u
#define PIECE 4096u

static size_t compress_best(const uint8_t *data, uint8_t *file, size_t capacity)
{
    z_stream stream = {.next_in = data, .avail_in = SIZE};

    stream.next_out = file;
    stream.avail_out = (uInt)capacity;
    if (deflateInit2(&stream, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) != Z_OK ||
        deflate(&stream, Z_FINISH) != Z_STREAM_END) {
        rig_fail("compressing", OTA_ERR_NO_MEMORY);
    }
    (void)deflateEnd(&stream);
    return stream.total_out;
}

/* Seconds that this thread has worked: a run is long enough to be interrupted. */
static double own_seconds(void)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static double ours(struct store *store, const uint8_t *file, size_t len)
{
    static struct ota_gunzip gunzip;
    const struct ota_gunzip_options options = {.next = &store->sink, .history = &store->history};
    enum ota_err err = OTA_OK;
    const double start = own_seconds();

    store_clear(store);
    ota_gunzip_begin(&gunzip, &options);
    for (size_t at = 0; err == OTA_OK && at < len; at += PIECE) {
        err = gunzip.sink.write(&gunzip.sink, file + at, len - at < PIECE ? len - at : PIECE);
    }
    err = err == OTA_OK ? gunzip.sink.finish(&gunzip.sink) : err;
    if (err != OTA_OK) {
        rig_fail("decompressing", err);
    }
    return own_seconds() - start;
}

static double zlibs(uint8_t *output, const uint8_t *file, size_t len)
{
    const double start = own_seconds();
    z_stream stream = {.next_in = file, .avail_in = (uInt)len};

    stream.next_out = output;
    stream.avail_out = SIZE;
    if (inflateInit2(&stream, 31) != Z_OK || inflate(&stream, Z_FINISH) != Z_STREAM_END) {
        rig_fail("decompressing with zlib", OTA_ERR_COMPRESSED_DATA);
    }
    (void)inflateEnd(&stream);
    return own_seconds() - start;
}

void decode_measure(struct figures *figures, int runs)
{
    static uint8_t data[SIZE], output[SIZE], file[SIZE + 1000];
    struct store store;
    double our_best = 1e9, zlib_best = 1e9;

    firmware_make(data, SIZE);
    const size_t len = compress_best(data, file, sizeof file);
    store_init(&store, SIZE);
    for (int i = 0; i < runs; i++) {
        const double our_time = ours(&store, file, len);
        const double zlib_time = zlibs(output, file, len);
        our_best = our_time < our_best ? our_time : our_best;
        zlib_best = zlib_time < zlib_best ? zlib_time : zlib_best;
    }
    if (memcmp(store.bytes, data, SIZE) != 0 || memcmp(output, data, SIZE) != 0) {
        rig_fail("comparing what was decompressed", OTA_ERR_COMPRESSED_DATA);
    }
    store_free(&store);
    figures_add(figures, &(struct figure){"inflate_over_zlib", zlib_best / our_best, "",
                                          "speed of gunzip over zlib's inflate", 0.5, true, true});
    figures_add(figures, &(struct figure){"gunzip_mb_per_second", SIZE / our_best / 1e6, "MB/s",
                                          "gunzip of 1.5 MB of firmware", 0, false, false});
}
