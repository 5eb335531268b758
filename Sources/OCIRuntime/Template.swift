import HostOS

/// The configuration that `spec` writes: runc's, with a shell as the program.
public enum Template {
    private static let capabilities = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]

    public static func configuration(isRootless: Bool) -> JSONText {
        func strings(_ list: [String]) -> JSONText { .array(list.map { .string($0) }) }
        let sets: [(key: String, value: JSONText)] = ["bounding", "effective", "permitted", "ambient"].map { ($0, strings(capabilities)) }
        func mount(_ destination: String, _ type: String, _ source: String, _ options: [String]?) -> JSONText {
            var members: [(key: String, value: JSONText)] = [("destination", .string(destination)), ("type", .string(type)), ("source", .string(source))]
            if let options { members.append(("options", strings(options))) }
            return .object(members)
        }
        var devpts = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]
        if isRootless { devpts.removeLast() }
        var namespaces = ["pid", "network", "ipc", "uts", "mount"]
        if isRootless { namespaces.removeAll { $0 == "network" } }
        namespaces += isRootless ? ["user", "cgroup"] : ["cgroup"]
        var linux: [(key: String, value: JSONText)] = []
        if isRootless {
            func mapping(_ id: UInt32) -> JSONText {
                .array([.object([("containerID", .number(0)), ("hostID", .number(Int64(id))), ("size", .number(1))])])
            }
            linux += [("uidMappings", mapping(HostProcess.realUID)), ("gidMappings", mapping(HostProcess.realGID))]
        } else {
            linux.append(("resources", .object([("devices", .array([.object([("allow", .bool(false)), ("access", .string("rwm"))])]))])))
        }
        linux += [
            ("namespaces", .array(namespaces.map { .object([("type", .string($0))]) })),
            (
                "maskedPaths",
                strings([
                    "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
                    "/proc/sched_debug", "/sys/firmware", "/proc/scsi",
                ])
            ), ("readonlyPaths", strings(["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"])),
        ]
        return .object([
            ("ociVersion", .string(RuntimeSpec.version)),
            (
                "process",
                .object([
                    ("terminal", .bool(true)), ("user", .object([("uid", .number(0)), ("gid", .number(0))])), ("args", strings(["sh"])),
                    ("env", strings(["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"])),
                    ("cwd", .string("/")), ("capabilities", .object(sets)),
                    (
                        "rlimits",
                        .array([.object([("type", .string("RLIMIT_NOFILE")), ("hard", .number(1024)), ("soft", .number(1024))])])
                    ), ("noNewPrivileges", .bool(true)),
                ])
            ), ("root", .object([("path", .string("rootfs")), ("readonly", .bool(true))])), ("hostname", .string("stockade")),
            (
                "mounts",
                .array([
                    mount("/proc", "proc", "proc", nil),
                    mount("/dev", "tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
                    mount("/dev/pts", "devpts", "devpts", devpts),
                    mount("/dev/shm", "tmpfs", "shm", ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]),
                    mount("/dev/mqueue", "mqueue", "mqueue", ["nosuid", "noexec", "nodev"]),
                    mount("/sys", "sysfs", "sysfs", ["nosuid", "noexec", "nodev", "ro"]),
                    mount("/sys/fs/cgroup", "cgroup", "cgroup", ["nosuid", "noexec", "nodev", "relatime", "ro"]),
                ])
            ), ("linux", .object(linux)),
        ])
    }
}

/// What `features` prints.
public enum Features {
    public static var text: JSONText {
        func strings(_ list: [String]) -> JSONText { .array(list.map { .string($0) }) }
        let seccomp = JSONText.object([
            ("enabled", .bool(true)), ("actions", strings(SeccompCompiler.actions)), ("operators", strings(SeccompCompiler.operators.sorted())),
            ("archs", strings(["SCMP_ARCH_X86_64"])),
        ])
        return .object([
            ("ociVersionMin", .string("1.0.0")), ("ociVersionMax", .string(RuntimeSpec.version)),
            ("hooks", strings(["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"])),
            ("mountOptions", strings(MountOptions.knownNames)),
            (
                "linux",
                .object([
                    ("namespaces", strings(["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"])),
                    ("capabilities", strings(Capability.names.map { "CAP_" + $0 }.sorted())),
                    (
                        "cgroup",
                        .object([
                            ("v1", .bool(true)), ("v2", .bool(true)), ("systemd", .bool(false)), ("systemdUser", .bool(false)),
                            ("rdma", .bool(false)),
                        ])
                    ), ("seccomp", seccomp), ("apparmor", .object([("enabled", .bool(false))])),
                    ("selinux", .object([("enabled", .bool(false))])), ("intelRdt", .object([("enabled", .bool(false))])),
                    ("mountExtensions", .object([("idmap", .object([("enabled", .bool(false))]))])),
                ])
            ),
        ])
    }
}
