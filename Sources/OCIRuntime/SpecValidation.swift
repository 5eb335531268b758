import HostOS

/// What a configuration asks for that is wrong, or that a sandbox cannot give. Wrong things, and things whose absence would weaken isolation, are
/// errors that name the field; all others are warnings.
public struct SpecProblems: Sendable, Equatable {
    public var errors: [String] = []
    public var warnings: [String] = []

    mutating func fail(_ text: String) { errors.append(text) }
    mutating func warn(_ text: String) { warnings.append(text) }
    mutating func require(_ condition: Bool, _ text: @autoclosure () -> String) { if !condition { errors.append(text()) } }

    public func check() throws(RuntimeError) {
        if let first = errors.first { throw RuntimeError(first) }
    }
}

extension RuntimeSpec {
    /// The version of the specification that is implemented.
    public static let version = "1.2.0"

    public func problems() -> SpecProblems {
        var p = SpecProblems()
        checkVersion(&p)
        if windows != nil && linux == nil { p.fail("windows: this runtime runs Linux containers") }
        if solaris != nil || vm != nil || zos != nil { p.warn("sections for other platforms are ignored") }
        if let process { process.check(&p) } else { p.fail("process: must not be empty") }
        if root?.path?.isEmpty ?? true { p.fail("root.path: must not be empty") }
        if let hostname { Self.checkName(hostname, "hostname", &p) }
        if let domainname { Self.checkName(domainname, "domainname", &p) }
        if hostname != nil && !hasNamespace("uts") { p.fail("hostname: unable to set hostname without a private UTS namespace") }
        for (index, mount) in (mounts ?? []).enumerated() { mount.check("mounts[\(index)]", &p) }
        hooks?.check(&p)
        for key in (annotations ?? [:]).keys where key.isEmpty { p.fail("annotations: a key is empty") }
        linux?.check(&p)
        linux?.checkOwners(of: process?.user, &p)
        return p
    }

    func hasNamespace(_ type: String) -> Bool { (linux?.namespaces ?? []).contains { $0.type == type } }

    private func checkVersion(_ p: inout SpecProblems) {
        guard let ociVersion, !ociVersion.isEmpty else { return p.fail("ociVersion: must be set") }
        let core = ociVersion.split(separator: "-", maxSplits: 1)[0].split(separator: "+", maxSplits: 1)[0]
        let parts = core.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let major = UInt(parts[0]), UInt(parts[1]) != nil, UInt(parts[2]) != nil else {
            return p.fail("ociVersion: \"\(ociVersion)\" is not a valid version")
        }
        if major != 1 { p.fail("ociVersion: \(ociVersion) is not supported; 1.x is") }
    }

    static func checkName(_ name: String, _ field: String, _ p: inout SpecProblems) {
        if name.utf8.count > 64 { p.fail("\(field): longer than 64 bytes") }
        checkText(name, field, &p)
    }
    static func checkText(_ text: String, _ field: String, _ p: inout SpecProblems) {
        if text.utf8.contains(0) { p.fail("\(field): holds a NUL byte") }
    }
}

extension RuntimeSpec.Process {
    /// Profiles that container engines give by default; they shield the host's kernel, which a sandbox's program never reaches.
    private static let defaultProfiles: Set<String> = ["", "unconfined", "docker-default", "cri-containerd.apparmor.d"]

    /// What is wrong with a process alone.
    public var problems: SpecProblems {
        var p = SpecProblems()
        check(&p)
        return p
    }

