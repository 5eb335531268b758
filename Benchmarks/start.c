// Start-up cost of commands, side by side: `start ROUNDS NAME=COMMAND...`. Rounds are interleaved, so that a busy moment of the machine
// hits all alike. Prints median and minimum wall time and median CPU time (user and system of the command and what it waited for).
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double milliseconds(struct timeval t) { return t.tv_sec * 1e3 + t.tv_usec / 1e3; }

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: start ROUNDS NAME=COMMAND...\n");
        return 2;
    }
    int rounds = atoi(argv[1]), commands = argc - 2;
    double *wall = calloc((size_t)(rounds * commands), sizeof *wall), *cpu = calloc((size_t)(rounds * commands), sizeof *cpu);
    for (int round = -1; round < rounds; round++) {
        for (int i = 0; i < commands; i++) {
            char *command = strchr(argv[i + 2], '=') + 1;
            double begin = now();
            pid_t child = fork();
            if (child == 0) {
                int null = open("/dev/null", O_RDWR);
                dup2(null, 0);
                dup2(null, 1);
                char *words[64], *copy = strdup(command);
                int n = 0;
                for (char *word = strtok(copy, " "); word && n < 63; word = strtok(NULL, " ")) words[n++] = word;
                words[n] = NULL;
                execvp(words[0], words);
                _exit(127);
            }
            int status;
            struct rusage usage;
            wait4(child, &status, 0, &usage);
            if (status != 0) {
                fprintf(stderr, "start: `%s` ended with wait status %d\n", command, status);
                return 1;
            }
            if (round < 0) continue;
            wall[i * rounds + round] = now() - begin;
            cpu[i * rounds + round] = milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime);
        }
    }
    printf("| start of | wall median ms | wall minimum ms | CPU median ms |\n| --- | --- | --- | --- |\n");
    for (int i = 0; i < commands; i++) {
        qsort(wall + i * rounds, (size_t)rounds, sizeof *wall, ascending);
        qsort(cpu + i * rounds, (size_t)rounds, sizeof *cpu, ascending);
        printf("| %.*s | %.1f | %.1f | %.1f |\n", (int)(strchr(argv[i + 2], '=') - argv[i + 2]), argv[i + 2],
               wall[i * rounds + rounds / 2], wall[i * rounds], cpu[i * rounds + rounds / 2]);
    }
    return 0;
}
