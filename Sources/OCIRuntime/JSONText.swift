/// A JSON value whose members keep their order, for output that others compare with.
public indirect enum JSONText: Sendable, Equatable {
    case object([(key: String, value: JSONText)])
    case array([JSONText])
    case string(String)
    case number(Int64)
    case unsigned(UInt64)
    case bool(Bool)
    case null

    public static func == (a: JSONText, b: JSONText) -> Bool { a.text() == b.text() }

    /// On one line, or with `indent` for each level.
    public func text(indent: String? = nil) -> String {
        var result = ""
        write(into: &result, indent, 0)
        return result
    }

    private func write(into text: inout String, _ indent: String?, _ depth: Int) {
        func line(_ depth: Int) {
            guard let indent else { return }
            text += "\n"
            for _ in 0..<depth { text += indent }
        }
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .number(let value): text += String(value)
        case .unsigned(let value): text += String(value)
        case .string(let value): Self.write(value, into: &text)
        case .array(let values):
            if values.isEmpty { return text += "[]" }
            text += "["
            for (index, value) in values.enumerated() {
                if index > 0 { text += "," }
                line(depth + 1)
                value.write(into: &text, indent, depth + 1)
            }
            line(depth)
            text += "]"
        case .object(let members):
            if members.isEmpty { return text += "{}" }
            text += "{"
            for (index, member) in members.enumerated() {
                if index > 0 { text += "," }
                line(depth + 1)
                Self.write(member.key, into: &text)
                text += indent == nil ? ":" : ": "
                member.value.write(into: &text, indent, depth + 1)
            }
            line(depth)
            text += "}"
        }
    }

    private static func write(_ string: String, into text: inout String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            default:
                if scalar.value < 0x20 {
                    let digits = String(scalar.value, radix: 16)
                    text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                } else {
                    text.unicodeScalars.append(scalar)
                }
            }
        }
        text += "\""
    }
}
