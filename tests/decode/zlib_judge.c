/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/zlib_judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include <updraft/gunzip.h>

#include "decode/deflate_writer.h"
#include "decode/store.h"

/* Which file it is, for the case that they differ. */
static uint64_t judged;

#define REQUIRE(condition)                                                                \
    do {                                                                                  \
        if (!(condition)) {                                                               \
            (void)fprintf(stderr, "gunzip and zlib differ about file %llu: not so: %s\n", \
                          (unsigned long long)judged, #condition);                        \
            abort();                                                                      \
        }                                                                                 \
    } while (0)

struct verdict {
    enum ota_err err;
    uint32_t offset, used, len;
};

static uint8_t zlib_output[JUDGE_LIMIT + 1];

/* Returns zlib's answer; all of the limit and one more byte means that there is too much. */
static int ask_zlib(const uint8_t *file, size_t len, int window_bits, size_t *used, size_t *out)
{
    z_stream stream = {.next_in = file, .avail_in = (uInt)len};
    int answer;

    REQUIRE(inflateInit2(&stream, window_bits) == Z_OK);
    stream.next_out = zlib_output;
    stream.avail_out = sizeof zlib_output;
    answer = inflate(&stream, Z_FINISH);
    *used = stream.total_in;
    *out = stream.total_out;
    (void)inflateEnd(&stream);
    return answer;
}

static struct verdict ask_ours(struct store *store, const uint8_t *file, size_t len,
                               const struct cuts *cuts)
{
    static struct ota_gunzip gunzip;
    const struct ota_gunzip_options options = {
        .next = &store->sink, .history = &store->history, .allow_trailer = true};
    enum ota_err err;

    store_clear(store);
    ota_gunzip_begin(&gunzip, &options);
    err = feed(&gunzip.sink, file, len, cuts);
    REQUIRE(gunzip.failure.err == err);
    return (struct verdict){err, gunzip.failure.offset, gunzip.taken - gunzip.trailer, store->len};
}

bool judge_gzip(const uint8_t *file, size_t len, uint64_t seed, const char **why)
{
    static struct store store;
    struct verdict whole, cut;
    size_t used, out;

    judged = seed;
    const int answer = ask_zlib(file, len, 31, &used, &out);
    const bool is_good = answer == Z_STREAM_END && out <= JUDGE_LIMIT;

    if (store.bytes == NULL) {
        store_init(&store, JUDGE_LIMIT);
    }
    cut = ask_ours(&store, file, len, &(struct cuts){seed % 20, seed % 3, seed});
    whole = ask_ours(&store, file, len, &(struct cuts){len, len, 0});
    REQUIRE((whole.err == OTA_OK) == is_good);
    REQUIRE(!is_good || (whole.len == out && whole.used == used));
    REQUIRE(whole.len <= out && memcmp(store.bytes, zlib_output, whole.len) == 0);
    REQUIRE(whole.err == cut.err && whole.offset == cut.offset && whole.len == cut.len);
    REQUIRE(whole.err == OTA_OK ? whole.used == cut.used : whole.offset <= len);
    if (why != NULL) {
        *why = is_good ? "accepted" : whole.err == OTA_ERR_INCOMPLETE ? "too short" : "refused";
    }
    return is_good;
}

void judge_seal(uint8_t *file, size_t len)
{
    size_t used, out;

    if (len >= GZIP_HEADER_SIZE + GZIP_END_SIZE &&
        ask_zlib(file + GZIP_HEADER_SIZE, len - GZIP_HEADER_SIZE, -15, &used, &out) ==
            Z_STREAM_END &&
        len - GZIP_HEADER_SIZE - used >= GZIP_END_SIZE) {
        gzip_end(file + GZIP_HEADER_SIZE + used, zlib_output, out);
    }
}
