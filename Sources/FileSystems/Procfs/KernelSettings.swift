import HostOS
import Kernel
import LinuxABI
import VirtualFileSystem

/// /proc/sys: sysctl(8). What the sandbox's kernel goes by can be written (names, limits of namespaces, who may have ICMP sockets);
/// everything else is read-only whatever its mode bits, as in containers.
enum KernelSettings {
    static func entries(kernel: SandboxKernel) -> [SyntheticTreeEntry] {
        let pages = kernel.memoryFile.totalBytes / Page.size
        return [
            .directory("abi"), .directory("debug"), .directory("dev"),
            .directory("fs", fileSystems(kernel, pages)),
            .directory("kernel", general(kernel, pages)),
            .directory(
                "net",
                [
                    .directory("core", network), .directory("ipv4", ipv4(pages)), .directory("ipv6"),
                    .directory("unix", [.text("max_dgram_qlen", "10", 0o644)]),
                ]),
            .directory("user", user(pages)),
            .directory("vm", memory(kernel)),
        ]
    }

    /// Read-only whoever writes, but with the mode that Linux gives it.
    private static func setting(_ name: String, _ value: some CustomStringConvertible) -> SyntheticTreeEntry {
        .text(name, value.description, 0o644)
    }

    // MARK: kernel

    private static func general(_ kernel: SandboxKernel, _ pages: UInt64) -> [SyntheticTreeEntry] {
        func live(_ setting: LiveSetting.Kind) -> SyntheticTreeEntry {
            .file(setting.rawValue, LiveSetting(kind: setting, kernel: kernel, identity: ""))
        }
        let boot = RandomIdentity.make()
        return [
            .text("arch", LinuxVersion.machine), .text("cap_last_cap", "40"), setting("core_pattern", "core"),
            setting("core_pipe_limit", 0),
            setting("core_uses_pid", 0), setting("ctrl-alt-del", 0), setting("dmesg_restrict", 1), live(.domainname),
            live(.hostname),
            setting("io_uring_disabled", 2), setting("io_uring_group", -1),
            .directory(
                "keys",
                [
                    setting("gc_delay", 300), setting("maxbytes", 20000), setting("maxkeys", 200),
                    setting("persistent_keyring_expiry", 259200), setting("root_maxbytes", 25_000_000),
                    setting("root_maxkeys", 1_000_000),
                ]),
            setting("kptr_restrict", 1), .text("msg_next_id", "-1"), setting("msgmax", 8192), setting("msgmnb", 16384),
            setting("msgmni", 32000), .text("ngroups_max", "65536"), setting("numa_balancing", 0),
            .text("osrelease", LinuxVersion.release),
            .text("ostype", LinuxVersion.system), setting("overflowgid", 65534), setting("overflowuid", 65534),
            setting("panic", 0), setting("panic_on_oops", 0), setting("perf_event_max_sample_rate", 100_000),
            setting("perf_event_mlock_kb", 516), setting("perf_event_paranoid", 4), setting("pid_max", ProcessTable.maximum),
            setting("printk", "4\t4\t1\t7"),
            .directory("pty", [setting("max", 4096), .text("nr", "0"), setting("reserve", 1024)]),
            .directory(
                "random",
                [
                    .file("boot_id", LiveSetting(kind: .bootID, kernel: kernel, identity: boot)), .text("entropy_avail", "256"),
                    .text("poolsize", "256"), setting("urandom_min_reseed_secs", 60),
                    .file("uuid", LiveSetting(kind: .uuid, kernel: kernel, identity: "")), setting("write_wakeup_threshold", 256),
                ]),
            setting("randomize_va_space", 2), setting("sched_autogroup_enabled", 0), setting("sched_child_runs_first", 0),
            setting("sched_rr_timeslice_ms", 100), setting("sched_rt_period_us", 1_000_000),
            setting("sched_rt_runtime_us", 950_000),
            .directory(
                "seccomp",
                [
                    .text("actions_avail", "kill_process kill_thread trap errno user_notif trace log allow"),
                    setting("actions_logged", "kill_process kill_thread trap errno user_notif trace log"),
                ]),
            setting("sem", "32000\t1024000000\t500\t32000"), .text("sem_next_id", "-1"), .text("shm_next_id", "-1"),
            setting("shm_rmid_forced", 0), setting("shmall", "18446744073692774399"), setting("shmmax", "18446744073692774399"),
            setting("shmmni", 4096), setting("sysrq", 0), setting("tainted", 0), setting("threads-max", pages / 32),
            setting("timer_migration", 1), setting("unprivileged_bpf_disabled", 2), setting("unprivileged_userns_clone", 1),
            .text("version", LinuxVersion.build), setting("watchdog", 0),
        ]
    }

    // MARK: vm

