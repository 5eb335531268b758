import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// mmap(2) and its relatives.
extension SystemCallFamilies {
    public static let memoryMapping: [SystemCallEntry] = [
        .init(9, "mmap", sysMmap),
        .init(10, "mprotect", sysMprotect),
        .init(11, "munmap", sysMunmap),
        .init(12, "brk", sysBrk),
        .init(25, "mremap", sysMremap),
        .init(26, "msync", sysMsync),
        .init(216, "remap_file_pages", sysRemapFilePages),
        .init(462, "mseal", sysMseal),
    ]
}

extension CurrentTask {
    /// READ_IMPLIES_EXEC of personality(2).
    var readImpliesExecute: Bool { task.personality & 0x0040_0000 != 0 }

    /// Hands the address space the limits it enforces, before a call that depends on them.
    func refreshMemoryLimits() {
        memory.limits = MemoryLimits(
            addressSpace: threadGroup.limit(.addressSpace).soft, data: threadGroup.limit(.data).soft,
            stack: threadGroup.limit(.stack).soft, lockedMemory: threadGroup.limit(.lockedMemory).soft,
            mayLockAny: credentials.has(.ipcLock))
    }
}

private func sysMmap(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    guard a[5] & (Page.size - 1) == 0 else { throw .EINVAL }
    let flags = MapFlags(rawValue: a.uint(3))
    var protection = Protection(rawValue: a.uint(2))
    var file: MappedFile?
    if !flags.contains(.anonymous) {
        let description = try current.files.get(a.int(4))
        if description.isPathOnly { throw .EBADF }
        guard !flags.contains(.hugeTLB), a[1] != 0 else { throw .EINVAL }
        file = try mappedFile(description, flags, protection)
    }
    if protection.contains(.read) && current.readImpliesExecute && file?.allowsExecute ?? true { protection.insert(.execute) }
    if protection.isSuperset(of: [.write, .execute]) && current.threadGroup.execGain.contains(.refuse) { throw .EACCES }
    current.refreshMemoryLimits()
    let request = AddressSpace.MapRequest(
        address: a.address(0), length: a[1], protection: protection, flags: flags, file: file, offset: a[5])
    return Int(bitPattern: UInt(try current.memory.map(request).rawValue))
}

/// The file with what its description and mount allow (do_mmap in Linux's mm/mmap.c).
private func mappedFile(_ description: FileDescription, _ flags: MapFlags, _ protection: Protection) throws(Errno) -> MappedFile {
    switch flags.rawValue & MapFlags.typeMask {
    case 1, 3:
        if flags.rawValue & MapFlags.typeMask == 3 && !flags.isSubset(of: .known) { throw .EOPNOTSUPP }
        if protection.contains(.write) && !description.isWritable { throw .EACCES }
    case 2: break
    default: throw .EINVAL
    }
    guard description.isReadable else { throw .EACCES }
    let mayExecute = !(description.path?.mount.flags.contains(.noExecute) ?? false)
    if protection.contains(.execute) && !mayExecute { throw .EPERM }
    guard let mappable = description.operations.mappable else { throw .ENODEV }
    let isPrivate = flags.rawValue & MapFlags.typeMask == 2
    if mappable.isSecret && isPrivate { throw .EINVAL }
    if !isPrivate && description.isWritable && description.inode?.flags.contains(.appendOnly) ?? false { throw .EACCES }
    var allowsSharedWrite = description.isWritable && flags.rawValue & MapFlags.typeMask != 2
    if allowsSharedWrite && mappable.refusesSharedWrites {
        if protection.contains(.write) { throw .EPERM }
        allowsSharedWrite = false
    }
    return MappedFile(
        mappable: mappable, owner: description, allowsSharedWrite: allowsSharedWrite, allowsExecute: mayExecute)
}

private func sysMunmap(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    try current.memory.unmap(a.address(0), length: a[1])
    return 0
}

func sysMprotect(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    // Bits past those of an int are not looked at by any caller in use, but Linux refuses unknown ones.
    guard a[2] >> 32 == 0 else { throw .EINVAL }
    var protection = Protection(rawValue: a.uint(2))
    if protection.contains(.read) && current.readImpliesExecute { protection.insert(.execute) }
    if protection.contains(.execute) && current.threadGroup.execGain.contains(.refuse) {
        try checkExecGain(current, a.address(0), length: a[1], protection)
    }
    try current.memory.protect(a.address(0), length: a[1], protection)
    return 0
}

/// Linux's map_deny_write_exec. - Throws: EACCES.
private func checkExecGain(_ current: CurrentTask, _ address: GuestAddress, length: UInt64, _ protection: Protection) throws(Errno) {
    guard let end = address.adding(length) else { return }
    for region in current.memory.regions(countingResident: false) where region.range.start < end && region.range.end > address {
        if protection.contains(.write) || !region.protection.contains(.execute) { throw .EACCES }
    }
}

private func sysBrk(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    current.refreshMemoryLimits()
    return Int(bitPattern: UInt(current.memory.setBreak(a.address(0)).rawValue))
}

private func sysMremap(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    current.refreshMemoryLimits()
    let address = try current.memory.remap(
        a.address(0), oldLength: a[1], newLength: a[2], flags: RemapFlags(rawValue: a[3]), newAddress: a.address(4))
    return Int(bitPattern: UInt(address.rawValue))
}

private func sysMsync(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    let asynchronous: Int32 = 1
    let invalidate: Int32 = 2
    let synchronous: Int32 = 4
    let flags = a.int(2)
    guard flags & ~(asynchronous | invalidate | synchronous) == 0, a.address(0).isPageAligned else { throw .EINVAL }
    if flags & asynchronous != 0 && flags & synchronous != 0 { throw .EINVAL }
    // A length that wraps in rounding counts as none, as on Linux.
    let length = Page.up(a[1]) ?? 0
    guard a.address(0).adding(length) != nil else { throw .ENOMEM }
    guard length != 0 else { return 0 }
    try current.memory.synchronize(
        a.address(0), length: length, invalidating: flags & invalidate != 0, waiting: flags & synchronous != 0)
    return 0
}

private func sysRemapFilePages(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    guard a[2] == 0 else { throw .EINVAL }
    current.refreshMemoryLimits()
    try current.memory.remapFilePages(a.address(0), length: a[1], page: a[3])
    return 0
}

private func sysMseal(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    guard a[2] == 0 else { throw .EINVAL }
    try current.memory.seal(a.address(0), length: a[1])
    return 0
}
