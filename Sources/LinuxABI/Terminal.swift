/// ioctl(2) requests of terminals: ioctl_tty(2), x86-64 values.
public enum TerminalRequest {
    public static let TCGETS: UInt32 = 0x5401
    public static let TCSETS: UInt32 = 0x5402
    public static let TCSETSW: UInt32 = 0x5403
    public static let TCSETSF: UInt32 = 0x5404
    public static let TCGETA: UInt32 = 0x5405
    public static let TCSETA: UInt32 = 0x5406
    public static let TCSETAW: UInt32 = 0x5407
    public static let TCSETAF: UInt32 = 0x5408
    public static let TCSBRK: UInt32 = 0x5409
    public static let TCXONC: UInt32 = 0x540a
    public static let TCFLSH: UInt32 = 0x540b
    public static let TIOCEXCL: UInt32 = 0x540c
    public static let TIOCNXCL: UInt32 = 0x540d
    public static let TIOCSCTTY: UInt32 = 0x540e
    public static let TIOCGPGRP: UInt32 = 0x540f
    public static let TIOCSPGRP: UInt32 = 0x5410
    public static let TIOCOUTQ: UInt32 = 0x5411
    public static let TIOCSTI: UInt32 = 0x5412
    public static let TIOCGWINSZ: UInt32 = 0x5413
    public static let TIOCSWINSZ: UInt32 = 0x5414
    public static let FIONREAD: UInt32 = 0x541b
    public static let TIOCPKT: UInt32 = 0x5420
    public static let TIOCNOTTY: UInt32 = 0x5422
    public static let TIOCSETD: UInt32 = 0x5423
    public static let TIOCGETD: UInt32 = 0x5424
    public static let TCSBRKP: UInt32 = 0x5425
    public static let TIOCGSID: UInt32 = 0x5429
    public static let TCGETS2: UInt32 = 0x802c_542a
    public static let TCSETS2: UInt32 = 0x402c_542b
    public static let TCSETSW2: UInt32 = 0x402c_542c
    public static let TCSETSF2: UInt32 = 0x402c_542d
    public static let TIOCGLCKTRMIOS: UInt32 = 0x5456
    public static let TIOCSLCKTRMIOS: UInt32 = 0x5457
    public static let TIOCGPTN: UInt32 = 0x8004_5430
    public static let TIOCSPTLCK: UInt32 = 0x4004_5431
    public static let TIOCGDEV: UInt32 = 0x8004_5432
    public static let TIOCSIG: UInt32 = 0x4004_5436
    public static let TIOCGPKT: UInt32 = 0x8004_5438
    public static let TIOCGPTLCK: UInt32 = 0x8004_5439
    public static let TIOCGEXCL: UInt32 = 0x8004_5440
    public static let TIOCGPTPEER: UInt32 = 0x5441
}

/// `struct termios` of the kernel (36 bytes), extended to `struct termios2` (44 bytes): termios(3).
public struct Termios: Sendable, Equatable {
    public var input: Input
    public var output: Output
    public var control: UInt32
    public var local: Local
    public var line: UInt8 = 0
    /// `c_cc`, 19 of them.
    public var characters: [UInt8]
    public var inputSpeed: UInt32 = 38400
    public var outputSpeed: UInt32 = 38400

    public static let size = 36
    public static let size2 = 44
    public static let characterCount = 19

