/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A main function for a fuzz target in builds without libFuzzer: runs the target once on nothing
 * and once on each file of the folders named on the command line. Fails when a file cannot be read,
 * or when there was none.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In a block of exactly its size, so that the address sanitizer sees a read past the end. */
static int replay_file(const char *path, size_t size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(size != 0 ? size : 1);
    int status = -1;

    if (file == NULL || data == NULL || fread(data, 1, size, file) != size) {
        (void)fprintf(stderr, "replay: %s: %s\n", path, strerror(errno));
    } else {
        (void)LLVMFuzzerTestOneInput(data, size);
        status = 0;
    }
    free(data);
    if (file != NULL) {
        (void)fclose(file);
    }
    return status;
}

/* Returns how many files were run, or -1. Hidden files and folders within are passed over. */
static int replay_folder(const char *folder)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, NULL, alphasort);
    int run = 0;

    if (count < 0) {
        (void)fprintf(stderr, "replay: %s: %s\n", folder, strerror(errno));
        return -1;
    }
    for (int i = 0; i < count; i++) {
        char path[4096];
        struct stat facts;

        (void)snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        if (run >= 0 && entries[i]->d_name[0] != '.') {
            if (stat(path, &facts) != 0) {
                (void)fprintf(stderr, "replay: %s: %s\n", path, strerror(errno));
                run = -1;
            } else if (S_ISREG(facts.st_mode)) {
                run = replay_file(path, (size_t)facts.st_size) == 0 ? run + 1 : -1;
            }
        }
        free(entries[i]);
    }
    free(entries);
    return run;
}

int main(int argc, char **argv)
{
    static const uint8_t nothing[1];
    int total = 0;

    (void)LLVMFuzzerTestOneInput(nothing, 0);
    for (int i = 1; i < argc; i++) {
        int run = replay_folder(argv[i]);

        if (run < 0) {
            return EXIT_FAILURE;
        }
        total += run;
    }
    printf("replay: %d seeds\n", total);
    return total > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
