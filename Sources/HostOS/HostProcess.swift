import CHost
import Glibc
import LinuxABI

/// Child processes and identity of the calling process.
public enum HostProcess {
    /// Starts `path` with raw argument and environment bytes; `descriptors` maps numbers of ours to numbers of the child.
    public static func spawn(
        _ path: String, arguments: [[UInt8]], environment: [[UInt8]], descriptors: [(source: Int32, target: Int32)]
    ) throws(Errno) -> Int32 {
        var argv = unsafe cStrings(arguments)
        var envp = unsafe cStrings(environment)
        defer {
            // SAFETY: each pointer but the terminating nil came from strdup-like allocation in `cStrings`.
            for unsafe pointer in unsafe argv { unsafe free(pointer) }
            for unsafe pointer in unsafe envp { unsafe free(pointer) }
        }
        let sources = descriptors.map(\.source)
        let targets = descriptors.map(\.target)
        // SAFETY: all pointers live until chost_spawn returns; argv and envp end with nil.
        let pid = unsafe path.withCString { path in
            unsafe argv.withUnsafeMutableBufferPointer { argv in
                unsafe envp.withUnsafeMutableBufferPointer { envp in
                    unsafe sources.withUnsafeBufferPointer { sources in
                        unsafe targets.withUnsafeBufferPointer { targets in
                            var request = unsafe chost_spawn_request(
                                path: path, argv: argv.baseAddress!, envp: envp.baseAddress!, fd_sources: sources.baseAddress,
                                fd_targets: targets.baseAddress, fd_count: Int32(targets.count))
                            return unsafe chost_spawn(&request)
                        }
                    }
                }
            }
        }
        return try hostCall(pid)
    }

    /// execve(2) of this very program with other arguments and an empty environment: a new random layout. Returns only on failure.
    public static func restart(arguments: [[UInt8]]) -> Errno {
        let argv = unsafe cStrings(arguments)
        let envp = unsafe cStrings([])
        // SAFETY: both vectors end with nil; they are not freed, for the process ends or goes on to report the failure and end.
        _ = unsafe execve("/proc/self/exe", argv, envp)
        return hostErrno()
    }

    private static func cStrings(_ strings: [[UInt8]]) -> [UnsafeMutablePointer<CChar>?] {
        unsafe strings.map { bytes in
            let copy = unsafe malloc(bytes.count + 1)!
            // SAFETY: `copy` holds count + 1 bytes.
            unsafe bytes.withUnsafeBytes { if bytes.count > 0 { unsafe memcpy(copy, $0.baseAddress!, bytes.count) } }
            unsafe copy.storeBytes(of: 0, toByteOffset: bytes.count, as: UInt8.self)
            return unsafe copy.assumingMemoryBound(to: CChar.self)
        } + [nil]
    }

    /// waitpid(2) for one child; nil with `wait` false when it still runs.
    public static func waitStatus(of pid: Int32, wait: Bool) throws(Errno) -> Int32? {
        var status: Int32 = 0
        while true {
            // SAFETY: `status` is a live local.
            let result = unsafe waitpid(pid, &status, wait ? 0 : WNOHANG)
            if result == pid { return status }
            if result == 0 { return nil }
            if hostErrno() != .EINTR { throw hostErrno() }
        }
    }

    /// Waits until no child is left.
    public static func reapAll() { chost_reap_all() }

    public static func send(_ signal: Int32, to pid: Int32) throws(Errno) { try hostCall(Glibc.kill(pid, signal)) }

    public static var id: Int32 { getpid() }
    public static var parentID: Int32 { getppid() }
    public static var realUID: UInt32 { getuid() }
    public static var realGID: UInt32 { getgid() }

