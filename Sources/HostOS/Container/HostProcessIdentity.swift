import CHost
import LinuxABI

/// A process that is told from a later one with the same number by when it started.
public struct HostProcessIdentity: Sendable, Equatable {
    public var pid: Int32
    /// Field 22 of /proc/PID/stat: clock ticks since boot.
    public var startTime: UInt64

    public init(pid: Int32, startTime: UInt64) {
        self.pid = pid
        self.startTime = startTime
    }

    /// Nil when there is no such process.
    public init?(pid: Int32) {
        guard let found = Self.status(of: pid) else { return nil }
        self.init(pid: pid, startTime: found.startTime)
    }

    /// Whether the process runs: it exists, is the same, and is no zombie.
    public var isAlive: Bool {
        guard let found = Self.status(of: pid), found.startTime == startTime else { return false }
        return found.state != UInt8(ascii: "Z") && found.state != UInt8(ascii: "X")
    }

    /// Sends a signal to exactly this process. - Throws: ESRCH when it is gone.
    public func send(_ signal: Int32) throws(Errno) {
        let file = HostDescriptor(owning: Int32(truncatingIfNeeded: try hostResult(chost_pidfd(pid))))
        guard let found = Self.status(of: pid), found.startTime == startTime else { throw .ESRCH }
        try hostResult(chost_pidfd_signal(file.number, signal))
    }

    /// Waits until the process has ended or `deadline` has passed; whether it has ended.
    public func waitForEnd(until deadline: MonotonicInstant) -> Bool {
        while isAlive {
            guard MonotonicInstant.now < deadline else { return false }
            guard let number = try? hostResult(chost_pidfd(pid)) else { return true }
            let file = HostDescriptor(owning: Int32(truncatingIfNeeded: number))
            _ = HostPoll.waitReadable([file.number], until: deadline)
        }
        return true
    }

    private static func status(of pid: Int32) -> (state: UInt8, startTime: UInt64)? {
        guard pid > 0, let text = try? HostPaths.read(Array("/proc/\(pid)/stat".utf8)), let close = text.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        let fields = text[(close + 1)...].split(separator: 0x20)
        guard fields.count > 19, let state = fields[0].first, let time = UInt64(String(decoding: fields[19], as: UTF8.self)) else { return nil }
        return (state, time)
    }
}

extension HostProcess {
    public static var effectiveUID: UInt32 { chost_effective_uid() }
    /// Whether the caller's user numbers are not the host's own: user_namespaces(7).
    public static var isInUserNamespace: Bool {
        guard let text = try? HostPaths.read(Array("/proc/self/uid_map".utf8)) else { return false }
        let fields = text.split { $0 == 0x20 || $0 == 0x0a }.map { String(decoding: $0, as: UTF8.self) }
        return fields != ["0", "0", "4294967295"]
    }
    /// A session without a controlling terminal, of which the caller is the leader.
    public static func startSession() { HostStartup.leaveTerminalSession() }
    /// CLOCK_REALTIME.
    public static var realTime: (seconds: Int64, nanoseconds: Int64) {
        var seconds: Int64 = 0
        var nanoseconds: Int64 = 0
        // SAFETY: both are live locals.
        unsafe chost_real_time(&seconds, &nanoseconds)
        return (seconds, nanoseconds)
    }
    /// pidfd_open(2): readable when the process has ended.
    public static func openProcess(_ pid: Int32) throws(Errno) -> SharedHostDescriptor {
        SharedHostDescriptor(HostDescriptor(owning: Int32(truncatingIfNeeded: try hostResult(chost_pidfd(pid)))))
    }
}
