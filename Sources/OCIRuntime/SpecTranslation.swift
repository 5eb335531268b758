import SandboxControl

extension RuntimeSpec.Process {
    /// The Sentry's form. `problems` has found nothing wrong.
    public func processConfiguration() -> ProcessConfiguration {
        var process = ProcessConfiguration()
        process.arguments = (args ?? []).map { Array($0.utf8) }
        process.environment = (env ?? []).map { Array($0.utf8) }
        process.workingDirectory = Array((cwd ?? "/").utf8)
        process.uid = user?.uid ?? 0
        process.gid = user?.gid ?? 0
        process.groups = user?.additionalGids ?? []
        process.umask = user?.umask ?? 0o022
        process.capabilities.bounding = Capability.set(capabilities?.bounding)
        process.capabilities.effective = Capability.set(capabilities?.effective)
        process.capabilities.inheritable = Capability.set(capabilities?.inheritable)
        process.capabilities.permitted = Capability.set(capabilities?.permitted)
        process.capabilities.ambient = Capability.set(capabilities?.ambient)
        process.hasNoNewPrivileges = noNewPrivileges ?? false
        process.limits = (rlimits ?? []).compactMap { limit in
            ResourceName.numbers[limit.type ?? ""].map { .init(kind: $0, soft: limit.soft ?? 0, hard: limit.hard ?? 0) }
        }
        process.oomScoreAdjustment = Int32(clamping: oomScoreAdj ?? 0)
        process.isTerminal = terminal ?? false
        return process
    }
}

extension RuntimeSpec {
    /// The whole container in the Sentry's form. `rootPath` is absolute; relative bind sources are relative to `bundle`.
    public func sandboxConfiguration(rootPath: String, bundle: String) -> SandboxConfiguration {
        var configuration = SandboxConfiguration()
        var container = ContainerConfiguration()
        configuration.root = Array(rootPath.utf8)
        if let hostname { configuration.hostName = hostname }
        container.process = (process ?? .init()).processConfiguration()
        func ranges(_ mappings: [IDMapping]?) -> [ContainerConfiguration.OwnerRange] {
            (mappings ?? []).map { .init(inside: $0.containerID ?? 0, outside: $0.hostID ?? 0, count: $0.size ?? 0) }
        }
        container.users = ranges(linux?.uidMappings)
        container.groups = ranges(linux?.gidMappings)
        container.isRootReadOnly = root?.readonly ?? false
        container.domainName = domainname.map { Array($0.utf8) }
        for mount in mounts ?? [] {
            let options = MountOptions(mount.options ?? [])
            var source = mount.source ?? ""
            var index: UInt32?
            let isBind = options.isBind || mount.type == "bind"
            if isBind {
                if !source.hasPrefix("/") { source = bundle + "/" + source }
                index = UInt32(configuration.binds.count)
                configuration.binds.append(
                    .init(source: Array(source.utf8), destination: Array((mount.destination ?? "").utf8), isWritable: !options.isReadOnly))
            }
            container.mounts.append(
                .init(
                    type: Array((isBind ? "bind" : mount.type ?? "").utf8), source: Array(source.utf8),
                    destination: Array(Self.normalized(mount.destination ?? "").utf8), flags: options.flags,
                    options: Array(options.data.joined(separator: ",").utf8), bind: index))
        }
        if let seccomp = linux?.seccomp {
            container.filter = SeccompCompiler.compile(seccomp).map {
                UInt64($0.code) | UInt64($0.ifTrue) << 16 | UInt64($0.ifFalse) << 24 | UInt64($0.k) << 32
            }
        }
        container.devices = (linux?.devices ?? []).map(\.configuration)
        container.maskedPaths = (linux?.maskedPaths ?? []).map { Array($0.utf8) }
        container.readOnlyPaths = (linux?.readonlyPaths ?? []).map { Array($0.utf8) }
        var settings = linux?.sysctl ?? [:]
        // Written by the first process of a name space, or as here by whoever makes it.
        for name in ["kernel.domainname", "kernel/domainname"] {
            guard let value = settings.removeValue(forKey: name) else { continue }
            if container.domainName == nil { container.domainName = Array(value.utf8) }
        }
        container.settings = settings.sorted { $0.key < $1.key }.map { name, value in
            // A name has dots, or slashes where its parts hold dots (sysctl(8)).
            let path = name.contains("/") ? name : String(name.map { $0 == "." ? "/" : $0 })
            return .init(name: Array(path.utf8), value: Array(value.utf8))
        }
        if let limit = linux?.resources?.pids?.limit, limit > 0 { container.taskLimit = UInt32(clamping: min(limit, 1 << 30)) }
        configuration.container = container
        return configuration
    }

    /// Without repeated or trailing slashes.
    static func normalized(_ path: String) -> String { "/" + path.split(separator: "/").joined(separator: "/") }
}

extension RuntimeSpec.Device {
    private static let types: [String: UInt32] = ["c": 0o020000, "u": 0o020000, "b": 0o060000, "p": 0o010000]
    var configuration: ContainerConfiguration.Device {
        .init(
            path: Array((path ?? "").utf8), mode: (Self.types[type ?? ""] ?? 0o020000) | ((fileMode ?? 0o666) & 0o7777),
            major: UInt32(clamping: major ?? 0), minor: UInt32(clamping: minor ?? 0), uid: uid ?? 0, gid: gid ?? 0)
    }
}
