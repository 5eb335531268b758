import HostOS
import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// Loads ELF programs for x86-64: static, position-independent, and with an interpreter (Linux's fs/binfmt_elf.c).
enum ELFLoader {
    /// Where position-independent programs with an interpreter lie: two thirds of the address space.
    private static let programBase: UInt64 = 0x5555_5555_4000
    private static let taskSize = AddressLimits.maximum.rawValue

    private struct Interpreter {
        var file: FileDescription
        var header: ELFHeader
        var segments: [ELFSegment]
    }

    static func load(_ file: ExecutableFile, _ head: [UInt8], _ request: LoadRequest, executedName: [UInt8]) throws(Errno)
        -> LoadedProgram
    {
        guard let header = ELFHeader(head), file.description.operations.mappable != nil else { throw .ENOEXEC }
        let segments = try programHeaders(file.description, header, request.caller, failure: .ENOEXEC)
        guard segments.contains(where: { $0.type == ELFSegment.load }) else { throw .ENOEXEC }
        let interpreter = try findInterpreter(file.description, segments, request)
        let (credentials, isSecure) = try ExecCredentials.transform(
            request.caller.credentials, file.description, caller: request.caller, isWatched: request.isWatched)

        let memory: AddressSpace
        if let given = request.space {
            memory = given
            memory.limits = request.limits
        } else {
            memory = try request.kernel.makeAddressSpace(limits: request.limits)
        }
        do throws(Errno) {
            return try build(
                memory, file, header, segments, interpreter, request, executedName: executedName, credentials: credentials,
                isSecure: isSecure)
        } catch {
            if request.space == nil { memory.tearDown() }
            throw error
        }
    }

    private static func programHeaders(_ file: FileDescription, _ header: ELFHeader, _ caller: any Caller, failure: Errno) throws(Errno)
        -> [ELFSegment]
    {
        let size = header.programHeaderCount * ELFHeader.programHeaderSize
        guard header.programHeaderOffset <= UInt64(Int64.max) - UInt64(size) else { throw failure }
        let bytes = try ProgramLoader.read(file, header.programHeaderOffset, size, caller)
        guard bytes.count == size else { throw failure }
        return (0..<header.programHeaderCount).map { ELFSegment(bytes, at: $0 * ELFHeader.programHeaderSize) }
    }

    private static func findInterpreter(_ file: FileDescription, _ segments: [ELFSegment], _ request: LoadRequest) throws(Errno)
        -> Interpreter?
    {
        guard let segment = segments.first(where: { $0.type == ELFSegment.interpreter }) else { return nil }
        guard segment.fileSize >= 2, segment.fileSize <= 4096, segment.offset <= UInt64(Int64.max) - 4096 else { throw .ENOEXEC }
        let path = try ProgramLoader.read(file, segment.offset, Int(segment.fileSize), request.caller)
        guard path.count == Int(segment.fileSize) else { throw .EIO }
        guard path.last == 0, let end = path.firstIndex(of: 0) else { throw .ENOEXEC }
        let place = try VFS.resolve(Array(path[..<end]), [.follow], caller: request.caller)
        let description = try VFS.openForExecution(place, caller: request.caller)
        let head = try ProgramLoader.read(description, 0, ELFHeader.size, request.caller)
        guard head.count == ELFHeader.size else { throw .EIO }
        guard let header = ELFHeader(head), description.operations.mappable != nil else { throw .ELIBBAD }
        let segments = try programHeaders(description, header, request.caller, failure: .ELIBBAD)
        guard segments.contains(where: { $0.type == ELFSegment.load }) else { throw .EINVAL }
        return Interpreter(file: description, header: header, segments: segments)
    }

