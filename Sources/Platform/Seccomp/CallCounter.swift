/// Counts calls by the place they are made at, roughly: places share counters, and the last one has it.
struct CallCounter {
    private static let size = 64
    /// Calls before a place counts as used often.
    private let often: UInt16
    private var places = [UInt64](repeating: 0, count: size)
    private var counts = [UInt16](repeating: 0, count: size)

    init(isEager: Bool) { often = isEager ? 1 : 64 }

    /// Counts a call from `address`. True once, when it has become one of many.
    mutating func isOften(_ address: UInt64) -> Bool {
        let index = Int((address ^ address >> 6 ^ address >> 12) % UInt64(Self.size))
        if places[index] != address {
            places[index] = address
            counts[index] = 0
        }
        if counts[index] < .max { counts[index] += 1 }
        return counts[index] == often
    }
}