    public struct Input: OptionSet, Sendable, Equatable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        public static let stripEighthBit = Input(rawValue: 0o40)  // ISTRIP
        public static let newLineToReturn = Input(rawValue: 0o100)  // INLCR
        public static let ignoreReturn = Input(rawValue: 0o200)  // IGNCR
        public static let returnToNewLine = Input(rawValue: 0o400)  // ICRNL
        public static let upperToLower = Input(rawValue: 0o1000)  // IUCLC
        public static let flowControl = Input(rawValue: 0o2000)  // IXON
        public static let anyRestarts = Input(rawValue: 0o4000)  // IXANY
        public static let ringWhenFull = Input(rawValue: 0o20000)  // IMAXBEL
        public static let utf8 = Input(rawValue: 0o40000)  // IUTF8
    }
    public struct Output: OptionSet, Sendable, Equatable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        public static let process = Output(rawValue: 0o1)  // OPOST
        public static let lowerToUpper = Output(rawValue: 0o2)  // OLCUC
        public static let newLineToReturnNewLine = Output(rawValue: 0o4)  // ONLCR
        public static let returnToNewLine = Output(rawValue: 0o10)  // OCRNL
        public static let noReturnAtColumn0 = Output(rawValue: 0o20)  // ONOCR
        public static let newLineReturns = Output(rawValue: 0o40)  // ONLRET
        public static let tabMask = Output(rawValue: 0o14000)  // TABDLY; TAB3 = XTABS expands
    }
    public struct Local: OptionSet, Sendable, Equatable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        public static let signals = Local(rawValue: 0o1)  // ISIG
        public static let canonical = Local(rawValue: 0o2)  // ICANON
        public static let echo = Local(rawValue: 0o10)  // ECHO
        public static let echoErase = Local(rawValue: 0o20)  // ECHOE
        public static let echoKill = Local(rawValue: 0o40)  // ECHOK
        public static let echoNewLine = Local(rawValue: 0o100)  // ECHONL
        public static let noFlush = Local(rawValue: 0o200)  // NOFLSH
        public static let stopOutput = Local(rawValue: 0o400)  // TOSTOP
        public static let echoControl = Local(rawValue: 0o1000)  // ECHOCTL
        public static let echoPrint = Local(rawValue: 0o2000)  // ECHOPRT
        public static let echoKillErase = Local(rawValue: 0o4000)  // ECHOKE
        public static let extended = Local(rawValue: 0o100000)  // IEXTEN
        public static let externalProcessing = Local(rawValue: 0o200000)  // EXTPROC
    }
    /// Indices into `characters`.
    public enum Index: Int, Sendable {
        case interrupt = 0, quit, erase, kill, endOfFile, time, minimum, swtc, start, stop, suspend, endOfLine, reprint, discard
        case wordErase, literalNext, endOfLine2
    }

    public subscript(_ index: Index) -> UInt8 {
        get { index.rawValue < characters.count ? characters[index.rawValue] : 0 }
        set { if index.rawValue < characters.count { characters[index.rawValue] = newValue } }
    }

    /// What a new pseudo-terminal has (tty_std_termios): cooked, echoing, 38400 baud, 8 bits.
    public init() {
        input = [.returnToNewLine, .flowControl]
        output = [.process, .newLineToReturnNewLine]
        control = 0o277  // B38400 | CS8 | CREAD
        local = [.signals, .canonical, .echo, .echoErase, .echoKill, .echoControl, .echoKillErase, .extended]
        characters = [3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0, 0, 0]
    }

    /// From the bytes of `struct termios` or `struct termios2`; nil when too short.
    public init?(bytes: [UInt8]) {
        guard bytes.count >= Self.size else { return nil }
        func word(_ offset: Int) -> UInt32 {
            (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << UInt32(8 * $1) }
        }
        input = Input(rawValue: word(0))
        output = Output(rawValue: word(4))
        control = word(8)
        local = Local(rawValue: word(12))
        line = bytes[16]
        characters = Array(bytes[17..<36])
        if bytes.count >= Self.size2 {
            inputSpeed = word(36)
            outputSpeed = word(40)
        }
    }

    public func bytes(extended: Bool) -> [UInt8] {
        var result: [UInt8] = []
        func put(_ value: UInt32) { for shift in [0, 8, 16, 24] as [UInt32] { result.append(UInt8(truncatingIfNeeded: value >> shift)) } }
        put(input.rawValue)
        put(output.rawValue)
        put(control)
        put(local.rawValue)
        result.append(line)
        for index in 0..<Self.characterCount { result.append(index < characters.count ? characters[index] : 0) }
        if extended {
            put(inputSpeed)
            put(outputSpeed)
        }
        return result
    }
}
