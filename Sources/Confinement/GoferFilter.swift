/// The host system calls of the Gofer once its grants are open: paths and descriptors, and one socket. No new socket, no process, no code.
enum GoferFilter {
    private static let protectionExecute: UInt64 = 4

    static let rules =
        [
            FilterRule.allow("mmap", argument: 2, mask: protectionExecute, value: 0),
            FilterRule.allow("mprotect", argument: 2, mask: protectionExecute, value: 0),
            // Its own: it follows the client.
            FilterRule.allow("sched_setaffinity", argument: 0, mask: .max, value: 0),
        ]
        + FilterRule.allow(
            "munmap", "madvise", "mremap", "brk", "futex", "exit", "exit_group", "rt_sigreturn", "rt_sigprocmask", "getpid", "gettid",
            "clock_gettime", "getrandom", "sched_yield", "restart_syscall", "getcpu",
            // The socket.
            "sendmsg", "recvmsg", "poll", "ppoll",
            // Descriptors.
            "read", "write", "pread64", "pwrite64", "lseek", "fstat", "fstatfs", "ftruncate", "fallocate", "fsync", "fdatasync", "syncfs", "fcntl",
            "dup", "close", "close_range", "getdents64", "fchmod", "fchown", "fgetxattr", "fsetxattr", "flistxattr", "fremovexattr",
            // Names, relative to descriptors of the grants.
            "openat", "openat2", "newfstatat", "statx", "statfs", "readlinkat", "mkdirat", "mknodat", "unlinkat", "renameat2", "renameat", "linkat",
            "symlinkat", "fchmodat", "fchmodat2", "fchownat", "utimensat", "faccessat2", "readlink", "getxattr", "setxattr", "listxattr",
            "removexattr", "inotify_init1", "inotify_add_watch", "inotify_rm_watch", "lgetxattr", "lsetxattr", "llistxattr", "lremovexattr", "truncate", "name_to_handle_at")
}
