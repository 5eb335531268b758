import FoundationEssentials
import HostOS
import LinuxABI
import SandboxControl

/// What `create` is asked for, besides the bundle.
public struct CreateRequest: Sendable {
    public var id: String
    /// Socket that takes the terminal's master, for configurations with a terminal.
    public var consoleSocket: String?
    public var pidFile: String?
    /// Descriptors 3 and up of the caller that the program keeps.
    public var preservedDescriptors = 0
    /// Whether the caller stays and takes the terminal's master itself.
    public var isAttached = false
    public init(id: String) { self.id = id }
}

/// A container whose program waits for its start.
public struct CreatedContainer: ~Copyable {
    public let record: ContainerRecord
    /// The Sentry: a child of the caller.
    public let pid: Int32
    /// With a terminal and `isAttached`.
    public let master: SharedHostDescriptor?
    let lock: StateStore.Lock
}

extension Runtime {
    /// Creates a container. On failure nothing stays.
    public func create(_ bundle: Bundle, _ request: CreateRequest) throws(RuntimeError) -> CreatedContainer {
        try StateStore.checkID(request.id)
        let problems = bundle.spec.problems()
        try problems.check()
        for warning in problems.warnings { warn(warning) }
        let rootPath = try bundle.rootPath()
        let isTerminal = bundle.spec.process?.terminal ?? false
        try checkTerminal(isTerminal, request)
        for namespace in bundle.spec.linux?.namespaces ?? [] { try namespace.checkPath() }
        if let problem = HostRequirements.problem() { throw RuntimeError(problem) }
        var configuration = bundle.spec.sandboxConfiguration(rootPath: rootPath, bundle: bundle.path)
        configuration.platform = try platform(bundle.spec)
        configuration.showsDiagnostics = options.isDebugging
        configuration.container?.preservedDescriptors = UInt32(clamping: request.preservedDescriptors)
        for bind in configuration.binds {
            if case .absent(let error) = HostProcess.kind(ofPath: bind.source) {
                throw RuntimeError("mounts: \(String(decoding: bind.source, as: UTF8.self)) cannot be mounted: \(error)")
            }
        }
        try checkPreserved(request.preservedDescriptors)
        var console: ConsoleSocket?
        if let path = request.consoleSocket { console = try ConsoleSocket(path: path) }
        let lock = try store.makeDirectory(request.id)
        var record = ContainerRecord(id: request.id, bundle: bundle.path, rootfs: rootPath, created: Timestamp.now())
        record.annotations = bundle.spec.annotations
        record.isTerminal = isTerminal
        record.owner = Owner.name
        record.hooks = bundle.spec.hooks?.later
        do throws(RuntimeError) {
            return try launch(&record, bundle, configuration, console, request, lock: lock)
        } catch {
            // The Sentry, if there is one, has been ended.
            _ = ControlGroups.remove(record.cgroups)
            try? store.removeFailed(request.id)
            throw error
        }
    }

    private func launch(
        _ record: inout ContainerRecord, _ bundle: Bundle, _ wanted: SandboxConfiguration, _ console: ConsoleSocket?,
        _ request: CreateRequest, lock: consuming StateStore.Lock
    ) throws(RuntimeError) -> CreatedContainer {
        var configuration = wanted
        try store.write(record)
        do throws(Errno) { try HostPaths.replace(Array(store.configPath(record.id).utf8), bundle.bytes) } catch {
            throw RuntimeError("the configuration cannot be written to \(store.directory(record.id)): \(error)")
        }
        let listener = try store.listen(record.id)
        var terminal: HostPseudoTerminal?
        if record.isTerminal {
            do throws(Errno) {
                let pair = try HostPseudoTerminal()
                if let size = bundle.spec.process?.consoleSize, let width = size.width, let height = size.height {
                    try HostTerminalCalls.setSize(pair.master.number, .init(rows: height, columns: width))
                } else if request.isAttached, let size = try? HostTerminalCalls.size(0) {
                    try HostTerminalCalls.setSize(pair.master.number, size)
                }
                terminal = pair
            } catch { throw RuntimeError("the host gives no pseudo-terminal: \(error)") }
        }
        var sentry = try SentryChild(
            id: record.id, executable: options.executables + "/stockade-sentry", listener: listener.number, slave: terminal?.slave.number,
            preserved: request.preservedDescriptors)
        do throws(RuntimeError) {
            record.pid = sentry.pid
            record.startTime = HostProcessIdentity(pid: sentry.pid)?.startTime
            try store.write(record)
            configuration.container?.memoryLimit = try joinGroups(&record, bundle.spec)
            for warning in try sentry.boot(configuration) { warn(warning) }
            if let terminal, let console { try console.send(terminal.master.number) }
            let hooks = HookRunner(), state = record.hookState(.creating)
            try hooks.run("prestart", bundle.spec.hooks?.prestart, state: state)
            try hooks.run("createRuntime", bundle.spec.hooks?.createRuntime, state: state)
            try hooks.run("createContainer", bundle.spec.hooks?.createContainer, state: state)
            record.stage = .created
            try store.write(record)
            if let path = request.pidFile {
                do throws(Errno) { try HostPaths.replace(Array(path.utf8), Array("\(sentry.pid)".utf8), mode: 0o644) } catch {
                    throw RuntimeError("the pid file \(path) cannot be written: \(error)")
                }
            }
            try sentry.adopt()
        } catch {
            sentry.end()
            throw error
        }
        let master = request.isAttached ? terminal?.master : nil
        return CreatedContainer(record: record, pid: sentry.pid, master: master, lock: lock)
    }

