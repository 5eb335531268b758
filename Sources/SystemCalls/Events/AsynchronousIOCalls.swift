import FileSystems
import HostOS
import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// io_setup(2), io_submit(2), io_getevents(2), io_cancel(2), io_destroy(2).
extension SystemCallFamilies {
    public static let asynchronousIO: [SystemCallEntry] = [
        .init(206, "io_setup", sysIoSetup),
        .init(207, "io_destroy", sysIoDestroy),
        .init(208, "io_getevents", sysIoGetevents),
        .init(209, "io_submit", sysIoSubmit),
        .init(210, "io_cancel", sysIoCancel),
        .init(333, "io_pgetevents", sysIoPgetevents),
    ]

    /// Names the ring in /proc/PID/maps.
    private final class RingOwner: MappedFileOwner {
        var mappedPath: [UInt8] { Array("/[aio] (deleted)".utf8) }
    }

    @Sendable static func sysIoSetup(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let requests = a.uint(0), target = a.address(1)
        guard try current.memory.load(UInt64.self, at: target) == 0, requests > 0 else { throw .EINVAL }
        let (slots, length) = try AIOContext.ringSize(requests: requests, processors: HostSystem.processors.count)
        guard requests <= UInt32(AIOService.limit) else { throw .EAGAIN }
        let file = MappedFile(
            mappable: AnonymousMemory.makeShared(current.kernel.memoryFile, size: length), owner: RingOwner(), allowsSharedWrite: true,
            allowsExecute: false)
        current.refreshMemoryLimits()
        let request = AddressSpace.MapRequest(
            address: .null, length: length, protection: [.read, .write], flags: [.shared], file: file, offset: 0)
        let address = try current.memory.map(request)
        do throws(Errno) {
            var ring = IOCompletionRing()
            ring.count = slots
            try current.memory.store(ring, at: address)
            let context = AIOContext(
                memory: current.memory, address: address, length: length, slots: slots, requests: Int(requests))
            try current.kernel.aio.add(context)
        } catch {
            try? current.memory.unmap(address, length: length)
            throw error
        }
        do throws(Errno) {
            try current.memory.store(address.rawValue, at: target)
        } catch {
            _ = try destroy(current, address)
            throw error
        }
        return 0
    }

    private static func destroy(_ current: CurrentTask, _ address: GuestAddress) throws(Errno) -> Int {
        let context = try current.kernel.aio.remove(at: address, in: current.memory)
        try? current.memory.unmap(address, length: context.length)
        return 0
    }

    @Sendable static func sysIoDestroy(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try destroy(current, a.address(0))
    }

    // MARK: submission

    @Sendable static func sysIoSubmit(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        guard a.long(1) >= 0 else { throw .EINVAL }
        let context = try current.kernel.aio.context(at: a.address(0), in: current.memory)
        let count = min(Int(a.long(1)), Int(context.slots))
        var done = 0
        while done < count {
            do throws(Errno) {
                let object = try current.memory.load(UInt64.self, at: a.address(2) + UInt64(done) * 8)
                try submit(current, context, object)
            } catch {
                if done > 0 { return done }
                throw error
            }
            done += 1
        }
        return done
    }

    /// One request, done on return unless it is a poll. What goes wrong with the operation itself is told by its event.
    private static func submit(_ current: CurrentTask, _ context: AIOContext, _ object: UInt64) throws(Errno) {
        let block = try current.memory.load(IOControlBlock.self, at: GuestAddress(object))
        guard block.reserved == 0, Int64(bitPattern: block.count) >= 0 else { throw .EINVAL }
        try context.requireSlot()
        let file = try current.file(block.descriptor)
        var eventFile: EventFile?
        if block.flags & 1 != 0 {
            eventFile = try current.file(block.eventDescriptor).operations as? EventFile
            if eventFile == nil { throw .EINVAL }
        }
        try current.memory.store(UInt32(0), at: GuestAddress(object &+ IOControlBlock.keyOffset))
        guard let command = IOCommand(rawValue: block.operation) else { throw .EINVAL }
        let result: Int
        switch command {
        case .poll:
            guard block.buffer <= UInt64(UInt16.max), block.offset == 0, block.count == 0, block.readWriteFlags == 0 else {
                throw .EINVAL
            }
            let events = PollEvents(rawValue: UInt32(block.buffer)).union(.always)
            return AIOPoll(
                file, events, data: block.data, object: object, eventFile: eventFile, context: context, timers: current.kernel.timers
            ).start()
        case .synchronize, .synchronizeData:
            guard block.buffer == 0, block.offset == 0, block.count == 0, block.readWriteFlags == 0 else { throw .EINVAL }
            guard file.type == .regular || file.type == .directory || file.type == .blockDevice else { throw .EINVAL }
            result = outcome { () throws(Errno) in
                try file.operations.synchronize(dataOnly: command == .synchronizeData)
                return 0
            }
        case .read, .readVector, .write, .writeVector:
            result = try transfer(current, file, block, command)
        }
        context.complete(IOCompletion(data: block.data, object: object, result: Int64(result)))
        eventFile?.signal()
    }

