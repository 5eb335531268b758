import FileSystems
import Kernel
import LinuxABI
import VirtualFileSystem

/// memfd_secret(2): memory that the kernel reads and writes for its owners alone. No call of another process, and no /proc file, gets at
/// it; the Sentry itself does, as its backing is the sandbox's memory file.
extension SystemCallFamilies {
    public static let secretMemory: [SystemCallEntry] = [.init(447, "memfd_secret", sysMemfdSecret)]

    @Sendable static func sysMemfdSecret(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let flags = OpenFlags(rawValue: a.uint(0))
        guard flags.isSubset(of: .closeOnExec) else { throw .EINVAL }
        let credentials = current.credentials
        let file = try AnonymousMemory.makeSecretFile(
            current.kernel.memoryFile, uid: credentials.fileSystemUID, gid: credentials.fileSystemGID)
        return try current.install(file, closeOnExec: flags.contains(.closeOnExec))
    }
}
