import LinuxABI
import SystemCalls
import Testing

/// The dispatch table and Syscalls/table.tsv say the same.
@Suite struct SupportTableTests {
    let table: SupportTable
    let handlers: [Int: String]

    init() throws {
        table = try SupportTable.read()
        handlers = Dictionary(uniqueKeysWithValues: SystemCallFamilies.all.map { ($0.number, $0.name) })
    }

    @Test func everyNumberUpToLinux618IsDecidedOnce() {
        let numbers = table.rows.map(\.number)
        #expect(numbers == Array(0...336) + Array(424...469))
    }

    @Test func namesAgreeWithLinux() {
        for row in table.rows { #expect(SystemCallName.of(row.number) == row.name) }
        for number in 0..<SystemCallName.limit {
            guard let name = SystemCallName.of(number) else { continue }
            #expect(table.rows.contains { $0.number == number }, "\(name) (\(number)) has no row")
        }
    }

    @Test func everyHandlerHasARowThatSaysSo() {
        let rows = Dictionary(uniqueKeysWithValues: table.rows.map { ($0.number, $0) })
        for (number, name) in handlers {
            let row = rows[number]
            #expect(row?.name == name)
            let said = row?.support.rawValue ?? "nothing"
            #expect(row?.support.hasHandler == true, "\(name) has a handler, but its row says \(said)")
        }
    }

    @Test func everyRowThatPromisesAHandlerHasOne() {
        for row in table.rows where row.support.hasHandler {
            #expect(handlers[row.number] == row.name, "\(row.name) is \(row.support.rawValue) and has no handler")
        }
    }

    @Test func refusalsNameTheErrorAndTheReason() {
        for row in table.rows {
            #expect((row.errno != nil) == row.support.needsErrno, "\(row.name)")
            #expect((row.note != nil) == (row.support != .full), "\(row.name) needs a note exactly when it is not full")
            if row.support == .absent { #expect(row.errno == "ENOSYS", "\(row.name)") }
            if let errno = row.errno { #expect(Errno.named(errno) != nil, "\(row.name): \(errno)") }
        }
    }

    @Test func refusedCallsGiveTheErrorOfTheirRow() throws {
        let refused = Dictionary(uniqueKeysWithValues: SystemCallFamilies.refusals.map { ($0.name, $0.error) })
        for row in table.rows {
            guard let error = refused[row.name] else { continue }
            #expect(row.support == .refused && row.errno.flatMap(Errno.named) == error, "\(row.name)")
        }
    }
}