    func check(_ p: inout SpecProblems) {
        let args = args ?? []
        p.require(!args.isEmpty, "process.args: must not be empty")
        for text in args { RuntimeSpec.checkText(text, "process.args", &p) }
        if let first = args.first, first.isEmpty { p.fail("process.args: the first is empty") }
        for text in env ?? [] { RuntimeSpec.checkText(text, "process.env", &p) }
        let cwd = cwd ?? ""
        p.require(!cwd.isEmpty, "process.cwd: Cwd property must not be empty")
        if !cwd.isEmpty { p.require(cwd.hasPrefix("/"), "process.cwd: Cwd must be an absolute path") }
        RuntimeSpec.checkText(cwd, "process.cwd", &p)
        user?.check(&p)
        if let umask = user?.umask { p.require(umask <= 0o777, "process.user.umask: \(umask) is no file mode") }
        capabilities?.check(&p)
        var seen: Set<String> = []
        for limit in rlimits ?? [] {
            let type = limit.type ?? ""
            guard ResourceName.numbers[type] != nil else {
                p.fail("process.rlimits: invalid rlimit type \(type)")
                continue
            }
            if !seen.insert(type).inserted { p.fail("process.rlimits: \(type) is given twice") }
            if (limit.soft ?? 0) > (limit.hard ?? 0) { p.fail("process.rlimits: \(type): the soft limit is above the hard one") }
        }
        if let oomScoreAdj { p.require((-1000...1000).contains(oomScoreAdj), "process.oomScoreAdj: \(oomScoreAdj) is not between -1000 and 1000") }
        if let apparmorProfile, !Self.defaultProfiles.contains(apparmorProfile), !apparmorProfile.hasPrefix("containers-default-") {
            p.fail("process.apparmorProfile: \(apparmorProfile) cannot be applied inside a sandbox")
        }
        if let selinuxLabel, !selinuxLabel.isEmpty { p.fail("process.selinuxLabel: cannot be applied inside a sandbox") }
        if scheduler != nil { p.warn("process.scheduler: ignored; the host schedules") }
        if ioPriority != nil { p.warn("process.ioPriority: ignored") }
        if execCPUAffinity != nil { p.warn("process.execCPUAffinity: ignored") }
    }
}

extension RuntimeSpec.User {
    /// runc's range, for it keeps numbers in an int.
    private static let limit: UInt32 = 1 << 31

    fileprivate func check(_ p: inout SpecProblems) {
        for (field, numbers) in [("uid", [uid ?? 0]), ("gid", [gid ?? 0]), ("additionalGids", additionalGids ?? [])] {
            for number in numbers where number >= Self.limit {
                p.fail("process.user.\(field): \(number) is out of range: uids and gids must be in range 0-\(Self.limit - 1)")
            }
        }
    }
}

extension RuntimeSpec.Capabilities {
    func check(_ p: inout SpecProblems) {
        for list in [bounding, effective, inheritable, permitted, ambient] {
            for name in list ?? [] where Capability.bit(name) == nil { p.warn("process.capabilities: ignoring unknown capability \(name)") }
        }
        let effective = Capability.set(effective), permitted = Capability.set(permitted)
        if effective & ~permitted != 0 { p.fail("process.capabilities: the effective set is not within the permitted set") }
    }
}

extension RuntimeSpec.Mount {
    func check(_ field: String, _ p: inout SpecProblems) {
        let destination = destination ?? ""
        p.require(destination.hasPrefix("/"), "\(field).destination: \"\(destination)\" is not an absolute path")
        for text in [destination, source ?? "", type ?? ""] { RuntimeSpec.checkText(text, field, &p) }
        let parsed = MountOptions(options ?? [])
        for option in parsed.ignored { p.warn("\(field).options: \(option) is ignored") }
        let isBind = parsed.isBind || type == "bind"
        if isBind {
            p.require(!(source ?? "").isEmpty, "\(field).source: a bind mount needs one")
            for option in parsed.data { p.fail("\(field).options: unknown option \(option)") }
        } else if (type ?? "").isEmpty {
            p.fail("\(field).type: must be set")
        }
        if !(uidMappings ?? []).isEmpty || !(gidMappings ?? []).isEmpty { p.fail("\(field).uidMappings: mapped mounts are not supported") }
    }
}

