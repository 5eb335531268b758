import HostOS
import LinuxABI
import Memory
import Testing

@testable import VirtualFileSystem

@Suite struct LockTests {
    final class Token: Sendable {}
    let first = Token(), second = Token()
    let locks = FileLocks()

    func lock(_ owner: Token, _ start: Int64, _ end: Int64, exclusive: Bool = true) -> RecordLock {
        RecordLock(owner: .process(ObjectIdentifier(owner)), isExclusive: exclusive, start: start, end: end, processID: 1)
    }
    func ranges(_ owner: Token) -> [[Int64]] {
        locks.recordLocks.filter { $0.owner == .process(ObjectIdentifier(owner)) }
            .sorted { $0.start < $1.start }.map { [$0.start, $0.end, $0.isExclusive ? 1 : 0] }
    }

    @Test func neighboursOfOneKindMerge() {
        #expect(locks.tryLock(lock(first, 0, 9)) == nil)
        #expect(locks.tryLock(lock(first, 20, 29)) == nil)
        #expect(locks.tryLock(lock(first, 10, 19)) == nil)
        #expect(ranges(first) == [[0, 29, 1]])
    }

    @Test func unlockingTheMiddleSplits() {
        #expect(locks.tryLock(lock(first, 0, Int64.max)) == nil)
        locks.unlock(owner: .process(ObjectIdentifier(first)), start: 10, end: 19)
        #expect(ranges(first) == [[0, 9, 1], [20, Int64.max, 1]])
    }

    @Test func aChangeOfKindReplacesTheRange() {
        #expect(locks.tryLock(lock(first, 0, 99)) == nil)
        #expect(locks.tryLock(lock(first, 10, 19, exclusive: false)) == nil)
        #expect(ranges(first) == [[0, 9, 1], [10, 19, 0], [20, 99, 1]])
    }

    @Test func conflictsDependOnKindOwnerAndRange() {
        #expect(locks.tryLock(lock(first, 0, 9, exclusive: false)) == nil)
        #expect(locks.tryLock(lock(second, 5, 14, exclusive: false)) == nil)
        #expect(locks.tryLock(lock(second, 0, 4))?.owner == .process(ObjectIdentifier(first)))
        #expect(locks.tryLock(lock(second, 10, 20)) == nil)
        locks.removeRecordLocks(of: .process(ObjectIdentifier(first)))
        #expect(locks.tryLock(lock(second, 0, 4)) == nil)
    }

    @Test func waitingInACircleIsADeadlock() throws {
        let other = FileLocks()
        let caller = TestCaller()
        #expect(locks.tryLock(lock(first, 0, 9)) == nil)
        #expect(other.tryLock(lock(second, 0, 9)) == nil)
        // `second` waits for `first`; inside that wait `first` asks for what `second` has.
        let probe = Probe { #expect(throws: Errno.EDEADLK) { try other.lock(lock(first, 0, 9), caller: caller) } }
        #expect(throws: Errno.ERESTARTSYS) { try locks.lock(lock(second, 0, 9), caller: probe) }
    }

    @Test func aWaiterWhoHasTheLockAlreadyBlocksNobodyInACircle() throws {
        let caller = TestCaller()
        caller.parkError = .ERESTARTSYS
        #expect(locks.tryLock(lock(first, 0, 9)) == nil)
        // While `second` still stands as waiting for `first`, it gets the lock; then `first` wants it back and has to wait.
        let probe = Probe {
            locks.unlock(owner: .process(ObjectIdentifier(first)), start: 0, end: 9)
            #expect(locks.tryLock(lock(second, 0, 9)) == nil)
            #expect(throws: Errno.ERESTARTSYS) { try locks.lock(lock(first, 0, 9), caller: caller) }
        }
        #expect(throws: Errno.ERESTARTSYS) { try locks.lock(lock(second, 0, 9), caller: probe) }
    }

    @Test func wholeFileLocksConvertByGivingUpTheOld() {
        let a = LockOwner.description(ObjectIdentifier(first)), b = LockOwner.description(ObjectIdentifier(second))
        #expect(locks.tryLockWhole(a, exclusive: false))
        #expect(locks.tryLockWhole(b, exclusive: false))
        #expect(!locks.tryLockWhole(a, exclusive: true))
        // The attempt cost `a` its shared lock.
        #expect(locks.tryLockWhole(b, exclusive: true))
        locks.unlockWhole(b)
        #expect(locks.tryLockWhole(a, exclusive: true))
    }

    @Test func locksGoWithTheirOwners() throws {
        let caller = TestCaller()
        try caller.makeFile("/f")
        let inode = try caller.resolve("/f").node
        let table = DescriptorTable()
        let number = try table.install(caller.open("/f", .readWrite), closeOnExec: false, limit: 10)
        let request = RecordLock(owner: .process(table), isExclusive: true, start: 0, end: 9, processID: 1)
        #expect(inode.shared.locks.tryLock(request) == nil)
        // Closing any descriptor of the file releases the process's locks on it.
        let another = try table.install(caller.open("/f", []), closeOnExec: false, limit: 10)
        _ = try table.remove(another)
        #expect(inode.shared.locks.recordLocks.isEmpty)

        func lockWhole() throws {
            let file = try caller.open("/f", [])
            #expect(inode.shared.locks.tryLockWhole(file.becomeLockOwner(), exclusive: true))
        }
        try lockWhole()
        #expect(inode.shared.locks.tryLockWhole(.description(ObjectIdentifier(first)), exclusive: true))
        _ = try table.remove(number)
    }
}

/// A caller whose first wait runs `action` and then is interrupted.
final class Probe: Caller {
    let caller = TestCaller()
    let action: () -> Void
    init(_ action: @escaping () -> Void) { self.action = action }
    var credentials: Credentials { caller.credentials }
    var memory: AddressSpace { caller.memory }
    var umask: UInt16 { 0 }
    var root: Path { caller.root }
    var workingDirectory: Path { caller.root }
    var mountNamespace: MountNamespace { caller.mountNamespace }
    var fileSizeLimit: UInt64 { .max }
    var parker: HostParker { caller.parker }
    var processID: Int32 { 2 }
    func raise(_ signal: Signal) {}
    func park(until deadline: MonotonicInstant?) throws(Errno) {
        action()
        throw .ERESTARTSYS
    }
}
