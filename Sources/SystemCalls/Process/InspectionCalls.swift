import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// Calls that look into other processes: process_vm_readv(2), kcmp(2).
extension SystemCallFamilies {
    public static let inspection: [SystemCallEntry] = [
        .init(310, "process_vm_readv", { (current, a) throws(Errno) in try transfer(current, a, writes: false) }),
        .init(311, "process_vm_writev", { (current, a) throws(Errno) in try transfer(current, a, writes: true) }),
        .init(312, "kcmp", sysKcmp),
    ]

    private static func transfer(_ current: CurrentTask, _ a: SystemCallArguments, writes: Bool) throws(Errno) -> Int {
        guard a[5] == 0 else { throw .EINVAL }
        let local = try vectors(current, a.address(1), a[2])
        let remote = try vectors(current, a.address(3), a[4])
        guard local.contains(where: { $0.length != 0 }) else { return 0 }
        guard let task = current.findTask(a.int(0)) else { throw .ESRCH }
        guard current.mayInspect(task) else { throw .EPERM }
        guard let other = task.memory else { throw .ESRCH }

        var done = 0
        var (l, r) = (VectorCursor(local), VectorCursor(remote))
        while let here = l.piece, let there = r.piece {
            // Never across a page of either side, so that a fault costs no more than that page's part.
            let count = min(here.count, there.count)
            do throws(Errno) {
                if other.isSecret(there.address) { throw .EFAULT }
                if writes {
                    try other.copyOut(try current.memory.copyIn(here.address, count: count), to: there.address)
                } else {
                    try current.memory.copyOut(try other.copyIn(there.address, count: count), to: here.address)
                }
            } catch {
                if done == 0 { throw error }
                break
            }
            done += count
            l.advance(count)
            r.advance(count)
        }
        return done
    }

    private static func vectors(_ current: CurrentTask, _ address: GuestAddress, _ count: UInt64) throws(Errno) -> [IOVector] {
        guard count <= 1024 else { throw .EINVAL }
        if count == 0 { return [] }
        let list = try current.memory.loadArray(IOVector.self, at: address, count: Int(count))
        var total: UInt64 = 0
        for vector in list {
            guard vector.length <= UInt64(Int64.max) else { throw .EINVAL }
            let (sum, overflow) = total.addingReportingOverflow(vector.length)
            guard !overflow, sum <= UInt64(Int64.max) else { throw .EINVAL }
            total = sum
        }
        return list
    }

    private struct VectorCursor {
        let list: [IOVector]
        var index = 0
        var offset: UInt64 = 0
        init(_ list: [IOVector]) {
            self.list = list
            skipEmpty()
        }
        /// What is left of the present vector within one page.
        var piece: (address: GuestAddress, count: Int)? {
            guard index < list.count else { return nil }
            let address = list[index].base + offset
            return (address, Int(min(list[index].length - offset, Page.size - address.pageOffset)))
        }
        mutating func advance(_ count: Int) {
            offset += UInt64(count)
            skipEmpty()
        }
        private mutating func skipEmpty() {
            while index < list.count && offset >= list[index].length {
                index += 1
                offset = 0
            }
        }
    }

    @Sendable static func sysKcmp(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        guard let first = current.findTask(a.int(0)), let second = current.findTask(a.int(1)) else {
            throw .ESRCH
        }
        guard current.mayInspect(first), current.mayInspect(second) else { throw .EPERM }
        switch a.int(2) {
        case 0:
            guard let one = try first.files?.get(Int32(truncatingIfNeeded: a[3])),
                let other = try second.files?.get(Int32(truncatingIfNeeded: a[4]))
            else { throw .EBADF }
            return order(one, other)
        case 1: return order(first.memory, second.memory)
        case 2: return order(first.files, second.files)
        case 3: return order(first.fileSystem, second.fileSystem)
        case 4: return order(first.threadGroup.actions, second.threadGroup.actions)
        // No task has an I/O context or System V undo list of its own.
        case 5, 6: return 0
        case 7: return try compareEpollTarget(current, first, second, a)
        default: throw .EINVAL
        }
    }

    /// KCMP_EPOLL_TFD: a descriptor of the first process and what an epoll set of the second watches.
    private static func compareEpollTarget(_ current: CurrentTask, _ first: Task, _ second: Task, _ a: SystemCallArguments) throws(Errno)
        -> Int
    {
        let slot = try current.memory.loadArray(UInt32.self, at: a.address(4), count: 3)
        guard let one = try first.files?.get(Int32(truncatingIfNeeded: a[3])) else { throw .EBADF }
        guard let set = try second.files?.get(Int32(bitPattern: slot[0])) else { throw .EBADF }
        guard let epoll = set.operations as? Epoll else { throw .EINVAL }
        return order(one, try epoll.target(Int32(bitPattern: slot[1]), offset: slot[2]))
    }

    /// 0 for the same object, 1 and 2 for an arbitrary but constant order.
    private static func order(_ a: (some AnyObject)?, _ b: (some AnyObject)?) -> Int {
        let (x, y) = (a.map { ObjectIdentifier($0) }, b.map { ObjectIdentifier($0) })
        if x == y { return 0 }
        guard let x else { return 1 }
        guard let y else { return 2 }
        return x < y ? 1 : 2
    }
}
