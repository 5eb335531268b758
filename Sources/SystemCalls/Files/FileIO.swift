import HostOS
import Kernel
import LinuxABI
import Memory
import Sockets
import VirtualFileSystem

/// Reading and writing of descriptions, shared by read(2), write(2), their relatives, and sendfile(2).
///
/// A description's position is held across the operation on a seekable file, as Linux does, but never while waiting: what waits are
/// streams, which have no position.
enum FileIO {
    /// Runs `attempt`, and when it throws EAGAIN and the caller may wait, waits for `events` and runs it again.
    /// - Throws: what `attempt` throws; EAGAIN when it may not wait or the socket's time-out has passed; ERESTARTSYS.
    @inline(__always)
    static func blocking(
        _ operations: any FileOperations, _ events: PollEvents, nonBlocking: Bool, _ current: CurrentTask,
        _ attempt: () throws(Errno) -> Int
    ) throws(Errno) -> Int {
        do throws(Errno) {
            return try attempt()
        } catch {
            guard error == .EAGAIN && !nonBlocking else { throw error }
        }
        return try waiting(operations, events, current, attempt)
    }

    private static func waiting(
        _ operations: any FileOperations, _ events: PollEvents, _ current: CurrentTask, _ attempt: () throws(Errno) -> Int
    ) throws(Errno) -> Int {
        let deadline = operations.blockingTimeout(for: events).map { MonotonicInstant.after(nanoseconds: $0) }
        let entry = WaitEntry(events: events.union([.hangUp, .error, .readHangUp]), parker: current.parker)
        operations.addWaiter(entry)
        defer { operations.removeWaiter(entry) }
        while true {
            do throws(Errno) {
                return try attempt()
            } catch {
                guard error == .EAGAIN else { throw error }
            }
            do throws(Errno) {
                try current.park(until: deadline)
            } catch {
                if error == .ETIMEDOUT { throw .EAGAIN }
                // A call with a time-out of its own is not restarted (signal(7)).
                throw error == .ERESTARTSYS && deadline != nil ? .EINTR : error
            }
        }
    }

    // MARK: reading

    /// - Parameter offset: as pread(2) gives it; nil: the description's position.
    /// - Throws: EBADF, EISDIR, EINVAL, and the file's errors.
    static func read(
        _ file: FileDescription, _ buffer: inout IOBuffer, at offset: Int64? = nil, flags: ReadWriteFlags = [], _ current: CurrentTask
    ) throws(Errno) -> Int {
        current.task.transfers.countReadCall()
        let count = try readUnnoticed(file, &buffer, at: offset, flags: flags, current)
        if count > 0 {
            current.task.transfers.countRead(count)
            FileNotice.post(.access, file)
        }
        return count
    }

    @inline(__always)
    private static func readUnnoticed(
        _ file: FileDescription, _ buffer: inout IOBuffer, at offset: Int64?, flags: ReadWriteFlags, _ current: CurrentTask
    ) throws(Errno) -> Int {
        if file.type == .directory { throw .EISDIR }
        let operations = file.operations
        let nonBlocking = file.isNonBlocking || flags.contains(.noWait)
        if let offset {
            return try blocking(operations, .allReadable, nonBlocking: nonBlocking, current) { () throws(Errno) in
                try operations.read(&buffer, at: .offset(offset), caller: current)
            }
        }
        if operations.isSeekable && !operations.hasOwnPosition {
            return try blocking(operations, .allReadable, nonBlocking: nonBlocking, current) { () throws(Errno) in
                try file.position.withLock { position throws(Errno) in
                    try checkRange(position, buffer.remaining)
                    let count = try operations.read(&buffer, at: .offset(position), caller: current)
                    position &+= Int64(count)
                    return count
                }
            }
        }
        return try blocking(operations, .allReadable, nonBlocking: nonBlocking, current) { () throws(Errno) in
            try operations.read(&buffer, at: .stream, caller: current)
        }
    }

    /// rw_verify_area: the range must end within loff_t.
    static func checkRange(_ offset: Int64, _ count: Int) throws(Errno) {
        if offset < 0 || offset.addingReportingOverflow(Int64(count)).overflow { throw .EINVAL }
    }

    // MARK: writing

