/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is staged as gzip, inflated into its place. It is inflated three times: into the check,
 * before anything is erased; into the flash; and to be compared with what is there then.
 */
#include "boot/staged.h"

#include <updraft/trust.h>

#include "base/bytes.h"
#include "base/mem.h"

/* ---- What comes out -------------------------------------------------------------------------- */

struct output {
    struct ota_sink sink; /* first */
    struct ota_window *window;
    struct ota_sink *next;
    uint32_t skip; /* bytes that are not for `next` */
};

static enum ota_err output_write(struct ota_sink *sink, const void *data, size_t len)
{
    struct output *output = (struct output *)sink;
    size_t skipped = len < output->skip ? len : output->skip;

    ota_window_add(output->window, data, len);
    output->skip -= (uint32_t)skipped;
    return output->next->write(output->next, (const uint8_t *)data + skipped, len - skipped);
}

static enum ota_err output_finish(struct ota_sink *sink)
{
    struct output *output = (struct output *)sink;

    return output->next->finish(output->next);
}

/* Reads what is staged through the first half of the buffer. */
static enum ota_err inflate(struct ota_staged_inflate *inflate, const struct ota__staged *staged,
                            uint32_t skip, struct ota_sink *sink)
{
    struct output output = {.sink = {.write = output_write, .finish = output_finish},
                            .window = &inflate->window,
                            .next = sink,
                            .skip = skip};
    const struct ota_gunzip_options options = {.next = &output.sink,
                                               .history = &inflate->window.history};
    struct ota_sink *gunzip = &inflate->gunzip.sink;
    const struct ota_region *source = &staged->source;
    enum ota_err err = OTA_OK;

    inflate->window.added = 0;
    ota_gunzip_begin(&inflate->gunzip, &options);
    for (uint32_t offset = 0; err == OTA_OK && offset < source->size;) {
        uint32_t n = ota__min(staged->buffer_size / 2, source->size - offset);
        err = ota_region_read(source, offset, staged->buffer, n);
        if (err == OTA_OK) {
            err = gunzip->write(gunzip, staged->buffer, n);
        }
        offset += n;
    }
    return err == OTA_OK ? gunzip->finish(gunzip) : err;
}

/* ---- The proof ------------------------------------------------------------------------------- */

struct checker {
    struct ota_sink sink; /* first */
    struct ota_image_check *check;
};

static enum ota_err check_write(struct ota_sink *sink, const void *data, size_t len)
{
    return ota_image_check_write(((struct checker *)sink)->check, data, len);
}

static enum ota_err check_finish(struct ota_sink *sink)
{
    (void)sink;
    return OTA_OK;
}

/* What may come out. Whether anything may follow the image, the update has judged: the digest of
   what is staged is over every byte. */
static void make_rules(const struct ota__staged *staged, struct ota_image_rules *rules)
{
    ota_device_image_rules(staged->boot->device, &staged->destination, rules);
    rules->allow_trailer = true;
    if (staged->is_data) {
        rules->form = OTA_IMAGE_DATA;
    }
}

static enum ota_err check(struct ota_staged_inflate *inflater, struct ota__staged *staged)
{
    struct ota_boot *boot = staged->boot;
    struct checker checker = {.sink = {.write = check_write, .finish = check_finish},
                              .check = &boot->check};
    struct ota_image_rules rules;
    enum ota_err err;

    make_rules(staged, &rules);
    err = ota_image_check_begin(&boot->check, &rules, boot->device->crypto);
    if (err == OTA_OK) {
        err = inflate(inflater, staged, 0, &checker.sink);
    }
    if (ota_image_check_finish(&boot->check) != OTA_OK && err == OTA_OK) {
        err = boot->check.failure.err;
    }
    boot->check.rules = NULL;
    staged->size = inflater->window.added;
    return err == OTA_OK && !ota__staged_fits(staged, staged->size) ? OTA_ERR_TOO_LARGE : err;
}

/* Seals can be asked only about what lies on the flash as it is. */
static bool demands_seals(const struct ota__staged *staged)
{
    const struct ota_trust *trust = staged->boot->device->trust;

    return !staged->is_data && trust != NULL && trust->at_boot && trust->seals != NULL;
}

static bool prove(const struct ota_staged_move *move, struct ota__staged *staged)
{
    enum ota_err err = OTA_ERR_COMPRESSED;

    if (!ota__staged_has_digest(staged, &staged->source)) {
        return false;
    }
    if (!demands_seals(staged)) {
        err = check(move->state, staged);
    }
    if (err != OTA_OK) {
        (void)ota__staged_report(staged, OTA_BOOT_IMAGE_BAD, err,
                                 staged->boot->check.failure.offset);
    }
    return err == OTA_OK;
}

/* ---- The move -------------------------------------------------------------------------------- */

static enum ota_err feed(const struct ota_staged_move *move, const struct ota__staged *staged,
                         struct ota_sink *sink)
{
    return inflate(move->state, staged, ota__staged_kept(staged), sink);
}

static const struct ota__staged_reader reader = {.prove = prove, .feed = feed};

static bool takes(const struct ota__staged *staged)
{
    const struct ota__command *command = &staged->command;

    return command->action == OTA__COMMAND_COPY && (command->flags & OTA__COMMAND_GZIP) != 0;
}

static enum ota_err carry_out(const struct ota_staged_move *move, struct ota__staged *staged)
{
    return ota__staged_place(move, staged, &reader);
}

static enum ota_err restore(const struct ota_staged_move *move, struct ota__staged *staged)
{
    return ota__staged_place_again(move, staged, &reader);
}

void ota_staged_inflate_init(struct ota_staged_inflate *inflate, uint8_t *window, uint32_t size)
{
    static const struct ota__staged_methods methods = {
        .takes = takes, .carry_out = carry_out, .restore = restore};

    memset(inflate, 0, sizeof *inflate);
    inflate->move.methods = &methods;
    inflate->move.state = inflate;
    ota_window_init(&inflate->window, window, size);
}
