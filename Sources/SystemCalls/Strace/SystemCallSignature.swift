/// How the arguments of a call are shown.
struct SystemCallSignature: Sendable {
    enum Kind: Character, Sendable {
        case int = "d"
        case long = "l"
        case unsigned = "u"
        case hex = "x"
        case octal = "o"
        case directory = "@"
        case string = "s"
        case stringVector = "v"
        /// Bytes the guest passes in; the count is the next argument.
        case input = "i"
        /// Bytes the call fills in; the count is the result.
        case output = "b"
        case openFlags = "O"
        case protection = "P"
        case mapFlags = "M"
        case signal = "S"
        case timespec = "t"
        /// A pair of descriptors that the call fills in.
        case descriptorPair = "2"
    }
    var kinds: [Kind]
    /// The result is an address.
    var returnsAddress: Bool

    func format(result: Int) -> String { returnsAddress ? "0x" + String(UInt(bitPattern: result), radix: 16) : String(result) }

    static func of(_ name: String) -> SystemCallSignature {
        table[name] ?? SystemCallSignature(kinds: [.hex, .hex, .hex, .hex, .hex, .hex], returnsAddress: false)
    }

    private static let addressResults: Set<String> = ["mmap", "brk", "mremap", "shmat"]

    private static let table: [String: SystemCallSignature] = {
        var table: [String: SystemCallSignature] = [:]
        for (kinds, names) in groups {
            let parsed = kinds.compactMap(Kind.init(rawValue:))
            for name in names.split(separator: " ").map(String.init) {
                table[name] = SystemCallSignature(kinds: parsed, returnsAddress: addressResults.contains(name))
            }
        }
        return table
    }()

    /// Calls by the kinds of their arguments.
    private static let groups: [(String, String)] = [
        ("", "vhangup"),
        ("s", "acct"),
        ("ux", "io_setup"),
        ("x", "io_destroy memfd_secret"),
        ("xlx", "io_submit"),
        ("xxx", "io_cancel"),
        ("xllxt", "io_getevents io_pgetevents"),
        ("ssiud", "add_key"),
        ("sssd", "request_key"),
        ("dxxxx", "keyctl"),
        ("xux", "landlock_create_ruleset"),
        ("ddxx", "landlock_add_rule"),
        ("dx", "landlock_restrict_self"),
        ("@sxux", "file_getattr file_setattr"),
        ("@sxxx", "name_to_handle_at"),
        ("dxO", "open_by_handle_at"),
        ("", "getpid gettid getppid getuid geteuid getgid getegid sched_yield fork vfork setsid pause rt_sigreturn sync munlockall getpgrp"),
        ("d", "close dup exit exit_group fsync fdatasync syncfs getpgid getsid epoll_create epoll_create1 eventfd inotify_init1 alarm"),
        ("u", "umask setuid setgid"),
        ("x", "brk set_tid_address time times uname sysinfo restart_syscall"),
        ("dd", "dup2 listen shutdown eventfd2 setpgid flock tkill"),
        ("ddd", "dup3 socket"),
        ("dS", "kill"),
        ("ddS", "tgkill"),
        ("dbu", "read getdents getdents64"),
        ("diu", "write"),
        ("dbul", "pread64"),
        ("diul", "pwrite64"),
        ("dxu", "readv writev"),
        ("dxul", "preadv pwritev"),
        ("dld", "lseek"),
        ("sOo", "open"),
        ("@sOo", "openat"),
        ("@sxu", "openat2"),
        ("so", "creat mkdir chmod"),
        ("@so", "mkdirat fchmodat"),
        ("s", "rmdir unlink chdir chroot"),
        ("@sx", "unlinkat"),
        ("ss", "rename link symlink"),
        ("@s@s", "renameat"),
        ("@s@sx", "renameat2 linkat"),
        ("s@s", "symlinkat"),
        ("sbu", "readlink"),
        ("@sbu", "readlinkat"),
        ("sd", "access"),
        ("@sd", "faccessat"),
        ("@sdx", "faccessat2"),
        ("sx", "stat lstat statfs utime utimes"),
        ("dx", "fstat fstatfs ftruncate"),
        ("@sxx", "newfstatat utimensat"),
        ("@sxxx", "statx"),
        ("do", "fchmod"),
        ("suu", "chown lchown"),
        ("duu", "fchown"),
        ("@suux", "fchownat"),
        ("sl", "truncate"),
        ("dd", "fchdir"),
        ("bu", "getcwd getrandom"),
        ("ddx", "fcntl"),
        ("dxx", "ioctl"),
        ("xuPMdl", "mmap"),
        ("xuP", "mprotect"),
        ("xu", "munmap mlock munlock"),
        ("xuux", "mremap"),
        ("xud", "madvise msync"),
        ("svv", "execve"),
        ("@svvx", "execveat"),
        ("xxxxx", "clone"),
        ("xu", "clone3 set_robust_list"),
        ("dxxx", "wait4"),
        ("ddxxx", "waitid"),
        ("Sxxu", "rt_sigaction"),
        ("dxxu", "rt_sigprocmask"),
        ("xu", "rt_sigsuspend rt_sigpending"),
        ("xx", "sigaltstack gettimeofday"),
        ("xxxu", "rt_sigtimedwait"),
        ("tx", "nanosleep"),
        ("dx", "clock_gettime clock_getres arch_prctl getrlimit setrlimit getrusage"),
        ("ddtx", "clock_nanosleep"),
        ("xdutxu", "futex"),
        ("ddxx", "prlimit64"),
        ("dxxxx", "prctl"),
        ("xdxx", "ptrace"),
        ("uxx", "seccomp"),
        ("2", "pipe"),
        ("2x", "pipe2"),
        ("xud", "poll"),
        ("xutx", "ppoll"),
        ("dxxxx", "select"),
        ("dxxxtx", "pselect6"),
        ("dddx", "epoll_ctl"),
        ("dxdd", "epoll_wait"),
        ("dxddxu", "epoll_pwait"),
        ("dxu", "connect bind"),
        ("dxx", "accept getsockname getpeername"),
        ("dxxx", "accept4"),
        ("ddd2", "socketpair"),
        ("dddxx", "getsockopt"),
        ("dddxu", "setsockopt"),
        ("diuxxu", "sendto"),
        ("dbuxxx", "recvfrom"),
        ("dxx", "sendmsg recvmsg"),
        ("su", "memfd_create sethostname"),
        ("ddxu", "sendfile"),
        ("dulu", "fallocate"),
    ]
}
