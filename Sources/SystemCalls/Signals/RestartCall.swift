import Kernel
import LinuxABI

/// restart_syscall(2): goes on with a call with a relative time-out that a signal without handler interrupted.
extension SystemCallFamilies {
    public static let restart: [SystemCallEntry] = [.init(219, "restart_syscall", sysRestartSyscall)]

    @Sendable static func sysRestartSyscall(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        guard let block = current.restartBlock else { throw .EINTR }
        current.restartBlock = nil
        switch block {
        case .nanosleep(let clock, let deadline, let remaining):
            return try restartNanosleep(current, clock: clock, deadline: deadline, remaining: remaining)
        case .futexWait(let address, let value, let deadline, let bitset, let shared):
            return try restartFutexWait(
                current, address: address, value: value, deadline: deadline, bitset: bitset, shared: shared)
        case .poll(let address, let count, let deadline):
            return try restartPoll(current, address: address, count: count, deadline: deadline)
        }
    }
}
