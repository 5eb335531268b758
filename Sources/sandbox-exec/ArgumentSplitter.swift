/// Tells options from the command: everything up to the first word that is no option (or to `--`) is ours, the rest is the program's
/// and passes through byte for byte, whatever it looks like.
struct ArgumentSplitter {
    /// Options whose value is the next word.
    static let valued: Set<String> = [
        "--platform", "--root", "--bind", "--ro", "--rw", "--hide", "--tmpfs", "--overlay-size", "--export-changes", "--apply", "--env",
        "--cwd", "--hostname", "--user", "--timeout", "--fast-path",
    ]

    /// Options that may stand alone: the parser knows the form with a value only.
    static let alone = ["--strace": "--strace=all", "--report": "--report=-", "--changes": "--changes=-"]

    var options: [String] = []
    var command: [[UInt8]] = []
    /// `--` said where the command begins.
    var isExplicit = false
    /// `sandbox-exec doctor`; a program of that name is run as `sandbox-exec -- doctor`.
    var isDoctor: Bool { !isExplicit && options.isEmpty && command == [Array("doctor".utf8)] }

    init(_ arguments: [[UInt8]]) {
        var index = 0
        while index < arguments.count {
            let bytes = arguments[index]
            guard bytes.count > 1, bytes[0] == UInt8(ascii: "-") else { break }
            let word = String(decoding: bytes, as: UTF8.self)
            index += 1
            if word == "--" {
                isExplicit = true
                break
            }
            options.append(Self.alone[word] ?? word)
            if Self.valued.contains(word), index < arguments.count {
                options.append(String(decoding: arguments[index], as: UTF8.self))
                index += 1
            }
        }
        command = Array(arguments[index...])
    }
}
