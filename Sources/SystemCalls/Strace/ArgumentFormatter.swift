import Kernel
import LinuxABI

/// Shows one call's arguments. Everything it reads of the guest may be absent or hostile: it falls back to the plain number.
struct ArgumentFormatter {
    let current: CurrentTask
    let arguments: SystemCallArguments
    /// strace's default `-s`.
    private static let stringLimit = 32

    /// Arguments that can be shown before the call; those that it fills in follow in `after`.
    func before(_ signature: SystemCallSignature) -> String {
        let shown = signature.kinds.prefix { $0 != .output && $0 != .descriptorPair }
        return shown.indices.map { format(shown[$0], at: $0) }.joined(separator: ", ")
    }

    func after(_ signature: SystemCallSignature, result: Int) -> String {
        rest(of: signature) { kind, index in
            let address = arguments.address(index)
            switch kind {
            case .output: return bytes(at: address, count: max(0, result))
            case .descriptorPair:
                guard let pair = try? current.memory.loadArray(Int32.self, at: address, count: 2) else { return hex(address.rawValue) }
                return "[\(pair[0]), \(pair[1])]"
            default: return format(kind, at: index)
            }
        }
    }

    func afterFailure(_ signature: SystemCallSignature) -> String {
        rest(of: signature) { kind, index in
            kind == .output || kind == .descriptorPair ? hex(arguments[index]) : format(kind, at: index)
        }
    }

    private func rest(of signature: SystemCallSignature, _ show: (SystemCallSignature.Kind, Int) -> String) -> String {
        let kinds = signature.kinds
        let first = kinds.firstIndex { $0 == .output || $0 == .descriptorPair } ?? kinds.count
        guard first < kinds.count else { return "" }
        let text = (first..<kinds.count).map { show(kinds[$0], $0) }.joined(separator: ", ")
        return first == 0 ? text : ", " + text
    }

    private func format(_ kind: SystemCallSignature.Kind, at index: Int) -> String {
        let value = arguments[index]
        switch kind {
        case .int: return String(arguments.int(index))
        case .long: return String(arguments.long(index))
        case .unsigned: return String(value)
        case .hex, .output, .descriptorPair: return value == 0 ? "0" : hex(value)
        case .octal: return "0" + String(arguments.uint(index), radix: 8)
        case .directory: return arguments.int(index) == -100 ? "AT_FDCWD" : String(arguments.int(index))
        case .string: return string(at: arguments.address(index))
        case .stringVector: return vector(at: arguments.address(index))
        case .input: return bytes(at: arguments.address(index), count: Int(clamping: arguments[index + 1]))
        case .openFlags: return Self.names(arguments.uint(index) & ~3, Self.openFlagNames, first: Self.accessName(arguments.uint(index)))
        case .protection: return Self.names(arguments.uint(index), [(1, "PROT_READ"), (2, "PROT_WRITE"), (4, "PROT_EXEC")], zero: "PROT_NONE")
        case .mapFlags: return Self.names(arguments.uint(index), Self.mapFlagNames)
        case .signal: return "SIG\(arguments.int(index))"
        case .timespec:
            guard value != 0, let time = try? current.memory.load(Timespec.self, at: arguments.address(index)) else { return "NULL" }
            return "{tv_sec=\(time.seconds), tv_nsec=\(time.nanoseconds)}"
        }
    }

    private func hex(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }

    private func string(at address: GuestAddress) -> String {
        guard !address.isNull else { return "NULL" }
        guard let bytes = try? current.memory.copyInString(address, limit: 4096) else { return hex(address.rawValue) }
        return Self.quoted(bytes, limit: 4096)
    }

    private func bytes(at address: GuestAddress, count: Int) -> String {
        let shown = min(count, Self.stringLimit)
        guard shown > 0 else { return "\"\"" }
        guard let bytes = try? current.memory.copyIn(address, count: shown) else { return hex(address.rawValue) }
        return Self.quoted(bytes, limit: shown) + (count > shown ? "..." : "")
    }

    private func vector(at address: GuestAddress) -> String {
        guard !address.isNull else { return "NULL" }
        var items: [String] = []
        var cursor = address
        while items.count < 16 {
            guard let pointer = try? current.memory.load(UInt64.self, at: cursor) else { return hex(address.rawValue) }
            if pointer == 0 { return "[" + items.joined(separator: ", ") + "]" }
            items.append(string(at: GuestAddress(pointer)))
            cursor = cursor + 8
        }
        return "[" + items.joined(separator: ", ") + ", ...]"
    }

    private static func quoted(_ bytes: [UInt8], limit: Int) -> String {
        var text = "\""
        for byte in bytes.prefix(limit) {
            switch byte {
            case UInt8(ascii: "\n"): text += "\\n"
            case UInt8(ascii: "\t"): text += "\\t"
            case UInt8(ascii: "\r"): text += "\\r"
            case UInt8(ascii: "\""): text += "\\\""
            case UInt8(ascii: "\\"): text += "\\\\"
            case 0x20..<0x7f: text.unicodeScalars.append(Unicode.Scalar(byte))
            default: text += "\\" + String(byte, radix: 8)
            }
        }
        return text + "\""
    }

    private static func accessName(_ flags: UInt32) -> String { ["O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"][Int(flags & 3)] }

    /// Flag names joined by `|`, what is left in hexadecimal.
    private static func names(_ value: UInt32, _ table: [(UInt32, String)], first: String? = nil, zero: String = "0") -> String {
        var rest = value
        var parts = first.map { [$0] } ?? []
        for (bits, name) in table where rest & bits == bits {
            parts.append(name)
            rest &= ~bits
        }
        if rest != 0 { parts.append("0x" + String(rest, radix: 16)) }
        return parts.isEmpty ? zero : parts.joined(separator: "|")
    }

    private static let openFlagNames: [(UInt32, String)] = [
        (0o100, "O_CREAT"), (0o200, "O_EXCL"), (0o400, "O_NOCTTY"), (0o1000, "O_TRUNC"), (0o2000, "O_APPEND"), (0o4000, "O_NONBLOCK"),
        (0o4010000, "O_SYNC"), (0o10000, "O_DSYNC"), (0o40000, "O_DIRECT"), (0o20200000, "O_TMPFILE"), (0o200000, "O_DIRECTORY"),
        (0o400000, "O_NOFOLLOW"), (0o1000000, "O_NOATIME"), (0o2000000, "O_CLOEXEC"), (0o10000000, "O_PATH"), (0o100000, "O_LARGEFILE"),
    ]

    private static let mapFlagNames: [(UInt32, String)] = [
        (0x03, "MAP_SHARED_VALIDATE"), (0x01, "MAP_SHARED"), (0x02, "MAP_PRIVATE"), (0x10, "MAP_FIXED"), (0x20, "MAP_ANONYMOUS"),
        (0x40, "MAP_32BIT"), (0x100, "MAP_GROWSDOWN"), (0x800, "MAP_DENYWRITE"), (0x2000, "MAP_LOCKED"), (0x4000, "MAP_NORESERVE"),
        (0x8000, "MAP_POPULATE"), (0x20000, "MAP_STACK"), (0x40000, "MAP_HUGETLB"), (0x100000, "MAP_FIXED_NOREPLACE"),
    ]
}
