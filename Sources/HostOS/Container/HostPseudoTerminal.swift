import CHost
import LinuxABI

/// A pseudo-terminal of the host, and what a command line does with terminals.
public struct HostPseudoTerminal: Sendable {
    public let master: SharedHostDescriptor
    public let slave: SharedHostDescriptor

    /// - Throws: why /dev/ptmx gave none.
    public init() throws(Errno) {
        var numbers: [Int32] = [-1, -1]
        // SAFETY: the shim stores two numbers.
        try hostResult(unsafe numbers.withUnsafeMutableBufferPointer { unsafe chost_pty($0.baseAddress) })
        master = SharedHostDescriptor(HostDescriptor(owning: numbers[0]))
        slave = SharedHostDescriptor(HostDescriptor(owning: numbers[1]))
    }
}

public enum HostTerminalCalls {
    public struct Size: Sendable, Equatable {
        public var rows: UInt16
        public var columns: UInt16
        public init(rows: UInt16, columns: UInt16) {
            self.rows = rows
            self.columns = columns
        }
    }

    public static func isTerminal(_ descriptor: Int32) -> Bool { chost_is_terminal(descriptor) == 1 }
    /// Makes it the controlling terminal of the caller's session, which has none. - Throws: EPERM.
    public static func takeAsControlling(_ descriptor: Int32) throws(Errno) { try hostResult(chost_take_terminal(descriptor)) }
    /// Raw mode; returns what `restore` needs.
    public static func makeRaw(_ descriptor: Int32) throws(Errno) -> [UInt8] {
        var saved = [UInt8](repeating: 0, count: chost_terminal_size())
        // SAFETY: the buffer has the size of struct termios.
        try hostResult(unsafe saved.withUnsafeMutableBytes { unsafe chost_terminal_raw(descriptor, $0.baseAddress) })
        return saved
    }
    public static func restore(_ descriptor: Int32, _ saved: [UInt8]) {
        guard saved.count == chost_terminal_size() else { return }
        // SAFETY: the buffer has the size of struct termios.
        _ = unsafe saved.withUnsafeBytes { unsafe chost_terminal_restore(descriptor, $0.baseAddress) }
    }
    public static func size(_ descriptor: Int32) throws(Errno) -> Size {
        var rows: UInt16 = 0
        var columns: UInt16 = 0
        // SAFETY: both are live locals.
        try hostResult(unsafe chost_get_window(descriptor, &rows, &columns))
        return Size(rows: rows, columns: columns)
    }
    public static func setSize(_ descriptor: Int32, _ size: Size) throws(Errno) {
        try hostResult(chost_set_window(descriptor, size.rows, size.columns))
    }
}