extension RuntimeSpec.Hooks {
    func check(_ p: inout SpecProblems) {
        for (name, list) in all {
            for hook in list {
                let path = hook.path ?? ""
                p.require(path.hasPrefix("/"), "hooks.\(name): path \"\(path)\" is not absolute")
                if let timeout = hook.timeout { p.require(timeout > 0, "hooks.\(name): timeout \(timeout) is not above zero") }
            }
        }
    }
    /// Those that `start` and `delete` run; nil for none.
    var later: RuntimeSpec.Hooks? {
        var later = self
        later.prestart = nil
        later.createRuntime = nil
        later.createContainer = nil
        return later.all.contains { !$0.1.isEmpty } ? later : nil
    }
    var all: [(String, [RuntimeSpec.Hook])] {
        [
            ("prestart", prestart ?? []), ("createRuntime", createRuntime ?? []), ("createContainer", createContainer ?? []),
            ("startContainer", startContainer ?? []), ("poststart", poststart ?? []), ("poststop", poststop ?? []),
        ]
    }
}

extension RuntimeSpec.Linux {
    private static let namespaceTypes: Set<String> = ["pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time"]
    private static let propagations: Set<String> = [
        "", "private", "rprivate", "slave", "rslave", "shared", "rshared", "unbindable", "runbindable",
    ]

    func check(_ p: inout SpecProblems) {
        checkNamespaces(&p)
        checkMappings(&p)
        for device in devices ?? [] { device.check(&p) }
        seccomp?.check(&p)
        let propagation = rootfsPropagation ?? ""
        if !Self.propagations.contains(propagation) { p.fail("linux.rootfsPropagation: \"\(propagation)\" is unknown") }
        if propagation.hasSuffix("shared") { p.warn("linux.rootfsPropagation: mounts inside a sandbox reach nobody outside") }
        for path in maskedPaths ?? [] { p.require(path.hasPrefix("/"), "linux.maskedPaths: \"\(path)\" is not an absolute path") }
        for path in readonlyPaths ?? [] { p.require(path.hasPrefix("/"), "linux.readonlyPaths: \"\(path)\" is not an absolute path") }
        if let mountLabel, !mountLabel.isEmpty { p.fail("linux.mountLabel: cannot be applied inside a sandbox") }
        if intelRdt != nil { p.fail("linux.intelRdt: not supported") }
        if let domain = personality?.domain, domain != "LINUX" { p.fail("linux.personality.domain: \(domain) is not supported") }
        if !(timeOffsets ?? [:]).isEmpty { p.warn("linux.timeOffsets: ignored; clocks are the host's") }
        for (name, value) in sysctl ?? [:] {
            if name.isEmpty || name.contains("..") || name.utf8.contains(0) { p.fail("linux.sysctl: \"\(name)\" is no setting") }
            RuntimeSpec.checkText(value, "linux.sysctl", &p)
        }
        if let path = cgroupsPath { p.require(!path.utf8.contains(0) && !path.split(separator: "/").contains(".."), "linux.cgroupsPath: \"\(path)\" is not usable") }
        resources?.check(&p)
    }

    private func checkNamespaces(_ p: inout SpecProblems) {
        var seen: Set<String> = []
        for namespace in namespaces ?? [] {
            let type = namespace.type ?? ""
            guard Self.namespaceTypes.contains(type) else {
                p.fail("linux.namespaces: unknown namespace type \"\(type)\"")
                continue
            }
            if !seen.insert(type).inserted { p.fail("linux.namespaces: malformed spec file: duplicated ns {\"\(type)\"}") }
            guard let path = namespace.path, !path.isEmpty else { continue }
            if !path.hasPrefix("/") { p.fail("linux.namespaces: path \"\(path)\" of \(type) is not absolute") }
            p.warn("linux.namespaces: the sandbox does not join the \(type) namespace at \(path); it has its own")
        }
    }