    private static func build(
        _ memory: AddressSpace, _ file: ExecutableFile, _ header: ELFHeader, _ segments: [ELFSegment], _ interpreter: Interpreter?,
        _ request: LoadRequest, executedName: [UInt8], credentials: Credentials, isSecure: Bool
    ) throws(Errno) -> LoadedProgram {
        let isRandomized = request.personality & Personality.noRandomization == 0
        var base: Base
        switch header.kind {
        case .executable: base = .fixed
        case .sharedObject:
            // A program without interpreter (a static one, or the dynamic linker itself) goes where mmap puts it.
            if interpreter == nil { base = .anywhere } else { base = .hint(programBase &+ (isRandomized ? randomPages(28) : 0)) }
        }
        let placed = try map(memory, file.description, segments, base)
        var entry = header.entry &+ placed.bias
        var interpreterBase: UInt64 = 0
        if let interpreter {
            let linker = try map(memory, interpreter.file, interpreter.segments, interpreter.header.kind == .executable ? .fixed : .anywhere)
            interpreterBase = linker.bias
            entry = interpreter.header.entry &+ linker.bias
        }
        guard entry < taskSize else { throw .EINVAL }

        // The heap begins behind the program; a static position-independent program lies among the mappings, where there is no room
        // for it, so that it gets the place of programs.
        var heap = Page.up(placed.end) ?? placed.end
        if header.kind == .sharedObject && interpreter == nil { heap = programBase }
        if isRandomized { heap = heap &+ randomPages(13) }
        memory.initializeBreak(GuestAddress(heap))

        let stackFlags = segments.first { $0.type == ELFSegment.stack }?.flags
        var image = ProcessImage()
        image.executable = file.description.path
        image.executableFile = file
        image.code = placed.code
        image.data = placed.data
        image.breakStart = GuestAddress(heap)
        var vector = AuxiliaryVector()
        vector.programHeaders = programHeaderAddress(header, segments, placed.bias)
        vector.programHeaderCount = UInt64(header.programHeaderCount)
        vector.interpreterBase = interpreterBase
        vector.entry = header.entry &+ placed.bias
        vector.isSecure = isSecure
        let stack = try InitialStack.build(
            memory, arguments: request.arguments, environment: request.environment, executedName: executedName, vector: vector,
            credentials: credentials, stackLimit: request.limits.stack, isExecutable: (stackFlags ?? 0) & 1 != 0,
            isRandomized: isRandomized, vdso: request.kernel.platform.vdso)
        image.arguments = stack.arguments
        image.environment = stack.environment
        image.auxiliaryVector = stack.auxiliaryVector
        image.stackStart = stack.pointer
        return LoadedProgram(
            memory: memory, entry: GuestAddress(entry), stackPointer: stack.pointer, image: image, name: [], credentials: credentials,
            isSecure: isSecure)
    }

    private static func randomPages(_ bits: UInt64) -> UInt64 { UInt64.random(in: 0..<(1 << bits)) << Page.shift }

    /// Where the program headers lie in memory; 0 when no segment holds them.
    private static func programHeaderAddress(_ header: ELFHeader, _ segments: [ELFSegment], _ bias: UInt64) -> UInt64 {
        for s in segments where s.type == ELFSegment.load {
            if header.programHeaderOffset >= s.offset && header.programHeaderOffset &- s.offset < s.fileSize {
                return header.programHeaderOffset &- s.offset &+ s.address &+ bias
            }
        }
        return 0
    }

    // MARK: segments

    private enum Base {
        /// At the addresses of the file.
        case fixed
        case hint(UInt64)
        case anywhere
    }

    private struct Placement {
        var bias: UInt64
        /// One past the last byte of the highest segment.
        var end: UInt64
        var code: GuestRange
        var data: GuestRange
    }

