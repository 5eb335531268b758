import CHost
import Glibc
import LinuxABI
import Synchronization

/// Facts about the host machine.
public enum HostSystem {
    /// The CPUs that the Sentry may use, and how many the host has configured. Read once.
    public static let processors: ProcessorSet = {
        var words = [UInt64](repeating: 0, count: 128)
        // SAFETY: the call writes at most 1024 bytes into the array.
        let n = unsafe words.withUnsafeMutableBytes { unsafe chost_affinity($0.baseAddress!, $0.count) }
        var set = ProcessorSet(words: n > 0 ? words : [1])
        set.configured = max(Int(chost_configured_processors()), (set.highest ?? 0) + 1)
        set.trim()
        return set
    }()

    /// The CPU and NUMA node on which the caller runs: getcpu(2).
    public static var currentProcessor: (cpu: UInt32, node: UInt32) {
        var cpu: UInt32 = 0
        var node: UInt32 = 0
        // SAFETY: both pointers are live locals.
        unsafe chost_getcpu(&cpu, &node)
        return (cpu, node)
    }

    /// Reads the state of a clock's discipline: clock_adjtime(2). `timex.modes` must be a reading mode.
    public static func readClockDiscipline(_ clock: Int32, _ timex: inout Timex) throws(Errno) -> Int32 {
        // SAFETY: Timex has the size and layout of struct timex (tested).
        let state = unsafe withUnsafeMutableBytes(of: &timex) { unsafe chost_clock_adjtime(clock, $0.baseAddress!) }
        return try hostCall(state)
    }

    /// sysinfo(2) of the host.
    public static func information() throws(Errno) -> Sysinfo {
        var info = Sysinfo()
        // SAFETY: Sysinfo has the size and layout of struct sysinfo (tested).
        try hostCall(unsafe withUnsafeMutableBytes(of: &info) { unsafe chost_sysinfo($0.baseAddress!) })
        return info
    }
}

/// A set of CPUs by number.
public struct ProcessorSet: Sendable, Equatable {
    /// Bit n of word n/64 is CPU n.
    public var words: [UInt64]
    /// nr_cpu_ids: one more than the highest CPU number that can come up.
    public var configured: Int

    public init(words: [UInt64]) {
        self.words = words
        configured = words.count * 64
    }
    public var highest: Int? {
        for index in words.indices.reversed() where words[index] != 0 { return index * 64 + 63 - words[index].leadingZeroBitCount }
        return nil
    }
    public var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }
    public func contains(_ cpu: Int) -> Bool { cpu >= 0 && cpu / 64 < words.count && words[cpu / 64] >> UInt64(cpu % 64) & 1 != 0 }
    /// All CPU numbers in order.
    public var members: [Int] { (0..<(words.count * 64)).filter(contains) }
    /// Size of a CPU mask in bytes, as the kernel's cpumask_size().
    public var maskBytes: Int { (configured + 63) / 64 * 8 }
    mutating func trim() { words = Array(words.prefix(maskBytes / 8)) }
}

extension HostClock {
    /// clock_getres(2).
    public var resolution: Timespec {
        var value = Glibc.timespec()
        // SAFETY: `value` is a live local for the duration of the call.
        _ = unsafe clock_getres(rawValue, &value)
        return Timespec(seconds: Int64(value.tv_sec), nanoseconds: Int64(value.tv_nsec))
    }
}

extension HostThread {
    /// sched_yield(2).
    public static func yield() { _ = sched_yield() }
}
