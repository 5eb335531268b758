import LinuxABI

/// Settings of a terminal that may not change: a `struct termios` in which what is not zero is locked (TIOCSLCKTRMIOS).
struct LockedSettings: Sendable {
    /// Flag words are locked bit by bit, the line and the characters as a whole.
    var bytes = [UInt8](repeating: 0, count: Termios.size)
    private static let flagBytes = 16

    /// `new`, with the locked parts as in `old` (unset_locked_termios).
    func apply(to new: Termios, from old: Termios) -> Termios {
        guard bytes.contains(where: { $0 != 0 }) else { return new }
        let before = old.bytes(extended: true)
        var result = new.bytes(extended: true)
        for index in 0..<Termios.size {
            let mask = index < Self.flagBytes ? bytes[index] : bytes[index] == 0 ? 0 : 0xff
            result[index] = result[index] & ~mask | before[index] & mask
        }
        return Termios(bytes: result) ?? new
    }
}
