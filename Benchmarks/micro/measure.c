// The median of several batches. A batch is long enough for the clock, and the number of batches shrinks with the speed,
// so that a benchmark takes about 0.3 s whether an operation costs 20 ns or 2 ms.
#include "benchmark.h"

#include <stdio.h>
#include <stdlib.h>

enum { LEAST_BATCHES = 3, MOST_BATCHES = 21 };

static const double batch_ns = 12e6, total_ns = 300e6;

static double time_batch(const struct benchmark *benchmark, long calls) {
    double begin = now();
    for (long i = 0; i < calls; i++) benchmark->operation();
    return now() - begin;
}

// How many calls fill a batch. Grows by at most ten times, because the first calls are slower than the rest.
static long calls_per_batch(const struct benchmark *benchmark) {
    long calls = 1;
    for (;;) {
        double taken = time_batch(benchmark, calls);
        if (taken >= batch_ns / 2) return calls;
        double growth = batch_ns / (taken > 1 ? taken : 1);
        calls = (long)(calls * (growth < 10 ? growth : 10)) + 1;
    }
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void measure(const struct benchmark *benchmark) {
    if (benchmark->prepare) benchmark->prepare();
    benchmark->operation();
    long calls = calls_per_batch(benchmark);

    double samples[MOST_BATCHES], spent = 0;
    int batches = 0;
    while (batches < LEAST_BATCHES || (batches < MOST_BATCHES && spent < total_ns)) {
        samples[batches] = time_batch(benchmark, calls);
        spent += samples[batches++];
    }
    if (benchmark->finish) benchmark->finish();

    qsort(samples, (size_t)batches, sizeof *samples, ascending);
    double operations = (double)calls * (benchmark->units ? benchmark->units : 1);
    printf("%s %.1f\n", benchmark->name, samples[batches / 2] / operations);
    fflush(stdout);
}
