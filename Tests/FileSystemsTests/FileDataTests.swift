import HostOS
import LinuxABI
import Memory
import Testing
import VirtualFileSystem

@testable import FileSystems

@Suite struct FileDataTests {
    @Test func extentsMergeAndSplit() {
        var map = ExtentMap()
        map.insert(page: 10, count: 2, offset: 0x10000)
        map.insert(page: 12, count: 2, offset: 0x12000)
        map.insert(page: 8, count: 2, offset: 0xe000)
        var extents: [ExtentMap.Extent] = []
        map.forEach { extents.append($0) }
        #expect(extents.count == 1 && extents[0].page == 8 && extents[0].count == 6)
        var removed: UInt64 = 0
        map.remove(from: 9, to: 11) { removed += $0.count }
        #expect(removed == 2 && map.memoryPages == 4)
        guard case .absent(let gap) = map.find(9), case .memory(let offset, let count) = map.find(12) else {
            Issue.record("wrong runs")
            return
        }
        #expect(gap == 2 && offset == 0x12000 && count == 2)
    }

    @Test func scatteredExtentsAreFoundAgain() {
        var map = ExtentMap()
        var g = Generator(state: 7)
        let pages = (0..<3000).map { UInt64($0) * 2 }.shuffled(using: &g)
        for page in pages { map.insert(page: page, count: 1, offset: page << 20) }
        for page in pages {
            guard case .memory(let offset, 1) = map.find(page), case .absent = map.find(page + 1) else {
                Issue.record("page \(page) lost")
                return
            }
            #expect(offset == page << 20)
        }
        map.remove(from: 1001, to: 5000) { _ in }
        #expect(map.memoryPages == 501 + 500)
    }

