import HostOS
import Kernel
import LinuxABI
import VirtualFileSystem

extension SystemCallFamilies {
    /// pipe(2), splice(2), tee(2), vmsplice(2).
    public static let pipes: [SystemCallEntry] = [
        .init(22, "pipe") { current, a throws(Errno) in try sysPipe2(current, a.address(0), flags: []) },
        .init(293, "pipe2") { current, a throws(Errno) in try sysPipe2(current, a.address(0), flags: OpenFlags(rawValue: a.uint(1))) },
        .init(275, "splice", sysSplice),
        .init(276, "tee", sysTee),
        .init(278, "vmsplice", sysVmsplice),
    ]
}

/// pipe2(2). O_NOTIFICATION_PIPE (the value of O_EXCL) is not built in: ENOPKG.
private func sysPipe2(_ current: CurrentTask, _ target: GuestAddress, flags: OpenFlags) throws(Errno) -> Int {
    guard flags.isSubset(of: [.closeOnExec, .nonBlocking, .direct, .exclusive]) else { throw .EINVAL }
    if flags.contains(.exclusive) { throw .ENOPKG }
    let (reader, writer) = Pipe.makePair(flags: flags, caller: current)
    return try current.installPair(reader, writer, closeOnExec: flags.contains(.closeOnExec), at: target)
}

extension CurrentTask {
    /// Installs two descriptions and stores their numbers as `int[2]`; on failure neither stays. - Throws: EMFILE, EFAULT.
    func installPair(_ a: FileDescription, _ b: FileDescription, closeOnExec: Bool, at target: GuestAddress) throws(Errno) -> Int {
        let first = Int32(try install(a, closeOnExec: closeOnExec))
        var second: Int32?
        do throws(Errno) {
            let number = Int32(try install(b, closeOnExec: closeOnExec))
            second = number
            try memory.storeArray([first, number], at: target)
        } catch {
            _ = try? files.remove(first)
            if let second { _ = try? files.remove(second) }
            throw error
        }
        return 0
    }

    /// Runs `attempt` until it does not throw EAGAIN, sleeping between tries until one of `files` tells of an event.
    /// - Throws: what `attempt` throws; ERESTARTSYS on a signal; ETIMEDOUT at the deadline.
    func retry<R>(
        on files: [(file: any FileOperations, events: PollEvents)], until deadline: MonotonicInstant? = nil,
        _ attempt: () throws(Errno) -> R
    ) throws(Errno) -> R {
        do throws(Errno) { return try attempt() } catch { if error != .EAGAIN { throw error } }
        let entries = files.map { WaitEntry(events: $0.events, parker: parker) }
        for (index, entry) in entries.enumerated() { files[index].file.addWaiter(entry) }
        defer { for (index, entry) in entries.enumerated() { files[index].file.removeWaiter(entry) } }
        while true {
            do throws(Errno) { return try attempt() } catch { if error != .EAGAIN { throw error } }
            try park(until: deadline)
        }
    }
}
