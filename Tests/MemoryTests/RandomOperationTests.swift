import LinuxABI
import Memory
import Testing

/// A generator with a fixed seed: failures repeat.
struct Sequence64: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}

/// Random calls on a small window of addresses, checked against a page-by-page model, as the guest and as the kernel see memory.
@Suite struct RandomOperationTests {
    static let base: UInt64 = 0x1_0000_0000
    static let pages: UInt64 = 64

    struct ModelPage {
        var protection: Protection
        var isShared: Bool
        var cell: Cell
    }
    final class Cell {
        var byte: UInt8
        init(_ byte: UInt8) { self.byte = byte }
    }
    final class Process {
        let space: AddressSpace
        var model: [UInt64: ModelPage] = [:]
        init(_ space: AddressSpace) { self.space = space }
    }

    static func address(_ page: UInt64) -> GuestAddress { GuestAddress(base + page * 4096) }

    @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func memoryBehavesLikeItsModel(seed: UInt64) throws {
        var random = Sequence64(state: seed &* 0x9e37_79b9_7f4a_7c15)
        let file = try MemoryFile(window: 64 << 30)
        let platform = RecordingPlatform()
        var processes = [Process(try AddressSpace(platform: platform, memoryFile: file))]
        for step in 0..<1500 {
            let process = processes[Int.random(in: 0..<processes.count, using: &random)]
            let first = UInt64.random(in: 0..<Self.pages, using: &random)
            let count = UInt64.random(in: 1...min(12, Self.pages - first), using: &random)
            let start = Self.address(first)
            let length = count * 4096
            let isWhole = (first..<(first + count)).allSatisfy { process.model[$0] != nil }
            switch Int.random(in: 0..<20, using: &random) {
            case 0...2:
                let isShared = Bool.random(using: &random)
                let protection: Protection = [[], .read, [.read, .write], [.read, .write]][Int.random(in: 0..<4, using: &random)]
                _ = try process.space.anonymous(
                    length, at: start.rawValue, protection, [isShared ? .shared : .private, .fixed])
                for page in first..<(first + count) {
                    process.model[page] = ModelPage(protection: protection, isShared: isShared, cell: Cell(0))
                }
            case 3:
                try process.space.unmap(start, length: length)
                for page in first..<(first + count) { process.model[page] = nil }
            case 4, 5:
                let protection: Protection = [[], .read, [.read, .write]][Int.random(in: 0..<3, using: &random)]
                if isWhole {
                    try process.space.protect(start, length: length, protection)
                } else {
                    #expect(throws: Errno.ENOMEM) { try process.space.protect(start, length: length, protection) }
                }
                for page in first..<(first + count) {
                    guard process.model[page] != nil else { break }
                    process.model[page]?.protection = protection
                }
            case 6:
                try? process.space.advise(start, length: length, advice: 4)
                for page in first..<(first + count) where process.model[page]?.isShared == false {
                    process.model[page]?.cell = Cell(0)
                }
            case 7:
                guard processes.count < 4 else { break }
                let child = Process(try process.space.fork(platform: platform))
                for (page, value) in process.model {
                    var copy = value
                    if !value.isShared { copy.cell = Cell(value.cell.byte) }
                    child.model[page] = copy
                }
                processes.append(child)
            case 8:
                guard processes.count > 1 else { break }
                processes.removeAll {
                    guard $0 === process else { return false }
                    $0.space.tearDown()
                    return true
                }
            case 9:
                // To somewhere else in the window, if that is no overlap and one mapping.
                let to = UInt64.random(in: 0...(Self.pages - count), using: &random)
                guard isWhole, to + count <= first || first + count <= to else { break }
                guard (try? process.space.remap(
                    start, oldLength: length, newLength: length, flags: [.mayMove, .fixed], newAddress: Self.address(to))) != nil
                else {
                    // Several areas: EFAULT, after the target was unmapped at most.
                    for page in to..<(to + count) where !process.space.isMapped(Self.address(page), length: 4096) {
                        process.model[page] = nil
                    }
                    break
                }
                for i in 0..<count {
                    process.model[to + i] = process.model[first + i]
                    process.model[first + i] = nil
                }
            case 10...14:
                let byte = UInt8.random(in: 1...255, using: &random)
                let result = process.space.guest(start, storing: byte)
                if let page = process.model[first], page.protection.contains(.write) {
                    #expect(result == .byte(byte), "step \(step)")
                    page.cell.byte = byte
                } else {
                    #expect(result == (process.model[first] == nil ? .mapError : .accessError), "step \(step)")
                }
            case 15...17:
                let byte = UInt8.random(in: 1...255, using: &random)
                if let page = process.model[first], page.protection.contains(.write) {
                    try process.space.store(byte, at: start)
                    page.cell.byte = byte
                } else {
                    #expect(throws: Errno.EFAULT) { try process.space.store(byte, at: start) }
                }
            default:
                guard let page = process.model[first], page.protection.contains(.read) else {
                    #expect(throws: Errno.EFAULT) { try process.space.load(UInt8.self, at: start) }
                    break
                }
                #expect(try process.space.load(UInt8.self, at: start) == page.cell.byte, "step \(step)")
                #expect(process.space.guest(start) == .byte(page.cell.byte), "step \(step)")
            }
        }
        for process in processes {
            for page in 0..<Self.pages {
                if let model = process.model[page], model.protection.contains(.read) {
                    #expect(try process.space.load(UInt8.self, at: Self.address(page)) == model.cell.byte)
                    #expect(process.space.guest(Self.address(page)) == .byte(model.cell.byte))
                }
            }
            process.space.tearDown()
        }
        file.trim()
        #expect(file.committedBytes == 0)
    }
}
