// The supervisor: starts workers, ends those that hang, prints what goes on, cleans up.
#include "fuzzer.h"
#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/utsname.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum { LIFE_MS = 3000, STUCK_MS = 20000, REPORT_MS = 2000 };

struct shared *shared;
uint32_t supervisor;
int null_file;

/// Opened before a worker can make /proc read-only.
static int caches;

static uint32_t pids[WORKERS];
static struct { uint64_t born, killed; } workers[WORKERS];
static uint64_t started, overdue;
static struct { uint64_t seed; unsigned seconds, rounds; bool really; const char *record; } options = {1, 10, 2, false, NULL};

/// Where the supervisor is, and at what.
static void at(const char *phase, uint64_t step) {
    strncpy(shared->phase, phase, sizeof shared->phase - 1);
    shared->step = step;
}

/// Time that passed while this ran: a host that sleeps in between, or its clock jumps, makes nobody late.
static uint64_t now_ms(void) {
    enum { MOST = 500 };
    static uint64_t last, passed;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t present = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    passed += last == 0 ? 1 : present - last < MOST ? present - last : MOST;
    last = present;
    return passed;
}

static void sleep_ms(long ms) {
    struct timespec pause = {ms / 1000, ms % 1000 * 1000000};
    while (nanosleep(&pause, &pause) != 0 && errno == EINTR) {}
}

static uint64_t total(void) {
    uint64_t sum = 0;
    for (unsigned index = 0; index <= MAX_NUMBER; index++) sum += shared->calls[index];
    return sum;
}

static void start_worker(unsigned place) {
    uint64_t seed = options.seed * 1000000 + started++;
    shared->forks[place] = 0;
    at("fork", place);
    pid_t pid = fork();
    if (pid == 0) close(caches), worker_main(place, seed);
    pids[place] = pid > 0 ? (uint32_t)pid : 0;
    workers[place].born = now_ms(), workers[place].killed = 0;
    if (pid < 0) printf("fork failed: %s\n", strerror(errno));
}

static void reap(void) {
    pid_t pid;
    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
        for (unsigned place = 0; place < WORKERS; place++)
            if (pids[place] == (uint32_t)pid) pids[place] = 0;
}

static void end_overdue(unsigned place) {
    uint64_t now = now_ms();
    if (workers[place].killed == 0 && now > workers[place].born + LIFE_MS) {
        kill((pid_t)pids[place], SIGKILL);
        kill(-(pid_t)pids[place], SIGKILL);
        workers[place].killed = now, overdue++;
    }
    if (workers[place].killed != 0 && now > workers[place].killed + STUCK_MS) {
        printf("stuck worker %u: not gone %d s after SIGKILL\n", pids[place], STUCK_MS / 1000);
        workers[place].killed = now;
    }
}

static bool is_worker(pid_t pid) {
    for (unsigned place = 0; place < WORKERS; place++)
        if (pids[place] == (uint32_t)pid) return true;
    return false;
}

static pid_t parent_of(pid_t pid) {
    char path[64], line[512] = {0};
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int fd = open(path, O_RDONLY);
    if (fd < 0) return -1;
    read(fd, line, sizeof line - 1);
    close(fd);
    char *end = strrchr(line, ')');
    return end ? atoi(end + 4) : -1;
}

/// Ends what workers left behind: orphans come to the supervisor. Says how many there were.
static unsigned end_orphans(void) {
    at("open /proc", 0);
    DIR *processes = opendir("/proc");
    unsigned count = 0;
    for (struct dirent *entry; processes && (entry = readdir(processes));) {
        pid_t pid = atoi(entry->d_name);
        if (pid <= (pid_t)supervisor || is_worker(pid) || parent_of(pid) != (pid_t)supervisor) continue;
        at("end orphan", (uint64_t)pid);
        kill(pid, SIGKILL);
        count++;
    }
    at("reap", count);
    if (processes) closedir(processes);
    reap();
    at("reaped", count);
    return count;
}

static void report(const char *what) {
    printf("%s calls=%lu workers=%lu overdue=%lu\n", what, total(), started, overdue);
    fflush(stdout);
}

/// From anything that can take long.
static void report_progress(void) {
    static uint64_t next;
    if (now_ms() < next) return;
    report("progress");
    next = now_ms() + REPORT_MS;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk) {
    (void)status, (void)type, (void)walk;
    at(strlen(path) > 40 ? path + strlen(path) - 40 : path, shared->step + 1);
    remove(path);
    // A worker may have moved a tree of the root here: hundreds of thousands of names.
    report_progress();
    return 0;
}

/// Where a worker may have gone to, and what was there before.
static const char *const folders[] = {"/", "/tmp", "/dev", "/dev/shm", "/usr/bin", "/etc", "/dev/mqueue"};
enum { FOLDERS = sizeof folders / sizeof *folders, NAMES = 4096 };
static char *names_before[FOLDERS][NAMES];

