import HostOS
import LinuxABI
import SandboxControl
import VirtualFileSystem

/// The Sentry as the shim of an OCI container. Descriptors from its parent: the control socket, a listening socket that lies in the container's
/// state directory, then those that the program keeps besides its standard streams.
enum Shim {
    private static let listenDescriptor: Int32 = 4
    static let firstPreserved: Int32 = 5
    /// Keys and windows of a terminal whose session leader the Sentry is.
    private static let terminalSignals: [Signal] = [.SIGHUP, .SIGINT, .SIGQUIT, .SIGTSTP, .SIGWINCH]

    static func run(_ configuration: SandboxConfiguration, openStreams: [Bool], control: ControlChannel) throws(BootFailure) -> Never {
        guard let container = configuration.container else { throw .sandbox("the configuration is not that of a container") }
        guard HostIO.isOpen(listenDescriptor) else { throw .sandbox("there is no socket to listen on") }
        let listener = HostDescriptor(owning: listenDescriptor)
        HostStartup.setCloseOnExec(listenDescriptor)
        let descriptors = try inherited(openStreams, preserved: Int32(truncatingIfNeeded: container.preservedDescriptors))
        let keys = try Boot.step("watch the terminal's signals") { () throws(Errno) in try HostSignalQueue(terminalSignals) }
        if container.process.isTerminal {
            try Boot.step("take the terminal") { () throws(Errno) in try HostTerminalCalls.takeAsControlling(0) }
        }
        let (created, warnings) = try Boot.create(configuration, container, descriptors: descriptors, control: control)
        let service = ContainerService(listener, created)
        control.tellCreated(warnings)
        guard control.waitForAdoption() else {
            // The command line died before it had put the container on record: nobody knows of it.
            HostProcess.exitNow(1)
        }
        if container.process.isTerminal { try passKeys(keys, to: created) }
        try service.start()
        let status = created.waitForEnd()
        service.tellEnd(exitStatus: status)
        HostProcess.exitNow(status)
    }

    /// Standard streams as duplicates, for the Sentry keeps its own standard error for messages; the others as they are.
    private static func inherited(_ openStreams: [Bool], preserved: Int32) throws(BootFailure) -> [SharedHostDescriptor?] {
        var result: [SharedHostDescriptor?] = []
        for number: Int32 in 0...2 {
            guard openStreams[Int(number)] else {
                result.append(nil)
                continue
            }
            result.append(
                try Boot.step("duplicate descriptor \(number)") { () throws(Errno) in SharedHostDescriptor(try HostFileCalls.duplicate(number)) })
        }
        for number in firstPreserved..<(firstPreserved + max(0, preserved)) {
            guard HostIO.isOpen(number) else {
                result.append(nil)
                continue
            }
            HostStartup.setCloseOnExec(number)
            result.append(SharedHostDescriptor(HostDescriptor(owning: number)))
        }
        return result
    }

    private static func passKeys(_ keys: consuming HostSignalQueue, to container: Container) throws(BootFailure) {
        let box = KeyBox(keys)
        try Boot.step("start a thread") { () throws(Errno) in
            try HostThread.start {
                while true {
                    _ = HostPoll.waitReadable([box.queue.number], until: nil)
                    while let signal = box.queue.next() {
                        if signal.isFromKernel { container.deliverFromTerminal(signal.number) }
                    }
                }
            }
        }
    }
}

private final class KeyBox: Sendable {
    let queue: HostSignalQueue
    init(_ queue: consuming HostSignalQueue) { self.queue = queue }
}
