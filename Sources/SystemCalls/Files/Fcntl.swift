import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// fcntl(2).
extension SystemCallFamilies {
    public static let fcntl: [SystemCallEntry] = [.init(72, "fcntl", sysFcntl)]

    @Sendable static func sysFcntl(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let number = a.int(0), command = a.int(1)
        let entry = try current.files.entry(number)
        let file = entry.description
        switch command {
        case FcntlCommand.F_DUPFD: return try duplicate(current, file, from: a.int(2), closeOnExec: false)
        case FcntlCommand.F_DUPFD_CLOEXEC: return try duplicate(current, file, from: a.int(2), closeOnExec: true)
        case FcntlCommand.F_GETFD: return entry.closeOnExec ? 1 : 0
        case FcntlCommand.F_SETFD:
            try current.files.setCloseOnExec(number, a.uint(2) & 1 != 0)
            return 0
        case FcntlCommand.F_GETFL: return Int(file.statusFlags.rawValue)
        case FcntlCommand.F_DUPFD_QUERY: return (try? current.files.get(a.int(2))) === file ? 1 : 0
        case FcntlCommand.F_CREATED_QUERY: return file.wasCreated ? 1 : 0
        default: break
        }
        // O_PATH descriptors know no other command.
        if file.isPathOnly { throw .EBADF }
        switch command {
        case FcntlCommand.F_SETFL:
            try setStatusFlags(OpenFlags(rawValue: a.uint(2)), of: file, number, current)
            return 0
        case FcntlCommand.F_GETLK, FcntlCommand.F_SETLK, FcntlCommand.F_SETLKW, FcntlCommand.F_OFD_GETLK, FcntlCommand.F_OFD_SETLK,
            FcntlCommand.F_OFD_SETLKW:
            return try recordLock(current, number, file, command, a.address(2))
        case FcntlCommand.F_SETOWN, FcntlCommand.F_GETOWN, FcntlCommand.F_SETSIG, FcntlCommand.F_GETSIG, FcntlCommand.F_SETOWN_EX,
            FcntlCommand.F_GETOWN_EX, FcntlCommand.F_GETOWNER_UIDS:
            return try asyncOwner(current, file, command, a)
        case FcntlCommand.F_SETLEASE: return try setLease(current, file, a.int(2))
        case FcntlCommand.F_GETLEASE: return Int(FlockBuffer.unlock)
        case FcntlCommand.F_NOTIFY:
            try DirectoryNotice.request(a.uint(2), on: file, descriptor: number, current)
            return 0
        case FcntlCommand.F_SETPIPE_SZ:
            guard file.operations.pipeCapacity != nil else { throw .EBADF }
            return try file.operations.setPipeCapacity(Int(a.uint(2)), caller: current)
        case FcntlCommand.F_GETPIPE_SZ:
            guard let capacity = file.operations.pipeCapacity else { throw .EBADF }
            return capacity
        case FcntlCommand.F_ADD_SEALS:
            guard file.operations.seals != nil else { throw .EINVAL }
            guard file.isWritable else { throw .EPERM }
            guard a.uint(2) & ~FileSeals.all.rawValue == 0 else { throw .EINVAL }
            try file.operations.addSeals(FileSeals(rawValue: a.uint(2)))
            return 0
        case FcntlCommand.F_GET_RW_HINT, FcntlCommand.F_SET_RW_HINT: return try writeHint(current, file, command, a.address(2))
        case FcntlCommand.F_GET_SEALS:
            guard let seals = file.operations.seals else { throw .EINVAL }
            return Int(seals.rawValue)
        default: throw .EINVAL
        }
    }

    private static func duplicate(_ current: CurrentTask, _ file: FileDescription, from minimum: Int32, closeOnExec: Bool)
        throws(Errno) -> Int
    {
        let limit = current.descriptorLimit
        guard minimum >= 0 && minimum < limit else { throw .EINVAL }
        return Int(try current.files.install(file, closeOnExec: closeOnExec, minimum: minimum, limit: limit))
    }

    /// F_SETFL: O_APPEND, O_NONBLOCK, O_ASYNC, O_DIRECT and O_NOATIME change, the rest of `new` is ignored.
    static func setStatusFlags(_ new: OpenFlags, of file: FileDescription, _ number: Int32, _ current: CurrentTask) throws(Errno) {
        let changeable: OpenFlags = [.append, .nonBlocking, .async, .direct, .noAccessTime]
        let old = file.statusFlags
        if new.contains(.append) != old.contains(.append), file.inode?.flags.contains(.appendOnly) ?? false { throw .EPERM }
        if new.contains(.noAccessTime) && !old.contains(.noAccessTime) {
            let credentials = current.credentials
            let owned = try file.attributes()
            guard owned.uid == credentials.fileSystemUID || credentials.has(.fowner, over: owned) else { throw .EPERM }
        }
        let result = old.subtracting(changeable).union(new.intersection(changeable))
        try file.operations.statusFlagsChanged(result)
        file.changeStatusFlags(set: new.intersection(changeable), clear: changeable)
        if new.contains(.async) != old.contains(.async) {
            AsyncSignal.set(new.contains(.async), on: file, descriptor: number, kernel: current.kernel)
        }
    }