    private static func transfer(
        _ current: CurrentTask, _ file: FileDescription, _ block: IOControlBlock, _ command: IOCommand
    ) throws(Errno) -> Int {
        if block.flags & 2 != 0 { try checkPriority(current, block.priority) }
        let flags = ReadWriteFlags(rawValue: block.readWriteFlags)
        guard flags.isSubset(of: .supported) else { throw .EOPNOTSUPP }
        if flags.isSuperset(of: [.append, .noAppend]) { throw .EINVAL }
        let isRead = command == .read || command == .readVector
        guard isRead ? file.isReadable : file.isWritable else { throw .EBADF }
        if file.type == .directory { throw .EINVAL }
        var buffer: IOBuffer
        if command == .read || command == .write {
            buffer = try current.buffer(GuestAddress(block.buffer), block.count)
        } else {
            buffer = try current.buffer(vectors: GuestAddress(block.buffer), count: block.count)
        }
        let isSeekable = file.operations.isSeekable
        if isSeekable || block.offset < 0 { try FileIO.checkRange(block.offset, buffer.remaining) }
        let offset = isSeekable ? block.offset : nil
        return outcome { () throws(Errno) in
            isRead
                ? try FileIO.read(file, &buffer, at: offset, flags: flags, current)
                : try FileIO.write(file, &buffer, at: offset, flags: flags, current)
        }
    }

    /// What an event tells: a count, or a negative error. An interrupted operation cannot be started again.
    private static func outcome(_ operation: () throws(Errno) -> Int) -> Int {
        do throws(Errno) {
            return try operation()
        } catch {
            return -Int((error.isRestart ? .EINTR : error).rawValue)
        }
    }

    /// ioprio_check_cap. - Throws: EPERM, EINVAL.
    private static func checkPriority(_ current: CurrentTask, _ priority: UInt16) throws(Errno) {
        switch priority >> 13 {
        case 0: if priority & 0x1fff != 0 { throw .EINVAL }
        case 1:
            let credentials = current.credentials
            guard credentials.has(.sysAdmin) || credentials.has(.sysNice) else { throw .EPERM }
        case 2, 3: break
        default: throw .EINVAL
        }
    }

    /// io_cancel(2): of what stays under way, only polls. The event comes all the same.
    @Sendable static func sysIoCancel(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let key = try current.memory.load(UInt32.self, at: a.address(1) + IOControlBlock.keyOffset)
        guard key == 0 else { throw .EINVAL }
        try current.kernel.aio.context(at: a.address(0), in: current.memory).cancel(object: a[1])
        throw .EINPROGRESS
    }

    // MARK: events

    @Sendable static func sysIoGetevents(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try events(current, a, mask: nil)
    }

    /// The sixth argument points at a mask's address and size. A time-out is not updated, and a signal gives EINTR.
    @Sendable static func sysIoPgetevents(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        var mask: SignalSet?
        if !a.address(5).isNull {
            let words = try current.memory.loadArray(UInt64.self, at: a.address(5), count: 2)
            mask = try current.signalMask(at: GuestAddress(words[0]), size: words[1])
        }
        return try events(current, a, mask: mask)
    }

    private static func events(_ current: CurrentTask, _ a: SystemCallArguments, mask: SignalSet?) throws(Errno) -> Int {
        var deadline = WaitDeadline.never
        if !a.address(4).isNull {
            let time = try current.memory.load(Timespec.self, at: a.address(4))
            // Linux does not check it: one that lies in the past is over at once.
            let (scaled, overflow) = time.seconds.multipliedReportingOverflow(by: 1_000_000_000)
            let total = overflow ? (time.seconds < 0 ? Int64.min : .max) : scaled.addingReportingOverflow(time.nanoseconds).partialValue
            deadline = total <= 0 ? .now : .at(.after(nanoseconds: total))
        }
        let (minimum, maximum) = (a.long(1), a.long(2))
        return try current.withTemporarySignalMask(mask) { () throws(Errno) in
            let context = try current.kernel.aio.context(at: a.address(0), in: current.memory)
            guard minimum >= 0, minimum <= maximum else { throw .EINVAL }
            return try context.wait(
                minimum: Int(minimum), maximum: Int(maximum), to: a.address(3), until: deadline.instant, now: deadline.isNow, current)
        }
    }
}
