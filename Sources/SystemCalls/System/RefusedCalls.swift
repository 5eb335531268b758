import Kernel
import LinuxABI
import VirtualFileSystem

/// Calls that a sandbox refuses, each with the error of a Linux kernel that lacks the feature or the privilege.
extension SystemCallFamilies {
    /// A call that always fails with the same error. Syscalls/table.tsv gives the reason of each.
    public struct Refusal: Sendable {
        public let number: Int
        public let name: String
        public let error: Errno
    }

    public static let refusedCalls: [SystemCallEntry] = refusals.map { refusal in
        SystemCallEntry(refusal.number, refusal.name, { (_, _) throws(Errno) in throw refusal.error })
    }

    public static let refusals: [Refusal] =
        privileged(
            [
                (172, "iopl"), (173, "ioperm"), (175, "init_module"),
                (176, "delete_module"), (179, "quotactl"), (246, "kexec_load"), (313, "finit_module"), (320, "kexec_file_load"),
                (321, "bpf"), (443, "quotactl_fd"),
            ])
        + missing(
            [
                // Removed from Linux, or never in it.
                (134, "uselib"),
                (156, "_sysctl"), (174, "create_module"), (177, "get_kernel_syms"), (178, "query_module"),
                (180, "nfsservctl"), (181, "getpmsg"), (182, "putpmsg"), (183, "afs_syscall"), (184, "tuxcall"), (185, "security"),
                (205, "set_thread_area"), (211, "get_thread_area"), (212, "lookup_dcookie"), (214, "epoll_ctl_old"),
                (215, "epoll_wait_old"), (236, "vserver"),
                // As when not built: CONFIG_IO_URING, CONFIG_FANOTIFY, CONFIG_X86_USER_SHADOW_STACK.
                (300, "fanotify_init"), (301, "fanotify_mark"), (425, "io_uring_setup"),
                (426, "io_uring_enter"), (427, "io_uring_register"), (453, "map_shadow_stack"),
            ])
        + [Refusal(number: 298, name: "perf_event_open", error: .EACCES)]

    /// EPERM, whoever asks: what they change is the host's.
    private static func privileged(_ calls: [(Int, String)]) -> [Refusal] {
        calls.map { Refusal(number: $0.0, name: $0.1, error: .EPERM) }
    }
    private static func missing(_ calls: [(Int, String)]) -> [Refusal] {
        calls.map { Refusal(number: $0.0, name: $0.1, error: .ENOSYS) }
    }
}
