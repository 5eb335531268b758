import HostOS
import Kernel
import LinuxABI
import VirtualFileSystem

extension SystemCallFamilies {
    /// poll(2) and select(2).
    public static let polling: [SystemCallEntry] = [
        .init(7, "poll", sysPoll),
        .init(271, "ppoll", sysPpoll),
        .init(23, "select", sysSelect),
        .init(270, "pselect6", sysPselect6),
    ]
}

/// One descriptor to watch and what for; nil for one that is not open.
struct Watch {
    let description: FileDescription?
    let events: PollEvents
}

extension CurrentTask {
    /// Waits until `scan` counts something, sleeping on all watched files. Returns 0 at the deadline.
    /// - Throws: ERESTARTNOHAND on a signal, which counts even for a deadline of now.
    func poll(_ watches: [Watch], _ deadline: WaitDeadline, _ scan: () -> Int) throws(Errno) -> Int {
        let count = scan()
        if count != 0 { return count }
        if isSignalPending { throw .ERESTARTNOHAND }
        if deadline.isNow { return 0 }
        // One entry per file, all of which wake this task.
        let entries = watches.map { WaitEntry(events: $0.events, parker: parker) }
        for (index, watch) in watches.enumerated() { watch.description?.operations.addWaiter(entries[index]) }
        defer { for (index, watch) in watches.enumerated() { watch.description?.operations.removeWaiter(entries[index]) } }
        while true {
            let count = scan()
            if count != 0 { return count }
            do throws(Errno) {
                try park(until: deadline.instant)
            } catch {
                if error == .ERESTARTSYS { throw .ERESTARTNOHAND }
                if error == .ETIMEDOUT { return scan() }
                throw error
            }
        }
    }

    /// The description as poll and select see it: nil for one that is not open or is O_PATH.
    func watchable(_ number: Int32) -> FileDescription? {
        guard let description = try? file(number) else { return nil }
        (description.operations as? SignalFile)?.adopt(self)
        return description
    }

    /// The core of poll and ppoll: reads the array, waits, stores what came.
    private func pollArray(_ address: GuestAddress, _ count: UInt32, _ deadline: WaitDeadline) throws(Errno) -> Int {
        if UInt64(count) > UInt64(descriptorLimit) { throw .EINVAL }
        var descriptors = count == 0 ? [] : try memory.loadArray(PollDescriptor.self, at: address, count: Int(count))
        let watches = descriptors.map { entry in
            Watch(
                description: entry.descriptor < 0 ? nil : watchable(entry.descriptor),
                events: PollEvents(rawValue: UInt32(entry.events)).union(.always))
        }
        let result: Result<Int, Errno>
        do throws(Errno) {
            result = .success(
                try poll(watches, deadline) {
                    var hits = 0
                    for index in descriptors.indices {
                        var found: PollEvents = []
                        if let description = watches[index].description {
                            found = description.operations.readiness().intersection(watches[index].events)
                        } else if descriptors[index].descriptor >= 0 {
                            found = .invalid
                        }
                        descriptors[index].returnedEvents = UInt16(truncatingIfNeeded: found.rawValue)
                        if !found.isEmpty { hits += 1 }
                    }
                    return hits
                })
        } catch {
            result = .failure(error)
        }
        if !descriptors.isEmpty { try memory.storeArray(descriptors, at: address) }
        return try result.get()
    }

    func poll(_ address: GuestAddress, _ count: UInt32, _ deadline: WaitDeadline) throws(Errno) -> Int {
        do throws(Errno) {
            return try pollArray(address, count, deadline)
        } catch {
            guard error == .ERESTARTNOHAND else { throw error }
            restartBlock = .poll(address: address, count: count, deadline: deadline.instant)
            throw .ERESTART_RESTARTBLOCK
        }
    }

    func ppoll(_ address: GuestAddress, _ count: UInt32, _ deadline: WaitDeadline) throws(Errno) -> Int {
        try pollArray(address, count, deadline)
    }
}

/// poll(2).
@Sendable private func sysPoll(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    try current.poll(a.address(0), a.uint(1), .milliseconds(a.int(2)))
}

extension SystemCallFamilies {
    /// restart_syscall(2) of an interrupted poll: goes on until the deadline of the first call.
    public static func restartPoll(
        _ current: CurrentTask, address: GuestAddress, count: UInt32, deadline: MonotonicInstant?
    ) throws(Errno) -> Int {
        let rest: WaitDeadline
        if let deadline { rest = deadline <= .now ? .now : .at(deadline) } else { rest = .never }
        return try current.poll(address, count, rest)
    }
}

/// ppoll(2): the time-out is updated with the time left.
@Sendable private func sysPpoll(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    let deadline = try current.timeout(Timespec.self, at: a.address(2)) { $0 }
    let mask = try current.signalMask(at: a.address(3), size: a[4])
    return try current.reporting(deadline, { current.storeRemaining($0, at: a.address(2)) }) { () throws(Errno) in
        try current.withTemporarySignalMask(mask) { () throws(Errno) in
            try current.ppoll(a.address(0), a.uint(1), deadline)
        }
    }
}

extension CurrentTask {
    /// An optional relative time-out in guest memory. - Throws: EFAULT, EINVAL.
    func timeout<T: GuestData>(_ type: T.Type, at address: GuestAddress, _ convert: (T) throws(Errno) -> Timespec) throws(Errno)
        -> WaitDeadline
    {
        if address.isNull { return .never }
        return try .relative(convert(memory.load(type, at: address)))
    }

    /// Runs a call and then tells how much of its time-out is left, as poll_select_finish does: whether it succeeded or not. Where the
    /// rest cannot be stored, an interrupted call cannot restart and gives EINTR.
    func reporting(_ deadline: WaitDeadline, _ store: (Int64) -> Bool, _ call: () throws(Errno) -> Int) throws(Errno) -> Int {
        func report() -> Bool {
            guard case .at(let instant) = deadline else { return true }
            return store(max(0, instant.nanoseconds - MonotonicInstant.now.nanoseconds))
        }
        do throws(Errno) {
            let result = try call()
            _ = report()
            return result
        } catch {
            let stored = report()
            throw error == .ERESTARTNOHAND && !stored ? .EINTR : error
        }
    }
    func storeRemaining(_ nanoseconds: Int64, at address: GuestAddress) -> Bool {
        do throws(Errno) { try memory.store(Timespec(nanoseconds: nanoseconds), at: address) } catch { return false }
        return true
    }
}
