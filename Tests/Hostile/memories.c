// Spoiling the memory that the stub shares with its Sentry, and the stub's region itself.
#include "hostile.h"

static void on_signal(int n) { (void)n; }

/// Does a bit of everything that goes through the shared memory.
static void work(void) {
    for (int i = 0; i < 50; i++) {
        getppid();
        void *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p != MAP_FAILED) {
            memset(p, 1, 65536);
            munmap(p, 65536);
        }
        raise(SIGUSR1);
        stack_t s;
        sigaltstack(NULL, &s);
    }
}

static void spoil_scratch(void) {
    signal(SIGUSR1, on_signal);
    for (int fill = 0; fill < 256; fill += 51) {
        memset((void *)STUB_SCRATCH, fill, 4096);
        work();
    }
    int file = open("/etc/passwd", O_RDONLY);
    memset((void *)STUB_SCRATCH, 0xee, 4096);
    char *map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, file, 0);
    printf("went on; file mapped: %s\n", map != MAP_FAILED && map[0] == 'r' ? "yes" : "no");
}

static void write_read_only_pages(void) {
    static const uint64_t pages[] = {0x7fff00000000, 0x7fff00010000, 0x7fff00020000, 0x7fff00023000};
    for (unsigned i = 0; i < sizeof pages / sizeof *pages; i++) printf(" %d", probe(pages[i], 1));
    printf(" scratch %d\n", probe(STUB_SCRATCH, 1));
}

static void spoil_own_area(void) {
    uint64_t areas[64];
    int count = writable_areas(areas, 64);
    signal(SIGUSR1, on_signal);
    printf("%d areas\n", count);
    fflush(stdout);
    for (int i = 0; i < count; i++) memset((void *)areas[i], 0x41, AREA_SIZE);
    work();
    puts("went on");
}

static volatile int stop;
static void *scribble(void *argument) {
    uint64_t areas[64];
    int count = *(int *)argument;
    memcpy(areas, (int *)argument + 2, (unsigned)count * 8);
    uint64_t random = 88172645463325252ul;
    while (!stop)
        for (int i = 0; i < count; i++) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            // Anywhere in the area: the frame lies near its end.
            *(volatile uint64_t *)(areas[i] + (random % (AREA_SIZE / 8)) * 8) = random;
        }
    return NULL;
}

/// One thread takes signals and traps while another writes into its frame. It may die; nothing else may.
static void race_the_frame(void) {
    for (int round = 0; round < 20; round++) {
        fflush(stdout);
        pid_t child = fork();
        if (!child) {
            alarm(5);
            struct {
                int count, pad;
                uint64_t areas[64];
            } found;
            found.count = writable_areas(found.areas, 64);
            signal(SIGUSR1, on_signal);
            pthread_t thread;
            pthread_create(&thread, NULL, scribble, &found);
            work();
            _exit(0);
        }
        int status;
        waitpid(child, &status, 0);
        printf(" %d", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    }
    puts("");
}

static void change_the_region(void) {
    static const uint64_t where[] = {0x7fff00000000, 0x7fff00030000, 0x7fff10000000, 0x7ffefffff000};
    for (int i = 0; i < 4; i++) {
        void *p = (void *)where[i];
        size_t length = i == 3 ? 8192 : 4096;
        printf(" %d", munmap(p, length) ? errno : 0);
        printf(" %d", mprotect(p, length, PROT_READ | PROT_WRITE | PROT_EXEC) ? errno : 0);
        printf(" %d", mmap(p, length, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED ? errno : 0);
        printf(" %d", mremap(p, length, 2 * length, MREMAP_MAYMOVE) == MAP_FAILED ? errno : 0);
        printf(" %d", madvise(p, length, MADV_DONTNEED) ? errno : 0);
        printf(" %zd;", write(open("/dev/null", O_WRONLY), p, length));
    }
    puts("");
}

static void spoil_vector_state(void) {
    uint64_t areas[64];
    int count = writable_areas(areas, 64);
    signal(SIGUSR1, on_signal);
    // Software-reserved bytes and header of every image: sizes, features, magic words.
    for (int i = 0; i < count; i++)
        for (uint64_t at = 0; at < AREA_SIZE; at += 4)
            if (*(volatile uint32_t *)(areas[i] + at) == 0x46505853) memset((void *)(areas[i] + at), 0xff, 128);
    raise(SIGUSR1);
    if (fork() == 0) _exit(0);
    wait(NULL);
    puts("went on");
}

const struct attack memories[] = {
    {"spoil the scratch page", spoil_scratch},
    {"write read-only pages", write_read_only_pages},
    {"spoil the own area", spoil_own_area},
    {"spoil the vector state", spoil_vector_state},
    {"race the frame", race_the_frame},
    {"change the region", change_the_region},
    {NULL, NULL},
};
