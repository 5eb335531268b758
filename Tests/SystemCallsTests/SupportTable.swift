import Foundation
import LinuxABI

/// Syscalls/table.tsv of this repository: what the project says about every system call.
struct SupportTable {
    enum Support: String {
        case full, partial, refused, absent
        /// Whether the dispatch table must have a handler.
        var hasHandler: Bool { self != .absent }
        var needsErrno: Bool { self == .refused || self == .absent }
    }

    struct Row {
        let number: Int
        let name: String
        let family: String
        let since: String
        let support: Support
        let errno: String?
        let note: String?
    }

    struct Malformed: Error, CustomStringConvertible {
        let line: Int
        let text: String
        var description: String { "Syscalls/table.tsv line \(line): \(text)" }
    }

    let rows: [Row]

    static func read(file: String = #filePath) throws -> SupportTable {
        var repository = URL(fileURLWithPath: file)
        for _ in ["SupportTable.swift", "SystemCallsTests", "Tests"] { repository.deleteLastPathComponent() }
        let text = try String(contentsOf: repository.appendingPathComponent("Syscalls/table.tsv"), encoding: .utf8)
        var rows: [Row] = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line.isEmpty || line.hasPrefix("#") || line.hasPrefix("number\t") { continue }
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            guard fields.count == 7, let number = Int(fields[0]), let support = Support(rawValue: fields[4]) else {
                throw Malformed(line: index + 1, text: String(line))
            }
            rows.append(
                Row(
                    number: number, name: fields[1], family: fields[2], since: fields[3], support: support,
                    errno: fields[5] == "-" ? nil : fields[5], note: fields[6] == "-" ? nil : fields[6]))
        }
        return SupportTable(rows: rows)
    }
}

extension Errno {
    /// By its C name.
    static func named(_ name: String) -> Errno? { (1..<134).lazy.map(Errno.init).first { $0.description == name } }
}
