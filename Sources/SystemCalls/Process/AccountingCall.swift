import Kernel
import LinuxABI
import VirtualFileSystem

/// acct(2).
extension SystemCallFamilies {
    public static let accounting: [SystemCallEntry] = [.init(163, "acct", sysAcct)]

    /// A null name ends it. - Throws: EPERM, EACCES for what is no regular file, and what opening it gives.
    @Sendable static func sysAcct(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        guard current.credentials.has(.sysPACCT) else { throw .EPERM }
        if a.address(0).isNull {
            current.kernel.accounting.write(to: nil)
            return 0
        }
        let path = try current.path(at: a.address(0))
        let file = try VFS.open(path, OpenRequest(flags: [.writeOnly, .append, .largeFile]), caller: current)
        guard file.type == .regular else { throw .EACCES }
        current.kernel.accounting.write(to: file)
        return 0
    }
}
