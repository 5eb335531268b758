#include "hostile.h"

static volatile uint64_t canary[4096];

/// A neighbour that computes and calls all the time, and checks both.
static pid_t start_neighbour(void) {
    pid_t neighbour = fork();
    if (neighbour) return neighbour;
    pid_t own = getpid();
    uint64_t *memory = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (;;) {
        for (int i = 0; i < 1 << 17; i++) memory[i] = (uint64_t)i * 3;
        usleep(2000);
        for (int i = 0; i < 1 << 17; i++)
            if (memory[i] != (uint64_t)i * 3) _exit(90);
        if (getpid() != own || getppid() == 0) _exit(91);
    }
}

int main(int argc, char **argv) {
    const struct attack *families[] = {jumps, memories, entries, limits, calls};
    const char *only = argc > 1 ? argv[1] : NULL;
    for (int i = 0; i < 4096; i++) canary[i] = (uint64_t)i * 7;
    pid_t neighbour = start_neighbour();
    int harmed = 0;
    for (unsigned f = 0; f < sizeof families / sizeof *families; f++)
        for (const struct attack *a = families[f]; a->name; a++) {
            if (only && strcmp(only, a->name)) continue;
            printf("%s: ", a->name);
            fflush(stdout);
            pid_t child = fork();
            if (!child) {
                a->run();
                fflush(stdout);
                _exit(0);
            }
            int status;
            waitpid(child, &status, 0);
            if (WIFSIGNALED(status)) printf("died of signal %d\n", WTERMSIG(status));
            else if (WEXITSTATUS(status)) printf("exit status %d\n", WEXITSTATUS(status));
            for (int i = 0; i < 4096; i++) harmed |= canary[i] != (uint64_t)i * 7;
            if (waitpid(neighbour, &status, WNOHANG)) harmed = 2;
            if (harmed) {
                printf("HARMED: %s\n", harmed == 2 ? "the neighbour" : "the parent's memory");
                return 1;
            }
        }
    kill(neighbour, SIGKILL);
    waitpid(neighbour, NULL, 0);
    puts("unharmed");
    return 0;
}
