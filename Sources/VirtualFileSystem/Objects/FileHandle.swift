/// `struct file_handle` without its head: what names a file of one file system for ever (name_to_handle_at(2)).
public struct FileHandle: Hashable, Sendable {
    /// FILEID_*.
    public var type: Int32
    public var bytes: [UInt8]
    public init(type: Int32, bytes: [UInt8]) {
        self.type = type
        self.bytes = bytes
    }

    /// Of any file: good for telling files apart, not for opening them (AT_HANDLE_FID, FILEID_INO64_GEN).
    public init(identifying inode: any Inode) {
        self.init(type: 0x81, number: inode.number)
    }
    /// Inode number and generation.
    public init(type: Int32, number: UInt64) {
        self.init(type: type, bytes: (0..<8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) } + [0, 0, 0, 0])
    }
    /// The inode number of a handle that was made so. Nil: it has another form.
    public var number: UInt64? {
        guard bytes.count == 12 else { return nil }
        return bytes.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    }
}
