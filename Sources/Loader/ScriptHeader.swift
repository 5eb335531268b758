/// The first line of a `#!` script: execve(2), "Interpreter scripts".
struct ScriptHeader: Equatable, Sendable {
    var interpreter: [UInt8]
    /// All after the interpreter's name, as one argument.
    var argument: [UInt8]?

    /// How much of a file the kernel looks at: BINPRM_BUF_SIZE.
    static let bufferSize = 256

    static func isScript(_ head: [UInt8]) -> Bool { head.count >= 2 && head[0] == 0x23 && head[1] == 0x21 }

    /// Parses the head of a file, `bufferSize` bytes at most. Nil (ENOEXEC) when it names no interpreter, or when the name may have
    /// been cut off.
    init?(_ head: [UInt8]) {
        guard Self.isScript(head) else { return nil }
        // The kernel's buffer is zero-filled behind a shorter file.
        var buffer = head
        if buffer.count < Self.bufferSize { buffer += [UInt8](repeating: 0, count: Self.bufferSize - buffer.count) }
        let last = Self.bufferSize - 1
        func isSpace(_ c: UInt8) -> Bool { c == 0x20 || c == 0x09 }
        func isTerminator(_ c: UInt8) -> Bool { isSpace(c) || c == 0 }

        var end: Int
        // strnchr stops at a NUL.
        let newline = buffer[0..<Self.bufferSize].firstIndex { $0 == 0x0a || $0 == 0 }
        if let newline, buffer[newline] == 0x0a {
            end = newline
        } else {
            guard let start = (2...last).first(where: { !isSpace(buffer[$0]) }) else { return nil }
            guard (start...last).contains(where: { isTerminator(buffer[$0]) }) else { return nil }
            end = last
        }
        while end > 2 && isSpace(buffer[end - 1]) { end -= 1 }
        var index = 2
        while index < end && isSpace(buffer[index]) { index += 1 }
        let nameStart = index
        while index < end && !isTerminator(buffer[index]) { index += 1 }
        guard index > nameStart else { return nil }
        interpreter = Array(buffer[nameStart..<index])
        guard index < end, isSpace(buffer[index]) else { return }
        while index < end && isSpace(buffer[index]) { index += 1 }
        let argumentStart = index
        while index < end && buffer[index] != 0 { index += 1 }
        if index > argumentStart { argument = Array(buffer[argumentStart..<index]) }
    }
}
