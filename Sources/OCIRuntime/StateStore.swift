import FoundationEssentials
import HostOS
import LinuxABI

/// The state directories of containers below one root: `ROOT/ID/` holds state.json, a copy of config.json and the control socket.
///
/// Files are replaced as a whole. Whoever changes a container holds a lock on its directory, which goes with the process. A directory without
/// state.json that nobody holds is what a killed `create` or `delete` left: it counts as not there.
public struct StateStore: Sendable {
    public let root: String

    public init(root: String) { self.root = root }

    /// runc's rule: letters, digits, `_`, and what lies between `+` and `.`; no path.
    public static func checkID(_ id: String) throws(RuntimeError) {
        let isPlain = id.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) || byte == 0x5f
                || (0x2b...0x2e).contains(byte)
        }
        guard !id.isEmpty, isPlain, id != ".", id != "..", id.utf8.count <= 255 else {
            throw RuntimeError("container id \"\(id)\" is invalid: letters, digits and _ + - . make one")
        }
    }

    public func directory(_ id: String) -> String { root + "/" + id }
    func file(_ id: String, _ name: String) -> [UInt8] { Array("\(root)/\(id)/\(name)".utf8) }
    public func configPath(_ id: String) -> String { "\(root)/\(id)/config.json" }

    // MARK: records

    /// - Throws: that the container does not exist.
    public func record(_ id: String) throws(RuntimeError) -> ContainerRecord {
        try Self.checkID(id)
        let bytes: [UInt8]
        do throws(Errno) { bytes = try HostPaths.read(file(id, "state.json")) } catch {
            guard error == .ENOENT || error == .ENOTDIR else {
                throw RuntimeError("the state of container \(id) cannot be read from \(root): \(error)")
            }
            throw RuntimeError("container does not exist")
        }
        do { return try JSONDecoder().decode(ContainerRecord.self, from: Data(bytes)) } catch {
            throw RuntimeError("the state of container \(id) in \(root) is damaged: \(error); delete --force removes it")
        }
    }

    public func write(_ record: ContainerRecord) throws(RuntimeError) {
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            try HostPaths.replace(file(record.id, "state.json"), Array(try encoder.encode(record)))
        } catch { throw RuntimeError("the state of container \(record.id) cannot be written to \(root): \(error)") }
    }

    /// Ids in order; nothing when the root is not there.
    public func ids() throws(RuntimeError) -> [String] {
        let names: [[UInt8]]
        do throws(Errno) { names = try HostPaths.list(Array(root.utf8)) } catch {
            if error == .ENOENT { return [] }
            throw RuntimeError("\(root) cannot be read: \(error)")
        }
        return names.map { String(decoding: $0, as: UTF8.self) }
            .filter { (try? Self.checkID($0)) != nil && HostPaths.exists(file($0, "state.json")) }.sorted()
    }

    // MARK: directories

    /// The lock on one container.
    public struct Lock: ~Copyable {
        fileprivate let descriptor: HostDescriptor
    }

    /// Makes the directory of a new container, locked. - Throws: that the id is taken, that the root cannot be written.
    public func makeDirectory(_ id: String) throws(RuntimeError) -> Lock {
        try Self.checkID(id)
        let path = Array(directory(id).utf8)
        for _ in 0..<16 {
            do throws(Errno) {
                try HostPaths.makeDirectories(Array(root.utf8), mode: 0o711)
                do throws(Errno) { try HostPaths.makeDirectory(path, mode: 0o711) } catch { if error != .EEXIST { throw error } }
            } catch { throw RuntimeError("the state directory \(directory(id)) cannot be made: \(error); --root names another place") }
            if HostPaths.exists(file(id, "state.json")) { throw RuntimeError("container with given ID already exists") }
            guard let lock = try takeLock(path, wait: false) else {
                // Whoever holds it makes or removes a container of that name.
                throw RuntimeError("container with given ID already exists")
            }
            guard isCurrent(lock, path) else { continue }
            if HostPaths.exists(file(id, "state.json")) { throw RuntimeError("container with given ID already exists") }
            empty(id)
            return lock
        }
        throw RuntimeError("the state directory \(directory(id)) is made and removed by others all the time")
    }

    /// Locks an existing container, waiting for others up to `seconds`.
    public func lock(_ id: String, seconds: Int64 = 60) throws(RuntimeError) -> Lock {
        try Self.checkID(id)
        let path = Array(directory(id).utf8)
        let deadline = MonotonicInstant.after(nanoseconds: seconds * 1_000_000_000)
        while true {
            guard HostPaths.exists(path) else { throw RuntimeError("container does not exist") }
            if let lock = try takeLock(path, wait: false), isCurrent(lock, path) { return lock }
            guard MonotonicInstant.now < deadline else {
                throw RuntimeError("container \(id) is being changed by another command, which does not end")
            }
            _ = HostPoll.waitReadable([], until: .after(nanoseconds: 10_000_000))
        }
    }

    private func takeLock(_ path: [UInt8], wait: Bool) throws(RuntimeError) -> Lock? {
        do throws(Errno) {
            let directory = try HostNames.openTrusted(path, [.directory])
            try HostPaths.lock(directory.number, wait: wait)
            return Lock(descriptor: directory)
        } catch {
            if error == .EAGAIN || error == .ENOENT { return nil }
            throw RuntimeError("the state directory \(String(decoding: path, as: UTF8.self)) cannot be used: \(error)")
        }
    }

    /// Whether the locked directory still is the one with that name.
    private func isCurrent(_ lock: borrowing Lock, _ path: [UInt8]) -> Bool {
        guard let held = try? HostFileStatus(of: lock.descriptor.number),
            let named = try? HostFileStatus(of: path, in: HostAt.workingDirectory)
        else { return false }
        return held.inode == named.inode && held.device == named.device
    }

    /// Removes all traces of a container. state.json goes last, so that a killed removal can be done again.
    public func remove(_ id: String, _ lock: consuming Lock) throws(RuntimeError) {
        empty(id)
        do throws(Errno) { try HostPaths.removeDirectory(Array(directory(id).utf8)) } catch {
            if error != .ENOENT { throw RuntimeError("the state directory \(directory(id)) cannot be removed: \(error)") }
        }
    }

    private func empty(_ id: String) {
        let names = (try? HostPaths.list(Array(directory(id).utf8))) ?? []
        let last = Array("state.json".utf8)
        for name in names.filter({ $0 != last }) + [last] {
            try? HostNames.unlink(Array(directory(id).utf8) + [0x2f] + name, in: HostAt.workingDirectory, isDirectory: false)
        }
    }

    // MARK: the control socket

    /// AF_UNIX names are short: the directory is named by a descriptor.
    public func listen(_ id: String) throws(RuntimeError) -> HostDescriptor {
        try throughDirectory(id, "made") { path throws(Errno) in try HostUnixSocket.listen(path) }
    }
    public func connect(_ id: String) throws(RuntimeError) -> HostDescriptor {
        try throughDirectory(id, "reached") { path throws(Errno) in try HostUnixSocket.connect(path) }
    }
    private func throughDirectory(_ id: String, _ what: String, _ body: ([UInt8]) throws(Errno) -> HostDescriptor)
        throws(RuntimeError) -> HostDescriptor
    {
        do throws(Errno) {
            let directory = try HostNames.openTrusted(Array(directory(id).utf8), [.path, .directory])
            return try body(Array("/proc/self/fd/\(directory.number)/control.sock".utf8))
        } catch { throw RuntimeError("the control socket of container \(id) cannot be \(what): \(error)") }
    }
}
