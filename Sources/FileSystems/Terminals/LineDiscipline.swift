import LinuxABI

/// The line discipline of a terminal, Linux's N_TTY: what becomes of typed bytes (editing, echo, signals) and of written ones (output
/// processing). Pure data: it decides, its owner sends signals and wakes.
struct LineDiscipline: Sendable {
    /// N_TTY_BUF_SIZE.
    static let inputCapacity = 4096
    /// Bytes on their way to the master.
    static let outputCapacity = 65536

    var settings = Termios()
    /// Typed bytes; a cell carries marks above its byte.
    var cells: [UInt16] = []
    /// Marks a cell that ends a line.
    static let lineEnd: UInt16 = 0x100
    /// Marks the end-of-file character: it ends a line and is not part of it.
    static let endOfFile: UInt16 = 0x300
    /// Cells from here on belong to the line being edited.
    var lineStart = 0
    /// Bytes for the master.
    var output = ByteQueue()
    var column = 0
    /// The column where the line being edited began.
    var lineColumn = 0
    var isLiteralNext = false
    /// Inside a `\…/` of ECHOPRT.
    var isErasing = false
    /// Output stopped: by the STOP character, or by TCXONC.
    var isStopped = false { didSet { flowChanged(from: !oldValue && !isStoppedByRequest) } }
    var isStoppedByRequest = false { didSet { flowChanged(from: !isStopped && !oldValue) } }
    /// TIOCPKT: the master is told what happens to the terminal's state.
    var isPacketMode = false
    /// What it is told next.
    var packetStatus = PacketStatus()

    var isCanonical: Bool { settings.local.contains(.canonical) }
    /// Whether bytes written would go out.
    var isFlowing: Bool { !isStopped && !isStoppedByRequest }

    // MARK: input

    /// Whether the next typed byte finds room. Without a complete line all bytes come through, so that editing works; what is too much
    /// is dropped.
    var takesInput: Bool { cells.count < Self.inputCapacity - 1 || (isCanonical && lineStart == 0) }

    /// One typed byte. Returns the signal it raises.
    mutating func receive(_ typed: UInt8) -> Signal? {
        var c = typed
        let input = settings.input, local = settings.local
        if input.contains(.stripEighthBit) { c &= 0x7f }
        if input.contains(.upperToLower), local.contains(.extended), Self.isUpper(c) { c += 0x20 }
        if isStopped, input.contains(.flowControl), input.contains(.anyRestarts), !isSpecial(c, .start), !isSpecial(c, .stop) {
            isStopped = false
        }
        if isLiteralNext {
            isLiteralNext = false
            receivePlain(c)
            return nil
        }
        if input.contains(.flowControl) {
            if isSpecial(c, .start) {
                isStopped = false
                return nil
            }
            if isSpecial(c, .stop) {
                isStopped = true
                return nil
            }
        }
        if local.contains(.signals), let signal = signal(for: c) {
            receiveSignal(c)
            return signal
        }
        if c == 0x0d {
            if input.contains(.ignoreReturn) { return nil }
            if input.contains(.returnToNewLine) { c = 0x0a }
        } else if c == 0x0a, input.contains(.newLineToReturn) {
            c = 0x0d
        }
        if local.contains(.canonical), receiveEditing(c) { return nil }
        receivePlain(c, isMadeNewLine: c == 0x0a && typed != 0x0a)
        return nil
    }

    func isSpecial(_ c: UInt8, _ index: Termios.Index) -> Bool { c != 0 && settings[index] == c }

    private func signal(for c: UInt8) -> Signal? {
        if isSpecial(c, .interrupt) { return .SIGINT }
        if isSpecial(c, .quit) { return .SIGQUIT }
        if isSpecial(c, .suspend) { return .SIGTSTP }
        return nil
    }

    private mutating func receiveSignal(_ c: UInt8) {
        if !settings.local.contains(.noFlush) {
            output.removeAll()
            tell(.flushedWrites)
            flushInput()
        }
        if settings.input.contains(.flowControl) { isStopped = false }
        if settings.local.contains(.echo) { echo(c) }
    }

