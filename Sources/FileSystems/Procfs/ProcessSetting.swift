import Kernel
import LinuxABI
import VirtualFileSystem

/// Writes to a process's files.
struct ProcessSetting {
    let reference: ProcessReference
    let caller: any Caller
    init(_ reference: ProcessReference, _ caller: any Caller) {
        self.reference = reference
        self.caller = caller
    }

    func store(_ bytes: [UInt8], in file: ProcessFile) throws(Errno) {
        let task = try reference.task()
        switch file {
        case .comm:
            // Only threads of the process itself may (comm_write).
            guard caller.globalProcessID == reference.group.id else { throw .EINVAL }
            task.name = Array(bytes.prefix(15).prefix { $0 != 0 })
        case .oldOOMAdjustment: try setOldOOMAdjustment(bytes)
        case .oomScoreAdjustment: try setOOMScoreAdjustment(bytes)
        case .timerSlack:
            guard caller.globalProcessID == reference.group.id || caller.credentials.has(.sysNice, in: task.credentials.userNamespace) else { throw .EPERM }
            guard let value = TextNumber.parse(bytes), value >= 0 else { throw .EINVAL }
            task.timerSlack = value == 0 ? 50_000 : UInt64(value)
        case .setgroups: try setSetgroups(bytes, task.credentials.userNamespace)
        case .loginuid: throw .EPERM
        default: throw .EINVAL
        }
    }

    /// proc_setgroups_write: a word and white space.
    private func setSetgroups(_ bytes: [UInt8], _ namespace: UserNamespace) throws(Errno) {
        guard bytes.count < 8 else { throw .EINVAL }
        let word = bytes.prefix { $0 != 0 }
        let isAllow = word.starts(with: Array("allow".utf8)), isDeny = word.starts(with: Array("deny".utf8))
        guard isAllow || isDeny, word.dropFirst(isAllow ? 5 : 4).allSatisfy({ $0 == 0x20 || (9...13).contains($0) }) else { throw .EINVAL }
        try namespace.setSetgroups(allowed: isAllow)
    }

    /// Lowering it below what the process began with takes CAP_SYS_RESOURCE; here: below its present value.
    private func setOOMScoreAdjustment(_ bytes: [UInt8]) throws(Errno) {
        guard let value = TextNumber.parse(bytes), value >= -1000, value <= 1000 else { throw .EINVAL }
        try setOOMScoreAdjustment(value)
    }
    /// The old scale: -16 to 15, and -17 for never.
    private func setOldOOMAdjustment(_ bytes: [UInt8]) throws(Errno) {
        guard let value = TextNumber.parse(bytes), value >= -17, value <= 15 else { throw .EINVAL }
        try setOOMScoreAdjustment(value == 15 ? 1000 : value * 1000 / 17)
    }
    private func setOOMScoreAdjustment(_ value: Int64) throws(Errno) {
        let group = reference.group
        if value < Int64(group.oomScoreAdjustment) && !caller.credentials.has(.sysResource) { throw .EACCES }
        group.oomScoreAdjustment = Int32(truncatingIfNeeded: value)
    }
}
