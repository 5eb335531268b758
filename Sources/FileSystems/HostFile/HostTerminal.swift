import HostOS
import Kernel
import LinuxABI
import Synchronization
import VirtualFileSystem

/// The user's terminal as the sandbox has it. The host's line discipline does the editing and echoing; sessions, foreground group and the
/// signals that follow from them are the Sentry's, for guest processes mean nothing to the host.
public final class HostTerminal: TerminalDevice {
    let descriptor: SharedHostDescriptor
    let jobs = JobControl()
    private let hostDevice: DeviceNumber
    public let device = TerminalNumbers.console

    static func isTerminal(_ number: Int32) -> Bool {
        var settings = [UInt8](repeating: 0, count: Termios.size2)
        return (try? HostFileCalls.control(number, TerminalRequest.TCGETS, &settings)) != nil
    }

    /// Nil when the descriptor is no terminal.
    ///
    /// Where the host allows it, reads and writes use an open file of our own, which may be non-blocking without the others' noticing.
    init?(_ shared: SharedHostDescriptor) {
        guard let status = try? HostFileStatus(of: shared.number), status.mode.type == .characterDevice else { return nil }
        hostDevice = status.specialDevice
        var own: SharedHostDescriptor?
        let path = Array("/proc/self/fd/\(shared.number)".utf8)
        if let opened = try? HostNames.openTrusted(path, [.readWrite, .nonBlocking, .noControllingTerminal]) {
            let candidate = SharedHostDescriptor(opened)
            if let found = try? HostFileStatus(of: candidate.number), found.specialDevice == hostDevice,
                Self.isTerminal(candidate.number)
            {
                own = candidate
            }
        }
        descriptor = own ?? shared
    }

    func isSame(as inode: HostInode) -> Bool { (try? HostFileStatus(of: inode.descriptor.number).specialDevice) == hostDevice }
    /// Whether `descriptor` is our own open file, which does not block.
    var isNonBlocking: Bool { (try? HostFileCalls.statusFlags(descriptor.number).contains(.nonBlocking)) ?? false }

    // MARK: job control

    /// Makes this the controlling terminal of the sandbox's first session.
    public func becomeControllingTerminal(of group: ProcessGroup) { jobs.attach(self, to: group.session, foreground: group) }

    /// A signal that the user's keys or window sent: SIGINT, SIGQUIT, SIGTSTP, SIGWINCH. It goes to the foreground group.
    public func deliver(_ signal: Signal) { jobs.signal(signal) }

    public var foregroundGroup: ProcessGroup? { jobs.foreground }
    public func sessionEnded() { jobs.detach() }
    /// The terminal itself is the host's: only the session gives it up.
    public func hangUp() { jobs.hangUp(self) }

    public func open(_ flags: OpenFlags, caller: any Caller) throws(Errno) -> any FileOperations {
        jobs.opened(self, flags, caller)
        return HostTerminalFile(self, try HostInode(descriptor), own: descriptor)
    }

    /// Registers the terminal as /dev/console.
    public func registerConsole(in devices: DeviceRegistry) {
        devices.register(TerminalNumbers.console) { [self] (_, flags, caller) throws(Errno) in try open(flags, caller: caller) }
    }
}
