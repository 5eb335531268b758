import HostOS
import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// Flags of splice(2).
private struct SpliceFlags: OptionSet {
    let rawValue: UInt32
    static let move = SpliceFlags(rawValue: 1)
    static let nonBlocking = SpliceFlags(rawValue: 2)
    static let more = SpliceFlags(rawValue: 4)
    static let gift = SpliceFlags(rawValue: 8)
    static let all: SpliceFlags = [.move, .nonBlocking, .more, .gift]
}

private func length(_ argument: UInt64) -> Int { Int(min(argument, UInt64(TransferLimit.bytes))) }

private func pipe(_ description: FileDescription) -> Pipe? { (description.operations as? PipeEnd)?.pipe }

/// splice(2): moves data between a pipe and a file, either way, or between two pipes.
@Sendable func sysSplice(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    let flags = SpliceFlags(rawValue: a.uint(5))
    let count = length(a[4])
    guard flags.isSubset(of: .all) else { throw .EINVAL }
    if count == 0 { return 0 }
    let input = try current.file(a.int(0)), output = try current.file(a.int(2))
    let inOffset = a.address(1), outOffset = a.address(3)
    let source = pipe(input), target = pipe(output)
    if (source != nil && !inOffset.isNull) || (target != nil && !outOffset.isNull) { throw .ESPIPE }
    guard input.isReadable && output.isWritable else { throw .EBADF }

    switch (source, target) {
    case (let source?, let target?):
        if source === target { throw .EINVAL }
        let waits = !flags.contains(.nonBlocking) && !input.isNonBlocking && !output.isNonBlocking
        return try current.movePipeData(input, output, waits: waits) { () throws(Errno) in
            try Pipe.transfer(from: source, to: target, count: count, keeping: false)
        }
    case (let source?, nil):
        if output.statusFlags.contains(.append) { throw .EINVAL }
        guard output.operations.splicing.contains(.target) else { throw .EINVAL }
        let waits = !flags.contains(.nonBlocking) && !input.isNonBlocking
        return try current.movePipeData(input, output, waits: waits) { () throws(Errno) in
            try current.withOffset(output, outOffset) { position throws(Errno) in
                try source.splice(out: count) { bytes throws(Errno) in
                    try output.operations.write(&bytes, at: position, caller: current).count
                }
            }
        }
    case (nil, let target?):
        let waits = !flags.contains(.nonBlocking) && !output.isNonBlocking
        return try spliceIn(input, inOffset, count, to: output, target, waits: waits, current)
    case (nil, nil):
        throw .EINVAL
    }
}

/// Moves data of a file into a pipe, from the position that the guest's word at `offset` says, else its own.
func spliceIn(
    _ input: FileDescription, _ offset: GuestAddress, _ count: Int, to output: FileDescription, _ pipe: Pipe, waits: Bool, _ current: CurrentTask
) throws(Errno) -> Int {
    guard input.operations.splicing.contains(.source) else { throw .EINVAL }
    return try current.movePipeData(input, output, waits: waits) { () throws(Errno) in
        try current.withOffset(input, offset) { position throws(Errno) in
            try pipe.splice(in: count) { room throws(Errno) in
                try input.operations.read(&room, at: position, caller: current)
            }
        }
    }
}

/// tee(2): copies from one pipe to another and leaves the data where it was.
@Sendable func sysTee(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    let flags = SpliceFlags(rawValue: a.uint(3))
    let count = length(a[2])
    guard flags.isSubset(of: .all) else { throw .EINVAL }
    if count == 0 { return 0 }
    let input = try current.file(a.int(0)), output = try current.file(a.int(1))
    guard input.isReadable && output.isWritable else { throw .EBADF }
    guard let source = pipe(input), let target = pipe(output), source !== target else { throw .EINVAL }
    let waits = !flags.contains(.nonBlocking) && !input.isNonBlocking && !output.isNonBlocking
    return try current.movePipeData(input, output, waits: waits) { () throws(Errno) in
        try Pipe.transfer(from: source, to: target, count: count, keeping: true)
    }
}

/// vmsplice(2): memory to a pipe through its write end, or from it through its read end.
@Sendable func sysVmsplice(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    let flags = SpliceFlags(rawValue: a.uint(3))
    guard flags.isSubset(of: .all) else { throw .EINVAL }
    let description = try current.file(a.int(0))
    guard pipe(description) != nil else { throw .EBADF }
    var buffer = try current.buffer(vectors: a.address(1), count: a[2])
    if buffer.remaining == 0 { return 0 }
    let waits = !flags.contains(.nonBlocking) && !description.isNonBlocking
    return try current.movePipeData(description, description, waits: waits) { () throws(Errno) in
        description.isWritable
            ? try description.operations.write(&buffer, at: .stream, caller: current).count
            : try description.operations.read(&buffer, at: .stream, caller: current)
    }
}

extension CurrentTask {
    /// Runs a transfer, waiting for either side where allowed, and raises SIGPIPE for a pipe without readers.
    fileprivate func movePipeData(
        _ input: FileDescription, _ output: FileDescription, waits: Bool, _ transfer: () throws(Errno) -> Int
    ) throws(Errno) -> Int {
        do throws(Errno) {
            let count =
                waits ? try retry(on: [(input.operations, .allReadable), (output.operations, .allWritable)], transfer) : try transfer()
            if count > 0 {
                FileNotice.post(.access, input)
                FileNotice.post(.modify, output)
            }
            return count
        } catch {
            if error == .EPIPE { raise(.SIGPIPE) }
            throw error
        }
    }

    /// Gives `body` the position a transfer takes place at, and moves on what held it: the guest's offset word when there is one, else
    /// the description's position.
    fileprivate func withOffset(
        _ description: FileDescription, _ address: GuestAddress, _ body: (FilePosition) throws(Errno) -> Int
    ) throws(Errno) -> Int {
        let file = description.operations
        if !address.isNull {
            guard file.isSeekable else { throw .EINVAL }
            let offset = try memory.load(Int64.self, at: address)
            if offset < 0 { throw .EINVAL }
            let count = try body(.offset(offset))
            try memory.store(offset &+ Int64(count), at: address)
            return count
        }
        if !file.isSeekable || file.hasOwnPosition { return try body(.stream) }
        return try description.position.withLock { position throws(Errno) in
            let count = try body(.offset(position))
            position &+= Int64(count)
            return count
        }
    }
}
