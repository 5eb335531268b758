import LinuxABI

extension LineDiscipline {
    static func isControl(_ c: UInt8) -> Bool { c < 0x20 || c == 0x7f }
    // Letters as Linux's ctype has them: ASCII and Latin-1.
    static func isUpper(_ c: UInt8) -> Bool { (c >= 0x41 && c <= 0x5a) || (c >= 0xc0 && c <= 0xde && c != 0xd7) }
    static func isLower(_ c: UInt8) -> Bool { (c >= 0x61 && c <= 0x7a) || (c >= 0xdf && c != 0xf7) }
    /// A byte inside a UTF-8 character, where IUTF8 says that there are such.
    func isContinuation(_ c: UInt8) -> Bool { settings.input.contains(.utf8) && c & 0xc0 == 0x80 }

    var outputRoom: Int { max(0, Self.outputCapacity - output.count) }
    /// How many bytes one written byte can become.
    var outputExpansion: Int {
        guard settings.output.contains(.process) else { return 1 }
        return settings.output.contains(.tabMask) ? 8 : 2
    }

    /// Written bytes, processed as OPOST and its kin say.
    mutating func write(_ bytes: [UInt8]) {
        if settings.output.contains(.process) {
            for byte in bytes { putProcessed(byte) }
        } else {
            output.append(contentsOf: bytes)
        }
    }

    mutating func putRaw(_ c: UInt8) {
        // Echo that nobody reads is lost, as in Linux.
        if output.count < 2 * Self.outputCapacity { output.append(c) }
    }

    mutating func putProcessed(_ byte: UInt8) {
        var c = byte
        let rules = settings.output
        switch c {
        case 0x0a:
            if rules.contains(.newLineReturns) { column = 0 }
            if rules.contains(.newLineToReturnNewLine) {
                column = 0
                putRaw(0x0d)
            }
        case 0x0d:
            if rules.contains(.noReturnAtColumn0), column == 0 { return }
            if rules.contains(.returnToNewLine) {
                c = 0x0a
                if rules.contains(.newLineReturns) { column = 0 }
            } else {
                column = 0
            }
        case 0x09:
            let spaces = 8 - column & 7
            column += spaces
            if rules.contains(.tabMask) {
                for _ in 0..<spaces { putRaw(0x20) }
                return
            }
        case 0x08: if column > 0 { column -= 1 }
        default:
            if !Self.isControl(c) {
                if rules.contains(.lowerToUpper), Self.isLower(c) { c &-= 0x20 }
                if !isContinuation(c) { column += 1 }
            }
        }
        putRaw(c)
    }

    private mutating func put(_ c: UInt8) {
        if settings.output.contains(.process) { putProcessed(c) } else { putRaw(c) }
    }

    // MARK: echo

    /// A typed character: control characters as `^X`.
    mutating func echo(_ c: UInt8) {
        if settings.local.contains(.echoControl), Self.isControl(c), c != 0x09 {
            putRaw(0x5e)
            putRaw(c ^ 0x40)
            column += 2
        } else {
            put(c)
        }
    }
    /// As it is.
    mutating func echoRaw(_ c: UInt8) { put(c) }

    mutating func finishErasing() {
        if isErasing {
            isErasing = false
            put(0x2f)
        }
    }

    // MARK: erasing

    /// The ERASE, WERASE and KILL characters: takes cells off the line being edited, and what they show off the screen.
    mutating func erase(_ c: UInt8) {
        guard cells.count > lineStart else { return }
        let local = settings.local
        let echoes = local.contains(.echo)
        let erasesOne = isSpecial(c, .erase)
        let erasesWord = !erasesOne && !isSpecial(c, .kill)
        if !erasesOne, !erasesWord {
            if !echoes {
                cells.removeSubrange(lineStart...)
                return
            }
            if !local.isSuperset(of: [.echoKill, .echoKillErase, .echoErase]) {
                cells.removeSubrange(lineStart...)
                finishErasing()
                echo(settings[.kill])
                if local.contains(.echoKill) { echoRaw(0x0a) }
                return
            }
        }
        var seenWord = false
        while cells.count > lineStart {
            // Back to the start of a character.
            var head = cells.count - 1
            while head > lineStart, isContinuation(byte(head)) { head -= 1 }
            let first = byte(head)
            if isContinuation(first) { break }
            if erasesWord {
                if Self.isWord(first) {
                    seenWord = true
                } else if seenWord {
                    break
                }
            }
            let removed = (head..<cells.count).map { byte($0) }
            cells.removeSubrange(head...)
            if echoes { echoErasure(of: removed, one: erasesOne) }
            if erasesOne { break }
        }
        if cells.count == lineStart, echoes { finishErasing() }
    }

    private func byte(_ index: Int) -> UInt8 { UInt8(truncatingIfNeeded: cells[index]) }
    private static func isWord(_ c: UInt8) -> Bool {
        (c >= 0x30 && c <= 0x39) || isUpper(c) || isLower(c) || c == 0x5f
    }

    private mutating func echoErasure(of removed: [UInt8], one: Bool) {
        let local = settings.local
        let c = removed[0]
        if local.contains(.echoPrint) {
            if !isErasing {
                put(0x5c)
                isErasing = true
            }
            echo(c)
            for more in removed.dropFirst() {
                put(more)
                if column > 0 { column -= 1 }
            }
        } else if one, !local.contains(.echoErase) {
            echo(settings[.erase])
        } else if c == 0x09 {
            eraseTab()
        } else {
            if Self.isControl(c), local.contains(.echoControl) { backOver() }
            if !Self.isControl(c) || local.contains(.echoControl) { backOver() }
        }
    }

    private mutating func backOver() {
        for c in [0x08, 0x20, 0x08] as [UInt8] { put(c) }
    }

    /// As many columns back as the tab went forward.
    private mutating func eraseTab() {
        var position = lineColumn
        for index in lineStart..<cells.count {
            let c = byte(index)
            if c == 0x09 {
                position += 8 - position & 7
            } else if Self.isControl(c) {
                if settings.local.contains(.echoControl) { position += 2 }
            } else if !isContinuation(c) {
                position += 1
            }
        }
        for _ in 0..<(8 - position & 7) {
            putRaw(0x08)
            if column > 0 { column -= 1 }
        }
    }
}