    private static func memory(_ kernel: SandboxKernel) -> [SyntheticTreeEntry] {
        [
            setting("admin_reserve_kbytes", 8192), setting("dirty_background_bytes", 0), setting("dirty_background_ratio", 10),
            setting("dirty_bytes", 0), setting("dirty_expire_centisecs", 3000), setting("dirty_ratio", 20),
            setting("dirty_writeback_centisecs", 500), .file("drop_caches", CacheDropper(kernel: kernel)), setting("hugetlb_shm_group", 0), setting("legacy_va_layout", 0),
            setting("max_map_count", 65530), setting("memfd_noexec", 0), setting("min_free_kbytes", 67584),
            setting("mmap_min_addr", kernel.platform.lowestAddress.rawValue), setting("nr_hugepages", 0),
            setting("nr_hugepages_mempolicy", 0),
            setting("nr_overcommit_hugepages", 0), setting("oom_dump_tasks", 1), setting("oom_kill_allocating_task", 0),
            setting("overcommit_kbytes", 0), setting("overcommit_memory", 0), setting("overcommit_ratio", 50),
            setting("page-cluster", 3),
            setting("panic_on_oom", 0), setting("stat_interval", 1), setting("swappiness", 60),
            setting("unprivileged_userfaultfd", 0),
            setting("user_reserve_kbytes", 131072), setting("vfs_cache_pressure", 100), setting("zone_reclaim_mode", 0),
        ]
    }

    // MARK: fs

    private static func fileSystems(_ kernel: SandboxKernel, _ pages: UInt64) -> [SyntheticTreeEntry] {
        // A file takes about 1 KiB, and a tenth of memory may go to files (files_maxfiles_init).
        let files = max(8192, pages * 4 / 10)
        return [
            setting("aio-max-nr", 65536), .file("aio-nr", AIOCountContent(kernel: kernel)), .directory("binfmt_misc"),
            .text("dentry-state", "0\t0\t45\t0\t0\t0"),
            .directory("epoll", [setting("max_user_watches", max(1, pages * 4096 / 25 / 184))]),
            setting("file-max", files), .text("file-nr", "0\t0\t\(files)"), .text("inode-nr", "0\t0"),
            .text("inode-state", "0\t0\t0\t0\t0\t0\t0"),
            .directory(
                "inotify",
                [
                    setting("max_queued_events", 16384), setting("max_user_instances", 128),
                    setting("max_user_watches", min(1_048_576, max(8192, pages / 32))),
                ]),
            setting("lease-break-time", 45), setting("leases-enable", 1), setting("mount-max", 100_000),
            .directory(
                "mqueue",
                [
                    setting("msg_default", 10), setting("msg_max", 10), setting("msgsize_default", 8192),
                    setting("msgsize_max", 8192),
                    setting("queues_max", 256),
                ]),
            setting("nr_open", 1_048_576), setting("overflowgid", 65534), setting("overflowuid", 65534),
            setting("pipe-max-size", 1_048_576), setting("pipe-user-pages-hard", 0), setting("pipe-user-pages-soft", 16384),
            setting("protected_fifos", 0), setting("protected_hardlinks", 0), setting("protected_regular", 0),
            setting("protected_symlinks", 0), setting("suid_dumpable", 0),
        ]
    }

    // MARK: net

    private static var network: [SyntheticTreeEntry] {
        [
            setting("default_qdisc", "pfifo_fast"), setting("dev_weight", 64), setting("netdev_budget", 300),
            setting("netdev_max_backlog", 1000), setting("optmem_max", 131_072), setting("rmem_default", 212_992),
            setting("rmem_max", 4_194_304), setting("somaxconn", 4096), setting("wmem_default", 212_992),
            setting("wmem_max", 4_194_304),
        ]
    }

    private static func ipv4(_ pages: UInt64) -> [SyntheticTreeEntry] {
        [
            setting("icmp_echo_ignore_all", 0), setting("ip_default_ttl", 64), setting("ip_forward", 0),
            setting("ip_local_port_range", "32768\t60999"), setting("ip_local_reserved_ports", ""),
            setting("ip_nonlocal_bind", 0),
            setting("ip_unprivileged_port_start", 1024), .file("ping_group_range", PingGroupRange()),
            setting("tcp_abort_on_overflow", 0), setting("tcp_adv_win_scale", 1),
            .text("tcp_allowed_congestion_control", "reno cubic", 0o644),
            .text("tcp_available_congestion_control", "reno cubic"), setting("tcp_base_mss", 1024),
            setting("tcp_congestion_control", "cubic"), setting("tcp_dsack", 1), setting("tcp_ecn", 2),
            setting("tcp_fastopen", 1),
            setting("tcp_fin_timeout", 60), setting("tcp_keepalive_intvl", 75), setting("tcp_keepalive_probes", 9),
            setting("tcp_keepalive_time", 7200), setting("tcp_max_orphans", 131_072), setting("tcp_max_syn_backlog", 2048),
            setting("tcp_max_tw_buckets", 131_072), setting("tcp_mem", "\(pages / 21)\t\(pages / 16)\t\(pages / 10)"),
            setting("tcp_moderate_rcvbuf", 1), setting("tcp_mtu_probing", 0), setting("tcp_no_metrics_save", 0),
            setting("tcp_retries1", 3), setting("tcp_retries2", 15), setting("tcp_rfc1337", 0),
            setting("tcp_rmem", "4096\t131072\t6291456"),
            setting("tcp_sack", 1), setting("tcp_slow_start_after_idle", 1), setting("tcp_syn_retries", 6),
            setting("tcp_synack_retries", 5), setting("tcp_syncookies", 1), setting("tcp_timestamps", 1),
            setting("tcp_tw_reuse", 2),
            setting("tcp_window_scaling", 1), setting("tcp_wmem", "4096\t16384\t4194304"),
            setting("udp_mem", "\(pages / 10)\t\(pages / 8)\t\(pages / 5)"), setting("udp_rmem_min", 4096),
            setting("udp_wmem_min", 4096),
        ]
    }