    private func checkMappings(_ p: inout SpecProblems) {
        let hasUser = (namespaces ?? []).contains { $0.type == "user" }
        for (name, list) in [("uidMappings", uidMappings ?? []), ("gidMappings", gidMappings ?? [])] where !list.isEmpty {
            if !hasUser { p.fail("linux.\(name): there is no user namespace") }
            for mapping in list {
                guard let size = mapping.size, size > 0 else {
                    p.fail("linux.\(name): a mapping of size 0")
                    continue
                }
                let inside = mapping.containerID ?? 0, outside = mapping.hostID ?? 0
                if inside.addingReportingOverflow(size).overflow || outside.addingReportingOverflow(size).overflow {
                    p.fail("linux.\(name): mapping \(inside) to \(outside) goes beyond the last number")
                }
            }
        }
    }

    /// Whether the program's own numbers are among the mapped ones: a process cannot have others.
    public func checkOwners(of user: RuntimeSpec.User?, _ p: inout SpecProblems) {
        func covers(_ list: [RuntimeSpec.IDMapping]?, _ number: UInt32) -> Bool {
            guard let list, !list.isEmpty else { return true }
            return list.contains { number >= $0.containerID ?? 0 && number - ($0.containerID ?? 0) < $0.size ?? 0 }
        }
        let uid = user?.uid ?? 0, gid = user?.gid ?? 0
        if !covers(uidMappings, uid) { p.fail("process.user.uid: \(uid) is not in linux.uidMappings") }
        if !covers(gidMappings, gid) { p.fail("process.user.gid: \(gid) is not in linux.gidMappings") }
        for group in user?.additionalGids ?? [] where !covers(gidMappings, group) {
            p.fail("process.user.additionalGids: \(group) is not in linux.gidMappings")
        }
    }
}

extension RuntimeSpec.Namespace {
    private static let linkNames = [
        "pid": "pid", "network": "net", "mount": "mnt", "ipc": "ipc", "uts": "uts", "user": "user", "cgroup": "cgroup", "time": "time",
    ]

    /// Whether `path` is there, and where the host tells, of the right kind.
    func checkPath() throws(RuntimeError) {
        guard let path, !path.isEmpty, let type else { return }
        guard HostPaths.exists(Array(path.utf8)) else { throw RuntimeError("linux.namespaces: path \"\(path)\" of \(type) does not exist") }
        // A link of /proc/PID/ns reads `ipc:[4026531839]`.
        guard let target = try? HostProcess.readLink(path), target.hasSuffix("]"), let colon = target.firstIndex(of: ":") else { return }
        if target[..<colon].drop(while: { $0 == "/" }) != Self.linkNames[type] ?? "" {
            throw RuntimeError("linux.namespaces: path \"\(path)\" is no \(type) namespace")
        }
    }
}

extension RuntimeSpec.Device {
    func check(_ p: inout SpecProblems) {
        let path = path ?? "", type = type ?? ""
        p.require(path.hasPrefix("/"), "linux.devices: path \"\(path)\" is not absolute")
        p.require(["c", "u", "b", "p"].contains(type), "linux.devices: type \"\(type)\" of \(path) is unknown")
        let number = UInt32(clamping: major ?? 0)
        // mem, tty: what the sandbox's kernel has drivers for.
        if type == "b" || (type != "p" && ![1, 5, 136].contains(number)) {
            p.warn("linux.devices: \(path) is made, but there is no such device inside a sandbox")
        }
    }
}

extension RuntimeSpec.Resources {
    func check(_ p: inout SpecProblems) {
        if let memory {
            if let limit = memory.limit, let swap = memory.swap, limit > 0, swap > 0, swap < limit {
                p.fail("linux.resources.memory.swap: below the memory limit")
            }
            if let swappiness = memory.swappiness, swappiness > 100 { p.fail("linux.resources.memory.swappiness: \(swappiness) is above 100") }
            if memory.kernel != nil || memory.kernelTCP != nil { p.warn("linux.resources.memory.kernel: ignored; kernels no longer have it") }
        }
        if network?.classID != nil || !(network?.priorities ?? []).isEmpty { p.warn("linux.resources.network: ignored; nothing leaves a sandbox") }
        if !(rdma ?? [:]).isEmpty { p.warn("linux.resources.rdma: ignored; a sandbox has no such device") }
    }
}