    /// Raises SIGPIPE on EPIPE. - Throws: EBADF, EFBIG with SIGXFSZ, and the file's errors.
    static func write(
        _ file: FileDescription, _ buffer: inout IOBuffer, at offset: Int64? = nil, flags: ReadWriteFlags = [], _ current: CurrentTask
    ) throws(Errno) -> Int {
        current.task.transfers.countWriteCall()
        let operations = file.operations
        let status = file.statusFlags
        let count: Int
        if offset == nil && (!operations.isSeekable || operations.hasOwnPosition) {
            count = try writeStream(
                operations, &buffer, nonBlocking: status.contains(.nonBlocking) || flags.contains(.noWait),
                raisesSignal: !flags.contains(.noSignal), current)
        } else {
            let appends = (status.contains(.append) && !flags.contains(.noAppend)) || flags.contains(.append)
            if let offset {
                count = try writeFile(file, &buffer, at: appends ? .end : .offset(offset), current).count
            } else {
                count = try file.position.withLock { position throws(Errno) in
                    try checkRange(position, buffer.remaining)
                    let (count, end) = try writeFile(file, &buffer, at: appends ? .end : .offset(position), current)
                    if count > 0 { position = end }
                    return count
                }
            }
        }
        if count > 0 && (status.contains(.dataSync) || !flags.isDisjoint(with: [.dataSync, .sync])) && file.type == .regular {
            try operations.synchronize(dataOnly: !(status.isSuperset(of: .sync) || flags.contains(.sync)))
        }
        if count > 0 {
            current.task.transfers.countWritten(count)
            FileNotice.post(.modify, file)
        }
        return count
    }

    /// A stream takes all, waiting for room as often as need be; interrupted, it reports what it took.
    private static func writeStream(
        _ operations: any FileOperations, _ buffer: inout IOBuffer, nonBlocking: Bool, raisesSignal: Bool, _ current: CurrentTask
    ) throws(Errno) -> Int {
        // Counted rather than asked of the buffer: /dev/null takes all without looking at it.
        let wanted = buffer.remaining
        var total = 0
        while true {
            do throws(Errno) {
                let count = try blocking(operations, .allWritable, nonBlocking: nonBlocking, current) { () throws(Errno) in
                    try operations.write(&buffer, at: .stream, caller: current).count
                }
                total += count
                if count == 0 || total >= wanted { return total }
            } catch {
                // Of sockets only streams raise it.
                if error == .EPIPE && raisesSignal && (operations as? SocketFile)?.socket.isStream ?? true { current.raise(.SIGPIPE) }
                if total > 0 { return total }
                throw error
            }
        }
    }

    private static func writeFile(
        _ file: FileDescription, _ buffer: inout IOBuffer, at position: FilePosition, _ current: CurrentTask
    ) throws(Errno) -> (count: Int, end: Int64) {
        var position = position
        if let inode = file.inode, file.type == .regular, buffer.remaining > 0 {
            try applySizeLimit(inode, &buffer, position, current)
            try VFS.removePrivileges(inode, caller: current)
        }
        let wanted = buffer.remaining
        var total = 0
        while true {
            do throws(Errno) {
                let (count, end) = try operations(file, &buffer, position, current)
                total += count
                // A file may take less than all at a time.
                if count == 0 || total >= wanted { return (total, end) }
                position = .offset(end)
            } catch {
                if total > 0, case .offset(let end) = position { return (total, end) }
                throw error
            }
        }
    }

    private static func operations(
        _ file: FileDescription, _ buffer: inout IOBuffer, _ position: FilePosition, _ current: CurrentTask
    ) throws(Errno) -> (count: Int, end: Int64) {
        let (count, end) = try file.operations.write(&buffer, at: position, caller: current)
        if case .offset(let offset) = position { return (count, offset &+ Int64(count)) }
        return (count, end)
    }

    /// RLIMIT_FSIZE: nothing is written past it; a write that starts there raises SIGXFSZ.
    private static func applySizeLimit(
        _ inode: any Inode, _ buffer: inout IOBuffer, _ position: FilePosition, _ current: CurrentTask
    ) throws(Errno) {
        let limit = current.fileSizeLimit
        guard limit < UInt64(Int64.max) else { return }
        let start: UInt64
        switch position {
        case .offset(let offset): start = UInt64(max(0, offset))
        case .end, .stream: start = try inode.attributes().size
        }
        guard start < limit else {
            current.raise(.SIGXFSZ)
            throw .EFBIG
        }
        if UInt64(buffer.remaining) > limit - start { buffer.truncate(to: Int(truncatingIfNeeded: limit - start)) }
    }
}
