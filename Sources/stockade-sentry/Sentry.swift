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
    private static let descriptorCapacity = 4096

    static func main() {
        if StubRegion.isOccupied { restart() }
        let openStreams = HostStartup.reserveStandardDescriptors()
        HostStartup.growDescriptorTable(to: descriptorCapacity)
        HostStartup.limitAllocator(arenas: 8)
        guard let parent = parentArgument(), HostIO.isOpen(controlDescriptor) else {
            Standalone.explain()
            HostProcess.exitNow(2)
        }
        guard HostStartup.dieWithParent(parent) else { HostProcess.exitNow(1) }
        HostStartup.setCloseOnExec(controlDescriptor)
        if HostIO.isOpen(SandboxConfiguration.changesDescriptor) { HostStartup.setCloseOnExec(SandboxConfiguration.changesDescriptor) }
        HostStartup.leaveTerminalSession()
        HostSignalQueue.blockAll()
        let control = ControlChannel(ControlSocket(HostDescriptor(owning: controlDescriptor)))
        do throws(BootFailure) {
            let configuration = try configuration(from: control)
            if StubRegion.isForbidden {
                throw BootFailure.sandbox(
                    "this kernel lets no program map memory where guest programs get their stub: inside a Stockade sandbox no other can run")
            }
            let sandbox = try Boot.start(configuration, openStreams: openStreams, control: control)
            control.serve(sandbox)
            let status = sandbox.waitForExit()
            sandbox.report(to: control)
            control.finish(.exited(waitStatus: status))
        } catch {
            control.finish(error.message(to: control))
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

    private static func parentArgument() -> Int32? {
        let arguments = HostProcess.argumentBytes.map { String(decoding: $0, as: UTF8.self) }
        guard arguments.count >= 3, arguments[1] == "--parent" else { return nil }
        return Int32(arguments[2])
    }

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
