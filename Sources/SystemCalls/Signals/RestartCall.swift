import Kernel
import LinuxABI

/// restart_syscall(2): goes on with a call with a relative time-out that a signal without handler interrupted.
extension SystemCallFamilies {
    public static let restart: [SystemCallEntry] = [.init(219, "restart_syscall", sysRestartSyscall)]

    @Sendable static func sysRestartSyscall(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        guard let block = current.restartBlock else { throw .EINTR }
        current.restartBlock = nil
        switch block {
        case .poll(let address, let count, let deadline):
            return try restartPoll(current, address: address, count: count, deadline: deadline)
        case .nanosleep, .futexWait: throw .EINTR
        }
    }
}
