import FileSystems
import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// System V shared memory.
extension SystemCallFamilies {
    public static let sharedMemory: [SystemCallEntry] = [
        .init(29, "shmget", sysShmget),
        .init(30, "shmat", sysShmat),
        .init(31, "shmctl", sysShmctl),
        .init(67, "shmdt", sysShmdt),
    ]

    @Sendable static func sysShmget(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let hugeTLB: Int32 = 0o4000
        // There is no pool of huge pages.
        if a.int(2) & hugeTLB != 0 { throw .ENOMEM }
        let memoryFile = current.kernel.memoryFile
        return Int(
            try current.namespaces.ipc.sharedMemory(key: a.int(0), size: a[1], flags: a.int(2), for: current) { size throws(Errno) in
                AnonymousMemory.makeShared(memoryFile, size: size)
            })
    }

    private static let (readOnly, rounds, replaces, executes): (Int32, Int32, Int32, Int32) = (0o10000, 0o20000, 0o40000, 0o100000)

    @Sendable static func sysShmat(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        if a.int(0) < 0 { throw .EINVAL }
        let flags = a.int(2)
        var address = a.address(1)
        if address.isNull {
            if flags & replaces != 0 { throw .EINVAL }
        } else if !address.isPageAligned {
            guard flags & rounds != 0 else { throw .EINVAL }
            address = address.pageBase
            if address.isNull && flags & replaces != 0 { throw .EINVAL }
        }
        var protection: Protection = .read
        var wanted: Int32 = 0o444
        if flags & readOnly == 0 {
            protection.insert(.write)
            wanted = 0o666
        }
        if flags & executes != 0 {
            protection.insert(.execute)
            wanted |= 0o111
        }
        let segment = try current.namespaces.ipc.segment(a.int(0))
        try segment.check(wanted, current.credentials)
        guard let length = Page.up(segment.size) else { throw .EINVAL }
        var mapFlags: MapFlags = .shared
        if !address.isNull { mapFlags.insert(flags & replaces != 0 ? .fixed : .fixedNoReplace) }
        let file = MappedFile(
            mappable: segment, owner: SharedMemoryAttachment(segment), allowsSharedWrite: flags & readOnly == 0, allowsExecute: true)
        segment.noteUser(current.threadGroup)
        do throws(Errno) {
            let place = try current.memory.map(
                .init(address: address, length: length, protection: protection, flags: mapFlags, file: file))
            return Int(truncatingIfNeeded: place.rawValue)
        } catch {
            throw error == .EEXIST ? .EINVAL : error
        }
    }

    /// Unmaps what is left of the attachment that starts at the address.
    @Sendable static func sysShmdt(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let address = a.address(0)
        guard address.isPageAligned else { throw .EINVAL }
        let regions = current.memory.regions(countingResident: false)
        // The first piece need not be there any more: every piece tells by its offset where the attachment began.
        func attachment(_ region: AddressSpace.Region) -> SharedMemoryAttachment? {
            guard region.range.start >= address, region.range.start - address == region.fileOffset else { return nil }
            return region.file?.owner as? SharedMemoryAttachment
        }
        guard let first = regions.first(where: { attachment($0) != nil }), let found = attachment(first),
            first.range.start - address < found.segment.size
        else { throw .EINVAL }
        found.segment.noteUser(current.threadGroup)
        for region in regions where attachment(region) === found {
            try current.memory.unmap(region.range.start, length: region.range.length)
        }
        return 0
    }

    private static let (lock, unlock, statusBySlot, usageInfo, statusAny): (Int32, Int32, Int32, Int32, Int32) = (11, 12, 13, 14, 15)

    @Sendable static func sysShmctl(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let (id, command, address) = (a.int(0), a.int(1) & ~IPCFlags.version64, a.address(2))
        if a.int(1) < 0 || id < 0 { throw .EINVAL }
        let ipc = current.namespaces.ipc
        let credentials = current.credentials
        switch command {
        case IPCFlags.information:
            var limits = SharedMemoryLimits()
            limits.maximumSize = IPCNamespace.maximumSegmentSize
            limits.maximumSegments = UInt64(IPCNamespace.maximumSegments)
            limits.maximumPerProcess = UInt64(IPCNamespace.maximumSegments)
            limits.maximumPages = IPCNamespace.maximumSegmentPages
            try current.memory.store(limits, at: address)
            return Int(ipc.sharedMemoryUsage().highest)
        case usageInfo:
            let (usage, highest) = ipc.sharedMemoryUsage()
            try current.memory.store(usage, at: address)
            return Int(highest)
        case IPCFlags.status, statusBySlot, statusAny:
            let segment = command == IPCFlags.status ? try ipc.segment(id) : try ipc.segment(inSlot: id)
            if command != statusAny { try segment.check(0o444, credentials) }
            var status = segment.status(credentials)
            status.creator = current.number(ofProcess: status.creator)
            status.lastUser = current.number(ofProcess: status.lastUser)
            try current.memory.store(status, at: address)
            return command == IPCFlags.status ? 0 : Int(segment.id)
        case IPCFlags.set:
            let new = try current.memory.load(SharedMemoryData.self, at: address)
            try ipc.segment(id).change(new.permission, credentials)
        case IPCFlags.remove: try ipc.remove(try ipc.segment(id), for: current)
        case lock, unlock: try ipc.segment(id).setLocked(command == lock, credentials)
        default: throw .EINVAL
        }
        return 0
    }
}
