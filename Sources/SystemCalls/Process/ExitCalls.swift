import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// exit(2), exit_group(2), wait4(2), waitid(2).
extension SystemCallFamilies {
    public static let exitAndWait: [SystemCallEntry] = [
        .init(60, "exit", sysExit),
        .init(61, "wait4", sysWait4),
        .init(231, "exit_group", sysExitGroup),
        .init(247, "waitid", sysWaitid),
    ]

    @Sendable static func sysExit(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        current.exitThread(a.int(0))
        return 0
    }

    @Sendable static func sysExitGroup(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        current.exitGroup(a.int(0))
        return 0
    }

    @Sendable static func sysWait4(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let options = WaitOptions(rawValue: a.uint(2))
        guard options.subtracting([.noHang, .stopped, .continued, .noThread, .clone, .all]).isEmpty else { throw .EINVAL }
        let pid = a.int(0)
        if pid == .min { throw .ESRCH }
        let selector: WaitSelector
        switch pid {
        case -1: selector = .any
        case 0: selector = .processGroup(current.number(of: current.threadGroup.processGroup))
        case ..<0: selector = .processGroup(-pid)
        default: selector = .process(pid)
        }
        guard let result = try current.waitForChild(selector, options.union(.exited)) else { return 0 }
        if !a.address(1).isNull { try current.memory.store(result.waitStatus, at: a.address(1)) }
        if !a.address(3).isNull { try storeUsage(current, result.usage, at: a.address(3)) }
        return Int(result.id)
    }

    @Sendable static func sysWaitid(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        var options = WaitOptions(rawValue: a.uint(3))
        guard options.subtracting([.noHang, .noWait, .exited, .stopped, .continued, .noThread, .clone, .all]).isEmpty else {
            throw .EINVAL
        }
        if options.isDisjoint(with: [.exited, .stopped, .continued]) { throw .EINVAL }
        let id = a.int(1)
        var isNonBlockingFile = false
        let selector: WaitSelector
        switch a.int(0) {
        case 0: selector = .any
        case 1:
            if id <= 0 { throw .EINVAL }
            selector = .process(id)
        case 2:
            if id < 0 { throw .EINVAL }
            selector = .processGroup(id == 0 ? current.number(of: current.threadGroup.processGroup) : id)
        case 3:
            if id < 0 { throw .EINVAL }
            let description = try current.files.get(id)
            selector = .group(try pidFile(description).threadGroup)
            isNonBlockingFile = description.isNonBlocking && !options.contains(.noHang)
            if isNonBlockingFile { options.insert(.noHang) }
        default: throw .EINVAL
        }
        let result: WaitResult?
        do throws(Errno) {
            result = try current.waitForChild(selector, options)
            if result == nil && isNonBlockingFile { throw .EAGAIN }
        } catch {
            // Linux fills in zeroes on failure too.
            if !error.isRestart { try storeInfo(current, nil, at: a.address(2)) }
            throw error
        }
        if let result, !a.address(4).isNull { try storeUsage(current, result.usage, at: a.address(4)) }
        try storeInfo(current, result, at: a.address(2))
        return 0
    }

    private static func storeInfo(_ current: CurrentTask, _ result: WaitResult?, at address: GuestAddress) throws(Errno) {
        if address.isNull { return }
        let head: [Int32] = result.map { [Signal.SIGCHLD.rawValue, 0, $0.code] } ?? [0, 0, 0]
        let tail: [Int32] = result.map { [$0.id, Int32(bitPattern: $0.uid), $0.status] } ?? [0, 0, 0]
        try current.memory.storeArray(head, at: address)
        try current.memory.storeArray(tail, at: address + UInt64(16))
    }

    /// `struct rusage`: 18 words.
    static func storeUsage(_ current: CurrentTask, _ usage: ResourceUsage, at address: GuestAddress) throws(Errno) {
        var w = [Int64](repeating: 0, count: 18)
        w[0] = usage.user / 1_000_000_000
        w[1] = usage.user % 1_000_000_000 / 1000
        w[2] = usage.system / 1_000_000_000
        w[3] = usage.system % 1_000_000_000 / 1000
        w[4] = Int64(truncatingIfNeeded: usage.maximumResident >> 10)
        w[8] = Int64(truncatingIfNeeded: usage.minorFaults)
        w[9] = Int64(truncatingIfNeeded: usage.majorFaults)
        w[16] = Int64(truncatingIfNeeded: usage.voluntarySwitches)
        w[17] = Int64(truncatingIfNeeded: usage.involuntarySwitches)
        try current.memory.storeArray(w, at: address)
    }

    /// - Throws: EBADF when the description is no pidfd.
    static func pidFile(_ description: FileDescription) throws(Errno) -> PidFile {
        guard let file = description.operations as? PidFile else { throw .EBADF }
        return file
    }
}
