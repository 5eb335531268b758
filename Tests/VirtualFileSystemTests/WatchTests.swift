import LinuxABI
import Synchronization
import Testing

@testable import VirtualFileSystem

/// Writes down what watches are told: `2:create x` for watch 2.
private final class RecordingListener: WatchListener {
    private let lines = Mutex<[String]>([])

    private static let names: [(WatchEvents, String)] = [
        (.access, "access"), (.modify, "modify"), (.attributes, "attributes"), (.closeWrite, "close-write"),
        (.closeNoWrite, "close"), (.open, "open"), (.movedFrom, "from"), (.movedTo, "to"), (.create, "create"), (.delete, "delete"),
        (.deleteSelf, "gone"), (.moveSelf, "moved"), (.isDirectory, "directory"),
    ]

    func happened(_ events: WatchEvents, to watch: FileWatch, name: FileName?, cookie: UInt32) {
        let text = Self.names.filter { events.contains($0.0) }.map(\.1).joined(separator: "+")
        let suffix = name.map { " " + String(decoding: $0.bytes, as: UTF8.self) } ?? ""
        lines.withLock { $0.append("\(watch.descriptor):\(text)\(suffix)") }
    }
    func ended(_ watch: FileWatch) { lines.withLock { $0.append("\(watch.descriptor):ended") } }

    /// What was told since the last time.
    func take() -> [String] {
        lines.withLock { lines in
            defer { lines = [] }
            return lines
        }
    }
}

@Suite(.serialized) struct WatchTests {
    let caller = TestCaller()
    private let listener = RecordingListener()

    private func watch(_ path: String, as descriptor: Int32, _ events: WatchEvents = .all) throws -> FileWatch {
        let watch = FileWatch(descriptor: descriptor, place: try caller.resolve(path), events: events, listener: listener)
        watch.attach()
        return watch
    }

    @Test func aDirectoryHearsOfItsNames() throws {
        try caller.makeDirectory("/d")
        let watch = try watch("/d", as: 1)
        defer { watch.detach() }
        try caller.makeFile("/d/f")
        try caller.makeDirectory("/d/sub")
        try caller.rename("/d/f", "/d/g")
        try caller.unlink("/d/g")
        try caller.removeDirectory("/d/sub")
        #expect(
            listener.take() == [
                "1:create f", "1:create+directory sub", "1:from f", "1:to g", "1:delete g", "1:delete+directory sub",
            ])
    }

    @Test func aFileTellsItsDirectoryFirst() throws {
        try caller.makeDirectory("/d")
        try caller.makeFile("/d/f")
        let watches = [try watch("/d", as: 1), try watch("/d/f", as: 2)]
        defer { for watch in watches { watch.detach() } }
        try VFS.changeMode(try caller.resolve("/d/f"), 0o600, caller: caller)
        #expect(listener.take() == ["1:attributes f", "2:attributes"])
    }

    @Test func openingAndClosingAreTold() throws {
        try caller.makeFile("/f")
        let watch = try watch("/f", as: 1)
        defer { watch.detach() }
        _ = try caller.open("/f", [])
        #expect(listener.take() == ["1:open", "1:close"])
        _ = try caller.open("/f", [.writeOnly, .truncate])
        #expect(listener.take() == ["1:open", "1:modify", "1:close-write"])
        _ = try caller.open("/f", [.path])
        #expect(listener.take() == [])
    }

    @Test func aWatchEndsWithItsFile() throws {
        try caller.makeDirectory("/d")
        _ = try watch("/d", as: 1)
        try caller.removeDirectory("/d")
        #expect(listener.take() == ["1:gone", "1:ended"])
    }

    @Test func aDetachedWatchHearsNothing() throws {
        try caller.makeDirectory("/d")
        let watch = try watch("/d", as: 1)
        #expect(watch.detach())
        #expect(!watch.detach())
        try caller.makeFile("/d/f")
        #expect(listener.take() == [])
    }

    @Test func namesOfWatchedFilesStayCached() throws {
        let small = TestCaller(cacheCapacity: 16)
        try small.makeFile("/watched")
        let watch = FileWatch(descriptor: 1, place: try small.resolve("/watched"), events: .all, listener: listener)
        watch.attach()
        defer { watch.detach() }
        let before = try small.resolve("/watched").dentry
        let id = ObjectIdentifier(before)
        for index in 0..<100 { try small.makeFile("/other\(index)") }
        #expect(ObjectIdentifier(try small.resolve("/watched").dentry) == id)
    }
}