    /// F_SETLEASE: there are no leases; the answers are those of a file that others have open.
    private static func setLease(_ current: CurrentTask, _ file: FileDescription, _ type: Int32) throws(Errno) -> Int {
        guard file.type == .regular else { throw .EINVAL }
        guard (0...2).contains(type) else { throw .EINVAL }
        let credentials = current.credentials
        let lease = CapabilitySet(rawValue: 1 << 28)
        let owned = try file.attributes()
            guard owned.uid == credentials.fileSystemUID || credentials.has(lease, over: owned) else { throw .EACCES }
        throw .EAGAIN
    }

    /// How long what is written will live: advice for devices, kept with the inode.
    private static func writeHint(_ current: CurrentTask, _ file: FileDescription, _ command: Int32, _ address: GuestAddress)
        throws(Errno) -> Int
    {
        guard let inode = file.inode else { throw .EINVAL }
        guard command == FcntlCommand.F_SET_RW_HINT else {
            try current.memory.store(inode.shared.writeHint, at: address)
            return 0
        }
        let credentials = current.credentials
        let owned = try file.attributes()
            guard owned.uid == credentials.fileSystemUID || credentials.has(.fowner, over: owned) else { throw .EPERM }
        let hint = try current.memory.load(UInt64.self, at: address)
        // RWH_WRITE_LIFE_NOT_SET…RWH_WRITE_LIFE_EXTREME.
        guard hint <= 5 else { throw .EINVAL }
        inode.shared.writeHint = hint
        return 0
    }

    // MARK: I/O signals

    private static func asyncOwner(_ current: CurrentTask, _ file: FileDescription, _ command: Int32, _ a: SystemCallArguments)
        throws(Errno) -> Int
    {
        switch command {
        case FcntlCommand.F_SETOWN:
            let id = a.int(2)
            guard id != Int32.min else { throw .EINVAL }
            try setOwner(current, file, id == 0 ? .none : id > 0 ? .process(id) : .processGroup(-id))
        case FcntlCommand.F_GETOWN:
            switch file.asyncOwner.withLock({ $0.kind }) {
            case .none: return 0
            case .thread(let id), .process(let id): return Int(current.number(ofProcess: id))
            case .processGroup(let id): return -Int(current.number(ofGroup: id))
            }
        case FcntlCommand.F_SETSIG:
            guard a.a2 <= 64 else { throw .EINVAL }
            file.asyncOwner.withLock { $0.signal = a.int(2) }
        case FcntlCommand.F_GETSIG: return Int(file.asyncOwner.withLock { $0.signal })
        case FcntlCommand.F_SETOWN_EX:
            let owner = try current.memory.load(FileOwnerBuffer.self, at: a.address(2))
            switch (owner.type, owner.id) {
            case (0...2, 0): try setOwner(current, file, .none)
            case (0, let id): try setOwner(current, file, .thread(id))
            case (1, let id): try setOwner(current, file, .process(id))
            case (2, let id): try setOwner(current, file, .processGroup(id))
            default: throw .EINVAL
            }
        case FcntlCommand.F_GETOWN_EX:
            var owner = FileOwnerBuffer()
            switch file.asyncOwner.withLock({ $0.kind }) {
            case .none: owner.type = 1
            case .thread(let id): (owner.type, owner.id) = (0, current.number(ofProcess: id))
            case .process(let id): (owner.type, owner.id) = (1, current.number(ofProcess: id))
            case .processGroup(let id): (owner.type, owner.id) = (2, current.number(ofGroup: id))
            }
            try current.memory.store(owner, at: a.address(2))
        default:
            let owner = file.asyncOwner.withLock { $0 }
            try current.memory.storeArray([current.credentials.shownUser(owner.realUID), current.credentials.shownUser(owner.effectiveUID)], at: a.address(2))
        }
        return 0
    }

    private static func setOwner(_ current: CurrentTask, _ file: FileDescription, _ kind: AsyncOwner.Kind) throws(Errno) {
        let found: AsyncOwner.Kind? =
            switch kind {
            case .none: AsyncOwner.Kind.none
            case .thread(let id): current.findTask(id).map { .thread($0.id) }
            case .process(let id): current.findThreadGroup(id).map { .process($0.id) }
            case .processGroup(let id): current.findProcessGroup(id).map { .processGroup($0.id) }
            }
        guard let found else { throw .ESRCH }
        let credentials = current.credentials
        file.asyncOwner.withLock {
            $0.kind = found
            $0.realUID = credentials.realUID
            $0.effectiveUID = credentials.effectiveUID
        }
    }
}
