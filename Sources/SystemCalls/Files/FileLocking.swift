import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// flock(2), and the record locks of fcntl(2).
extension SystemCallFamilies {
    public static let fileLocks: [SystemCallEntry] = [.init(73, "flock", sysFlock)]

    @Sendable static func sysFlock(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let shared: UInt32 = 1, exclusive: UInt32 = 2, nonBlocking: UInt32 = 4, unlock: UInt32 = 8
        let operation = a.uint(1) & ~nonBlocking
        guard [shared, exclusive, unlock].contains(operation) else { throw .EINVAL }
        let file = try current.file(a.int(0))
        guard let inode = file.inode else { throw .EBADF }
        if operation == unlock {
            inode.shared.locksIfAny?.unlockWhole(.description(file))
            return 0
        }
        let locks = inode.shared.locks
        let owner = file.becomeLockOwner()
        if a.uint(1) & nonBlocking != 0 {
            guard locks.tryLockWhole(owner, exclusive: operation == exclusive) else { throw .EAGAIN }
        } else {
            try locks.lockWhole(owner, exclusive: operation == exclusive, caller: current)
        }
        return 0
    }

    /// F_GETLK, F_SETLK, F_SETLKW and their F_OFD_ forms.
    static func recordLock(_ current: CurrentTask, _ number: Int32, _ file: FileDescription, _ command: Int32, _ address: GuestAddress)
        throws(Errno) -> Int
    {
        var request = try current.memory.load(FlockBuffer.self, at: address)
        let isDescriptionLock = command >= FcntlCommand.F_OFD_GETLK
        if isDescriptionLock && request.processID != 0 { throw .EINVAL }
        let isQuery = command == FcntlCommand.F_GETLK || command == FcntlCommand.F_OFD_GETLK
        guard (0...2).contains(request.type) else { throw .EINVAL }
        // Only a description's own locks can be asked for by their absence.
        guard command != FcntlCommand.F_GETLK || request.type != FlockBuffer.unlock else { throw .EINVAL }
        let (start, end) = try range(request, file)
        guard let inode = file.inode else { throw .ENOLCK }
        let lock = RecordLock(
            owner: isDescriptionLock ? file.becomeLockOwner() : .process(current.files),
            isExclusive: request.type == FlockBuffer.write, start: start, end: end,
            processID: isDescriptionLock ? -1 : current.globalProcessID)

        if isQuery {
            let locks = inode.shared.locksIfAny
            let found = request.type == FlockBuffer.unlock ? locks?.held(in: lock) : locks?.conflict(with: lock)
            if let conflict = found {
                request.type = conflict.isExclusive ? FlockBuffer.write : FlockBuffer.read
                request.whence = 0
                request.start = conflict.start
                request.length = conflict.end == Int64.max ? 0 : conflict.end - conflict.start + 1
                request.processID = current.number(ofProcess: conflict.processID)
            } else {
                request.type = FlockBuffer.unlock
            }
            try current.memory.store(request, at: address)
            return 0
        }
        switch request.type {
        case FlockBuffer.read: guard file.isReadable else { throw .EBADF }
        case FlockBuffer.write: guard file.isWritable else { throw .EBADF }
        default:
            inode.shared.locksIfAny?.unlock(owner: lock.owner, start: start, end: end)
            return 0
        }
        if command == FcntlCommand.F_SETLK || command == FcntlCommand.F_OFD_SETLK {
            if inode.shared.locks.tryLock(lock) != nil { throw .EAGAIN }
        } else {
            try inode.shared.locks.lock(lock, caller: current)
        }
        // Another thread may have closed the descriptor meanwhile, and with it released the locks before this one was set.
        if !isDescriptionLock, (try? current.files.get(number)) !== file {
            inode.shared.locks.unlock(owner: lock.owner, start: start, end: end)
            throw .EBADF
        }
        return 0
    }

    /// First and last byte. - Throws: EINVAL, EOVERFLOW.
    private static func range(_ request: FlockBuffer, _ file: FileDescription) throws(Errno) -> (start: Int64, end: Int64) {
        let origin: Int64
        switch request.whence {
        case 0: origin = 0
        case 1: origin = file.position.withLock { $0 }
        case 2: origin = Int64(clamping: try file.attributes().size)
        default: throw .EINVAL
        }
        let (start, overflow) = origin.addingReportingOverflow(request.start)
        if overflow { throw .EOVERFLOW }
        if start < 0 { throw .EINVAL }
        if request.length == 0 { return (start, Int64.max) }
        if request.length > 0 {
            let (end, overflow) = start.addingReportingOverflow(request.length - 1)
            if overflow { throw .EOVERFLOW }
            return (start, end)
        }
        let (first, underflow) = start.addingReportingOverflow(request.length)
        if underflow || first < 0 { throw .EINVAL }
        return (first, start - 1)
    }
}
