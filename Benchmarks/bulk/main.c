// Work on a large file or on many small ones, timed inside, in ns for each of its parts. Unlike a micro-benchmark it is
// done once: what costs is that the files are new.
//
//     bulk NAME SIZE [leave]
#define _GNU_SOURCE
#include "bulk.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool leaves_files;

static const struct work *const families[] = {sequential_work, package_work};

noreturn void wrong(const char *what) {
    fprintf(stderr, "bulk: wrong result: %s\n", what);
    _Exit(1);
}

static const struct work *find(const char *name) {
    for (size_t family = 0; family < sizeof families / sizeof *families; family++) {
        for (const struct work *work = families[family]; work->name; work++) {
            if (strcmp(work->name, name) == 0) return work;
        }
    }
    return NULL;
}

static void print_usage(void) {
    fprintf(stderr, "usage: bulk NAME SIZE [leave]\n");
    for (size_t family = 0; family < sizeof families / sizeof *families; family++) {
        for (const struct work *work = families[family]; work->name; work++) {
            fprintf(stderr, "  %s %s\n", work->name, work->unit);
        }
    }
}

int main(int argc, char **argv) {
    leaves_files = argc == 4 && strcmp(argv[3], "leave") == 0;
    bool is_complete = argc == 3 || leaves_files;
    const struct work *work = is_complete ? find(argv[1]) : NULL;
    long size = is_complete ? strtol(argv[2], NULL, 10) : 0;
    if (!work || size <= 0) {
        print_usage();
        return 2;
    }
    char directory[PATH_MAX];
    snprintf(directory, sizeof directory, "%s/bulk.XXXXXX", temporary_directory());
    if (!mkdtemp(directory) || chdir(directory) < 0) fail(directory);
    double taken = work->run(size);
    if (chdir("/") < 0 || (!leaves_files && rmdir(directory) < 0)) fail(directory);
    printf("%s %.1f\n", work->name, taken / ((double)size * work->parts));
    return 0;
}
