/// Counts calls by the place they are made at: of the places that share a bucket the one with the fewest calls gives way to a new one.
struct CallCounter {
    private static let size = 64
    private static let ways = 4
    /// Calls before a place counts as used often.
    private let often: UInt16
    private var places = [UInt64](repeating: 0, count: size)
    private var counts = [UInt16](repeating: 0, count: size)

    init(isEager: Bool) { often = isEager ? 1 : 64 }

    /// Counts a call from `address`. True once, when it has become one of many.
    mutating func isOften(_ address: UInt64) -> Bool {
        let bucket = Int((address ^ address >> 6 ^ address >> 12) % UInt64(Self.size / Self.ways)) * Self.ways
        var index = bucket
        for way in bucket..<bucket + Self.ways {
            if places[way] == address {
                if counts[way] < .max { counts[way] += 1 }
                return counts[way] == often
            }
            if counts[way] < counts[index] { index = way }
        }
        places[index] = address
        counts[index] = 1
        return often == 1
    }
}
