import HostOS
import LinuxABI

/// Reads an archive of changes back. Its bytes come from the sandbox and are not trusted: names are checked, lengths bounded.
public struct ChangeArchiveReader {
    private let descriptor: Int32
    private var position: UInt64 = 0
    /// The end marker was read: the sandbox wrote everything that it had to say.
    public private(set) var isComplete = false
    private static let maximumRecords: UInt64 = 8 << 20

    /// - Parameter descriptor: a regular file or memory file, read by position.
    public init(_ descriptor: Int32) { self.descriptor = descriptor }

    /// The next change and where its data lies; nil at the end. - Throws: EBADMSG for what is no such archive.
    public mutating func next() throws(Errno) -> (entry: ChangeEntry, data: UInt64)? {
        var records: [[UInt8]: [UInt8]] = [:]
        while true {
            let header = try read(ChangeEntry.block)
            guard header.count == ChangeEntry.block else { return nil }
            if header.allSatisfy({ $0 == 0 }) {
                isComplete = true
                return nil
            }
            let size = try Self.number(header[124..<136])
            if header[156] == 0x78 {
                guard size <= Self.maximumRecords else { throw .EBADMSG }
                let bytes = try read(Int(size) + ChangeEntry.padding(size))
                guard bytes.count >= Int(size) else { throw .EBADMSG }
                records = try Self.records(Array(bytes[..<Int(size)]))
                continue
            }
            return try entry(header, records, size)
        }
    }

    private mutating func entry(_ header: [UInt8], _ records: [[UInt8]: [UInt8]], _ shortSize: UInt64) throws(Errno) -> (ChangeEntry, UInt64) {
        guard let kind = ChangeEntry.Kind(rawValue: header[156]), var path = records[Array("path".utf8)],
            let comment = records[Array("comment".utf8)], comment.starts(with: ChangeEntry.mark), comment.count == ChangeEntry.mark.count + 1,
            let change = ChangeEntry.Change(rawValue: comment[ChangeEntry.mark.count])
        else { throw .EBADMSG }
        if kind == .directory, path.last == UInt8(ascii: "/") { path.removeLast() }
        var components = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map { Array($0) }
        for name in components where !Self.isName(name) { throw .EBADMSG }
        var isOpaque = false
        if let last = components.last, last == ChangeEntry.opaqueName {
            components.removeLast()
            isOpaque = true
        } else if change == .deleted, let last = components.last {
            guard last.starts(with: ChangeEntry.whiteoutPrefix) else { throw .EBADMSG }
            components[components.count - 1] = Array(last.dropFirst(ChangeEntry.whiteoutPrefix.count))
            guard let name = components.last, Self.isName(name) else { throw .EBADMSG }
        }
        guard !components.isEmpty else { throw .EBADMSG }
        var entry = ChangeEntry(path: Array(components.joined(separator: [UInt8(ascii: "/")])), kind: isOpaque ? .directory : kind, change: change)
        entry.isOpaque = isOpaque
        entry.isOpaqueMark = isOpaque
        entry.permissions = UInt16(truncatingIfNeeded: try Self.number(header[100..<108]) & 0o7777)
        entry.uid = UInt32(truncatingIfNeeded: try Self.number(header[108..<116]))
        entry.gid = UInt32(truncatingIfNeeded: try Self.number(header[116..<124]))
        entry.size = try records[Array("size".utf8)].map { (text) throws(Errno) in try Self.decimal(text) } ?? shortSize
        entry.link = records[Array("linkpath".utf8)] ?? []
        guard !entry.link.contains(0), entry.size <= UInt64(Int64.max) else { throw .EBADMSG }
        if let time = records[Array("mtime".utf8)] {
            let parts = time.split(separator: UInt8(ascii: "."), maxSplits: 1).map { Int64(String(decoding: $0, as: UTF8.self)) }
            guard parts.count == 2, let seconds = parts[0], let nanoseconds = parts[1], (0..<1_000_000_000).contains(nanoseconds) else { throw .EBADMSG }
            entry.modificationTime = Timespec(seconds: seconds, nanoseconds: nanoseconds)
        }
        let prefix = Array("SCHILY.xattr.".utf8)
        for (key, value) in records where key.starts(with: prefix) && key.count > prefix.count {
            entry.extendedAttributes.append((Array(key.dropFirst(prefix.count)), value))
        }
        let data = position
        let (end, overflow) = position.addingReportingOverflow(entry.size + UInt64(ChangeEntry.padding(entry.size)))
        guard !overflow else { throw .EBADMSG }
        position = end
        return (entry, data)
    }

    private static func isName(_ name: [UInt8]) -> Bool {
        !name.isEmpty && name.count <= 255 + 4 && !name.contains(0) && name != [0x2e] && name != [0x2e, 0x2e]
    }

    private mutating func read(_ count: Int) throws(Errno) -> [UInt8] {
        let bytes = try HostIO.positionedRead(descriptor, at: position, count: count)
        position += UInt64(count)
        return bytes
    }

    private static func records(_ bytes: [UInt8]) throws(Errno) -> [[UInt8]: [UInt8]] {
        var result: [[UInt8]: [UInt8]] = [:]
        var start = 0
        while start < bytes.count {
            guard let space = bytes[start...].firstIndex(of: 0x20) else { throw .EBADMSG }
            let length = try decimal(Array(bytes[start..<space]))
            guard length <= UInt64(bytes.count - start), start + Int(length) > space + 2 else { throw .EBADMSG }
            let end = start + Int(length)
            guard let equals = bytes[space..<end].firstIndex(of: UInt8(ascii: "=")), bytes[end - 1] == 0x0a else { throw .EBADMSG }
            result[Array(bytes[space + 1..<equals])] = Array(bytes[equals + 1..<end - 1])
            start = end
        }
        return result
    }

    private static func decimal(_ text: [UInt8]) throws(Errno) -> UInt64 {
        guard let value = UInt64(String(decoding: text, as: UTF8.self)) else { throw .EBADMSG }
        return value
    }
    private static func number(_ field: ArraySlice<UInt8>) throws(Errno) -> UInt64 {
        let digits = field.prefix { $0 != 0 && $0 != 0x20 }
        guard let value = UInt64(String(decoding: digits, as: UTF8.self), radix: 8) else { throw .EBADMSG }
        return value
    }
}