    /// Random operations on a file against an array of bytes.
    @Test(arguments: [false, true]) func filesBehaveAsByteArrays(overLower: Bool) throws {
        var g = Generator(state: overLower ? 99 : 42)
        var model = overLower ? (0..<50_001).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) } : []
        let s = overLower ? try Sandbox.overlay(.directory(["f": .file(model)])) : try Sandbox.tmpfs()
        let file = try s.open("/f", [.create, .readWrite])
        func resize(_ n: Int) {
            if n < model.count { model.removeLast(model.count - n) } else { model += [UInt8](repeating: 0, count: n - model.count) }
        }
        for step in 0..<2000 {
            let offset = Int.random(in: 0..<80_000, using: &g)
            let count = Int.random(in: 1..<(step % 10 == 0 ? 30_000 : 3000), using: &g)
            switch Int.random(in: 0..<10, using: &g) {
            case 0...3:
                let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: step | 1), count: count)
                #expect(try s.write(file, bytes, at: Int64(offset)) == count)
                if offset + count > model.count { resize(offset + count) }
                model.replaceSubrange(offset..<(offset + count), with: bytes)
            case 4:
                try VFS.truncate(try s.path("/f"), to: Int64(offset), caller: s)
                resize(offset)
            case 5:
                try file.operations.allocate(mode: 3, offset: Int64(offset), length: Int64(count), caller: s)
                for i in offset..<max(offset, min(offset + count, model.count)) { model[i] = 0 }
            case 6 where step % 4 == 0:
                try file.operations.allocate(mode: 0, offset: Int64(offset), length: Int64(count), caller: s)
                if offset + count > model.count { resize(offset + count) }
            default: break
            }
            #expect(try file.attributes().size == UInt64(model.count))
            let read = try s.read(file, count, at: Int64(offset))
            let expected = offset < model.count ? Array(model[offset..<min(offset + count, model.count)]) : []
            guard read == expected else {
                Issue.record("step \(step): bytes differ")
                return
            }
        }
        #expect(try s.read(file, 200_000) == model)
    }

    @Test func sparseFilesTellDataFromHoles() throws {
        let s = try Sandbox.tmpfs()
        let file = try s.open("/f", [.create, .readWrite])
        try VFS.truncate(try s.path("/f"), to: 100_000, caller: s)
        try s.write(file, [1], at: 50_000)
        #expect(try file.attributes().blocks == 8)
        #expect(try file.operations.seek(offset: 20_000, whence: 3, current: 0) == 49_152)
        #expect(try file.operations.seek(offset: 50_000, whence: 4, current: 0) == 53_248)
        #expect(try file.operations.seek(offset: 99_999, whence: 4, current: 0) == 99_999)
        #expect(throws: Errno.ENXIO) { try file.operations.seek(offset: 60_000, whence: 3, current: 0) }
        #expect(throws: Errno.ENXIO) { try file.operations.seek(offset: 100_000, whence: 4, current: 0) }
    }

    /// Taking all memory first, to give it back, would keep a processor for minutes and could not be interrupted.
    @Test func allocationOfMoreThanAllMemoryIsRefusedAtOnce() throws {
        let s = try Sandbox.tmpfs()
        let file = try s.open("/f", [.create, .readWrite])
        let start = ContinuousClock.now
        #expect(throws: Errno.ENOSPC) { try file.operations.allocate(mode: 1, offset: 4096, length: 1 << 60, caller: s) }
        #expect(ContinuousClock.now - start < .seconds(3))
        #expect(try file.attributes().blocks == 0)
    }

    @Test func theSizeLimitGivesENOSPCAndSpaceComesBack() throws {
        let s = try Sandbox.tmpfs(sizeLimit: 64 << 10)
        let file = try s.open("/f", [.create, .readWrite])
        #expect(try s.write(file, [UInt8](repeating: 1, count: 100_000), at: 0) == 64 << 10)
        #expect(throws: Errno.ENOSPC) { try s.write(file, [1], at: 70_000) }
        try s.unlink("/f")
        #expect(throws: Errno.ENOSPC) { try s.write("/g", "x") }
        try VFS.truncate(try #require(file.inode), to: 0, caller: s)
        try s.write("/g", "x")
    }

    @Test func writesPastTheResourceLimitRaiseASignal() throws {
        let s = try Sandbox.tmpfs()
        let file = try s.open("/f", [.create, .readWrite])
        s.fileSizeLimit = 10
        #expect(try s.write(file, [UInt8](repeating: 1, count: 20), at: 0) == 10)
        #expect(throws: Errno.EFBIG) { try s.write(file, [1], at: 10) }
        #expect(s.raised == [.SIGXFSZ])
    }

    @Test func truncatedLowerDataDoesNotComeBack() throws {
        let s = try Sandbox.overlay(.directory(["f": .file([UInt8](repeating: 9, count: 10_000))]))
        let path = try s.path("/f")
        try VFS.truncate(path, to: 5000, caller: s)
        try VFS.truncate(path, to: 10_000, caller: s)
        let bytes = try s.read(try s.open("/f"), 10_000)
        #expect(bytes == [UInt8](repeating: 9, count: 5000) + [UInt8](repeating: 0, count: 5000))
    }

    @Test func mappingsShowLowerPagesUntilTheyAreWritten() throws {
        let memoryFile = try MemoryFile(window: 64 << 30)
        let s = try Sandbox.overlay(.directory(["f": .file([UInt8](repeating: 9, count: 10_000))]), memoryFile: memoryFile)
        let reader = try #require(try s.open("/f").operations.mappable)
        let before = try reader.backing(offset: 0, length: 16384, forWriting: false)
        guard before.count == 2, case .hostFile(_, 0, 12288) = before[0], case .beyondEnd(4096) = before[1] else {
            Issue.record("unexpected pieces \(before)")
            return
        }
        try s.write(try s.open("/f", .readWrite), [1], at: 4096)
        let after = try reader.backing(offset: 0, length: 12288, forWriting: false)
        guard after.count == 3, case .hostFile = after[0], case .memoryFile(let offset, 4096) = after[1], case .hostFile = after[2]
        else {
            Issue.record("unexpected pieces \(after)")
            return
        }
        var buffer = IOBuffer(kernelCapacity: 2)
        _ = try buffer.put(memoryFile, offset: offset, count: 2)
        #expect(buffer.kernelBytes == [1, 9])
        memoryFile.release(offset, 4096)
        let written = try reader.backing(offset: 0, length: 12288, forWriting: true)
        for piece in written {
            guard case .memoryFile(let offset, let length) = piece else {
                Issue.record("not in memory: \(piece)")
                return
            }
            memoryFile.release(offset, length)
        }
    }

    /// Readers, writers and faults on one file at once; afterwards no page is left over.
    @Test func concurrentUseKeepsCountsRight() async throws {
        let memoryFile = try MemoryFile(window: 64 << 30)
        try await hammer(memoryFile)
        memoryFile.trim()
        #expect(memoryFile.committedBytes == 0)
    }

    private func hammer(_ memoryFile: MemoryFile) async throws {
        let lower = MemoryLowerNode.directory(["f": .file([UInt8](repeating: 9, count: 300_000))])
        let fileSystem = try OverlayFileSystem(lower: lower, memoryFile: memoryFile)
        let node = try #require(try fileSystem.rootNode.child(FileName("f")))
        let data = try #require(node.data)
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<4 {
                group.addTask {
                    let s = Sandbox(TmpfsFileSystem(memoryFile: memoryFile))
                    guard let file = try? node.open(.readWrite, caller: s) else { return }
                    var g = Generator(state: UInt64(worker + 1))
                    for _ in 0..<800 {
                        let offset = UInt64.random(in: 0..<400_000, using: &g)
                        switch Int.random(in: 0..<6, using: &g) {
                        case 0, 1:
                            var buffer = IOBuffer(kernelBytes: [UInt8](repeating: 7, count: 9000))
                            _ = try? file.write(&buffer, at: .offset(Int64(offset)), caller: s)
                        case 2, 3:
                            var buffer = IOBuffer(kernelCapacity: 9000)
                            _ = try? file.read(&buffer, at: .offset(Int64(offset)), caller: s)
                            if !buffer.kernelBytes.allSatisfy({ $0 == 0 || $0 == 7 || $0 == 9 }) { Issue.record("foreign bytes") }
                        case 4: try? node.truncate(to: offset, caller: s)
                        default:
                            let page = offset & ~4095
                            guard let pieces = try? data.backing(offset: page, length: 65536, forWriting: true) else { break }
                            for case .memoryFile(let offset, let length) in pieces { memoryFile.release(offset, length) }
                        }
                    }
                }
            }
        }
    }

    @Test func sealsHoldWritesBack() throws {
        let s = try Sandbox.tmpfs()
        let file = try AnonymousMemory.makeFile(
            try MemoryFile(window: 64 << 30), name: Array("x".utf8), permissions: 0o777, uid: 0, gid: 0, seals: [])
        try s.write(file, [1, 2, 3], at: 0)
        try file.operations.addSeals(.grow)
        #expect(throws: Errno.EPERM) { try s.write(file, [1], at: 3) }
        try file.operations.addSeals([.write, .seal])
        #expect(throws: Errno.EPERM) { try s.write(file, [1], at: 0) }
        #expect(throws: Errno.EPERM) { try file.operations.addSeals(.shrink) }
        #expect(file.operations.seals == [.grow, .write, .seal])
        #expect(try s.read(file, 10) == [1, 2, 3])
    }
}
