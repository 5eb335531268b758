import Kernel
import LinuxABI
import VirtualFileSystem

/// A terminal that /dev/tty can lead to.
public protocol TerminalDevice: ControllingTerminal {
    /// A new open file of the terminal.
    func open(_ flags: OpenFlags, caller: any Caller) throws(Errno) -> any FileOperations
}

/// Device numbers of terminals (Documentation/admin-guide/devices.txt).
public enum TerminalNumbers {
    public static let tty = DeviceNumber(major: 5, minor: 0)
    public static let console = DeviceNumber(major: 5, minor: 1)
    public static let ptmx = DeviceNumber(major: 5, minor: 2)
    /// Slaves: the minor is the pseudo-terminal's index.
    public static let ptsMajor: UInt32 = 136
}

extension TerminalNumbers {
    /// Registers /dev/tty: the caller's controlling terminal, or ENXIO.
    public static func registerControllingTerminal(in devices: DeviceRegistry) {
        devices.register(tty) { (_, flags, caller) throws(Errno) in
            guard let session = (caller as? CurrentTask)?.threadGroup.session else { throw .ENXIO }
            guard let terminal = session.terminal.withLock({ $0 }) as? any TerminalDevice else { throw .ENXIO }
            return try terminal.open(flags.union(.noControllingTerminal), caller: caller)
        }
    }
}
