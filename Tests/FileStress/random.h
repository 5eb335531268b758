// What both programs share: random numbers by seed, the clock, the last operations.
#ifndef RANDOM_H
#define RANDOM_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t random_state;

static uint64_t random_word(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}
static uint64_t below(uint64_t limit) { return limit ? random_word() % limit : 0; }

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

enum { KEPT = 40, LINE = 160 };
static char journal[KEPT][LINE];
static uint64_t operations;

__attribute__((format(printf, 1, 2))) static void note(const char *format, ...) {
    va_list list;
    va_start(list, format);
    vsnprintf(journal[operations++ % KEPT], LINE, format, list);
    va_end(list);
}

static uint64_t seed;

__attribute__((format(printf, 1, 2), noreturn)) static void differs(const char *format, ...) {
    int error = errno;
    va_list list;
    va_start(list, format);
    printf("differs, seed %llu, operation %llu: ", (unsigned long long)seed, (unsigned long long)operations);
    vprintf(format, list);
    printf(" (errno %d)\n", error);
    va_end(list);
    uint64_t first = operations > KEPT ? operations - KEPT : 0;
    for (uint64_t i = first; i < operations; i++) printf("  %s\n", journal[i % KEPT]);
    exit(1);
}

/// Reads DIR SECONDS [SEED]; returns when to stop.
static double begin(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: %s DIR SECONDS [SEED]\n", argv[0]);
        exit(2);
    }
    seed = argc > 3 ? strtoull(argv[3], NULL, 0) : (uint64_t)time(NULL) * 2654435761u + 1;
    random_state = seed * 0x9e3779b97f4a7c15u | 1;
    return now() + atof(argv[2]);
}

static void finish(void) { printf("agreed, %llu operations, seed %llu\n", (unsigned long long)operations, (unsigned long long)seed); }

#endif
