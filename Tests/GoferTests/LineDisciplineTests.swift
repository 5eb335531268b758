import HostOS
import LinuxABI
import Memory
import Testing

@testable import FileSystems

struct LineDisciplineTests {
    /// What the master sees and what reads give after `typed`, reading lines (canonical mode) or all there is.
    static func run(_ settings: Termios, typed: [UInt8], written: [UInt8] = []) -> (echo: [UInt8], reads: [[UInt8]]) {
        var discipline = LineDiscipline()
        discipline.apply(settings)
        discipline.write(written)
        for byte in typed where discipline.takesInput { _ = discipline.receive(byte) }
        let echo = discipline.output.removeFirst(.max)
        var reads: [[UInt8]] = []
        if settings.local.contains(.canonical) {
            while discipline.hasLine { reads.append(discipline.readLine(limit: 4096)) }
        } else if !discipline.cells.isEmpty {
            reads.append(discipline.readRaw(limit: 4096))
        }
        return (echo, reads)
    }

    func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test func linesAreEditedAndEchoed() {
        let result = Self.run(Termios(), typed: Array("abx\u{7f}c\r".utf8))
        #expect(text(result.echo) == "abx\u{8} \u{8}c\r\n")
        #expect(result.reads.map(text) == ["abc\n"])
    }

    @Test func endOfFileEndsALineWithoutShowing() {
        #expect(Self.run(Termios(), typed: [0x61, 4, 4]).reads == [[0x61], []])
    }

    @Test func killAndWordEraseTakeMore() {
        #expect(Self.run(Termios(), typed: Array("one two\u{17}\n".utf8)).reads.map(text) == ["one \n"])
        #expect(Self.run(Termios(), typed: Array("one two\u{15}x\n".utf8)).reads.map(text) == ["x\n"])
    }

    @Test func literalNextQuotesOneCharacter() {
        let result = Self.run(Termios(), typed: [22, 3, 0x0a])
        #expect(result.reads == [[3, 0x0a]])
        #expect(text(result.echo) == "^\u{8}^C\r\n")
    }

    @Test func signalCharactersRaiseSignals() {
        var discipline = LineDiscipline()
        _ = discipline.receive(0x61)
        #expect(discipline.receive(3) == .SIGINT)
        #expect(discipline.receive(28) == .SIGQUIT)
        #expect(discipline.receive(26) == .SIGTSTP)
        #expect(discipline.cells.isEmpty)
        #expect(text(discipline.output.removeFirst(.max)).hasSuffix("^Z"))
    }

    @Test func stoppedOutputWaitsForStart() {
        var discipline = LineDiscipline()
        _ = discipline.receive(19)
        #expect(!discipline.isFlowing)
        _ = discipline.receive(17)
        #expect(discipline.isFlowing)
    }

    @Test func modesChangeWithBytesInTheBuffer() {
        var discipline = LineDiscipline()
        for byte in Array("ab\nc".utf8) { _ = discipline.receive(byte) }
        var raw = Termios()
        raw.local.remove(.canonical)
        discipline.apply(raw)
        #expect(discipline.availableCount == 4)
        discipline.apply(Termios())
        #expect(discipline.hasLine)
        #expect(text(discipline.readLine(limit: 100)) == "ab\nc")
    }

    // MARK: the host's terminal as oracle

    /// A pseudo-terminal of the host.
    struct HostPair {
        let master: SharedHostDescriptor
        let slave: SharedHostDescriptor
        init?() {
            guard let m = try? HostNames.openTrusted(Array("/dev/ptmx".utf8), [.readWrite, .nonBlocking, .noControllingTerminal]) else {
                return nil
            }
            master = SharedHostDescriptor(m)
            var zero: [UInt8] = [0, 0, 0, 0]
            guard (try? HostFileCalls.control(master.number, TerminalRequest.TIOCSPTLCK, &zero)) != nil,
                (try? HostFileCalls.control(master.number, TerminalRequest.TIOCGPTN, &zero)) != nil,
                let s = try? HostNames.openTrusted(
                    Array("/dev/pts/\(Int(zero[0]) + Int(zero[1]) << 8)".utf8), [.readWrite, .nonBlocking, .noControllingTerminal])
            else { return nil }
            slave = SharedHostDescriptor(s)
        }

        func read(_ descriptor: Int32) -> [UInt8]? {
            if (try? HostFileCalls.poll(descriptor, .readable, milliseconds: 0))?.contains(.readable) != true { return nil }
            var buffer = IOBuffer(kernelCapacity: 4096)
            guard (try? buffer.fill(fromHost: descriptor, offset: -1)) != nil else { return nil }
            return buffer.kernelBytes
        }

