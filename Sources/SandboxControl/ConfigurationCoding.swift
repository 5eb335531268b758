/// Wire form of `SandboxConfiguration`: a version word, then fields in order; integers little-endian, byte strings with a 32-bit length.
extension SandboxConfiguration {
    static let version: UInt32 = 4
    /// Arguments and environment together are bounded by the host's own ARG_MAX; this leaves room.
    public static let maximumEncodedSize = 16 << 20

    public func encoded() -> [UInt8] {
        var w = MessageWriter()
        w.put(Self.version)
        w.put(UInt32(platform.rawValue))
        w.put(root)
        w.put(UInt32(binds.count))
        for bind in binds {
            w.put(bind.source)
            w.put(bind.destination)
            w.put(UInt32(bind.isWritable ? 1 : 0))
            w.put(Array(bind.rule.utf8))
        }
        w.put(UInt32(hides.count))
        for hide in hides {
            w.put(hide.path)
            w.put(UInt32(hide.isRefused ? 1 : 0))
        }
        w.put(UInt32(tmpfs.count))
        for memory in tmpfs {
            w.put(memory.path)
            w.put(memory.size)
        }
        w.put(overlaySize)
        w.put(UInt32(reportsRefusals ? 1 : 0))
        w.put(UInt32(exportsChanges ? 1 : 0))
        w.put(arguments)
        w.put(environment)
        w.put(workingDirectory)
        w.put(Array(hostName.utf8))
        w.put(uid)
        w.put(gid)
        w.put(UInt32(groups.count))
        for group in groups { w.put(group) }
        w.put(UInt32(isPrivileged ? 1 : 0))
        w.put(UInt32(umask))
        switch trace {
        case .none: w.put(UInt32(0))
        case .all: w.put(UInt32(1))
        case .named(let names):
            w.put(UInt32(2))
            w.put(names.map { Array($0.utf8) })
        }
        w.put(UInt32(showsDiagnostics ? 1 : 0))
        w.put(UInt32(auditsFilter ? 1 : 0))
        w.put(UInt32(fastPath.rawValue))
        w.put(UInt32(container == nil ? 0 : 1))
        container?.encode(&w)
        return w.bytes
    }

    /// - Throws: `ControlError.malformed` naming the field.
    public init(decoding bytes: [UInt8]) throws(ControlError) {
        self.init()
        var r = MessageReader(bytes)
        guard try r.word("version") == Self.version else { throw .malformed("version") }
        guard let code = UInt8(exactly: try r.word("platform")), let platform = PlatformChoice(rawValue: code) else {
            throw .malformed("platform")
        }
        self.platform = platform
        root = try r.byteString("root")
        for _ in 0..<(try r.count("binds", each: 16)) {
            let source = try r.byteString("bind source")
            let destination = try r.byteString("bind destination")
            let isWritable = try r.word("bind mode") != 0
            let rule = String(decoding: try r.byteString("bind rule"), as: UTF8.self)
            binds.append(Bind(source: source, destination: destination, isWritable: isWritable, rule: rule))
        }
        for _ in 0..<(try r.count("hides", each: 8)) {
            let path = try r.byteString("hidden path")
            hides.append(Hide(path: path, isRefused: try r.word("hidden mode") != 0))
        }
        for _ in 0..<(try r.count("tmpfs", each: 8)) {
            let path = try r.byteString("tmpfs path")
            tmpfs.append(Memory(path: path, size: try r.size("tmpfs size")))
        }
        overlaySize = try r.size("overlay size")
        reportsRefusals = try r.word("report") != 0
        exportsChanges = try r.word("changes") != 0
        arguments = try r.byteStrings("arguments")
        environment = try r.byteStrings("environment")
        workingDirectory = try r.byteString("working directory")
        hostName = String(decoding: try r.byteString("host name"), as: UTF8.self)
        uid = try r.word("uid")
        gid = try r.word("gid")
        for _ in 0..<(try r.count("groups", each: 4)) { groups.append(try r.word("group")) }
        isPrivileged = try r.word("privileged") != 0
        umask = UInt16(truncatingIfNeeded: try r.word("umask")) & 0o777
        switch try r.word("trace") {
        case 0: trace = .none
        case 1: trace = .all
        case 2: trace = .named(try r.byteStrings("trace names").map { String(decoding: $0, as: UTF8.self) })
        default: throw .malformed("trace")
        }
        showsDiagnostics = try r.word("diagnostics") != 0
        auditsFilter = try r.word("audit") != 0
        guard let fast = UInt8(exactly: try r.word("fast path")), let fastPath = FastPathChoice(rawValue: fast) else {
            throw .malformed("fast path")
        }
        self.fastPath = fastPath
        if try r.word("container") != 0 { container = try ContainerConfiguration(&r) }
        guard r.isAtEnd else { throw .malformed("trailing bytes") }
    }
}

struct MessageWriter {
    private(set) var bytes: [UInt8] = []

    mutating func put(_ word: UInt32) {
        for shift in stride(from: UInt32(0), to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
    }
    mutating func put(_ size: UInt64?) {
        put(UInt32(size == nil ? 0 : 1))
        put(UInt32(truncatingIfNeeded: size ?? 0))
        put(UInt32(truncatingIfNeeded: (size ?? 0) >> 32))
    }
    mutating func put(_ string: [UInt8]) {
        put(UInt32(truncatingIfNeeded: string.count))
        bytes += string
    }
    mutating func put(_ strings: [[UInt8]]) {
        put(UInt32(truncatingIfNeeded: strings.count))
        for string in strings { put(string) }
    }
}

struct MessageReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    mutating func word(_ field: String) throws(ControlError) -> UInt32 {
        guard bytes.count - position >= 4 else { throw .malformed(field) }
        var value: UInt32 = 0
        for index in 0..<4 { value |= UInt32(bytes[position + index]) << UInt32(8 * index) }
        position += 4
        return value
    }
    mutating func size(_ field: String) throws(ControlError) -> UInt64? {
        let isPresent = try word(field) != 0
        let low = try word(field)
        let high = try word(field)
        return isPresent ? UInt64(high) << 32 | UInt64(low) : nil
    }
    /// A count of items that take at least `each` bytes, so that a hostile count cannot make the reader loop or allocate.
    mutating func count(_ field: String, each: Int) throws(ControlError) -> Int {
        let count = Int(try word(field))
        guard count <= (bytes.count - position) / each else { throw .malformed(field) }
        return count
    }
    mutating func byteString(_ field: String) throws(ControlError) -> [UInt8] {
        let length = Int(try word(field))
        guard length <= bytes.count - position else { throw .malformed(field) }
        defer { position += length }
        return Array(bytes[position..<position + length])
    }
    mutating func byteStrings(_ field: String) throws(ControlError) -> [[UInt8]] {
        var strings: [[UInt8]] = []
        for _ in 0..<(try count(field, each: 4)) { strings.append(try byteString(field)) }
        return strings
    }
}
