import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// How file calls read their arguments.
extension CurrentTask {
    /// A descriptor for an operation on the file itself: those opened with O_PATH do not count.
    /// - Throws: EBADF.
    @inline(__always)
    func file(_ number: Int32) throws(Errno) -> FileDescription {
        let file = try files.get(number)
        if file.isPathOnly { throw .EBADF }
        return file
    }

    /// Where a relative `path` starts for an *at call; nil for the working directory and for absolute paths, which ignore the
    /// descriptor.
    /// - Throws: EBADF, ENOTDIR; ENOENT for an empty path, which getname() refuses before it looks at the descriptor.
    func base(_ directory: Int32, _ path: [UInt8]) throws(Errno) -> Path? {
        if path.isEmpty { throw .ENOENT }
        if path.first == UInt8(ascii: "/") || directory == AtFlags.workingDirectory { return nil }
        return try base(directory)
    }

    /// As above, whatever the path: openat2(2) with RESOLVE_IN_ROOT or RESOLVE_BENEATH.
    func base(_ directory: Int32) throws(Errno) -> Path? {
        if directory == AtFlags.workingDirectory { return nil }
        let file = try files.get(directory)
        guard let path = file.path, path.dentry.isDirectory else { throw .ENOTDIR }
        return path
    }

    /// The place that (`directory`, path at `address`) names. With `emptyPath` (AT_EMPTY_PATH) an empty path means the descriptor's
    /// file, or the working directory.
    func place(_ directory: Int32, _ address: GuestAddress, follow: Bool, emptyPath: Bool = false) throws(Errno) -> Path {
        let bytes = try path(at: address)
        if bytes.isEmpty && emptyPath { return try place(ofDescriptor: directory) }
        return try VFS.resolve(bytes, from: base(directory, bytes), follow ? [.follow] : [], caller: self)
    }

    func place(ofDescriptor number: Int32) throws(Errno) -> Path {
        if number == AtFlags.workingDirectory { return workingDirectory }
        return try files.get(number).location
    }

    /// Flags of an *at call. - Throws: EINVAL for others than `allowed`.
    func flags(_ value: UInt32, allowed: AtFlags) throws(Errno) -> AtFlags {
        guard value & ~allowed.rawValue == 0 else { throw .EINVAL }
        return AtFlags(rawValue: value)
    }
}

/// Bounds of reads and writes.
enum TransferLimit {
    /// MAX_RW_COUNT: what one call moves at most.
    static let bytes = 0x7fff_f000
    /// UIO_MAXIOV.
    static let vectors = 1024
    /// TASK_SIZE_MAX: addresses from here on are never user addresses (access_ok).
    static let userEnd: UInt64 = 0x7fff_ffff_f000

    /// access_ok. - Throws: EFAULT.
    @inline(__always)
    static func check(_ address: GuestAddress, _ count: UInt64) throws(Errno) {
        guard count <= userEnd, address.rawValue <= userEnd &- count else { throw .EFAULT }
    }
}

extension CurrentTask {
    /// The buffer of read(2) or write(2). - Throws: EFAULT, also for a count that no user address leaves room for.
    @inline(__always)
    func buffer(_ address: GuestAddress, _ count: UInt64) throws(Errno) -> IOBuffer {
        try TransferLimit.check(address, count)
        return IOBuffer(memory, address, min(Int(truncatingIfNeeded: count), TransferLimit.bytes))
    }

    /// The buffer of readv(2) or writev(2), cut to MAX_RW_COUNT. - Throws: EINVAL, EFAULT.
    func buffer(vectors address: GuestAddress, count: UInt64) throws(Errno) -> IOBuffer {
        guard count <= UInt64(TransferLimit.vectors) else { throw .EINVAL }
        var vectors = try memory.loadArray(IOVector.self, at: address, count: Int(truncatingIfNeeded: count))
        var total: UInt64 = 0
        for index in vectors.indices {
            guard Int64(bitPattern: vectors[index].length) >= 0 else { throw .EINVAL }
            try TransferLimit.check(vectors[index].base, vectors[index].length)
            vectors[index].length = min(vectors[index].length, UInt64(TransferLimit.bytes) &- total)
            total &+= vectors[index].length
        }
        return IOBuffer(memory, vectors)
    }
}
