import LinuxABI
import Testing

@testable import VirtualFileSystem

@Suite struct DescriptorTableTests {
    let table = DescriptorTable()
    func file() -> FileDescription { FileDescription(operations: TestFile(), flags: []) }

    @Test func theLowestFreeNumberIsGiven() throws {
        for expected in 0..<5 { #expect(try table.install(file(), closeOnExec: false, limit: 10) == Int32(expected)) }
        _ = try table.remove(1)
        _ = try table.remove(3)
        #expect(try table.install(file(), closeOnExec: false, minimum: 2, limit: 10) == 3)
        #expect(try table.install(file(), closeOnExec: false, limit: 10) == 1)
        #expect(try table.install(file(), closeOnExec: false, limit: 10) == 5)
        #expect(throws: Errno.EMFILE) { try table.install(file(), closeOnExec: false, limit: 6) }
        #expect(throws: Errno.EBADF) { try table.get(-1) }
        #expect(throws: Errno.EBADF) { try table.remove(9) }
    }

    @Test func replaceReturnsWhatWasThere() throws {
        let old = file()
        _ = try table.install(old, closeOnExec: false, limit: 10)
        #expect(try table.replace(0, file(), closeOnExec: true, limit: 10) === old)
        #expect(try table.replace(7, file(), closeOnExec: false, limit: 10) == nil)
        #expect(throws: Errno.EBADF) { try table.replace(10, file(), closeOnExec: false, limit: 10) }
        #expect(table.snapshot().map(\.number) == [0, 7])
        #expect(table.removeCloseOnExec().count == 1)
        #expect(table.snapshot().map(\.number) == [7])
    }

    @Test func copiesAreIndependent() throws {
        _ = try table.install(file(), closeOnExec: false, limit: 10)
        let copy = table.copy()
        _ = try table.remove(0)
        #expect(throws: Never.self) { try copy.get(0) }
        #expect(copy.remove(from: 0, through: .max).count == 1)
    }
}
