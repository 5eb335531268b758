// Values for single arguments: mostly sensible, often at a boundary, sometimes absurd.
#include "fuzzer.h"
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { DATA = 1 << 18, ARENA = 64 << 20, PAGE = 4096 };

static char *data;      // readable and writable, followed by a hole
static char *read_only; // one page
static char *arena;     // where calls map, unmap and protect

void arguments_prepare(void) {
    data = mmap(NULL, DATA + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(data + DATA, PAGE);
    read_only = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    arena = mmap(NULL, ARENA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

uint64_t interesting_integer(void) {
    static const uint64_t values[] = {
        0, 1, 2, 3, 7, 8, 16, 63, 64, 65, 127, 128, 255, 256, 1023, 1024, 4095, 4096, 4097, 65535, 65536, 65537,
        0x7ffff000, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffff, 0x7ffffffff000, 0x800000000000,
        0x7ffffffffffff000, 0x7fffffffffffffff, 0x8000000000000000, 0x8000000000000001, -1, -2, -4095, -4096, -4097,
        0x7fff00000000, 0x7fff00010000, 0x7fff00020000, 0x7fff10000000, 0xffffffff80000000, 1000000000, 999999999,
    };
    switch (random_below(6)) {
    case 0: return random_below(16);
    case 1: return random_next();
    case 2: return (1ull << random_below(64)) + random_below(3) - 1;
    case 3: return random_next() >> random_below(64);
    default: return values[random_below(sizeof values / sizeof *values)];
    }
}

void *place_for(size_t size) {
    if (size > DATA) size = DATA;
    size_t room = DATA - size;
    if (one_in(8)) return data + room; // ends where memory ends
    return data + (random_below(room + 1) & ~(one_in(4) ? 0 : 7));
}

/// A pointer that is no good for `size` bytes, or not for writing.
static uint64_t bad_pointer(size_t size) {
    switch (random_below(7)) {
    case 0: return 0;
    case 1: return (uint64_t)data + DATA - random_below(size + 16);
    case 2: return (uint64_t)read_only + random_below(PAGE);
    case 3: return (uint64_t)arena + random_below(ARENA);
    case 4: return (uint64_t)data + DATA;
    case 5: return 0x7fff00000000 + random_below(0x20000000);
    default: return interesting_integer();
    }
}

int random_descriptor(void) {
    switch (random_below(16)) {
    case 0: return (int)interesting_integer();
    case 1: return (int)random_below(256);
    case 2: return (int)random_below(3);
    default: return 3 + (int)random_below(40);
    }
}

const char *random_path(void) {
    static const char *const paths[] = {
        "a", "b", "c", "d/a", "d/b", "d", "l", "l/a", "loop", "fifo", "sock", ".", "..", "/", "", "d/../a", "a/", "x/y", "//a",
        "/dev/null", "/dev/zero", "/dev/full", "/dev/ptmx", "/dev/tty", "/dev/random", "/dev/shm/a", "/dev/fd/3", "/dev/pts/0",
        "/proc/self/fd/3", "/proc/self/fd", "/proc/self/maps", "/proc/self/mem", "/proc/self/status", "/proc/self/stat",
        "/proc/self/exe", "/proc/self/cwd", "/proc/self/root", "/proc/self/task", "/proc/self/environ", "/proc/self/cmdline",
        "/proc/self/mountinfo", "/proc/self/fdinfo/3", "/proc/self/smaps", "/proc/self/oom_score_adj", "/proc/self/comm",
        "/proc/self/uid_map", "/proc/self/setgroups", "/proc/self/ns/mnt", "/proc/self/pagemap", "/proc/self/auxv",
        "/proc/meminfo", "/proc/stat", "/proc/1/fd", "/proc/sys/kernel/hostname", "/proc/sys/kernel/pid_max", "/proc/mounts",
        "/proc/thread-self/stat", "/proc/self/ns/user", "/proc/self/ns/pid", "/proc/self/ns/net", "/proc/self/ns/uts",
            "/proc/self/timers",
        "/proc/self/mounts", "/proc/self/mountstats", "/proc/self/wchan", "/proc/self/syscall", "/proc/self/stack",
            "/proc/self/limits",
        "/proc/self/loginuid", "/proc/self/attr/current", "/proc/self/coredump_filter", "/proc/self/clear_refs", "/proc/self/io",
        "/proc/self/timerslack_ns", "/proc/self/gid_map", "/proc/self/map_files", "/proc/self/numa_maps",
            "/proc/self/personality",
        "/proc/keys", "/proc/key-users", "/proc/sysvipc/shm", "/proc/sysvipc/msg", "/proc/sysvipc/sem", "/proc/net/tcp",
            "/proc/net/udp",
        "/proc/net/dev", "/proc/net/netlink", "/proc/locks", "/proc/loadavg", "/proc/uptime", "/proc/version",
            "/proc/filesystems",
        "/proc/vmstat", "/proc/interrupts", "/proc/sys/kernel/random/uuid", "/proc/sys/fs/mqueue/msg_max", "/proc/sys/kernel/sem",
        "/proc/sys/vm/overcommit_memory", "/proc/self/net/unix", "/dev/mqueue", "/dev/mqueue/a", "/sys/devices/system/cpu/online",
        "/proc/net/unix", "/proc/cpuinfo", "/sys", "/tmp", "/etc/passwd", "/usr/bin", "/bin/true",
    };
    if (one_in(24)) { // too long, or nearly
        size_t length = one_in(2) ? 4095 + random_below(3) : 254 + random_below(3);
        char *path = place_for(length + 1);
        memset(path, one_in(2) ? 'n' : '/', length);
        path[length] = 0;
        return path;
    }
    size_t count = one_in(3) ? sizeof paths / sizeof *paths : 14;
    char *path = place_for(64);
    strcpy(path, paths[random_below(count)]);
    if (one_in(32)) path[random_below(strlen(path) + 1)] ^= 1 << random_below(8);
    return path;
}

static uint64_t random_pid(void) {
    switch (random_below(8)) {
    case 0: return interesting_integer();
    case 1: return 0;
    case 2: return getppid();
    case 3: return -getpid();
    case 4: return getpid() + random_below(12);
    case 5: return shared->slots[random_below(SLOTS)].tid;
    default: return one_in(2) ? getpid() : gettid();
    }
}

static uint64_t random_size(void) {
    switch (random_below(4)) {
    case 0: return interesting_integer();
    case 1: return random_below(128);
    default: return random_below(8192);
    }
}

static uint64_t random_flags(uint64_t mask) {
    uint64_t flags = 0;
    if (one_in(12)) return interesting_integer();
    if (one_in(4)) return 0;
    for (unsigned bits = 1 + random_below(4); bits > 0; bits--) flags |= 1ull << random_below(64) & mask;
    if (one_in(3)) flags |= random_next() & mask;
    return flags;
}

static uint64_t random_address(void) {
    if (one_in(64)) return interesting_integer();
    if (one_in(4)) return 0;
    uint64_t address = (uint64_t)arena + random_below(one_in(2) ? 64 * PAGE : ARENA);
    return one_in(16) ? address : address & ~(PAGE - 1ull);
}

enum { NAMES = 8 };
static uint64_t names[POOLS][NAMES];

void remember(enum pool pool, uint64_t name) { names[pool][random_below(NAMES)] = name; }

uint64_t recall(enum pool pool) {
    if (one_in(8)) return interesting_integer();
    if (one_in(8)) return random_below(12);
    return names[pool][random_below(NAMES)];
}

uint64_t argument_value(const struct argument *argument) {
    switch (argument->type) {
    case NONE: return one_in(16) ? interesting_integer() : 0;
    case ANY: return one_in(3) ? (uint64_t)place_for(256) : interesting_integer();
    case FD: return random_descriptor();
    case DIRFD: return one_in(2) ? (uint64_t)AT_FDCWD : (uint64_t)random_descriptor();
    case PATH: return one_in(32) ? bad_pointer(64) : (uint64_t)random_path();
    case SIZE: return random_size();
    case OFFSET: return one_in(2) ? random_below(1 << 20) : interesting_integer();
    case INT: return one_in(2) ? random_below(12) : interesting_integer();
    case PID: return random_pid();
    case UID: return one_in(2) ? random_below(2) * 65534 : interesting_integer();
    case SIGNAL: return one_in(4) ? interesting_integer() : random_below(66);
    case MODE: return one_in(8) ? interesting_integer() : random_below(010000) | random_below(16) << 12;
    case ADDRESS: return random_address();
    case LENGTH: return one_in(12) ? interesting_integer() : one_in(8) ? random_below(ARENA) : random_below(17) * PAGE;
    case AIO_ID: return recall(AIO_POOL);
    case KEY_ID: return one_in(3) ? (uint64_t)-(int64_t)random_below(9) : recall(KEY_POOL);
    case IPC_ID: return recall(IPC_POOL);
    case TIMER_ID: return recall(TIMER_POOL);
    case FLAGS: return random_flags(argument->mask);
    case CHOICE: return one_in(16) ? interesting_integer() : argument->words[random_below(argument->mask)];
    default:
        if (one_in(12)) return bad_pointer(64);
        return (uint64_t)structure(argument->type);
    }
}
