import FoundationEssentials
import HostOS

/// What state.json of a container's state directory says. The Sentry knows whether the program has been started; this file knows the rest.
public struct ContainerRecord: Codable, Sendable {
    /// How far `create` has come.
    public enum Stage: String, Codable, Sendable { case creating, created }

    public var id: String
    public var bundle: String
    public var rootfs: String
    public var created: String
    public var annotations: [String: String]?
    public var stage = Stage.creating
    /// The Sentry; nil before it was started.
    public var pid: Int32?
    public var startTime: UInt64?
    /// Groups that `create` made, in the order of making.
    public var cgroups: [String] = []
    public var isTerminal = false
    public var owner = ""
    /// Those that run after `create`: `start` and `delete` need not read the configuration.
    public var hooks: RuntimeSpec.Hooks?

    public init(id: String, bundle: String, rootfs: String, created: String) {
        self.id = id
        self.bundle = bundle
        self.rootfs = rootfs
        self.created = created
    }

    public var sentry: HostProcessIdentity? {
        guard let pid, let startTime else { return nil }
        return HostProcessIdentity(pid: pid, startTime: startTime)
    }
}

/// The status of a container, in the specification's words and runc's "paused".
public enum ContainerStatus: String, Sendable { case creating, created, running, paused, stopped }

extension ContainerRecord {
    /// The state as the specification gives it to hooks.
    func hookState(_ status: ContainerStatus) -> JSONText {
        .object(members(status, pid: status == .stopped ? nil : pid, extra: false))
    }
    /// The state as `state` prints it.
    public func stateText(_ status: ContainerStatus) -> JSONText {
        .object(members(status, pid: status == .stopped ? 0 : pid ?? 0, extra: true))
    }
    private func members(_ status: ContainerStatus, pid: Int32?, extra: Bool) -> [(key: String, value: JSONText)] {
        var members: [(key: String, value: JSONText)] = [
            ("ociVersion", .string(RuntimeSpec.version)), ("id", .string(id)),
        ]
        if extra {
            members.append(("pid", .number(Int64(pid ?? 0))))
            members.append(("status", .string(status.rawValue)))
        } else {
            members.append(("status", .string(status.rawValue)))
            if let pid { members.append(("pid", .number(Int64(pid)))) }
        }
        members.append(("bundle", .string(bundle)))
        if extra {
            members.append(("rootfs", .string(rootfs)))
            members.append(("created", .string(created)))
        }
        if let annotations, !annotations.isEmpty {
            members.append(("annotations", .object(annotations.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })))
        }
        if extra { members.append(("owner", .string(owner))) }
        return members
    }
}
