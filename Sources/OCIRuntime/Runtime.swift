import FoundationEssentials
import HostOS
import LinuxABI
import SandboxControl

/// The runtime's operations on containers, as the specification's lifecycle has them. Command lines are thin over this.
public struct Runtime: Sendable {
    public struct Options: Sendable {
        /// Where stockade-sentry and stockade-gofer are.
        public var executables: String
        public var platform = SandboxConfiguration.PlatformChoice.automatic
        /// The sandbox's own diagnostics go to the container's standard error.
        public var isDebugging = false
        /// Settings that the host's control groups refuse are warnings.
        public var toleratesControlGroups = false
        public var usesSystemdNames = false
        public init(executables: String) { self.executables = executables }
    }

    public let store: StateStore
    public let options: Options
    let warn: @Sendable (String) -> Void

    public init(store: StateStore, options: Options, warn: @escaping @Sendable (String) -> Void) {
        self.store = store
        self.options = options
        self.warn = warn
    }

    // MARK: asking

    /// How long a living Sentry may take to answer, in nanoseconds: a busy host is no reason to give up, a client that only asks wants to know.
    private static func patience(with request: ContainerRequest) -> Int64 { request == .status ? 10_000_000_000 : 60_000_000_000 }

    public func connect(_ id: String) throws(RuntimeError) -> ContainerSocket { ContainerSocket(try store.connect(id)) }

    /// One request on a connection of its own.
    public func ask(_ id: String, _ request: ContainerRequest) throws(RuntimeError) -> ContainerReply {
        let socket = try connect(id)
        let reply: ContainerReply
        do throws(ControlError) { reply = try socket.request(request, until: .after(nanoseconds: Self.patience(with: request))) } catch {
            throw RuntimeError("container \(id) does not answer: \(error)")
        }
        if case .failed(_, let message) = reply { throw RuntimeError(message) }
        return reply
    }

    public func status(of record: ContainerRecord) throws(RuntimeError) -> ContainerStatus {
        guard let sentry = record.sentry else { return isLocked(record.id) ? .creating : .stopped }
        guard sentry.isAlive else { return .stopped }
        if record.stage == .creating { return .creating }
        do throws(RuntimeError) {
            guard case .status(let phase) = try ask(record.id, .status) else { throw RuntimeError("container \(record.id) gave a strange answer") }
            switch phase {
            case .created: return .created
            case .running: return .running
            case .paused: return .paused
            case .stopped: return .stopped
            }
        } catch {
            // It may have ended between the two questions.
            if sentry.waitForEnd(until: .after(nanoseconds: 200_000_000)) { return .stopped }
            throw error
        }
    }

    private func isLocked(_ id: String) -> Bool { (try? store.lock(id, seconds: 0)) == nil }

    /// The configuration that the container was created with.
    public func spec(of id: String) throws(RuntimeError) -> RuntimeSpec {
        let bytes: [UInt8]
        do throws(Errno) { bytes = try HostPaths.read(Array(store.configPath(id).utf8)) } catch {
            throw RuntimeError("the configuration of container \(id) cannot be read: \(error)")
        }
        return try Bundle.decode(bytes, "config.json")
    }

    // MARK: start

    /// - Throws: when the container is not in the state "created"; nothing has changed then.
    public func start(_ id: String) throws(RuntimeError) {
        let lock = try store.lock(id)
        try start(id, lock)
    }

    func start(_ id: String, _ lock: borrowing StateStore.Lock) throws(RuntimeError) {
        let record = try store.record(id)
        switch try status(of: record) {
        case .created: break
        case .stopped: throw RuntimeError("cannot start a container that has stopped")
        case .running, .paused: throw RuntimeError("cannot start an already running container")
        case .creating: throw RuntimeError("cannot start a container in the creating state")
        }
        if let hooks = record.hooks?.startContainer, !hooks.isEmpty {
            try startHeld(record, hooks)
        } else {
            _ = try ask(id, .start(isHeld: false))
        }
        for problem in HookRunner().runAll("poststart", record.hooks?.poststart, state: record.hookState(.running)) { warn(problem) }
    }

