/// A set of processors as /proc and /sys print it: as a list (`0-1`) and as groups of 32 bits (`00000000,00000003`).
struct ProcessorMask: Sendable {
    /// How many processors the mask has room for.
    let count: Int
    private let members: Range<Int>

    /// Processors 0 ..< `count`.
    init(first count: Int) {
        self.count = count
        members = 0..<count
    }
    init(only index: Int, of count: Int) {
        self.count = count
        members = index..<index + 1
    }

    var list: String {
        guard let first = members.first, let last = members.last else { return "" }
        return first == last ? "\(first)" : "\(first)-\(last)"
    }

    /// The leading group has as many digits as the count of processors asks for, the others eight.
    var hex: String {
        let groups = max(1, (count + 31) / 32)
        var text = TextBuilder()
        for group in (0..<groups).reversed() {
            var word: UInt64 = 0
            for bit in 0..<32 where members.contains(group * 32 + bit) { word |= 1 << UInt64(bit) }
            let bits = group == groups - 1 ? count - group * 32 : 32
            text.hex(word, width: max(1, (bits + 3) / 4))
            if group > 0 { text.text(",") }
        }
        return String(decoding: text.bytes, as: UTF8.self)
    }
}
