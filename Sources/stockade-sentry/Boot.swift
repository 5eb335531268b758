import Confinement
import FileSystems
import GoferProtocol
import HostOS
import Kernel
import LinuxABI
import Loader
import Memory
import Platform
import SandboxControl
import SystemCalls
import VirtualFileSystem

/// Puts the sandbox together, in the order that the host demands: what forks comes before what starts threads.
enum Boot {
    /// A sandbox for one command, which runs when this returns.
    static func start(_ configuration: SandboxConfiguration, openStreams: [Bool], control: ControlChannel) throws(BootFailure)
        -> RunningSandbox
    {
        let booted = try boot(configuration, control)
        try GuestMounts(kernel: booted.kernel, gofer: booted.gofer, caller: booted.caller).mountAll(configuration)
        booted.overlay?.markSetUp()
        let streams = try StandardStreams(open: openStreams, namespace: booted.kernel.mountNamespace, caller: booted.caller)
        booted.caller.memory.tearDown()
        try lock(booted, configuration, isServing: false)
        let kernel = booted.kernel
        try Program(kernel: kernel, configuration: configuration).start(streams.descriptors)
        if let terminal = streams.terminal, let group = kernel.processes.processGroup(1) { terminal.becomeControllingTerminal(of: group) }
        return RunningSandbox(
            kernel: kernel, terminal: streams.terminal, gofer: booted.gofer, root: booted.overlay, configuration: configuration)
    }

    /// An OCI container, whose program waits for its start. `descriptors`: its standard streams and what it gets besides.
    static func create(
        _ configuration: SandboxConfiguration, _ container: ContainerConfiguration, descriptors: [SharedHostDescriptor?],
        control: ControlChannel
    ) throws(BootFailure) -> (container: Container, warnings: [String]) {
        let booted = try boot(configuration, control)
        let kernel = booted.kernel
        if let name = container.domainName { kernel.setDomainName(name) }
        let mounting = GuestMounts(kernel: kernel, gofer: booted.gofer, caller: booted.caller)
        let warnings = try ContainerMounts(kernel: kernel, gofer: booted.gofer, caller: booted.caller, mounting: mounting)
            .mountAll(configuration, container)
        let streams = try StandardStreams(descriptors, caller: booted.caller)
        if container.process.isTerminal { streams.terminal?.registerConsole(in: kernel.mountNamespace.devices) }
        booted.caller.memory.tearDown()
        try lock(booted, configuration, isServing: true)
        return (try Container(kernel: kernel, configuration: container, streams: streams, memory: booted.caller.memory), warnings)
    }

    private struct Booted {
        let kernel: SandboxKernel
        let gofer: GoferConnection
        /// Opens files before there is a task, and for processes that come from outside.
        let caller: BootCaller
        let isTracing: Bool
        /// Nil where the root is the host's own directory.
        let overlay: OverlayFileSystem?
    }

    private static func boot(_ configuration: SandboxConfiguration, _ control: ControlChannel) throws(BootFailure) -> Booted {
        let isVerbose = configuration.showsDiagnostics
        let report: @Sendable (String) -> Void = { line in
            if isVerbose { try? HostIO.writeAll(2, Array("stockade: \(line)\n".utf8)) }
        }
        // The Gofer starts first: it needs the user's privileges, and its start-up overlaps with what follows.
        let starting = try startGofer(configuration)
        try step("give up capabilities") { () throws(Errno) in try Confinement.dropCapabilities() }
        let memoryFile = try step("make the memory file") { () throws(Errno) in try MemoryFile(totalBytes: configuration.container?.memoryLimit) }
        let platform = try platform(configuration, memoryFile, report)
        if let lifeline = platform.lifeline {
            HostPoller.shared.watchHangUp(lifeline) { control.finish(.failed(message: "the stub zygote ended unexpectedly")) }
        }
        let gofer = try connect(starting, control)
        gofer.owners = owners(configuration.container)
        let root = try rootFileSystem(configuration, gofer, memoryFile)
        let namespace = MountNamespace(rootFileSystem: root)
        Devfs.register(in: namespace.devices, memoryFile: memoryFile)
        TmpfsFileSystem.register(in: namespace.fileSystemTypes, memoryFile: memoryFile)
        // A container's first process has no shell outside that could take it back.
        var initStopped: (@Sendable (Signal) -> Void)?
        if configuration.container == nil { initStopped = { signal in control.tellStopped(signal) } }
        let kernel = SandboxKernel(
            platform: platform, memoryFile: memoryFile, mountNamespace: namespace, hostName: configuration.hostName, report: report,
            initStopped: initStopped)
        kernel.dispatcher = try dispatcher(configuration, report)
        let space = try step("make an address space") { () throws(Errno) in try AddressSpace(platform: platform, memoryFile: memoryFile) }
        return Booted(
            kernel: kernel, gofer: gofer, caller: BootCaller(kernel: kernel, memory: space), isTracing: platform is PtracePlatform,
            overlay: root as? OverlayFileSystem)
    }

    private static func rootFileSystem(_ configuration: SandboxConfiguration, _ gofer: GoferConnection, _ memoryFile: MemoryFile)
        throws(BootFailure) -> any FileSystem
    {
        do throws(Errno) {
            // What a container writes to its root is kept on the host, unless the root is read-only.
            if configuration.isRootWritable { return try GoferFileSystem(gofer, grant: 0, isReadOnly: false) }
            return try OverlayFileSystem(lower: GoferLowerNode.attach(gofer, grant: 0), memoryFile: memoryFile, sizeLimit: configuration.overlaySize)
        } catch { throw .sandbox("could not read the root directory \(text(configuration.root)): \(error)") }
    }