    /// The hooks run inside the container, with the program's own rights, while the program waits before its first instruction.
    private func startHeld(_ record: ContainerRecord, _ hooks: [RuntimeSpec.Hook]) throws(RuntimeError) {
        let process = try spec(of: record.id).process ?? .init()
        _ = try ask(record.id, .start(isHeld: true))
        do throws(RuntimeError) {
            try HookRunner().run("startContainer", hooks, state: record.hookState(.created)) { hook, descriptors throws(RuntimeError) in
                ContainerHook(try add(record.id, hook.processConfiguration(like: process), descriptors: descriptors, ignoringPause: false))
            }
            _ = try ask(record.id, .release)
        } catch {
            _ = try? ask(record.id, .signal(pid: 1, number: 9, all: true, fromTerminal: false))
            throw error
        }
    }

    // MARK: kill

    public func kill(_ id: String, signal: Int32, all: Bool) throws(RuntimeError) {
        let record = try store.record(id)
        switch try status(of: record) {
        case .stopped:
            if all { return }
            throw RuntimeError("container not running")
        case .creating: throw RuntimeError("container not running: it is being created")
        case .created, .running, .paused: break
        }
        do throws(RuntimeError) { _ = try ask(id, .signal(pid: 1, number: signal, all: all, fromTerminal: false)) } catch {
            guard let sentry = record.sentry, sentry.isAlive else { return }
            // What does not answer can still be killed.
            guard signal == 9 else { throw error }
            try? sentry.send(9)
        }
    }

    // MARK: pause, resume

    public func pause(_ id: String) throws(RuntimeError) {
        let lock = try store.lock(id)
        _ = lock
        let status = try status(of: try store.record(id))
        guard status == .running else { throw RuntimeError("container not running or created: \(status.rawValue)") }
        _ = try ask(id, .pause)
    }

    public func resume(_ id: String) throws(RuntimeError) {
        let lock = try store.lock(id)
        _ = lock
        guard try status(of: try store.record(id)) == .paused else { throw RuntimeError("container not paused") }
        _ = try ask(id, .resume)
    }

    // MARK: delete

    /// Removes what `create` made. With `force` a living container is killed first, and one that does not exist is none to complain about.
    public func delete(_ id: String, force: Bool) throws(RuntimeError) {
        let lock: StateStore.Lock
        do throws(RuntimeError) {
            // A `create` that hangs gives up when its Sentry is gone.
            if force, let record = try? store.record(id), record.stage == .creating, let sentry = record.sentry { try? sentry.send(9) }
            lock = try store.lock(id)
        } catch {
            if force && !HostPaths.exists(Array(store.directory(id).utf8)) && (try? StateStore.checkID(id)) != nil { return }
            throw error
        }
        let record: ContainerRecord
        do throws(RuntimeError) { record = try store.record(id) } catch {
            guard force else { throw error }
            return try store.remove(id, lock)
        }
        let status: ContainerStatus
        // Without a Sentry and with the lock ours, its `create` was killed.
        do throws(RuntimeError) { status = record.sentry == nil ? .stopped : try self.status(of: record) } catch {
            guard force else { throw error }
            status = .running
        }
        switch status {
        case .stopped: break
        case .created: try end(record)
        case .creating, .running, .paused:
            guard force else { throw RuntimeError("cannot delete container \(id) that is not stopped: \(status.rawValue)") }
            try end(record)
        }
        try remove(record, lock)
    }

    private func end(_ record: ContainerRecord) throws(RuntimeError) {
        guard let sentry = record.sentry else { return }
        try? sentry.send(9)
        guard sentry.waitForEnd(until: .after(nanoseconds: 10_000_000_000)) else {
            throw RuntimeError("process \(sentry.pid) of container \(record.id) does not end after SIGKILL")
        }
    }

    /// The container has stopped: its groups and its directory go, then its last hooks run.
    func remove(_ record: ContainerRecord, _ lock: consuming StateStore.Lock) throws(RuntimeError) {
        for group in ControlGroups.remove(record.cgroups) { warn("the control group \(group) cannot be removed") }
        try store.remove(record.id, lock)
        for problem in HookRunner().runAll("poststop", record.hooks?.poststop, state: record.hookState(.stopped)) { warn(problem) }
    }

    // MARK: update

    public func update(_ id: String, _ resources: RuntimeSpec.Resources) throws(RuntimeError) {
        let lock = try store.lock(id)
        _ = lock
        let record = try store.record(id)
        guard try status(of: record) != .stopped else { throw RuntimeError("container not running") }
        if let limit = resources.pids?.limit { _ = try ask(id, .limitTasks(limit > 0 ? UInt32(clamping: min(limit, 1 << 30)) : nil)) }
        let problems = ControlGroups().update(record.cgroups, ControlGroups.settings(resources))
        if let first = problems.first { throw RuntimeError(first) }
    }
}
