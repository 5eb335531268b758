// Using up what there is: the attacker gets an errno, the others go on.
#include "hostile.h"

static void descriptors(void) {
    int count = 0;
    while (open("/dev/null", O_RDONLY) >= 0) count++;
    printf("%d opened, then %s\n", count > 100 ? 100 : count, strerrorname_np(errno));
    for (int i = 3; i < 2000; i++) close(i);
    syscall(SYS_close_range, 3, ~0u, 0);
    printf("pid is still %s\n", getpid() > 0 ? "known" : "lost");
}

static void mappings(void) {
    long count = 0;
    for (; count < 200000; count++) {
        int protection = count & 1 ? PROT_READ : PROT_READ | PROT_WRITE;
        if (mmap(NULL, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED) break;
    }
    printf("%s mappings, then %s\n", count > 30000 ? "many" : "few", strerrorname_np(errno));
}

static void *wait_for_ever(void *unused) {
    for (;;) pause();
    return unused;
}
static void threads(void) {
    struct rlimit limit = {1500, 1500};
    setrlimit(RLIMIT_NPROC, &limit);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 65536);
    int count = 0, error = 0;
    for (; count < 2000; count++) {
        pthread_t thread;
        if ((error = pthread_create(&thread, &attributes, wait_for_ever, NULL))) break;
    }
    printf("%s threads, error %s\n", count > 1000 ? "over 1000" : "few", error ? strerrorname_np(error) : "none");
}

static void processes(void) {
    int count = 0;
    pid_t children[400];
    for (; count < 400; count++) {
        children[count] = fork();
        if (children[count] == 0)
            for (;;) pause();
        if (children[count] == -1) break;
    }
    printf("%s processes\n", count == 400 ? "400" : "fewer");
    for (int i = 0; i < count; i++) kill(children[i], SIGKILL);
    while (wait(NULL) > 0) {
    }
}

static void address_space(void) {
    int count = 0;
    for (size_t size = 1ul << 46; size >= 4096; size /= 2)
        while (count < 500 && mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) != MAP_FAILED) count++;
    printf("%s then %s\n", count > 10 ? "many," : "few,", strerrorname_np(errno));
}

/// Deep recursion of signal handlers on one stack.
static int depth;
static void again(int n) {
    if (depth++ < 2000) raise(n);
}
static void nested_signals(void) {
    struct sigaction action = {.sa_handler = again, .sa_flags = SA_NODEFER};
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    printf("%d deep\n", depth);
}

const struct attack limits[] = {
    {"descriptors", descriptors}, {"mappings", mappings}, {"threads", threads}, {"processes", processes}, {"address space", address_space},
    {"nested signals", nested_signals}, {NULL, NULL},
};
