import LinuxABI
import Memory
import VirtualFileSystem

/// The data argument of mount(2) for tmpfs: tmpfs(5).
struct TmpfsMountOptions {
    var size: UInt64?
    var inodes: Int?
    var mode: UInt16 = 0o1777
    var uid: UInt32 = 0
    var gid: UInt32 = 0
    var namesUser = false
    var namesGroup = false

    /// `memory`: what percentages are of.
    /// - Throws: EINVAL for unknown options and malformed values.
    init(_ text: [UInt8], memory: UInt64) throws(Errno) {
        for option in text.split(separator: 0x2c) {
            let parts = option.split(separator: 0x3d, maxSplits: 1, omittingEmptySubsequences: false)
            let key = String(decoding: parts[0], as: UTF8.self)
            let value = parts.count == 2 ? String(decoding: parts[1], as: UTF8.self) : ""
            switch key {
            case "size":
                let bytes =
                    value.hasSuffix("%")
                    ? UInt64(value.dropLast()).map { memory / 100 &* min($0, 1 << 20) } : Self.bytes(value)
                guard let bytes else { throw .EINVAL }
                size = bytes == 0 ? nil : bytes
            case "nr_blocks":
                guard let blocks = Self.bytes(value) else { throw .EINVAL }
                size = blocks == 0 ? nil : blocks.multipliedReportingOverflow(by: Page.size).partialValue
            case "nr_inodes":
                guard let count = Self.bytes(value) else { throw .EINVAL }
                inodes = count == 0 ? nil : Int(clamping: count)
            case "mode":
                guard let bits = UInt16(value, radix: 8) else { throw .EINVAL }
                mode = bits & 0o7777
            case "uid":
                guard let id = UInt32(value) else { throw .EINVAL }
                uid = id
                namesUser = true
            case "gid":
                guard let id = UInt32(value) else { throw .EINVAL }
                gid = id
                namesGroup = true
            // No huge pages, no swap, one node: these change nothing here.
            case "huge", "mpol", "inode32", "inode64", "noswap": break
            default: throw .EINVAL
            }
        }
    }

    /// A number with an optional k, m, g, t: Linux's memparse().
    private static func bytes(_ text: String) -> UInt64? {
        let shift: UInt64
        switch text.last {
        case "k", "K": shift = 10
        case "m", "M": shift = 20
        case "g", "G": shift = 30
        case "t", "T": shift = 40
        default: shift = 0
        }
        guard let number = UInt64(shift == 0 ? text : String(text.dropLast())) else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: 1 << shift)
        return overflow ? nil : product
    }
}

extension TmpfsFileSystem {
    /// Lets mount(2) make tmpfs and devtmpfs instances.
    public static func register(in types: FileSystemTypeRegistry, memoryFile: MemoryFile) {
        types.register("tmpfs", .userNamespaces) { (_, options, caller) throws(Errno) in
            var o = try TmpfsMountOptions(options, memory: memoryFile.totalBytes)
            let c = caller.credentials
            // As on Linux, the root belongs to whoever mounts.
            if !o.namesUser { o.uid = c.shownUser(c.fileSystemUID) }
            if !o.namesGroup { o.gid = c.shownGroup(c.fileSystemGID) }
            guard let uid = c.kernelUser(o.uid), let gid = c.kernelGroup(o.gid) else { throw .EINVAL }
            return TmpfsFileSystem(
                memoryFile: memoryFile, sizeLimit: o.size, inodeLimit: o.inodes, mode: o.mode, uid: uid, gid: gid,
                userNamespace: c.innerUserNamespace)
        }
        types.register("devtmpfs") { (_, _, _) throws(Errno) in try Devfs.make(memoryFile: memoryFile) }
    }
}
