import HostOS
import LinuxABI
import Platform
import SandboxControl

/// The application kernel's process: takes its configuration from the control socket, boots, serves until the program has ended.
@main
enum Sentry {
    /// Where the parent puts the control socket.
    private static let controlDescriptor: Int32 = 3
    /// Entries that the descriptor table gets at once: growing it later, with threads, costs an RCU grace period.
    private static let descriptorCapacity = 16384
    /// Host files that are kept open for the guest's next use of them.
    static var cachedDescriptors: Int { min(descriptorCapacity / 2, HostStartup.descriptorLimit / 4) }

    static func main() {
        if StubRegion.isOccupied { restart() }
        let openStreams = HostStartup.reserveStandardDescriptors()
        HostStartup.growDescriptorTable(to: descriptorCapacity)
        HostStartup.limitAllocator(arenas: 8)
        guard let role = Role(HostProcess.argumentBytes), HostIO.isOpen(controlDescriptor) else {
            Standalone.explain()
            HostProcess.exitNow(2)
        }
        switch role {
        case .command(let parent): if !HostStartup.dieWithParent(parent) { HostProcess.exitNow(1) }
        // Whatever else the runtime's caller left open is not ours to keep open.
        case .container(let preserved): HostStartup.closeDescriptors(from: Shim.firstPreserved + preserved)
        }
        HostStartup.setCloseOnExec(controlDescriptor)
        if case .command = role, HostIO.isOpen(SandboxConfiguration.changesDescriptor) {
            HostStartup.setCloseOnExec(SandboxConfiguration.changesDescriptor)
        }
        HostStartup.leaveTerminalSession()
        HostSignalQueue.blockAll()
        let control = ControlChannel(ControlSocket(HostDescriptor(owning: controlDescriptor)))
        do throws(BootFailure) {
            let configuration = try configuration(from: control)
            if StubRegion.isForbidden {
                throw BootFailure.sandbox(
                    "this kernel lets no program map memory where guest programs get their stub: inside a Stockade sandbox no other can run")
            }
            switch role {
            case .command:
                let sandbox = try Boot.start(configuration, openStreams: openStreams, control: control)
                control.serve(sandbox)
                let status = sandbox.waitForExit()
                sandbox.report(to: control)
                control.finish(.exited(waitStatus: status))
            case .container:
                try Shim.run(configuration, openStreams: openStreams, control: control)
            }
        } catch {
            control.finish(error.message(to: control))
        }
    }

    /// What the arguments say that the process is for.
    private enum Role {
        /// `--parent PID`: a sandbox for one command, which dies with its parent.
        case command(parent: Int32)
        /// `--container ID PRESERVED`: the shim of an OCI container, which outlives its parent. The id is for those who look at process lists.
        case container(preserved: Int32)

        init?(_ words: [[UInt8]]) {
            let arguments = words.map { String(decoding: $0, as: UTF8.self) }
            guard arguments.count >= 3 else { return nil }
            switch arguments[1] {
            case "--parent":
                guard let pid = Int32(arguments[2]) else { return nil }
                self = .command(parent: pid)
            case "--container":
                guard arguments.count >= 4, let count = Int32(arguments[3]), (0..<1024).contains(count) else { return nil }
                self = .container(preserved: count)
            default: return nil
            }
        }
    }

    /// Another random layout. Descriptors stay as they are; nothing was started yet.
    private static func restart() -> Never {
        let arguments = HostProcess.argumentBytes
        var error = Errno.EEXIST
        // Each attempt appends a word.
        if arguments.count < 3 + maximumRestarts { error = HostProcess.restart(arguments: arguments + [Array("--again".utf8)]) }
        try? HostIO.writeAll(2, Array("stockade-sentry: addresses that the stub needs are in use, and a restart failed: \(error)\n".utf8))
        HostProcess.exitNow(1)
    }
    private static let maximumRestarts = 8

    private static func configuration(from control: ControlChannel) throws(BootFailure) -> SandboxConfiguration {
        do {
            guard case .start(let configuration) = try control.receive() else {
                throw BootFailure.sandbox("the first control message was not a configuration")
            }
            return configuration
        } catch let failure as BootFailure {
            throw failure
        } catch {
            throw .sandbox("the configuration could not be read: \(error)")
        }
    }
}

/// For somebody who runs the program by hand.
enum Standalone {
    static func explain() {
        try? HostIO.writeAll(2, Array("stockade-sentry is started by sandbox-exec and stockade; run one of those\n".utf8))
    }
}

/// Why there is no running program.
enum BootFailure: Error {
    /// The sandbox itself failed: exit status 125.
    case sandbox(String)
    /// The program cannot be started: 126 or 127.
    case program(status: Int32, String)

    func message(to control: ControlChannel) -> ControlMessage {
        switch self {
        case .sandbox(let text): .failed(message: text)
        case .program(let status, let text): .startFailed(status: status, message: text)
        }
    }
}
