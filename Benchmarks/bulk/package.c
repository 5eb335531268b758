// What a package manager does to its directory of packages: many small files are made, looked at and removed.
#define _GNU_SOURCE
#include "bulk.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES = 100, LEAST = 100, MOST = 4000 };

static char content[MOST];

static void name_directory(char name[static 32], long directory) { snprintf(name, 32, "package%04ld", directory); }

// Sizes are spread over their range, the same in every run.
static size_t size_of(long directory, long file) {
    return LEAST + (size_t)(directory * FILES + file) * 2654435761u % (MOST - LEAST + 1);
}

static void create_file(long directory, long number) {
    char path[64];
    snprintf(path, sizeof path, "package%04ld/file%02ld.js", directory, number);
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (file < 0) fail(path);
    size_t size = size_of(directory, number);
    if (write(file, content, size) != (ssize_t)size || close(file) < 0) fail(path);
}

static double create(long directories) {
    memset(content, 'x', sizeof content);
    double begin = now();
    for (long directory = 0; directory < directories; directory++) {
        char name[32];
        name_directory(name, directory);
        if (mkdir(name, 0755) < 0) fail(name);
        for (long number = 0; number < FILES; number++) create_file(directory, number);
    }
    return now() - begin;
}

// Calls `visit` for each file that the directory lists.
static void each_file(long directory, void (*visit)(int descriptor, const char *file, long directory)) {
    char name[32];
    name_directory(name, directory);
    DIR *stream = opendir(name);
    if (!stream) fail(name);
    int seen = 0;
    for (struct dirent *entry; (entry = readdir(stream));) {
        if (entry->d_name[0] == '.') continue;
        visit(dirfd(stream), entry->d_name, directory);
        seen++;
    }
    closedir(stream);
    if (seen != FILES) wrong("a directory doesn't list the files that were made in it");
}

static void check_file(int descriptor, const char *file, long directory) {
    struct stat attributes;
    if (fstatat(descriptor, file, &attributes, AT_SYMLINK_NOFOLLOW) < 0) fail(file);
    bool is_right = S_ISREG(attributes.st_mode) && (size_t)attributes.st_size == size_of(directory, atol(file + strlen("file")));
    if (!is_right) wrong("a small file hasn't the size that was written");
}

static double walk(long directories) {
    double begin = now();
    for (long directory = 0; directory < directories; directory++) each_file(directory, check_file);
    return now() - begin;
}

static void remove_file(int descriptor, const char *file, long directory) {
    (void)directory;
    if (unlinkat(descriptor, file, 0) < 0) fail(file);
}

static double discard(long directories) {
    double begin = now();
    for (long directory = 0; directory < directories; directory++) {
        char name[32];
        name_directory(name, directory);
        each_file(directory, remove_file);
        if (rmdir(name) < 0) fail(name);
    }
    return now() - begin;
}

static double time_creation(long directories) {
    double taken = create(directories);
    if (!leaves_files) discard(directories);
    return taken;
}

static double time_walk(long directories) {
    create(directories);
    double taken = walk(directories);
    if (!leaves_files) discard(directories);
    return taken;
}

static double time_removal(long directories) {
    create(directories);
    walk(directories);
    return discard(directories);
}

const struct work package_work[] = {
    {"files_npm_create", time_creation, "DIRECTORIES", FILES},
    {"files_npm_walk", time_walk, "DIRECTORIES", FILES},
    {"files_npm_remove", time_removal, "DIRECTORIES", FILES},
    {0},
};
