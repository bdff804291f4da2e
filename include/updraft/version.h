/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_VERSION_H
#define UPDRAFT_VERSION_H

/*
 * What "newer" means. Versions are free text; most have the shape that can be put in order:
 *
 *     [v] number { . number } [ - pre-release ] [ - commits - g hash ] [ -dirty ] [ + build ]
 *
 * Two of that shape compare as Semantic Versioning 2.0 section 11 has it, with these additions: any
 * count of numbers, of any length, missing ones being 0; the tail that `git describe` appends
 * counts as *after* the release it names (1.2.0 < 1.2.0-3-g1a2b3c4), and a dirty tree as just after
 * its clean twin; build metadata does not count. Everything else is the same or merely different.
 */

#include <stdbool.h>

#include <updraft/image.h>

enum ota_version_order {
    OTA_VERSION_OLDER,
    OTA_VERSION_SAME,
    OTA_VERSION_NEWER,
    OTA_VERSION_DIFFERENT, /* not the same, and no order between them is known */
};

/* Says what `candidate` is, seen from `present`: OTA_VERSION_NEWER if it comes after. */
enum ota_version_order ota_version_compare(const char *candidate, const char *present);

/* Says whether `text` has the shape that can be put in order. */
bool ota_version_is_ordered(const char *text);

/* Tells whether both are of one build: they name the same program file, whatever their versions
   say. */
bool ota_app_descriptor_is_same_build(const struct ota_app_descriptor *a,
                                      const struct ota_app_descriptor *b);

#endif
