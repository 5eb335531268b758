// One large file from its beginning to its end: written anew, and read again while it is in the page cache.
#define _GNU_SOURCE
#include "bulk.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { MEBIBYTE = 1 << 20 };

static const char name[] = "large";
static char block[MEBIBYTE];

// Each block says at both its ends where it belongs.
struct mark {
    long number;
};

static void mark_block(long number) {
    struct mark mark = {number};
    memcpy(block, &mark, sizeof mark);
    memcpy(block + MEBIBYTE - sizeof mark, &mark, sizeof mark);
}

static void check_block(long number) {
    struct mark first, last;
    memcpy(&first, block, sizeof first);
    memcpy(&last, block + MEBIBYTE - sizeof last, sizeof last);
    if (first.number != number || last.number != number) wrong("a block of the large file isn't what was written there");
}

static double write_file(long blocks) {
    memset(block, 'x', sizeof block);
    double begin = now();
    int file = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) fail("creation of the large file");
    for (long number = 0; number < blocks; number++) {
        mark_block(number);
        for (size_t done = 0; done < sizeof block;) {
            ssize_t count = write(file, block + done, sizeof block - done);
            if (count <= 0) fail("write to the large file");
            done += (size_t)count;
        }
    }
    if (close(file) < 0) fail("close of the large file");
    return now() - begin;
}

static double read_file(long blocks) {
    double begin = now();
    int file = open(name, O_RDONLY | O_CLOEXEC);
    if (file < 0) fail("open of the large file");
    for (long number = 0; number < blocks; number++) {
        for (size_t done = 0; done < sizeof block;) {
            ssize_t count = read(file, block + done, sizeof block - done);
            if (count < 0) fail("read of the large file");
            if (count == 0) wrong("the large file is shorter than what was written");
            done += (size_t)count;
        }
        check_block(number);
    }
    if (read(file, block, sizeof block) != 0) wrong("the large file is longer than what was written");
    close(file);
    return now() - begin;
}

static void remove_file(void) {
    if (unlink(name) < 0) fail("removal of the large file");
}

static double time_writing(long blocks) {
    double taken = write_file(blocks);
    remove_file();
    return taken;
}

static double time_reading(long blocks) {
    write_file(blocks);
    memset(block, 0, sizeof block);
    double taken = read_file(blocks);
    remove_file();
    return taken;
}

const struct work sequential_work[] = {
    {"files_seq_write", time_writing, "MEBIBYTES", 1},
    {"files_seq_read", time_reading, "MEBIBYTES", 1},
    {0},
};
