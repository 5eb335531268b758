/// A set of processors as /proc and /sys print it: as a list (`0-1,4`) and as groups of 32 bits (`00000000,00000013`).
struct ProcessorMask: Sendable {
    /// How many processors the mask has room for: nr_cpu_ids.
    let count: Int
    /// Ascending.
    private let members: [Int]

    /// Processors 0 ..< `count`.
    init(first count: Int) { self.init(Array(0..<count), of: count) }
    init(only index: Int, of count: Int) { self.init([index], of: count) }
    init(_ members: [Int], of count: Int) {
        self.count = count
        self.members = members
    }

    var list: String {
        var text = ""
        var index = 0
        while index < members.count {
            let first = members[index]
            while index + 1 < members.count && members[index + 1] == members[index] + 1 { index += 1 }
            if !text.isEmpty { text += "," }
            text += first == members[index] ? "\(first)" : "\(first)-\(members[index])"
            index += 1
        }
        return text
    }

    /// The leading group has as many digits as the count of processors asks for, the others eight.
    var hex: String {
        let groups = max(1, (count + 31) / 32)
        var words = [UInt64](repeating: 0, count: groups)
        for member in members where member >= 0 && member / 32 < groups { words[member / 32] |= 1 << UInt64(member % 32) }
        var text = TextBuilder()
        for group in (0..<groups).reversed() {
            let bits = group == groups - 1 ? count - group * 32 : 32
            text.hex(words[group], width: max(1, (bits + 3) / 4))
            if group > 0 { text.text(",") }
        }
        return String(decoding: text.bytes, as: UTF8.self)
    }
}
