/// Everything that one sandbox is started with: made by the CLI, sent to the Sentry over the control socket, checked there again.
///
/// Paths, arguments and environment are bytes: the host may hold names that are no UTF-8.
public struct SandboxConfiguration: Sendable, Equatable {
    /// A part of the host's file system that the sandbox sees at `destination`.
    public struct Bind: Sendable, Equatable {
        public var source: [UInt8]
        public var destination: [UInt8]
        public var isWritable: Bool
        /// The option that asked for it, for messages.
        public var rule: String
        public init(source: [UInt8], destination: [UInt8], isWritable: Bool, rule: String = "") {
            self.rule = rule
            self.source = source
            self.destination = destination
            self.isWritable = isWritable
        }
    }

    /// A path that the sandbox must not see, whatever else is granted; the most specific rule wins, and this one at equality.
    public struct Hide: Sendable, Equatable {
        /// As the sandbox would name it.
        public var path: [UInt8]
        /// Uses of it fail with EACCES instead of ENOENT.
        public var isRefused: Bool
        public init(path: [UInt8], isRefused: Bool) {
            self.path = path
            self.isRefused = isRefused
        }
    }

    /// An empty in-memory file system.
    public struct Memory: Sendable, Equatable {
        public var path: [UInt8]
        /// In bytes; nil for half of the host's memory.
        public var size: UInt64?
        public init(path: [UInt8], size: UInt64? = nil) {
            self.path = path
            self.size = size
        }
    }

    /// What of the guest's system calls is written to standard error.
    public enum Trace: Sendable, Equatable {
        case none
        case all
        case named([String])
    }

    public enum PlatformChoice: UInt8, Sendable, CaseIterable {
        /// The fastest that the host offers.
        case automatic = 0
        case ptrace = 1
        case seccomp = 2

        public var name: String {
            switch self {
            case .automatic: "auto"
            case .ptrace: "ptrace"
            case .seccomp: "seccomp"
            }
        }
        public init?(name: String) {
            guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
            self = found
        }
    }

    public enum FastPathChoice: UInt8, Sendable, CaseIterable {
        case off = 0
        /// Where it pays.
        case on = 1
        /// Wherever it can be done: for tests.
        case eager = 2

        public var name: String {
            switch self {
            case .off: "off"
            case .on: "on"
            case .eager: "eager"
            }
        }
        public init?(name: String) {
            guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
            self = found
        }
    }

    public var platform = PlatformChoice.automatic
    /// Host directory that becomes the read-only lower layer of the root.
    public var root: [UInt8] = Array("/".utf8)
    public var binds: [Bind] = []
    public var hides: [Hide] = []
    /// Places of empty in-memory file systems.
    public var tmpfs: [Memory] = []
    /// Bytes that the writable layer of the root may hold; nil for half of the host's memory.
    public var overlaySize: UInt64?
    /// What the rules refused is told at the end.
    public var reportsRefusals = false
    /// The changes of the root's writable layer are written to `changesDescriptor` at the end.
    public var exportsChanges = false
    /// Where the Sentry finds the file for the changes.
    public static let changesDescriptor: Int32 = 4
    public var arguments: [[UInt8]] = []
    public var environment: [[UInt8]] = []
    public var workingDirectory: [UInt8] = Array("/".utf8)
    public var hostName = "stockade"
    public var uid: UInt32 = 0
    public var gid: UInt32 = 0
    public var groups: [UInt32] = []
    /// Whether the guest starts with all capabilities (of the guest's own kernel).
    public var isPrivileged = false
    public var umask: UInt16 = 0o022
    public var trace = Trace.none
    /// Whether the sandbox's own diagnostics go to standard error: unsupported calls, dead stub processes.
    public var showsDiagnostics = false
    /// Whether a host call outside the Sentry's filter is reported and refused only, and does not end the sandbox.
    public var auditsFilter = false
    /// When the seccomp platform hands system calls over without the host.
    public var fastPath = FastPathChoice.on
    /// Set for an OCI container: what it says of the process, the mounts and the root goes before the fields above.
    public var container: ContainerConfiguration?

    public init() {}

    /// Whether the root is the host directory itself, and not an overlay over it.
    public var isRootWritable: Bool { container.map { !$0.isRootReadOnly } ?? false }

    /// Whether something is granted below a hidden path: then an empty directory stands in its place.
    public func hasGrant(below hide: Hide) -> Bool {
        let hidden = Self.components(hide.path)
        return (binds.map(\.destination) + tmpfs.map(\.path)).map(Self.components).contains { $0.count > hidden.count && $0.starts(with: hidden) }
    }
    /// What a path consists of.
    public static func components(_ path: [UInt8]) -> [[UInt8]] { path.split(separator: UInt8(ascii: "/")).map { Array($0) } }
}
