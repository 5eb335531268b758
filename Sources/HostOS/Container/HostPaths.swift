import CHost
import LinuxABI

/// Host files by path, for command lines. Paths hold no NUL.
public enum HostPaths {
    // SAFETY, for all below: paths end with NUL and live through the call.

    /// One directory. - Throws: EEXIST.
    public static func makeDirectory(_ path: [UInt8], mode: UInt32) throws(Errno) {
        try hostResult(unsafe path.nulTerminated.withUnsafeBufferPointer { unsafe chost_mkdir(cString($0), mode) })
    }
    /// The directory and those above it, as far as they are missing.
    public static func makeDirectories(_ path: [UInt8], mode: UInt32) throws(Errno) {
        do throws(Errno) {
            try makeDirectory(path, mode: mode)
        } catch {
            if error == .EEXIST { return }
            guard error == .ENOENT, let slash = path.lastIndex(of: 0x2f), slash > 0 else { throw error }
            try makeDirectories(Array(path[..<slash]), mode: 0o755)
            do throws(Errno) { try makeDirectory(path, mode: mode) } catch { if error != .EEXIST { throw error } }
        }
    }
    public static func removeDirectory(_ path: [UInt8]) throws(Errno) {
        try hostResult(unsafe path.nulTerminated.withUnsafeBufferPointer { unsafe chost_rmdir(cString($0)) })
    }
    public static func exists(_ path: [UInt8]) -> Bool {
        unsafe path.nulTerminated.withUnsafeBufferPointer { unsafe chost_exists(cString($0)) } == 0
    }
    public static func changeDirectory(_ path: [UInt8]) throws(Errno) {
        try hostResult(unsafe path.nulTerminated.withUnsafeBufferPointer { unsafe chost_chdir(cString($0)) })
    }
    /// realpath(3).
    public static func resolve(_ path: [UInt8]) throws(Errno) -> [UInt8] {
        var length = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
            // SAFETY: the shim stores less than 4096 bytes and says how many.
            length = unsafe path.nulTerminated.withUnsafeBufferPointer {
                unsafe chost_realpath(cString($0), UnsafeMutableRawPointer(buffer.baseAddress!).assumingMemoryBound(to: CChar.self))
            }
            count = max(0, length)
        }
        try hostResult(length)
        return bytes
    }

    /// The whole file, `limit` bytes at most. - Throws: EFBIG when it is longer.
    public static func read(_ path: [UInt8], limit: Int = 16 << 20) throws(Errno) -> [UInt8] {
        let file = try HostNames.openTrusted(path, [])
        return try readAll(file.number, limit: limit)
    }
    /// What is left to read of an open file, pipe or /proc file.
    public static func readAll(_ descriptor: Int32, limit: Int = 16 << 20) throws(Errno) -> [UInt8] {
        var result: [UInt8] = []
        while true {
            let part = try HostIO.readSome(descriptor, capacity: 65536)
            if part.isEmpty { return result }
            result += part
            if result.count > limit { throw .EFBIG }
        }
    }
    /// Writes an existing file, such as one of a control group, in one write(2).
    public static func write(_ path: [UInt8], _ bytes: [UInt8]) throws(Errno) {
        let file = try HostNames.openTrusted(path, [.writeOnly])
        try HostIO.writeAll(file.number, bytes)
    }
    /// Replaces a file as a whole: whoever reads it sees the old or the new content, also after a crash.
    public static func replace(_ path: [UInt8], _ bytes: [UInt8], mode: UInt16 = 0o600) throws(Errno) {
        let temporary = path + Array(".new-\(HostProcess.id)".utf8)
        do throws(Errno) {
            let file = try HostNames.openTrusted(temporary, [.writeOnly, .create, .truncate], mode: mode)
            try HostIO.writeAll(file.number, bytes)
        } catch {
            try? HostNames.unlink(temporary, in: HostAt.workingDirectory, isDirectory: false)
            throw error
        }
        try HostNames.rename(temporary, in: HostAt.workingDirectory, to: path, in: HostAt.workingDirectory, flags: 0)
    }
    /// Names in a directory, without the dots, in the order of the host.
    public static func list(_ path: [UInt8]) throws(Errno) -> [[UInt8]] {
        let directory = try HostNames.openTrusted(path, [.directory])
        var names: [[UInt8]] = []
        while true {
            let records = try HostFileCalls.directoryRecords(directory.number, capacity: 32768)
            if records.isEmpty { return names }
            // struct linux_dirent64: inode, offset, 16-bit record length, type, name.
            var at = 0
            while at + 19 < records.count {
                let length = Int(records[at + 16]) | Int(records[at + 17]) << 8
                guard length > 19, at + length <= records.count else { break }
                let name = Array(records[(at + 19)..<(at + length)].prefix { $0 != 0 })
                if name != [0x2e] && name != [0x2e, 0x2e] { names.append(name) }
                at += length
            }
        }
    }
    /// flock(2), exclusive. - Throws: EWOULDBLOCK when it is taken and `wait` is false.
    public static func lock(_ descriptor: Int32, wait: Bool) throws(Errno) { try hostResult(chost_lock(descriptor, wait ? 1 : 0)) }
}

extension HostIO {
    /// One read(2); empty at the end of the file.
    public static func readSome(_ descriptor: Int32, capacity: Int) throws(Errno) -> [UInt8] {
        var result = 0
        var error = Errno.EIO
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            repeat {
                // SAFETY: at most `capacity` bytes are stored and counted.
                result = unsafe chost_read_some(descriptor, buffer.baseAddress, capacity)
                if result < 0 { error = Errno(rawValue: Int32(truncatingIfNeeded: -result)) }
            } while result < 0 && error == .EINTR
            count = max(0, result)
        }
        if result < 0 { throw error }
        return bytes
    }
    /// One write(2): how much was taken.
    public static func writeSome(_ descriptor: Int32, _ bytes: ArraySlice<UInt8>) throws(Errno) -> Int {
        // SAFETY: the pointer covers the slice and is used within the call only.
        try hostResult(unsafe bytes.withUnsafeBytes { unsafe chost_write_some(descriptor, $0.baseAddress, $0.count) })
    }
    public static func setNonBlocking(_ descriptor: Int32, _ on: Bool) throws(Errno) {
        try hostResult(chost_set_nonblocking(descriptor, on ? 1 : 0))
    }
    /// A close-on-exec duplicate whose number is `least` or higher.
    public static func duplicate(_ descriptor: Int32, from least: Int32) throws(Errno) -> HostDescriptor {
        HostDescriptor(owning: Int32(truncatingIfNeeded: try hostResult(chost_dup_from(descriptor, least))))
    }
    /// An anonymous file that holds `bytes`, to be read from its start: standard input of a child.
    public static func file(holding bytes: [UInt8]) throws(Errno) -> HostDescriptor {
        // SAFETY: the pointer covers `bytes.count` bytes.
        let number = try hostResult(unsafe bytes.withUnsafeBytes { unsafe chost_bytes_file($0.baseAddress, $0.count) })
        return HostDescriptor(owning: Int32(truncatingIfNeeded: number))
    }
}

extension HostIO {
    /// Makes `number` another name of the open file behind `source`: dup2(2), kept over execve(2).
    public static func replace(_ number: Int32, by source: Int32) throws(Errno) { try hostResult(chost_replace(source, number)) }
}