    // MARK: user

    private static func user(_ pages: UInt64) -> [SyntheticTreeEntry] {
        NamespaceKind.allCases.map { .file("max_\($0.rawValue)_namespaces", NamespaceLimit(kind: $0)) } + [
            setting("max_inotify_instances", 128), setting("max_inotify_watches", min(1_048_576, max(8192, pages / 32))),
        ]
    }
}

/// /proc/sys/user/max_*_namespaces: of the reader's user namespace, whose root may change them.
struct NamespaceLimit: SyntheticContent {
    let kind: NamespaceKind
    var permissions: UInt16 { 0o644 }

    func bytes(caller: any Caller) throws(Errno) -> [UInt8] { Array("\(caller.credentials.userNamespace.limit(kind))\n".utf8) }
    func store(_ bytes: [UInt8], caller: any Caller) throws(Errno) {
        let space = caller.credentials.userNamespace
        guard caller.credentials.has(.sysResource, in: space) else { throw .EPERM }
        guard let value = TextNumber.parse(bytes), value >= 0, value <= Int64(Int32.max) else { throw .EINVAL }
        space.setLimit(kind, Int(value))
    }
}

/// A setting that changes.
struct LiveSetting: SyntheticContent {
    enum Kind: String, Sendable {
        case hostname, domainname, uuid
        case bootID = "boot_id"
    }
    let kind: Kind
    let kernel: SandboxKernel
    let identity: String

    var permissions: UInt16 {
        switch kind {
        case .hostname, .domainname: 0o644
        case .uuid, .bootID: 0o444
        }
    }

    func bytes(caller: any Caller) throws(Errno) -> [UInt8] {
        switch kind {
        case .hostname: (caller as? CurrentTask)?.namespaces.uts.hostName.withLock { $0 + [0x0a] } ?? []
        case .domainname: (caller as? CurrentTask)?.namespaces.uts.domainName.withLock { $0 + [0x0a] } ?? []
        case .bootID: Array("\(identity)\n".utf8)
        case .uuid: Array("\(RandomIdentity.make())\n".utf8)
        }
    }

    /// As sethostname(2): CAP_SYS_ADMIN, 64 bytes; the first line counts.
    func store(_ bytes: [UInt8], caller: any Caller) throws(Errno) {
        let name = Array(bytes.prefix { $0 != 0x0a && $0 != 0 }.prefix(64))
        switch kind {
        case .hostname:
            guard caller.credentials.has(.sysAdmin) else { throw .EPERM }
            (caller as? CurrentTask)?.namespaces.uts.hostName.withLock { $0 = name }
        case .domainname:
            guard caller.credentials.has(.sysAdmin) else { throw .EPERM }
            (caller as? CurrentTask)?.namespaces.uts.domainName.withLock { $0 = name }
        case .uuid, .bootID: throw .EACCES
        }
    }
}

/// /proc/sys/vm/drop_caches (proc_sys_vm(5)): 1 gives free memory that is kept ready back to the host, 2 drops unused names and inodes with the host
/// files open for them, 3 does both; other bits do nothing.
struct CacheDropper: SyntheticContent {
    let kernel: SandboxKernel
    var permissions: UInt16 { 0o200 }

    /// Modes of settings hold for root too (proc_sys_permission).
    func bytes(caller: any Caller) throws(Errno) -> [UInt8] { throw .EACCES }
    func store(_ bytes: [UInt8], caller: any Caller) throws(Errno) {
        guard let what = TextNumber.parse(bytes), what >= 1, what <= Int64(Int32.max) else { throw .EINVAL }
        if what & 2 != 0 { caller.mountNamespace.dropUnusedNames() }
        if what & 1 != 0 { kernel.memoryFile.trim() }
        if what & 3 != 0 { HostStartup.trimHeap() }
    }
}

/// A random UUID of version 4 (RFC 9562).
enum RandomIdentity {
    static func make() -> String {
        let high = (UInt64.random(in: .min ... .max) & ~0xf000) | 0x4000
        let low = (UInt64.random(in: .min ... .max) & ~(0xc << 60)) | (0x8 << 60)
        var text = TextBuilder()
        text.hex(high >> 32, width: 8)
        text.text("-")
        text.hex((high >> 16) & 0xffff, width: 4)
        text.text("-")
        text.hex(high & 0xffff, width: 4)
        text.text("-")
        text.hex(low >> 48, width: 4)
        text.text("-")
        text.hex(low & 0xffff_ffff_ffff, width: 12)
        return String(decoding: text.bytes, as: UTF8.self)
    }
}