    private static func map(_ memory: AddressSpace, _ file: FileDescription, _ segments: [ELFSegment], _ base: Base) throws(Errno)
        -> Placement
    {
        guard let mappable = file.operations.mappable else { throw .ENOEXEC }
        let mapped = MappedFile(mappable: mappable, owner: file, allowsSharedWrite: false, allowsExecute: true)
        let loads = segments.filter { $0.type == ELFSegment.load }
        var lowest = UInt64.max
        var highest: UInt64 = 0
        var alignment = Page.size
        for s in loads {
            let (end, overflow) = s.address.addingReportingOverflow(s.memorySize)
            guard !overflow, end <= taskSize, s.fileSize <= s.memorySize, s.memorySize <= taskSize else { throw .EINVAL }
            guard s.offset <= UInt64(Int64.max) - taskSize else { throw .EINVAL }
            lowest = min(lowest, Page.down(s.address))
            highest = max(highest, end)
            if s.alignment.nonzeroBitCount == 1 && s.alignment > alignment && s.alignment <= 1 << 30 { alignment = s.alignment }
        }
        guard lowest < highest, let top = Page.up(highest) else { throw .EINVAL }
        let length = top - lowest
        let bias = try reserve(memory, base, lowest: lowest, length: length, alignment: alignment)

        var code = GuestRange(start: GuestAddress(.max), end: .null)
        var data = code
        for s in loads {
            try mapSegment(memory, mapped, s, bias)
            let start = GuestAddress(s.address &+ bias)
            let end = start + s.fileSize
            if s.isExecutable {
                code = GuestRange(start: min(code.start, start), end: max(code.end, end))
            }
            data = GuestRange(start: data.end.isNull ? start : max(data.start, start), end: max(data.end, end))
        }
        if code.end.isNull { code = GuestRange(start: .null, end: .null) }
        return Placement(bias: bias, end: highest &+ bias, code: code, data: data)
    }

    /// Takes the whole span of a program, so that its segments cannot collide with anything, and returns what to add to its addresses.
    private static func reserve(_ memory: AddressSpace, _ base: Base, lowest: UInt64, length: UInt64, alignment: UInt64) throws(Errno)
        -> UInt64
    {
        let slack = alignment - Page.size
        var request = AddressSpace.MapRequest(
            address: .null, length: length, protection: .none, flags: [.private, .anonymous, .noReserve])
        switch base {
        case .fixed:
            request.address = GuestAddress(lowest)
            request.flags.insert(.fixedNoReplace)
            request.flags.insert(.fixed)
            do throws(Errno) { _ = try memory.map(request) } catch { throw error == .EEXIST ? .ENOMEM : error }
            return 0
        case .hint(let address): request.address = GuestAddress(address & ~(alignment - 1))
        case .anywhere: break
        }
        request.length = length + slack
        let start = try memory.map(request)
        let aligned = (start.rawValue + slack) & ~(alignment - 1)
        if slack != 0 {
            if aligned > start.rawValue { try memory.unmap(start, length: aligned - start.rawValue) }
            let end = aligned + length, mappedEnd = start.rawValue + request.length
            if mappedEnd > end { try memory.unmap(GuestAddress(end), length: mappedEnd - end) }
        }
        return aligned &- lowest
    }

    /// Maps one PT_LOAD over its part of the reserved span: file pages, the zeroed rest of the last page, anonymous pages behind.
    private static func mapSegment(_ memory: AddressSpace, _ file: MappedFile, _ s: ELFSegment, _ bias: UInt64) throws(Errno) {
        let start = s.address &+ bias
        let pageStart = Page.down(start)
        let shift = start - pageStart
        guard s.offset & (Page.size - 1) == shift || s.fileSize == 0 else { throw .EINVAL }
        let fileEnd = start + s.fileSize
        let memoryEnd = start + s.memorySize
        var zeroFrom = pageStart
        if s.fileSize > 0 {
            _ = try memory.map(
                AddressSpace.MapRequest(
                    address: GuestAddress(pageStart), length: Page.up(shift + s.fileSize) ?? 0, protection: s.protection,
                    flags: [.private, .fixed], file: file, offset: s.offset - shift))
            zeroFrom = Page.up(fileEnd) ?? fileEnd
            if memoryEnd > fileEnd && zeroFrom > fileEnd {
                // Read-only segments keep the file's bytes, as on Linux.
                do throws(Errno) {
                    try memory.zero(GuestAddress(fileEnd), count: zeroFrom - fileEnd)
                } catch {
                    if s.protection.contains(.write) { throw error }
                }
            }
        }
        let end = Page.up(memoryEnd) ?? memoryEnd
        guard end > zeroFrom, s.memorySize > s.fileSize else { return }
        var protection: Protection = [.read, .write]
        if s.isExecutable { protection.insert(.execute) }
        _ = try memory.map(
            AddressSpace.MapRequest(
                address: GuestAddress(zeroFrom), length: end - zeroFrom, protection: protection, flags: [.private, .anonymous, .fixed]))
    }
}