    /// Supplementary groups.
    public static var groups: [UInt32] {
        // SAFETY: with count 0 nothing is stored.
        let count = getgroups(0, nil)
        guard count > 0 else { return [] }
        var list = [UInt32](repeating: 0, count: Int(count))
        // SAFETY: the buffer holds `count` entries.
        let stored = unsafe list.withUnsafeMutableBufferPointer { unsafe getgroups(count, $0.baseAddress!) }
        return Array(list.prefix(Int(max(0, stored))))
    }

    /// The working directory. - Throws: ENOENT when it was removed.
    public static func workingDirectory() throws(Errno) -> [UInt8] {
        guard let path = unsafe getcwd(nil, 0) else { throw hostErrno() }
        // SAFETY: getcwd allocated the string; it is copied and freed here.
        defer { unsafe free(path) }
        return unsafe Array(String(cString: path).utf8)
    }

    /// The file-mode creation mask. Reading it means setting it, so call this before other threads exist.
    public static var umask: UInt16 {
        let mask = Glibc.umask(0o077)
        _ = Glibc.umask(mask)
        return UInt16(truncatingIfNeeded: mask)
    }

    /// argv as bytes: `CommandLine.arguments` repairs what is no UTF-8.
    public static var argumentBytes: [[UInt8]] {
        // SAFETY: the runtime keeps argc C strings for the life of the process.
        (0..<Int(CommandLine.argc)).compactMap { index in
            unsafe CommandLine.unsafeArgv[index].map { unsafe bytes(ofCString: $0) }
        }
    }

    /// The environment as `NAME=value` bytes.
    public static var environmentBytes: [[UInt8]] {
        var result: [[UInt8]] = []
        // SAFETY: `environ` is a nil-terminated list of C strings; no other thread changes it.
        var cursor = unsafe chost_environment()
        while let entry = unsafe cursor?.pointee {
            result.append(unsafe bytes(ofCString: entry))
            unsafe cursor = cursor?.advanced(by: 1)
        }
        return result
    }

    private static func bytes(ofCString pointer: UnsafePointer<CChar>) -> [UInt8] {
        // SAFETY: the caller passes a NUL-terminated string.
        unsafe Array(UnsafeRawBufferPointer(start: pointer, count: strlen(pointer)))
    }

    /// The target of a symbolic link of the host, such as /proc/self/exe.
    public static func readLink(_ path: String) throws(Errno) -> String {
        var failure = Errno.EIO
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
            // SAFETY: at most 4096 bytes are stored and counted.
            let n = unsafe path.withCString { unsafe chost_readlink($0, buffer.baseAddress!, 4096) }
            failure = hostErrno()
            count = max(0, n)
        }
        if bytes.isEmpty { throw failure }
        return String(decoding: bytes, as: UTF8.self)
    }

    public static func isExecutableFile(_ path: String) -> Bool { unsafe path.withCString { unsafe access($0, X_OK) == 0 } }

    /// Whether the path names a directory, another kind of file, or nothing that the caller can see.
    public enum Kind: Equatable { case directory, other, absent(Errno) }
    public static func kind(ofPath path: [UInt8]) -> Kind {
        var info = stat()
        // SAFETY: the path copy ends with NUL; `info` is a live local.
        let result = unsafe (path + [0]).withUnsafeBytes { unsafe stat($0.baseAddress!.assumingMemoryBound(to: CChar.self), &info) }
        if result != 0 { return .absent(hostErrno()) }
        return info.st_mode & S_IFMT == S_IFDIR ? .directory : .other
    }

    /// Whether this process may search the directory at `path` (access(2), effective identity).
    public static func maySearch(_ path: [UInt8]) throws(Errno) {
        // SAFETY: the path copy ends with NUL.
        try hostCall(unsafe (path + [0]).withUnsafeBytes {
            unsafe faccessat(AT_FDCWD, $0.baseAddress!.assumingMemoryBound(to: CChar.self), X_OK, AT_EACCESS)
        })
    }

    /// Ends the process at once without running exit handlers.
    public static func exitNow(_ status: Int32) -> Never { _exit(status) }
}