        /// The host's worker processes typed bytes a little later, on a busy host much later: what comes until there are `expected` bytes and
        /// nothing more comes. Fewer bytes are what there is after ten seconds.
        func drain(_ descriptor: Int32, expecting expected: Int) -> [[UInt8]] {
            var result: [[UInt8]] = []
            var quiet = 0, count = 0
            let parker = HostParker(), end = MonotonicInstant.after(nanoseconds: 10_000_000_000)
            while quiet < 3 || count < expected && MonotonicInstant.now.nanoseconds < end.nanoseconds {
                if let bytes = read(descriptor) {
                    result.append(bytes)
                    count += bytes.count
                    quiet = 0
                } else {
                    quiet += 1
                    parker.park(until: .after(nanoseconds: 1_000_000))
                }
            }
            return result
        }
    }

    /// A small generator, so that a failure can be repeated.
    struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 29)
        }
    }

    @Test func agreesWithTheHostsTerminal() throws {
        guard let pair = HostPair() else { return }
        for seed in 0..<250 as Range<UInt64> {
            var generator = Generator(state: seed &* 77 &+ 5)
            var settings = Termios()
            // Signal characters flush what is on its way, which on the host depends on timing.
            settings.local.remove(.signals)
            for flag in [.echo, .echoErase, .echoKill, .echoControl, .echoKillErase, .extended, .echoNewLine] as [Termios.Local] {
                if Int.random(in: 0..<4, using: &generator) == 0 { settings.local.formSymmetricDifference(flag) }
            }
            if Int.random(in: 0..<8, using: &generator) == 0 { settings.local.insert(.echoPrint) }
            if Int.random(in: 0..<5, using: &generator) == 0 { settings.local.remove(.canonical) }
            for flag in [.newLineToReturn, .ignoreReturn, .returnToNewLine, .upperToLower, .stripEighthBit, .utf8] as [Termios.Input] {
                if Int.random(in: 0..<5, using: &generator) == 0 { settings.input.formSymmetricDifference(flag) }
            }
            for flag in [.process, .newLineToReturnNewLine, .returnToNewLine, .noReturnAtColumn0, .newLineReturns, .lowerToUpper, .tabMask]
                as [Termios.Output]
            {
                if Int.random(in: 0..<6, using: &generator) == 0 { settings.output.formSymmetricDifference(flag) }
            }
            settings.input.remove(.flowControl)
            let alphabet: [UInt8] = [0x61, 0x62, 0x5a, 0x20, 0x5f, 9, 9, 127, 127, 21, 23, 22, 18, 4, 10, 13, 1, 0xc3, 0xa9, 0, 8, 0x5c]
            let typed = (0..<Int.random(in: 1...24, using: &generator)).map { _ in alphabet.randomElement(using: &generator) ?? 0x61 }

            var bytes = settings.bytes(extended: false)
            // A fresh column and no old bytes.
            _ = try HostFileCalls.control(pair.slave.number, TerminalRequest.TCFLSH, value: 2)
            var plain = Termios().bytes(extended: false)
            _ = try HostFileCalls.control(pair.slave.number, TerminalRequest.TCSETSF, &plain)
            try HostIO.writeAll(pair.slave.number, [0x0d, 0x0a])
            _ = pair.drain(pair.master.number, expecting: 2)
            _ = try HostFileCalls.control(pair.slave.number, TerminalRequest.TCSETSF, &bytes)
            try HostIO.writeAll(pair.master.number, typed)
            let ours = Self.run(settings, typed: typed)
            let echo = pair.drain(pair.master.number, expecting: ours.echo.count).flatMap { $0 }
            var reads = pair.drain(pair.slave.number, expecting: ours.reads.reduce(0) { $0 + $1.count })
            if !settings.local.contains(.canonical) { reads = reads.isEmpty ? [] : [reads.flatMap { $0 }] }

            #expect(ours.echo == echo, "seed \(seed), typed \(typed), local \(settings.local.rawValue), input \(settings.input.rawValue), output \(settings.output.rawValue)")
            // Into how many reads the host cuts what was typed depends on when its worker runs: compare the bytes.
            #expect(ours.reads.flatMap { $0 } == reads.flatMap { $0 }, "seed \(seed), typed \(typed), local \(settings.local.rawValue)")
        }
    }
}
