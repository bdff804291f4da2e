/* SPDX-License-Identifier: Apache-2.0 */
/* The bar of a long piece of work. */

#include "cli/progress.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/output.h"

#define BAR_CELLS 30u
#define BAR_CELLS_MIN 8u
#define LABEL_MIN 12u      /* columns that are left to it */
#define APPEARS_AFTER 0.25 /* seconds */
#define REDRAWN_EVERY 0.1

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

void progress_begin(struct progress *progress, FILE *stream, const char *label, uint64_t total)
{
    *progress = (struct progress){.stream = stream, .label = label, .total = total};
    progress->active = output_can_redraw(stream);
    progress->started = now();
}

void progress_update(struct progress *progress, uint64_t done)
{
    progress->done = done;
    if (!progress->active) {
        return;
    }
    double time = now();
    if (time - progress->started < APPEARS_AFTER || time - progress->drawn < REDRAWN_EVERY) {
        return;
    }
    progress->drawn = time;
    unsigned columns, rows;
    output_terminal_size(progress->stream, &columns, &rows);
    char *line = progress_line(progress, columns, time - progress->started);
    fprintf(progress->stream, "\r\033[K%s", line);
    free(line);
    fflush(progress->stream);
    progress->visible = true;
}

void progress_clear(struct progress *progress)
{
    if (progress->visible) {
        fputs("\r\033[K", progress->stream);
        fflush(progress->stream);
        progress->visible = false;
        progress->drawn = 0;
    }
}

void progress_end(struct progress *progress)
{
    progress_clear(progress);
    progress->active = false;
}

/* How many cells the bar may have beside `used` columns of text; 0: no bar. */
static unsigned cell_count(const struct progress *progress, size_t used, unsigned columns)
{
    size_t room = used < columns ? columns - used - 1 : 0;
    if (progress->total == 0 || room < BAR_CELLS_MIN) {
        return 0;
    }
    return room < BAR_CELLS ? (unsigned)room : BAR_CELLS;
}

static char *safe_copy(const char *label)
{
    const size_t capacity = 4 * strlen(label) + 1;
    char *safe = output_allocate(capacity);
    output_escape(label, safe, capacity);
    return safe;
}

char *progress_fit(const char *label, const char *text, unsigned columns)
{
    const size_t room = columns > 0 ? columns - 1 : 0;
    const size_t used = output_width(text) + 2;
    const size_t left = room > used ? room - used : 0;
    char *name = output_shorten(label, left > LABEL_MIN ? left : LABEL_MIN);
    char *line = output_format("%s  %s", name, text);
    free(name);
    output_cut(line, room);
    return line;
}

/* " 54 %  457 KB of 846.8 KB  130.6 KB/s  3 s left". */
static char *facts_text(const struct progress *progress, double seconds)
{
    const double rate = seconds > 0 ? (double)progress->done / seconds : 0;
    if (progress->total == 0) {
        return output_format("%s  %s/s", output_size(progress->done).text,
                             output_size((uint64_t)rate).text);
    }
    const uint64_t done = progress->done < progress->total ? progress->done : progress->total;
    const double part = (double)done / (double)progress->total;
    const double left = rate > 0 ? (double)(progress->total - done) / rate : 0;
    return output_format("%3.0f %%  %s of %s  %s/s  %.0f s left", part * 100,
                         output_size(done).text, output_size(progress->total).text,
                         output_size((uint64_t)rate).text, left);
}

char *progress_line(const struct progress *progress, unsigned columns, double seconds)
{
    char *facts = facts_text(progress, seconds);
    char *label = safe_copy(progress->label);
    const unsigned count =
        cell_count(progress, output_width(label) + output_width(facts) + 4, columns);
    char cells[3 * BAR_CELLS + 3] = "";
    if (count > 0) {
        const double part = (double)progress->done / (double)progress->total;
        const unsigned full = part >= 1 ? count : (unsigned)(part * count);
        for (unsigned i = 0; i < count; i++) {
            memcpy(cells + (size_t)3 * i, i < full ? "█" : "░", 3);
        }
        memcpy(cells + (size_t)3 * count, "  ", 3);
    }
    char *text = output_format("%s%s", cells, facts);
    char *line = progress_fit(label, text, columns);
    free(label);
    free(text);
    free(facts);
    return line;
}
