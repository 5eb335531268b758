import LinuxABI
import Memory
import Synchronization
import VirtualFileSystem

/// A regular file whose content is made when it is read.
protocol SyntheticFile: SyntheticInode {
    /// The whole content now. - Throws: ESRCH for a process that has gone, and what the file's access check gives.
    func content(caller: any Caller) throws(Errno) -> [UInt8]
    /// Takes what a write(2) brought. - Throws: EINVAL and what the setting gives.
    func store(_ bytes: [UInt8], caller: any Caller) throws(Errno)
    /// Checks at open(2) beyond the permission bits.
    func willOpen(_ flags: OpenFlags, caller: any Caller) throws(Errno)
}

extension SyntheticFile {
    func store(_ bytes: [UInt8], caller: any Caller) throws(Errno) { throw .EIO }
    func willOpen(_ flags: OpenFlags, caller: any Caller) throws(Errno) {}
    func open(_ flags: OpenFlags, caller: any Caller) throws(Errno) -> any FileOperations {
        try willOpen(flags, caller: caller)
        return SyntheticFileOperations(self)
    }
}

/// An open synthetic file: the content is made at the first read and anew at every read from the beginning, so that reads of one
/// description go on in one consistent text (seq_file).
final class SyntheticFileOperations: FileOperations {
    private let file: any SyntheticFile
    private let content = Mutex<[UInt8]?>(nil)
    /// One page, as most of Linux's handlers take at once.
    private static let maximumWrite = 4096

    init(_ file: any SyntheticFile) { self.file = file }

    var splicing: Splicing { .source }
    var isSeekable: Bool { true }

    func read(_ buffer: inout IOBuffer, at position: FilePosition, caller: any Caller) throws(Errno) -> Int {
        var offset: Int64 = 0
        if case .offset(let at) = position { offset = at }
        guard offset >= 0 else { throw .EINVAL }
        let kept = offset == 0 ? nil : content.withLock { $0 }
        let bytes: [UInt8]
        if let kept {
            bytes = kept
        } else {
            // Made without the lock: it may take the locks of tasks and address spaces.
            bytes = try file.content(caller: caller)
            content.withLock { $0 = bytes }
        }
        guard offset < Int64(bytes.count) else { return 0 }
        let start = Int(offset)
        let count = min(bytes.count - start, buffer.remaining)
        if count == 0 { return 0 }
        if start == 0 && count == bytes.count { return try buffer.put(bytes) }
        return try buffer.put(Array(bytes[start..<start + count]))
    }

    func write(_ buffer: inout IOBuffer, at position: FilePosition, caller: any Caller) throws(Errno) -> (count: Int, end: Int64)
    {
        var offset: Int64 = 0
        if case .offset(let at) = position { offset = at }
        let bytes = try buffer.take(min(buffer.remaining, Self.maximumWrite))
        try file.store(bytes, caller: caller)
        let (end, overflow) = offset.addingReportingOverflow(Int64(bytes.count))
        return (bytes.count, overflow ? Int64.max : end)
    }

    /// seq_lseek: from the beginning and from here only.
    func seek(offset: Int64, whence: Int32, current: Int64) throws(Errno) -> Int64 {
        guard whence == 0 || whence == 1 else { throw .EINVAL }
        let (target, overflow) = offset.addingReportingOverflow(whence == 1 ? current : 0)
        guard !overflow && target >= 0 else { throw .EINVAL }
        return target
    }
}
