/* SPDX-License-Identifier: Apache-2.0 */
#include "figures.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

void figures_add(struct figures *figures, const struct figure *figure)
{
    if (figures->count == sizeof figures->list / sizeof figures->list[0]) {
        fprintf(stderr, "updraft-bench: more figures than the list holds; enlarge it\n");
        abort();
    }
    figures->list[figures->count++] = *figure;
}

static bool is_beyond(const struct figure *figure)
{
    if (figure->limit <= 0) {
        return false;
    }
    return figure->at_least ? figure->value < figure->limit : figure->value > figure->limit;
}

int figures_print(const struct figures *figures)
{
    int beyond = 0;

    for (size_t i = 0; i < figures->count; i++) {
        const struct figure *figure = &figures->list[i];
        printf("%-40s %14.5g %-6s %s", figure->name, figure->value, figure->unit, figure->about);
        if (figure->limit > 0) {
            printf(" (%s %g%s)", figure->at_least ? "at least" : "at most", figure->limit,
                   is_beyond(figure) ? ": MISSED" : "");
        }
        putchar('\n');
        beyond += is_beyond(figure) && !figure->timed;
    }
    return beyond;
}

static bool write_text(const char *path, const char *text)
{
    char temporary[4096];
    FILE *file;
    bool good;

    if ((size_t)snprintf(temporary, sizeof temporary, "%s.new", path) >= sizeof temporary) {
        errno = ENAMETOOLONG;
        return false;
    }
    file = fopen(temporary, "w");
    if (file == NULL) {
        return false;
    }
    good = fprintf(file, "%s\n", text) > 0;
    good = fclose(file) == 0 && good;
    return good && rename(temporary, path) == 0;
}

bool figures_write_json(const struct figures *figures, const char *path)
{
    cJSON *object = cJSON_CreateObject();
    char *text;
    bool good;

    for (size_t i = 0; i < figures->count; i++) {
        cJSON_AddNumberToObject(object, figures->list[i].name, figures->list[i].value);
    }
    text = cJSON_Print(object);
    good = text != NULL && write_text(path, text);
    if (!good) {
        fprintf(stderr, "updraft-bench: cannot write %s: %s\n", path, strerror(errno));
    }
    cJSON_free(text);
    cJSON_Delete(object);
    return good;
}