    /// Characters that mean something in canonical mode. Returns whether `c` was one.
    private mutating func receiveEditing(_ c: UInt8) -> Bool {
        let local = settings.local
        let isExtended = local.contains(.extended), echoes = local.contains(.echo)
        if isSpecial(c, .erase) || isSpecial(c, .kill) || (isExtended && isSpecial(c, .wordErase)) {
            erase(c)
            return true
        }
        if isExtended, isSpecial(c, .literalNext) {
            isLiteralNext = true
            if echoes {
                finishErasing()
                if local.contains(.echoControl) {
                    putRaw(0x5e)
                    putRaw(0x08)
                }
            }
            return true
        }
        if isExtended, echoes, isSpecial(c, .reprint) {
            finishErasing()
            echo(c)
            echoRaw(0x0a)
            for cell in cells[lineStart...] { echo(UInt8(truncatingIfNeeded: cell)) }
            return true
        }
        if c == 0x0a {
            if echoes || local.contains(.echoNewLine) { echoRaw(0x0a) }
            endLine(UInt16(c) | Self.lineEnd)
            return true
        }
        if isSpecial(c, .endOfFile) {
            endLine(Self.endOfFile)
            return true
        }
        if isSpecial(c, .endOfLine) || (isExtended && isSpecial(c, .endOfLine2)) {
            if echoes { echo(c) }
            endLine(UInt16(c) | Self.lineEnd)
            return true
        }
        return false
    }

    private mutating func endLine(_ cell: UInt16) {
        // The last cell is kept free for this.
        guard cells.count < Self.inputCapacity else { return }
        cells.append(cell)
        lineStart = cells.count
    }

    /// A newline that ICRNL made of a return is echoed as one; a typed one shows as `^J` where it means nothing.
    private mutating func receivePlain(_ c: UInt8, isMadeNewLine: Bool = false) {
        if settings.local.contains(.echo) {
            finishErasing()
            if isMadeNewLine {
                echoRaw(c)
            } else {
                if cells.count == lineStart { lineColumn = column }
                echo(c)
            }
        }
        guard cells.count < Self.inputCapacity - 1 else {
            if settings.input.contains(.ringWhenFull) { putRaw(0x07) }
            return
        }
        cells.append(UInt16(c))
    }

    /// TCIFLUSH, and what a signal character does.
    mutating func flushInput() {
        cells.removeAll(keepingCapacity: true)
        lineStart = 0
        isErasing = false
        tell(.flushedReads)
    }

    // MARK: what a reader finds

    /// Bytes that a read could get now: with canonical mode those of complete lines.
    var availableCount: Int { isCanonical ? cells[..<lineStart].count { $0 != Self.endOfFile } : cells.count }
    var hasLine: Bool { lineStart > 0 }

    /// One line, or as much of it as fits. Only when `hasLine`.
    mutating func readLine(limit: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var used = 0
        while used < lineStart, bytes.count <= limit {
            let cell = cells[used]
            // An end of file right behind the last byte that fits goes with it.
            if cell == Self.endOfFile {
                used += 1
                break
            }
            if bytes.count == limit { break }
            bytes.append(UInt8(truncatingIfNeeded: cell))
            used += 1
            if cell & Self.lineEnd != 0 { break }
        }
        drop(used)
        return bytes
    }

    /// Bytes without regard to lines.
    mutating func readRaw(limit: Int) -> [UInt8] {
        let count = min(limit, cells.count)
        let bytes = cells[..<count].map { UInt8(truncatingIfNeeded: $0) }
        drop(count)
        return bytes
    }

    private mutating func drop(_ count: Int) {
        cells.removeFirst(count)
        lineStart = max(0, lineStart - count)
    }

    /// New settings. Bytes already typed become one line when canonical mode begins, and lose their lines when it ends.
    mutating func apply(_ new: Termios) {
        let before = settings.local.contains(.canonical)
        settingsChanged(from: settings, to: new)
        settings = new
        if new.local.contains(.canonical) != before {
            for index in cells.indices { cells[index] &= 0xff }
            if new.local.contains(.canonical), let last = cells.indices.last {
                cells[last] |= Self.lineEnd
                lineStart = cells.count
            } else {
                lineStart = 0
            }
            isErasing = false
            isLiteralNext = false
        }
        if !new.input.contains(.flowControl) { isStopped = false }
    }
}
