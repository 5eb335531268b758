// Reading, writing, opening, naming and listing files.
#define _GNU_SOURCE
#include "benchmark.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096, ENTRIES = 100 };

static int file = -1;
static char block[PAGE];

// Reads come from this program's own file: a file of the host, larger than a page, that exists wherever the program runs.
static void open_own_program(void) {
    file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (file < 0) fail("open /proc/self/exe");
}

static void open_temporary(void) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/micro.XXXXXX", temporary_directory());
    file = mkstemp(path);
    if (file < 0) fail(path);
    if (unlink(path) < 0) fail("unlink");
}

static void close_file(void) { close(file); }

static void read_bytes(size_t length) {
    if (pread(file, block, length, 0) != (ssize_t)length) fail("pread");
}

static void write_bytes(size_t length) {
    if (pwrite(file, block, length, 0) != (ssize_t)length) fail("pwrite");
}

static void read_byte(void) { read_bytes(1); }
static void read_page(void) { read_bytes(PAGE); }
static void write_byte(void) { write_bytes(1); }
static void write_page(void) { write_bytes(PAGE); }

static void open_and_close(void) {
    int opened = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    if (opened < 0) fail("open /etc/passwd");
    close(opened);
}

static void stat_present(void) {
    struct stat attributes;
    if (stat("/etc/passwd", &attributes) < 0) fail("stat /etc/passwd");
}

static void stat_absent(void) {
    struct stat attributes;
    if (stat("/etc/no-such-file", &attributes) == 0 || errno != ENOENT) fail("stat of an absent file");
}

static char directory[PATH_MAX];

static void each_entry(void (*visit)(const char *path)) {
    for (int i = 0; i < ENTRIES; i++) {
        char path[PATH_MAX + 16];
        snprintf(path, sizeof path, "%s/entry%02d", directory, i);
        visit(path);
    }
}

static void create_entry(const char *path) {
    int created = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (created < 0) fail(path);
    close(created);
}

static void remove_entry(const char *path) { unlink(path); }

static void create_directory(void) {
    snprintf(directory, sizeof directory, "%s/micro.XXXXXX", temporary_directory());
    if (!mkdtemp(directory)) fail(directory);
    each_entry(create_entry);
}

static void remove_directory(void) {
    each_entry(remove_entry);
    rmdir(directory);
}

static void list_directory(void) {
    DIR *stream = opendir(directory);
    if (!stream) fail("opendir");
    int seen = 0;
    while (readdir(stream)) seen++;
    closedir(stream);
    if (seen != ENTRIES + 2) fail("readdir");
}

const struct benchmark file_benchmarks[] = {
    {"pread_1", open_own_program, read_byte, close_file, 0},
    {"pread_4096", open_own_program, read_page, close_file, 0},
    {"pwrite_1", open_temporary, write_byte, close_file, 0},
    {"pwrite_4096", open_temporary, write_page, close_file, 0},
    {"open_close", NULL, open_and_close, NULL, 0},
    {"stat", NULL, stat_present, NULL, 0},
    {"stat_absent", NULL, stat_absent, NULL, 0},
    {"readdir_100", create_directory, list_directory, remove_directory, 0},
    {0},
};
