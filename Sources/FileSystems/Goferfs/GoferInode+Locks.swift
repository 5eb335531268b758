import HostOS
import LinuxABI
import Synchronization
import VirtualFileSystem

/// The sandbox's locks on a host file, which hold against processes of the host: those of an open file description of its own (fcntl(2), "Open
/// file description locks"; flock(2)). Who inside holds which is `FileLocks`' business.
extension GoferInode: OutsideLocks {
    func prepareLocks() {
        if state.withLock({ $0.lockFile != nil }) { return }
        // Whoever locks a file has it open: this asks the Gofer for nothing.
        let open = state.withLock { s in s.writableReads ? s.writable : nil }
        guard let file = open ?? (try? readableDescriptor()) else { return }
        state.withLock { if $0.lockFile == nil { $0.lockFile = file } }
    }

    func dropLocks() {
        let file = state.withLock { s in
            defer { s.lockFile = nil }
            return s.lockFile
        }
        guard let file else { return }
        // Others may keep the description open.
        try? HostFileCalls.setLock(file.number, type: OutsideLockKind.none.rawValue, start: 0, end: .max)
        try? HostFileCalls.flock(file.number, Self.unlock)
    }

    func setRecords(_ kind: OutsideLockKind, start: Int64, end: Int64) -> OutsideLockResult {
        guard let file = state.withLock({ $0.lockFile }) else { return kind == .none ? .granted : .refused }
        do throws(Errno) {
            try HostFileCalls.setLock(file.number, type: kind.rawValue, start: start, end: end)
            return .granted
        } catch {
            guard error == .EBADF, kind == .exclusive else { return .refused }
            // The description only reads, and somebody has opened the file for writing since.
            guard let stronger = state.withLock({ s in s.writableReads ? s.writable : nil }), stronger !== file else { return .refused }
            dropLocks()
            state.withLock { $0.lockFile = stronger }
            return .lost
        }
    }

    private static let unlock: Int32 = 8
    private static let nonBlocking: Int32 = 4

    func setWhole(_ kind: OutsideLockKind) -> OutsideLockResult {
        guard let file = state.withLock({ $0.lockFile }) else { return kind == .none ? .granted : .refused }
        let operation: Int32 =
            switch kind {
            case .shared: 1
            case .exclusive: 2
            case .none: Self.unlock
            }
        do throws(Errno) {
            try HostFileCalls.flock(file.number, operation | Self.nonBlocking)
            return .granted
        } catch {
            return .refused
        }
    }

    func conflict(exclusive: Bool, start: Int64, end: Int64) -> (isExclusive: Bool, start: Int64, end: Int64)? {
        guard let file = state.withLock({ $0.lockFile }) else { return nil }
        let kind = exclusive ? OutsideLockKind.exclusive : .shared
        guard let found = try? HostFileCalls.conflictingLock(file.number, type: kind.rawValue, start: start, end: end) else { return nil }
        return (found.type == OutsideLockKind.exclusive.rawValue, found.start, found.end)
    }
}
