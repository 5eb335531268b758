import Kernel
import LinuxABI
import VirtualFileSystem

/// vhangup(2).
extension SystemCallFamilies {
    public static let hangUp: [SystemCallEntry] = [.init(153, "vhangup", sysVhangup)]

    /// Hangs up the controlling terminal; without one there is nothing to do.
    @Sendable static func sysVhangup(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        guard current.credentials.has(.sysTTYConfig) else { throw .EPERM }
        current.threadGroup.session.terminal.withLock { $0 }?.hangUp()
        return 0
    }
}
