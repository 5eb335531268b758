/// The host system calls of the Sentry once it is booted: none that opens a path, makes a socket, runs a program or maps code. The shim of a
/// container takes connections to the one socket that it was given.
enum SentryFilter {
    static func rules(isTracing: Bool, isServing: Bool) -> [FilterRule] {
        (isServing ? FilterRule.allow("accept4") : []) + memory + threads + time + files + paths + sockets + waiting + processes(isTracing: isTracing) + requests
    }

    private static let protectionExecute: UInt64 = 4

    /// Guest memory, heaps and stacks. Nothing becomes executable.
    private static let memory =
        [
            FilterRule.allow("mmap", argument: 2, mask: protectionExecute, value: 0),
            FilterRule.allow("mprotect", argument: 2, mask: protectionExecute, value: 0),
        ] + FilterRule.allow("munmap", "madvise", "mremap", "brk", "mincore", "msync", "membarrier")

    /// CLONE_VM, CLONE_SIGHAND and CLONE_THREAD must all be set: threads, never processes. The flags of clone3(2) lie in memory, where no
    /// filter sees them; the C library falls back to clone(2).
    private static let threads =
        [
            FilterRule.allow("clone", argument: 0, mask: 0x10900, value: 0x10900), FilterRule(name: "clone3", answer: .refuse(38)),
        ]
        + FilterRule.allow(
            "set_robust_list", "rseq", "set_tid_address", "exit", "exit_group", "futex", "sched_yield", "sched_getaffinity",
            "sched_setaffinity", "gettid", "getpid", "rt_sigprocmask", "rt_sigreturn", "rt_sigaction", "sigaltstack", "getcpu",
            "restart_syscall")

    /// clock_adjtime(2) reads here; without capabilities it can do nothing else.
    private static let time = FilterRule.allow(
        "clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "time", "clock_adjtime", "getrusage", "sysinfo",
        "uname", "getrandom", "times")

    /// Descriptors that the Sentry has or is given by the Gofer. stat and statx by descriptor only: with an empty path.
    private static let files =
        FilterRule.allow(
            "read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "preadv2", "pwritev2", "lseek", "fstat",
            "fstatfs", "ftruncate", "fallocate", "fsync", "fdatasync", "sync_file_range", "fcntl", "flock", "dup", "close", "close_range",
            "getdents64", "copy_file_range", "fadvise64", "readahead", "pipe2", "eventfd2", "splice", "sendfile", "fgetxattr", "flistxattr")
        + [
            FilterRule.allow("newfstatat", argument: 3, mask: emptyPath, value: emptyPath),
            FilterRule.allow("statx", argument: 2, mask: emptyPath, value: emptyPath),
        ]
    private static let emptyPath: UInt64 = 0x1000

    /// No path is opened. The C library's allocator tries to, when it gives memory back, and takes no for an answer.
    private static let paths = [FilterRule(name: "openat", answer: .refuse(13))]

    /// Messages to the Gofer, the stubs and the command line, over sockets that exist; pairs for new stubs.
    private static let sockets =
        FilterRule.allow("sendmsg", "recvmsg", "sendto", "recvfrom", "shutdown") + [FilterRule.allow("socketpair", argument: 0, mask: ~0, value: 1)]

    private static let waiting = FilterRule.allow(
        "poll", "ppoll", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "timerfd_create", "timerfd_settime")

    /// Stub processes: kicked, ended, reaped; on the ptrace platform also traced.
    private static func processes(isTracing: Bool) -> [FilterRule] {
        FilterRule.allow("tgkill", "kill", "wait4", "waitid", "getppid") + (isTracing ? FilterRule.allow("ptrace") : [])
    }

    /// ioctl(2): notifications, and what a terminal or stream is asked on behalf of the guest.
    private static let requests = FilterRule.allow("ioctl", argument: 1, oneOf: notifications + terminals)
    /// SECCOMP_IOCTL_NOTIF_RECV, _SEND and _SET_FLAGS.
    private static let notifications: [UInt64] = [0xc050_2100, 0xc018_2101, 0x4008_2104]
    /// TCGETS to TCSBRK's kin, window size, queue lengths; never TIOCSTI, which would type for the user.
    private static let terminals: [UInt64] = [
        0x5401, 0x5402, 0x5403, 0x5404, 0x5405, 0x5406, 0x5407, 0x5408, 0x5409, 0x540a, 0x540b, 0x5411, 0x5413, 0x5414, 0x541b, 0x5424,
        0x5425, 0x802c_542a, 0x402c_542b, 0x402c_542c, 0x402c_542d,
    ]
}
