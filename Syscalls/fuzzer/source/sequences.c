// Sequences that random single calls would hardly come upon.
#include "fuzzer.h"
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/// A socket that travels in its own queue, perhaps left there.
static void pass_descriptors(void) {
    int pair[2];
    if (socketpair(AF_UNIX, one_in(2) ? SOCK_STREAM : SOCK_DGRAM, 0, pair) != 0) return;
    char byte = 'x';
    struct iovec vector = {&byte, 1};
    union { char bytes[CMSG_SPACE(3 * sizeof(int))]; struct cmsghdr header; } control = {0};
    struct msghdr message = {0, 0, &vector, 1, &control, sizeof control, 0};
    control.header = (struct cmsghdr){CMSG_LEN(3 * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    int *passed = (int *)CMSG_DATA(&control.header);
    passed[0] = pair[0], passed[1] = pair[1], passed[2] = one_in(2) ? pair[0] : 3;
    for (int count = 0; count < 3; count++) sendmsg(pair[one_in(2)], &message, MSG_DONTWAIT);
    if (one_in(2)) call(SYS_recvmsg, pair[0], structure(MESSAGE), MSG_DONTWAIT, 0, 0, 0);
    if (!one_in(4)) close(pair[0]);
    if (!one_in(4)) close(pair[1]);
}

/// Memory that loses its file while it is touched.
static void touch_mapping(void) {
    int fd = one_in(2) ? random_descriptor() : open("b", O_RDWR | O_CREAT, 0666);
    size_t length = 4096 * (1 + random_below(16));
    if (one_in(2)) call(SYS_ftruncate, fd, random_below(length), 0, 0, 0, 0);
    char *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, one_in(2) ? MAP_SHARED : MAP_PRIVATE, fd, 0);
    if (memory == MAP_FAILED) return;
    for (int count = 0; count < 8; count++) {
        size_t at = random_below(length);
        if (one_in(2)) call(SYS_read, random_descriptor(), memory + at, random_below(4096), 0, 0, 0);
        if (one_in(4)) call(SYS_ftruncate, fd, random_below(length), 0, 0, 0, 0);
        if (one_in(2)) memory[at] = 1;
        if (one_in(8)) madvise(memory, length, one_in(2) ? MADV_DONTNEED : MADV_REMOVE);
    }
    munmap(memory, length);
}

static void fork_and_wait(void) {
    if (!may_fork()) return;
    pid_t child = fork();
    if (child == 0) child_main();
    if (one_in(3)) kill(child, (int)random_below(32));
    if (one_in(2)) waitpid(child, NULL, one_in(2) ? WNOHANG : WUNTRACED);
}

static void run_program(void) {
    if (!may_fork()) return;
    bool lends = one_in(2);
    if (lends) count_call(SYS_vfork);
    pid_t child = lends ? vfork() : fork();
    if (child == 0) {
        char *const arguments[] = {"child", NULL};
        execve(one_in(4) ? "/bin/true" : "/proc/self/exe", arguments, NULL);
        _exit(0);
    }
    if (one_in(2)) waitpid(child, NULL, 0);
}

/// A thread without any library, which makes a few calls of its own and ends.
static int bare_thread(void *unused) {
    (void)unused;
    syscall(SYS_sched_yield);
    syscall(SYS_poll, NULL, 0, 1);
    count_call(SYS_exit);
    syscall(SYS_exit, 0);
    return 0;
}

static void start_thread(void) {
    enum { STACK = 64 << 10 };
    if (!may_fork()) return;
    char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack == MAP_FAILED) return;
    int flags = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
    if (one_in(2)) flags |= CLONE_FS;
    if (one_in(2)) flags |= CLONE_FILES;
    // Shares the thread-local memory of this one, so it must not touch errno: it ends before this goes on, mostly.
    clone(bare_thread, stack + STACK, flags | CLONE_CHILD_CLEARTID, NULL, NULL, NULL, place_for(4));
}

static void use_terminal(void) {
    int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK);
    unlockpt(master);
    char *name = ptsname(master);
    int slave = name ? open(name, O_RDWR | O_NOCTTY | O_NONBLOCK) : -1;
    static const char *const typed[] = {"line\n", "\003", "\004", "\032", "\025\027\b\177", "\377\377", "\023", "\021",
        "\026\003"};
    for (int count = 0; count < 6; count++) {
        const char *text = typed[random_below(9)];
        call(SYS_write, master, text, strlen(text), 0, 0, 0);
        if (one_in(3)) call(SYS_ioctl, one_in(2) ? master : slave, 0x5402 + random_below(3), structure(IN), 0, 0, 0);
        if (one_in(3)) call(SYS_read, one_in(2) ? master : slave, place_for(64), 64, 0, 0, 0);
    }
    if (one_in(8)) setsid(), ioctl(slave, TIOCSCTTY, 0);
    if (one_in(2)) close(master);
    if (one_in(2)) close(slave);
}

static void share_segment(void) {
    int segment = shmget(IPC_PRIVATE, 4096 * (1 + random_below(4)), 0600 | IPC_CREAT);
    char *memory = shmat(segment, NULL, 0);
    if (one_in(2)) shmctl(segment, IPC_RMID, NULL);
    if (memory != (void *)-1) {
        memory[random_below(4096)] = 1;
        if (one_in(2)) fork_and_wait();
        call(SYS_shmdt, memory, 0, 0, 0, 0, 0);
    }
    shmctl(segment, IPC_RMID, NULL);
}

static void start_timer(void) {
    timer_t timer;
    struct sigevent event = {.sigev_notify = one_in(2) ? SIGEV_SIGNAL : SIGEV_NONE, .sigev_signo = SIGUSR1};
    if (timer_create(one_in(2) ? CLOCK_MONOTONIC : CLOCK_REALTIME, &event, &timer) != 0) return;
    call(SYS_timer_settime, timer, 0, structure(TIME), 0, 0, 0);
    if (one_in(2)) timer_delete(timer);
}

void random_sequence(void) {
    static void (*const sequences[])(void) = {
        pass_descriptors, touch_mapping, fork_and_wait, run_program,    start_thread, use_terminal, share_segment,
                start_timer, trace_child, filter_child,
        forge_frames,     use_namespaces, use_mounts,   use_contexts,   use_keys,     use_process_files, use_handles,
              use_queues,  use_network, confine_child,
        run_hot,
    };
    guarded(sequences[random_below(sizeof sequences / sizeof *sequences)]);
}
