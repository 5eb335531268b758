import HostOS
import Testing

@testable import OCIRuntime

/// State directories: names, locks, what killed commands leave.
struct StateTests {
    private func store() throws -> StateStore {
        let time = HostProcess.realTime
        return StateStore(root: "/tmp/stockade-state-\(HostProcess.id)-\(time.seconds)-\(time.nanoseconds)")
    }

    @Test(arguments: ["../x", "a/b", "", ".", "..", "a b", "ä", "a\0b", "%x", "/x"]) func hostileIDsAreRefused(_ id: String) throws {
        let store = try store()
        #expect(throws: RuntimeError.self) { _ = try store.makeDirectory(id) }
        #expect(throws: RuntimeError.self) { _ = try store.record(id) }
        #expect(!HostPaths.exists(Array(store.root.utf8)))
    }

    @Test(arguments: ["a", "A-1_2.3+4", "...", "x,y"]) func plainIDsAreTaken(_ id: String) throws { try StateStore.checkID(id) }

    @Test func anIDIsTakenOnce() throws {
        let store = try store()
        let lock = try store.makeDirectory("x")
        // Somebody is at work on it.
        #expect(throws: RuntimeError.self) { _ = try store.makeDirectory("x") }
        let record = ContainerRecord(id: "x", bundle: "/b", rootfs: "/r", created: Timestamp.now())
        try store.write(record)
        #expect(try store.ids() == ["x"])
        #expect(try store.record("x").bundle == "/b")
        try store.remove("x", lock)
        #expect(try store.ids() == [])
        try? HostPaths.removeDirectory(Array(store.root.utf8))
    }

    @Test func whatAKilledCreateLeftIsTakenOver() throws {
        let store = try store()
        try HostPaths.makeDirectories(Array((store.root + "/x").utf8), mode: 0o700)
        try HostPaths.replace(Array((store.root + "/x/control.sock").utf8), [])
        #expect(throws: RuntimeError.self) { _ = try store.record("x") }
        #expect(try store.ids() == [])
        let lock = try store.makeDirectory("x")
        #expect(!HostPaths.exists(Array((store.root + "/x/control.sock").utf8)))
        try store.remove("x", lock)
        try? HostPaths.removeDirectory(Array(store.root.utf8))
    }

    @Test func aDamagedRecordSaysSo() throws {
        let store = try store()
        let lock = try store.makeDirectory("x")
        try HostPaths.replace(Array((store.root + "/x/state.json").utf8), Array("{".utf8))
        #expect { _ = try store.record("x") } throws: { "\($0)".contains("damaged") }
        try store.remove("x", lock)
        try? HostPaths.removeDirectory(Array(store.root.utf8))
    }

    @Test func aProcessIsKnownByItsStart() throws {
        let own = try #require(HostProcessIdentity(pid: HostProcess.id))
        #expect(own.isAlive)
        #expect(!HostProcessIdentity(pid: own.pid, startTime: own.startTime + 1).isAlive)
        #expect(HostProcessIdentity(pid: 0) == nil)
    }

    @Test func datesAreRight() {
        #expect(Timestamp.text(seconds: 0, nanoseconds: nil) == "1970-01-01T00:00:00Z")
        #expect(Timestamp.text(seconds: 1_709_210_096, nanoseconds: 5) == "2024-02-29T12:34:56.000000005Z")
        #expect(Timestamp.text(seconds: 4_102_444_799, nanoseconds: nil) == "2099-12-31T23:59:59Z")
    }

    @Test func signalsHaveNamesAndNumbers() {
        #expect(SignalName.number("KILL") == 9 && SignalName.number("sigterm") == 15 && SignalName.number("12") == 12)
        #expect(SignalName.number("RTMIN+2") == 36 && SignalName.number("SIGRTMAX") == 64)
        #expect(SignalName.number("") == nil && SignalName.number("NOSUCH") == nil && SignalName.number("65") == nil)
    }

    @Test func outputKeepsItsOrder() {
        let value = JSONText.object([("b", .number(1)), ("a", .array([.string("x\"\n\u{1}"), .null])), ("c", .object([]))])
        #expect(value.text() == "{\"b\":1,\"a\":[\"x\\\"\\n\\u0001\",null],\"c\":{}}")
        #expect(value.text(indent: "  ").hasPrefix("{\n  \"b\": 1,\n  \"a\": [\n    \"x"))
    }
}
