import FileSystems
import Kernel
import LinuxABI
import VirtualFileSystem

extension SystemCallFamilies {
    public static let memoryFiles: [SystemCallEntry] = [.init(319, "memfd_create", sysMemfdCreate)]
}

/// memfd_create(2). - Throws: EINVAL, EFAULT, EMFILE, ENOSYS for MFD_HUGETLB: the sandbox has no huge-page pool.
@Sendable private func sysMemfdCreate(_ current: CurrentTask, _ arguments: SystemCallArguments) throws(Errno) -> Int {
    let (closeOnExec, allowSealing, hugeTLB, noExecSeal, exec): (UInt32, UInt32, UInt32, UInt32, UInt32) = (1, 2, 4, 8, 0x10)
    let flags = arguments.uint(1)
    // The page size of MFD_HUGETLB lies in the upper bits.
    let known = closeOnExec | allowSealing | hugeTLB | noExecSeal | exec | (flags & hugeTLB != 0 ? 0x3f << 26 : 0)
    if flags & ~known != 0 || flags & (noExecSeal | exec) == noExecSeal | exec { throw .EINVAL }
    let name: [UInt8]
    do throws(Errno) {
        // NAME_MAX less the prefix `memfd:`, and the NUL.
        name = try current.memory.copyInString(arguments.address(0), limit: 250)
    } catch {
        throw error == .ENAMETOOLONG ? .EINVAL : error
    }
    if flags & hugeTLB != 0 { throw .ENOSYS }
    var seals: FileSeals = flags & (allowSealing | noExecSeal) != 0 ? [] : .seal
    if flags & noExecSeal != 0 { seals.insert(.execute) }
    let credentials = current.credentials
    let file = try AnonymousMemory.makeFile(
        current.kernel.memoryFile, name: name, permissions: flags & noExecSeal != 0 ? 0o666 : 0o777, uid: credentials.fileSystemUID,
        gid: credentials.fileSystemGID, seals: seals)
    return try current.install(file, closeOnExec: flags & closeOnExec != 0)
}
