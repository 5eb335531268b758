/// `struct acct_v3` (acct(5)), 64 bytes: what is written of a process that ended.
public struct AccountingRecord: GuestData {
    public var flags: UInt8 = 0
    public var version: UInt8 = 3
    public var terminal: UInt16 = 0
    public var exitCode: UInt32 = 0
    public var uid: UInt32 = 0
    public var gid: UInt32 = 0
    public var pid: UInt32 = 0
    public var parent: UInt32 = 0
    /// Seconds since the epoch.
    public var beginTime: UInt32 = 0
    /// In ticks of 1/100 s, as an IEEE 754 single.
    public var elapsedTime: UInt32 = 0
    /// In ticks, as `comp_t`.
    public var userTime: UInt16 = 0
    public var systemTime: UInt16 = 0
    /// KiB, as `comp_t`.
    public var memory: UInt16 = 0
    public var characters: UInt16 = 0
    public var blocks: UInt16 = 0
    public var minorFaults: UInt16 = 0
    public var majorFaults: UInt16 = 0
    public var swaps: UInt16 = 0
    public var name0: UInt64 = 0
    public var name1: UInt64 = 0
    public init() {}

    public enum Flag {
        /// Never executed a program.
        public static let forked: UInt8 = 1
        public static let dumpedCore: UInt8 = 8
        public static let killed: UInt8 = 0x10
    }

    /// `comp_t`: 13 bits and an exponent of three bits, base 8 (encode_comp_t).
    public static func compressed(_ value: UInt64) -> UInt16 {
        let largest: UInt64 = 0x1fff
        var (value, exponent, rounds) = (value, UInt16(0), false)
        while value > largest {
            rounds = value & 4 != 0
            value >>= 3
            exponent += 1
        }
        if rounds {
            value += 1
            if value > largest {
                value >>= 3
                exponent += 1
            }
        }
        return exponent > 7 ? .max : exponent << 13 + UInt16(value)
    }

    /// The record as the file has it.
    public var bytes: [UInt8] {
        var bytes = [flags, version]
        func add(_ value: some FixedWidthInteger) {
            for shift in stride(from: 0, to: value.bitWidth, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
        }
        add(terminal)
        for word in [exitCode, uid, gid, pid, parent, beginTime, elapsedTime] { add(word) }
        for half in [userTime, systemTime, memory, characters, blocks, minorFaults, majorFaults, swaps] { add(half) }
        add(name0)
        add(name1)
        return bytes
    }
}