    /// Returns the memory limit when the Sentry has to see to it, because the host has no control group that would.
    private func joinGroups(_ record: inout ContainerRecord, _ spec: RuntimeSpec) throws(RuntimeError) -> UInt64? {
        let settings = ControlGroups.settings(spec.linux?.resources ?? .init())
        let path = spec.linux?.cgroupsPath
        // Without a request there is nothing to make.
        if settings.isEmpty && (path ?? "").isEmpty && options.toleratesControlGroups { return nil }
        let relative = ControlGroups.relativePath(path, id: record.id, systemd: options.usesSystemdNames)
        let groups = ControlGroups()
        record.cgroups = groups.plan(relative)
        try store.write(record)
        let outcome = groups.apply(relative, settings, pid: record.pid ?? 0)
        var problems = outcome.problems
        var limit: UInt64?
        if outcome.failed.contains(ControlGroups.memoryLimit), let asked = spec.linux?.resources?.memory?.limit, asked > 0 {
            limit = UInt64(asked)
            problems.removeAll { $0.hasPrefix(ControlGroups.memoryLimit + ":") }
        }
        guard let first = problems.first else { return limit }
        guard options.toleratesControlGroups || settings.isEmpty else { throw RuntimeError(first) }
        for problem in problems { warn(problem) }
        return limit
    }

    private func checkTerminal(_ isTerminal: Bool, _ request: CreateRequest) throws(RuntimeError) {
        if isTerminal && request.consoleSocket == nil && !request.isAttached {
            throw RuntimeError("cannot allocate tty if runc will detach without setting console socket")
        }
        if !isTerminal && request.consoleSocket != nil {
            throw RuntimeError("cannot use console socket if runc will not detach or allocate tty")
        }
    }

    private func checkPreserved(_ count: Int) throws(RuntimeError) {
        guard (0..<1024).contains(count) else { throw RuntimeError("--preserve-fds \(count): between 0 and 1023 can be kept") }
        for number in 3..<(3 + Int32(count)) where !HostIO.isOpen(number) {
            throw RuntimeError("--preserve-fds \(count): descriptor \(number) is not open")
        }
    }

    /// How guest code is run: an annotation beats the command line.
    private func platform(_ spec: RuntimeSpec) throws(RuntimeError) -> SandboxConfiguration.PlatformChoice {
        guard let name = spec.annotations?["dev.stockade.platform"] else { return options.platform }
        guard let choice = SandboxConfiguration.PlatformChoice(name: name) else {
            throw RuntimeError("annotations: dev.stockade.platform is auto, seccomp or ptrace, not \"\(name)\"")
        }
        return choice
    }

    /// Create and start in one. The lock is held until the program runs.
    public func startCreated(_ created: consuming CreatedContainer) throws(RuntimeError) -> SharedHostDescriptor? {
        let master = created.master
        do throws(RuntimeError) {
            try start(created.record.id, created.lock)
            return master
        } catch {
            let record = created.record
            _ = consume created
            try? delete(record.id, force: true)
            throw error
        }
    }

    /// Removes a container whose Sentry, the caller's child, has ended and was waited for.
    public func removeEnded(_ id: String) throws(RuntimeError) {
        let lock = try store.lock(id)
        try remove(try store.record(id), lock)
    }
}

extension StateStore {
    /// Removes the directory of a `create` that failed.
    func removeFailed(_ id: String) throws(RuntimeError) { try remove(id, try lock(id, seconds: 5)) }
}

/// The user who made a container.
enum Owner {
    static var name: String {
        let uid = Array("\(HostProcess.realUID)".utf8)
        guard let text = try? HostPaths.read(Array("/etc/passwd".utf8)) else { return "" }
        for line in text.split(separator: 0x0a) {
            let fields = line.split(separator: 0x3a, omittingEmptySubsequences: false)
            if fields.count > 2, Array(fields[2]) == uid { return String(decoding: fields[0], as: UTF8.self) }
        }
        return ""
    }
}

/// The socket to which a terminal's master goes.
public final class ConsoleSocket: Sendable {
    private let socket: MessageSocket
    public init(path: String) throws(RuntimeError) {
        do throws(Errno) { socket = MessageSocket(try HostUnixSocket.connect(Array(path.utf8))) } catch {
            throw RuntimeError("the console socket \(path) cannot be reached: \(error)")
        }
    }
    /// As runc: one message with the terminal's name and the descriptor.
    public func send(_ master: Int32) throws(RuntimeError) {
        do throws(Errno) { try socket.send(Array("/dev/ptmx".utf8), [], descriptors: [master]) } catch {
            throw RuntimeError("the terminal cannot be sent to the console socket: \(error)")
        }
    }
}
