// Cost of single operations, in ns: the same static binary runs natively and in a sandbox. Median of nine batches.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int file;
static char block[4096];

static void null_call(void) { syscall(SYS_getppid); }
static void read_byte(void) { pread(file, block, 1, 0); }
static void read_page(void) { pread(file, block, 4096, 0); }
static void stat_file(void) {
    struct stat s;
    stat("/etc/passwd", &s);
}
static void stat_absent(void) {
    struct stat s;
    stat("/etc/no-such-file", &s);
}
static void open_close(void) { close(open("/etc/passwd", O_RDONLY)); }
static void map_pages(void) {
    char *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < 16; i++) p[i * 4096] = 1;
    munmap(p, 65536);
}
static void fork_wait(void) {
    pid_t child = fork();
    if (child == 0) _exit(0);
    waitpid(child, NULL, 0);
}
static void clock_read(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(const char *name, void (*operation)(void), int count) {
    double samples[9];
    operation();
    for (int s = 0; s < 9; s++) {
        double begin = now();
        for (int i = 0; i < count; i++) operation();
        samples[s] = (now() - begin) / count;
    }
    qsort(samples, 9, sizeof *samples, ascending);
    printf("%s %.0f\n", name, samples[4]);
    fflush(stdout);
}

int main(void) {
    char path[] = "/tmp/micro.XXXXXX";
    file = mkstemp(path);
    write(file, block, sizeof block);
    unlink(path);
    measure("null_call", null_call, 2000);
    measure("pread_1", read_byte, 2000);
    measure("pread_4096", read_page, 2000);
    measure("stat", stat_file, 1000);
    measure("stat_absent", stat_absent, 1000);
    measure("open_close", open_close, 1000);
    measure("map_touch_unmap_16_pages", map_pages, 300);
    measure("fork_exit_wait", fork_wait, 20);
    measure("clock_gettime", clock_read, 20000);
    return 0;
}
