import LinuxABI
import Synchronization

extension ThreadGroup {
    /// Ends the process as if killed by `signal`, whatever its actions: what reboot(2) does to init of a pid namespace.
    public func end(by signal: Signal) {
        signals.withLock { if $0.exit == nil { $0.end(.killed(signal)) } }
    }
}
