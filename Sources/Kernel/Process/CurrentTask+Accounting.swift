import HostOS
import LinuxABI
import Memory
import Synchronization
import VirtualFileSystem

/// Where acct(2) has records written.
public final class ProcessAccounting: Sendable {
    private let file = Mutex<FileDescription?>(nil)
    /// Lets processes end without a look while nobody asked.
    private let isOn = Atomic<Bool>(false)
    public init() {}

    /// Nil ends it.
    public func write(to description: FileDescription?) {
        let old = file.withLock { file in
            defer { file = description }
            return file
        }
        isOn.store(description != nil, ordering: .relaxed)
        _ = old
    }
    var current: FileDescription? { isOn.load(ordering: .relaxed) ? file.withLock { $0 } : nil }
}

extension CurrentTask {
    /// The last thread of the process has ended: writes its record, if anybody wants it (do_acct_process). What does not fit is lost.
    func account(_ status: ExitStatus) {
        guard let file = kernel.accounting.current else { return }
        let usage = threadGroup.usage
        let credentials = self.credentials
        func ticks(_ nanoseconds: Int64) -> UInt64 { UInt64(max(0, nanoseconds)) / 10_000_000 }
        let elapsed = max(0, MonotonicInstant.now.nanoseconds &- threadGroup.startTime.nanoseconds)
        var record = AccountingRecord()
        if !threadGroup.links.withLock({ $0.hasExecuted }) { record.flags |= AccountingRecord.Flag.forked }
        let final = threadGroup.signals.withLock { $0.exit } ?? status
        if case .killed(_, let dumped) = final {
            record.flags |= AccountingRecord.Flag.killed | (dumped ? AccountingRecord.Flag.dumpedCore : 0)
        }
        if let device = threadGroup.session.terminal.withLock({ $0?.device }) {
            record.terminal = UInt16(truncatingIfNeeded: device.major << 8 | device.minor & 0xff)
        }
        record.exitCode = UInt32(bitPattern: final.waitStatus)
        record.uid = credentials.realUID
        record.gid = credentials.realGID
        record.pid = UInt32(bitPattern: threadGroup.id)
        record.parent = UInt32(bitPattern: threadGroup.parentID)
        record.beginTime = UInt32(truncatingIfNeeded: (HostClock.realtime.nanoseconds &- elapsed) / 1_000_000_000)
        record.elapsedTime = Float(ticks(elapsed)).bitPattern
        record.userTime = AccountingRecord.compressed(ticks(usage.user))
        record.systemTime = AccountingRecord.compressed(ticks(usage.system))
        record.memory = AccountingRecord.compressed(memory.statistics(countingResident: false).virtualBytes / 1024)
        let name = task.name + [UInt8](repeating: 0, count: 16 - min(16, task.name.count))
        record.name0 = name[0..<8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        record.name1 = name[8..<16].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        var buffer = IOBuffer(kernelBytes: record.bytes)
        _ = try? file.operations.write(&buffer, at: .end, caller: self)
    }
}