/// The first time remembers the names, later removes others. Says how many there were.
static unsigned remove_new_names(void) {
    static bool is_known;
    unsigned count = 0;
    for (size_t at = 0; at < FOLDERS; at++) {
        DIR *folder = opendir(folders[at]);
        size_t known = 0;
        for (struct dirent *entry; folder && (entry = readdir(folder));) {
            if (!is_known) {
                if (known + 1 < NAMES) names_before[at][known++] = strdup(entry->d_name);
                continue;
            }
            bool is_old = false;
            for (size_t index = 0; names_before[at][index] && !is_old; index++) is_old = !strcmp(names_before[at][index], entry->d_name);
            char path[512];
            snprintf(path, sizeof path, "%s/%s", folders[at], entry->d_name);
            if (!is_old) count++, nftw(path, remove_entry, 32, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
        }
        if (folder) closedir(folder);
    }
    is_known = true;
    return count;
}

static unsigned count_lines(const char *path) {
    FILE *file = fopen(path, "r");
    unsigned count = 0;
    for (int byte; file && (byte = fgetc(file)) != EOF;) count += byte == '\n';
    if (file) fclose(file);
    return count;
}

/// The keys of the users that workers are: they stay as long as nobody takes them out.
static void clear_keyrings(void) {
    static const uid_t users[] = {65534, 0};
    for (int index = 0; index < 2; index++) {
        syscall(SYS_setreuid, users[index], index == 0 ? -1 : 0);
        for (long ring = -5; ring <= -3; ring++) syscall(SYS_keyctl, 7, ring, 0, 0, 0); // KEYCTL_CLEAR
    }
}

/// Mounts of workers could lead the removal anywhere.
static void unmount_everything(void) {
    char points[64][256];
    unsigned count = 0;
    FILE *mounts = fopen("/proc/self/mounts", "r");
    for (char line[4096]; mounts && count < 64 && fgets(line, sizeof line, mounts);)
        if (sscanf(line, "%*s %255s", points[count]) == 1 &&
            (!strncmp(points[count], "/tmp/fuzz/", 10) || !strncmp(points[count], "/granted/", 9)))
            count++;
    if (mounts) fclose(mounts);
    at("unmount", count);
    while (count > 0) umount2(points[--count], MNT_DETACH);
}

static void remove_everything(void) {
    at("acct", 0);
    acct(NULL);
    unmount_everything();
    nftw("/tmp/fuzz", remove_entry, 32, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    nftw("/granted", remove_entry, 32, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    at("remove", 0);
    unsigned removed = remove_new_names(), keys = count_lines("/proc/keys");
    clear_keyrings();
    printf("removed: %u names outside; keys %u, now %u; users with keys %u\n", removed, keys, count_lines("/proc/keys"),
           count_lines("/proc/key-users"));
    at("remove segments and queues", 0);
    struct shmid_ds segment;
    struct seminfo semaphores;
    struct msginfo queues;
    for (int slot = shmctl(0, SHM_INFO, (void *)&segment); slot >= 0;
        slot--) shmctl(shmctl(slot, SHM_STAT, &segment), IPC_RMID, NULL);
    for (int slot = semctl(0, 0, SEM_INFO, &semaphores); slot >= 0; slot--) {
        struct semid_ds set;
        semctl(semctl(slot, 0, SEM_STAT, &set), 0, IPC_RMID);
    }
    for (int slot = msgctl(0, MSG_INFO, (void *)&queues); slot >= 0; slot--) {
        struct msqid_ds queue;
        msgctl(msgctl(slot, MSG_STAT, &queue), IPC_RMID, NULL);
    }
    static const char *const names[] = {"a", "b", "c", "d", "l", "loop", "fifo", "sock"};
    for (size_t name = 0; name < sizeof names / sizeof *names; name++) syscall(SYS_mq_unlink, names[name]);
}

/// What is cached is bounded and wanted, and not what a leak check looks for.
static void drop_caches(void) {
    if (pwrite(caches, "3\n", 2, 0) != 2) printf("left over: caches, %s\n", strerror(errno));
}

static unsigned count_mounts(void) { return count_lines("/proc/self/mounts"); }

/// What no round may leave: processes, and mounts of the supervisor's.
static void report_left(unsigned mounts) {
    DIR *processes = opendir("/proc");
    unsigned count = 0, entries = 0;
    for (struct dirent *entry; processes && (entry = readdir(processes));) {
        pid_t pid = atoi(entry->d_name);
        entries++;
        if (pid > (pid_t)supervisor && count++ < 8) printf("left over: process %d of %d\n", pid, parent_of(pid));
    }
    if (processes) closedir(processes);
    if (count > 0) printf("left over: %u processes\n", count);
    if (entries < 10) printf("left over: /proc has %u entries\n", entries);
    if (count_mounts() > mounts) printf("left over: %u mounts, %u before\n", count_mounts(), mounts);
    // As in Linux, those go whose place somebody removes who does not see them.
    if (count_mounts() < mounts) printf("mounts lost: %u of %u\n", mounts - count_mounts(), mounts);
}

static void run_round(unsigned mounts) {
    uint64_t end = now_ms() + options.seconds * 1000ull, next = 0;
    while (now_ms() < end) {
        reap();
        for (unsigned place = 0; place < WORKERS; place++) {
            if (pids[place] == 0) start_worker(place);
            else end_overdue(place);
        }
        if (now_ms() >= next) end_orphans(), next = now_ms() + REPORT_MS;
        report_progress();
        at("sleep", now_ms());
        sleep_ms(10);
        at("slept", now_ms());
    }
    for (uint64_t last = now_ms() + STUCK_MS; now_ms() < last; sleep_ms(20)) {
        unsigned left = 0;
        for (unsigned place = 0; place < WORKERS; place++)
            if (pids[place] != 0) left++, kill((pid_t)pids[place], SIGKILL);
        if (end_orphans() + left == 0) break;
    }
    for (unsigned place = 0; place < WORKERS; place++)
        if (pids[place] != 0) printf("stuck worker %u: not gone after SIGKILL\n", pids[place]);
    remove_everything();
    sleep_ms(1000);
    report_left(mounts);
    drop_caches();
    report("idle"); // the driver measures now
    sleep_ms(1500);
}

static void read_options(int count, char **arguments) {
    for (int index = 1; index < count; index++) {
        char *name = arguments[index], *value = index + 1 < count ? arguments[index + 1] : "";
        if (!strcmp(name, "--really")) { options.really = true; continue; }
        if (!strcmp(name, "--seed")) options.seed = strtoull(value, NULL, 0);
        else if (!strcmp(name, "--seconds")) options.seconds = (unsigned)atoi(value);
        else if (!strcmp(name, "--rounds")) options.rounds = (unsigned)atoi(value);
        else if (!strcmp(name, "--record")) options.record = value;
        else { fprintf(stderr, "usage: fuzzer [--seed N] [--seconds N] [--rounds N] [--record FILE] [--really]\n"); exit(2); }
        index++;
    }
}

/// Nothing here may fault: the sandbox took something away from the supervisor. Says what.
static void on_supervisor_fault(int number, siginfo_t *information, void *opaque) {
    // Somebody's kill(2) for a whole process group.
    if (information->si_code <= 0) return;
    const ucontext_t *context = opaque;
    const uint64_t address = (uint64_t)information->si_addr;
    char text[160], line[512];
    snprintf(text, sizeof text, "left over: supervisor's signal %d, code %d, address %#lx, instruction %#llx\n", number, information->si_code, address,
             context->uc_mcontext.gregs[REG_RIP]);
    write(1, text, strlen(text));
    FILE *maps = fopen("/proc/self/maps", "r");
    for (uint64_t from, to; maps && fgets(line, sizeof line, maps);)
        if (sscanf(line, "%lx-%lx", &from, &to) == 2 && from <= address && address < to) write(1, line, strlen(line));
    _exit(99);
}

static void catch_faults(void) {
    const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
    struct sigaction action = {.sa_sigaction = on_supervisor_fault, .sa_flags = SA_SIGINFO};
    for (size_t index = 0; index < sizeof faults / sizeof *faults; index++) sigaction(faults[index], &action, NULL);
}

int main(int count, char **arguments) {
    if (count > 0 && !strcmp(arguments[0], "child")) return 0; // a worker ran this program
    read_options(count, arguments);
    struct utsname name;
    uname(&name);
    if (strcmp(name.nodename, "stockade") && !options.really) {
        fprintf(stderr, "fuzzer: this is not the sandbox (the node is not called stockade); --really runs it nevertheless\n");
        return 2;
    }
    int record = options.record ? open(options.record, O_RDWR | O_CREAT, 0666) : -1;
    if (record >= 0) ftruncate(record, sizeof *shared);
    int flags = record >= 0 ? MAP_SHARED : MAP_SHARED | MAP_ANONYMOUS;
    // Far from where calls map and unmap.
    shared = mmap((void *)0x23456789000, sizeof *shared, PROT_READ | PROT_WRITE, flags, record, 0);
    if (shared == MAP_FAILED) return perror("fuzzer: mmap"), 2;
    close(record);
    supervisor = (uint32_t)getpid();
    null_file = open("/dev/null", O_RDWR);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    for (int signal_number = 1; signal_number < 32; signal_number++)
        if (signal_number != SIGCHLD && signal_number != SIGTERM) signal(signal_number, SIG_IGN);
    catch_faults();
    caches = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
    printf("seed %lu\n", options.seed);
    remove_new_names();
    sleep_ms(500);
    report("ready");
    sleep_ms(1000);
    unsigned mounts = count_mounts();
    for (unsigned round = 0; round < options.rounds; round++) run_round(mounts);
    for (unsigned number = 0; number <= MAX_NUMBER; number++)
        if (shared->calls[number]) printf("count %u %lu %lu\n", number, shared->calls[number], shared->succeeded[number]);
    printf("hot sites %lu, seen patched %lu\n", shared->hot, shared->patched);
    report("end");
    return 0;
}
