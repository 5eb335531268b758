import LinuxABI

/// One change that a program made, as an entry of a tar archive (POSIX pax, tar(5)). Deletions are empty files called `.wh.NAME` beside
/// the deleted name, and a directory that replaced another holds `.wh..wh..opq`, as in the layers of container images.
public struct ChangeEntry: Sendable, Equatable {
    public enum Change: UInt8, Sendable {
        case created = 0x41  // A
        case modified = 0x4d  // M
        case deleted = 0x44  // D
    }
    /// The archive's type flag.
    public enum Kind: UInt8, Sendable {
        case file = 0x30
        case hardLink = 0x31
        case symbolicLink = 0x32
        case characterDevice = 0x33
        case blockDevice = 0x34
        case directory = 0x35
        case fifo = 0x36
    }
    /// Without a slash in front; of a deletion the deleted name itself.
    public var path: [UInt8]
    public var kind: Kind
    public var change: Change
    /// The directory stands for itself alone: nothing that lay under its path before shows.
    public var isOpaque = false
    /// The entry is nothing but the mark that makes its directory opaque: the directory was told before.
    public internal(set) var isOpaqueMark = false
    public var permissions: UInt16 = 0
    public var uid: UInt32 = 0
    public var gid: UInt32 = 0
    /// Bytes of data that follow.
    public var size: UInt64 = 0
    public var modificationTime = Timespec()
    /// Target of a symbolic link; path of the entry that a hard link repeats.
    public var link: [UInt8] = []
    public var deviceMajor: UInt32 = 0
    public var deviceMinor: UInt32 = 0
    public var extendedAttributes: [(name: [UInt8], value: [UInt8])] = []

    public init(path: [UInt8], kind: Kind, change: Change) {
        self.path = path
        self.kind = kind
        self.change = change
    }

    public static func == (a: ChangeEntry, b: ChangeEntry) -> Bool { a.headerBytes == b.headerBytes }

    public static let block = 512
    /// What ends an archive.
    public static let end = [UInt8](repeating: 0, count: 2 * block)
    /// Zeroes between `size` bytes of data and the next entry.
    public static func padding(_ size: UInt64) -> Int { Int((UInt64(block) - size % UInt64(block)) % UInt64(block)) }

    /// In front of the change's letter: readers of archives pass over comments.
    static let mark = Array("stockade:".utf8)
    static let whiteoutPrefix = Array(".wh.".utf8)
    static let opaqueName = Array(".wh..wh..opq".utf8)
    private static let slash = UInt8(ascii: "/")

    // MARK: encoding

    /// The headers; `size` bytes of data and padding follow.
    public var headerBytes: [UInt8] {
        var stored = path
        if change == .deleted {
            let start = path.lastIndex(of: Self.slash).map { $0 + 1 } ?? 0
            stored.insert(contentsOf: Self.whiteoutPrefix, at: start)
        }
        if kind == .directory { stored.append(Self.slash) }
        var records: [UInt8] = []
        Self.add("path", stored, &records)
        if !link.isEmpty { Self.add("linkpath", link, &records) }
        if size >= 1 << 33 { Self.add("size", Array(String(size).utf8), &records) }
        let fraction = String(1_000_000_000 + max(0, min(999_999_999, modificationTime.nanoseconds))).dropFirst()
        Self.add("mtime", Array("\(modificationTime.seconds).\(fraction)".utf8), &records)
        Self.add("comment", Self.mark + [change.rawValue], &records)
        for attribute in extendedAttributes { Self.add("SCHILY.xattr.", attribute.name, attribute.value, &records) }
        var result = Self.ustar(Array("././@PaxHeader".utf8), 0x78, UInt64(records.count), permissions: 0o644)
        result += records
        result += [UInt8](repeating: 0, count: Self.padding(UInt64(records.count)))
        result += Self.ustar(
            stored, kind.rawValue, size, permissions: permissions, uid: uid, gid: gid, seconds: modificationTime.seconds, link: link,
            major: deviceMajor, minor: deviceMinor)
        if isOpaque {
            var marker = ChangeEntry(path: path + [Self.slash] + Self.opaqueName, kind: .file, change: change)
            marker.permissions = 0o644
            result += marker.headerBytes
        }
        return result
    }

    private static func add(_ key: String, _ value: [UInt8], _ records: inout [UInt8]) { add(key, [], value, &records) }
    /// A record is `LENGTH KEY=VALUE\n`, its length counted in.
    private static func add(_ key: String, _ more: [UInt8], _ value: [UInt8], _ records: inout [UInt8]) {
        let body = Array(" \(key)".utf8) + more + Array("=".utf8) + value + Array("\n".utf8)
        var length = body.count
        while String(length).utf8.count + body.count != length { length = String(length).utf8.count + body.count }
        records += Array(String(length).utf8) + body
    }

    private static func ustar(
        _ name: [UInt8], _ type: UInt8, _ size: UInt64, permissions: UInt16, uid: UInt32 = 0, gid: UInt32 = 0, seconds: Int64 = 0,
        link: [UInt8] = [], major: UInt32 = 0, minor: UInt32 = 0
    ) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: block)
        func put(_ bytes: some Sequence<UInt8>, at start: Int, limit: Int) {
            for (index, byte) in bytes.prefix(limit).enumerated() { header[start + index] = byte }
        }
        func octal(_ value: UInt64, at start: Int, digits: Int) {
            // What does not fit stands in the pax records, or is not known to readers that lack them.
            let text = String(min(value, 1 << UInt64(3 * digits) - 1), radix: 8)
            put(String(repeating: "0", count: digits - text.utf8.count).utf8 + Array(text.utf8), at: start, limit: digits)
        }
        put(name, at: 0, limit: 100)
        octal(UInt64(permissions), at: 100, digits: 7)
        octal(UInt64(uid), at: 108, digits: 7)
        octal(UInt64(gid), at: 116, digits: 7)
        octal(size, at: 124, digits: 11)
        octal(UInt64(max(0, seconds)), at: 136, digits: 11)
        header[156] = type
        put(link, at: 157, limit: 100)
        put("ustar\u{0}00".utf8, at: 257, limit: 8)
        octal(UInt64(major), at: 329, digits: 7)
        octal(UInt64(minor), at: 337, digits: 7)
        put(repeatElement(0x20, count: 8), at: 148, limit: 8)
        let sum = header.reduce(0) { $0 + UInt64($1) }
        octal(sum, at: 148, digits: 6)
        header[154] = 0
        return header
    }
}
