import HostOS
import Kernel
import LinuxABI
import VirtualFileSystem

extension SystemCallFamilies {
    /// eventfd(2), epoll(7), signalfd(2).
    public static let events: [SystemCallEntry] = [
        .init(284, "eventfd") { current, a throws(Errno) in try eventFile(current, initial: a.uint(0), flags: 0) },
        .init(290, "eventfd2") { current, a throws(Errno) in try eventFile(current, initial: a.uint(0), flags: a.uint(1)) },
        .init(213, "epoll_create") { current, a throws(Errno) in
            // The size is a hint that must be positive.
            if a.int(0) <= 0 { throw .EINVAL }
            return try epoll(current, closeOnExec: false)
        },
        .init(291, "epoll_create1") { current, a throws(Errno) in
            let flags = OpenFlags(rawValue: a.uint(0))
            guard flags.isSubset(of: .closeOnExec) else { throw .EINVAL }
            return try epoll(current, closeOnExec: flags.contains(.closeOnExec))
        },
        .init(233, "epoll_ctl", sysEpollControl),
        .init(232, "epoll_wait") { current, a throws(Errno) in
            try epollWait(current, a, deadline: .milliseconds(a.int(3)), mask: nil)
        },
        .init(281, "epoll_pwait") { current, a throws(Errno) in
            let mask = try current.signalMask(at: a.address(4), size: a[5])
            return try epollWait(current, a, deadline: .milliseconds(a.int(3)), mask: mask)
        },
        .init(441, "epoll_pwait2") { current, a throws(Errno) in
            var deadline = WaitDeadline.never
            if !a.address(3).isNull {
                deadline = try .relative(current.memory.load(Timespec.self, at: a.address(3)))
            }
            let mask = try current.signalMask(at: a.address(4), size: a[5])
            return try epollWait(current, a, deadline: deadline, mask: mask)
        },
        .init(282, "signalfd") { current, a throws(Errno) in try signalFile(current, a, flags: 0) },
        .init(289, "signalfd4") { current, a throws(Errno) in try signalFile(current, a, flags: a.uint(3)) },
    ]
}

/// How long a call may wait.
enum WaitDeadline {
    case now
    case at(MonotonicInstant)
    case never

    static func milliseconds(_ n: Int32) -> WaitDeadline {
        n < 0 ? .never : n == 0 ? .now : .at(.after(nanoseconds: Int64(n) * 1_000_000))
    }
    /// - Throws: EINVAL.
    static func relative(_ time: Timespec) throws(Errno) -> WaitDeadline {
        guard time.isValid else { throw .EINVAL }
        return time.totalNanoseconds == 0 ? .now : .at(.after(nanoseconds: time.totalNanoseconds))
    }
    var instant: MonotonicInstant? {
        if case .at(let instant) = self { return instant }
        return nil
    }
    var isNow: Bool {
        if case .now = self { return true }
        return false
    }
}

extension CurrentTask {
    /// The optional `sigset_t` argument of ppoll and others. - Throws: EINVAL for a wrong size, EFAULT.
    func signalMask(at address: GuestAddress, size: UInt64) throws(Errno) -> SignalSet? {
        if address.isNull { return nil }
        guard size == 8 else { throw .EINVAL }
        return try memory.load(SignalSet.self, at: address)
    }
}

private func eventFile(_ current: CurrentTask, initial: UInt32, flags: UInt32) throws(Errno) -> Int {
    let semaphore: UInt32 = 1
    let open = OpenFlags(rawValue: flags & ~semaphore)
    guard open.isSubset(of: [.nonBlocking, .closeOnExec]) else { throw .EINVAL }
    let description = FileDescription(
        operations: EventFile(initial: initial, isSemaphore: flags & semaphore != 0), anonymousName: "anon_inode:[eventfd]",
        flags: open.union(.readWrite))
    return try current.install(description, closeOnExec: open.contains(.closeOnExec))
}

private func epoll(_ current: CurrentTask, closeOnExec: Bool) throws(Errno) -> Int {
    let description = FileDescription(operations: Epoll(), anonymousName: "anon_inode:[eventpoll]", flags: .readWrite)
    return try current.install(description, closeOnExec: closeOnExec)
}

/// epoll_ctl(2), with the order of checks of do_epoll_ctl.
@Sendable private func sysEpollControl(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    let operation = EpollOperation(rawValue: a.int(1))
    var event = EpollEvent()
    if operation != .delete { event = try current.memory.load(EpollEvent.self, at: a.address(3)) }
    let set = try current.file(a.int(0))
    let target = try current.file(a.int(2))
    guard target.operations.isPollable else { throw .EPERM }
    guard set !== target, let epoll = set.operations as? Epoll else { throw .EINVAL }
    let flags = EpollFlags(rawValue: event.events)
    if operation != .delete && flags.contains(.exclusive) {
        if operation == .modify { throw .EINVAL }
        let compatible = PollEvents([.readable, .writable, .error, .hangUp]).rawValue
            | EpollFlags([.wakeUp, .edgeTriggered, .exclusive]).rawValue
        if operation == .add && (target.operations is Epoll || event.events & ~compatible != 0) { throw .EINVAL }
    }
    (target.operations as? SignalFile)?.adopt(current)
    switch operation {
    case .add: try epoll.add(a.int(2), target, event)
    case .modify: try epoll.modify(a.int(2), target, event)
    case .delete: try epoll.delete(a.int(2), target)
    case nil: throw .EINVAL
    }
    return 0
}

/// epoll_wait(2) and its variants. Never restarted after a handler (signal(7)).
private func epollWait(
    _ current: CurrentTask, _ a: SystemCallArguments, deadline: WaitDeadline, mask: SignalSet?
) throws(Errno) -> Int {
    let maximum = Int(a.int(2))
    guard maximum > 0 && maximum <= Int(Int32.max) / MemoryLayout<EpollEvent>.size else { throw .EINVAL }
    let description = try current.file(a.int(0))
    guard let epoll = description.operations as? Epoll else { throw .EINVAL }
    return try current.withTemporarySignalMask(mask) { () throws(Errno) in
        var events = epoll.collect(maximum: maximum)
        if events.isEmpty && !deadline.isNow {
            do throws(Errno) {
                events = try epoll.wait(maximum: maximum, until: deadline.instant, caller: current)
            } catch {
                throw error == .ERESTARTSYS ? .EINTR : error
            }
        }
        if !events.isEmpty { try current.memory.storeArray(events, at: a.address(1)) }
        return events.count
    }
}

/// signalfd4(2): makes a descriptor, or changes the mask of the one given.
private func signalFile(_ current: CurrentTask, _ a: SystemCallArguments, flags: UInt32) throws(Errno) -> Int {
    let open = OpenFlags(rawValue: flags)
    guard a[2] == 8 else { throw .EINVAL }
    let mask = try current.memory.load(SignalSet.self, at: a.address(1)).subtracting(.unblockable)
    guard open.isSubset(of: [.nonBlocking, .closeOnExec]) else { throw .EINVAL }
    if a.int(0) == -1 {
        let description = FileDescription(
            operations: SignalFile(mask: mask, owner: current), anonymousName: "anon_inode:[signalfd]", flags: open.union(.readWrite))
        return try current.install(description, closeOnExec: open.contains(.closeOnExec))
    }
    guard let file = try current.file(a.int(0)).operations as? SignalFile else { throw .EINVAL }
    file.setMask(mask, for: current)
    return Int(a.int(0))
}
