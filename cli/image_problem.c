/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with an image file, in one sentence: what, where, what to do. */

#include "cli/image_reader.h"

#include <string.h>

#include "cli/heatshrink.h"
#include "cli/image_names.h"
#include "cli/output.h"

/* What files that are no image begin with. */
static const struct {
    const char *bytes;
    size_t len;
    const char *what;
} beginnings[] = {
    {"\x1f\x8b", 2, "a gzip file: unpack it with gunzip and try again"},
    {"\x7f\x45LF", 4, "an ELF program: make an image of it with \"updraft image make\""},
    {"\xaa\x50", 2, "a partition table: see \"updraft partition show\""},
    {"PK\x03\x04", 4, "a zip archive: unpack it and name the image inside"},
    {"\xff\xff\xff\xff", 4,
     "erased flash or padding; a whole chip's image may begin so: see "
     "\"updraft flash show\""},
    {":", 1, "text, maybe Intel HEX: convert it to binary"},
    {"UF2\n", 4, "a UF2 file: convert it to binary"},
};

static int fail_magic(const struct image_report *report)
{
    for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
        if (report->failure.offset == 0 &&
            memcmp(report->first, beginnings[i].bytes, beginnings[i].len) == 0) {
            return fail("%s: is no firmware image but %s", report->name, beginnings[i].what);
        }
    }
    if (report->failure.offset == 0 && heatshrink_is_packed(report->first, sizeof(report->first))) {
        return fail(
            "%s: is no firmware image but seems to be one that heatshrink compressed, which "
            "only a device that is set to its numbers unpacks; look at the image itself",
            report->name);
    }
    if (report->failure.offset == 0) {
        return fail("%s: is no firmware image: it begins with 0x%02x, and images begin with 0xe9",
                    report->name, report->first[0]);
    }
    return fail("%s: the second part of the image, at 0x%x, does not begin with 0xe9; the file is "
                "damaged",
                report->name, report->failure.offset);
}

/* Where a file that ends too early ends: inside a segment, or before or behind them. */
static int fail_truncated(const struct image_report *report)
{
    uint32_t offset = report->failure.offset;
    struct output_text end = output_thousands(offset);
    const struct image_report_segment *last =
        report->segment_count > 0 ? &report->segments[report->segment_count - 1] : NULL;
    if (last == NULL) {
        return fail("%s: ends at %s (0x%x), before its first segment. The file is cut short",
                    report->name, end.text, offset);
    }
    uint64_t data_end = (uint64_t)last->offset + 8 + last->length;
    if (offset < data_end) {
        return fail("%s: image ends at %s (0x%x) inside segment %u, which needs %s bytes. The file "
                    "is cut short",
                    report->name, end.text, offset, report->segment_count - 1,
                    output_thousands(last->length).text);
    }
    const char *missing = report->image.data_end != 0 && data_end == report->image.data_end
                              ? (report->checksum_known ? "its digest" : "its checksum")
                              : "its next segment";
    return fail("%s: image ends at %s (0x%x) before the end of %s. The file is cut short",
                report->name, end.text, offset, missing);
}

static int fail_checksum(const struct image_report *report)
{
    return fail(
        "%s: the checksum at 0x%x is 0x%02x, but the data give 0x%02x: the file is damaged; "
        "fetch or build it again",
        report->name, report->failure.offset, report->checksum_stored, report->image.checksum);
}

static int fail_hash(const struct image_report *report)
{
    if (report->image.has_digest) {
        return fail(
            "%s: the SHA-256 at 0x%x does not match the image: the file is damaged; fetch or "
            "build it again",
            report->name, report->failure.offset);
    }
    return fail("%s: the CRC at 0x%x does not match the file, which gives 0x%08x: it is damaged; "
                "fetch or build it again",
                report->name, report->failure.offset, report->image.crc);
}

static int fail_segment(const struct image_report *report, const char *if_bootloader)
{
    const struct image_report_segment *segment = &report->segments[report->segment_count - 1];
    unsigned index = report->segment_count - 1;
    if (segment->length % 4 != 0 || segment->length >= 0x1000000u) {
        return fail(
            "%s: segment %u, at 0x%x, claims %s bytes, which no image can have; the file is "
            "damaged or no image",
            report->name, index, segment->offset, output_thousands(segment->length).text);
    }
    return fail(
        "%s: segment 0 has %s bytes, too few for an app's description; if it is a bootloader, %s",
        report->name, output_thousands(segment->length).text, if_bootloader);
}

static int fail_chip(const struct image_report *report)
{
    char unknown[IMAGE_CHIP_NAME_SIZE];
    char unknown_wanted[IMAGE_CHIP_NAME_SIZE];
    return fail("%s: is an image for %s, not for %s", report->name,
                image_chip_name(report->chip, unknown),
                image_chip_name(report->wanted_chip, unknown_wanted));
}

int image_report_fail(const struct image_report *report, const char *if_bootloader)
{
    const struct ota_failure *failure = &report->failure;
    switch (failure->err) {
    case OTA_ERR_IMAGE_MAGIC:
        return fail_magic(report);
    case OTA_ERR_IMAGE_TRUNCATED:
        return fail_truncated(report);
    case OTA_ERR_IMAGE_CHECKSUM:
        return fail_checksum(report);
    case OTA_ERR_IMAGE_HASH:
        return fail_hash(report);
    case OTA_ERR_IMAGE_SEGMENT:
        return fail_segment(report, if_bootloader);
    case OTA_ERR_IMAGE_CHIP:
        return fail_chip(report);
    case OTA_ERR_IMAGE_SEGMENT_COUNT:
        return fail("%s: claims %u segments, and images have at most %u; the file is damaged or no "
                    "image",
                    report->name, report->image.segment_count, OTA_IMAGE_SEGMENTS_MAX);
    case OTA_ERR_TOO_LARGE:
        return fail("%s: claims more bytes at 0x%x than any flash chip has; the file is damaged or "
                    "no image",
                    report->name, failure->offset);
    default:
        return fail("%s: at byte %s (0x%x): %s", report->name,
                    output_thousands(failure->offset).text, failure->offset,
                    ota_err_text(failure->err));
    }
}

/* --- the packing ---------------------------------------------------------------------------- */

double image_report_percent(const struct image_report *report)
{
    return 100.0 * (double)report->packed_size / (double)report->file_size;
}

int image_report_check_packing(const struct image_report *report)
{
    return report->packed_trailer == 0 || report->signature.kind == SIGNATURE_ARDUINO
               ? 0
               : fail("%s: %s bytes that are no signature follow the compressed image; devices "
                      "refuse that",
                      report->name, output_thousands(report->packed_trailer).text);
}