    private static func lock(_ booted: Booted, _ configuration: SandboxConfiguration, isServing: Bool) throws(BootFailure) {
        try step("lock the Sentry down") { () throws(Errno) in
            try Confinement.lockSentry(
                isTracing: booted.isTracing, isServing: isServing, violation: configuration.auditsFilter ? .isReported : .ends)
        }
    }

    /// The platform asked for, or the fastest that works here.
    private static func platform(
        _ configuration: SandboxConfiguration, _ memoryFile: MemoryFile, _ report: (String) -> Void
    ) throws(BootFailure) -> any Platform {
        let choice = configuration.platform
        if choice != .ptrace {
            do throws(Errno) {
                return try SeccompPlatform(memoryFile: memoryFile.descriptor, fastPath: Self.use(configuration.fastPath))
            } catch {
                let problem = "the seccomp platform does not work here (\(error))"
                guard choice == .automatic else { throw .sandbox("\(problem); sandbox-exec doctor says why, --platform ptrace does without") }
                report("\(problem): using ptrace")
            }
        }
        return try step("start the ptrace platform (does the host forbid tracing?)") { () throws(Errno) in
            try PtracePlatform(memoryFile: memoryFile.descriptor)
        }
    }

    private static func use(_ choice: SandboxConfiguration.FastPathChoice) -> FastPathUse {
        switch choice {
        case .off: .never
        case .on: .whereItPays
        case .eager: .always
        }
    }

    private static func startGofer(_ configuration: SandboxConfiguration) throws(BootFailure) -> GoferProcess.Starting {
        let own = try step("find this program's own path") { () throws(Errno) in try HostProcess.readLink("/proc/self/exe") }
        let folder = own.lastIndex(of: "/").map { String(own[..<$0]) } ?? "."
        let grants =
            [Grant(path: configuration.root, isWritable: configuration.isRootWritable)]
            + configuration.binds.map { Grant(path: $0.source, isWritable: $0.isWritable) }
        let hides = configuration.hides.map { hide in
            HideRule(
                path: hostPath(of: hide.path, configuration),
                configuration.hasGrant(below: hide) ? .sealed : hide.isRefused ? .refused : .absent)
        }
        do throws(Errno) {
            return try GoferProcess.start(executable: folder + "/stockade-gofer", grants: grants, hides: hides, descriptorCapacity: Sentry.cachedDescriptors)
        } catch { throw .sandbox("could not start \(folder)/stockade-gofer: \(error)") }
    }

    private static func owners(_ container: ContainerConfiguration?) -> OwnerMap? {
        guard let container, !container.users.isEmpty || !container.groups.isEmpty else { return nil }
        func ranges(_ list: [ContainerConfiguration.OwnerRange]) -> [OwnerMap.Range] {
            list.map { .init(inside: $0.inside, outside: $0.outside, count: $0.count) }
        }
        return OwnerMap(users: ranges(container.users), groups: ranges(container.groups))
    }

    /// Where a path of the sandbox lies on the host: below the bind that shows it, else below the root.
    private static func hostPath(of path: [UInt8], _ configuration: SandboxConfiguration) -> [UInt8] {
        func components(_ path: [UInt8]) -> [[UInt8]] { path.split(separator: UInt8(ascii: "/")).map { Array($0) } }
        let wanted = components(path)
        var best: (source: [UInt8], depth: Int) = (configuration.root, 0)
        for bind in configuration.binds {
            let place = components(bind.destination)
            if wanted.starts(with: place), place.count >= best.depth { best = (bind.source, place.count) }
        }
        return wanted[best.depth...].reduce(best.source == [UInt8(ascii: "/")] ? [] : best.source) { $0 + [UInt8(ascii: "/")] + $1 }
    }

    private static func connect(_ starting: consuming GoferProcess.Starting, _ control: ControlChannel) throws(BootFailure) -> GoferConnection {
        let gofer: GoferConnection
        do throws(Errno) { gofer = try starting.connect() } catch { throw .sandbox("could not reach the Gofer: \(error)") }
        gofer.watch(with: .shared)
        gofer.whenDead { reason in control.finish(.failed(message: "the Gofer ended unexpectedly: \(reason)")) }
        return gofer
    }

    private static func dispatcher(_ configuration: SandboxConfiguration, _ report: @escaping @Sendable (String) -> Void)
        throws(BootFailure) -> SystemCallDispatch
    {
        let names: [String]?
        switch configuration.trace {
        case .none: return SystemCallDispatch(entries: SystemCallFamilies.all, tracer: nil, report: report)
        case .all: names = nil
        case .named(let list):
            let unknown = SystemCallTracer.unknownNames(list)
            guard unknown.isEmpty else { throw .sandbox("--strace: no such system call: \(unknown.joined(separator: ", "))") }
            names = list
        }
        let tracer = SystemCallTracer(names: names) { line in try? HostIO.writeAll(2, Array(line.utf8)) }
        return SystemCallDispatch(entries: SystemCallFamilies.all, tracer: tracer, report: report)
    }

    /// Runs one step of the boot; a failure says at what.
    static func step<R: ~Copyable>(_ what: String, _ body: () throws(Errno) -> R) throws(BootFailure) -> R {
        do { return try body() } catch { throw .sandbox("could not \(what): \(error)") }
    }

    static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
