import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// /proc/PID/mem: the address space, by address, as ptrace(2) reads and changes it.
final class ProcessMemoryFile: SyntheticInode {
    private let reference: ProcessReference
    let shared = InodeState()
    init(_ reference: ProcessReference) { self.reference = reference }

    var fileSystem: any FileSystem { reference.fileSystem }
    var number: UInt64 { reference.number(.files, ProcessFile.mem.index) }
    var mode: FileMode { FileMode(.regular, 0o600) }
    var owner: SyntheticOwner { reference.owner() }
    var time: Timespec { reference.startTime }

    /// The address space is that of the moment of opening: after execve(2) it is gone (mem_open).
    func open(_ flags: OpenFlags, caller: any Caller) throws(Errno) -> any FileOperations {
        _ = try reference.task()
        try reference.requireInspection(caller)
        guard let memory = reference.memory else { throw .ESRCH }
        return ProcessMemoryOperations(memory)
    }
}

final class ProcessMemoryOperations: FileOperations {
    private let memory: AddressSpace
    init(_ memory: AddressSpace) { self.memory = memory }

    private static let piece = 1 << 16

    var isSeekable: Bool { true }

    private func start(_ position: FilePosition) -> UInt64 {
        if case .offset(let offset) = position { UInt64(bitPattern: offset) } else { 0 }
    }

    func read(_ buffer: inout IOBuffer, at position: FilePosition, caller: any Caller) throws(Errno) -> Int {
        var address = start(position)
        var done = 0
        while buffer.remaining > 0 {
            let wanted = min(buffer.remaining, Self.piece)
            let bytes = memory.inspect(GuestAddress(address), count: wanted)
            if bytes.isEmpty {
                if done > 0 { break }
                throw .EIO
            }
            do throws(Errno) {
                let count = try buffer.put(bytes)
                done += count
                address &+= UInt64(count)
                if count < wanted { break }
            } catch {
                if done > 0 { break }
                throw error
            }
        }
        return done
    }

    func write(_ buffer: inout IOBuffer, at position: FilePosition, caller: any Caller) throws(Errno) -> (count: Int, end: Int64)
    {
        let from = start(position)
        var address = from
        var done = 0
        while buffer.remaining > 0 {
            let toPageEnd = Int(Page.size - GuestAddress(address).pageOffset)
            do throws(Errno) {
                let bytes = try buffer.take(min(buffer.remaining, toPageEnd))
                let count = memory.patch(bytes, at: GuestAddress(address))
                if count == 0 && done == 0 { throw Errno.EIO }
                done += count
                address &+= UInt64(count)
                if count < bytes.count { break }
            } catch {
                if done > 0 { break }
                throw error
            }
        }
        return (done, Int64(bitPattern: address))
    }

    /// From the beginning and from here only (mem_lseek); any address is a position.
    func seek(offset: Int64, whence: Int32, current: Int64) throws(Errno) -> Int64 {
        switch whence {
        case 0: return offset
        case 1: return current &+ offset
        default: throw .EINVAL
        }
    }
}
