// Cost of single operations, in ns: the same static binary runs natively and in each sandbox.
//
//     micro              every benchmark
//     micro NAME...      these
//     micro --list       their names
#include "benchmark.h"

#include <stdio.h>
#include <string.h>

static const struct benchmark *const families[] = {
    event_benchmarks, file_benchmarks, memory_benchmarks, message_benchmarks, process_benchmarks,
};

static void each_benchmark(void (*visit)(const struct benchmark *)) {
    for (size_t family = 0; family < sizeof families / sizeof *families; family++) {
        for (const struct benchmark *benchmark = families[family]; benchmark->name; benchmark++) visit(benchmark);
    }
}

static void print_name(const struct benchmark *benchmark) { puts(benchmark->name); }

static const struct benchmark *found;
static const char *wanted;

static void match_name(const struct benchmark *benchmark) {
    if (strcmp(benchmark->name, wanted) == 0) found = benchmark;
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], EXIT_AT_ONCE) == 0) return 0;
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        each_benchmark(print_name);
        return 0;
    }
    if (argc == 1) each_benchmark(measure);
    for (int i = 1; i < argc; i++) {
        wanted = argv[i];
        found = NULL;
        each_benchmark(match_name);
        if (!found) {
            fprintf(stderr, "micro: no benchmark is called %s; --list names them\n", argv[i]);
            return 2;
        }
        measure(found);
    }
    return 0;
}
