import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// read(2), write(2) and their relatives, lseek(2).
extension SystemCallFamilies {
    public static let readWrite: [SystemCallEntry] = [
        .init(0, "read", sysRead),
        .init(1, "write", sysWrite),
        .init(8, "lseek", sysLseek),
        .init(17, "pread64", sysPread64),
        .init(18, "pwrite64", sysPwrite64),
        .init(19, "readv", sysReadv),
        .init(20, "writev", sysWritev),
        .init(295, "preadv", sysPreadv),
        .init(296, "pwritev", sysPwritev),
        .init(327, "preadv2", sysPreadv2),
        .init(328, "pwritev2", sysPwritev2),
    ]

    @Sendable static func sysRead(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let file = try readable(current, a.int(0))
        var buffer = try current.buffer(a.address(1), a.a2)
        return try FileIO.read(file, &buffer, current)
    }

    @Sendable static func sysWrite(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let file = try writable(current, a.int(0))
        var buffer = try current.buffer(a.address(1), a.a2)
        return try FileIO.write(file, &buffer, current)
    }

    @Sendable static func sysPread64(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let offset = a.long(3)
        if offset < 0 { throw .EINVAL }
        let file = try positioned(try current.file(a.int(0)))
        guard file.isReadable else { throw .EBADF }
        var buffer = try current.buffer(a.address(1), a.a2)
        if file.type != .directory { try FileIO.checkRange(offset, buffer.remaining) }
        return try FileIO.read(file, &buffer, at: offset, current)
    }

    @Sendable static func sysPwrite64(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let offset = a.long(3)
        if offset < 0 { throw .EINVAL }
        let file = try positioned(try current.file(a.int(0)))
        guard file.isWritable else { throw .EBADF }
        var buffer = try current.buffer(a.address(1), a.a2)
        try FileIO.checkRange(offset, buffer.remaining)
        return try FileIO.write(file, &buffer, at: offset, current)
    }

    @Sendable static func sysReadv(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let file = try readable(current, a.int(0))
        var buffer = try current.buffer(vectors: a.address(1), count: a.a2)
        if buffer.remaining == 0 && file.type != .directory { return 0 }
        return try FileIO.read(file, &buffer, current)
    }

    @Sendable static func sysWritev(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let file = try writable(current, a.int(0))
        var buffer = try current.buffer(vectors: a.address(1), count: a.a2)
        if buffer.remaining == 0 { return 0 }
        return try FileIO.write(file, &buffer, current)
    }

    @Sendable static func sysPreadv(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try vectorRead(current, a, offset: a.long(3))
    }

    @Sendable static func sysPwritev(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try vectorWrite(current, a, offset: a.long(3))
    }

    @Sendable static func sysPreadv2(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        // -1 stands for the description's position; the high word of the offset has no meaning on 64-bit machines.
        try vectorRead(current, a, offset: a.long(3) == -1 ? nil : a.long(3), rawFlags: a.uint(5))
    }

    @Sendable static func sysPwritev2(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try vectorWrite(current, a, offset: a.long(3) == -1 ? nil : a.long(3), rawFlags: a.uint(5))
    }

    /// lseek(2).
    @Sendable static func sysLseek(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let file = try current.file(a.int(0))
        // SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA, SEEK_HOLE
        guard a.uint(2) <= 4 else { throw .EINVAL }
        return Int(try file.seek(offset: a.long(1), whence: a.int(2)))
    }

    // MARK: shared

    @inline(__always)
    private static func readable(_ current: CurrentTask, _ number: Int32) throws(Errno) -> FileDescription {
        let file = try current.files.get(number)
        guard file.isReadable else { throw .EBADF }
        return file
    }

    @inline(__always)
    private static func writable(_ current: CurrentTask, _ number: Int32) throws(Errno) -> FileDescription {
        let file = try current.files.get(number)
        guard file.isWritable else { throw .EBADF }
        return file
    }

    /// - Throws: ESPIPE for a file without a position.
    private static func positioned(_ file: FileDescription) throws(Errno) -> FileDescription {
        guard file.operations.isSeekable || file.type == .directory else { throw .ESPIPE }
        return file
    }

    private static func vectorRead(
        _ current: CurrentTask, _ a: SystemCallArguments, offset: Int64?, rawFlags: UInt32 = 0
    ) throws(Errno) -> Int {
        if let offset, offset < 0 { throw .EINVAL }
        var file = try current.file(a.int(0))
        if offset != nil { file = try positioned(file) }
        guard file.isReadable else { throw .EBADF }
        var buffer = try current.buffer(vectors: a.address(1), count: a.a2)
        if buffer.remaining == 0 && file.type != .directory { return 0 }
        let flags = try parse(rawFlags)
        if let offset, file.type != .directory { try FileIO.checkRange(offset, buffer.remaining) }
        return try FileIO.read(file, &buffer, at: offset, flags: flags, current)
    }

    private static func vectorWrite(
        _ current: CurrentTask, _ a: SystemCallArguments, offset: Int64?, rawFlags: UInt32 = 0
    ) throws(Errno) -> Int {
        if let offset, offset < 0 { throw .EINVAL }
        var file = try current.file(a.int(0))
        if offset != nil { file = try positioned(file) }
        guard file.isWritable else { throw .EBADF }
        var buffer = try current.buffer(vectors: a.address(1), count: a.a2)
        if buffer.remaining == 0 { return 0 }
        let flags = try parse(rawFlags)
        if let offset { try FileIO.checkRange(offset, buffer.remaining) }
        return try FileIO.write(file, &buffer, at: offset, flags: flags, current)
    }

    /// RWF_* (kiocb_set_rw_flags). - Throws: EOPNOTSUPP, EINVAL.
    private static func parse(_ raw: UInt32) throws(Errno) -> ReadWriteFlags {
        let flags = ReadWriteFlags(rawValue: raw)
        guard flags.isSubset(of: .supported) else { throw .EOPNOTSUPP }
        if flags.contains(.append) && flags.contains(.noAppend) { throw .EINVAL }
        return flags
    }
}
