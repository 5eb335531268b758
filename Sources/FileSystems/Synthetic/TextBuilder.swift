/// Bytes of a text file under construction: what seq_printf is in Linux, without format strings.
struct TextBuilder: Sendable {
    private(set) var bytes: [UInt8] = []

    init(reserving capacity: Int = 256) { bytes.reserveCapacity(capacity) }

    mutating func text(_ text: String) { bytes.append(contentsOf: text.utf8) }
    mutating func text(_ text: [UInt8]) { bytes.append(contentsOf: text) }
    mutating func byte(_ byte: UInt8) { bytes.append(byte) }
    mutating func line(_ text: String) {
        bytes.append(contentsOf: text.utf8)
        newline()
    }
    mutating func newline() { bytes.append(0x0a) }
    mutating func space() { bytes.append(0x20) }
    mutating func tab() { bytes.append(0x09) }
    mutating func pad(to column: Int, from start: Int) {
        while bytes.count - start < column { bytes.append(0x20) }
    }

    /// `%*llu`: right-aligned in `width` columns.
    mutating func decimal(_ value: UInt64, width: Int = 0, pad: UInt8 = 0x20) { digits(value, radix: 10, width: width, pad: pad) }
    mutating func decimal(_ value: Int, width: Int = 0) { decimal(Int64(value), width: width) }
    mutating func decimal(_ value: Int32, width: Int = 0) { decimal(Int64(value), width: width) }
    mutating func decimal(_ value: UInt32, width: Int = 0) { decimal(UInt64(value), width: width) }
    mutating func decimal(_ value: Int64, width: Int = 0) {
        guard value < 0 else { return decimal(UInt64(value), width: width) }
        let text = String(value)
        for _ in 0..<max(0, width - text.utf8.count) { space() }
        bytes.append(contentsOf: text.utf8)
    }
    /// `%0*llx`.
    mutating func hex(_ value: UInt64, width: Int = 0) { digits(value, radix: 16, width: width, pad: 0x30) }
    /// `%0*llo`.
    mutating func octal(_ value: UInt64, width: Int = 0) { digits(value, radix: 8, width: width, pad: 0x30) }

    private mutating func digits(_ value: UInt64, radix: UInt64, width: Int, pad: UInt8) {
        let start = bytes.count
        var rest = value
        repeat {
            let digit = UInt8(truncatingIfNeeded: rest % radix)
            bytes.append(digit < 10 ? 0x30 &+ digit : 0x57 &+ digit)
            rest /= radix
        } while rest != 0
        while bytes.count - start < width { bytes.append(pad) }
        bytes[start...].reverse()
    }

    /// With the bytes of `special` and the backslash as three octal digits: mangle_path and seq_escape.
    mutating func escaped(_ text: [UInt8], _ special: [UInt8]) {
        for byte in text {
            if special.contains(byte) {
                bytes.append(0x5c)
                octal(UInt64(byte), width: 3)
            } else {
                bytes.append(byte)
            }
        }
    }
}

/// Numbers as writers of /proc and /sys files give them.
enum TextNumber {
    /// kstrtoll: surrounding white space, a sign, `0x` and `0` prefixes; nothing else.
    static func parse(_ bytes: [UInt8]) -> Int64? {
        var digits = bytes[...]
        while let last = digits.last, isSpace(last) || last == 0 { digits.removeLast() }
        while let first = digits.first, isSpace(first) { digits.removeFirst() }
        var isNegative = false
        if let sign = digits.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            isNegative = sign == UInt8(ascii: "-")
            digits.removeFirst()
        }
        var radix: Int64 = 10
        if digits.first == UInt8(ascii: "0") && digits.count > 1 {
            radix = 8
            digits.removeFirst()
            if digits.first == UInt8(ascii: "x") || digits.first == UInt8(ascii: "X") {
                radix = 16
                digits.removeFirst()
            }
        }
        if digits.isEmpty { return nil }
        var value: Int64 = 0
        for byte in digits {
            guard let digit = digitValue(byte), digit < radix else { return nil }
            let (product, tooBig) = value.multipliedReportingOverflow(by: radix)
            let (sum, overflow) = product.addingReportingOverflow(isNegative ? -digit : digit)
            if tooBig || overflow { return nil }
            value = sum
        }
        return value
    }

    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (byte >= 0x09 && byte <= 0x0d) }

    private static func digitValue(_ byte: UInt8) -> Int64? {
        switch byte {
        case 0x30...0x39: Int64(byte - 0x30)
        case 0x41...0x46: Int64(byte - 0x37)
        case 0x61...0x66: Int64(byte - 0x57)
        default: nil
        }
    }
}
